//! Paths of the app file that can differ between environments.

use std::path::PathBuf;

use schemars::JsonSchema;
use serde::Deserialize;

/// The text that a path replaces by the name of the environment.
const ENVIRONMENT_MARK: &str = "{{env}}";

/// A path relative to the app file, in which `{{env}}` stands for the name of the environment.
#[derive(Clone, Debug, Deserialize, JsonSchema, PartialEq, Eq)]
#[serde(transparent)]
pub struct EnvironmentPath(String);

impl EnvironmentPath {
    /// Returns the directory of the app file.
    #[must_use]
    pub fn here() -> Self {
        Self(".".to_owned())
    }

    /// Returns the path with its mark, as written in the app file.
    #[must_use]
    pub fn as_written(&self) -> &str {
        &self.0
    }

    /// Returns the path for an environment.
    #[must_use]
    pub fn in_environment(&self, environment: &str) -> PathBuf {
        PathBuf::from(self.0.replace(ENVIRONMENT_MARK, environment))
    }

    /// Returns the texts before and after the first mark; `None` if the path is the same for all environments.
    #[must_use]
    pub fn around_environment(&self) -> Option<(&str, &str)> {
        self.0.split_once(ENVIRONMENT_MARK)
    }
}

impl From<&str> for EnvironmentPath {
    fn from(path: &str) -> Self {
        Self(path.to_owned())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_environment_is_substituted_and_nothing_else() {
        for (written, path) in [
            ("values-{{env}}.yaml", "values-prod.yaml"),
            ("{{env}}/{{env}}", "prod/prod"),
            ("values.yaml", "values.yaml"),
            ("{{ env }}", "{{ env }}"),
            ("{{app}}", "{{app}}"),
        ] {
            assert_eq!(EnvironmentPath::from(written).in_environment("prod"), PathBuf::from(path));
        }
        let around = |path| EnvironmentPath::from(path).around_environment().map(|(a, b)| format!("{a}|{b}"));
        assert_eq!(around("a-{{env}}.yaml").as_deref(), Some("a-|.yaml"));
        assert_eq!(around("a.yaml"), None);
    }
}
