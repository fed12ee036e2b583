//! The operator's settings of a Kubernetes provider: the readable namespaces and the cluster.

use std::path::{Path, PathBuf};

use schemars::JsonSchema;
use serde::Deserialize;

use crate::{OfflineProblem, ProviderSettings};

/// Secrets of a Kubernetes cluster: the one that sealwave runs in, unless a kubeconfig is set.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[schemars(extend("oneOf" = [{"required": ["namespace"]}, {"required": ["namespaces"]}]))]
pub struct K8sSettings {
    /// The only readable namespace; placeholders contain just the Secret's name.
    #[serde(default)]
    pub namespace: Option<String>,
    /// The readable namespaces; placeholders contain `NAMESPACE/NAME`.
    #[serde(default)]
    pub namespaces: Vec<String>,
    /// A kubeconfig file.
    #[serde(default)]
    pub kubeconfig: Option<PathBuf>,
    /// A context of the kubeconfig; by default its current one.
    #[serde(default)]
    pub context: Option<String>,
}

impl ProviderSettings for K8sSettings {
    fn credential_files(&self) -> Vec<&Path> {
        self.kubeconfig.iter().map(PathBuf::as_path).collect()
    }

    fn other_spellings(&self, _path: &str) -> Vec<String> {
        Vec::new()
    }

    fn offline_problems(&self, _operator_dir: &Path) -> Vec<OfflineProblem> {
        Vec::new()
    }
}
