//! A cluster as whoever runs sealwave at a desk reaches it: with the credentials that kubectl would use.
//!
//! This is no source of secrets, and nothing that Argo CD calls comes here. Nothing that the cluster answers goes into
//! an error.

use std::path::PathBuf;
use std::time::Instant;

use serde_json::Value as Json;

use super::ProviderError;

/// Where a cluster is and how to log in.
#[derive(Clone, Debug)]
pub struct Cluster {
    /// Kubeconfigs, of which the first to say something is right; none where the pod's own account is meant.
    pub kubeconfigs: Vec<PathBuf>,
    /// A context of them, in place of their current one.
    pub context: Option<String>,
}

impl Cluster {
    /// Hands every CustomResourceDefinition of the cluster to `take`, which says whether it is one.
    ///
    /// # Errors
    /// The list cannot be had whole before the deadline.
    #[cfg(feature = "k8s")]
    pub fn definitions(
        &self,
        deadline: Instant,
        take: &mut dyn FnMut(Json) -> bool,
    ) -> Result<(), ProviderError> {
        use super::k8s::{Login, definitions};
        let login = Login::User(&self.kubeconfigs, self.context.as_deref());
        definitions::list(login, deadline, take)
    }

    /// Says that this build cannot ask a cluster.
    ///
    /// # Errors
    /// Always.
    #[cfg(not(feature = "k8s"))]
    pub fn definitions(
        &self,
        _deadline: Instant,
        _take: &mut dyn FnMut(Json) -> bool,
    ) -> Result<(), ProviderError> {
        Err(super::not_built::NotBuilt { what: "Kubernetes client", feature: "k8s" }.error())
    }
}
