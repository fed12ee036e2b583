//! A rotation: its settings, and the steps that its caller provides.

use std::path::PathBuf;
use std::time::Duration;

use sealwave_core::diagnostic::Failure;
use sealwave_secrets::crypto::Certificate;

use super::error::KeyRotationError;
use crate::backup::BackupTarget;
use crate::clock::Clock;
use crate::controller::Controller;
use crate::progress::Progress;
use crate::verify::ApplicationName;

/// The origin of the controller's new key.
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
    /// The target of the backup.
    pub backup: BackupTarget,
    /// The origin of the new key.
    pub method: NewKeyMethod,
    /// The size of a key that is made here.
    pub key_bits: u32,
    /// Whether the Deployment of the controller may be restarted.
    pub restart: bool,
    /// The time to wait for the new certificate, and for the Applications.
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

/// The progress of the committed files.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ResealStep {
    /// All files are sealed for the new key and delivered. Each line says what was done, if the progress was not told.
    Done(Vec<String>),
    /// A later run continues, after this.
    Waiting {
        /// The awaited event.
        until: String,
        /// The results that the progress was not told, one sentence per line.
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
    /// The receiver of the progress.
    pub progress: &'a dyn Progress,
    /// The hook by which tests interrupt a run.
    pub reach: &'a dyn Fn(&'static str) -> Result<(), KeyRotationError>,
}
