//! The identity of the app, from Argo CD or from flags.

use std::path::Path;

use super::{Caller, ConfigError};
use crate::cli::IdentityArgs;
use sealwave_secrets::policy::{PolicySubject, without_credentials};

/// The identity of the app.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AppIdentity {
    /// The app's name.
    pub app: String,
    /// The Argo CD project; `None` before Argo CD 3.0, and in a local run without `--project`.
    pub project: Option<String>,
    /// The destination namespace.
    pub namespace: Option<String>,
    /// The URL of the app's repository, without credentials.
    pub repository: Option<String>,
    /// The Git revision; empty if unknown.
    pub revision: String,
}

impl AppIdentity {
    /// Uses Argo CD's description if Argo CD is the caller, and the flags otherwise.
    ///
    /// # Errors
    /// A flag contradicts Argo CD.
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

    /// Returns the subject for the operator's policy, in one environment.
    #[must_use]
    pub fn subject(&self, environment: &str) -> PolicySubject {
        PolicySubject {
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
