//! Applies modifiers to values. Pure; errors contain nothing of the value.

mod yaml_parse;

use base64::engine::general_purpose::STANDARD;
use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig};
use base64::{Engine as _, alphabet};
use memchr::memchr_iter;
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, percent_encode};
use zeroize::Zeroizing;

use sealwave_core::sha256_hex;
use sealwave_secrets::placeholder::{Decoder, Encoder, Modifiers, SelectError};
use sealwave_secrets::values::{SecretBuffer, SecretValue};

/// The maximum size of a value between modifiers; an item of a Secret is smaller.
const MAX_BYTES: usize = 4 << 20;

/// The characters that need no encoding (RFC 3986, 2.3).
const RESERVED: AsciiSet = NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~');

/// Files end with a newline, and other tools omit the padding; anything else is an error.
const LENIENT: GeneralPurpose = GeneralPurpose::new(
    &alphabet::STANDARD,
    GeneralPurposeConfig::new().with_decode_padding_mode(DecodePaddingMode::Indifferent),
);

/// A modifier that could not be applied.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct ModifierError {
    pub(super) modifier: &'static str,
    pub(super) reason: &'static str,
}

/// A reason why a value is missing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum MissingValue {
    /// The reference was not found.
    NotFound,
    /// A modifier selected nothing.
    Nothing(ModifierError),
}

/// The modified value, or the reason why it is missing; an error if a modifier cannot be applied.
type ModifyResult = Result<Result<SecretValue, MissingValue>, ModifierError>;

/// Applies modifiers to a value. Without a value, only `default` can provide one.
pub(super) fn apply(fetched: Option<&SecretValue>, modifiers: &Modifiers) -> ModifyResult {
    let mut state = fetched.cloned().ok_or(MissingValue::NotFound);
    for decoder in &modifiers.decoders {
        let Ok(value) = state else { break };
        state = check_size(decoder.name(), decode(&value, decoder)?)?;
    }
    if let (Err(_), Some(default)) = (&state, &modifiers.default) {
        state = Ok(SecretValue::new(default.as_bytes().to_vec()));
    }
    match (state, &modifiers.encoder) {
        (Ok(value), Some(encoder)) => check_size(encoder.name(), encode(&value, encoder)?),
        (state, _) => Ok(state),
    }
}

fn check_size(modifier: &'static str, state: Result<SecretValue, MissingValue>) -> ModifyResult {
    if state.as_ref().is_ok_and(|value| value.len() > MAX_BYTES) {
        return Err(ModifierError { modifier, reason: "the result is too large" });
    }
    Ok(state)
}

fn decode(value: &SecretValue, decoder: &Decoder) -> ModifyResult {
    let refuse = |why| ModifierError { modifier: decoder.name(), reason: why };
    let bytes = value.expose();
    let text = || value.expose_str().ok_or_else(|| refuse("the value is not UTF-8"));
    let changed = match decoder {
        Decoder::Base64Decode => {
            let packed = without_white_space(bytes);
            LENIENT.decode(&*packed).map_err(|_| refuse("the value is not base64"))?
        }
        Decoder::JsonPath(path) => return convert_selection(path.select(text()?), decoder.name()),
        Decoder::Trim => trim(bytes).to_vec(),
        Decoder::YamlParse => match yaml_parse::to_json(text()?).map_err(refuse)? {
            Some(json) => json.as_bytes().to_vec(),
            None => return Ok(Err(MissingValue::Nothing(refuse("the document is null")))),
        },
    };
    Ok(Ok(SecretValue::new(changed)))
}

fn encode(value: &SecretValue, encoder: &Encoder) -> ModifyResult {
    let refuse = |why| ModifierError { modifier: encoder.name(), reason: why };
    let bytes = value.expose();
    let text = || value.expose_str().ok_or_else(|| refuse("the value is not UTF-8"));
    let changed = match encoder {
        Encoder::Base64 => STANDARD.encode(bytes).into_bytes(),
        Encoder::Indent(spaces) => {
            if bytes.len() + spaces * memchr_iter(b'\n', bytes).count() > MAX_BYTES {
                return Err(refuse("the result is too large"));
            }
            indent(bytes, *spaces)
        }
        Encoder::Json => {
            let mut json = SecretBuffer::with_capacity(bytes.len() + 2);
            serde_json::to_writer(&mut json, text()?).map_err(|_| refuse("the value is not text"))?;
            return Ok(Ok(json.into_value()));
        }
        Encoder::JsonTemplate(template) => {
            return convert_selection(template.select(text()?), encoder.name());
        }
        Encoder::Sha256 => sha256_hex(bytes).into_bytes(),
        Encoder::UrlEncode => {
            let mut escaped = SecretBuffer::with_capacity(bytes.len());
            percent_encode(bytes, &RESERVED).for_each(|piece| escaped.push(piece.as_bytes()));
            return Ok(Ok(escaped.into_value()));
        }
    };
    Ok(Ok(SecretValue::new(changed)))
}

/// Converts the result of a `jsonPath`, with a reason if the document has no value for it.
fn convert_selection(result: Result<Zeroizing<String>, SelectError>, modifier: &'static str) -> ModifyResult {
    let refuse = |why| ModifierError { modifier, reason: why };
    match result {
        Ok(mut selected) => Ok(Ok(SecretValue::new(std::mem::take(&mut *selected).into_bytes()))),
        Err(SelectError::Ambiguous) => Err(refuse("an object has a duplicate key")),
        Err(SelectError::Missing) => {
            Ok(Err(MissingValue::Nothing(refuse("the path does not exist in the document"))))
        }
        Err(SelectError::NotJson) => Err(refuse("the value is not JSON")),
    }
}

fn without_white_space(bytes: &[u8]) -> Zeroizing<Vec<u8>> {
    let mut packed = Zeroizing::new(Vec::with_capacity(bytes.len()));
    packed.extend(bytes.iter().copied().filter(|byte| !byte.is_ascii_whitespace()));
    packed
}

fn indent(bytes: &[u8], spaces: usize) -> Vec<u8> {
    let mut out = Vec::with_capacity(bytes.len() + spaces * memchr_iter(b'\n', bytes).count());
    let mut copied = 0;
    for newline in memchr_iter(b'\n', bytes) {
        out.extend_from_slice(&bytes[copied..=newline]);
        copied = newline + 1;
        if copied < bytes.len() {
            out.extend(std::iter::repeat_n(b' ', spaces));
        }
    }
    out.extend_from_slice(&bytes[copied..]);
    out
}

/// Trims ASCII white space, including the vertical tab that Rust's definition omits.
fn trim(bytes: &[u8]) -> &[u8] {
    let is_visible = |byte: &u8| !byte.is_ascii_whitespace() && *byte != 0x0b;
    let Some(start) = bytes.iter().position(is_visible) else { return &[] };
    let end = bytes.iter().rposition(is_visible).unwrap_or(start);
    &bytes[start..=end]
}
