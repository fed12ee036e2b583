//! The files that a run reads, and those that belong together.

use sealwave_validate::project::{Excludes, SetGlobs};

/// The files that a run reads, and those that belong together.
#[derive(Clone, Debug, Default)]
pub struct InputScope {
    /// The files that are not read.
    pub excludes: Excludes,
    /// The sets that the settings file names.
    pub sets: Vec<SetGlobs>,
}
