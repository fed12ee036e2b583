//! The result of one reference: its value, the version that the source reports, and the file in Git that it depends on.

use super::{Evidence, ProviderError};
use sealwave_core::time::Date;
use sealwave_secrets::values::{SecretEntries, SecretValue};

/// The longest version of any source: a Secrets Manager version id.
const MAX_VERSION: usize = 64;

/// A fetched value.
#[derive(Clone, PartialEq, Eq)]
pub struct FetchedValue {
    /// The value; empty if all keys were requested.
    pub value: SecretValue,
    /// All keys with their values, if all keys were requested.
    pub entries: Option<SecretEntries>,
    /// The version, as the source numbers it; `None` for sources without versions.
    pub version: Option<String>,
    /// The day (UTC) on which this version was created, if the source tells it.
    pub changed: Option<Date>,
    /// The file in Git that contains the value; `None` if Git contains only the reference.
    pub evidence: Option<Evidence>,
}

/// The result of one reference.
pub type FetchResult = Result<FetchedValue, ProviderError>;

/// Returns the evidence of a result; a missing key depends on the file too.
#[must_use]
pub const fn evidence_of(answer: &FetchResult) -> Option<Evidence> {
    match answer {
        Ok(fetched) => fetched.evidence,
        Err(ProviderError::NotFound { evidence, .. }) => *evidence,
        Err(_) => None,
    }
}

/// Adds the evidence of a file in Git to a result.
#[cfg(feature = "sops")]
pub(super) fn with_evidence(answer: FetchResult, evidence: Evidence) -> FetchResult {
    match answer {
        Ok(fetched) => Ok(FetchedValue { evidence: Some(evidence), ..fetched }),
        Err(ProviderError::NotFound { reason, hint, .. }) => {
            Err(ProviderError::NotFound { reason, hint, evidence: Some(evidence) })
        }
        Err(other) => Err(other),
    }
}

impl FetchedValue {
    /// Creates a value with a version.
    ///
    /// The version is written to the audit, which must not contain values. So a text that does not look like a version is
    /// dropped: a misdirected server could return anything.
    #[must_use]
    pub fn with_version(value: impl Into<Self>, version: Option<&str>) -> Self {
        let looks_like_version = |text: &&str| {
            (1..=MAX_VERSION).contains(&text.len())
                && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-')
        };
        Self { version: version.filter(looks_like_version).map(str::to_owned), ..value.into() }
    }

    /// Adds the day on which the version was created.
    #[must_use]
    pub fn changed_on(self, changed: Option<Date>) -> Self {
        Self { changed, ..self }
    }
}

impl From<SecretValue> for FetchedValue {
    /// Creates a value without a version, a date and evidence.
    fn from(value: SecretValue) -> Self {
        Self { value, entries: None, version: None, changed: None, evidence: None }
    }
}

impl From<SecretEntries> for FetchedValue {
    fn from(entries: SecretEntries) -> Self {
        Self { entries: Some(entries), ..SecretValue::new(Vec::new()).into() }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts_that_do_not_look_like_versions_are_dropped() {
        let is_kept = |text: &str| {
            FetchedValue::with_version(SecretValue::new(Vec::new()), Some(text)).version.is_some()
        };
        for text in ["1", "84213", "11111111-2222-3333-4444-555555555555", &"a".repeat(64)] {
            assert!(is_kept(text), "{text}");
        }
        for text in ["", "p@ssword", "a b", "1\n", "\u{e4}", "{}", &"a".repeat(65)] {
            assert!(!is_kept(text), "{text}");
        }
    }
}
