//! The sources of an app's objects, in the app file: sealwave's own files, Helm charts and Kustomize directories.
//!
//! Fields of a chart have the names that they have in an Argo CD Application (`spec.source.helm`).

use schemars::JsonSchema;
use serde::Deserialize;

use super::{ChartDigest, ChartId, ChartName, ChartVersion, EnvironmentPath, PinnedChart, RepositoryUrl};

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
#[schemars(extend("dependencies" = {
    "repository": ["chart", "version", "digest"], "version": ["repository"], "digest": ["repository"]
}))]
#[allow(clippy::struct_excessive_bools, reason = "fields of Argo CD")]
pub struct HelmSource {
    /// Directory of the chart, relative to the app file; with `repository` the name of the chart.
    pub chart: EnvironmentPath,
    /// URL of the repository of charts, `https://…` or `oci://…`. The operator decides which ones may be used.
    pub repository: Option<RepositoryUrl>,
    /// Exact version of the chart. Required with `repository`.
    pub version: Option<ChartVersion>,
    /// SHA-256 digest of the archive of the chart. Required with `repository`.
    pub digest: Option<ChartDigest>,
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
            repository: None,
            version: None,
            digest: None,
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

/// The place of a chart.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ChartLocation {
    /// In the repository of the app.
    Directory(EnvironmentPath),
    /// In a repository of charts.
    Pinned(PinnedChart),
    /// In a repository of charts, without the digest that it needs to be rendered.
    Unpinned(ChartId),
}

/// A reason why the fields of a chart do not say where it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ChartLocationError {
    /// The field is only for charts in a repository of charts.
    NoRepository(&'static str),
    /// There is a repository without a version.
    NoVersion,
    /// There is a repository, but `chart` is not the name of a chart.
    NotAName,
}

impl ChartLocationError {
    /// Returns the field to correct.
    #[must_use]
    pub const fn field(self) -> &'static str {
        match self {
            Self::NoRepository(field) => field,
            Self::NoVersion => "repository",
            Self::NotAName => "chart",
        }
    }
}

impl HelmSource {
    /// Returns where the chart is.
    ///
    /// # Errors
    /// The fields do not go together.
    pub fn location(&self) -> Result<ChartLocation, ChartLocationError> {
        let Some(repository) = self.repository.clone() else {
            return match (&self.version, &self.digest) {
                (Some(_), _) => Err(ChartLocationError::NoRepository("version")),
                (None, Some(_)) => Err(ChartLocationError::NoRepository("digest")),
                (None, None) => Ok(ChartLocation::Directory(self.chart.clone())),
            };
        };
        let name = ChartName::parse(self.chart.as_written()).ok_or(ChartLocationError::NotAName)?;
        let version = self.version.clone().ok_or(ChartLocationError::NoVersion)?;
        let id = ChartId { repository, name, version };
        Ok(match self.digest.clone() {
            Some(digest) => ChartLocation::Pinned(PinnedChart { id, digest }),
            None => ChartLocation::Unpinned(id),
        })
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
