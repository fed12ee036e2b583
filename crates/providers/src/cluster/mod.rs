//! Access to a cluster from a workstation, with the credentials that kubectl would use.
//!
//! This is not a source of secrets, and commands that Argo CD runs do not use it. Errors never contain the cluster's
//! responses.

mod access;
mod api_object;
#[cfg(feature = "k8s")]
mod call;
#[cfg(feature = "k8s")]
mod client;
#[cfg(not(feature = "k8s"))]
mod client_not_built;
mod error;
mod proxy_reply;
#[cfg(all(test, feature = "k8s"))]
mod tests;

pub use self::access::ClusterAccess;
pub use self::api_object::{ApiObject, ApiResource, ServiceProxy};
#[cfg(feature = "k8s")]
pub use self::client::ClusterClient;
#[cfg(not(feature = "k8s"))]
pub use self::client_not_built::ClusterClient;
pub use self::error::{ClusterError, ClusterFailure, RbacRule};
pub use self::proxy_reply::ProxyReply;
