//! The progress of an operation, as the shell shows it.

use crate::deadline::{RunProgress, RunWatch};
use sealwave_operations::progress::Progress;

/// Passes on the progress of an operation to the shell.
#[derive(Clone, Debug)]
pub struct OperationProgress(RunWatch);

impl OperationProgress {
    /// Creates a progress that the shell of this run shows.
    #[must_use]
    pub fn new(watch: &RunWatch) -> Self {
        Self(watch.clone())
    }
}

impl Progress for OperationProgress {
    fn phase(&self, text: &str) {
        self.0.set_progress(RunProgress::default());
        self.0.announce(text);
    }

    fn advance(&self, done: u64, total: u64) {
        self.0.set_progress(RunProgress { done, total });
    }
}
