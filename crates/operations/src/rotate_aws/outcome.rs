//! The end of a run, and the points at which tests end it early.

use super::error::RotationError;

/// The points at which tests interrupt a run, in order: after each effect, and after each record of one.
pub const FAIL_POINTS: [&str; 12] = [
    "room-made",
    "creation-recorded",
    "created",
    "key-recorded",
    "backed-up",
    "answered",
    "sink-written",
    "write-recorded",
    "grace-recorded",
    "deactivated",
    "deactivation-recorded",
    "deleted",
];

/// Interrupts a run at a point. The program never does.
pub trait FailPoint {
    /// Is called at each of the [`FAIL_POINTS`].
    ///
    /// # Errors
    /// The run ends here, as if it had been killed.
    fn reach(&self, point: &'static str) -> Result<(), RotationError>;
}

/// No interruption.
#[derive(Clone, Copy, Debug, Default)]
pub struct NoFailPoint;

impl FailPoint for NoFailPoint {
    fn reach(&self, _: &'static str) -> Result<(), RotationError> {
        Ok(())
    }
}

/// The end of a run.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum RotationOutcome {
    /// The rotation is complete, or was given up with consent.
    Done,
    /// The old key is active again; the rotation is not complete.
    Reactivated,
    /// A later run continues, after this.
    Waiting(String),
}

/// The result of a run.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RotationReport {
    /// The end.
    pub outcome: RotationOutcome,
    /// The completed and the next actions, one sentence per line.
    pub lines: Vec<String>,
}

impl RotationReport {
    /// Reports whether a later run continues.
    #[must_use]
    pub const fn is_waiting(&self) -> bool {
        matches!(self.outcome, RotationOutcome::Waiting(_))
    }
}
