//! Functions of strings. Positions are in characters.

use std::sync::Arc;

use super::super::budget::{Budget, Fault, Stop};
use super::super::eval::Outcome;
use super::super::operators::joined;
use super::super::value::Value;
use super::integer;

/// Calls a function of a string.
pub fn member(name: &str, text: &Arc<str>, rest: &[Value], budget: &mut Budget) -> Outcome {
    budget.spend_bytes(text.len())?;
    match (name, rest) {
        ("size", []) => integer(text.chars().count()),
        ("contains", [Value::Text(part)]) => Ok(Value::Bool(text.contains(&**part))),
        ("startsWith", [Value::Text(part)]) => Ok(Value::Bool(text.starts_with(&**part))),
        ("endsWith", [Value::Text(part)]) => Ok(Value::Bool(text.ends_with(&**part))),
        ("matches", [pattern]) => matches(&Value::Text(text.clone()), pattern, budget),
        ("find", [Value::Text(pattern)]) => {
            let found = budget.pattern(pattern, text)?.find(text).unwrap_or("").to_owned();
            Ok(Value::text(found))
        }
        ("lowerAscii", []) => Ok(Value::text(text.to_ascii_lowercase())),
        ("upperAscii", []) => Ok(Value::text(text.to_ascii_uppercase())),
        ("trim", []) => Ok(Value::text(text.trim())),
        ("reverse", []) => Ok(Value::text(text.chars().rev().collect::<String>())),
        ("charAt", [Value::Int(at)]) => {
            let at = position(*at)?;
            let start = byte_at(text, at)?;
            let c = text.get(start..).and_then(|rest| rest.chars().next());
            Ok(Value::text(c.map(String::from).unwrap_or_default()))
        }
        ("substring", [Value::Int(from)]) => cut(text, *from, None),
        ("substring", [Value::Int(from), Value::Int(to)]) => cut(text, *from, Some(*to)),
        ("indexOf", [Value::Text(part)]) => index(text, text.find(&**part)),
        ("lastIndexOf", [Value::Text(part)]) => index(text, text.rfind(&**part)),
        ("indexOf", [Value::Text(part), Value::Int(from)]) => {
            // Beyond the end, versions of the API server differ.
            let from = position(*from).and_then(|from| byte_at(text, from)).map_err(|_| Stop::Unknown)?;
            let found = text.get(from..).and_then(|rest| rest.find(&**part));
            index(text, found.map(|found| found + from))
        }
        ("split", [Value::Text(separator)]) => split(text, separator, usize::MAX, budget),
        ("split", [Value::Text(separator), Value::Int(most)]) => {
            split(text, separator, usize::try_from(*most).unwrap_or(usize::MAX), budget)
        }
        ("replace", [Value::Text(from), Value::Text(to)]) if !from.is_empty() => {
            replace(text, from, to, usize::MAX, budget)
        }
        ("replace", [Value::Text(from), Value::Text(to), Value::Int(most)]) if !from.is_empty() => {
            replace(text, from, to, usize::try_from(*most).unwrap_or(usize::MAX), budget)
        }
        _ => Err(Stop::Unknown),
    }
}

/// Reports whether a pattern matches a part of a text.
pub(super) fn matches(text: &Value, pattern: &Value, budget: &mut Budget) -> Outcome {
    match (text, pattern) {
        (Value::Text(text), Value::Text(pattern)) => {
            Ok(Value::Bool(budget.pattern(pattern, text)?.is_match(text)))
        }
        _ => Err(Stop::Unknown),
    }
}

/// Converts a position, which must not be negative.
fn position(at: i64) -> Result<usize, Stop> {
    usize::try_from(at).map_err(|_| Stop::Fault(Fault::IndexOutOfBounds))
}

/// Returns the byte offset of a character; the end of the text is valid, too.
fn byte_at(text: &str, position: usize) -> Result<usize, Stop> {
    let mut starts = text.char_indices().map(|(start, _)| start).chain([text.len()]);
    starts.nth(position).ok_or(Stop::Fault(Fault::IndexOutOfBounds))
}

fn cut(text: &str, from: i64, to: Option<i64>) -> Outcome {
    let from = byte_at(text, position(from)?)?;
    let to = match to {
        Some(to) => byte_at(text, position(to)?)?,
        None => text.len(),
    };
    text.get(from..to).map(Value::text).ok_or(Stop::Fault(Fault::IndexOutOfBounds))
}

fn index(text: &str, found: Option<usize>) -> Outcome {
    match found {
        Some(at) => integer(text.get(..at).unwrap_or("").chars().count()),
        None => Ok(Value::Int(-1)),
    }
}

fn split(text: &str, separator: &str, most: usize, budget: &mut Budget) -> Outcome {
    // For an empty separator, Go splits into characters, while Rust adds an empty part at each end.
    if separator.is_empty() || most == 0 {
        return Err(Stop::Unknown);
    }
    let mut parts = Vec::new();
    for part in text.splitn(most, separator) {
        budget.spend_bytes(part.len())?;
        budget.spend(1)?;
        parts.push(Value::text(part));
    }
    Ok(Value::list(parts))
}

fn replace(text: &str, from: &str, to: &str, most: usize, budget: &mut Budget) -> Outcome {
    let parts = text.splitn(most.saturating_add(1), from);
    joined(parts, to, budget).map(Value::Text)
}
