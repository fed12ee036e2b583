//! The steps that bring a proven key to the workloads, or give it up.

use super::error::RotationError;
use super::outcome::RotationOutcome;
use super::rollout::RolloutStatus;
use super::run::{NextStep, RotationRun};
use super::sink::{PresentKey, SinkDelivery};
use super::state::{RotationPhase, RotationState};
use crate::clock::unix;

impl RotationRun<'_> {
    /// Writes the key to all places, and checks that they hold it.
    pub(super) fn write(&mut self, state: &RotationState, key: &str) -> Result<NextStep, RotationError> {
        if self.is_given_up(key, true)? {
            return self.give_up(key);
        }
        self.check_destinations(state)?;
        for sink in self.rotation.sinks {
            if sink.present_key()? == PresentKey::Id(key.to_owned()) {
                continue;
            }
            let secret = self.take_secret(state, key)?;
            self.rotation.progress.phase(&format!("writing {}", sink.name()));
            let written = sink.write(&secret);
            self.secret = Some(secret);
            self.tell(written?);
            self.reach("sink-written")?;
        }
        self.check_sinks(key)?;
        for sink in self.rotation.sinks {
            if let SinkDelivery::Waiting(until) = sink.deliver()? {
                return Ok(
                    self.wait(format!("the new access key `{key}` is written to {}", sink.name()), until)
                );
            }
        }
        self.record(state, RotationPhase::Written { key: key.to_owned() })?;
        self.reach("write-recorded")?;
        Ok(NextStep::Continue)
    }

    /// Refuses objects that appeared since the rotation began, or changed their scope: the plan did not show them.
    fn check_destinations(&self, state: &RotationState) -> Result<(), RotationError> {
        if self.rotation.settings.accept_new_objects {
            return Ok(());
        }
        let is_new = |object: &String| !state.destinations.contains(object);
        let new: Vec<String> = self.rotation.destinations().into_iter().filter(is_new).collect();
        if new.is_empty() { Ok(()) } else { Err(RotationError::NewObjects(new)) }
    }

    /// Checks that no place holds another key than the new one.
    pub(super) fn check_sinks(&self, key: &str) -> Result<(), RotationError> {
        for sink in self.rotation.sinks {
            match sink.present_key()? {
                PresentKey::Id(id) if id == key => {}
                PresentKey::Unreadable => {}
                _ => {
                    return Err(RotationError::SinkChanged { place: sink.name(), key: key.to_owned() });
                }
            }
        }
        Ok(())
    }

    pub(super) fn check_rollout(
        &mut self,
        state: &RotationState,
        key: &str,
    ) -> Result<NextStep, RotationError> {
        self.rotation.progress.phase("checking the rollout");
        let status = self.rotation.rollout.check();
        match &status {
            RolloutStatus::Pending(reasons) => {
                let reasons = reasons.join("; ");
                return Ok(self.wait(format!("the rollout is not complete: {reasons}"), "the rollout"));
            }
            RolloutStatus::Complete => self.tell("the rollout is complete".to_owned()),
            RolloutStatus::NotChecked(reason) => {
                self.tell(format!("the rollout is not verified: {reason}"));
            }
        }
        let since = unix(self.now());
        let state = RotationState { rollout_verified: status == RolloutStatus::Complete, ..state.clone() };
        self.record(&state, RotationPhase::Grace { key: key.to_owned(), since })?;
        self.reach("grace-recorded")?;
        Ok(NextStep::Continue)
    }

    /// Reports whether the new key is to be given up: consent names it, and nothing uses it. If writing may have begun, a
    /// place that cannot be read may hold it.
    pub(super) fn is_given_up(&self, key: &str, may_be_written: bool) -> Result<bool, RotationError> {
        let Some(given) = &self.consent else { return Ok(false) };
        if given != key {
            return Err(RotationError::WrongConsent { given: given.clone(), expected: None });
        }
        for sink in self.rotation.sinks {
            let is_held = match sink.present_key()? {
                PresentKey::Id(id) => id == key,
                PresentKey::Empty | PresentKey::NotAKey => false,
                PresentKey::Unreadable => may_be_written,
            };
            if is_held {
                let reason = format!("in use: {}", sink.name());
                return Err(RotationError::KeyInUse { key: key.to_owned(), reason });
            }
        }
        Ok(true)
    }

    pub(super) fn give_up(&mut self, key: &str) -> Result<NextStep, RotationError> {
        self.rotation.account.delete_access_key(self.user(), key)?;
        self.tell(format!(
            "deleted the new access key `{key}`, which nothing used; the next run starts over"
        ));
        Ok(NextStep::End(RotationOutcome::Done))
    }
}
