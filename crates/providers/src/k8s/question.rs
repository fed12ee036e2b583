//! What a cluster is asked: the bounds of its answer, and what a refusal means.

use std::time::Duration;

use super::super::ProviderError;
use super::connection::refused;

/// One GET.
pub(super) enum Question<'q> {
    /// `CustomResourceDefinition`s: the first page of the list, or the one that this token leads to.
    Definitions { page: Option<&'q str> },
    /// One Secret.
    Secret { namespace: &'q str, name: &'q str },
}

impl Question<'_> {
    /// After this, an attempt counts as failed and another one begins.
    pub(super) const fn patience(&self) -> Duration {
        Duration::from_secs(match self {
            Self::Definitions { .. } => 60,
            Self::Secret { .. } => 10,
        })
    }

    /// Bytes of an answer; the values of a Secret are one MiB at most, and so is what etcd keeps of a definition.
    pub(super) const fn max_answer(&self) -> usize {
        match self {
            Self::Definitions { .. } => 64 << 20,
            Self::Secret { .. } => 8 << 20,
        }
    }

    pub(super) fn too_large(&self) -> ProviderError {
        let reason = format!("the cluster's answer is larger than {} MiB", self.max_answer() >> 20);
        let hint = match self {
            Self::Definitions { .. } => "see that the address of the cluster is that of its API",
            Self::Secret { .. } => "a Secret holds one MiB at most",
        };
        ProviderError::invalid(reason, hint)
    }

    pub(super) fn malformed(&self) -> ProviderError {
        match self {
            Self::Definitions { .. } => {
                ProviderError::invalid("it cannot be asked for", "report this as a bug")
            }
            Self::Secret { .. } => {
                ProviderError::invalid("the path is not a valid Secret name", "correct the name")
            }
        }
    }

    pub(super) fn forbidden(&self) -> ProviderError {
        match self {
            Self::Definitions { .. } => ProviderError::denied(
                "this user may not `list` `customresourcedefinitions.apiextensions.k8s.io` (403)",
                "a ClusterRole with that verb on that resource lets you; or let somebody pull who may",
            ),
            Self::Secret { namespace, name } => ProviderError::denied(
                format!("sealwave may not get Secret `{name}` in namespace `{namespace}`"),
                "give its service account a Role in that namespace with `get` on `secrets`",
            ),
        }
    }

    pub(super) fn missing(&self) -> ProviderError {
        match self {
            Self::Definitions { .. } => refused(404),
            Self::Secret { namespace, name } => ProviderError::not_found(
                format!("there is no Secret `{name}` in namespace `{namespace}`"),
                "correct the name, or make the Secret",
            ),
        }
    }

    pub(super) fn expired(&self) -> ProviderError {
        match self {
            Self::Definitions { .. } => ProviderError::unreachable(
                "the cluster has forgotten the list before all of it was read (410)",
                "run it again, over a faster connection",
            ),
            Self::Secret { .. } => refused(410),
        }
    }
}
