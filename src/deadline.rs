//! The one deadline of a run, and what the run is doing until then.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use crate::pipeline::Stage;

/// Time that a run has until an operator file says otherwise: less than the 60 seconds that Argo CD waits.
const DEFAULT_DEADLINE: Duration = Duration::from_secs(50);

/// Shared between a run and its guard: what it does, and until when it may.
#[derive(Clone, Debug)]
pub struct Watch {
    started: Instant,
    state: Arc<Mutex<(Duration, Option<Stage>)>>,
}

impl Watch {
    /// A watch that starts now.
    #[must_use]
    pub fn start() -> Self {
        Self { started: Instant::now(), state: Arc::new(Mutex::new((DEFAULT_DEADLINE, None))) }
    }

    /// Sets how long the run may take, from its start.
    pub fn allow(&self, duration: Duration) {
        self.change(|state| state.0 = duration);
    }

    /// Says what the run is doing now.
    pub fn enter(&self, stage: Stage) {
        self.change(|state| state.1 = Some(stage));
    }

    /// When the run must be over.
    #[must_use]
    pub fn deadline(&self) -> Instant {
        let (allowed, _) = self.state();
        self.started.checked_add(allowed).unwrap_or(self.started)
    }

    fn change(&self, change: impl FnOnce(&mut (Duration, Option<Stage>))) {
        change(&mut self.state.lock().unwrap_or_else(PoisonError::into_inner));
    }

    /// How long the run may take, and its stage.
    #[must_use]
    pub fn state(&self) -> (Duration, Option<Stage>) {
        *self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
