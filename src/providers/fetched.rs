//! What one reference gave: its value, and the version of it that the source says it gave.

use super::ProviderError;
use crate::model::SecretValue;

/// The longest version that a source here has: an id of Secrets Manager.
const MAX_VERSION: usize = 64;

/// A value as it was fetched.
#[derive(Clone, PartialEq, Eq)]
pub struct Fetched {
    /// The value.
    pub value: SecretValue,
    /// Which version of it that is, in the source's own numbering; none where the source has no versions.
    pub version: Option<String>,
}

/// What one reference gave.
pub type FetchResult = Result<Fetched, ProviderError>;

impl Fetched {
    /// A value of this version.
    ///
    /// The version goes into the audit, where no value may. So what does not read like one is left out: a server that was
    /// led astray could answer anything in its place.
    #[must_use]
    pub fn at_version(value: SecretValue, version: Option<&str>) -> Self {
        let fits = |text: &&str| {
            (1..=MAX_VERSION).contains(&text.len())
                && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-')
        };
        Self { value, version: version.filter(fits).map(str::to_owned) }
    }
}

impl From<SecretValue> for Fetched {
    /// A value of a source without versions.
    fn from(value: SecretValue) -> Self {
        Self { value, version: None }
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
