//! What modifiers do to a value. Pure; no error holds anything of the value.

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

/// Bytes that a value may have between modifiers; an item of a Secret is smaller.
const MAX_BYTES: usize = 4 << 20;

/// RFC 3986, 2.3: what need not be encoded.
const RESERVED: AsciiSet = NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~');

/// Files end with a newline and other tools leave the padding out; anything else is an error.
const LENIENT: GeneralPurpose = GeneralPurpose::new(
    &alphabet::STANDARD,
    GeneralPurposeConfig::new().with_decode_padding_mode(DecodePaddingMode::Indifferent),
);

/// A modifier that could not be applied.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Refusal {
    pub(super) modifier: &'static str,
    pub(super) why: &'static str,
}

/// Why there is no value.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum NoValue {
    /// The reference was not found.
    NotFound,
    /// A modifier found nothing.
    Nothing(Refusal),
}

/// A changed value, or the reason why there is none; an error where a modifier cannot be applied at all.
type Changed = Result<Result<SecretValue, NoValue>, Refusal>;

/// Applies modifiers to a value, or to nothing: then only `default` can give one.
pub(super) fn apply(fetched: Option<&SecretValue>, modifiers: &Modifiers) -> Changed {
    let mut state = fetched.cloned().ok_or(NoValue::NotFound);
    for decoder in &modifiers.decoders {
        let Ok(value) = state else { break };
        state = bounded(decoder.name(), decode(&value, decoder)?)?;
    }
    if let (Err(_), Some(default)) = (&state, &modifiers.default) {
        state = Ok(SecretValue::new(default.as_bytes().to_vec()));
    }
    match (state, &modifiers.encoder) {
        (Ok(value), Some(encoder)) => bounded(encoder.name(), encode(&value, encoder)?),
        (state, _) => Ok(state),
    }
}

fn bounded(modifier: &'static str, state: Result<SecretValue, NoValue>) -> Changed {
    if state.as_ref().is_ok_and(|value| value.len() > MAX_BYTES) {
        return Err(Refusal { modifier, why: "its result is too large" });
    }
    Ok(state)
}

fn decode(value: &SecretValue, decoder: &Decoder) -> Changed {
    let refuse = |why| Refusal { modifier: decoder.name(), why };
    let bytes = value.expose();
    let text = || value.expose_str().ok_or_else(|| refuse("the value is not UTF-8"));
    let changed = match decoder {
        Decoder::Base64Decode => {
            let packed = without_white_space(bytes);
            LENIENT.decode(&*packed).map_err(|_| refuse("the value is not base64"))?
        }
        Decoder::JsonPath(path) => return selected(path.select(text()?), decoder.name()),
        Decoder::Trim => trim(bytes).to_vec(),
        Decoder::YamlParse => match yaml_parse::to_json(text()?).map_err(refuse)? {
            Some(json) => json.as_bytes().to_vec(),
            None => return Ok(Err(NoValue::Nothing(refuse("the document is null")))),
        },
    };
    Ok(Ok(SecretValue::new(changed)))
}

fn encode(value: &SecretValue, encoder: &Encoder) -> Changed {
    let refuse = |why| Refusal { modifier: encoder.name(), why };
    let bytes = value.expose();
    let text = || value.expose_str().ok_or_else(|| refuse("the value is not UTF-8"));
    let changed = match encoder {
        Encoder::Base64 => STANDARD.encode(bytes).into_bytes(),
        Encoder::Indent(spaces) => {
            if bytes.len() + spaces * memchr_iter(b'\n', bytes).count() > MAX_BYTES {
                return Err(refuse("its result is too large"));
            }
            indent(bytes, *spaces)
        }
        Encoder::Json => {
            let mut json = SecretBuffer::with_capacity(bytes.len() + 2);
            serde_json::to_writer(&mut json, text()?).map_err(|_| refuse("the value is not text"))?;
            return Ok(Ok(json.into_value()));
        }
        Encoder::JsonTemplate(template) => return selected(template.select(text()?), encoder.name()),
        Encoder::Sha256 => sha256_hex(bytes).into_bytes(),
        Encoder::UrlEncode => {
            let mut escaped = SecretBuffer::with_capacity(bytes.len());
            percent_encode(bytes, &RESERVED).for_each(|piece| escaped.push(piece.as_bytes()));
            return Ok(Ok(escaped.into_value()));
        }
    };
    Ok(Ok(SecretValue::new(changed)))
}

/// Names the reason where a document has no value for a `jsonPath`.
fn selected(result: Result<Zeroizing<String>, SelectError>, modifier: &'static str) -> Changed {
    let refuse = |why| Refusal { modifier, why };
    match result {
        Ok(mut selected) => Ok(Ok(SecretValue::new(std::mem::take(&mut *selected).into_bytes()))),
        Err(SelectError::Ambiguous) => Err(refuse("an object has the key twice")),
        Err(SelectError::Missing) => Ok(Err(NoValue::Nothing(refuse("the document has nothing there")))),
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

/// ASCII white space, with the vertical tab that Rust's own definition leaves out.
fn trim(bytes: &[u8]) -> &[u8] {
    let solid = |byte: &u8| !byte.is_ascii_whitespace() && *byte != 0x0b;
    let Some(start) = bytes.iter().position(solid) else { return &[] };
    let end = bytes.iter().rposition(solid).unwrap_or(start);
    &bytes[start..=end]
}
