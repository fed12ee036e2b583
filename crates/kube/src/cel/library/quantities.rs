//! Quantities, such as `500m` and `2Gi`.

use super::super::budget::{EvalError, EvalStop};
use super::super::value::{CelValue, EvalResult};
use crate::Quantity;

/// Maximum length of a quantity that is exact; longer texts are not evaluated.
const MAX_TEXT: usize = 12;

/// Implements `quantity` and `isQuantity`.
pub(crate) fn parse(name: &str, text: &CelValue) -> EvalResult {
    let CelValue::Text(text) = text else { return Err(EvalStop::Unknown) };
    if text.contains(char::is_whitespace) {
        return Err(EvalStop::Unknown);
    }
    let parsed = Quantity::parse(text);
    match (name, parsed) {
        ("isQuantity", parsed) => Ok(CelValue::Bool(parsed.is_some())),
        (_, Some(quantity)) if text.len() <= MAX_TEXT => Ok(CelValue::Quantity(quantity)),
        (_, Some(_)) => Err(EvalStop::Unknown),
        (_, None) => Err(EvalStop::Fault(EvalError::Conversion)),
    }
}

/// Calls a function of a quantity.
pub(crate) fn member(name: &str, quantity: Quantity, rest: &[CelValue]) -> EvalResult {
    Ok(match (name, rest) {
        ("sign", []) => CelValue::Int(i64::from(quantity.is_positive()) - i64::from(quantity.is_negative())),
        ("isGreaterThan", [CelValue::Quantity(other)]) => CelValue::Bool(quantity > *other),
        ("isLessThan", [CelValue::Quantity(other)]) => CelValue::Bool(quantity < *other),
        ("compareTo", [CelValue::Quantity(other)]) => CelValue::Int(quantity.cmp(other) as i64),
        ("isInteger", []) => CelValue::Bool(quantity.to_integer().is_some()),
        ("asInteger", []) => {
            CelValue::Int(quantity.to_integer().ok_or(EvalStop::Fault(EvalError::Conversion))?)
        }
        ("add", [CelValue::Quantity(other)]) => {
            CelValue::Quantity(quantity.checked_add(*other).ok_or(EvalStop::Unknown)?)
        }
        ("sub", [CelValue::Quantity(other)]) => {
            CelValue::Quantity(quantity.checked_sub(*other).ok_or(EvalStop::Unknown)?)
        }
        _ => return Err(EvalStop::Unknown),
    })
}
