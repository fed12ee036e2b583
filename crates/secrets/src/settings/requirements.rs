//! The versions of sealwave that an app can be rendered with.

use std::fmt;

use schemars::JsonSchema;
use semver::{Prerelease, Version, VersionReq};
use serde::de::{Error, Unexpected};
use serde::{Deserialize, Deserializer};

/// The programs that an app needs, with their versions.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Requirements {
    /// The versions of sealwave.
    #[serde(default)]
    pub sealwave: Option<VersionRequirement>,
}

/// The form of a set of versions, for editors.
const PATTERN: &str = r"^\s*(\*|([<>]=?|[=^~])?\s*\d+(\.(\d+|[*xX])){0,2}([-+][-+.0-9A-Za-z]+)?(\s*,\s*([<>]=?|[=^~])?\s*\d+(\.(\d+|[*xX])){0,2}([-+][-+.0-9A-Za-z]+)?)*)\s*$";

/// A set of versions, such as `>=0.4, <0.6`.
#[derive(Clone, Debug, JsonSchema, PartialEq, Eq)]
#[schemars(with = "String", extend("pattern" = PATTERN))]
pub struct VersionRequirement(VersionReq);

impl VersionRequirement {
    /// Parses a requirement; `None` if it is malformed.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        VersionReq::parse(text).ok().map(Self)
    }

    /// Reports whether a version of sealwave meets the requirement. A pre-release counts as its release.
    #[must_use]
    pub fn is_met_by(&self, version: &str) -> bool {
        Version::parse(version)
            .is_ok_and(|version| self.0.matches(&Version { pre: Prerelease::EMPTY, ..version }))
    }
}

impl fmt::Display for VersionRequirement {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl<'de> Deserialize<'de> for VersionRequirement {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        let expected = "versions such as `>=0.4, <0.6`";
        Self::parse(&text).ok_or_else(|| Error::invalid_value(Unexpected::Other("text"), &expected))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_meet_requirements() {
        for (requirement, met, unmet) in [
            (">=0.4, <0.6", &["0.4.0", "0.5.9", "0.5.0-rc.1", "0.5.1+build"][..], &["0.3.9", "0.6.0"][..]),
            ("0.4", &["0.4.7"], &["0.5.0", "0.3.0"]),
            ("=0.4.1", &["0.4.1"], &["0.4.2"]),
            ("*", &["0.0.1", "9.0.0"], &["", "x", "1"]),
            (">=1", &["1.0.0", "2.3.4"], &["0.9.0"]),
        ] {
            let parsed = VersionRequirement::parse(requirement).expect("a requirement");
            assert!(met.iter().all(|version| parsed.is_met_by(version)), "{requirement}");
            assert!(!unmet.iter().any(|version| parsed.is_met_by(version)), "{requirement}");
        }
    }

    #[test]
    fn malformed_requirements_are_refused() {
        let many = ">=0.1, ".repeat(100_000) + "<1";
        for text in ["", ">=", "0.4 0.5", ">=0.4 <0.6", "v0.4", "latest", "1.2.3.4", "\u{1b}[31m", &many] {
            assert_eq!(VersionRequirement::parse(text), None, "{}", text.get(..9).unwrap_or(text));
        }
    }
}
