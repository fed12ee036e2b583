//! Charts that are not in the repository of the app: names, versions and digests from the app file, which is not trusted.

use std::fmt;

use schemars::JsonSchema;
use sealwave_core::sha256_hex;
use semver::Version;
use serde::de::{Error, Unexpected};
use serde::{Deserialize, Deserializer};

use super::RepositoryUrl;

/// Maximum length of the name of a chart, as in Helm.
const MAX_NAME: usize = 250;
/// Maximum length of a version: a tag of a registry.
const MAX_VERSION: usize = 128;

const DIGEST_PREFIX: &str = "sha256:";
const DIGEST_PATTERN: &str = "^sha256:[0-9a-f]{64}$";
const VERSION_PATTERN: &str = r"^v?\d+\.\d+\.\d+(-[-.0-9A-Za-z]+)?(\+[-.0-9A-Za-z]+)?$";

/// A chart in a repository, not pinned to a content.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ChartId {
    /// The repository.
    pub repository: RepositoryUrl,
    /// The name of the chart in it.
    pub name: ChartName,
    /// The version.
    pub version: ChartVersion,
}

impl ChartId {
    /// Returns the name of the archive, for messages.
    #[must_use]
    pub fn archive_name(&self) -> String {
        format!("{}-{}.tgz", self.name, self.version)
    }
}

/// A chart in a repository, pinned to a content.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PinnedChart {
    /// The chart.
    pub id: ChartId,
    /// The digest of its archive.
    pub digest: ChartDigest,
}

/// The name of a chart in a repository. It is neither an option of a program nor a path.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ChartName(String);

impl ChartName {
    /// Parses a name; `None` if it is not the name of a chart.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let is_allowed = |byte: u8| byte.is_ascii_alphanumeric() || b"-._".contains(&byte);
        let is_valid = text.len() <= MAX_NAME
            && text.bytes().all(is_allowed)
            && text.bytes().next().is_some_and(|first| first.is_ascii_alphanumeric());
        is_valid.then(|| Self(text.to_owned()))
    }
}

impl fmt::Display for ChartName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// An exact version of a chart.
#[derive(Clone, Debug, JsonSchema, PartialEq, Eq)]
#[schemars(with = "String", extend("pattern" = VERSION_PATTERN))]
pub struct ChartVersion(String);

impl ChartVersion {
    /// Parses a version, which may start with `v`; `None` for ranges and other texts.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let number = text.strip_prefix('v').unwrap_or(text);
        (text.len() <= MAX_VERSION && Version::parse(number).is_ok()).then(|| Self(text.to_owned()))
    }
}

impl fmt::Display for ChartVersion {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl<'de> Deserialize<'de> for ChartVersion {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        let expected = "an exact version such as `1.2.3`";
        Self::parse(&text).ok_or_else(|| Error::invalid_value(Unexpected::Other("text"), &expected))
    }
}

/// The SHA-256 digest of a chart's archive.
#[derive(Clone, Debug, JsonSchema, PartialEq, Eq)]
#[schemars(with = "String", extend("pattern" = DIGEST_PATTERN))]
pub struct ChartDigest {
    /// Lower-case hexadecimal.
    hex: String,
}

impl ChartDigest {
    /// Returns the digest of an archive.
    #[must_use]
    pub fn of(archive: &[u8]) -> Self {
        Self { hex: sha256_hex(archive) }
    }

    /// Parses a digest; `None` if it has another form.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let hex = text.strip_prefix(DIGEST_PREFIX)?;
        let is_hex = |byte: u8| byte.is_ascii_digit() || (b'a'..=b'f').contains(&byte);
        (hex.len() == 64 && hex.bytes().all(is_hex)).then(|| Self { hex: hex.to_owned() })
    }

    /// Returns the digest without its algorithm, in lower-case hexadecimal.
    #[must_use]
    pub fn hex(&self) -> &str {
        &self.hex
    }
}

impl fmt::Display for ChartDigest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{DIGEST_PREFIX}{}", self.hex)
    }
}

impl<'de> Deserialize<'de> for ChartDigest {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        let expected = "`sha256:` and 64 hexadecimal digits in lower case";
        Self::parse(&text).ok_or_else(|| Error::invalid_value(Unexpected::Other("text"), &expected))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_neither_options_nor_paths() {
        for name in ["redis", "cert-manager", "a", "A_b.c-1", &"a".repeat(MAX_NAME)] {
            assert!(ChartName::parse(name).is_some(), "{name}");
        }
        for name in [
            "",
            "-x",
            "--post-renderer=x",
            ".",
            "..",
            "../x",
            "a/b",
            "/etc",
            "a\nb",
            "a b",
            "a:b",
            "a@b",
            "oci://a/b",
            "https://a/b",
            "{{env}}",
            "ä",
            "a\u{1b}[31m",
            "a\0",
            &"a".repeat(MAX_NAME + 1),
        ] {
            assert_eq!(ChartName::parse(name), None, "{name}");
        }
    }

    #[test]
    fn versions_are_exact() {
        for version in ["1.2.3", "v1.14.0", "1.0.0-rc.1", "1.0.0+build.5"] {
            assert_eq!(ChartVersion::parse(version).unwrap().to_string(), version);
        }
        for version in [
            "",
            "1",
            "1.2",
            "^1.2.3",
            "~1.2.3",
            ">=1.2.3",
            "1.2.x",
            "*",
            "latest",
            "vv1.2.3",
            "1.2.3 ",
            "1.2.3\n",
            "-1.2.3",
            "1.2.3 || 2.0.0",
        ] {
            assert_eq!(ChartVersion::parse(version), None, "{version}");
        }
        assert_eq!(ChartVersion::parse(&format!("1.2.3-{}", "a".repeat(MAX_VERSION))), None);
    }

    #[test]
    fn digests_have_one_form() {
        let digest = ChartDigest::of(b"abc");
        let text = "sha256:ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";
        assert_eq!(digest.to_string(), text);
        assert_eq!(ChartDigest::parse(text), Some(digest));
        for wrong in [
            "",
            "sha256:",
            &text[7..],
            &text.to_uppercase(),
            &text[..70],
            &format!("{text}0"),
            "sha256:../../x",
        ] {
            assert_eq!(ChartDigest::parse(wrong), None, "{wrong}");
        }
    }
}
