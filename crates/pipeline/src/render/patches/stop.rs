//! The effect of a problem on the patches that follow.

use super::error::{Error, LocatedError};
use sealwave_core::diagnostic::Problem;
use sealwave_core::document::Origin;

/// The scope of a problem.
pub(super) enum PatchStop {
    /// Stops the patch of one object.
    Here(Problem),
    /// Stops all patches: a shared limit is reached.
    All(Problem),
}

impl PatchStop {
    pub(super) fn at(origin: Origin, error: &Error) -> Self {
        let problem = Problem::at(origin, error);
        match error {
            Error::Added | Error::Work => Self::All(problem),
            _ => Self::Here(problem),
        }
    }

    pub(super) fn located((error, origin): LocatedError) -> Self {
        Self::at(origin, &error)
    }
}
