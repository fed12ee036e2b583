//! The client of a build without Kubernetes: each attempt to log in fails.

use std::convert::Infallible;
use std::path::PathBuf;
use std::time::Instant;

use serde_json::Value as Json;
use zeroize::Zeroizing;

use super::api_object::{ApiObject, ServiceProxy};
use super::error::ClusterError;
use super::proxy_reply::ProxyReply;
use crate::cluster_peer::ClusterPeer;
use crate::not_built::NotBuilt;

const NOT_BUILT: NotBuilt = NotBuilt { what: "Kubernetes client", feature: "k8s" };

/// A client that cannot exist.
pub struct ClusterClient(Infallible);

macro_rules! never {
    ($($(#[$doc:meta])* fn $name:ident($($argument:ty),*) -> $result:ty;)*) => {
        $($(#[$doc])*
        ///
        /// # Errors
        /// Never called.
        pub fn $name(&self, $(_: $argument),*) -> Result<$result, ClusterError> { match self.0 {} })*
    };
}

#[allow(unused_parens, clippy::unused_self, reason = "the same as with a client")]
impl ClusterClient {
    pub(super) fn open(_: &[PathBuf], _: Option<&str>, _: Instant) -> Result<Self, ClusterError> {
        Err(NOT_BUILT.error().into())
    }

    /// Never called.
    #[must_use]
    pub fn peer(&self) -> &ClusterPeer {
        match self.0 {}
    }

    /// Never called.
    #[must_use]
    pub fn pause(&self, _: std::time::Duration) -> bool {
        match self.0 {}
    }

    never! {
        /// Never called.
        fn get(&ApiObject<'_>) -> Json;
        /// Never called.
        fn list(&ApiObject<'_>, &str) -> Vec<Json>;
        /// Never called.
        fn metadata(&ApiObject<'_>) -> Json;
        /// Never called.
        fn list_metadata(&ApiObject<'_>, &str) -> Vec<Json>;
        /// Never called.
        fn secret(&str, &str) -> Zeroizing<Vec<u8>>;
        /// Never called.
        fn create_secret(&str, Zeroizing<Vec<u8>>) -> ();
        /// Never called.
        fn merge_patch(&ApiObject<'_>, &Json) -> ();
        /// Never called.
        fn proxy_get(&ServiceProxy, &str) -> ProxyReply;
        /// Never called.
        fn proxy_post(&ServiceProxy, &str, &[u8]) -> ProxyReply;
    }
}
