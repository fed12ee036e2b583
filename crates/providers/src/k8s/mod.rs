//! `<k8s:db#password>`: a key of a Secret in a namespace that the operator allows.
//!
//! If the operator lists one namespace, the path is the Secret's name; otherwise it is `NAMESPACE/NAME`. The value is the
//! exact bytes of the key; if the key does not exist, it is read as a path into an item whose text is JSON. Service
//! account tokens and bootstrap tokens are never returned, since they grant access to the cluster. Errors never contain
//! the cluster's responses.

#[cfg(feature = "k8s")]
mod connection;
#[cfg(feature = "k8s")]
mod definitions;
#[cfg(feature = "k8s")]
mod program;
#[cfg(feature = "k8s")]
mod provider;
#[cfg(feature = "k8s")]
mod request;
#[cfg(feature = "k8s")]
mod review;
#[cfg(feature = "k8s")]
mod secret;
mod settings;
#[cfg(feature = "k8s")]
mod settings_error;

#[cfg(feature = "k8s")]
pub(crate) use self::connection::{API_HINT, ClusterConnection, ClusterLogin};
#[cfg(feature = "k8s")]
pub(crate) use self::definitions::list as list_definitions;
pub(crate) use self::settings::K8sSettings;
