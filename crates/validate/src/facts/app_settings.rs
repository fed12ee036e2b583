//! Settings of an app that rules compare with the app's files and objects.

use sealwave_core::document::Origin;
use sealwave_secrets::settings::RotationEntry;

/// Settings of an app, with their positions.
#[derive(Debug, Default)]
pub(crate) struct AppSettings {
    /// The environments that only the app file declares.
    pub(crate) without_directory: Vec<(String, Origin)>,
    /// The environments that only their directories declare.
    pub(crate) only_directories: Vec<String>,
    /// The keys of `waves.kinds`: `Kind` or `group/Kind`.
    pub(crate) wave_kinds: Vec<(String, Origin)>,
    /// The entries of `rotation`.
    pub(crate) rotation: Vec<(RotationEntry, Origin)>,
}
