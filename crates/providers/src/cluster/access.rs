//! The location of a cluster and its credentials, and the login.

use std::path::PathBuf;
use std::time::Instant;

use serde_json::Value as Json;

#[cfg(feature = "k8s")]
use super::client::ClusterClient;
#[cfg(not(feature = "k8s"))]
use super::client_not_built::ClusterClient;
use super::error::ClusterError;
use crate::ProviderError;

/// The location of a cluster and its credentials.
#[derive(Clone, Debug)]
pub struct ClusterAccess {
    /// Kubeconfigs, merged so that the first one takes precedence; empty for the pod's own service account.
    pub kubeconfigs: Vec<PathBuf>,
    /// The context to use instead of the current one.
    pub context: Option<String>,
}

impl ClusterAccess {
    /// Logs in. The client makes requests until the deadline.
    ///
    /// # Errors
    /// The kubeconfig or the credentials cannot be used.
    pub fn connect(&self, deadline: Instant) -> Result<ClusterClient, ClusterError> {
        ClusterClient::open(&self.kubeconfigs, self.context.as_deref(), deadline)
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
