//! Errors of requests to a cluster: what failed, for which object, and which cluster was asked. None has any text of a response.

use std::fmt;
use std::sync::Arc;

use sealwave_core::diagnostic::Explain;

use crate::ProviderError;
use crate::cluster_peer::ClusterPeer;

/// An error of a request to a cluster, with the server and the context that were asked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ClusterError {
    failure: Box<ClusterFailure>,
    /// `None` before the login.
    peer: Option<Arc<ClusterPeer>>,
}

impl std::error::Error for ClusterError {}

impl fmt::Display for ClusterError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.failure.fmt(f)?;
        match &self.peer {
            Some(peer) => write!(f, "; {peer}"),
            None => Ok(()),
        }
    }
}

impl From<ClusterFailure> for ClusterError {
    fn from(failure: ClusterFailure) -> Self {
        Self { failure: Box::new(failure), peer: None }
    }
}

impl From<ProviderError> for ClusterError {
    fn from(error: ProviderError) -> Self {
        ClusterFailure::from(error).into()
    }
}

impl ClusterError {
    /// Returns the error with the cluster that was asked.
    #[cfg(feature = "k8s")]
    pub(super) fn at(self, peer: &Arc<ClusterPeer>) -> Self {
        Self { peer: Some(Arc::clone(peer)), ..self }
    }

    /// Returns the cause, without the cluster.
    #[must_use]
    pub const fn failure(&self) -> &ClusterFailure {
        &self.failure
    }

    /// Reports whether the error says that an object does not exist.
    #[must_use]
    pub const fn is_not_found(&self) -> bool {
        matches!(self.failure(), ClusterFailure::NotFound { .. })
    }

    /// Reports whether RBAC does not allow the request.
    #[must_use]
    pub const fn is_denied(&self) -> bool {
        matches!(self.failure(), ClusterFailure::Denied { .. })
    }

    /// Reports whether another object is in the way, or another client was faster.
    #[must_use]
    pub const fn is_conflict(&self) -> bool {
        matches!(self.failure(), ClusterFailure::Conflict { .. })
    }

    /// Reports whether the API server, or the service behind it, fails.
    #[must_use]
    pub const fn is_failed(&self) -> bool {
        matches!(self.failure(), ClusterFailure::Failed { .. })
    }

    /// Reports whether only the object of the request cannot be read, so that other requests can succeed.
    #[must_use]
    pub const fn is_about_object(&self) -> bool {
        matches!(
            self.failure(),
            ClusterFailure::Denied { .. }
                | ClusterFailure::InvalidName { .. }
                | ClusterFailure::Malformed { .. }
                | ClusterFailure::NotFound { .. }
                | ClusterFailure::TooLarge { .. }
        )
    }
}

impl Explain for ClusterError {
    fn hint(&self) -> Option<String> {
        self.failure.hint()
    }
}

/// A rule of RBAC for a request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RbacRule {
    /// The verb.
    pub verb: &'static str,
    /// The resource, such as `services/proxy`.
    pub resource: String,
    /// The API group; empty for the core group.
    pub group: String,
    /// The namespace; `None` for a resource of the cluster.
    pub namespace: Option<String>,
    /// The name that the rule can be limited to.
    pub name: Option<String>,
}

/// A failure of a request to a cluster.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ClusterFailure {
    /// The object exists already, or another client has changed it.
    #[error("{subject} exists already or was changed by another client (409)")]
    Conflict {
        /// The object.
        subject: String,
    },
    /// RBAC does not allow the request.
    #[error("this user is not allowed to `{}` {subject} (403)", .rule.verb)]
    Denied {
        /// The object.
        subject: String,
        /// The missing rule.
        rule: Box<RbacRule>,
    },
    /// A list changed before all of its pages were read.
    #[error("{subject} expired before all of its pages were read (410)")]
    Expired {
        /// The list.
        subject: String,
    },
    /// The API server, or the service behind it, fails.
    #[error("{subject} cannot be reached: the cluster's API failed ({status})")]
    Failed {
        /// The object.
        subject: String,
        /// The status.
        status: u16,
        /// Whether the request was for a service.
        through_service: bool,
    },
    /// A name cannot be a part of a path.
    #[error("{subject} does not have a valid name")]
    InvalidName {
        /// The object.
        subject: String,
    },
    /// The response is not what the API server returns for the request.
    #[error("response about {subject} is not valid: {reason}")]
    Malformed {
        /// The object.
        subject: String,
        /// The expected content.
        reason: &'static str,
    },
    /// The object does not exist.
    #[error("{subject} does not exist")]
    NotFound {
        /// The object.
        subject: String,
    },
    /// The API server refuses the request for another reason.
    #[error("request for {subject} was rejected ({status})")]
    Rejected {
        /// The object.
        subject: String,
        /// The status.
        status: u16,
    },
    /// Requests are throttled until the deadline.
    #[error("{subject} cannot be reached: too many requests (429)")]
    Throttled {
        /// The object.
        subject: String,
    },
    /// The response is too large.
    #[error("response about {subject} is larger than {mebibytes} MiB")]
    TooLarge {
        /// The object.
        subject: String,
        /// The limit.
        mebibytes: usize,
    },
    /// The credentials are not valid.
    #[error("the cluster rejected the credentials of a request for {subject} (401)")]
    Unauthenticated {
        /// The object.
        subject: String,
    },
    /// The connection cannot be made, or does not respond in time.
    #[error("{}{reason}", asked(.request.as_deref()))]
    Unreachable {
        /// The verb and the object; `None` for the login.
        request: Option<String>,
        /// The cause.
        reason: String,
        /// Advice for the user.
        hint: Option<String>,
    },
}

/// Returns the start of a message about a request.
fn asked(request: Option<&str>) -> String {
    request.map_or_else(String::new, |request| format!("cannot {request}: "))
}

impl ClusterFailure {
    /// Returns the failure of a connection for a request.
    #[cfg(feature = "k8s")]
    pub(super) fn of_request(self, verb: &str, subject: &str) -> Self {
        match self {
            Self::Unreachable { reason, hint, .. } => {
                Self::Unreachable { request: Some(format!("`{verb}` {subject}")), reason, hint }
            }
            other => other,
        }
    }
}

/// Converts an error of the connection; what it says about references does not apply here.
impl From<ProviderError> for ClusterFailure {
    fn from(error: ProviderError) -> Self {
        match error {
            ProviderError::Overdue { .. } => Self::Unreachable {
                request: None,
                reason: "the cluster did not respond before the deadline".to_owned(),
                hint: Some(
                    "check that the cluster's API is reachable from here, or allow more time".to_owned(),
                ),
            },
            error => Self::Unreachable { request: None, reason: error.reason(), hint: error.hint() },
        }
    }
}

impl Explain for ClusterFailure {
    fn hint(&self) -> Option<String> {
        let hint = match self {
            Self::Conflict { .. } => "try again",
            Self::Denied { rule, .. } => return Some(rule.hint()),
            Self::Expired { .. } => "try again over a faster connection",
            Self::Failed { through_service: true, .. } => {
                "check that its pods are ready, and that the API server can reach them: a firewall or a NetworkPolicy may be between them"
            }
            Self::Failed { .. } => "check that the cluster's API is healthy: `kubectl get --raw /readyz`",
            Self::InvalidName { .. } => "correct the name",
            Self::Malformed { .. } | Self::Rejected { .. } => {
                "check that the cluster's address is that of its API server, and that the resource is served: `kubectl api-resources`"
            }
            Self::NotFound { .. } => "check its name, its namespace and the context of the kubeconfig",
            Self::Throttled { .. } => "try again later, with fewer clients at the same time",
            Self::TooLarge { .. } => "check that the cluster's address is that of its API server",
            Self::Unauthenticated { .. } => {
                "check that the token or certificate belongs to this cluster and has not expired"
            }
            Self::Unreachable { hint, .. } => return hint.clone(),
        };
        Some(hint.to_owned())
    }
}

impl RbacRule {
    /// Returns the advice to add the rule. Its names were parts of a path, so they have no characters to escape.
    fn hint(&self) -> String {
        let Self { verb, resource, group, namespace, name } = self;
        let in_group = if group.is_empty() { String::new() } else { format!(" in API group `{group}`") };
        let role = match namespace {
            Some(namespace) => format!("a Role in namespace `{namespace}`"),
            None => "a ClusterRole".to_owned(),
        };
        let names = name.as_ref().map(|name| format!(", resourceNames: [\"{name}\"]")).unwrap_or_default();
        format!(
            "grant `{verb}` on `{resource}`{in_group} with {role}: `- {{apiGroups: [\"{group}\"], resources: [\"{resource}\"], verbs: [\"{verb}\"]{names}}}`"
        )
    }
}
