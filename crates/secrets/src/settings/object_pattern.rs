//! Patterns that select objects in settings.

use globset::{GlobBuilder, GlobMatcher};
use serde::Deserialize;

/// A pattern for objects: `Kind/namespace/name`, each part a glob.
#[derive(Clone, Debug, Deserialize)]
#[serde(try_from = "String")]
pub struct ObjectPattern(GlobMatcher);

/// A reason why a text is not a valid pattern. It contains nothing of the text.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ObjectPatternError {
    /// The pattern matches Secrets, which settings cannot exempt from anything.
    #[error("a pattern must not match Secrets")]
    Secret,
    /// The pattern is malformed.
    #[error("an object pattern has the form `Kind/namespace/name`, each part a glob")]
    Shape,
}

impl ObjectPattern {
    /// Parses a pattern.
    ///
    /// # Errors
    /// Fails unless the pattern has three parts, each a glob.
    pub fn parse(text: &str) -> Result<Self, ObjectPatternError> {
        let text = text.trim();
        if text.matches('/').count() != 2 {
            return Err(ObjectPatternError::Shape);
        }
        let glob = GlobBuilder::new(text).literal_separator(true).build();
        glob.map(|glob| Self(glob.compile_matcher())).map_err(|_| ObjectPatternError::Shape)
    }

    /// Returns the matcher for `Kind/namespace/name`.
    pub fn into_matcher(self) -> GlobMatcher {
        self.0
    }

    /// Reports whether the pattern matches an object, given as `Kind/namespace/name`.
    pub(crate) fn matches(&self, object: &str) -> bool {
        self.0.is_match(object)
    }
}

impl TryFrom<String> for ObjectPattern {
    type Error = ObjectPatternError;

    /// Parses an entry of a list that exempts objects other than Secrets.
    fn try_from(text: String) -> Result<Self, ObjectPatternError> {
        if text.trim().split('/').next().is_some_and(|kind| kind.eq_ignore_ascii_case("secret")) {
            return Err(ObjectPatternError::Secret);
        }
        Self::parse(&text)
    }
}
