//! Reports of long work while it runs. The shell shows them: a bar on a terminal, plain lines elsewhere.
//!
//! Results stay known when the work fails afterwards, so each one is reported as soon as it is there.

use std::sync::Arc;

/// Receives the progress of long work.
pub trait Progress: Send + Sync {
    /// Reports that a part of the work begins, such as `waiting for the new access key`.
    fn phase(&self, text: &str);

    /// Reports how many of the parts of this phase are finished.
    fn advance(&self, done: u64, total: u64);

    /// Reports something that was done, such as ``created access key `AKIA…` ``. It holds no value.
    fn result(&self, text: &str);
}

/// A progress that is not shown.
#[derive(Clone, Copy, Debug, Default)]
pub struct HiddenProgress;

impl Progress for HiddenProgress {
    fn phase(&self, _: &str) {}

    fn advance(&self, _: u64, _: u64) {}

    fn result(&self, _: &str) {}
}

/// A progress that several threads share.
pub type SharedProgress = Arc<dyn Progress>;
