//! Patterns that select objects in settings.

use globset::{GlobBuilder, GlobMatcher};
use schemars::JsonSchema;
use serde::de::{Error, Unexpected};
use serde::{Deserialize, Deserializer};

/// A pattern for objects: `Kind/namespace/name`, each part a glob.
#[derive(Clone, Debug, JsonSchema)]
#[schemars(with = "String", extend("pattern" = "^[^/]*/[^/]*/[^/]*$", "not" = {"pattern": r"^\s*[Ss][Ee][Cc][Rr][Ee][Tt]\s*/"}))]
pub struct ObjectPattern(GlobMatcher);

/// The error for a text that is not a pattern.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("an object pattern has the form `Kind/namespace/name`, each part a glob")]
pub struct InvalidObjectPattern;

impl ObjectPattern {
    /// Parses a pattern.
    ///
    /// # Errors
    /// Fails unless the pattern has three parts, each a glob.
    pub fn parse(text: &str) -> Result<Self, InvalidObjectPattern> {
        let text = text.trim();
        if text.matches('/').count() != 2 {
            return Err(InvalidObjectPattern);
        }
        let glob = GlobBuilder::new(text).literal_separator(true).build();
        glob.map(|glob| Self(glob.compile_matcher())).map_err(|_| InvalidObjectPattern)
    }

    /// Returns the matcher for `Kind/namespace/name`.
    #[must_use]
    pub fn into_matcher(self) -> GlobMatcher {
        self.0
    }

    /// Reports whether the pattern matches an object, given as `Kind/namespace/name`.
    pub(crate) fn matches(&self, object: &str) -> bool {
        self.0.is_match(object)
    }
}

impl<'de> Deserialize<'de> for ObjectPattern {
    /// Reads an entry of a list that exempts objects other than Secrets.
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        let expected =
            if text.trim().split('/').next().is_some_and(|kind| kind.eq_ignore_ascii_case("secret")) {
                "an object pattern `Kind/namespace/name` of a kind other than Secret"
            } else {
                match Self::parse(&text) {
                    Ok(pattern) => return Ok(pattern),
                    Err(InvalidObjectPattern) => {
                        "an object pattern `Kind/namespace/name`, each part a glob such as `*`"
                    }
                }
            };
        Err(Error::invalid_value(Unexpected::Other("text"), &expected))
    }
}
