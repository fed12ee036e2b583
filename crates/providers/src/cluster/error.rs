//! Errors of requests to a cluster. None has any text of a response.

use sealwave_core::diagnostic::Explain;

use crate::ProviderError;

/// An error of a request to a cluster.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ClusterError {
    /// The object exists already, or another client has changed it.
    #[error("{subject} exists already or was changed by another client (409)")]
    Conflict {
        /// The object.
        subject: String,
    },
    /// RBAC does not allow the request.
    #[error("this user is not allowed to `{verb}` {subject} (403)")]
    Denied {
        /// The verb of RBAC.
        verb: &'static str,
        /// The object.
        subject: String,
        /// The resource of RBAC, such as `services/proxy`.
        resource: String,
        /// The API group; empty for the core group.
        group: String,
        /// The namespace; `None` for a resource of the cluster.
        namespace: Option<String>,
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
    #[error("the cluster rejected the credentials (401)")]
    Unauthenticated,
    /// The connection cannot be made, or does not respond in time.
    #[error("{reason}")]
    Unreachable {
        /// The cause.
        reason: String,
        /// Advice for the user.
        hint: Option<String>,
    },
}

impl ClusterError {
    /// Reports whether the error says that an object does not exist.
    #[must_use]
    pub const fn is_not_found(&self) -> bool {
        matches!(self, Self::NotFound { .. })
    }

    /// Reports whether RBAC does not allow the request.
    #[must_use]
    pub const fn is_denied(&self) -> bool {
        matches!(self, Self::Denied { .. })
    }
}

/// Converts an error of the connection; what it says about references does not apply here.
impl From<ProviderError> for ClusterError {
    fn from(error: ProviderError) -> Self {
        match error {
            ProviderError::Overdue { .. } => Self::Unreachable {
                reason: "the cluster did not respond before the deadline".to_owned(),
                hint: Some(
                    "check that the cluster's API is reachable from here, or allow more time".to_owned(),
                ),
            },
            error => Self::Unreachable { reason: error.reason(), hint: error.hint() },
        }
    }
}

impl Explain for ClusterError {
    fn hint(&self) -> Option<String> {
        let hint = match self {
            Self::Conflict { .. } => "try again",
            Self::Denied { verb, resource, group, namespace, .. } => {
                return Some(grant_hint(verb, resource, group, namespace.as_deref()));
            }
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
            Self::Unauthenticated => {
                "check that the token or certificate belongs to this cluster and has not expired"
            }
            Self::Unreachable { hint, .. } => return hint.clone(),
        };
        Some(hint.to_owned())
    }
}

fn grant_hint(verb: &str, resource: &str, group: &str, namespace: Option<&str>) -> String {
    let group = if group.is_empty() { String::new() } else { format!(" in API group `{group}`") };
    match namespace {
        Some(namespace) => {
            format!("grant `{verb}` on `{resource}`{group} with a Role in namespace `{namespace}`")
        }
        None => format!("grant `{verb}` on `{resource}`{group} with a ClusterRole"),
    }
}
