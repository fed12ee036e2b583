//! ConfigMaps and Secrets that the app file makes from literals and files.

use std::collections::BTreeMap;
use std::fmt;

use schemars::JsonSchema;
use serde::Deserialize;

use super::EnvironmentPath;

/// A ConfigMap that is made from literals and files.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct ConfigMapEntry {
    /// Keys and their texts.
    #[serde(default)]
    pub literals: BTreeMap<String, String>,
    /// Files whose content becomes values, as `PATH` or `KEY=PATH`. The key of `PATH` is the name of the file. A directory
    /// stands for the files in it. Paths are relative to the app file, and `{{env}}` is the name of the environment.
    #[serde(default)]
    pub files: Vec<String>,
    /// Files with lines `KEY=VALUE`.
    #[serde(default)]
    pub env_files: Vec<EnvironmentPath>,
    /// Namespace of the object; by default that of all objects without one.
    #[serde(default)]
    pub namespace: Option<String>,
    /// Labels of the object.
    #[serde(default)]
    pub labels: BTreeMap<String, String>,
    /// Annotations of the object.
    #[serde(default)]
    pub annotations: BTreeMap<String, String>,
}

/// A Secret that is made from literals and files. Both can have placeholders.
#[derive(Clone, Default, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct SecretEntry {
    /// Type of the Secret, for example `kubernetes.io/tls`.
    #[serde(default, rename = "type")]
    pub secret_type: Option<String>,
    /// Keys and their texts.
    #[serde(default)]
    pub literals: BTreeMap<String, String>,
    /// Files whose content becomes values, as `PATH` or `KEY=PATH`. The key of `PATH` is the name of the file. A directory
    /// stands for the files in it. Paths are relative to the app file, and `{{env}}` is the name of the environment.
    #[serde(default)]
    pub files: Vec<String>,
    /// Files with lines `KEY=VALUE`.
    #[serde(default)]
    pub env_files: Vec<EnvironmentPath>,
    /// Namespace of the object; by default that of all objects without one.
    #[serde(default)]
    pub namespace: Option<String>,
    /// Labels of the object.
    #[serde(default)]
    pub labels: BTreeMap<String, String>,
    /// Annotations of the object.
    #[serde(default)]
    pub annotations: BTreeMap<String, String>,
}

/// Shows no value: a literal may be one that does not belong there.
impl fmt::Debug for SecretEntry {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SecretEntry").finish_non_exhaustive()
    }
}

/// The settings that make one object, in the app or in an environment.
#[derive(Clone, Copy)]
pub struct GeneratedEntry<'a> {
    /// Type of the Secret.
    pub secret_type: Option<&'a str>,
    /// Keys and their texts.
    pub literals: &'a BTreeMap<String, String>,
    /// Files, as `PATH` or `KEY=PATH`.
    pub files: &'a [String],
    /// Files with lines `KEY=VALUE`.
    pub env_files: &'a [EnvironmentPath],
    /// Namespace of the object.
    pub namespace: Option<&'a str>,
    /// Labels of the object.
    pub labels: &'a BTreeMap<String, String>,
    /// Annotations of the object.
    pub annotations: &'a BTreeMap<String, String>,
}

impl<'a> From<&'a ConfigMapEntry> for GeneratedEntry<'a> {
    fn from(entry: &'a ConfigMapEntry) -> Self {
        let ConfigMapEntry { literals, files, env_files, namespace, labels, annotations } = entry;
        Self {
            secret_type: None,
            literals,
            files,
            env_files,
            namespace: namespace.as_deref(),
            labels,
            annotations,
        }
    }
}

impl<'a> From<&'a SecretEntry> for GeneratedEntry<'a> {
    fn from(entry: &'a SecretEntry) -> Self {
        let SecretEntry { secret_type, literals, files, env_files, namespace, labels, annotations } = entry;
        Self {
            secret_type: secret_type.as_deref(),
            literals,
            files,
            env_files,
            namespace: namespace.as_deref(),
            labels,
            annotations,
        }
    }
}

/// An entry of `files`: a path, and the key for its content.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FileEntry<'a> {
    /// The key; by default the name of the file.
    pub key: Option<&'a str>,
    /// The file or directory.
    pub path: EnvironmentPath,
}

impl<'a> FileEntry<'a> {
    /// Splits `PATH` or `KEY=PATH`, like `kubectl create --from-file`; `None` if it is neither.
    #[must_use]
    pub fn parse(text: &'a str) -> Option<Self> {
        let (key, path) = match text.split_once('=') {
            Some((key, path)) => (Some(key), path),
            None => (None, text),
        };
        (!path.is_empty() && !path.contains('=') && key != Some("")).then(|| Self { key, path: path.into() })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn entries_of_files_are_those_of_kubectl() {
        let parsed =
            |text| FileEntry::parse(text).map(|entry| (entry.key, entry.path.as_written().to_owned()));
        assert_eq!(parsed("conf/a.conf"), Some((None, "conf/a.conf".to_owned())));
        assert_eq!(
            parsed("b.conf=conf/{{env}}/a.conf"),
            Some((Some("b.conf"), "conf/{{env}}/a.conf".to_owned()))
        );
        for text in ["", "=a", "a=", "a=b=c"] {
            assert_eq!(parsed(text), None, "{text}");
        }
    }
}
