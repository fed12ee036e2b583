//! A source of the app file that is being written.

use serde_json::{Map, Value as Json, json};

/// A source, with the fields of the app file. Paths are relative to the app file.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum SourcePlan {
    Files,
    Helm(Box<HelmPlan>),
    Kustomize { path: String },
}

/// A chart.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct HelmPlan {
    pub(crate) chart: String,
    pub(crate) remote: Option<RemoteChart>,
    pub(crate) release_name: Option<String>,
    pub(crate) namespace: Option<String>,
    pub(crate) value_files: Vec<String>,
    pub(crate) ignore_missing_value_files: bool,
    pub(crate) values: Map<String, Json>,
    pub(crate) skip_crds: bool,
    pub(crate) skip_tests: bool,
}

/// The origin of a chart that is not in the repository.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct RemoteChart {
    pub(crate) repository: String,
    pub(crate) version: String,
}

impl SourcePlan {
    /// Returns the plan for a chart in the repository.
    pub(crate) fn chart(path: &str, value_files: Vec<String>) -> Self {
        Self::Helm(Box::new(HelmPlan { chart: path.to_owned(), value_files, ..HelmPlan::default() }))
    }

    /// Returns the chart, if it is one.
    pub(crate) fn helm(&self) -> Option<&HelmPlan> {
        match self {
            Self::Helm(helm) => Some(helm),
            Self::Files | Self::Kustomize { .. } => None,
        }
    }

    /// Returns the paths in which the name of the environment may stand.
    pub(crate) fn paths_mut(&mut self) -> Vec<&mut String> {
        match self {
            Self::Files => Vec::new(),
            Self::Helm(helm) => {
                let own = helm.remote.is_none().then_some(&mut helm.chart);
                own.into_iter().chain(&mut helm.value_files).collect()
            }
            Self::Kustomize { path } => vec![path],
        }
    }

    /// Returns these paths.
    pub(crate) fn paths(&self) -> Vec<&str> {
        match self {
            Self::Files => Vec::new(),
            Self::Helm(helm) => {
                let own = helm.remote.is_none().then_some(&helm.chart);
                own.into_iter().chain(&helm.value_files).map(String::as_str).collect()
            }
            Self::Kustomize { path } => vec![path],
        }
    }

    /// Returns the item of `sources`, without fields that have their defaults.
    pub(crate) fn to_json(&self) -> Json {
        match self {
            Self::Files => json!({"files": {}}),
            Self::Helm(helm) => json!({"helm": helm.to_json()}),
            Self::Kustomize { path } => json!({"kustomize": {"path": path}}),
        }
    }
}

impl HelmPlan {
    fn to_json(&self) -> Json {
        let mut fields = Map::new();
        let mut set = |name: &str, value: Json| drop(fields.insert(name.to_owned(), value));
        set("chart", self.chart.clone().into());
        if let Some(RemoteChart { repository, version }) = &self.remote {
            set("repository", repository.clone().into());
            set("version", version.clone().into());
            set("digest", "sha256:".into());
        }
        for (name, text) in [("releaseName", &self.release_name), ("namespace", &self.namespace)] {
            if let Some(text) = text {
                set(name, text.clone().into());
            }
        }
        if !self.value_files.is_empty() {
            set("valueFiles", self.value_files.clone().into());
        }
        let flags = [
            ("ignoreMissingValueFiles", self.ignore_missing_value_files),
            ("skipCrds", self.skip_crds),
            ("skipTests", self.skip_tests),
        ];
        for (name, _) in flags.into_iter().filter(|(_, is_set)| *is_set) {
            set(name, true.into());
        }
        if !self.values.is_empty() {
            set("values", self.values.clone().into());
        }
        fields.into()
    }
}
