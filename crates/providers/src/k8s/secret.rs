//! A Secret as the cluster returned it, and the values in it.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use zeroize::Zeroizing;

use crate::{FetchResult, FetchedValue, ProviderError};
use sealwave_core::diagnostic::DUPLICATE_KEY;
use sealwave_secrets::values::json_text::{self, JsonTextError};
use sealwave_secrets::values::{
    KEY_HINT, KeyPath, MissingStep, SecretEntries, SecretValue, ValueShape, WalkError,
};

/// Types of Secrets that are credentials for the cluster itself.
const REFUSED_TYPES: [&str; 2] = ["bootstrap.kubernetes.io/token", "kubernetes.io/service-account-token"];

/// A Secret as the cluster returned it.
pub(super) struct ClusterSecret {
    json: Zeroizing<Vec<u8>>,
    /// Identifies the state of the Secret.
    resource_version: Option<String>,
}

impl ClusterSecret {
    /// Checks a response and reads the facts about the Secret.
    ///
    /// # Errors
    /// The response is not a Secret, or the Secret is a credential for the cluster itself.
    pub(super) fn read(json: Zeroizing<Vec<u8>>) -> Result<Self, ProviderError> {
        let mut secret = Self { json, resource_version: None };
        let string_at = |path: &[&str]| -> Result<Option<String>, JsonTextError> {
            Ok(secret.member(path)?.and_then(|json| serde_json::from_str(json.get()).ok()))
        };
        if string_at(&["kind"]).map_err(malformed)?.as_deref() != Some("Secret") {
            return Err(malformed(JsonTextError::Syntax));
        }
        let kind = string_at(&["type"]).map_err(malformed)?.unwrap_or_default();
        if REFUSED_TYPES.contains(&kind.as_str()) {
            return Err(ProviderError::denied(
                format!("Secrets of type `{kind}` are credentials for the cluster itself"),
                "use a Secret that was created for the app",
            ));
        }
        let resource_version = string_at(&["metadata", "resourceVersion"]).map_err(malformed)?;
        secret.resource_version = resource_version;
        Ok(secret)
    }

    pub(super) fn value(&self, key: &str) -> FetchResult {
        let path = KeyPath::parse(key).map_err(ProviderError::bad_key)?;
        let value = match path.single().map(|key| self.item(key)).transpose()?.flatten() {
            Some(value) => value,
            None => self.within_item(&path)?,
        };
        Ok(FetchedValue::with_version(value, self.resource_version.as_deref()))
    }

    /// Looks up a path in the JSON of an item: the first name is the item's key.
    fn within_item(&self, path: &KeyPath) -> Result<SecretValue, ProviderError> {
        let missing = |step: MissingStep| ProviderError::not_found(step.message("the Secret"), KEY_HINT);
        let missing_item = || missing(path.missing(0, ValueShape::Object));
        let (first, _) = path.names().next().ok_or_else(missing_item)?;
        if path.names().len() == 1 {
            return Err(missing_item());
        }
        let item = self.item(first)?.ok_or_else(missing_item)?;
        let text = item.expose_str().unwrap_or("");
        if !text.trim_start_matches([' ', '\t', '\n', '\r']).starts_with(['{', '[']) {
            return Err(missing(path.missing(1, ValueShape::Scalar)));
        }
        let found = json_text::lookup_from(text, path, 1).map_err(|error| match error {
            WalkError::Missing(step) => missing(step),
            WalkError::Structure(JsonTextError::Duplicate) => {
                ProviderError::invalid(DUPLICATE_KEY, "remove one of them from the Secret")
            }
            WalkError::Structure(JsonTextError::Syntax) => ProviderError::invalid(
                "the item is not well-formed JSON",
                "use only the key of the item, or correct its JSON",
            ),
        })?;
        Ok(SecretValue::new(found.as_bytes().to_vec()))
    }

    /// Returns the bytes of an item.
    fn item(&self, key: &str) -> Result<Option<SecretValue>, ProviderError> {
        let Some(found) = self.member(&["data", key]).map_err(malformed)? else { return Ok(None) };
        let encoded: Option<Zeroizing<String>> = serde_json::from_str(found.get()).ok().map(Zeroizing::new);
        let value = encoded.as_ref().and_then(|encoded| decode(encoded.as_bytes()));
        value.map(Some).ok_or_else(|| malformed(JsonTextError::Syntax))
    }

    /// Returns all keys, each with its bytes.
    pub(super) fn entries(&self) -> FetchResult {
        let data = self.member(&["data"]).map_err(malformed)?;
        let encoded = data.map(|data| SecretEntries::from_json(data.get())).transpose()?.unwrap_or_default();
        let mut entries = SecretEntries::default();
        for (key, value) in encoded.iter() {
            let value = decode(value.expose()).ok_or_else(|| malformed(JsonTextError::Syntax))?;
            entries.insert(key.to_owned(), Some(value))?;
        }
        Ok(FetchedValue::with_version(entries, self.resource_version.as_deref()))
    }

    fn member(&self, path: &[&str]) -> Result<Option<&serde_json::value::RawValue>, JsonTextError> {
        let text = std::str::from_utf8(&self.json).map_err(|_| JsonTextError::Syntax)?;
        let mut at = json_text::parse(text)?;
        for field in path {
            match json_text::member(at, field)? {
                Some(value) => at = value,
                None => return Ok(None),
            }
        }
        Ok(Some(at))
    }
}

fn decode(base64: &[u8]) -> Option<SecretValue> {
    STANDARD.decode(base64).ok().map(SecretValue::new)
}

fn malformed(_: JsonTextError) -> ProviderError {
    ProviderError::invalid(
        "the cluster's response is not a Secret",
        "check that the cluster's address is that of its API server",
    )
}
