//! Functions of lists, including those that treat lists as sets.

use std::cmp::Ordering;

use super::super::budget::{Budget, Fault, Stop};
use super::super::eval::{Outcome, contains};
use super::super::operators::{add, joined};
use super::super::value::{List, Value, compare, equal};
use super::integer;

/// Calls a function of a list.
pub fn member(name: &str, list: &List, rest: &[Value], budget: &mut Budget) -> Outcome {
    let items = &list.items;
    budget.spend(items.len())?;
    match (name, rest) {
        ("size", []) => integer(items.len()),
        ("isSorted", []) => {
            for pair in items.windows(2) {
                if let [a, b] = pair
                    && compare(a, b, budget)?.is_gt()
                {
                    return Ok(Value::Bool(false));
                }
            }
            Ok(Value::Bool(true))
        }
        ("sum", []) => sum(items, budget),
        ("min", []) => extreme(items, Ordering::is_lt, budget),
        ("max", []) => extreme(items, Ordering::is_gt, budget),
        ("indexOf", [wanted]) => position(items.iter().enumerate(), wanted, budget),
        ("lastIndexOf", [wanted]) => position(items.iter().enumerate().rev(), wanted, budget),
        ("join", []) => join(items, "", budget),
        ("join", [Value::Text(separator)]) => join(items, separator, budget),
        _ => Err(Stop::Unknown),
    }
}

fn sum(items: &[Value], budget: &mut Budget) -> Outcome {
    // The sum of an empty list depends on the type of its items, which is unknown.
    let (first, rest) = items.split_first().ok_or(Stop::Unknown)?;
    if matches!(first, Value::Text(_) | Value::Bytes(_) | Value::List(_)) {
        return Err(Stop::Unknown);
    }
    rest.iter().try_fold(first.clone(), |sum, item| add(&sum, item, budget))
}

fn extreme(items: &[Value], is_better: fn(Ordering) -> bool, budget: &mut Budget) -> Outcome {
    let (first, rest) = items.split_first().ok_or(Stop::Fault(Fault::IndexOutOfBounds))?;
    let best = rest
        .iter()
        .try_fold(first, |best, item| Ok(if is_better(compare(item, best, budget)?) { item } else { best }));
    best.cloned()
}

fn position<'a>(
    mut items: impl Iterator<Item = (usize, &'a Value)>,
    wanted: &Value,
    budget: &mut Budget,
) -> Outcome {
    let found = items.find_map(|(index, item)| match equal(item, wanted, budget) {
        Ok(true) => Some(Ok(index)),
        Ok(false) => None,
        Err(stop) => Some(Err(stop)),
    });
    found.map_or(Ok(Value::Int(-1)), |index| integer(index?))
}

fn join(items: &[Value], separator: &str, budget: &mut Budget) -> Outcome {
    let texts: Option<Vec<&str>> = items
        .iter()
        .map(|item| match item {
            Value::Text(text) => Some(&**text),
            _ => None,
        })
        .collect();
    joined(texts.ok_or(Stop::Unknown)?.into_iter(), separator, budget).map(Value::Text)
}

/// Calls a function of the namespace `sets`.
pub(super) fn sets(name: &str, left: &Value, right: &Value, budget: &mut Budget) -> Outcome {
    let (Value::List(a), Value::List(b)) = (left, right) else { return Err(Stop::Unknown) };
    let mut holds_all = |holder: &Value, items: &List| -> Result<bool, Stop> {
        for item in &items.items {
            if !contains(holder, item, budget)? {
                return Ok(false);
            }
        }
        Ok(true)
    };
    Ok(Value::Bool(match name {
        "contains" => holds_all(left, b)?,
        "equivalent" => holds_all(left, b)? && holds_all(right, a)?,
        "intersects" => {
            for item in &b.items {
                if contains(left, item, budget)? {
                    return Ok(Value::Bool(true));
                }
            }
            false
        }
        _ => return Err(Stop::Unknown),
    }))
}
