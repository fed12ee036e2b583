//! The progress of an operation, as the shell shows it, and the results so far.

use std::io;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use crate::deadline::{RunProgress, RunWatch};
use sealwave_operations::progress::Progress;
use sealwave_operations::report::result_line;

/// Passes on the progress of an operation to the shell, and keeps its results.
#[derive(Clone, Debug)]
pub struct OperationProgress {
    watch: RunWatch,
    results: Arc<Mutex<Results>>,
}

#[derive(Debug, Default)]
struct Results {
    lines: Vec<String>,
    /// Whether each one is printed as it comes.
    are_printed: bool,
}

impl OperationProgress {
    /// Creates a progress that the shell of this run shows.
    #[must_use]
    pub fn new(watch: &RunWatch) -> Self {
        Self { watch: watch.clone(), results: Arc::default() }
    }

    /// Prints a plan before anything is changed, and each result from now on.
    ///
    /// # Errors
    /// Standard output cannot be written, or is closed.
    pub fn print_from_now(&self, plan: &str) -> io::Result<()> {
        self.watch.set_progress(RunProgress::default());
        let earlier: String = self.results().iter().map(|line| result_line(line)).collect();
        self.watch.write_now(&format!("{plan}\n{earlier}"))?;
        self.lock().are_printed = true;
        Ok(())
    }

    /// Returns the results so far.
    #[must_use]
    pub fn results(&self) -> Vec<String> {
        self.lock().lines.clone()
    }

    /// Locks the results, which are complete even after a panic.
    fn lock(&self) -> MutexGuard<'_, Results> {
        self.results.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Progress for OperationProgress {
    fn phase(&self, text: &str) {
        self.watch.set_progress(RunProgress::default());
        self.watch.announce(text);
    }

    fn advance(&self, done: u64, total: u64) {
        self.watch.set_progress(RunProgress { done, total });
    }

    fn result(&self, text: &str) {
        let are_printed = {
            let mut results = self.lock();
            results.lines.push(text.to_owned());
            results.are_printed
        };
        // Without the lock: at the deadline, the shell reads the results instead of printing this one.
        if are_printed {
            // What was begun goes on although the output has no reader: the journal must be right.
            let _ = self.watch.write_now(&result_line(text));
        }
    }
}
