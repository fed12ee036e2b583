//! The table of modifiers in this crate: the function of each, and its translations by the backends that store
//! references. `sealwave_secrets::placeholder::MODIFIERS` has names, arguments and documentation.
//!
//! Each arm of [`decoder_row`] and [`encoder_row`] is a row; both match every variant, so that a modifier without a row
//! does not compile. A backend refuses a modifier whose row has no translation for it.
//!
//! Functions are pure, and their errors contain nothing of the value.

mod functions;
mod yaml_parse;

use sealwave_secrets::placeholder::{Decoder, Encoder, JsonPath};
use sealwave_secrets::values::SecretValue;

/// The maximum size of a value between modifiers; an item of a Secret is smaller.
pub(crate) const MAX_BYTES: usize = 4 << 20;

/// The row of a decoder.
pub(crate) struct DecoderRow<'a> {
    /// Its function.
    pub(crate) function: Function<'a>,
    /// Its translation for the External Secrets Operator.
    pub(crate) external_secrets: Option<ExternalDecoder<'a>>,
    /// Its translation for the AWS provider of the Secrets Store CSI driver: the JSON path that it selects.
    pub(crate) csi_aws: Option<&'a JsonPath>,
    /// Its translation for the Vault provider of the Secrets Store CSI driver: the `encoding` of an object.
    pub(crate) csi_vault: Option<&'static str>,
}

/// The row of an encoder.
pub(crate) struct EncoderRow<'a> {
    /// Its function.
    pub(crate) function: Function<'a>,
    /// Its translation for the External Secrets Operator: a template function.
    pub(crate) external_secrets: Option<&'static str>,
    /// Whether it is a form of `jsonPath`; backends support only single paths.
    pub(crate) is_json_path: bool,
}

/// A decoder in an `ExternalSecret`.
pub(crate) enum ExternalDecoder<'a> {
    /// The controller decodes base64 itself, but only the fetched value or a part of it. Invalid base64 is then an error,
    /// and binary values stay intact. sprig's `b64dec` would return an error text, which would become the secret.
    DecodingStrategy,
    /// The controller selects a property, but only of the fetched value.
    Property(&'a JsonPath),
    /// A template function.
    TemplateFunction(&'static str),
}

/// A function from the bytes of a value to its new value.
pub(crate) type Function<'a> = Box<dyn Fn(&[u8]) -> FunctionResult + 'a>;

/// The result of a function: a value, or an error with its reason.
pub(crate) type FunctionResult = Result<SecretValue, FunctionError>;

/// A reason why a function has no result. It contains nothing of the value.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum FunctionError {
    /// The value cannot be processed.
    Invalid(&'static str),
    /// The function selects something that the value does not have; `default` may replace it.
    Missing(&'static str),
}

impl FunctionError {
    /// The reason for a result above [`MAX_BYTES`].
    pub(crate) const TOO_LARGE: &str = "the result is too large";
}

/// Returns the row of a decoder.
pub(crate) fn decoder_row(decoder: &Decoder) -> DecoderRow<'_> {
    match decoder {
        Decoder::Base64Decode => DecoderRow {
            external_secrets: Some(ExternalDecoder::DecodingStrategy),
            csi_vault: Some("base64"),
            ..DecoderRow::untranslated(functions::base64_decode)
        },
        Decoder::JsonPath(path) => DecoderRow {
            external_secrets: Some(ExternalDecoder::Property(path)),
            csi_aws: Some(path),
            ..DecoderRow::untranslated(|value| functions::select(value, |json| path.select(json)))
        },
        // `trim` would remove all Unicode white space.
        Decoder::Trim => DecoderRow {
            external_secrets: Some(ExternalDecoder::TemplateFunction(r#"trimAll " \t\n\v\f\r""#)),
            ..DecoderRow::untranslated(|value| Ok(functions::trim(value)))
        },
        Decoder::YamlParse => DecoderRow::untranslated(functions::yaml_parse),
    }
}

/// Returns the row of an encoder. A translation is an exact equivalent.
pub(crate) fn encoder_row(encoder: &Encoder) -> EncoderRow<'_> {
    match encoder {
        Encoder::Base64 => EncoderRow {
            external_secrets: Some("b64enc"),
            ..EncoderRow::untranslated(|value| Ok(functions::base64(value)))
        },
        Encoder::Indent(spaces) => EncoderRow::untranslated(|value| functions::indent(value, *spaces)),
        // `toJson` would escape `<`, `>` and `&`.
        Encoder::Json => {
            EncoderRow { external_secrets: Some("toRawJson"), ..EncoderRow::untranslated(functions::json) }
        }
        Encoder::JsonTemplate(template) => EncoderRow {
            is_json_path: true,
            ..EncoderRow::untranslated(|value| functions::select(value, |json| template.select(json)))
        },
        Encoder::Sha256 => EncoderRow {
            external_secrets: Some("sha256sum"),
            ..EncoderRow::untranslated(|value| Ok(functions::sha256(value)))
        },
        Encoder::UrlEncode => EncoderRow {
            external_secrets: Some(r#"urlquery | replace "+" "%20""#),
            ..EncoderRow::untranslated(|value| Ok(functions::url_encode(value)))
        },
    }
}

impl<'a> DecoderRow<'a> {
    fn untranslated(function: impl Fn(&[u8]) -> FunctionResult + 'a) -> Self {
        Self { function: Box::new(function), external_secrets: None, csi_aws: None, csi_vault: None }
    }
}

impl<'a> EncoderRow<'a> {
    fn untranslated(function: impl Fn(&[u8]) -> FunctionResult + 'a) -> Self {
        Self { function: Box::new(function), external_secrets: None, is_json_path: false }
    }
}

#[cfg(test)]
mod tests;
