//! The one deadline of a run, and what the run is doing until then.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use crate::pipeline::Stage;

/// Time that a run has until an operator file says otherwise: less than the 60 seconds that Argo CD waits.
pub const DEFAULT_DEADLINE: Duration = Duration::from_secs(50);

/// Shared between a run and its guard: what it does, and until when it may.
#[derive(Clone, Debug)]
pub struct Watch {
    started: Instant,
    state: Arc<Mutex<State>>,
}

#[derive(Clone, Copy, Debug)]
struct State {
    allowed: Duration,
    stage: Option<Stage>,
    progress: Progress,
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
                stage: None,
                progress: Progress::default(),
            })),
        }
    }

    /// Sets how long the run may take, from its start.
    pub fn allow(&self, duration: Duration) {
        self.change(|state| state.allowed = duration);
    }

    /// Says what the run is doing now.
    pub fn enter(&self, stage: Stage) {
        self.change(|state| state.stage = Some(stage));
    }

    /// When the run must be over.
    #[must_use]
    pub fn deadline(&self) -> Instant {
        let (allowed, _) = self.state();
        self.started.checked_add(allowed).unwrap_or(self.started)
    }

    fn change(&self, change: impl FnOnce(&mut State)) {
        change(&mut self.state.lock().unwrap_or_else(PoisonError::into_inner));
    }

    /// How long the run may take, and its stage.
    #[must_use]
    pub fn state(&self) -> (Duration, Option<Stage>) {
        let State { allowed, stage, .. } = *self.state.lock().unwrap_or_else(PoisonError::into_inner);
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
        self.state.lock().unwrap_or_else(PoisonError::into_inner).progress
    }
}
