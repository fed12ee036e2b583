//! Conversions between types.

use super::super::budget::{EvalError, EvalStop};
use super::super::value::{CelValue, EvalResult};
use super::time::{parse_duration, parse_timestamp};

const CONVERSION: EvalStop = EvalStop::Fault(EvalError::Conversion);

/// Converts a value to the type of this name.
pub(super) fn convert(name: &str, value: &CelValue) -> EvalResult {
    match (name, value) {
        ("dyn", value) => value.clone().visible(),
        ("type", value) => value.type_name().map(CelValue::Type).ok_or(EvalStop::Unknown),
        ("int", value) => int(value),
        ("uint", value) => uint(value),
        ("double", value) => double(value),
        ("string", value) => string(value),
        ("bool", CelValue::Bool(flag)) => Ok(CelValue::Bool(*flag)),
        ("bytes", CelValue::Text(text)) => Ok(CelValue::Bytes(text.as_bytes().into())),
        ("bytes", CelValue::Bytes(_))
        | ("duration", CelValue::Duration(_))
        | ("timestamp", CelValue::Timestamp(_)) => Ok(value.clone()),
        ("duration", CelValue::Text(text)) => parse_duration(text).map(CelValue::Duration),
        ("timestamp", CelValue::Text(text)) => {
            parse_timestamp(text).map(CelValue::Timestamp).ok_or(EvalStop::Unknown)
        }
        _ => Err(EvalStop::Unknown),
    }
}

#[expect(clippy::cast_possible_truncation, reason = "the range is checked before")]
fn int(value: &CelValue) -> EvalResult {
    // Beyond 2^53, floats do not represent every integer, and the API server refuses the ends of the range.
    const LIMIT: f64 = 9_000_000_000_000_000_000.0;
    match value {
        CelValue::Int(_) => Ok(value.clone()),
        CelValue::Uint(number) => {
            i64::try_from(*number).map(CelValue::Int).map_err(|_| EvalStop::Fault(EvalError::Overflow))
        }
        CelValue::Double(number) if number.abs() < LIMIT => Ok(CelValue::Int(*number as i64)),
        CelValue::Text(text) => text.parse().map(CelValue::Int).map_err(|_| CONVERSION),
        _ => Err(EvalStop::Unknown),
    }
}

fn uint(value: &CelValue) -> EvalResult {
    match value {
        CelValue::Uint(_) => Ok(value.clone()),
        CelValue::Int(number) => {
            u64::try_from(*number).map(CelValue::Uint).map_err(|_| EvalStop::Fault(EvalError::Overflow))
        }
        CelValue::Text(text) if !text.starts_with('+') => {
            text.parse().map(CelValue::Uint).map_err(|_| CONVERSION)
        }
        _ => Err(EvalStop::Unknown),
    }
}

#[expect(clippy::cast_precision_loss, reason = "the conversion rounds")]
fn double(value: &CelValue) -> EvalResult {
    match value {
        CelValue::Double(_) => Ok(value.clone()),
        CelValue::Int(number) => Ok(CelValue::Double(*number as f64)),
        CelValue::Uint(number) => Ok(CelValue::Double(*number as f64)),
        // Go also parses hexadecimal digits, underscores and infinity.
        CelValue::Text(text)
            if !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit() || byte == b'.') =>
        {
            text.parse().map(CelValue::Double).map_err(|_| CONVERSION)
        }
        CelValue::Text(text) if text.is_empty() => Err(CONVERSION),
        _ => Err(EvalStop::Unknown),
    }
}

fn string(value: &CelValue) -> EvalResult {
    Ok(match value {
        CelValue::Text(_) => value.clone(),
        CelValue::Bool(flag) => CelValue::text(flag.to_string()),
        CelValue::Int(number) => CelValue::text(number.to_string()),
        CelValue::Uint(number) => CelValue::text(number.to_string()),
        CelValue::Bytes(bytes) => CelValue::text(std::str::from_utf8(bytes).map_err(|_| CONVERSION)?),
        CelValue::Ip(address) => CelValue::text(address.to_string()),
        CelValue::Cidr(address, length) => CelValue::text(format!("{address}/{length}")),
        _ => return Err(EvalStop::Unknown),
    })
}
