//! Resolves scalars as Kubernetes does: by the rules of Go's yaml.v2, which `sigs.k8s.io/yaml` includes.
//!
//! Converts text to values; knows nothing of positions or documents.

use std::borrow::Cow;

use base64::Engine as _;
use compact_str::{CompactString, ToCompactString, format_compact};

use super::error::YamlError;
use super::timestamp::parse_timestamp;
use crate::document::{FiniteFloat, NodeValue, Number};

/// The tags that affect how a scalar is read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum ScalarTag {
    Binary,
    Bool,
    Float,
    Int,
    Merge,
    None,
    Null,
    /// Any other tag: ignored, and the scalar is text.
    Other,
    Str,
    Timestamp,
}

impl ScalarTag {
    /// Returns the tag of a full URI.
    pub(crate) fn from_uri(prefix: &str, suffix: &str) -> Self {
        const CORE: &str = "tag:yaml.org,2002:";
        let name = if prefix == CORE {
            suffix
        } else if let (true, Some(name)) = (prefix.is_empty(), suffix.strip_prefix(CORE)) {
            name
        } else {
            return Self::Other;
        };
        match name {
            "binary" => Self::Binary,
            "bool" => Self::Bool,
            "float" => Self::Float,
            "int" => Self::Int,
            "merge" => Self::Merge,
            "null" => Self::Null,
            "str" => Self::Str,
            "timestamp" => Self::Timestamp,
            _ => Self::Other,
        }
    }
}

/// The resolved meaning of a scalar, before it becomes a key or a value.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum ResolvedScalar {
    Bool(bool),
    /// May be infinite or not a number.
    Float(f64),
    Int(i64),
    Null,
    Text,
    /// Text that differs from the scalar's own.
    Decoded(CompactString),
    Uint(u64),
}

/// Resolves a scalar. `plain` is false for quoted and block scalars, which are text unless a tag says otherwise.
pub(super) fn resolve(text: &str, plain: bool, tag: ScalarTag) -> Result<ResolvedScalar, YamlError> {
    match tag {
        ScalarTag::None if plain => Ok(resolve_plain(text)),
        ScalarTag::Merge | ScalarTag::None | ScalarTag::Other | ScalarTag::Str => Ok(ResolvedScalar::Text),
        ScalarTag::Binary => decode_binary(text),
        ScalarTag::Bool => match resolve_plain(text) {
            found @ ResolvedScalar::Bool(_) => Ok(found),
            _ => Err(YamlError::Tag("bool")),
        },
        ScalarTag::Float => match resolve_plain(text) {
            found @ ResolvedScalar::Float(_) => Ok(found),
            #[expect(clippy::cast_precision_loss, reason = "the tag asks for a float")]
            ResolvedScalar::Int(int) => Ok(ResolvedScalar::Float(int as f64)),
            _ => Err(YamlError::Tag("float")),
        },
        ScalarTag::Int => match resolve_plain(text) {
            found @ (ResolvedScalar::Int(_) | ResolvedScalar::Uint(_)) => Ok(found),
            _ => Err(YamlError::Tag("int")),
        },
        ScalarTag::Null => match resolve_plain(text) {
            ResolvedScalar::Null => Ok(ResolvedScalar::Null),
            _ => Err(YamlError::Tag("null")),
        },
        ScalarTag::Timestamp if parse_timestamp(text).is_some() => Ok(ResolvedScalar::Text),
        ScalarTag::Timestamp => Err(YamlError::Tag("timestamp")),
    }
}

fn decode_binary(text: &str) -> Result<ResolvedScalar, YamlError> {
    let packed: Vec<u8> = text.bytes().filter(|byte| !matches!(byte, b'\n' | b'\r')).collect();
    let bytes = base64::engine::general_purpose::STANDARD.decode(packed).map_err(|_| YamlError::Binary)?;
    let text = String::from_utf8(bytes).map_err(|_| YamlError::Binary)?;
    Ok(ResolvedScalar::Decoded(text.into()))
}

/// Resolves a plain scalar without a tag.
pub(super) fn resolve_plain(text: &str) -> ResolvedScalar {
    match text.as_bytes().first() {
        None => ResolvedScalar::Null,
        Some(b'y' | b'Y' | b'n' | b'N' | b't' | b'T' | b'f' | b'F' | b'o' | b'O' | b'~') => {
            word(text).unwrap_or(ResolvedScalar::Text)
        }
        Some(b'.') => word(text).or_else(|| dotted_float(text)).unwrap_or(ResolvedScalar::Text),
        Some(b'+' | b'-' | b'0'..=b'9') => {
            word(text).or_else(|| number(text)).unwrap_or(ResolvedScalar::Text)
        }
        Some(_) => ResolvedScalar::Text,
    }
}

/// Resolves the words of YAML 1.1: lower case, capitalized, or upper case.
fn word(text: &str) -> Option<ResolvedScalar> {
    Some(match text {
        "y" | "Y" | "yes" | "Yes" | "YES" | "on" | "On" | "ON" | "true" | "True" | "TRUE" => {
            ResolvedScalar::Bool(true)
        }
        "n" | "N" | "no" | "No" | "NO" | "off" | "Off" | "OFF" | "false" | "False" | "FALSE" => {
            ResolvedScalar::Bool(false)
        }
        "~" | "null" | "Null" | "NULL" => ResolvedScalar::Null,
        ".inf" | ".Inf" | ".INF" | "+.inf" | "+.Inf" | "+.INF" => ResolvedScalar::Float(f64::INFINITY),
        "-.inf" | "-.Inf" | "-.INF" => ResolvedScalar::Float(f64::NEG_INFINITY),
        ".nan" | ".NaN" | ".NAN" => ResolvedScalar::Float(f64::NAN),
        _ => return None,
    })
}

/// Resolves a number that starts with a point. As in Go's `ParseFloat`, an underscore must be between digits.
fn dotted_float(text: &str) -> Option<ResolvedScalar> {
    let bytes = text.as_bytes();
    let is_digit_at = |at: Option<usize>| at.and_then(|at| bytes.get(at)).is_some_and(u8::is_ascii_digit);
    for (at, _) in bytes.iter().enumerate().filter(|(_, byte)| **byte == b'_') {
        if !is_digit_at(at.checked_sub(1)) || !is_digit_at(at.checked_add(1)) {
            return None;
        }
    }
    decimal_float(&without_underscores(text))
}

fn number(text: &str) -> Option<ResolvedScalar> {
    let plain = without_underscores(text);
    integer(&plain).or_else(|| decimal_float(&plain)).or_else(|| signed_binary(&plain))
}

fn without_underscores(text: &str) -> Cow<'_, str> {
    if text.contains('_') { Cow::Owned(text.replace('_', "")) } else { Cow::Borrowed(text) }
}

/// Parses an integer like Go's `ParseInt` and `ParseUint` with base 0.
fn integer(text: &str) -> Option<ResolvedScalar> {
    let (negative, unsigned) = match text.as_bytes().first()? {
        b'-' => (true, text.get(1..)?),
        b'+' => (false, text.get(1..)?),
        _ => (false, text),
    };
    let (radix, digits) = match unsigned.as_bytes() {
        [b'0', b'x' | b'X', ..] => (16, unsigned.get(2..)?),
        [b'0', b'o' | b'O', ..] => (8, unsigned.get(2..)?),
        [b'0', b'b' | b'B', ..] => (2, unsigned.get(2..)?),
        [b'0', _, ..] => (8, unsigned.get(1..)?),
        _ => (10, unsigned),
    };
    if !digits.bytes().all(|byte| byte.is_ascii_alphanumeric()) {
        return None;
    }
    let magnitude = u64::from_str_radix(digits, radix).ok()?;
    if negative {
        return 0_i64.checked_sub_unsigned(magnitude).map(ResolvedScalar::Int);
    }
    match i64::try_from(magnitude) {
        Ok(int) => Some(ResolvedScalar::Int(int)),
        // `ParseUint` accepts no sign.
        Err(_) if unsigned.len() == text.len() => Some(ResolvedScalar::Uint(magnitude)),
        Err(_) => None,
    }
}

/// Parses `[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?`, unless it overflows.
fn decimal_float(text: &str) -> Option<ResolvedScalar> {
    let rest = text.strip_prefix(['-', '+']).unwrap_or(text);
    let after_int = rest.trim_start_matches(|c: char| c.is_ascii_digit());
    let has_int = after_int.len() < rest.len();
    let (after_fraction, has_fraction) = match after_int.strip_prefix('.') {
        Some(fraction) => {
            let after = fraction.trim_start_matches(|c: char| c.is_ascii_digit());
            (after, after.len() < fraction.len())
        }
        None => (after_int, false),
    };
    if !has_int && !has_fraction {
        return None;
    }
    if let Some(exponent) = after_fraction.strip_prefix(['e', 'E']) {
        let digits = exponent.strip_prefix(['-', '+']).unwrap_or(exponent);
        if digits.is_empty() || !digits.bytes().all(|byte| byte.is_ascii_digit()) {
            return None;
        }
    } else if !after_fraction.is_empty() {
        return None;
    }
    text.parse::<f64>().ok().filter(|float| float.is_finite()).map(ResolvedScalar::Float)
}

/// Parses binary integers with a sign after `0b`, which yaml.v2 accepts in addition to Go's integers.
fn signed_binary(text: &str) -> Option<ResolvedScalar> {
    if let Some(digits) = text.strip_prefix("0b") {
        return i64::from_str_radix(digits, 2).ok().map(ResolvedScalar::Int);
    }
    let digits = text.strip_prefix("-0b")?;
    i64::from_str_radix(&format!("-{digits}"), 2).ok().map(ResolvedScalar::Int)
}

impl ResolvedScalar {
    /// Returns the value after Kubernetes' conversion to JSON.
    pub(super) fn into_value(self, text: Cow<'_, str>) -> Result<NodeValue, YamlError> {
        Ok(match self {
            Self::Bool(flag) => NodeValue::Bool(flag),
            Self::Decoded(text) => NodeValue::String(text),
            Self::Float(float) => NodeValue::Number(number_of_float(float).ok_or(YamlError::NotFinite)?),
            Self::Int(int) => NodeValue::Number(Number::Int(int)),
            Self::Null => NodeValue::Null,
            Self::Text => NodeValue::String(compact(text)),
            // Kubernetes keeps what exceeds `int64` as a float.
            Self::Uint(uint) => NodeValue::Number(Number::Float(uint.into())),
        })
    }

    /// Returns the key, by the rules of `sigs.k8s.io/yaml`.
    pub(super) fn into_key(self, text: Cow<'_, str>) -> Result<CompactString, YamlError> {
        Ok(match self {
            Self::Bool(flag) => CompactString::const_new(if flag { "true" } else { "false" }),
            Self::Decoded(text) => text,
            Self::Float(float) => float_key(float),
            Self::Int(int) => int.to_compact_string(),
            Self::Null => return Err(YamlError::KeyType("null")),
            Self::Text => compact(text),
            Self::Uint(_) => return Err(YamlError::KeyType("a number above 9223372036854775807")),
        })
    }
}

fn compact(text: Cow<'_, str>) -> CompactString {
    match text {
        Cow::Borrowed(text) => CompactString::new(text),
        Cow::Owned(text) => CompactString::from(text),
    }
}

/// Converts a float to a number. A float that JSON writes as an integer becomes one: `1.0` and `1e3` are `int64`.
pub(super) fn number_of_float(float: f64) -> Option<Number> {
    let finite = FiniteFloat::new(float)?;
    // The shortest digits decide, as in Go's JSON; the exact value may differ in the last ones.
    if float.fract() == 0.0
        && float.abs() < 1e19
        && let Ok(int) = format_compact!("{float}").parse::<i64>()
    {
        return Some(Number::Int(int));
    }
    Some(Number::Float(finite))
}

/// Formats a float key like Go's `FormatFloat(float, 'g', -1, 32)`: precision beyond `float32` is lost.
fn float_key(float: f64) -> CompactString {
    #[expect(clippy::cast_possible_truncation, reason = "Kubernetes formats float keys with 32 bits")]
    let short = float as f32;
    if short.is_nan() {
        return CompactString::const_new(".nan");
    }
    if short.is_infinite() {
        return CompactString::const_new(if short > 0.0 { ".inf" } else { "-.inf" });
    }
    let scientific = format_compact!("{short:e}");
    let Some((mantissa, exponent)) = scientific.split_once('e') else { return scientific };
    match exponent.parse::<i32>() {
        Ok(-4..6) => format_compact!("{short}"),
        Ok(exponent) => {
            let sign = if exponent < 0 { '-' } else { '+' };
            format_compact!("{mantissa}e{sign}{:02}", exponent.unsigned_abs())
        }
        Err(_) => scientific,
    }
}
