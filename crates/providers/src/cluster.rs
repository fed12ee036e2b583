//! Access to a cluster from a workstation, with the credentials that kubectl would use.
//!
//! This is not a source of secrets, and commands that Argo CD runs do not use it. Errors never contain the cluster's
//! responses.

use std::path::PathBuf;
use std::time::Instant;

use serde_json::Value as Json;

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
