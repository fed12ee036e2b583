//! The deadline of a run, and what the run is doing.

use std::collections::BTreeMap;
use std::fmt;
use std::io;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use sealwave_core::diagnostic::{Explain, Failure};
use sealwave_core::time::duration;
use sealwave_pipeline::Stage;

/// The default deadline without an operator file: less than the 60 seconds that Argo CD waits.
pub const DEFAULT_DEADLINE: Duration = Duration::from_secs(50);

/// The state shared between a run and its guard: the current work and the deadline.
#[derive(Clone, Debug)]
pub struct RunWatch {
    started: Instant,
    state: Arc<Mutex<WatchState>>,
    output: Arc<Mutex<LiveOutput>>,
}

/// Writes a text to standard output, and returns when it is written.
type OutputWriter = dyn Fn(&str) -> io::Result<()> + Send + Sync;

/// Returns the standard output of a run that this failure ends.
type UnfinishedOutput = dyn Fn(&Failure) -> Vec<u8> + Send + Sync;

/// The output of a run before its end, or without one.
#[derive(Default)]
struct LiveOutput {
    writer: Option<Arc<OutputWriter>>,
    unfinished: Option<Arc<UnfinishedOutput>>,
}

impl fmt::Debug for LiveOutput {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("LiveOutput").finish_non_exhaustive()
    }
}

#[derive(Debug)]
struct WatchState {
    allowed: Duration,
    limit: DeadlineSource,
    stage: Option<Stage>,
    progress: RunProgress,
    /// The current work, by the order in which it began.
    activities: BTreeMap<u64, String>,
    begun: u64,
    /// The texts to show while the run goes on, in order.
    announcements: Vec<String>,
    end: CompletionState,
}

/// The origin of the deadline.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum DeadlineSource {
    /// The operator file or the default.
    Operator,
    /// `--timeout`.
    Timeout,
}

/// Whether the run may still succeed: it is either stopped or writes its results, never both.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum CompletionState {
    Open,
    Stopped,
    Writing,
}

/// The error of a run that exceeds `--timeout`.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("run took longer than the timeout of {}{}", duration::format_short(*.allowed), describe_activities(.doing))]
pub struct TimedOut {
    allowed: Duration,
    doing: Vec<String>,
}

impl Explain for TimedOut {
    fn hint(&self) -> Option<String> {
        Some("nothing was written; check fewer paths at once, or allow more time with `--timeout`".to_owned())
    }
}

fn describe_activities(doing: &[String]) -> String {
    match doing {
        [] => String::new(),
        [first] => format!(" while {first}"),
        [first, others @ ..] => format!(" while {first} (and {} more at the same time)", others.len()),
    }
}

impl WatchState {
    fn timed_out(&self) -> TimedOut {
        TimedOut { allowed: self.allowed, doing: self.activities.values().cloned().collect() }
    }
}

/// Work in progress; ends when dropped.
#[derive(Debug)]
pub struct Activity {
    number: u64,
    watch: RunWatch,
}

impl Activity {
    /// Replaces the description.
    pub fn set_description(&self, what: impl Into<String>) {
        self.watch.lock().activities.insert(self.number, what.into());
    }

    /// Replaces the description by that of the next part of the run.
    pub fn advance_to(&self, what: impl Into<String>) {
        self.set_description(what);
        self.watch.advance();
    }
}

impl Drop for Activity {
    fn drop(&mut self) {
        self.watch.lock().activities.remove(&self.number);
    }
}

/// The progress of a long run.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct RunProgress {
    /// The number of finished parts.
    pub done: u64,
    /// The total number of parts; 0 if the run has no parts.
    pub total: u64,
}

impl RunWatch {
    /// Creates a watch that starts now.
    #[must_use]
    pub fn start() -> Self {
        Self::started_before(Duration::ZERO)
    }

    /// Creates a watch for a run that started some time ago, in another process that waited.
    #[must_use]
    pub fn started_before(ago: Duration) -> Self {
        let now = Instant::now();
        Self {
            started: now.checked_sub(ago).unwrap_or(now),
            state: Arc::new(Mutex::new(WatchState {
                allowed: DEFAULT_DEADLINE,
                limit: DeadlineSource::Operator,
                stage: None,
                progress: RunProgress::default(),
                activities: BTreeMap::new(),
                begun: 0,
                announcements: Vec::new(),
                end: CompletionState::Open,
            })),
            output: Arc::default(),
        }
    }

    /// Sets the time limit of the run, counted from its start.
    pub fn set_time_limit(&self, duration: Duration) {
        self.change(|state| state.allowed = duration);
    }

    /// Sets the timeout of a run that a person or a CI job waits for.
    pub fn set_timeout(&self, duration: Duration) {
        self.change(|state| (state.allowed, state.limit) = (duration, DeadlineSource::Timeout));
    }

    /// Records current work until the activity is dropped, in words that follow "while". Several may be active at once.
    #[must_use]
    pub fn begin_activity(&self, what: impl Into<String>) -> Activity {
        let mut state = self.lock();
        state.begun = state.begun.saturating_add(1);
        let number = state.begun;
        state.activities.insert(number, what.into());
        Activity { number, watch: self.clone() }
    }

    /// Tells something while the run goes on: the shell shows it on standard error.
    pub fn announce(&self, what: impl Into<String>) {
        let what = what.into();
        self.change(|state| state.announcements.push(what));
    }

    /// Returns what was announced since the last call.
    #[must_use]
    pub fn take_announcements(&self) -> Vec<String> {
        std::mem::take(&mut self.lock().announcements)
    }

    /// Sets how texts are written before the run ends. Only the shell writes to standard output.
    pub fn set_writer(&self, writer: impl Fn(&str) -> io::Result<()> + Send + Sync + 'static) {
        self.live_output().writer = Some(Arc::new(writer));
    }

    /// Writes a text to standard output while the run goes on. When this returns, it is written.
    ///
    /// # Errors
    /// Standard output cannot be written, or is closed.
    pub fn write_now(&self, text: &str) -> io::Result<()> {
        let writer = self.live_output().writer.clone();
        writer.map_or_else(|| Err(io::ErrorKind::Unsupported.into()), |writer| writer(text))
    }

    /// Sets what standard output gets if the run ends without a result, for example at its deadline.
    pub fn set_unfinished_output(&self, output: impl Fn(&Failure) -> Vec<u8> + Send + Sync + 'static) {
        self.live_output().unfinished = Some(Arc::new(output));
    }

    /// Returns what standard output gets if this failure ends the run without a result.
    #[must_use]
    pub fn unfinished_output(&self, failure: &Failure) -> Option<Vec<u8>> {
        let output = self.live_output().unfinished.clone();
        output.map(|output| output(failure))
    }

    fn live_output(&self) -> MutexGuard<'_, LiveOutput> {
        self.output.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Stops the run if its deadline has passed and it has not started to write. Returns whether it is stopped.
    #[must_use]
    pub fn stop_if_overdue(&self) -> bool {
        let mut state = self.lock();
        if state.end == CompletionState::Open && self.ends(state.allowed) <= Instant::now() {
            state.end = CompletionState::Stopped;
        }
        state.end == CompletionState::Stopped
    }

    /// Records that results are being written, so that no deadline interrupts it.
    ///
    /// # Errors
    /// The deadline has passed.
    pub fn start_writing(&self) -> Result<(), TimedOut> {
        let mut state = self.lock();
        if state.end == CompletionState::Stopped || self.ends(state.allowed) <= Instant::now() {
            return Err(state.timed_out());
        }
        state.end = CompletionState::Writing;
        Ok(())
    }

    /// Returns the timeout error if `--timeout` set the deadline; names the oldest activity first.
    #[must_use]
    pub fn timed_out(&self) -> Option<TimedOut> {
        let state = self.lock();
        (state.limit == DeadlineSource::Timeout).then(|| state.timed_out())
    }

    /// Records the current stage.
    pub fn enter_stage(&self, stage: Stage) {
        self.change(|state| state.stage = Some(stage));
    }

    /// Returns the deadline.
    #[must_use]
    pub fn deadline(&self) -> Instant {
        let (allowed, _) = self.state();
        self.ends(allowed)
    }

    fn ends(&self, allowed: Duration) -> Instant {
        self.started.checked_add(allowed).unwrap_or(self.started)
    }

    fn change(&self, change: impl FnOnce(&mut WatchState)) {
        change(&mut self.lock());
    }

    /// Locks the state, which is consistent even after a panic.
    fn lock(&self) -> MutexGuard<'_, WatchState> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Returns the time limit and the stage.
    #[must_use]
    pub fn state(&self) -> (Duration, Option<Stage>) {
        let WatchState { allowed, stage, .. } = *self.lock();
        (allowed, stage)
    }

    /// Sets the total number of parts.
    pub fn set_total(&self, total: usize) {
        self.change(|state| state.progress = RunProgress { done: 0, total: total as u64 });
    }

    /// Records how many parts are finished.
    pub fn set_progress(&self, progress: RunProgress) {
        self.change(|state| state.progress = progress);
    }

    /// Records a finished part.
    pub fn advance(&self) {
        self.change(|state| state.progress.done = state.progress.done.saturating_add(1));
    }

    /// Returns the progress.
    #[must_use]
    pub fn progress(&self) -> RunProgress {
        self.lock().progress
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_run_is_stopped_or_writes_and_never_both() {
        let late = RunWatch::start();
        late.set_timeout(Duration::ZERO);
        assert!(late.stop_if_overdue());
        assert!(late.start_writing().is_err());
        let writing = RunWatch::start();
        writing.start_writing().unwrap();
        writing.set_timeout(Duration::ZERO);
        assert!(!writing.stop_if_overdue(), "it writes");
    }

    #[test]
    fn the_message_names_the_oldest_activity() {
        let watch = RunWatch::start();
        watch.set_timeout(Duration::from_secs(90));
        assert_eq!(watch.timed_out().unwrap().to_string(), "run took longer than the timeout of 1m30s");
        let first = watch.begin_activity("checking app `a`");
        let second = watch.begin_activity("checking app `b`");
        first.set_description("rendering `a`");
        let message = |watch: &RunWatch| watch.timed_out().unwrap().to_string();
        assert!(
            message(&watch).ends_with(" while rendering `a` (and 1 more at the same time)"),
            "{}",
            message(&watch)
        );
        drop(first);
        assert!(message(&watch).ends_with(" while checking app `b`"), "{}", message(&watch));
        drop(second);
    }

    #[test]
    fn announcements_are_taken_once_and_in_order() {
        let watch = RunWatch::start();
        watch.announce("first");
        watch.clone().announce("second");
        assert_eq!(watch.take_announcements(), ["first", "second"]);
        assert!(watch.take_announcements().is_empty());
    }

    #[test]
    fn the_next_part_counts_as_progress() {
        let watch = RunWatch::start();
        watch.set_total(2);
        watch.begin_activity("checking").advance_to("checking `a`");
        assert_eq!(watch.progress(), RunProgress { done: 1, total: 2 });
    }
}
