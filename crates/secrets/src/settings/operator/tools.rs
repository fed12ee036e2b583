//! The programs that render sources other than sealwave's own: where they are, and in which versions.

use std::path::PathBuf;

use serde::Deserialize;

use crate::settings::VersionRequirement;

/// Settings of programs by name. In the sidecar, a program that is not named is not used.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct OperatorTools {
    /// Renders charts.
    pub helm: Option<ToolSettings>,
    /// Renders overlays.
    pub kubectl: Option<ToolSettings>,
    /// Renders overlays.
    pub kustomize: Option<ToolSettings>,
}

/// A program.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct ToolSettings {
    /// Its file. Without it, the program is searched for on `PATH`, but not in the sidecar.
    pub path: Option<PathBuf>,
    /// Its allowed versions; by default those that sealwave supports.
    pub versions: Option<VersionRequirement>,
}
