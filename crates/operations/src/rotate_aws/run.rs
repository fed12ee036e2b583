//! A run of a rotation: from one phase of the journal to the next. The steps are in files of their own.

use std::time::SystemTime;

use sealwave_providers::aws_account::NewAccessKey;

use super::error::RotationError;
use super::outcome::{RotationOutcome, RotationReport};
use super::rotation::KeyRotation;
use super::state::{RotationPhase, RotationState};
use crate::clock::from_unix;
use crate::state::Journal;

impl KeyRotation<'_> {
    /// Continues the rotation from its journal, until it is complete or must wait.
    ///
    /// # Errors
    /// A step failed. The next run continues there.
    pub fn run(&self, journal: Journal<RotationState>) -> Result<RotationReport, RotationError> {
        self.settings.check()?;
        let user_arn = self.account.user_arn(&self.settings.user)?;
        if let Some(state) = journal.state().filter(|state| state.user_arn != user_arn) {
            return Err(RotationError::OtherUser { before: state.user_arn.clone(), now: user_arn });
        }
        let mut run = RotationRun {
            rotation: self,
            journal,
            user_arn,
            secret: None,
            consent: self.settings.delete_key.clone(),
            lines: Vec::new(),
        };
        loop {
            match run.step()? {
                NextStep::Continue => {}
                NextStep::End(outcome) => {
                    if outcome == RotationOutcome::Done {
                        self.sinks.iter().try_for_each(|sink| sink.finish())?;
                        run.journal.finish()?;
                    }
                    return Ok(RotationReport { outcome, lines: run.lines });
                }
            }
        }
    }
}

/// The continuation after a step.
pub(super) enum NextStep {
    Continue,
    End(RotationOutcome),
}

/// A run, with what it only has in memory.
pub(super) struct RotationRun<'a> {
    pub(super) rotation: &'a KeyRotation<'a>,
    pub(super) journal: Journal<RotationState>,
    pub(super) user_arn: String,
    pub(super) secret: Option<NewAccessKey>,
    /// The key that may be deleted, until it is.
    pub(super) consent: Option<String>,
    pub(super) lines: Vec<String>,
}

impl RotationRun<'_> {
    fn step(&mut self) -> Result<NextStep, RotationError> {
        let Some(state) = self.journal.state().cloned() else { return self.begin() };
        if self.rotation.settings.reactivate {
            return self.reactivate(&state);
        }
        match &state.phase {
            RotationPhase::Creating => self.create(&state),
            RotationPhase::Created { key } => self.prove(&state, key),
            RotationPhase::Answered { key } => self.write(&state, key),
            RotationPhase::Written { key } => self.check_rollout(&state, key),
            RotationPhase::Grace { key, since } => self.deactivate(&state, key, from_unix(*since)),
            RotationPhase::Deactivated { key, old, since } => {
                self.delete(&state, key, old, from_unix(*since))
            }
        }
    }

    pub(super) fn user(&self) -> &str {
        &self.rotation.settings.user
    }

    pub(super) fn now(&self) -> SystemTime {
        self.rotation.clock.now()
    }

    pub(super) fn reach(&self, point: &'static str) -> Result<(), RotationError> {
        self.rotation.fail_point.reach(point)
    }

    pub(super) fn record(
        &mut self,
        state: &RotationState,
        phase: RotationPhase,
    ) -> Result<(), RotationError> {
        Ok(self.journal.record(RotationState { phase, ..state.clone() })?)
    }

    /// Reports something that was done, or comes next.
    pub(super) fn tell(&mut self, text: String) {
        self.rotation.progress.result(&text);
        self.lines.push(text);
    }

    pub(super) fn wait(&mut self, why: String, until: impl Into<String>) -> NextStep {
        self.tell(why);
        NextStep::End(RotationOutcome::Waiting(until.into()))
    }
}
