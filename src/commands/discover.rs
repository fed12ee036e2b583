//! `discover`: Argo CD asks whether a directory is ours.
//!
//! One line means yes, nothing means no, and the exit code is 0 either way: Argo CD takes any failure here for
//! "not this plugin" and falls back to applying the directory as it is.

use std::path::Path;

use super::Outcome;
use sealwave_secrets::settings::APP_FILE;

pub(super) fn run(dir: &Path) -> Outcome {
    if sealwave_pipeline::is_app(&super::directory(dir)) {
        Outcome::text(format!("{APP_FILE}\n"))
    } else {
        Outcome::default()
    }
}
