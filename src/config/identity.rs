//! Who the app is: what Argo CD says, or what flags say in its place.

use std::path::Path;

use super::{Caller, ConfigError};
use crate::cli::IdentityArgs;
use sealwave_secrets::policy::{Subject, without_credentials};

/// Who the app is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Identity {
    /// Name of the app.
    pub app: String,
    /// Argo CD project; `None` before Argo CD 3.0, and in a local run without `--project`.
    pub project: Option<String>,
    /// Destination namespace.
    pub namespace: Option<String>,
    /// URL of the app's repository, without credentials.
    pub repository: Option<String>,
    /// Git revision; empty where it is not known.
    pub revision: String,
}

impl Identity {
    /// Takes what Argo CD says where it is the caller, else what the flags say.
    ///
    /// # Errors
    /// A flag that would contradict Argo CD.
    pub fn decide(caller: &Caller, flags: &IdentityArgs, dir: &Path) -> Result<Self, ConfigError> {
        let Some(argocd) = caller.argocd() else { return Ok(Self::local(flags, dir)) };
        for (flag, given) in [
            ("--project", &flags.project),
            ("--app", &flags.app),
            ("--namespace", &flags.namespace),
            ("--repository", &flags.repository),
        ] {
            if given.is_some() {
                return Err(ConfigError::FlagInSidecar(flag));
            }
        }
        Ok(Self {
            app: argocd.app.clone(),
            project: argocd.project.clone(),
            namespace: argocd.namespace.clone(),
            repository: argocd.repository.clone(),
            revision: argocd.revision.clone().unwrap_or_default(),
        })
    }

    /// Whom the operator's policy is asked about, in one environment.
    #[must_use]
    pub fn subject(&self, environment: &str) -> Subject {
        Subject {
            project: self.project.clone().unwrap_or_default(),
            app: self.app.clone(),
            namespace: self.namespace.clone().unwrap_or_default(),
            repository: self.repository.clone().unwrap_or_default(),
            environment: environment.to_owned(),
        }
    }

    fn local(flags: &IdentityArgs, dir: &Path) -> Self {
        let directory = || {
            let full = fs_err::canonicalize(dir).unwrap_or_else(|_| dir.to_path_buf());
            full.file_name().map_or_else(|| "app".to_owned(), |name| name.to_string_lossy().into_owned())
        };
        Self {
            app: flags.app.clone().unwrap_or_else(directory),
            project: flags.project.clone(),
            namespace: flags.namespace.clone(),
            repository: flags.repository.as_deref().map(without_credentials),
            revision: String::new(),
        }
    }
}
