//! A controller that was found: its Service, and the certificate that it publishes.

use sealwave_providers::{ClusterClient, ServiceProxy};
use sealwave_secrets::crypto::Certificate;

use super::error::ControllerError;

/// A controller that was found in a cluster.
pub struct Controller<'c> {
    pub(super) client: &'c ClusterClient,
    pub(super) service: ServiceProxy,
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
        Certificate::from_pem(&reply.body).map_err(|error| {
            let (cluster, service) = (self.cluster(), self.service.to_string());
            ControllerError::Certificate { cluster, service, error }
        })
    }

    pub(super) fn unexpected(&self, path: &'static str, status: u16) -> ControllerError {
        let (cluster, service) = (self.cluster(), self.service.to_string());
        ControllerError::Unexpected { cluster, service, path, status }
    }

    /// Returns the server and the context, for messages.
    pub(super) fn cluster(&self) -> String {
        self.client.peer().to_string()
    }
}
