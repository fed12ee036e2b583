//! Functions of strings. Positions are in characters.

use std::sync::Arc;

use super::super::budget::{CelBudget, EvalError, EvalStop};
use super::super::operators::join_texts;
use super::super::value::{CelValue, EvalResult};
use super::integer;

/// Calls a function of a string.
pub(crate) fn member(name: &str, text: &Arc<str>, rest: &[CelValue], budget: &mut CelBudget) -> EvalResult {
    budget.spend_bytes(text.len())?;
    match (name, rest) {
        ("size", []) => integer(text.chars().count()),
        ("contains", [CelValue::Text(part)]) => Ok(CelValue::Bool(text.contains(&**part))),
        ("startsWith", [CelValue::Text(part)]) => Ok(CelValue::Bool(text.starts_with(&**part))),
        ("endsWith", [CelValue::Text(part)]) => Ok(CelValue::Bool(text.ends_with(&**part))),
        ("matches", [pattern]) => matches(&CelValue::Text(text.clone()), pattern, budget),
        ("find", [CelValue::Text(pattern)]) => {
            let found = budget.pattern(pattern, text)?.find(text).unwrap_or("").to_owned();
            Ok(CelValue::text(found))
        }
        ("lowerAscii", []) => Ok(CelValue::text(text.to_ascii_lowercase())),
        ("upperAscii", []) => Ok(CelValue::text(text.to_ascii_uppercase())),
        ("trim", []) => Ok(CelValue::text(text.trim())),
        ("reverse", []) => Ok(CelValue::text(text.chars().rev().collect::<String>())),
        ("charAt", [CelValue::Int(at)]) => {
            let at = position(*at)?;
            let start = byte_at(text, at)?;
            let c = text.get(start..).and_then(|rest| rest.chars().next());
            Ok(CelValue::text(c.map(String::from).unwrap_or_default()))
        }
        ("substring", [CelValue::Int(from)]) => cut(text, *from, None),
        ("substring", [CelValue::Int(from), CelValue::Int(to)]) => cut(text, *from, Some(*to)),
        ("indexOf", [CelValue::Text(part)]) => index(text, text.find(&**part)),
        ("lastIndexOf", [CelValue::Text(part)]) => index(text, text.rfind(&**part)),
        ("indexOf", [CelValue::Text(part), CelValue::Int(from)]) => {
            // Beyond the end, versions of the API server differ.
            let from = position(*from).and_then(|from| byte_at(text, from)).map_err(|_| EvalStop::Unknown)?;
            let found = text.get(from..).and_then(|rest| rest.find(&**part));
            index(text, found.map(|found| found + from))
        }
        ("split", [CelValue::Text(separator)]) => split(text, separator, usize::MAX, budget),
        ("split", [CelValue::Text(separator), CelValue::Int(most)]) => {
            split(text, separator, usize::try_from(*most).unwrap_or(usize::MAX), budget)
        }
        ("replace", [CelValue::Text(from), CelValue::Text(to)]) if !from.is_empty() => {
            replace(text, from, to, usize::MAX, budget)
        }
        ("replace", [CelValue::Text(from), CelValue::Text(to), CelValue::Int(most)]) if !from.is_empty() => {
            replace(text, from, to, usize::try_from(*most).unwrap_or(usize::MAX), budget)
        }
        _ => Err(EvalStop::Unknown),
    }
}

/// Reports whether a pattern matches a part of a text.
pub(super) fn matches(text: &CelValue, pattern: &CelValue, budget: &mut CelBudget) -> EvalResult {
    match (text, pattern) {
        (CelValue::Text(text), CelValue::Text(pattern)) => {
            Ok(CelValue::Bool(budget.pattern(pattern, text)?.is_match(text)))
        }
        _ => Err(EvalStop::Unknown),
    }
}

/// Converts a position, which must not be negative.
fn position(at: i64) -> Result<usize, EvalStop> {
    usize::try_from(at).map_err(|_| EvalStop::Fault(EvalError::IndexOutOfBounds))
}

/// Returns the byte offset of a character; the end of the text is valid, too.
fn byte_at(text: &str, position: usize) -> Result<usize, EvalStop> {
    let mut starts = text.char_indices().map(|(start, _)| start).chain([text.len()]);
    starts.nth(position).ok_or(EvalStop::Fault(EvalError::IndexOutOfBounds))
}

fn cut(text: &str, from: i64, to: Option<i64>) -> EvalResult {
    let from = byte_at(text, position(from)?)?;
    let to = match to {
        Some(to) => byte_at(text, position(to)?)?,
        None => text.len(),
    };
    text.get(from..to).map(CelValue::text).ok_or(EvalStop::Fault(EvalError::IndexOutOfBounds))
}

fn index(text: &str, found: Option<usize>) -> EvalResult {
    match found {
        Some(at) => integer(text.get(..at).unwrap_or("").chars().count()),
        None => Ok(CelValue::Int(-1)),
    }
}

fn split(text: &str, separator: &str, most: usize, budget: &mut CelBudget) -> EvalResult {
    // For an empty separator, Go splits into characters, while Rust adds an empty part at each end.
    if separator.is_empty() || most == 0 {
        return Err(EvalStop::Unknown);
    }
    let mut parts = Vec::new();
    for part in text.splitn(most, separator) {
        budget.spend_bytes(part.len())?;
        budget.spend(1)?;
        parts.push(CelValue::text(part));
    }
    Ok(CelValue::list(parts))
}

fn replace(text: &str, from: &str, to: &str, most: usize, budget: &mut CelBudget) -> EvalResult {
    let parts = text.splitn(most.saturating_add(1), from);
    join_texts(parts, to, budget).map(CelValue::Text)
}
