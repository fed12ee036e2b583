//! Conversions between types.

use super::super::budget::{Fault, Stop};
use super::super::eval::Outcome;
use super::super::value::Value;
use super::time::{parse_duration, parse_timestamp};

const CONVERSION: Stop = Stop::Fault(Fault::Conversion);

/// Converts a value to the type of this name.
pub(super) fn convert(name: &str, value: &Value) -> Outcome {
    match (name, value) {
        ("dyn", value) => value.clone().visible(),
        ("type", value) => value.type_name().map(Value::Type).ok_or(Stop::Unknown),
        ("int", value) => int(value),
        ("uint", value) => uint(value),
        ("double", value) => double(value),
        ("string", value) => string(value),
        ("bool", Value::Bool(flag)) => Ok(Value::Bool(*flag)),
        ("bytes", Value::Text(text)) => Ok(Value::Bytes(text.as_bytes().into())),
        ("bytes", Value::Bytes(_))
        | ("duration", Value::Duration(_))
        | ("timestamp", Value::Timestamp(_)) => Ok(value.clone()),
        ("duration", Value::Text(text)) => parse_duration(text).map(Value::Duration),
        ("timestamp", Value::Text(text)) => parse_timestamp(text).map(Value::Timestamp).ok_or(Stop::Unknown),
        _ => Err(Stop::Unknown),
    }
}

#[expect(clippy::cast_possible_truncation, reason = "the range is checked before")]
fn int(value: &Value) -> Outcome {
    // Beyond 2^53, floats do not represent every integer, and the API server refuses the ends of the range.
    const LIMIT: f64 = 9_000_000_000_000_000_000.0;
    match value {
        Value::Int(_) => Ok(value.clone()),
        Value::Uint(number) => {
            i64::try_from(*number).map(Value::Int).map_err(|_| Stop::Fault(Fault::Overflow))
        }
        Value::Double(number) if number.abs() < LIMIT => Ok(Value::Int(*number as i64)),
        Value::Text(text) => text.parse().map(Value::Int).map_err(|_| CONVERSION),
        _ => Err(Stop::Unknown),
    }
}

fn uint(value: &Value) -> Outcome {
    match value {
        Value::Uint(_) => Ok(value.clone()),
        Value::Int(number) => {
            u64::try_from(*number).map(Value::Uint).map_err(|_| Stop::Fault(Fault::Overflow))
        }
        Value::Text(text) if !text.starts_with('+') => text.parse().map(Value::Uint).map_err(|_| CONVERSION),
        _ => Err(Stop::Unknown),
    }
}

#[expect(clippy::cast_precision_loss, reason = "the conversion rounds")]
fn double(value: &Value) -> Outcome {
    match value {
        Value::Double(_) => Ok(value.clone()),
        Value::Int(number) => Ok(Value::Double(*number as f64)),
        Value::Uint(number) => Ok(Value::Double(*number as f64)),
        // Go also parses hexadecimal digits, underscores and infinity.
        Value::Text(text)
            if !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit() || byte == b'.') =>
        {
            text.parse().map(Value::Double).map_err(|_| CONVERSION)
        }
        Value::Text(text) if text.is_empty() => Err(CONVERSION),
        _ => Err(Stop::Unknown),
    }
}

fn string(value: &Value) -> Outcome {
    Ok(match value {
        Value::Text(_) => value.clone(),
        Value::Bool(flag) => Value::text(flag.to_string()),
        Value::Int(number) => Value::text(number.to_string()),
        Value::Uint(number) => Value::text(number.to_string()),
        Value::Bytes(bytes) => Value::text(std::str::from_utf8(bytes).map_err(|_| CONVERSION)?),
        Value::Ip(address) => Value::text(address.to_string()),
        Value::Cidr(address, length) => Value::text(format!("{address}/{length}")),
        _ => return Err(Stop::Unknown),
    })
}
