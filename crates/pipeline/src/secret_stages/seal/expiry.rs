//! The dates that values tell, for a report. Values are read and never stored; only dates leave this file.

use crate::secret_stages::resolved::{ItemValue, ResolvedApp, ResolvedObject};
use sealwave_secrets::crypto::{ValueExpiry, value_expiry};

/// An item of a Secret whose value tells when it expires.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ItemExpiry {
    /// The namespace of the Secret.
    pub namespace: String,
    /// The name of the Secret.
    pub name: String,
    /// The item's key.
    pub key: String,
    /// The kind of the value, and its last day.
    pub expiry: ValueExpiry,
}

/// Returns the items whose values tell when they expire, in the order of the objects.
pub(super) fn item_expiries(resolved: &ResolvedApp) -> Vec<ItemExpiry> {
    let mut found = Vec::new();
    for object in resolved.objects() {
        let ResolvedObject::Secret(secret) = object else { continue };
        let (namespace, name) = (secret.manifest.namespace(), secret.manifest.name());
        for item in &secret.items {
            let ItemValue::Known(value) = &item.value else { continue };
            let Some(expiry) = value_expiry(value.expose()) else { continue };
            found.push(ItemExpiry {
                namespace: namespace.to_owned(),
                name: name.to_owned(),
                key: item.key.to_string(),
                expiry,
            });
        }
    }
    found
}
