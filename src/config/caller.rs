//! Determines the caller of sealwave once, and whether the caller may waive the operator's policy.
//!
//! Argo CD acts for users who only commit, so nothing that is missing there may disable the policy. A person who has
//! the operator file with its keys and secrets may waive it, but must do so explicitly.

use super::{ArgoCdContext, ConfigError, OperatorPath, PathSource, VariableReader};

/// The caller of sealwave.
#[derive(Clone, Debug)]
pub enum Caller {
    /// Argo CD, which describes the app.
    ArgoCd(Box<ArgoCdContext>),
    /// A person or job, which uses flags.
    Local,
}

/// Whether the operator's policy is applied.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PolicyUse {
    /// The policy decides on every reference. Without a project, it allows none.
    Applied,
    /// The policy is waived with `--no-policy`.
    Waived,
}

impl Caller {
    /// Determines the caller.
    ///
    /// # Errors
    /// Argo CD's description is incomplete or malformed.
    pub fn detect(variables: VariableReader) -> Result<Self, ConfigError> {
        Ok(ArgoCdContext::read(&variables)?.map_or(Self::Local, |argocd| Self::ArgoCd(Box::new(argocd))))
    }

    /// Returns Argo CD's description of the app if Argo CD is the caller.
    #[must_use]
    pub const fn argocd(&self) -> Option<&ArgoCdContext> {
        match self {
            Self::ArgoCd(argocd) => Some(argocd),
            Self::Local => None,
        }
    }

    /// Decides whether the policy of an operator file is applied, given `--project` and `--no-policy`.
    ///
    /// # Errors
    /// The policy must not be waived here, or neither a project nor the waiver is given.
    pub fn policy_use(
        &self,
        project: Option<&str>,
        no_policy: bool,
        operator: Option<&OperatorPath>,
    ) -> Result<PolicyUse, ConfigError> {
        let by_variable = operator.is_some_and(|path| path.named_by == PathSource::Variable);
        match self {
            Self::ArgoCd(_) if no_policy => Err(ConfigError::FlagInSidecar("--no-policy")),
            Self::Local if no_policy && by_variable => Err(ConfigError::PolicyWaiverWithVariable),
            Self::Local if no_policy => Ok(PolicyUse::Waived),
            Self::Local if project.is_none() && by_variable => Err(ConfigError::NoProjectWithVariable),
            Self::Local if project.is_none() && operator.is_some() => Err(ConfigError::NoProject),
            Self::ArgoCd(_) | Self::Local => Ok(PolicyUse::Applied),
        }
    }
}
