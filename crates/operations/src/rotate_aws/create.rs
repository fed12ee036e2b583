//! The first steps of a rotation: room for a key, its creation, and keys that an interrupted run left.

use sealwave_providers::aws_account::{AwsError, AwsErrorKind};

use super::error::RotationError;
use super::facts::use_text;
use super::run::{NextStep, RotationRun};
use super::state::{RotationPhase, RotationState};
use crate::backup::access_key_document;
use crate::clock::{self, unix};

impl RotationRun<'_> {
    /// Checks the keys of the user, makes room for a new one, and records the intent.
    pub(super) fn begin(&mut self) -> Result<NextStep, RotationError> {
        if self.rotation.settings.reactivate {
            return Err(RotationError::NothingToReactivate);
        }
        let keys = self.rotation.user_keys(None)?;
        let in_the_way = self.rotation.key_in_the_way(&keys)?;
        if let Some(id) = &in_the_way {
            self.rotation.account.delete_access_key(self.user(), id)?;
            self.consent = None;
            self.tell(format!("deleted access key `{id}`"));
            self.reach("room-made")?;
        }
        let started = unix(self.now());
        self.journal.record(RotationState {
            user_arn: self.user_arn.clone(),
            started,
            keys_before: keys.ids_except(in_the_way.as_deref()),
            backup: self.rotation.backup_file(started),
            destinations: self.rotation.destinations(),
            rollout_verified: false,
            phase: RotationPhase::Creating,
        })?;
        self.reach("creation-recorded")?;
        Ok(NextStep::Continue)
    }

    pub(super) fn create(&mut self, state: &RotationState) -> Result<NextStep, RotationError> {
        self.remove_orphans(state)?;
        let settings = self.rotation.settings;
        // The flags may have changed since the intent was recorded, for example because the file exists.
        let state = &RotationState { backup: self.rotation.backup_file(state.started), ..state.clone() };
        let backup = state.backup.as_deref().map(|file| settings.backup.prepare(file)).transpose()?;
        self.rotation.progress.phase("creating an access key");
        let created = match self.rotation.account.create_access_key(self.user()) {
            Ok(created) => created,
            Err(error) => return Err(self.explain_creation(state, error)),
        };
        self.tell(format!("created access key `{}`", created.id));
        self.reach("created")?;
        self.record(state, RotationPhase::Created { key: created.id.clone() })?;
        self.reach("key-recorded")?;
        if let Some(backup) = backup {
            let file = backup.write(&access_key_document(self.user(), &created.id, &created.secret))?;
            self.tell(format!("backed it up to `{}`", file.display()));
        }
        self.reach("backed-up")?;
        self.secret = Some(created);
        Ok(NextStep::Continue)
    }

    /// Deletes, with consent, a key that an interrupted run left.
    pub(super) fn remove_orphans(&mut self, state: &RotationState) -> Result<(), RotationError> {
        let Some(orphan) = self.orphan(state)? else { return Ok(()) };
        let RotationError::OrphanKey { key, .. } = &orphan else { return Err(orphan) };
        let settings = self.rotation.settings;
        if self.consent.as_ref() != Some(key) {
            return Err(orphan);
        }
        if let Some(used) = self.rotation.account.last_use(key)?.filter(|_| !settings.delete_used_key) {
            return Err(RotationError::KeyUsedRecently { key: key.clone(), reason: use_text(Some(&used)) });
        }
        self.rotation.account.delete_access_key(self.user(), key)?;
        self.consent = None;
        self.tell(format!("deleted access key `{key}`, which no journal named"));
        Ok(())
    }

    /// Returns the error for a key that neither was there before nor is in the journal, if there is one.
    pub(super) fn orphan(&self, state: &RotationState) -> Result<Option<RotationError>, RotationError> {
        let keys = self.rotation.account.access_keys(self.user())?;
        let orphan = keys.into_iter().find(|key| !state.keys_before.contains(&key.id));
        Ok(orphan.map(|key| RotationError::OrphanKey {
            user: self.user().to_owned(),
            key: key.id,
            created: key.created.map_or_else(|| "at an unknown time".to_owned(), clock::utc),
        }))
    }

    pub(super) fn explain_creation(&self, state: &RotationState, error: AwsError) -> RotationError {
        let found = if error.kind == AwsErrorKind::Limit {
            let keys = self.rotation.user_keys(None);
            match self.orphan(state) {
                Ok(None) => keys.map(|keys| Some(keys.two_keys())),
                other => other,
            }
        } else if error.may_have_had_effect() {
            self.orphan(state)
        } else {
            return error.into();
        };
        match found {
            Ok(Some(found)) => found,
            _ if error.may_have_had_effect() => RotationError::LostResponse(error),
            _ => error.into(),
        }
    }
}
