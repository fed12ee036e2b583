//! Refuses an app that requires another version of sealwave.

use sealwave_core::diagnostic::{Explain, Failure, Problem, ProblemPlace};
use sealwave_secrets::settings::{SettingsFile, VersionRequirement};

/// The version of this program.
const THIS_VERSION: &str = env!("CARGO_PKG_VERSION");

/// The app does not allow this version.
#[derive(Debug, thiserror::Error)]
#[error("app needs sealwave {required}; this is {THIS_VERSION}")]
struct UnmetRequirement {
    required: VersionRequirement,
}

impl Explain for UnmetRequirement {
    fn hint(&self) -> Option<String> {
        Some(
            "use a version that `requires` allows: in Argo CD, it is that of the sidecar's image; at the desk and in CI, that of the program"
                .to_owned(),
        )
    }
}

/// Checks that this version meets the requirement of an app file, if it has one.
///
/// # Errors
/// The app needs another version.
pub(super) fn check(file: &SettingsFile<'_>, required: Option<VersionRequirement>) -> Result<(), Failure> {
    let Some(required) = required.filter(|required| !required.is_met_by(THIS_VERSION)) else {
        return Ok(());
    };
    let at = ProblemPlace::Place(file.locate_setting(&["requires", "sealwave"], None));
    Err(Problem { at, ..Problem::new(&UnmetRequirement { required }) }.into())
}
