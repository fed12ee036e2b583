//! The functions of modifiers, each from the bytes of a value to its new value.

use base64::engine::general_purpose::STANDARD;
use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig};
use base64::{Engine as _, alphabet};
use memchr::memchr_iter;
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, percent_encode};
use zeroize::Zeroizing;

use super::{FunctionError, FunctionResult, MAX_BYTES, yaml_parse};
use sealwave_core::diagnostic::DUPLICATE_KEY;
use sealwave_core::sha256_hex;
use sealwave_secrets::placeholder::SelectError;
use sealwave_secrets::values::{SecretBuffer, SecretValue};

/// The characters that need no encoding (RFC 3986, 2.3).
const RESERVED: AsciiSet = NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~');

/// Files end with a newline, and other tools omit the padding; anything else is an error.
const LENIENT: GeneralPurpose = GeneralPurpose::new(
    &alphabet::STANDARD,
    GeneralPurposeConfig::new().with_decode_padding_mode(DecodePaddingMode::Indifferent),
);

pub(super) fn base64(value: &[u8]) -> SecretValue {
    SecretValue::new(STANDARD.encode(value).into_bytes())
}

pub(super) fn base64_decode(value: &[u8]) -> FunctionResult {
    let packed = without_white_space(value);
    let decoded = LENIENT.decode(&*packed).map_err(|_| FunctionError::Invalid("the value is not base64"))?;
    Ok(SecretValue::new(decoded))
}

fn without_white_space(bytes: &[u8]) -> Zeroizing<Vec<u8>> {
    let mut packed = Zeroizing::new(Vec::with_capacity(bytes.len()));
    packed.extend(bytes.iter().copied().filter(|byte| !byte.is_ascii_whitespace()));
    packed
}

pub(super) fn indent(value: &[u8], spaces: usize) -> FunctionResult {
    let size = value.len() + spaces * memchr_iter(b'\n', value).count();
    if size > MAX_BYTES {
        return Err(FunctionError::Invalid(FunctionError::TOO_LARGE));
    }
    let mut out = Vec::with_capacity(size);
    let mut copied = 0;
    for newline in memchr_iter(b'\n', value) {
        out.extend_from_slice(&value[copied..=newline]);
        copied = newline + 1;
        if copied < value.len() {
            out.extend(std::iter::repeat_n(b' ', spaces));
        }
    }
    out.extend_from_slice(&value[copied..]);
    Ok(SecretValue::new(out))
}

pub(super) fn json(value: &[u8]) -> FunctionResult {
    let mut json = SecretBuffer::with_capacity(value.len() + 2);
    serde_json::to_writer(&mut json, text(value)?)
        .map_err(|_| FunctionError::Invalid("the value is not text"))?;
    Ok(json.into_value())
}

/// Selects from a JSON document.
pub(super) fn select(
    value: &[u8],
    select: impl FnOnce(&str) -> Result<Zeroizing<String>, SelectError>,
) -> FunctionResult {
    let mut selected = select(text(value)?).map_err(|error| match error {
        SelectError::Ambiguous => FunctionError::Invalid(DUPLICATE_KEY),
        SelectError::Missing => FunctionError::Missing("the path does not exist in the document"),
        SelectError::NotJson => FunctionError::Invalid("the value is not JSON"),
    })?;
    Ok(SecretValue::new(std::mem::take(&mut *selected).into_bytes()))
}

pub(super) fn sha256(value: &[u8]) -> SecretValue {
    SecretValue::new(sha256_hex(value).into_bytes())
}

/// Trims ASCII white space, including the vertical tab that Rust's definition omits.
pub(super) fn trim(value: &[u8]) -> SecretValue {
    let is_visible = |byte: &u8| !byte.is_ascii_whitespace() && *byte != 0x0b;
    let trimmed = value.iter().position(is_visible).map_or(&[][..], |start| {
        let end = value.iter().rposition(is_visible).unwrap_or(start);
        &value[start..=end]
    });
    SecretValue::new(trimmed.to_vec())
}

pub(super) fn url_encode(value: &[u8]) -> SecretValue {
    let mut escaped = SecretBuffer::with_capacity(value.len());
    percent_encode(value, &RESERVED).for_each(|piece| escaped.push(piece.as_bytes()));
    escaped.into_value()
}

pub(super) fn yaml_parse(value: &[u8]) -> FunctionResult {
    let json = yaml_parse::to_json(text(value)?).map_err(FunctionError::Invalid)?;
    let json = json.ok_or(FunctionError::Missing("the document is null"))?;
    Ok(SecretValue::new(json.as_bytes().to_vec()))
}

fn text(value: &[u8]) -> Result<&str, FunctionError> {
    std::str::from_utf8(value).map_err(|_| FunctionError::Invalid("the value is not valid UTF-8"))
}
