//! Unary and binary operators, except `&&` and `||`.

use std::cmp::Ordering;
use std::sync::Arc;

use super::ast::BinaryOperator;
use super::budget::{CelBudget, EvalError, EvalStop};
use super::value::{CelValue, EvalResult, compare, contains, equal};

/// Applies a binary operator.
pub(super) fn binary(
    operator: BinaryOperator,
    left: &CelValue,
    right: &CelValue,
    budget: &mut CelBudget,
) -> EvalResult {
    use BinaryOperator as Op;
    let compare_with = |wanted: fn(Ordering) -> bool, budget: &mut CelBudget| {
        compare(left, right, budget).map(|order| CelValue::Bool(wanted(order)))
    };
    match operator {
        Op::Equal => equal(left, right, budget).map(CelValue::Bool),
        Op::NotEqual => equal(left, right, budget).map(|same| CelValue::Bool(!same)),
        Op::In => contains(right, left, budget).map(CelValue::Bool),
        Op::Less => compare_with(Ordering::is_lt, budget),
        Op::LessOrEqual => compare_with(Ordering::is_le, budget),
        Op::Greater => compare_with(Ordering::is_gt, budget),
        Op::GreaterOrEqual => compare_with(Ordering::is_ge, budget),
        Op::Add => add(left, right, budget),
        Op::Subtract => subtract(left, right),
        Op::Multiply | Op::Divide | Op::Remainder => scale(operator, left, right),
    }
}

/// Negates a number.
pub(super) fn negate(operand: &CelValue) -> EvalResult {
    match operand {
        CelValue::Double(number) => Ok(CelValue::Double(-number)),
        CelValue::Int(number) => checked(number.checked_neg(), CelValue::Int),
        _ => Err(EvalStop::Unknown),
    }
}

fn checked<T>(number: Option<T>, wrap: fn(T) -> CelValue) -> EvalResult {
    number.map(wrap).ok_or(EvalStop::Fault(EvalError::Overflow))
}

pub(super) fn add(left: &CelValue, right: &CelValue, budget: &mut CelBudget) -> EvalResult {
    match (left, right) {
        (CelValue::Int(a), CelValue::Int(b)) => checked(a.checked_add(*b), CelValue::Int),
        (CelValue::Uint(a), CelValue::Uint(b)) => checked(a.checked_add(*b), CelValue::Uint),
        (CelValue::Double(a), CelValue::Double(b)) => Ok(CelValue::Double(a + b)),
        (CelValue::Duration(a), CelValue::Duration(b)) => checked(a.checked_add(*b), CelValue::Duration),
        (CelValue::Text(a), CelValue::Text(b)) => {
            budget.spend_bytes(a.len() + b.len())?;
            Ok(CelValue::text([&**a, &**b].concat()))
        }
        (CelValue::Bytes(a), CelValue::Bytes(b)) => {
            budget.spend_bytes(a.len() + b.len())?;
            Ok(CelValue::Bytes([&**a, &**b].concat().into()))
        }
        // Sets and lists with keys are merged, which is not implemented.
        (CelValue::List(a), CelValue::List(b))
            if !a.is_unordered || a.items.is_empty() || b.items.is_empty() =>
        {
            budget.spend(a.items.len() + b.items.len())?;
            if a.is_unordered {
                return Err(EvalStop::Unknown);
            }
            Ok(CelValue::list(a.items.iter().chain(&b.items).cloned().collect()))
        }
        (CelValue::Timestamp(time), CelValue::Duration(span))
        | (CelValue::Duration(span), CelValue::Timestamp(time)) => {
            Ok(CelValue::Timestamp(time + i128::from(*span)))
        }
        _ => Err(EvalStop::Unknown),
    }
}

fn subtract(left: &CelValue, right: &CelValue) -> EvalResult {
    match (left, right) {
        (CelValue::Int(a), CelValue::Int(b)) => checked(a.checked_sub(*b), CelValue::Int),
        (CelValue::Uint(a), CelValue::Uint(b)) => checked(a.checked_sub(*b), CelValue::Uint),
        (CelValue::Double(a), CelValue::Double(b)) => Ok(CelValue::Double(a - b)),
        (CelValue::Duration(a), CelValue::Duration(b)) => checked(a.checked_sub(*b), CelValue::Duration),
        (CelValue::Timestamp(time), CelValue::Duration(span)) => {
            Ok(CelValue::Timestamp(time - i128::from(*span)))
        }
        (CelValue::Timestamp(a), CelValue::Timestamp(b)) => {
            checked(i64::try_from(a - b).ok(), CelValue::Duration)
        }
        _ => Err(EvalStop::Unknown),
    }
}

fn scale(operator: BinaryOperator, left: &CelValue, right: &CelValue) -> EvalResult {
    use BinaryOperator::{Divide, Multiply, Remainder};
    match (operator, left, right) {
        (Multiply, CelValue::Int(a), CelValue::Int(b)) => checked(a.checked_mul(*b), CelValue::Int),
        (Multiply, CelValue::Uint(a), CelValue::Uint(b)) => checked(a.checked_mul(*b), CelValue::Uint),
        (Multiply, CelValue::Double(a), CelValue::Double(b)) => Ok(CelValue::Double(a * b)),
        (Divide, CelValue::Double(a), CelValue::Double(b)) => Ok(CelValue::Double(a / b)),
        (Divide | Remainder, CelValue::Int(_), CelValue::Int(0))
        | (Divide | Remainder, CelValue::Uint(_), CelValue::Uint(0)) => {
            Err(EvalStop::Fault(EvalError::DivisionByZero))
        }
        (Divide, CelValue::Int(a), CelValue::Int(b)) => checked(a.checked_div(*b), CelValue::Int),
        (Divide, CelValue::Uint(a), CelValue::Uint(b)) => checked(a.checked_div(*b), CelValue::Uint),
        (Remainder, CelValue::Int(a), CelValue::Int(b)) => checked(a.checked_rem(*b), CelValue::Int),
        (Remainder, CelValue::Uint(a), CelValue::Uint(b)) => checked(a.checked_rem(*b), CelValue::Uint),
        _ => Err(EvalStop::Unknown),
    }
}

/// Joins texts and charges for them.
pub(super) fn join_texts<'a>(
    parts: impl Iterator<Item = &'a str>,
    separator: &str,
    budget: &mut CelBudget,
) -> Result<Arc<str>, EvalStop> {
    let mut text = String::new();
    for (index, part) in parts.enumerate() {
        budget.spend_bytes(part.len() + separator.len())?;
        if index > 0 {
            text.push_str(separator);
        }
        text.push_str(part);
    }
    Ok(text.into())
}
