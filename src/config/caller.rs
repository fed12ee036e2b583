//! Who runs sealwave, decided once, and whether the operator's policy may be waived for them.
//!
//! Argo CD speaks for people who only commit, so nothing that is missing there may switch the policy off. A person who has
//! the operator file at hand, with its keys and secrets, may waive it, and has to say so.

use super::{ArgoCd, ConfigError, NamedBy, OperatorPath, Variables};

/// Who runs sealwave.
#[derive(Clone, Debug)]
pub enum Caller {
    /// Argo CD, which says what the app is.
    ArgoCd(ArgoCd),
    /// A person or a job, who says it with flags.
    Local,
}

/// Whether the operator's policy is applied.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PolicyUse {
    /// It decides on every reference, and without a project it allows none.
    Applied,
    /// A person waived it, with `--no-policy`.
    Waived,
}

impl Caller {
    /// Decides who the caller is.
    ///
    /// # Errors
    /// What Argo CD says is incomplete or malformed.
    pub fn decide(variables: Variables) -> Result<Self, ConfigError> {
        Ok(ArgoCd::read(&variables)?.map_or(Self::Local, Self::ArgoCd))
    }

    /// What Argo CD says of the app, where it is the caller.
    #[must_use]
    pub const fn argocd(&self) -> Option<&ArgoCd> {
        match self {
            Self::ArgoCd(argocd) => Some(argocd),
            Self::Local => None,
        }
    }

    /// Decides whether the policy of an operator file is applied, given `--project` and `--no-policy`.
    ///
    /// # Errors
    /// The policy is waived where it cannot be, or neither a project nor the waiver is given.
    pub fn policy_use(
        &self,
        project: Option<&str>,
        no_policy: bool,
        operator: Option<&OperatorPath>,
    ) -> Result<PolicyUse, ConfigError> {
        let by_variable = operator.is_some_and(|path| path.named_by == NamedBy::Variable);
        match self {
            Self::ArgoCd(_) if no_policy => Err(ConfigError::FlagInSidecar("--no-policy")),
            Self::Local if no_policy && by_variable => Err(ConfigError::PolicyOfVariable),
            Self::Local if no_policy => Ok(PolicyUse::Waived),
            Self::Local if project.is_none() && by_variable => Err(ConfigError::NoProjectOfVariable),
            Self::Local if project.is_none() && operator.is_some() => Err(ConfigError::NoProject),
            Self::ArgoCd(_) | Self::Local => Ok(PolicyUse::Applied),
        }
    }
}
