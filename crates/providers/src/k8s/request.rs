//! Requests to a cluster: the limits of their responses, and the errors for each status.

use std::time::Duration;

use crate::ProviderError;
use sealwave_core::diagnostic::BUG_HINT;

/// A request.
pub(super) enum ClusterRequest<'q> {
    /// Whether these credentials may get all Secrets of a namespace.
    Access { namespace: &'q str },
    /// The list of `CustomResourceDefinition`s: its first page, or the page of a continue token.
    Definitions { page: Option<&'q str> },
    /// The name of these credentials' user.
    Identity,
    /// One Secret.
    Secret { namespace: &'q str, name: &'q str },
}

impl ClusterRequest<'_> {
    /// Returns the timeout of one attempt.
    pub(super) const fn timeout(&self) -> Duration {
        Duration::from_secs(match self {
            Self::Definitions { .. } => 60,
            Self::Access { .. } | Self::Identity | Self::Secret { .. } => 10,
        })
    }

    /// Returns the largest response in bytes; a Secret's values are at most one MiB, and so is a definition in etcd.
    pub(super) const fn max_response(&self) -> usize {
        match self {
            Self::Definitions { .. } => 64 << 20,
            Self::Access { .. } | Self::Identity => 1 << 20,
            Self::Secret { .. } => 8 << 20,
        }
    }

    pub(super) fn too_large(&self) -> ProviderError {
        let reason = format!("the cluster's response is larger than {} MiB", self.max_response() >> 20);
        let hint = match self {
            Self::Access { .. } | Self::Definitions { .. } | Self::Identity => ADDRESS_HINT,
            Self::Secret { .. } => "a Secret contains at most one MiB",
        };
        ProviderError::invalid(reason, hint)
    }

    pub(super) fn malformed(&self) -> ProviderError {
        match self {
            Self::Access { .. } | Self::Definitions { .. } | Self::Identity => {
                ProviderError::invalid("the request cannot be built", BUG_HINT)
            }
            Self::Secret { .. } => {
                ProviderError::invalid("the path is not a valid Secret name", "correct the name")
            }
        }
    }

    /// Returns the error for 403. A review that the cluster does not have or allow counts as missing.
    pub(super) fn forbidden(&self) -> ProviderError {
        match self {
            Self::Access { .. } | Self::Identity => no_review(403),
            Self::Definitions { .. } => ProviderError::denied(
                "this user is not allowed to `list` `customresourcedefinitions.apiextensions.k8s.io` (403)",
                "grant that verb on that resource with a ClusterRole, or pull as another user",
            ),
            Self::Secret { namespace, name } => ProviderError::denied(
                format!("sealwave is not allowed to get Secret `{name}` in namespace `{namespace}`"),
                "bind its service account to a Role in that namespace with `get` on `secrets`",
            ),
        }
    }

    pub(super) fn missing(&self) -> ProviderError {
        match self {
            Self::Access { .. } | Self::Identity => no_review(404),
            Self::Definitions { .. } => unexpected_status(404),
            Self::Secret { namespace, name } => ProviderError::not_found(
                format!("Secret `{name}` does not exist in namespace `{namespace}`"),
                "correct the name, or create the Secret",
            ),
        }
    }

    pub(super) fn expired(&self) -> ProviderError {
        match self {
            Self::Definitions { .. } => ProviderError::unreachable(
                "the list expired before all pages were read (410)",
                "try again over a faster connection",
            ),
            Self::Access { .. } | Self::Identity | Self::Secret { .. } => unexpected_status(410),
        }
    }
}

/// Returns the error for a status that the API does not return for such a request.
pub(super) fn unexpected_status(status: u16) -> ProviderError {
    ProviderError::unreachable(format!("the cluster's API rejected the request ({status})"), ADDRESS_HINT)
}

/// Returns the error for a review that the cluster does not answer.
fn no_review(status: u16) -> ProviderError {
    ProviderError::not_found(format!("the cluster does not answer the review ({status})"), ADDRESS_HINT)
}

const ADDRESS_HINT: &str = "check that the cluster's address is that of its API server";
