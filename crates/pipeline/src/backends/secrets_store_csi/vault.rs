//! Remote objects of the driver's Vault provider: single keys of secrets.

use serde_json::{Value as Json, json};

use super::reason::ProviderClassReason;
use super::{AliasAllocator, sole_placeholder};
use crate::backends::refusal::CommonReason;
use crate::modifiers::decoder_row;
use sealwave_secrets::placeholder::PlaceholderText;
use sealwave_secrets::settings::KvMounts;
use sealwave_secrets::values::KeyPath;

/// The keys of a class, in order.
#[derive(Default)]
pub(super) struct VaultObjects(Vec<Json>);

impl VaultObjects {
    /// Adds the object of an item and returns its alias.
    pub(super) fn add(
        &mut self,
        key: &str,
        text: &PlaceholderText,
        mounts: &KvMounts,
        aliases: &mut AliasAllocator,
    ) -> Result<String, ProviderClassReason> {
        let placeholder = sole_placeholder(text).ok_or(ProviderClassReason::TextAroundVault)?;
        let reference = &placeholder.reference;
        if reference.version.is_some() {
            return Err(CommonReason::Version { reference: reference.to_string() }.into());
        }
        let modifiers = &placeholder.modifiers;
        let first = modifiers.decoders.as_slice().first();
        let encoding = first.and_then(|decoder| decoder_row(decoder).csi_vault);
        if let Some(name) = modifiers.names().nth(usize::from(encoding.is_some())) {
            return Err(CommonReason::Modifier { name }.into());
        }
        let Some(reference_key) = &reference.key else {
            return Err(ProviderClassReason::NoKey { reference: reference.to_string() });
        };
        let Some(path) = mounts.api_path(&reference.path) else {
            return Err(ProviderClassReason::KvVersion { reference: reference.to_string() });
        };
        let field = KeyPath::parse(reference_key).map_err(|_| CommonReason::JsonPath)?;
        let Some(secret_key) = field.single() else {
            return Err(ProviderClassReason::WithinField { reference: reference.to_string() });
        };
        let alias = aliases.allocate(key);
        let mut object = json!({"objectName": alias, "secretPath": path, "secretKey": secret_key});
        if let Some(encoding) = encoding {
            object["encoding"] = encoding.into();
        }
        self.0.push(object);
        Ok(alias)
    }

    pub(super) fn to_json(&self) -> Json {
        self.0.iter().cloned().collect()
    }
}
