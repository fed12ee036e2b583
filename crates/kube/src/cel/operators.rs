//! Unary and binary operators, except `&&` and `||`.

use std::cmp::Ordering;
use std::sync::Arc;

use super::ast::BinaryOperator;
use super::budget::{Budget, Fault, Stop};
use super::eval::{Outcome, contains};
use super::value::{Value, compare, equal};

/// Applies a binary operator.
pub(super) fn binary(operator: BinaryOperator, left: &Value, right: &Value, budget: &mut Budget) -> Outcome {
    use BinaryOperator as Op;
    let compare_with = |wanted: fn(Ordering) -> bool, budget: &mut Budget| {
        compare(left, right, budget).map(|order| Value::Bool(wanted(order)))
    };
    match operator {
        Op::Equal => equal(left, right, budget).map(Value::Bool),
        Op::NotEqual => equal(left, right, budget).map(|same| Value::Bool(!same)),
        Op::In => contains(right, left, budget).map(Value::Bool),
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
pub(super) fn negate(operand: &Value) -> Outcome {
    match operand {
        Value::Double(number) => Ok(Value::Double(-number)),
        Value::Int(number) => checked(number.checked_neg(), Value::Int),
        _ => Err(Stop::Unknown),
    }
}

fn checked<T>(number: Option<T>, wrap: fn(T) -> Value) -> Outcome {
    number.map(wrap).ok_or(Stop::Fault(Fault::Overflow))
}

pub(super) fn add(left: &Value, right: &Value, budget: &mut Budget) -> Outcome {
    match (left, right) {
        (Value::Int(a), Value::Int(b)) => checked(a.checked_add(*b), Value::Int),
        (Value::Uint(a), Value::Uint(b)) => checked(a.checked_add(*b), Value::Uint),
        (Value::Double(a), Value::Double(b)) => Ok(Value::Double(a + b)),
        (Value::Duration(a), Value::Duration(b)) => checked(a.checked_add(*b), Value::Duration),
        (Value::Text(a), Value::Text(b)) => {
            budget.spend_bytes(a.len() + b.len())?;
            Ok(Value::text([&**a, &**b].concat()))
        }
        (Value::Bytes(a), Value::Bytes(b)) => {
            budget.spend_bytes(a.len() + b.len())?;
            Ok(Value::Bytes([&**a, &**b].concat().into()))
        }
        // Sets and lists with keys are merged, which is not implemented.
        (Value::List(a), Value::List(b)) if !a.is_unordered || a.items.is_empty() || b.items.is_empty() => {
            budget.spend(a.items.len() + b.items.len())?;
            if a.is_unordered {
                return Err(Stop::Unknown);
            }
            Ok(Value::list(a.items.iter().chain(&b.items).cloned().collect()))
        }
        (Value::Timestamp(time), Value::Duration(span)) | (Value::Duration(span), Value::Timestamp(time)) => {
            Ok(Value::Timestamp(time + i128::from(*span)))
        }
        _ => Err(Stop::Unknown),
    }
}

fn subtract(left: &Value, right: &Value) -> Outcome {
    match (left, right) {
        (Value::Int(a), Value::Int(b)) => checked(a.checked_sub(*b), Value::Int),
        (Value::Uint(a), Value::Uint(b)) => checked(a.checked_sub(*b), Value::Uint),
        (Value::Double(a), Value::Double(b)) => Ok(Value::Double(a - b)),
        (Value::Duration(a), Value::Duration(b)) => checked(a.checked_sub(*b), Value::Duration),
        (Value::Timestamp(time), Value::Duration(span)) => Ok(Value::Timestamp(time - i128::from(*span))),
        (Value::Timestamp(a), Value::Timestamp(b)) => checked(i64::try_from(a - b).ok(), Value::Duration),
        _ => Err(Stop::Unknown),
    }
}

fn scale(operator: BinaryOperator, left: &Value, right: &Value) -> Outcome {
    use BinaryOperator::{Divide, Multiply, Remainder};
    match (operator, left, right) {
        (Multiply, Value::Int(a), Value::Int(b)) => checked(a.checked_mul(*b), Value::Int),
        (Multiply, Value::Uint(a), Value::Uint(b)) => checked(a.checked_mul(*b), Value::Uint),
        (Multiply, Value::Double(a), Value::Double(b)) => Ok(Value::Double(a * b)),
        (Divide, Value::Double(a), Value::Double(b)) => Ok(Value::Double(a / b)),
        (Divide | Remainder, Value::Int(_), Value::Int(0))
        | (Divide | Remainder, Value::Uint(_), Value::Uint(0)) => Err(Stop::Fault(Fault::DivisionByZero)),
        (Divide, Value::Int(a), Value::Int(b)) => checked(a.checked_div(*b), Value::Int),
        (Divide, Value::Uint(a), Value::Uint(b)) => checked(a.checked_div(*b), Value::Uint),
        (Remainder, Value::Int(a), Value::Int(b)) => checked(a.checked_rem(*b), Value::Int),
        (Remainder, Value::Uint(a), Value::Uint(b)) => checked(a.checked_rem(*b), Value::Uint),
        _ => Err(Stop::Unknown),
    }
}

/// Joins texts and charges for them.
pub(super) fn joined<'a>(
    parts: impl Iterator<Item = &'a str>,
    separator: &str,
    budget: &mut Budget,
) -> Result<Arc<str>, Stop> {
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
