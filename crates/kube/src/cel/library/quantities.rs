//! Quantities, such as `500m` and `2Gi`.

use super::super::budget::{Fault, Stop};
use super::super::eval::Outcome;
use super::super::value::Value;
use crate::Quantity;

/// Maximum length of a quantity that is exact; longer texts are not evaluated.
const MAX_TEXT: usize = 12;

/// Implements `quantity` and `isQuantity`.
pub fn parse(name: &str, text: &Value) -> Outcome {
    let Value::Text(text) = text else { return Err(Stop::Unknown) };
    if text.contains(char::is_whitespace) {
        return Err(Stop::Unknown);
    }
    let parsed = Quantity::parse(text);
    match (name, parsed) {
        ("isQuantity", parsed) => Ok(Value::Bool(parsed.is_some())),
        (_, Some(quantity)) if text.len() <= MAX_TEXT => Ok(Value::Quantity(quantity)),
        (_, Some(_)) => Err(Stop::Unknown),
        (_, None) => Err(Stop::Fault(Fault::Conversion)),
    }
}

/// Calls a function of a quantity.
pub fn member(name: &str, quantity: Quantity, rest: &[Value]) -> Outcome {
    Ok(match (name, rest) {
        ("sign", []) => Value::Int(i64::from(quantity.is_positive()) - i64::from(quantity.is_negative())),
        ("isGreaterThan", [Value::Quantity(other)]) => Value::Bool(quantity > *other),
        ("isLessThan", [Value::Quantity(other)]) => Value::Bool(quantity < *other),
        ("compareTo", [Value::Quantity(other)]) => Value::Int(quantity.cmp(other) as i64),
        ("isInteger", []) => Value::Bool(quantity.whole().is_some()),
        ("asInteger", []) => Value::Int(quantity.whole().ok_or(Stop::Fault(Fault::Conversion))?),
        ("add", [Value::Quantity(other)]) => Value::Quantity(quantity.plus(*other).ok_or(Stop::Unknown)?),
        ("sub", [Value::Quantity(other)]) => Value::Quantity(quantity.minus(*other).ok_or(Stop::Unknown)?),
        _ => return Err(Stop::Unknown),
    })
}
