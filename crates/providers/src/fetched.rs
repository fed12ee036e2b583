//! The answer to one reference: its value, the version that the source reports, and what Git holds of it.

use super::ProviderError;
use sealwave_core::sha256;
use sealwave_secrets::values::{EntriesError, SecretEntries, SecretValue};

/// The longest version that a source here has: an id of Secrets Manager.
const MAX_VERSION: usize = 64;

/// A value as it was fetched.
#[derive(Clone, PartialEq, Eq)]
pub struct Fetched {
    /// The value; empty where all keys were asked for.
    pub value: SecretValue,
    /// All keys with their values, where these were asked for.
    pub entries: Option<SecretEntries>,
    /// Which version of it that is, in the source's own numbering; none where the source has no versions.
    pub version: Option<String>,
    /// The file in Git that the value was taken from; none where Git holds the reference alone.
    pub evidence: Option<Evidence>,
}

/// A SHA-256 of the file in Git that an answer stands on.
///
/// Whoever can commit could replace that file by a guess, and see from the sealed text whether it was right. So this becomes
/// part of what the sealed text is made from, and it must differ for everything that can be put there instead. It is part of
/// the answer itself: whoever passes an answer on passes it on as well.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Evidence([u8; 32]);

impl Evidence {
    /// Bytes of the digest.
    pub const LENGTH: usize = 32;

    /// Digests the whole file.
    #[must_use]
    pub fn of(file: &[u8]) -> Self {
        Self(sha256(file))
    }

    pub const fn bytes(&self) -> &[u8; Self::LENGTH] {
        &self.0
    }
}

/// What one reference gave.
pub type FetchResult = Result<Fetched, ProviderError>;

/// Returns the evidence of an answer; that a key is missing stands on the file as well.
pub const fn evidence_of(answer: &FetchResult) -> Option<Evidence> {
    match answer {
        Ok(fetched) => fetched.evidence,
        Err(ProviderError::NotFound { evidence, .. }) => *evidence,
        Err(_) => None,
    }
}

/// Returns the answer of a source whose values come from a file in Git.
#[cfg(feature = "sops")]
pub(super) fn from_file(answer: FetchResult, evidence: Evidence) -> FetchResult {
    match answer {
        Ok(fetched) => Ok(Fetched { evidence: Some(evidence), ..fetched }),
        Err(ProviderError::NotFound { reason, hint, .. }) => {
            Err(ProviderError::NotFound { reason, hint, evidence: Some(evidence) })
        }
        Err(other) => Err(other),
    }
}

impl Fetched {
    /// A value of this version.
    ///
    /// The version goes into the audit, where no value may. So what does not read like one is left out: a server that was
    /// led astray could answer anything in its place.
    #[must_use]
    pub fn at_version(value: impl Into<Self>, version: Option<&str>) -> Self {
        let fits = |text: &&str| {
            (1..=MAX_VERSION).contains(&text.len())
                && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-')
        };
        Self { version: version.filter(fits).map(str::to_owned), ..value.into() }
    }
}

impl From<SecretValue> for Fetched {
    /// A value of a source without versions, of which Git holds nothing.
    fn from(value: SecretValue) -> Self {
        Self { value, entries: None, version: None, evidence: None }
    }
}

impl From<SecretEntries> for Fetched {
    fn from(entries: SecretEntries) -> Self {
        Self { entries: Some(entries), ..SecretValue::new(Vec::new()).into() }
    }
}

impl From<EntriesError> for ProviderError {
    fn from(error: EntriesError) -> Self {
        let hint = match error {
            EntriesError::Duplicate => "remove one of them from the secret",
            EntriesError::NotAnObject | EntriesError::Syntax => {
                "to get the whole value, put the placeholder into an item of `stringData`"
            }
            EntriesError::TooMany => "put a placeholder for each key that is needed into `stringData`",
        };
        Self::invalid(error.to_string(), hint)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_does_not_read_like_a_version_is_left_out() {
        let version =
            |text: &str| Fetched::at_version(SecretValue::new(Vec::new()), Some(text)).version.is_some();
        for text in ["1", "84213", "11111111-2222-3333-4444-555555555555", &"a".repeat(64)] {
            assert!(version(text), "{text}");
        }
        for text in ["", "p@ssword", "a b", "1\n", "\u{e4}", "{}", &"a".repeat(65)] {
            assert!(!version(text), "{text}");
        }
    }
}
