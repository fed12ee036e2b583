//! The keys of a controller for `reseal --map`: their certificates, and, if the user consents, their private keys.

use serde::Serialize;

use sealwave_core::diagnostic::printable;
use sealwave_providers::{ClusterClient, ClusterError};

use crate::controller::{
    ControllerKey, KeyState, PrivateControllerKey, list_keys, list_private_keys, newest_key,
};
use crate::key_files::{UnsealKeyInfo, UnsealKeys};

/// A key Secret of a controller.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct ControllerSecret {
    /// Its namespace and name.
    pub secret: String,
    /// `newest` (the controller seals with it), `active`, or `retired`: the controller ignores it.
    pub state: &'static str,
    /// The reason why it, or its private key, could not be read.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
}

/// The keys of a controller.
pub struct ControllerKeys {
    /// The server and the context.
    pub cluster: String,
    /// The public keys, each with its Secret, from the newest to the oldest.
    pub known: Vec<(String, ControllerSecret)>,
    /// The Secrets without a certificate that can be read.
    pub unreadable: Vec<ControllerSecret>,
}

impl ControllerKeys {
    /// Lists the keys without looking at a private key.
    ///
    /// # Errors
    /// The Secrets cannot be listed.
    pub fn list(client: &ClusterClient, namespace: &str) -> Result<Self, ClusterError> {
        let keys = list_keys(client, namespace)?;
        let newest = newest_key(&keys).map(|key| key.name.clone());
        let mut listed = Self::empty(client);
        for key in &keys {
            listed.add(namespace, key, newest.as_deref(), None);
        }
        Ok(listed)
    }

    /// Lists the keys, and adds their private keys to those of the key files.
    ///
    /// # Errors
    /// The Secrets cannot be listed.
    pub fn read(
        client: &ClusterClient,
        namespace: &str,
        files: UnsealKeys,
    ) -> Result<(Self, UnsealKeys), ClusterError> {
        let keys = list_private_keys(client, namespace)?;
        let newest = newest_key(keys.iter().map(|key| &key.key)).map(|key| key.name.clone());
        let mut listed = Self::empty(client);
        let mut private = Vec::new();
        for PrivateControllerKey { key, private: found } in keys {
            let problem = found.as_ref().err().cloned();
            listed.add(namespace, &key, newest.as_deref(), problem);
            for found in found.into_iter().flatten() {
                let public_key_sha256 = found.public_key_sha256_hex();
                let own = key.certificate.as_ref().ok();
                let own = own.filter(|own| own.public_key_sha256() == found.public_key_sha256());
                if own.is_none() {
                    // The controller opens items with the private key, whatever the certificate says.
                    let secret = secret(namespace, &key, newest.as_deref(), None);
                    listed.known.push((public_key_sha256.clone(), secret));
                }
                let info = UnsealKeyInfo {
                    file: None,
                    secret: Some(shown(namespace, &key)),
                    public_key_sha256,
                    not_before: own.map(|own| own.details().not_before.clone()),
                };
                private.push((found, info));
            }
        }
        Ok((listed, files.with_keys(private)))
    }

    /// Reports whether no key Secret was found.
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.known.is_empty() && self.unreadable.is_empty()
    }

    fn empty(client: &ClusterClient) -> Self {
        Self { cluster: client.peer().to_string(), known: Vec::new(), unreadable: Vec::new() }
    }

    fn add(&mut self, namespace: &str, key: &ControllerKey, newest: Option<&str>, problem: Option<String>) {
        match &key.certificate {
            Ok(certificate) => {
                let secret = secret(namespace, key, newest, problem);
                self.known.push((certificate.details().public_key_sha256.clone(), secret));
            }
            Err(reason) => {
                let secret = secret(namespace, key, newest, Some(problem.unwrap_or_else(|| reason.clone())));
                self.unreadable.push(secret);
            }
        }
    }
}

fn secret(
    namespace: &str,
    key: &ControllerKey,
    newest: Option<&str>,
    reason: Option<String>,
) -> ControllerSecret {
    let state = match key.state {
        KeyState::Active if newest == Some(key.name.as_str()) => "newest",
        KeyState::Active => "active",
        KeyState::Retired(_) => "retired",
    };
    ControllerSecret { secret: shown(namespace, key), state, reason }
}

fn shown(namespace: &str, key: &ControllerKey) -> String {
    printable(format!("{namespace}/{}", key.name))
}
