//! `rotate controller-key`: gives a sealed-secrets controller a new key without interruption.
//!
//! ```text
//! back up     all key Secrets are written to a private file
//! create      a new key Secret is created, or the controller is told to make a key
//! publish     wait until the controller publishes another certificate; restart it with consent
//! pin         the new certificate replaces the pinned one, where a file is named
//! reseal      committed files are sealed again for the new key
//! verify      all SealedSecrets are unsealed, and the Applications are synced and healthy
//! ```
//!
//! The old keys stay, so everything that was sealed for them can be unsealed all the time. Each step is recorded before it
//! begins, and the next run continues there.

mod backup;
mod deployment;
mod error;
mod facts;
mod plan;
mod rotation;
mod run;
mod state;
mod watch;

pub use error::KeyRotationError;
pub use facts::KeyFacts;
pub use rotation::{ControllerKeyRotation, KeyRotationFiles, KeyRotationSettings, NewKeyMethod, ResealStep};
pub use run::{KEY_ROTATION_POINTS, KeyRotationEnd, KeyRotationReport};
pub use state::{KeyRotationPhase, KeyRotationState};

#[cfg(all(test, feature = "k8s"))]
mod tests;
