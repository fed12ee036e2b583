//! Errors of requests to the controller. None has any text of a response.

use sealwave_core::diagnostic::Explain;
use sealwave_core::text::quoted_list;
use sealwave_providers::ClusterError;
use sealwave_secrets::crypto::CertificateError;

/// An error of a request to the controller.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ControllerError {
    /// Services with both default names exist.
    #[error("there are several sealed-secrets controllers: Services {}; {cluster}", quoted_list(.names))]
    Ambiguous {
        /// The names of the Services.
        names: Vec<String>,
        /// The server and the context.
        cluster: String,
    },
    /// The published certificate cannot be used.
    #[error("{service} does not publish a usable certificate: {error}; {cluster}")]
    Certificate {
        /// The server and the context.
        cluster: String,
        /// The service.
        service: String,
        /// The problem.
        error: CertificateError,
    },
    /// The cluster cannot be asked.
    #[error(transparent)]
    Cluster(#[from] ClusterError),
    /// No controller has the expected name.
    #[error(
        "no sealed-secrets controller was found: there is no Service {names} in namespace `{namespace}`; {cluster}"
    )]
    NotFound {
        /// The server and the context.
        cluster: String,
        /// The names that were tried.
        names: String,
        /// The namespace.
        namespace: String,
        /// The services with the label of the controller, as `NAMESPACE/NAME`.
        candidates: Vec<String>,
    },
    /// The service has no port.
    #[error("{service} has no port; {cluster}")]
    NoPort {
        /// The server and the context.
        cluster: String,
        /// The service.
        service: String,
    },
    /// The controller cannot seal the items of an object again.
    #[error(
        "controller cannot re-seal SealedSecret `{object}`: none of its keys decrypts {}; {cluster}",
        undecryptable(.items)
    )]
    NotResealed {
        /// The server and the context.
        cluster: String,
        /// The object, as `NAMESPACE/NAME`.
        object: String,
        /// The items that cannot be decrypted; none if they are not known.
        items: Vec<String>,
    },
    /// The controller cannot read an object.
    #[error("controller cannot check SealedSecret `{object}`; {cluster}")]
    NotVerified {
        /// The server and the context.
        cluster: String,
        /// The object, as `NAMESPACE/NAME`.
        object: String,
    },
    /// The service returns another status than a controller.
    #[error("{service} is not a sealed-secrets controller: `{path}` returns {status}; {cluster}")]
    Unexpected {
        /// The server and the context.
        cluster: String,
        /// The service.
        service: String,
        /// The path.
        path: &'static str,
        /// The status.
        status: u16,
    },
    /// The response of the controller does not have the items that were sent.
    #[error("response of the controller for SealedSecret `{object}` was refused: {reason}; {cluster}")]
    WrongResponse {
        /// The server and the context.
        cluster: String,
        /// The object, as `NAMESPACE/NAME`.
        object: String,
        /// The difference.
        reason: String,
    },
}

impl Explain for ControllerError {
    fn hint(&self) -> Option<String> {
        match self {
            Self::Ambiguous { .. } => {
                Some("choose one with `--controller-name` and `--controller-namespace`".to_owned())
            }
            Self::Certificate { .. } => Some(
                "check what it returns: `kubeseal --fetch-cert`, and the log of the controller".to_owned(),
            ),
            Self::Cluster(error) => error.hint(),
            Self::NotFound { candidates, .. } if candidates.is_empty() => Some(
                "set `--controller-name` and `--controller-namespace`; \
                 `kubectl get services -A -l app.kubernetes.io/name=sealed-secrets` lists candidates"
                    .to_owned(),
            ),
            Self::NotFound { candidates, .. } => Some(format!(
                "if one of these is yours, set `--controller-namespace` and `--controller-name`: {}",
                quoted_list(candidates)
            )),
            Self::NotResealed { .. } | Self::NotVerified { .. } => Some(
                "check `--context`; an item was sealed for another cluster, name, namespace or scope, or is damaged; the controller's log has the cause"
                    .to_owned(),
            ),
            Self::WrongResponse { .. } => Some(
                "nothing was changed; check that the Service is that of the sealed-secrets controller".to_owned(),
            ),
            Self::NoPort { .. } | Self::Unexpected { .. } => Some(
                "check `--controller-name` and `--controller-namespace`: kubeseal uses the same names"
                    .to_owned(),
            ),
        }
    }
}

fn undecryptable(items: &[String]) -> String {
    match items {
        [] => "all of its items".to_owned(),
        [only] => format!("item `{only}`"),
        several => format!("items {}", quoted_list(several)),
    }
}
