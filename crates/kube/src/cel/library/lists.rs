//! Functions of lists, including those that treat lists as sets.

use std::cmp::Ordering;

use super::super::budget::{CelBudget, EvalError, EvalStop};
use super::super::operators::{add, join_texts};
use super::super::value::{CelList, CelValue, EvalResult, compare, contains, equal};
use super::integer;

/// Calls a function of a list.
pub(crate) fn member(name: &str, list: &CelList, rest: &[CelValue], budget: &mut CelBudget) -> EvalResult {
    let items = &list.items;
    budget.spend(items.len())?;
    match (name, rest) {
        ("size", []) => integer(items.len()),
        ("isSorted", []) => {
            for pair in items.windows(2) {
                if let [a, b] = pair
                    && compare(a, b, budget)?.is_gt()
                {
                    return Ok(CelValue::Bool(false));
                }
            }
            Ok(CelValue::Bool(true))
        }
        ("sum", []) => sum(items, budget),
        ("min", []) => extreme(items, Ordering::is_lt, budget),
        ("max", []) => extreme(items, Ordering::is_gt, budget),
        ("indexOf", [wanted]) => position(items.iter().enumerate(), wanted, budget),
        ("lastIndexOf", [wanted]) => position(items.iter().enumerate().rev(), wanted, budget),
        ("join", []) => join(items, "", budget),
        ("join", [CelValue::Text(separator)]) => join(items, separator, budget),
        _ => Err(EvalStop::Unknown),
    }
}

fn sum(items: &[CelValue], budget: &mut CelBudget) -> EvalResult {
    // The sum of an empty list depends on the type of its items, which is unknown.
    let (first, rest) = items.split_first().ok_or(EvalStop::Unknown)?;
    if matches!(first, CelValue::Text(_) | CelValue::Bytes(_) | CelValue::List(_)) {
        return Err(EvalStop::Unknown);
    }
    rest.iter().try_fold(first.clone(), |sum, item| add(&sum, item, budget))
}

fn extreme(items: &[CelValue], is_better: fn(Ordering) -> bool, budget: &mut CelBudget) -> EvalResult {
    let (first, rest) = items.split_first().ok_or(EvalStop::Fault(EvalError::IndexOutOfBounds))?;
    let best = rest
        .iter()
        .try_fold(first, |best, item| Ok(if is_better(compare(item, best, budget)?) { item } else { best }));
    best.cloned()
}

fn position<'a>(
    mut items: impl Iterator<Item = (usize, &'a CelValue)>,
    wanted: &CelValue,
    budget: &mut CelBudget,
) -> EvalResult {
    let found = items.find_map(|(index, item)| match equal(item, wanted, budget) {
        Ok(true) => Some(Ok(index)),
        Ok(false) => None,
        Err(stop) => Some(Err(stop)),
    });
    found.map_or(Ok(CelValue::Int(-1)), |index| integer(index?))
}

fn join(items: &[CelValue], separator: &str, budget: &mut CelBudget) -> EvalResult {
    let texts: Option<Vec<&str>> = items
        .iter()
        .map(|item| match item {
            CelValue::Text(text) => Some(&**text),
            _ => None,
        })
        .collect();
    join_texts(texts.ok_or(EvalStop::Unknown)?.into_iter(), separator, budget).map(CelValue::Text)
}

/// Calls a function of the namespace `sets`.
pub(super) fn sets(name: &str, left: &CelValue, right: &CelValue, budget: &mut CelBudget) -> EvalResult {
    let (CelValue::List(a), CelValue::List(b)) = (left, right) else { return Err(EvalStop::Unknown) };
    let mut holds_all = |holder: &CelValue, items: &CelList| -> Result<bool, EvalStop> {
        for item in &items.items {
            if !contains(holder, item, budget)? {
                return Ok(false);
            }
        }
        Ok(true)
    };
    Ok(CelValue::Bool(match name {
        "contains" => holds_all(left, b)?,
        "equivalent" => holds_all(left, b)? && holds_all(right, a)?,
        "intersects" => {
            for item in &b.items {
                if contains(left, item, budget)? {
                    return Ok(CelValue::Bool(true));
                }
            }
            false
        }
        _ => return Err(EvalStop::Unknown),
    }))
}
