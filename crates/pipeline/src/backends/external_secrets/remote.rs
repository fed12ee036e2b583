//! The `remoteRef` of an `ExternalSecret`, with the modifiers that it supports.

use serde_json::{Value as Json, json};

use super::reason::ExternalSecretReason;
use crate::backends::common::{display_reference, is_version_id};
use crate::backends::refusal::CommonReason;
use crate::modifiers::{ExternalDecoder, decoder_row, encoder_row};
use sealwave_secrets::placeholder::{Encoder, JsonPath, JsonStep, Placeholder, SecretReference};
use sealwave_secrets::settings::{ExternalStore, SecretService};
use sealwave_secrets::values::{KeyPath, kv_path};

/// A reference to a secret in a store.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct RemoteRef {
    key: String,
    property: Option<String>,
    version: Option<String>,
    /// Whether the controller decodes base64.
    decode: bool,
}

/// A placeholder as a remote reference and template functions.
pub(super) struct TranslatedPlaceholder {
    pub(super) remote: RemoteRef,
    /// The functions to apply in the template.
    pub(super) filters: Vec<&'static str>,
}

/// Translates a placeholder.
pub(super) fn translate_placeholder(
    placeholder: &Placeholder,
    store: &ExternalStore,
) -> Result<TranslatedPlaceholder, ExternalSecretReason> {
    let reference = &placeholder.reference;
    let mut remote = RemoteRef {
        key: key(reference, store)?,
        property: reference.key.as_deref().map(key_property).transpose()?,
        version: version(reference, store.service)?,
        decode: false,
    };
    let modifiers = &placeholder.modifiers;
    let mut filters = Vec::new();
    let mut after: Option<&'static str> = None;
    for decoder in &modifiers.decoders {
        let name = decoder.name();
        match (decoder_row(decoder).external_secrets, after) {
            (None, _) => return Err(CommonReason::Modifier { name }.into()),
            (Some(ExternalDecoder::TemplateFunction(function)), _) => filters.push(function),
            (Some(ExternalDecoder::Property(_)), None) if reference.key.is_some() => {
                return Err(CommonReason::JsonPathInKey.into());
            }
            (Some(ExternalDecoder::Property(path)), None) => remote.property = Some(property(path)?),
            (Some(ExternalDecoder::DecodingStrategy), None | Some("jsonPath")) => remote.decode = true,
            (Some(ExternalDecoder::DecodingStrategy | ExternalDecoder::Property(_)), Some(after)) => {
                return Err(ExternalSecretReason::ModifierOrder { name, after });
            }
        }
        after = Some(name);
    }
    if modifiers.default.is_some() {
        return Err(CommonReason::Modifier { name: "default" }.into());
    }
    if let Some(encoder) = &modifiers.encoder {
        filters.push(encoder_function(encoder)?);
    }
    Ok(TranslatedPlaceholder { remote, filters })
}

/// Returns the template function for an encoder.
fn encoder_function(encoder: &Encoder) -> Result<&'static str, CommonReason> {
    let row = encoder_row(encoder);
    row.external_secrets.ok_or_else(|| {
        if row.is_json_path {
            CommonReason::JsonPath
        } else {
            CommonReason::Modifier { name: encoder.name() }
        }
    })
}

impl RemoteRef {
    /// Creates the reference to all keys of a secret.
    pub(super) fn all_keys(
        reference: &SecretReference,
        store: &ExternalStore,
    ) -> Result<Self, ExternalSecretReason> {
        let version = version(reference, store.service)?;
        Ok(Self { key: key(reference, store)?, property: None, version, decode: false })
    }

    /// Formats `remoteRef` with all fields that the CRD would default.
    pub(super) fn to_json(&self) -> Json {
        let mut out = json!({"key": self.key});
        if let Some(property) = &self.property {
            out["property"] = property.as_str().into();
        }
        if let Some(version) = &self.version {
            out["version"] = version.as_str().into();
        }
        out["conversionStrategy"] = "Default".into();
        out["decodingStrategy"] = if self.decode { "Base64" } else { "None" }.into();
        out["metadataPolicy"] = "None".into();
        out
    }
}

/// Returns the name of a secret in its store. A Vault store has its own mount and removes it from the start of a name, so
/// a name that really starts with the mount is prefixed with it.
fn key(reference: &SecretReference, store: &ExternalStore) -> Result<String, ExternalSecretReason> {
    let path = reference.path.as_str();
    if store.service != SecretService::Vault {
        return Ok(path.to_owned());
    }
    let (mount, below) = match &store.mount {
        Some(mount) => {
            let outside_mount = || ExternalSecretReason::OutsideMount {
                reference: display_reference(reference),
                mount: mount.clone(),
            };
            (mount.as_str(), kv_path::below_mount(mount, path).ok_or_else(outside_mount)?)
        }
        None => match path.split_once('/') {
            Some((mount, below)) if below.starts_with("data/") => (mount, below),
            _ => return Ok(path.to_owned()),
        },
    };
    let name = kv_path::secret_name(store.kv_version, below);
    let starts_with_mount = kv_path::below_mount(mount, name).is_some();
    Ok(if starts_with_mount { format!("{mount}/{name}") } else { name.to_owned() })
}

fn version(reference: &SecretReference, service: SecretService) -> Result<Option<String>, CommonReason> {
    let Some(version) = &reference.version else { return Ok(None) };
    match service {
        SecretService::AwsSm if is_version_id(version) => Ok(Some(format!("uuid/{version}"))),
        SecretService::AwsSm => Ok(Some(version.clone())),
        SecretService::AwsSsm | SecretService::Vault if version.parse::<u64>().is_ok() => {
            Ok(Some(version.clone()))
        }
        SecretService::AwsSsm | SecretService::Vault => {
            Err(CommonReason::Version { reference: reference.to_string() })
        }
    }
}

/// Translates a key to a property. The controller looks up a property with a dot first as one key and then as a path, like
/// an unquoted key here; a quoted path is joined with `|`, which is unambiguous.
fn key_property(key: &str) -> Result<String, CommonReason> {
    let path = KeyPath::parse(key).map_err(|_| CommonReason::JsonPath)?;
    match path.exact() {
        Some(text) => Ok(escape(text, false)),
        None => Ok(path.names().map(|(name, _)| escape(name, true)).collect::<Vec<_>>().join("|")),
    }
}

/// Translates a JSON path to a property, which the controller evaluates with gjson.
fn property(path: &JsonPath) -> Result<String, CommonReason> {
    let steps = Some(path.steps()).filter(|steps| !steps.is_empty()).ok_or(CommonReason::JsonPath)?;
    let steps: Option<Vec<String>> = steps
        .iter()
        .map(|step| match step {
            JsonStep::Field(name) if name.is_empty() => None,
            JsonStep::Field(name) => Some(escape(name, true)),
            JsonStep::Index(index) => u64::try_from(*index).ok().map(|index| index.to_string()),
        })
        .collect();
    steps.map(|steps| steps.join(".")).ok_or(CommonReason::JsonPath)
}

/// Escapes the syntax of gjson; dots are escaped only within names.
fn escape(key: &str, dots: bool) -> String {
    let mut out = String::with_capacity(key.len());
    for c in key.chars() {
        if "*?|#@!{}[]()\\".contains(c) || (dots && c == '.') {
            out.push('\\');
        }
        out.push(c);
    }
    out
}
