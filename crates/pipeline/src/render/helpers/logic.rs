//! Helpers that choose, compare and count.

#![expect(clippy::unnecessary_wraps, reason = "all helpers have the same signature")]

use std::cmp::Ordering;

use serde_json::Value as Json;

use super::call::{HelperCall, is_empty};
use crate::render::fault::RenderFault;
use crate::render::spelling;

type HelperResult = Result<Json, RenderFault>;
type PickResult<'a> = Result<&'a Json, RenderFault>;

/// Implements `default fallback value`: the value, or the fallback if the value is undefined or empty.
pub(super) fn default<'a>(call: &HelperCall<'a>) -> PickResult<'a> {
    let value = call.value(1);
    Ok(if is_empty(value) { call.value(0) } else { value })
}

/// Implements `coalesce a b …`: the first value that is not empty, or null.
pub(super) fn coalesce<'a>(call: &HelperCall<'a>) -> PickResult<'a> {
    Ok(call.values().iter().find(|value| !is_empty(value)).copied().unwrap_or(&Json::Null))
}

/// Implements `empty value`.
pub(super) fn empty(call: &HelperCall<'_>) -> HelperResult {
    Ok(is_empty(call.value(0)).into())
}

/// Implements `required message value`: the value, or the author's error if it is undefined, null or an empty text.
pub(super) fn required<'a>(call: &HelperCall<'a>) -> PickResult<'a> {
    match call.read(1) {
        Json::Null => Err(RenderFault::Fail(call.text(0)?)),
        Json::String(text) if text.is_empty() => Err(RenderFault::Fail(call.text(0)?)),
        _ => Ok(call.value(1)),
    }
}

/// Implements `fail message`.
pub(super) fn fail(call: &HelperCall<'_>) -> HelperResult {
    Err(RenderFault::Fail(call.text(0)?))
}

/// Implements `ternary yes no condition`.
pub(super) fn ternary<'a>(call: &HelperCall<'a>) -> PickResult<'a> {
    Ok(call.value(usize::from(is_empty(call.value(2)))))
}

/// Implements `and a b …`: the first empty value, or the last value.
pub(super) fn and<'a>(call: &HelperCall<'a>) -> PickResult<'a> {
    let last = call.values().last();
    Ok(call.values().iter().find(|value| is_empty(value)).or(last).copied().unwrap_or(&Json::Null))
}

/// Implements `or a b …`: the first value that is not empty, or the last value.
pub(super) fn or<'a>(call: &HelperCall<'a>) -> PickResult<'a> {
    let last = call.values().last();
    Ok(call.values().iter().find(|value| !is_empty(value)).or(last).copied().unwrap_or(&Json::Null))
}

/// Implements `not value`.
pub(super) fn not(call: &HelperCall<'_>) -> HelperResult {
    Ok(is_empty(call.value(0)).into())
}

/// Implements `eq a b …`: reports whether the first value equals any of the others.
pub(super) fn eq(call: &HelperCall<'_>) -> HelperResult {
    let first = call.value(0);
    Ok(call.values().iter().skip(1).any(|other| is_equal(first, other)).into())
}

/// Implements `ne a b`.
pub(super) fn ne(call: &HelperCall<'_>) -> HelperResult {
    Ok((!is_equal(call.value(0), call.value(1))).into())
}

/// Implements `lt a b`.
pub(super) fn lt(call: &HelperCall<'_>) -> HelperResult {
    Ok((compare(call)? == Ordering::Less).into())
}

/// Implements `le a b`.
pub(super) fn le(call: &HelperCall<'_>) -> HelperResult {
    Ok((compare(call)? != Ordering::Greater).into())
}

/// Implements `gt a b`.
pub(super) fn gt(call: &HelperCall<'_>) -> HelperResult {
    Ok((compare(call)? == Ordering::Greater).into())
}

/// Implements `ge a b`.
pub(super) fn ge(call: &HelperCall<'_>) -> HelperResult {
    Ok((compare(call)? != Ordering::Less).into())
}

/// Implements `add a b …` for integers.
pub(super) fn add(call: &HelperCall<'_>) -> HelperResult {
    fold(call, 0, i64::checked_add)
}

/// Implements `mul a b …` for integers.
pub(super) fn mul(call: &HelperCall<'_>) -> HelperResult {
    fold(call, 1, i64::checked_mul)
}

/// Implements `sub a b` for integers.
pub(super) fn sub(call: &HelperCall<'_>) -> HelperResult {
    integer_result(call, call.integer(0)?.checked_sub(call.integer(1)?))
}

/// Implements `div a b` for integers.
pub(super) fn div(call: &HelperCall<'_>) -> HelperResult {
    integer_result(call, call.integer(0)?.checked_div(call.integer(1)?))
}

/// Implements `mod a b` for integers.
pub(super) fn modulo(call: &HelperCall<'_>) -> HelperResult {
    integer_result(call, call.integer(0)?.checked_rem(call.integer(1)?))
}

/// Implements `int value`: drops the fraction of numbers, and parses texts as integers.
pub(super) fn int(call: &HelperCall<'_>) -> HelperResult {
    match call.read(0).as_f64().filter(|_| !call.read(0).is_i64()) {
        #[expect(clippy::cast_possible_truncation, reason = "saturation is intended")]
        Some(float) => Ok((float as i64).into()),
        None => Ok(call.integer(0)?.into()),
    }
}

fn fold(call: &HelperCall<'_>, start: i64, step: fn(i64, i64) -> Option<i64>) -> HelperResult {
    let mut total = Some(start);
    for index in 0..call.values().len() {
        let next = call.integer(index)?;
        total = total.and_then(|total| step(total, next));
    }
    integer_result(call, total)
}

fn integer_result(call: &HelperCall<'_>, result: Option<i64>) -> HelperResult {
    result.map(Json::from).ok_or_else(|| {
        call.argument_fault(call.values().len().saturating_sub(1), "the result is not an integer")
    })
}

/// Compares the values that YAML reads, regardless of their spelling.
fn is_equal(a: &Json, b: &Json) -> bool {
    match (spelling::read_value(a), spelling::read_value(b)) {
        (Json::Array(x), Json::Array(y)) => {
            x.len() == y.len() && x.iter().zip(y).all(|(x, y)| is_equal(x, y))
        }
        (Json::Number(x), Json::Number(y)) => x == y || x.as_f64() == y.as_f64(),
        (Json::Object(x), Json::Object(y)) => {
            let in_y =
                |(key, value): (&String, &Json)| y.get(key).is_some_and(|other| is_equal(value, other));
            x.len() == y.len() && x.iter().all(in_y)
        }
        (x, y) => x == y,
    }
}

fn compare(call: &HelperCall<'_>) -> Result<Ordering, RenderFault> {
    let (a, b) = (call.read(0), call.read(1));
    let order = match (a, b) {
        (Json::Number(x), Json::Number(y)) => match (x.as_i64(), y.as_i64()) {
            (Some(x), Some(y)) => Some(x.cmp(&y)),
            _ => x.as_f64().zip(y.as_f64()).and_then(|(x, y)| x.partial_cmp(&y)),
        },
        (Json::String(x), Json::String(y)) => Some(x.cmp(y)),
        _ => None,
    };
    order.ok_or_else(|| call.argument_fault(1, "only two numbers or two texts can be compared"))
}
