//! Helpers that choose, compare and count.

#![expect(clippy::unnecessary_wraps, reason = "all helpers have one signature, whether they can fail or not")]

use std::cmp::Ordering;

use serde_json::Value as Json;

use super::{Call, is_empty};
use crate::render::errors::TemplateFault;
use crate::render::written;

type Answer = Result<Json, TemplateFault>;
type Pick<'a> = Result<&'a Json, TemplateFault>;

/// `default fallback value`: the value, or the fallback where the value is undefined or empty.
pub(super) fn default<'a>(call: &Call<'a>) -> Pick<'a> {
    let value = call.value(1);
    Ok(if is_empty(value) { call.value(0) } else { value })
}

/// `coalesce a b …`: the first that is not empty, else null.
pub(super) fn coalesce<'a>(call: &Call<'a>) -> Pick<'a> {
    Ok(call.values().iter().find(|value| !is_empty(value)).copied().unwrap_or(&Json::Null))
}

/// `empty value`
pub(super) fn empty(call: &Call<'_>) -> Answer {
    Ok(is_empty(call.value(0)).into())
}

/// `required message value`: the value; the author's message where it is undefined, null or an empty text.
pub(super) fn required<'a>(call: &Call<'a>) -> Pick<'a> {
    match call.read(1) {
        Json::Null => Err(TemplateFault::Fail(call.text(0)?)),
        Json::String(text) if text.is_empty() => Err(TemplateFault::Fail(call.text(0)?)),
        _ => Ok(call.value(1)),
    }
}

/// `fail message`
pub(super) fn fail(call: &Call<'_>) -> Answer {
    Err(TemplateFault::Fail(call.text(0)?))
}

/// `ternary yes no condition`
pub(super) fn ternary<'a>(call: &Call<'a>) -> Pick<'a> {
    Ok(call.value(usize::from(is_empty(call.value(2)))))
}

/// `and a b …`: the first that is empty, else the last.
pub(super) fn and<'a>(call: &Call<'a>) -> Pick<'a> {
    let last = call.values().last();
    Ok(call.values().iter().find(|value| is_empty(value)).or(last).copied().unwrap_or(&Json::Null))
}

/// `or a b …`: the first that is not empty, else the last.
pub(super) fn or<'a>(call: &Call<'a>) -> Pick<'a> {
    let last = call.values().last();
    Ok(call.values().iter().find(|value| !is_empty(value)).or(last).copied().unwrap_or(&Json::Null))
}

/// `not value`
pub(super) fn not(call: &Call<'_>) -> Answer {
    Ok(is_empty(call.value(0)).into())
}

/// `eq a b …`: whether the first equals one of the others.
pub(super) fn eq(call: &Call<'_>) -> Answer {
    let first = call.value(0);
    Ok(call.values().iter().skip(1).any(|other| same(first, other)).into())
}

/// `ne a b`
pub(super) fn ne(call: &Call<'_>) -> Answer {
    Ok((!same(call.value(0), call.value(1))).into())
}

/// `lt a b`
pub(super) fn lt(call: &Call<'_>) -> Answer {
    Ok((compare(call)? == Ordering::Less).into())
}

/// `le a b`
pub(super) fn le(call: &Call<'_>) -> Answer {
    Ok((compare(call)? != Ordering::Greater).into())
}

/// `gt a b`
pub(super) fn gt(call: &Call<'_>) -> Answer {
    Ok((compare(call)? == Ordering::Greater).into())
}

/// `ge a b`
pub(super) fn ge(call: &Call<'_>) -> Answer {
    Ok((compare(call)? != Ordering::Less).into())
}

/// `add a b …`, of integers.
pub(super) fn add(call: &Call<'_>) -> Answer {
    fold(call, 0, i64::checked_add)
}

/// `mul a b …`, of integers.
pub(super) fn mul(call: &Call<'_>) -> Answer {
    fold(call, 1, i64::checked_mul)
}

/// `sub a b`, of integers.
pub(super) fn sub(call: &Call<'_>) -> Answer {
    checked(call, call.integer(0)?.checked_sub(call.integer(1)?))
}

/// `div a b`, of integers.
pub(super) fn div(call: &Call<'_>) -> Answer {
    checked(call, call.integer(0)?.checked_div(call.integer(1)?))
}

/// `mod a b`, of integers.
pub(super) fn modulo(call: &Call<'_>) -> Answer {
    checked(call, call.integer(0)?.checked_rem(call.integer(1)?))
}

/// `int value`: numbers lose their fraction, texts must be integers.
pub(super) fn int(call: &Call<'_>) -> Answer {
    match call.read(0).as_f64().filter(|_| !call.read(0).is_i64()) {
        #[expect(
            clippy::cast_possible_truncation,
            reason = "a cast of a float is saturating, which is what is wanted"
        )]
        Some(float) => Ok((float as i64).into()),
        None => Ok(call.integer(0)?.into()),
    }
}

fn fold(call: &Call<'_>, start: i64, step: fn(i64, i64) -> Option<i64>) -> Answer {
    let mut total = Some(start);
    for index in 0..call.values().len() {
        let next = call.integer(index)?;
        total = total.and_then(|total| step(total, next));
    }
    checked(call, total)
}

fn checked(call: &Call<'_>, result: Option<i64>) -> Answer {
    result
        .map(Json::from)
        .ok_or_else(|| call.wrong(call.values().len().saturating_sub(1), "the result is no integer"))
}

/// Compares what YAML reads, whatever the texts are.
fn same(a: &Json, b: &Json) -> bool {
    match (written::read(a), written::read(b)) {
        (Json::Array(x), Json::Array(y)) => x.len() == y.len() && x.iter().zip(y).all(|(x, y)| same(x, y)),
        (Json::Number(x), Json::Number(y)) => x == y || x.as_f64() == y.as_f64(),
        (Json::Object(x), Json::Object(y)) => {
            let in_y = |(key, value): (&String, &Json)| y.get(key).is_some_and(|other| same(value, other));
            x.len() == y.len() && x.iter().all(in_y)
        }
        (x, y) => x == y,
    }
}

fn compare(call: &Call<'_>) -> Result<Ordering, TemplateFault> {
    let (a, b) = (call.read(0), call.read(1));
    let order = match (a, b) {
        (Json::Number(x), Json::Number(y)) => match (x.as_i64(), y.as_i64()) {
            (Some(x), Some(y)) => Some(x.cmp(&y)),
            _ => x.as_f64().zip(y.as_f64()).and_then(|(x, y)| x.partial_cmp(&y)),
        },
        (Json::String(x), Json::String(y)) => Some(x.cmp(y)),
        _ => None,
    };
    order.ok_or_else(|| call.wrong(1, "two numbers or two texts can be compared"))
}
