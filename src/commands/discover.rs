//! `discover`: tells Argo CD whether a directory contains an app.
//!
//! One line means yes, no output means no, and the exit code is 0 in both cases: Argo CD treats any failure as
//! "not this plugin", and applies the directory as it is.

use std::path::Path;

use super::CommandOutput;
use sealwave_secrets::settings::APP_FILE;

pub(super) fn run(dir: &Path) -> CommandOutput {
    if sealwave_pipeline::is_app(&super::directory(dir)) {
        CommandOutput::text(format!("{APP_FILE}\n"))
    } else {
        CommandOutput::default()
    }
}
