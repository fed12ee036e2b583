//! Errors of a rotation, with what to do.

use sealwave_core::diagnostic::{Explain, Failure};
use sealwave_providers::ClusterError;
use sealwave_secrets::crypto::KeyError;

use crate::backup::BackupError;
use crate::controller::ControllerError;
use crate::state::StateError;

/// An error of a rotation.
#[derive(Debug, thiserror::Error)]
pub enum KeyRotationError {
    /// The backup cannot be written.
    #[error(transparent)]
    Backup(#[from] BackupError),
    /// The cluster cannot be asked or changed.
    #[error(transparent)]
    Cluster(#[from] ClusterError),
    /// The controller cannot be asked.
    #[error(transparent)]
    Controller(#[from] ControllerError),
    /// A file cannot be changed.
    #[error("files cannot be changed")]
    Files(Failure),
    /// A test interrupts the run.
    #[error("interrupted at `{0}`")]
    Interrupted(&'static str),
    /// The new key cannot be made.
    #[error(transparent)]
    Key(#[from] KeyError),
    /// A key that must be backed up cannot be read.
    #[error("key `{name}` cannot be backed up: {reason}")]
    KeyUnreadable {
        /// The Secret.
        name: String,
        /// The cause.
        reason: String,
    },
    /// There is no key.
    #[error("namespace `{0}` has no key of the controller")]
    NoKey(String),
    /// The journal cannot be used.
    #[error(transparent)]
    State(#[from] StateError),
    /// Another Secret has the name of the new one.
    #[error("Secret `{0}` exists, but is not a key of the controller")]
    Taken(String),
    /// The published key is not one of the Secrets.
    #[error("controller publishes a certificate that belongs to none of its keys in namespace `{0}`")]
    Unknown(String),
}

impl Explain for KeyRotationError {
    fn hint(&self) -> Option<String> {
        match self {
            Self::Backup(error) => error.hint(),
            Self::Cluster(error) => error.hint(),
            Self::Controller(error) => error.hint(),
            Self::Files(_) | Self::Interrupted(_) => None,
            Self::Key(error) => error.hint(),
            Self::KeyUnreadable { .. } => {
                Some("grant `get` on `secrets` in the controller's namespace; nothing was changed".to_owned())
            }
            Self::NoKey(_) | Self::Unknown(_) => {
                Some("set the namespace of the controller with `--controller-namespace`".to_owned())
            }
            Self::State(error) => error.hint(),
            Self::Taken(_) => Some("delete it or remove the journal, and start again".to_owned()),
        }
    }
}

impl KeyRotationError {
    /// Returns the failure to report.
    #[must_use]
    pub fn into_failure(self) -> Failure {
        match self {
            Self::Files(failure) => failure,
            error => sealwave_core::diagnostic::Problem::new(&error).into(),
        }
    }
}
