//! The last steps of a rotation: the old key is deactivated, made active again, or deleted.

use std::time::SystemTime;

use sealwave_providers::aws_account::KeyStatus;

use super::error::RotationError;
use super::facts::{KeyFacts, UserKeys, use_text};
use super::outcome::RotationOutcome;
use super::run::{NextStep, RotationRun};
use super::state::{RotationPhase, RotationState};
use crate::clock::{self, unix};

impl RotationRun<'_> {
    /// Deactivates the old key if nothing used it for the grace period.
    pub(super) fn deactivate(
        &mut self,
        state: &RotationState,
        key: &str,
        since: SystemTime,
    ) -> Result<NextStep, RotationError> {
        let keys = self.rotation.user_keys(Some(key))?;
        let old = keys.keys.iter().find(|facts| state.keys_before.contains(&facts.key.id));
        let Some(old) = old else {
            self.tell("no old access key is left: the rotation is complete".to_owned());
            return Ok(NextStep::End(RotationOutcome::Done));
        };
        let id = old.key.id.clone();
        if old.key.status == KeyStatus::Active {
            let unused_since = old.last_use.as_ref().map_or(since, |used| used.at.max(since));
            let until = unused_since + self.rotation.settings.grace_period;
            if self.now() < until {
                let last_use = use_text(old.last_use.as_ref());
                let until = clock::utc(until);
                self.tell_early_consent();
                return Ok(self.wait(format!("the old access key `{id}` stays active; {last_use}"), until));
            }
            self.check_new_key(&keys, key)?;
            self.rotation.account.set_key_status(self.user(), &id, KeyStatus::Inactive)?;
            self.tell(format!("deactivated the old access key `{id}`"));
            self.reach("deactivated")?;
        }
        let since = unix(self.now());
        self.record(state, RotationPhase::Deactivated { key: key.to_owned(), old: id, since })?;
        self.reach("deactivation-recorded")?;
        Ok(NextStep::Continue)
    }

    /// Says that a consent has no effect yet.
    fn tell_early_consent(&mut self) {
        if let Some(text) = self.rotation.early_consent() {
            self.tell(text);
        }
    }

    /// Deletes the old key with consent, after it was inactive for long enough.
    pub(super) fn delete(
        &mut self,
        state: &RotationState,
        key: &str,
        old: &str,
        since: SystemTime,
    ) -> Result<NextStep, RotationError> {
        let keys = self.rotation.user_keys(Some(key))?;
        self.check_new_key(&keys, key)?;
        let status = keys.keys.iter().find(|facts| facts.key.id == old).map(|facts| facts.key.status);
        let Some(status) = status else {
            self.tell(format!(
                "the old access key `{old}` does not exist any more: the rotation is complete"
            ));
            return Ok(NextStep::End(RotationOutcome::Done));
        };
        if status == KeyStatus::Active {
            let since = unix(self.now());
            self.record(state, RotationPhase::Grace { key: key.to_owned(), since })?;
            return Ok(self.wait(
                format!(
                    "the old access key `{old}` was made active elsewhere: its grace period begins again"
                ),
                "the grace period",
            ));
        }
        let until = since + self.rotation.settings.delete_after;
        if self.now() < until {
            let until = clock::utc(until);
            self.tell_early_consent();
            return Ok(self.wait(
                format!("the old access key `{old}` is inactive; `--reactivate` makes it active again"),
                until,
            ));
        }
        match &self.consent {
            Some(id) if id == old => {}
            Some(given) => {
                let expected = Some(old.to_owned());
                return Err(RotationError::WrongConsent { given: given.clone(), expected });
            }
            None => {
                return Ok(self.wait(
                    format!("the old access key `{old}` can be deleted: pass `--delete-key {old}`; this cannot be undone"),
                    "consent",
                ));
            }
        }
        self.rotation.account.delete_access_key(self.user(), old)?;
        self.tell(format!("deleted the old access key `{old}`: the rotation is complete"));
        self.reach("deleted")?;
        Ok(NextStep::End(RotationOutcome::Done))
    }

    /// Checks that workloads can go on with the new key.
    pub(super) fn check_new_key(&self, keys: &UserKeys, key: &str) -> Result<(), RotationError> {
        let is_active = |facts: &&KeyFacts| facts.key.id == key && facts.key.status == KeyStatus::Active;
        if keys.keys.iter().find(is_active).is_none() {
            return Err(RotationError::NewKeyGone(key.to_owned()));
        }
        self.check_sinks(key)
    }

    pub(super) fn reactivate(&mut self, state: &RotationState) -> Result<NextStep, RotationError> {
        let RotationPhase::Deactivated { key, old, .. } = &state.phase else {
            return Err(RotationError::NothingToReactivate);
        };
        self.rotation.account.set_key_status(self.user(), old, KeyStatus::Active)?;
        self.tell(format!("the old access key `{old}` is active again; its grace period begins again"));
        let since = unix(self.now());
        self.record(state, RotationPhase::Grace { key: key.clone(), since })?;
        Ok(NextStep::End(RotationOutcome::Reactivated))
    }
}
