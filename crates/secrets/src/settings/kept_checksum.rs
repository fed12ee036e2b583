//! Checksums of pod templates that an app keeps, although they are now computed from something else.

use std::fmt;

use schemars::JsonSchema;
use serde::de::{Error, Unexpected};
use serde::{Deserialize, Deserializer};

/// The form of a checksum: 16 bytes in lower-case hexadecimal.
const PATTERN: &str = "^[0-9a-f]{32}$";

/// A checksum of Secrets that a workload keeps while nothing that it reads changes: a change of the backend alone does not
/// restart its pods. It prevents needless restarts and protects nothing.
#[derive(Clone, Debug, Deserialize, JsonSchema, PartialEq, Eq)]
#[serde(deny_unknown_fields)]
pub struct KeptChecksum {
    /// The checksum that is computed now; if it changes, this entry has no effect any more.
    pub computed: ChecksumText,
    /// The checksum that the pods have.
    pub kept: ChecksumText,
}

/// A checksum as it is written on a pod template.
#[derive(Clone, Debug, JsonSchema, PartialEq, Eq)]
#[schemars(with = "String", extend("pattern" = PATTERN))]
pub struct ChecksumText(String);

impl ChecksumText {
    /// Parses a checksum; `None` if it is malformed.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let is_hex = |byte: u8| byte.is_ascii_digit() || (b'a'..=b'f').contains(&byte);
        (text.len() == 32 && text.bytes().all(is_hex)).then(|| Self(text.to_owned()))
    }

    /// Returns the text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for ChecksumText {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl<'de> Deserialize<'de> for ChecksumText {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        let expected = "32 digits of lower-case hexadecimal";
        Self::parse(&text).ok_or_else(|| Error::invalid_value(Unexpected::Other("text"), &expected))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_checksums_are_read() {
        assert!(ChecksumText::parse("0123456789abcdef0123456789abcdef").is_some());
        for text in [
            "",
            "0123456789abcdef0123456789abcde",
            "0123456789ABCDEF0123456789abcdef",
            "0123456789abcdef0123456789abcde\n",
            "0123456789abcdef0123456789abcdef0",
        ] {
            assert_eq!(ChecksumText::parse(text), None, "{text:?}");
        }
    }
}
