//! The sources of an app's objects, in the app file: sealwave's own files, Helm charts and Kustomize directories.
//!
//! Fields of a chart have the names that they have in an Argo CD Application (`spec.source.helm`).

use schemars::JsonSchema;
use serde::Deserialize;

use super::EnvironmentPath;

/// A source of objects: exactly one of the kinds.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[schemars(extend("oneOf" = [{"required": ["files"]}, {"required": ["helm"]}, {"required": ["kustomize"]}]))]
pub struct SourceEntry {
    /// The manifests and templates in `base/` and `envs/`.
    #[serde(default)]
    pub files: Option<FilesSource>,
    /// A Helm chart.
    #[serde(default)]
    pub helm: Option<HelmSource>,
    /// A directory of Kustomize.
    #[serde(default)]
    pub kustomize: Option<KustomizeSource>,
}

/// The manifests and templates in `base/` and `envs/`.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct FilesSource {}

/// A Helm chart.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
#[allow(clippy::struct_excessive_bools, reason = "fields of Argo CD")]
pub struct HelmSource {
    /// Directory of the chart, relative to the app file.
    pub chart: EnvironmentPath,
    /// Name of the release; by default the name of the app.
    pub release_name: Option<String>,
    /// Namespace of the release; by default that of the environment, of the app or of the destination.
    pub namespace: Option<String>,
    /// Files with values, relative to the app file; a later one takes precedence.
    pub value_files: Vec<EnvironmentPath>,
    /// Whether files with values may be missing.
    pub ignore_missing_value_files: bool,
    /// Values that take precedence over all files.
    #[schemars(with = "std::collections::BTreeMap<String, serde_json::Value>")]
    pub values: serde_json::Map<String, serde_json::Value>,
    /// Whether the chart gets the values of the app (`values.yaml`) and of the environment (`envs/<env>/values.yaml`). The
    /// files in `valueFiles` take precedence.
    pub layered_values: bool,
    /// Whether the custom resource definitions in the directory `crds` of the chart are left out.
    pub skip_crds: bool,
    /// Whether the tests of the chart are left out.
    pub skip_tests: bool,
}

impl Default for HelmSource {
    fn default() -> Self {
        Self {
            chart: EnvironmentPath::here(),
            release_name: None,
            namespace: None,
            value_files: Vec::new(),
            ignore_missing_value_files: false,
            values: serde_json::Map::new(),
            layered_values: false,
            skip_crds: false,
            skip_tests: false,
        }
    }
}

/// A directory of Kustomize.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
pub struct KustomizeSource {
    /// Directory with a `kustomization.yaml`, relative to the app file.
    pub path: EnvironmentPath,
}

impl Default for KustomizeSource {
    fn default() -> Self {
        Self { path: EnvironmentPath::here() }
    }
}
