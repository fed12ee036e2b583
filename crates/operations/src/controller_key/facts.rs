//! The state of a controller before a rotation: its keys, and the certificate that it publishes.

use sealwave_secrets::crypto::Certificate;

use super::error::KeyRotationError;
use crate::controller::{Controller, ControllerKey, list_keys};

/// The keys of a controller, and the one that it seals with.
#[derive(Debug)]
pub struct KeyFacts {
    /// All keys, also retired ones; the newest comes first.
    pub keys: Vec<ControllerKey>,
    /// The published certificate.
    pub published: Certificate,
}

impl KeyFacts {
    /// Asks the controller and the cluster.
    ///
    /// # Errors
    /// The keys cannot be listed, or are not those of the controller.
    pub fn read(controller: &Controller<'_>) -> Result<Self, KeyRotationError> {
        let namespace = &controller.service().namespace;
        let published = controller.certificate()?;
        let keys = list_keys(controller.client(), namespace)?;
        if keys.is_empty() {
            return Err(KeyRotationError::NoKey(namespace.clone()));
        }
        for key in &keys {
            if let Err(reason) = &key.certificate {
                return Err(KeyRotationError::KeyUnreadable {
                    name: key.name.clone(),
                    reason: reason.clone(),
                });
            }
        }
        let facts = Self { keys, published };
        if !facts.public_keys().contains(&facts.published.details().public_key_sha256) {
            return Err(KeyRotationError::Unknown(namespace.clone()));
        }
        Ok(facts)
    }

    /// Returns the fingerprints of all keys.
    #[must_use]
    pub fn public_keys(&self) -> Vec<String> {
        let known = self.keys.iter().filter_map(|key| key.certificate.as_ref().ok());
        known.map(|certificate| certificate.details().public_key_sha256.clone()).collect()
    }
}
