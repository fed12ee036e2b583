//! Errors of providers, each with a reason and a hint.
//!
//! The reasons name paths, keys and services, never a value or a part of the document that was searched for one.

use super::Evidence;
use sealwave_core::diagnostic::{BUG_HINT, Explain, PROCESS_LIMITS_HINT};
use sealwave_secrets::values::{EntriesError, KEY_HINT, KeyPathError};

const DEADLINE_HINT: &str = "`deadlineSeconds` in the operator file sets it; stay under Argo CD's own limit";

/// An error of one reference. The reasons name paths, keys and services, never a value.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ProviderError {
    /// The source, or the operator's settings for it, does not allow reading it.
    #[error("is denied: {reason}")]
    Denied {
        /// The cause.
        reason: String,
        /// Advice for the user.
        hint: Option<String>,
    },
    /// The reference, or the data that it refers to, is malformed.
    #[error("is not valid: {reason}")]
    Invalid {
        /// The cause.
        reason: String,
        /// Advice for the user.
        hint: Option<String>,
    },
    /// The source reported that the secret, key or version does not exist. `default` applies only to this error.
    #[error("is not found: {reason}")]
    NotFound {
        /// The missing secret, key or version.
        reason: String,
        /// Advice for the user.
        hint: Option<String>,
        /// The file in Git that lacks it.
        evidence: Option<Evidence>,
    },
    /// The deadline cut off the result.
    #[error("cannot be fetched: the run's deadline was exceeded{}", still_waiting(.pending.as_deref()))]
    Overdue {
        /// All references of the provider that are pending; `None` until they are known.
        pending: Option<String>,
    },
    /// The source could not be queried, or did not respond in time.
    #[error("cannot be fetched: {reason}")]
    Unreachable {
        /// The cause.
        reason: String,
        /// Advice for the user.
        hint: Option<String>,
    },
}

impl ProviderError {
    /// Returns the error for a source or a setting that does not allow reading.
    pub fn denied(reason: impl Into<String>, hint: &str) -> Self {
        Self::Denied { reason: reason.into(), hint: Some(hint.to_owned()) }
    }

    /// Returns the error for a malformed reference or malformed data.
    pub(crate) fn invalid(reason: impl Into<String>, hint: &str) -> Self {
        Self::Invalid { reason: reason.into(), hint: Some(hint.to_owned()) }
    }

    /// Returns the error for something that does not exist, without evidence.
    pub fn not_found(reason: impl Into<String>, hint: &str) -> Self {
        Self::NotFound { reason: reason.into(), hint: Some(hint.to_owned()), evidence: None }
    }

    /// Returns the error for a key that cannot be parsed; the placeholder grammar usually rejects it earlier.
    pub(crate) fn bad_key(error: KeyPathError) -> Self {
        Self::invalid(format!("its key {error}"), KEY_HINT)
    }

    /// Returns the error for a source that cannot be queried.
    pub fn unreachable(reason: impl Into<String>, hint: &str) -> Self {
        Self::Unreachable { reason: reason.into(), hint: Some(hint.to_owned()) }
    }

    /// Returns the error for a reference that was pending at the deadline.
    pub(crate) const fn overdue() -> Self {
        Self::Overdue { pending: None }
    }

    /// Returns the error for a system resource that is exhausted.
    pub(crate) fn cannot_start(subject: &str, kind: std::io::ErrorKind) -> Self {
        Self::unreachable(format!("{subject} cannot be started ({kind})"), PROCESS_LIMITS_HINT)
    }

    /// Returns the cause, for messages that are not about a reference.
    pub(crate) fn reason(&self) -> String {
        match self {
            Self::Denied { reason, .. }
            | Self::Invalid { reason, .. }
            | Self::NotFound { reason, .. }
            | Self::Unreachable { reason, .. } => reason.clone(),
            Self::Overdue { .. } => "the login was not complete before the deadline".to_owned(),
        }
    }

    /// Adds the cluster that was asked to the reason.
    #[cfg(feature = "k8s")]
    pub(crate) fn with_peer(mut self, peer: &crate::cluster_peer::ClusterPeer) -> Self {
        match &mut self {
            Self::Denied { reason, .. }
            | Self::Invalid { reason, .. }
            | Self::NotFound { reason, .. }
            | Self::Unreachable { reason, .. } => *reason = format!("{reason}; {peer}"),
            Self::Overdue { .. } => {}
        }
        self
    }

    /// Returns the error for a broken invariant.
    pub(crate) fn bug(reason: &str) -> Self {
        Self::unreachable(reason, BUG_HINT)
    }
}

/// Formats the pending references for a message.
fn still_waiting(pending: Option<&str>) -> String {
    pending.map_or_else(String::new, |pending| format!("; still waiting for: {pending}"))
}

impl Explain for ProviderError {
    fn hint(&self) -> Option<String> {
        match self {
            Self::Denied { hint, .. }
            | Self::Invalid { hint, .. }
            | Self::NotFound { hint, .. }
            | Self::Unreachable { hint, .. } => hint.clone(),
            Self::Overdue { .. } => Some(DEADLINE_HINT.to_owned()),
        }
    }
}

impl From<EntriesError> for ProviderError {
    fn from(error: EntriesError) -> Self {
        let hint = match error {
            EntriesError::Duplicate => "remove one of them from the secret",
            EntriesError::NotAnObject | EntriesError::Syntax => {
                "to get the whole value, put the placeholder into an item of `stringData`"
            }
            EntriesError::TooMany => "put a placeholder for each key that is needed into `stringData`",
        };
        Self::invalid(error.to_string(), hint)
    }
}
