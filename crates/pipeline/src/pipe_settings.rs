//! Finds the settings for manifests from standard input: those of an app file, or the defaults.

use std::path::Path;

use crate::discover::{Discovery, discover, misnamed_app_file};
use crate::piped::PipedManifests;
use sealwave_core::diagnostic::Failure;
use sealwave_secrets::settings::APP_FILE;

/// Finds the settings in `dir` for manifests that `read` returns; they replace the sources of the app.
///
/// Without an app file, the defaults apply, and `environment` names the only environment. With `needs_app_file`, there
/// must be one.
///
/// # Errors
/// The app file is not valid or is missing, no environment is known, or the manifests cannot be read.
pub fn discover_for_pipe(
    dir: &Path,
    environment: Option<&str>,
    needs_app_file: bool,
    read: impl FnOnce() -> Result<PipedManifests, Failure>,
) -> Result<Discovery, Failure> {
    let has_app_file = || dir.join(APP_FILE).symlink_metadata().is_ok() || misnamed_app_file(dir).is_some();
    let found = if needs_app_file || has_app_file() {
        let found = discover(dir, None)?;
        if let Some(name) = environment {
            found.environment(name)?;
        }
        found
    } else {
        Discovery::with_defaults(dir, environment)?
    };
    Ok(found.with_manifests(read()?))
}
