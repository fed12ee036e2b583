//! An author's settings of `validate`: in the app file, or in a separate file for a repository.

use std::collections::BTreeMap;
use std::path::PathBuf;

use schemars::JsonSchema;
use serde::Deserialize;

use super::format::API_VERSION;
use sealwave_core::document::{Node, Origin};
use sealwave_core::time::Date;

/// Settings of `validate`. They come from Git: they can only suppress findings, with a reason that reviewers see.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct ValidationSettings {
    /// Kubernetes versions to check against, for example `1.31`; flags take precedence.
    #[serde(default)]
    pub kube_versions: Vec<String>,
    /// Files and directories with CRDs, relative to the file that names them.
    #[serde(default)]
    pub crds: Vec<PathBuf>,
    /// Enables checks of custom resources against built-in definitions if nothing else defines them.
    #[serde(default)]
    pub packed_definitions: Option<bool>,
    /// Objects that exist elsewhere: `Kind/namespace/name`, each a glob.
    #[serde(default)]
    pub external: Vec<String>,
    /// Severity overrides by rule id.
    #[serde(default)]
    pub rules: BTreeMap<String, RuleLevel>,
    /// Findings to suppress.
    #[serde(default)]
    pub ignore: Vec<IgnoreEntry>,
}

/// The severity of a rule.
#[derive(Clone, Copy, Debug, Deserialize, JsonSchema, PartialEq, Eq)]
#[serde(rename_all = "kebab-case")]
pub enum RuleLevel {
    /// Report an error.
    Error,
    /// Report a note.
    Note,
    /// Do not run the rule.
    Off,
    /// Report a warning.
    Warning,
}

/// Findings to suppress: those that match all given fields.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct IgnoreEntry {
    /// Id of the rule, or a glob such as `secret/*`.
    pub rule: String,
    /// The object: `Kind/namespace/name`, a glob.
    #[serde(default)]
    pub object: Option<String>,
    /// The file: a glob over its path as shown in messages.
    #[serde(default)]
    pub path: Option<String>,
    /// Environments; all if empty.
    #[serde(default)]
    pub environments: Vec<String>,
    /// The reason for the suppression.
    pub reason: String,
    /// The last day on which it applies.
    #[serde(default)]
    #[schemars(with = "Option<String>", extend("format" = "date", "pattern" = r"^\d{4}-\d{2}-\d{2}$"))]
    pub until: Option<Date>,
}

/// Returns the origins of the entries of `validate.ignore` in a file: at the rule of each.
pub fn ignore_origins(file: &Node) -> impl Iterator<Item = Origin> {
    let entries = file.items_at(&["validate", "ignore"]);
    entries.iter().map(|entry| entry.get("rule").map_or_else(|| entry.display_origin(), |rule| rule.origin))
}

/// A separate file with the settings.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct ValidationFile {
    /// Version of the format.
    #[schemars(extend("const" = API_VERSION))]
    pub api_version: String,
    /// Kind of the file.
    #[schemars(extend("const" = "Validation"))]
    pub kind: String,
    /// The settings.
    #[serde(default)]
    pub validate: ValidationSettings,
    /// Files that are not read: globs as in a `.gitignore`, relative to the file.
    #[serde(default)]
    pub exclude: Vec<String>,
    /// Plain manifests whose objects may refer to each other.
    #[serde(default)]
    pub sets: Vec<SetEntry>,
}

/// A set of plain manifests.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct SetEntry {
    /// The name for messages.
    #[serde(default)]
    pub name: Option<String>,
    /// Globs of files and directories, relative to the file.
    pub paths: Vec<String>,
}
