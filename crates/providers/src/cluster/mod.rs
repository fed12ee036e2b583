//! Access to a cluster from a workstation, with the credentials that kubectl would use.
//!
//! This is not a source of secrets, and commands that Argo CD runs do not use it. Errors never contain the cluster's
//! responses.

mod api_object;
#[cfg(feature = "k8s")]
mod client;
#[cfg(not(feature = "k8s"))]
mod client_not_built;
mod error;

use std::path::PathBuf;
use std::time::Instant;

use serde_json::Value as Json;

pub use self::api_object::{ApiObject, ApiResource, ServiceProxy};
#[cfg(feature = "k8s")]
pub use self::client::ClusterClient;
#[cfg(not(feature = "k8s"))]
pub use self::client_not_built::ClusterClient;
pub use self::error::ClusterError;

use crate::ProviderError;

/// The location of a cluster and its credentials.
#[derive(Clone, Debug)]
pub struct ClusterAccess {
    /// Kubeconfigs, merged so that the first one takes precedence; empty for the pod's own service account.
    pub kubeconfigs: Vec<PathBuf>,
    /// The context to use instead of the current one.
    pub context: Option<String>,
}

/// A response to a request through a service: its status, and its body if the status is 200.
pub struct ProxyReply {
    /// The status of the service behind the API server.
    pub status: u16,
    /// The body, erased after use.
    pub body: zeroize::Zeroizing<Vec<u8>>,
}

impl ClusterAccess {
    /// Logs in. The client makes requests until the deadline.
    ///
    /// # Errors
    /// The kubeconfig or the credentials cannot be used.
    pub fn connect(&self, deadline: Instant) -> Result<ClusterClient, ClusterError> {
        ClusterClient::open(self, deadline)
    }

    /// Passes every CustomResourceDefinition of the cluster to `take`, which returns whether it is valid.
    ///
    /// # Errors
    /// The complete list cannot be fetched before the deadline.
    #[cfg(feature = "k8s")]
    pub fn definitions(
        &self,
        deadline: Instant,
        take: &mut dyn FnMut(Json) -> bool,
    ) -> Result<(), ProviderError> {
        use crate::k8s::{ClusterLogin, list_definitions};
        let login = ClusterLogin::User(&self.kubeconfigs, self.context.as_deref());
        list_definitions(login, deadline, take)
    }

    /// Reports that this build has no Kubernetes client.
    ///
    /// # Errors
    /// Always fails.
    #[cfg(not(feature = "k8s"))]
    pub fn definitions(
        &self,
        _deadline: Instant,
        _take: &mut dyn FnMut(Json) -> bool,
    ) -> Result<(), ProviderError> {
        Err(crate::not_built::NotBuilt { what: "Kubernetes client", feature: "k8s" }.error())
    }
}
