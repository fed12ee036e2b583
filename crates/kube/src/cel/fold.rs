//! The macros that iterate over lists and maps.

use super::ast::{Expr, FoldKind, FoldMacro};
use super::budget::EvalStop;
use super::eval::{Evaluation, as_bool, combine_stops};
use super::value::{CelValue, EvalResult, MapKind};

impl<'p> Evaluation<'p, '_> {
    pub(super) fn fold(&mut self, fold: &'p FoldMacro) -> EvalResult {
        let range = self.eval(&fold.range)?;
        let items = self.items(&range, fold)?;
        let (first, second) = &fold.variables;
        let depth = self.scope.len();
        let visit = |evaluation: &mut Self, (one, other): (CelValue, Option<CelValue>), expr: &'p Expr| {
            evaluation.scope.push((first, one));
            if let (Some(name), Some(value)) = (second, other) {
                evaluation.scope.push((name, value));
            }
            let outcome = evaluation.eval(expr);
            evaluation.scope.truncate(depth);
            outcome
        };
        match (fold.kind, &fold.predicate, &fold.transform) {
            (FoldKind::All, Some(predicate), None) => {
                self.quantify(items, false, |this, item| visit(this, item, predicate))
            }
            (FoldKind::Exists, Some(predicate), None) => {
                self.quantify(items, true, |this, item| visit(this, item, predicate))
            }
            (FoldKind::ExistsOne, Some(predicate), None) => {
                let mut count = 0_usize;
                for item in items {
                    count += usize::from(as_bool(&visit(self, item, predicate)?)?);
                }
                Ok(CelValue::Bool(count == 1))
            }
            (FoldKind::Filter | FoldKind::Map, predicate, transform) => {
                let mut kept = Vec::new();
                for item in items {
                    if let Some(predicate) = predicate
                        && !as_bool(&visit(self, item.clone(), predicate)?)?
                    {
                        continue;
                    }
                    let value = match transform {
                        Some(transform) => visit(self, item, transform)?,
                        None => item.0,
                    };
                    self.budget.spend(1)?;
                    kept.push(value.visible()?);
                }
                Ok(CelValue::list(kept))
            }
            _ => Err(EvalStop::Unknown),
        }
    }

    /// Returns the values of the variables for each iteration.
    fn items(
        &mut self,
        range: &CelValue,
        fold: &FoldMacro,
    ) -> Result<Vec<(CelValue, Option<CelValue>)>, EvalStop> {
        let has_two = fold.variables.1.is_some();
        match range {
            CelValue::List(list) => {
                self.budget.spend(list.items.len())?;
                let items = list.items.iter().enumerate();
                Ok(items
                    .map(|(index, item)| match i64::try_from(index) {
                        Ok(index) if has_two => (CelValue::Int(index), Some(item.clone())),
                        _ => (item.clone(), None),
                    })
                    .collect())
            }
            // The order of a map's keys is undefined, and so is that of a list built from them.
            CelValue::Map(map) if map.kind == MapKind::Data => {
                let is_free_of_order =
                    matches!(fold.kind, FoldKind::All | FoldKind::Exists | FoldKind::ExistsOne);
                if !is_free_of_order && map.entries.len() > 1 {
                    return Err(EvalStop::Unknown);
                }
                self.budget.spend(map.entries.len())?;
                let entries = map.entries.iter();
                Ok(entries
                    .map(|(key, value)| (CelValue::Text(key.clone()), has_two.then(|| value.clone())))
                    .collect())
            }
            _ => Err(EvalStop::Unknown),
        }
    }

    /// Evaluates `all` or `exists`: one decisive item decides, regardless of the others.
    fn quantify(
        &mut self,
        items: Vec<(CelValue, Option<CelValue>)>,
        decisive: bool,
        mut visit: impl FnMut(&mut Self, (CelValue, Option<CelValue>)) -> EvalResult,
    ) -> EvalResult {
        let mut undecided = None;
        for item in items {
            match visit(self, item).and_then(|value| as_bool(&value)) {
                Ok(flag) if flag == decisive => return Ok(CelValue::Bool(decisive)),
                Ok(_) => {}
                Err(stop) => undecided = Some(combine_stops(undecided, stop)?),
            }
        }
        undecided.map_or(Ok(CelValue::Bool(!decisive)), Err)
    }
}
