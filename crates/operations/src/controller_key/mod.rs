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
mod run;
mod state;
mod watch;

use std::path::PathBuf;
use std::time::Duration;

use sealwave_core::diagnostic::Failure;
use sealwave_secrets::crypto::Certificate;

use crate::backup::BackupTarget;
use crate::clock::Clock;
use crate::controller::Controller;
use crate::progress::Progress;
use crate::verify::ApplicationName;

pub use error::KeyRotationError;
pub use facts::KeyFacts;
pub use run::{KEY_ROTATION_POINTS, KeyRotationEnd, KeyRotationReport};
pub use state::{KeyRotationPhase, KeyRotationState};

/// How the controller gets its new key.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NewKeyMethod {
    /// The controller makes it, because someone sets its cutoff time or sends it a signal.
    Renewal,
    /// A Secret with a key that is made here.
    Secret,
}

/// The settings of a rotation.
#[derive(Clone, Debug)]
pub struct KeyRotationSettings {
    /// Where the keys are backed up.
    pub backup: BackupTarget,
    /// How the controller gets its new key.
    pub method: NewKeyMethod,
    /// The size of a key that is made here.
    pub key_bits: u32,
    /// Whether the Deployment of the controller may be restarted.
    pub restart: bool,
    /// How long to wait for the new certificate, and for the Applications.
    pub wait: Duration,
    /// The Applications to watch.
    pub applications: Vec<ApplicationName>,
    /// The file of the pinned certificate, for the plan.
    pub pinned: Option<PathBuf>,
}

/// The steps that change files, which the command provides.
pub trait KeyRotationFiles {
    /// Writes the new certificate to the pinned file, if there is one.
    ///
    /// # Errors
    /// The file cannot be written.
    fn pin(&self, certificate: &Certificate) -> Result<(), Failure>;

    /// Seals the committed files again.
    ///
    /// # Errors
    /// A file cannot be sealed again; none was changed.
    fn reseal(&self, controller: &Controller<'_>, certificate: &Certificate) -> Result<ResealStep, Failure>;

    /// Describes the files for the plan.
    fn describe(&self) -> String;
}

/// How far the committed files are.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ResealStep {
    /// All files are sealed for the new key and delivered. Each line says what was done.
    Done(Vec<String>),
    /// A later run continues, after this.
    Waiting {
        /// The awaited event.
        until: String,
        /// What was done.
        lines: Vec<String>,
    },
}

/// A rotation of a controller's key.
pub struct ControllerKeyRotation<'a> {
    /// The controller.
    pub controller: &'a Controller<'a>,
    /// The settings.
    pub settings: &'a KeyRotationSettings,
    /// The files.
    pub files: &'a dyn KeyRotationFiles,
    /// The clock.
    pub clock: &'a dyn Clock,
    /// Where progress is shown.
    pub progress: &'a dyn Progress,
    /// Where tests interrupt a run.
    pub reach: &'a dyn Fn(&'static str) -> Result<(), KeyRotationError>,
}

#[cfg(all(test, feature = "k8s"))]
mod tests;
