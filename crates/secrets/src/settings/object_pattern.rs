//! Objects by a pattern, as settings name them.

use globset::{GlobBuilder, GlobMatcher};
use serde::Deserialize;

/// Objects by `Kind/namespace/name`, each part a glob.
#[derive(Clone, Debug, Deserialize)]
#[serde(try_from = "String")]
pub struct ObjectPattern(GlobMatcher);

/// Why a text is no pattern. It holds nothing of the text.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NotAPattern {
    /// It is about Secrets, which settings do not exempt from anything.
    #[error("a pattern cannot be about Secrets")]
    Secret,
    /// It has another shape.
    #[error("an object is `Kind/namespace/name`, each part a glob")]
    Shape,
}

impl ObjectPattern {
    /// Parses a pattern.
    ///
    /// # Errors
    /// It has not three parts, or one of them is not a glob.
    pub fn parse(text: &str) -> Result<Self, NotAPattern> {
        let text = text.trim();
        if text.matches('/').count() != 2 {
            return Err(NotAPattern::Shape);
        }
        let glob = GlobBuilder::new(text).literal_separator(true).build();
        glob.map(|glob| Self(glob.compile_matcher())).map_err(|_| NotAPattern::Shape)
    }

    /// Returns what matches `Kind/namespace/name`.
    pub fn into_matcher(self) -> GlobMatcher {
        self.0
    }

    /// Whether an object is meant, given as `Kind/namespace/name`.
    pub(crate) fn matches(&self, object: &str) -> bool {
        self.0.is_match(object)
    }
}

impl TryFrom<String> for ObjectPattern {
    type Error = NotAPattern;

    /// Reads an entry of a list that exempts objects other than Secrets.
    fn try_from(text: String) -> Result<Self, NotAPattern> {
        if text.trim().split('/').next().is_some_and(|kind| kind.eq_ignore_ascii_case("secret")) {
            return Err(NotAPattern::Secret);
        }
        Self::parse(&text)
    }
}
