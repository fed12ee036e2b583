//! Remote objects of the driver's Vault provider: single keys of secrets.

use serde_json::{Value as Json, json};

use super::{Aliases, alone};
use crate::backends::refusal::Why;
use sealwave_secrets::placeholder::{Decoder, Text};
use sealwave_secrets::settings::KvMounts;
use sealwave_secrets::values::KeyPath;

/// The keys of a class, in order.
#[derive(Default)]
pub(super) struct Objects(Vec<Json>);

impl Objects {
    /// Adds the object of an item and returns its alias.
    pub(super) fn add(
        &mut self,
        key: &str,
        text: &Text,
        mounts: &KvMounts,
        aliases: &mut Aliases,
    ) -> Result<String, Why> {
        let placeholder = alone(text).ok_or(Why::TextAroundVault)?;
        let reference = &placeholder.reference;
        if reference.version.is_some() {
            return Err(Why::Version { reference: reference.to_string() });
        }
        let modifiers = &placeholder.modifiers;
        let decode = modifiers.decoders.as_slice().first() == Some(&Decoder::Base64Decode);
        if let Some(name) = modifiers.names().nth(usize::from(decode)) {
            return Err(Why::Modifier { name });
        }
        let Some(reference_key) = &reference.key else {
            return Err(Why::NoKey { reference: reference.to_string() });
        };
        let Some(path) = mounts.api_path(&reference.path) else {
            return Err(Why::KvVersion { reference: reference.to_string() });
        };
        let field = KeyPath::parse(reference_key).map_err(|_| Why::JsonPath)?;
        let Some(secret_key) = field.single() else {
            return Err(Why::WithinField { reference: reference.to_string() });
        };
        let alias = aliases.take(key);
        let mut object = json!({"objectName": alias, "secretPath": path, "secretKey": secret_key});
        if decode {
            object["encoding"] = "base64".into();
        }
        self.0.push(object);
        Ok(alias)
    }

    pub(super) fn to_json(&self) -> Json {
        self.0.iter().cloned().collect()
    }
}
