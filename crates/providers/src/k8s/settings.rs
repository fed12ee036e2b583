//! The operator's settings of a Kubernetes provider: the readable namespaces and the cluster.

use std::path::{Path, PathBuf};

use serde::Deserialize;

use crate::program::LoginProgram;
use crate::{LocalContext, OfflineProblem, ProviderSettings};

/// Secrets of a Kubernetes cluster: the one that sealwave runs in, unless a kubeconfig is set.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
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

impl K8sSettings {
    /// Returns the program that the kubeconfig logs in with, or the problem of the kubeconfig. That the file can be read
    /// is checked separately.
    #[cfg(feature = "k8s")]
    fn login_program(&self, context: &LocalContext<'_>) -> Result<Option<LoginProgram>, OfflineProblem> {
        let Some(file) = self.kubeconfig.as_ref().map(|file| context.operator_dir.join(file)) else {
            return Ok(None);
        };
        if OfflineProblem::of_file(file.clone()).is_some() {
            return Ok(None);
        }
        let search_path = (context.environment)("PATH");
        super::program::login_program(&file, self.context.as_deref(), search_path)
            .map_err(|error| OfflineProblem::unusable(&error))
    }

    /// Returns nothing: this build has no Kubernetes client.
    #[cfg(not(feature = "k8s"))]
    #[expect(clippy::unused_self, clippy::unnecessary_wraps, reason = "the same as with a client")]
    fn login_program(&self, _context: &LocalContext<'_>) -> Result<Option<LoginProgram>, OfflineProblem> {
        Ok(None)
    }
}

impl ProviderSettings for K8sSettings {
    fn credential_files(&self) -> Vec<&Path> {
        self.kubeconfig.iter().map(PathBuf::as_path).collect()
    }

    fn other_spellings(&self, _path: &str) -> Vec<String> {
        Vec::new()
    }

    fn offline_problems(&self, context: &LocalContext<'_>) -> Vec<OfflineProblem> {
        self.login_program(context).err().into_iter().collect()
    }

    fn login_programs(&self, context: &LocalContext<'_>) -> Vec<LoginProgram> {
        self.login_program(context).ok().flatten().into_iter().collect()
    }
}
