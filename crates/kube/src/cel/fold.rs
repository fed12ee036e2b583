//! The macros that iterate over lists and maps.

use super::ast::{Expr, Fold, FoldKind};
use super::budget::Stop;
use super::eval::{Evaluation, Outcome, boolean, worse};
use super::value::{MapKind, Value};

impl<'p> Evaluation<'p, '_> {
    pub(super) fn fold(&mut self, fold: &'p Fold) -> Outcome {
        let range = self.eval(&fold.range)?;
        let items = self.items(&range, fold)?;
        let (first, second) = &fold.variables;
        let depth = self.scope.len();
        let visit = |evaluation: &mut Self, (one, other): (Value, Option<Value>), expr: &'p Expr| {
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
                    count += usize::from(boolean(&visit(self, item, predicate)?)?);
                }
                Ok(Value::Bool(count == 1))
            }
            (FoldKind::Filter | FoldKind::Map, predicate, transform) => {
                let mut kept = Vec::new();
                for item in items {
                    if let Some(predicate) = predicate
                        && !boolean(&visit(self, item.clone(), predicate)?)?
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
                Ok(Value::list(kept))
            }
            _ => Err(Stop::Unknown),
        }
    }

    /// Returns the values of the variables for each iteration.
    fn items(&mut self, range: &Value, fold: &Fold) -> Result<Vec<(Value, Option<Value>)>, Stop> {
        let has_two = fold.variables.1.is_some();
        match range {
            Value::List(list) => {
                self.budget.spend(list.items.len())?;
                let items = list.items.iter().enumerate();
                Ok(items
                    .map(|(index, item)| match i64::try_from(index) {
                        Ok(index) if has_two => (Value::Int(index), Some(item.clone())),
                        _ => (item.clone(), None),
                    })
                    .collect())
            }
            // The order of a map's keys is undefined, and so is that of a list built from them.
            Value::Map(map) if map.kind == MapKind::Data => {
                let is_free_of_order =
                    matches!(fold.kind, FoldKind::All | FoldKind::Exists | FoldKind::ExistsOne);
                if !is_free_of_order && map.entries.len() > 1 {
                    return Err(Stop::Unknown);
                }
                self.budget.spend(map.entries.len())?;
                let entries = map.entries.iter();
                Ok(entries
                    .map(|(key, value)| (Value::Text(key.clone()), has_two.then(|| value.clone())))
                    .collect())
            }
            _ => Err(Stop::Unknown),
        }
    }

    /// Evaluates `all` or `exists`: one decisive item decides, regardless of the others.
    fn quantify(
        &mut self,
        items: Vec<(Value, Option<Value>)>,
        decisive: bool,
        mut visit: impl FnMut(&mut Self, (Value, Option<Value>)) -> Outcome,
    ) -> Outcome {
        let mut undecided = None;
        for item in items {
            match visit(self, item).and_then(|value| boolean(&value)) {
                Ok(flag) if flag == decisive => return Ok(Value::Bool(decisive)),
                Ok(_) => {}
                Err(stop) => undecided = Some(worse(undecided, stop)?),
            }
        }
        undecided.map_or(Ok(Value::Bool(!decisive)), Err)
    }
}
