//! The one deadline of a run, and what the run is doing until then.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use sealwave_core::diagnostic::Explain;
use sealwave_core::time::duration;
use sealwave_pipeline::Stage;

/// Time that a run has until an operator file says otherwise: less than the 60 seconds that Argo CD waits.
pub const DEFAULT_DEADLINE: Duration = Duration::from_secs(50);

/// Shared between a run and its guard: what it does, and until when it may.
#[derive(Clone, Debug)]
pub struct Watch {
    started: Instant,
    state: Arc<Mutex<State>>,
}

#[derive(Debug)]
struct State {
    allowed: Duration,
    limit: Limit,
    stage: Option<Stage>,
    progress: Progress,
    /// What the run works on, by the numbers of their beginnings.
    activities: BTreeMap<u64, String>,
    begun: u64,
    end: End,
}

/// Who set the deadline.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Limit {
    /// The operator file, or nobody.
    Operator,
    /// `--timeout`.
    Timeout,
}

/// Whether the run may still end well: it is stopped, or it writes its results, and never both.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum End {
    Open,
    Stopped,
    Writing,
}

/// A run took longer than `--timeout` allows.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("run took longer than the timeout of {}{}", duration::short(*.allowed), said(.doing))]
pub struct TimedOut {
    allowed: Duration,
    doing: Vec<String>,
}

impl Explain for TimedOut {
    fn hint(&self) -> Option<String> {
        Some("nothing was written; check fewer paths at once, or allow more time with `--timeout`".to_owned())
    }
}

fn said(doing: &[String]) -> String {
    match doing {
        [] => String::new(),
        [first] => format!(" while {first}"),
        [first, others @ ..] => format!(" while {first} (and {} more at the same time)", others.len()),
    }
}

impl State {
    fn timed_out(&self) -> TimedOut {
        TimedOut { allowed: self.allowed, doing: self.activities.values().cloned().collect() }
    }
}

/// Something that the run works on, until this is dropped.
#[derive(Debug)]
pub struct Activity {
    number: u64,
    watch: Watch,
}

impl Activity {
    /// Says that it is now about something else.
    pub fn turn_to(&self, what: impl Into<String>) {
        self.watch.lock().activities.insert(self.number, what.into());
    }
}

impl Drop for Activity {
    fn drop(&mut self) {
        self.watch.lock().activities.remove(&self.number);
    }
}

/// How much of a long run is done.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Progress {
    /// Parts that are done.
    pub done: u64,
    /// Parts that there are; 0 where the run is not one of parts.
    pub total: u64,
}

impl Watch {
    /// A watch that starts now.
    #[must_use]
    pub fn start() -> Self {
        Self::started(Duration::ZERO)
    }

    /// A watch for a run that started some time ago: in another process, which waited.
    #[must_use]
    pub fn started(ago: Duration) -> Self {
        let now = Instant::now();
        Self {
            started: now.checked_sub(ago).unwrap_or(now),
            state: Arc::new(Mutex::new(State {
                allowed: DEFAULT_DEADLINE,
                limit: Limit::Operator,
                stage: None,
                progress: Progress::default(),
                activities: BTreeMap::new(),
                begun: 0,
                end: End::Open,
            })),
        }
    }

    /// Sets how long the run may take, from its start.
    pub fn allow(&self, duration: Duration) {
        self.change(|state| state.allowed = duration);
    }

    /// Sets the timeout of a run that a person or a CI job waits for.
    pub fn time_out_after(&self, duration: Duration) {
        self.change(|state| (state.allowed, state.limit) = (duration, Limit::Timeout));
    }

    /// Says what the run works on until the activity is dropped, in words that follow "while". Several may go on at once.
    #[must_use]
    pub fn begin(&self, what: impl Into<String>) -> Activity {
        let mut state = self.lock();
        state.begun = state.begun.saturating_add(1);
        let number = state.begun;
        state.activities.insert(number, what.into());
        Activity { number, watch: self.clone() }
    }

    /// Stops the run if its deadline has passed and it has not begun to write. Tells whether it is stopped.
    #[must_use]
    pub fn stop(&self) -> bool {
        let mut state = self.lock();
        if state.end == End::Open && self.ends(state.allowed) <= Instant::now() {
            state.end = End::Stopped;
        }
        state.end == End::Stopped
    }

    /// Says that results are written from now on, so that no deadline ends the run in the midst of it.
    ///
    /// # Errors
    /// The deadline has passed.
    pub fn begin_to_write(&self) -> Result<(), TimedOut> {
        let mut state = self.lock();
        if state.end == End::Stopped || self.ends(state.allowed) <= Instant::now() {
            return Err(state.timed_out());
        }
        state.end = End::Writing;
        Ok(())
    }

    /// Why the run is stopped, where `--timeout` says when; the oldest of what it works on comes first.
    #[must_use]
    pub fn timed_out(&self) -> Option<TimedOut> {
        let state = self.lock();
        (state.limit == Limit::Timeout).then(|| state.timed_out())
    }

    /// Says what the run is doing now.
    pub fn enter(&self, stage: Stage) {
        self.change(|state| state.stage = Some(stage));
    }

    /// When the run must be over.
    #[must_use]
    pub fn deadline(&self) -> Instant {
        let (allowed, _) = self.state();
        self.ends(allowed)
    }

    fn ends(&self, allowed: Duration) -> Instant {
        self.started.checked_add(allowed).unwrap_or(self.started)
    }

    fn change(&self, change: impl FnOnce(&mut State)) {
        change(&mut self.lock());
    }

    /// The state is whole whenever nobody holds it.
    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// How long the run may take, and its stage.
    #[must_use]
    pub fn state(&self) -> (Duration, Option<Stage>) {
        let State { allowed, stage, .. } = *self.lock();
        (allowed, stage)
    }

    /// Says of how many parts the run is.
    pub fn expect(&self, total: usize) {
        self.change(|state| state.progress = Progress { done: 0, total: total as u64 });
    }

    /// Says that one more part is done.
    pub fn advance(&self) {
        self.change(|state| state.progress.done = state.progress.done.saturating_add(1));
    }

    /// How much is done.
    #[must_use]
    pub fn progress(&self) -> Progress {
        self.lock().progress
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_run_is_stopped_or_writes_and_never_both() {
        let late = Watch::start();
        late.time_out_after(Duration::ZERO);
        assert!(late.stop());
        assert!(late.begin_to_write().is_err());
        let writing = Watch::start();
        writing.begin_to_write().unwrap();
        writing.time_out_after(Duration::ZERO);
        assert!(!writing.stop(), "it writes");
    }

    #[test]
    fn the_message_names_what_takes_longest() {
        let watch = Watch::start();
        watch.time_out_after(Duration::from_secs(90));
        assert_eq!(watch.timed_out().unwrap().to_string(), "run took longer than the timeout of 1m30s");
        let first = watch.begin("checking app `a`");
        let second = watch.begin("checking app `b`");
        first.turn_to("rendering `a`");
        let said = |watch: &Watch| watch.timed_out().unwrap().to_string();
        assert!(
            said(&watch).ends_with(" while rendering `a` (and 1 more at the same time)"),
            "{}",
            said(&watch)
        );
        drop(first);
        assert!(said(&watch).ends_with(" while checking app `b`"), "{}", said(&watch));
        drop(second);
    }
}
