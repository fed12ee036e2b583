//! Why a reference gave no value: four kinds, each with a reason and what to do.
//!
//! The reasons name paths, keys and services, never a value, nor a part of the document that one was looked for in.

use super::Evidence;
use sealwave_core::diagnostic::Explain;
use sealwave_secrets::values::{KEY_HINT, KeyPathError};

/// What an answer says that the deadline cut off, until it is known what else was awaited.
const OVERDUE: &str = "the run's deadline came first";

const DEADLINE_HINT: &str = "`deadlineSeconds` in the operator file sets it; stay under Argo CD's own limit";

/// Why a reference gave no value. The reasons name paths, keys and services, never a value.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ProviderError {
    /// The source, or the operator's settings for it, do not let us read it.
    #[error("is denied: {reason}")]
    Denied {
        /// Why.
        reason: String,
        /// What to do.
        hint: Option<String>,
    },
    /// The reference, or what it leads to, is not of the right form.
    #[error("is not valid: {reason}")]
    Invalid {
        /// Why.
        reason: String,
        /// What to do.
        hint: Option<String>,
    },
    /// The source answered that there is no such secret, key or version. Only this lets `default` apply.
    #[error("is not found: {reason}")]
    NotFound {
        /// What is missing.
        reason: String,
        /// What to do.
        hint: Option<String>,
        /// The file in Git that does not have it.
        evidence: Option<Evidence>,
    },
    /// The source could not be asked, or did not answer in time.
    #[error("cannot be fetched: {reason}")]
    Unreachable {
        /// Why.
        reason: String,
        /// What to do.
        hint: Option<String>,
    },
}

impl ProviderError {
    pub fn denied(reason: impl Into<String>, hint: &str) -> Self {
        Self::Denied { reason: reason.into(), hint: Some(hint.to_owned()) }
    }

    pub(crate) fn invalid(reason: impl Into<String>, hint: &str) -> Self {
        Self::Invalid { reason: reason.into(), hint: Some(hint.to_owned()) }
    }

    pub fn not_found(reason: impl Into<String>, hint: &str) -> Self {
        Self::NotFound { reason: reason.into(), hint: Some(hint.to_owned()), evidence: None }
    }

    /// The key of a reference is not a key; grammars refuse such texts before.
    pub(crate) fn bad_key(error: KeyPathError) -> Self {
        Self::invalid(format!("its key {error}"), KEY_HINT)
    }

    pub fn unreachable(reason: impl Into<String>, hint: &str) -> Self {
        Self::Unreachable { reason: reason.into(), hint: Some(hint.to_owned()) }
    }

    /// The answer for what was still awaited when the deadline came.
    pub(crate) fn overdue() -> Self {
        Self::unreachable(OVERDUE, DEADLINE_HINT)
    }

    /// The same, once it is known what was awaited.
    pub(super) fn overdue_with(awaited: &str) -> Self {
        Self::unreachable(format!("{OVERDUE}; still awaited: {awaited}"), DEADLINE_HINT)
    }

    pub(super) fn is_overdue(&self) -> bool {
        matches!(self, Self::Unreachable { reason, .. } if reason == OVERDUE)
    }
}

impl Explain for ProviderError {
    fn hint(&self) -> Option<String> {
        match self {
            Self::Denied { hint, .. }
            | Self::Invalid { hint, .. }
            | Self::NotFound { hint, .. }
            | Self::Unreachable { hint, .. } => hint.clone(),
        }
    }
}
