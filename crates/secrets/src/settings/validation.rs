//! What an author says about `validate`: in the app file, or in a file of its own for a repository.

use std::collections::BTreeMap;
use std::path::PathBuf;

use serde::Deserialize;

use sealwave_core::document::{Node, Origin};
use sealwave_core::time::Date;

/// Settings of `validate`. They come from Git: they can silence findings, with a reason that reviewers see, and no more.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct ValidationSettings {
    /// Kubernetes versions to check against, for example `1.31`; flags go first.
    #[serde(default)]
    pub kube_versions: Vec<String>,
    /// Files and directories with CRDs, relative to the file that names them.
    #[serde(default)]
    pub crds: Vec<PathBuf>,
    /// Whether custom resources that nothing else defines are checked against built-in definitions.
    #[serde(default)]
    pub packed_definitions: Option<bool>,
    /// Objects that exist elsewhere: `Kind/namespace/name`, each a glob.
    #[serde(default)]
    pub external: Vec<String>,
    /// Rules with another severity than their own, by their ids.
    #[serde(default)]
    pub rules: BTreeMap<String, RuleLevel>,
    /// Findings that are wanted as they are.
    #[serde(default)]
    pub ignore: Vec<IgnoreEntry>,
}

/// How much a rule matters.
#[derive(Clone, Copy, Debug, Deserialize, PartialEq, Eq)]
#[serde(rename_all = "kebab-case")]
pub enum RuleLevel {
    /// As an error.
    Error,
    /// As a note.
    Note,
    /// It does not run.
    Off,
    /// As a warning.
    Warning,
}

/// Findings that are wanted as they are: those that have all that is given.
#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct IgnoreEntry {
    /// Id of the rule, or a glob such as `secret/*`.
    pub rule: String,
    /// The object: `Kind/namespace/name`, a glob.
    #[serde(default)]
    pub object: Option<String>,
    /// The file, a glob over its path as messages show it.
    #[serde(default)]
    pub path: Option<String>,
    /// Environments; all of them where there is none.
    #[serde(default)]
    pub environments: Vec<String>,
    /// Why it is wanted.
    pub reason: String,
    /// The last day on which it counts.
    #[serde(default)]
    pub until: Option<Date>,
}

/// Where the entries of `validate.ignore` stand in a file: at the rule that each names.
pub fn ignore_places(file: Option<&Node>) -> impl Iterator<Item = Origin> {
    let entries = file.and_then(|file| file.at(&["validate", "ignore"])).map_or(&[][..], Node::items);
    entries.iter().map(|entry| entry.get("rule").map_or_else(|| entry.shown_at(), |rule| rule.origin))
}

/// A file of its own with the settings.
#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct ValidationFile {
    /// Always [`super::API_VERSION`].
    pub api_version: String,
    /// Always `Validation`.
    pub kind: String,
    /// The settings.
    #[serde(default)]
    pub validate: ValidationSettings,
}
