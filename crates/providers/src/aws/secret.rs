//! A whole secret as AWS returned it, and the values in it.

use aws_smithy_types::DateTime;

use crate::{FetchResult, FetchedValue, ProviderError};
use sealwave_core::diagnostic::DUPLICATE_KEY;
use sealwave_core::time::Date;
use sealwave_secrets::placeholder::SecretReference;
use sealwave_secrets::values::json_text::{self, JsonTextError};
use sealwave_secrets::values::{EntriesError, KEY_HINT, KeyPath, SecretEntries, SecretValue, WalkError};

/// The result of one target.
pub(super) type TargetResult = Result<FetchedSecret, ProviderError>;

/// A whole secret.
#[derive(Clone)]
pub(super) struct FetchedSecret {
    pub(super) value: SecretValue,
    /// Whether it was stored as bytes.
    pub(super) binary: bool,
    /// The version, as AWS numbers it.
    pub(super) version: Option<String>,
    /// The day on which AWS got this version.
    pub(super) changed: Option<Date>,
}

/// Returns the day of a time of AWS; `None` before 1970.
pub(super) fn day(time: Option<DateTime>) -> Option<Date> {
    u64::try_from(time?.secs()).ok().and_then(Date::from_unix_seconds)
}

impl FetchedSecret {
    /// Returns what a reference requests, with the version.
    pub(super) fn select(&self, reference: &SecretReference) -> FetchResult {
        let version = self.version.as_deref();
        if reference.all_keys {
            return Ok(FetchedValue::with_version(self.entries()?, version).changed_on(self.changed));
        }
        let value = self.value(reference.key.as_deref())?;
        Ok(FetchedValue::with_version(value, version).changed_on(self.changed))
    }

    /// Returns all keys of a JSON object, each with its value.
    fn entries(&self) -> Result<SecretEntries, ProviderError> {
        let text = self.value.expose_str().ok_or(EntriesError::NotAnObject)?;
        // Text that is not JSON is a value without keys, not a malformed document.
        let text = text.trim_matches([' ', '\t', '\n', '\r']);
        if !text.starts_with('{') {
            return Err(EntriesError::NotAnObject.into());
        }
        Ok(SecretEntries::from_json(text)?)
    }

    fn value(&self, key: Option<&str>) -> Result<SecretValue, ProviderError> {
        let Some(key) = key else { return Ok(self.value.clone()) };
        let hint = "omit the key to get the whole value";
        let path = KeyPath::parse(key).map_err(ProviderError::bad_key)?;
        let not_json = |reason| {
            let reason =
                if self.binary { "the value is binary and not JSON, so it has no keys" } else { reason };
            ProviderError::invalid(reason, hint)
        };
        // A secret that was created from a file is often JSON stored as bytes.
        let text = self.value.expose_str().unwrap_or("");
        if !text.trim_start_matches([' ', '\t', '\n', '\r']).starts_with(['{', '[']) {
            return Err(not_json("the value is not a JSON object or list, so it has no keys"));
        }
        let found = json_text::lookup(text, &path).map_err(|error| match error {
            WalkError::Missing(step) => ProviderError::not_found(step.message("the secret"), KEY_HINT),
            WalkError::Structure(JsonTextError::Duplicate) => {
                ProviderError::invalid(DUPLICATE_KEY, "remove one of them from the secret")
            }
            WalkError::Structure(JsonTextError::Syntax) => not_json("the value is not well-formed JSON"),
        })?;
        Ok(SecretValue::new(found.as_bytes().to_vec()))
    }
}
