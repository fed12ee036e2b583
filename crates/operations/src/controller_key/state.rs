//! The journal of a rotation. It never holds a secret.

use std::path::PathBuf;

use serde::{Deserialize, Serialize};

/// The journal of a rotation of one controller's key.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct KeyRotationState {
    /// The time at which it began, in seconds since 1970.
    pub started: u64,
    /// The public keys that the controller had before.
    pub keys_before: Vec<String>,
    /// The public key that the controller sealed with before.
    pub old_key: String,
    /// The file of the backup.
    pub backup: Option<PathBuf>,
    /// The file of the backup of the new key, once it is complete.
    #[serde(default)]
    pub new_key_backup: Option<PathBuf>,
    /// The SealedSecrets that were not unsealed before, as `NAMESPACE/NAME`. They are not awaited.
    pub unsealed_before: Vec<String>,
    /// The name of the new Secret.
    pub secret: String,
    /// The phase.
    pub phase: KeyRotationPhase,
}

/// A phase of a rotation. Each one is recorded before anything that belongs to it is done.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", tag = "name")]
pub enum KeyRotationPhase {
    /// The keys are being backed up.
    BackingUp,
    /// The Secret is being created. A crash may leave one that is complete.
    Creating,
    /// The controller is awaited to publish a new certificate.
    Publishing {
        /// The public key of the new Secret; `None` if the controller makes the key.
        key: Option<String>,
        /// Whether the controller was restarted.
        restarted: bool,
    },
    /// The new certificate is published, and files are being changed.
    Resealing {
        /// The published public key.
        key: String,
    },
    /// The files are sealed again, and the cluster is awaited.
    Verifying {
        /// The published public key.
        key: String,
    },
}

impl KeyRotationPhase {
    /// Returns the number of steps of the plan that are done.
    #[must_use]
    pub(super) const fn rank(&self) -> usize {
        match self {
            Self::BackingUp => 0,
            Self::Creating => 1,
            Self::Publishing { .. } => 2,
            Self::Resealing { .. } => 3,
            Self::Verifying { .. } => 4,
        }
    }
}
