//! The sealed-secrets controller of a cluster: where it is, what it publishes, and its keys.
//!
//! It is reached through the API server's service proxy, as by kubeseal. A controller is never chosen by its labels: anyone who
//! may create a Service could publish a certificate under them, and could read everything that is sealed for it. They only
//! serve for advice.

mod engine;
mod error;
mod find;
mod keys;
mod service;

pub use engine::SealedItems;
pub use error::ControllerError;
pub use find::ControllerNames;
pub use keys::{ControllerKey, KeyState, PrivateControllerKey, list_keys, list_private_keys, newest_key};
pub use service::Controller;

#[cfg(all(test, feature = "k8s"))]
mod tests;
