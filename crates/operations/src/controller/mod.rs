//! The sealed-secrets controller of a cluster: where it is, what it publishes, and its keys.
//!
//! It is reached through the API server's service proxy, as by kubeseal. A controller is never chosen by its labels: anyone who
//! may create a Service could publish a certificate under them, and could read everything that is sealed for it. They only
//! serve for advice.

mod engine;
mod error;
mod find;
mod keys;

use sealwave_providers::{ClusterClient, ServiceProxy};
use sealwave_secrets::crypto::Certificate;

pub use engine::SealedItems;
pub use error::ControllerError;
pub use find::ControllerNames;
pub use keys::{ControllerKey, KeyState, list_keys};

/// A controller that was found in a cluster.
pub struct Controller<'c> {
    client: &'c ClusterClient,
    service: ServiceProxy,
}

impl<'c> Controller<'c> {
    /// Returns the service of the controller.
    #[must_use]
    pub const fn service(&self) -> &ServiceProxy {
        &self.service
    }

    /// Returns the client of its cluster.
    #[must_use]
    pub const fn client(&self) -> &'c ClusterClient {
        self.client
    }

    /// Fetches the certificate that the controller publishes: that of its newest key.
    ///
    /// # Errors
    /// The controller cannot be reached, or what it returns is not a certificate that can be sealed for.
    pub fn certificate(&self) -> Result<Certificate, ControllerError> {
        let reply = self.client.proxy_get(&self.service, "v1/cert.pem")?;
        if reply.status != 200 {
            return Err(self.unexpected("v1/cert.pem", reply.status));
        }
        Certificate::from_pem(&reply.body)
            .map_err(|error| ControllerError::Certificate { service: self.service.to_string(), error })
    }

    fn unexpected(&self, path: &'static str, status: u16) -> ControllerError {
        ControllerError::Unexpected { service: self.service.to_string(), path, status }
    }
}

#[cfg(all(test, feature = "k8s"))]
mod tests;
