//! Errors of providers: four kinds, each with a reason and a hint.
//!
//! The reasons name paths, keys and services, never a value or a part of the document that was searched for one.

use super::Evidence;
use sealwave_core::diagnostic::{BUG_HINT, Explain, PROCESS_LIMITS_HINT};
use sealwave_secrets::values::{KEY_HINT, KeyPathError};

/// The reason of a result that the deadline cut off, until all pending references are known.
const OVERDUE: &str = "the run's deadline was exceeded";

const DEADLINE_HINT: &str = "`deadlineSeconds` in the operator file sets it; stay under Argo CD's own limit";

/// An error of one reference. The reasons name paths, keys and services, never a value.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ProviderError {
    /// The source, or the operator's settings for it, does not allow reading it.
    #[error("is denied: {reason}")]
    Denied {
        /// The cause.
        reason: String,
        /// How to fix it.
        hint: Option<String>,
    },
    /// The reference, or the data that it refers to, is malformed.
    #[error("is not valid: {reason}")]
    Invalid {
        /// The cause.
        reason: String,
        /// How to fix it.
        hint: Option<String>,
    },
    /// The source reported that the secret, key or version does not exist. `default` applies only to this error.
    #[error("is not found: {reason}")]
    NotFound {
        /// The missing secret, key or version.
        reason: String,
        /// How to fix it.
        hint: Option<String>,
        /// The file in Git that lacks it.
        evidence: Option<Evidence>,
    },
    /// The source could not be queried, or did not respond in time.
    #[error("cannot be fetched: {reason}")]
    Unreachable {
        /// The cause.
        reason: String,
        /// How to fix it.
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

    /// Returns the error for a key that cannot be parsed; the placeholder grammar usually rejects it earlier.
    pub(crate) fn bad_key(error: KeyPathError) -> Self {
        Self::invalid(format!("its key {error}"), KEY_HINT)
    }

    pub fn unreachable(reason: impl Into<String>, hint: &str) -> Self {
        Self::Unreachable { reason: reason.into(), hint: Some(hint.to_owned()) }
    }

    /// Returns the error for a reference that was pending at the deadline.
    pub(crate) fn overdue() -> Self {
        Self::unreachable(OVERDUE, DEADLINE_HINT)
    }

    /// Returns the same error with all pending references.
    pub(super) fn overdue_with(awaited: &str) -> Self {
        Self::unreachable(format!("{OVERDUE}; still waiting for: {awaited}"), DEADLINE_HINT)
    }

    /// Returns the error for a system resource that is exhausted.
    pub(super) fn cannot_start(subject: &str, kind: std::io::ErrorKind) -> Self {
        Self::unreachable(format!("{subject} cannot be started ({kind})"), PROCESS_LIMITS_HINT)
    }

    /// Returns the error for a broken invariant.
    pub(super) fn bug(reason: &str) -> Self {
        Self::unreachable(reason, BUG_HINT)
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
