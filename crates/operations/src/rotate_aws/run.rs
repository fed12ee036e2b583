//! The steps of a rotation, from one phase of the journal to the next.

use std::path::Path;
use std::time::{Duration, SystemTime};

use sealwave_core::bounded_file::read_regular_file;
use sealwave_providers::aws_account::{AwsError, AwsErrorKind, KeyStatus, NewAccessKey};
use sealwave_secrets::values::{KeyPath, SecretValue, json_text};

use super::error::RotationError;
use super::facts::{UserKeys, use_text};
use super::rollout::RolloutStatus;
use super::sink::{PresentKey, SinkDelivery};
use super::state::{RotationPhase, RotationState};
use super::{KeyRotation, is_user_name};
use crate::backup::access_key_document;
use crate::clock::{self, from_unix, unix};
use crate::state::Journal;

/// The times that a new key must work in a row: parts of AWS may know it before others.
const PROOFS: u32 = 3;

/// The time between two attempts with a new key.
const PAUSE: Duration = Duration::from_secs(2);

/// The largest file with a key.
const MAX_KEY_FILE: u64 = 64 << 10;

/// The points at which tests interrupt a run, in order: after each effect, and after each record of one.
pub const FAIL_POINTS: [&str; 12] = [
    "room-made",
    "creation-recorded",
    "created",
    "key-recorded",
    "backed-up",
    "answered",
    "sink-written",
    "write-recorded",
    "grace-recorded",
    "deactivated",
    "deactivation-recorded",
    "deleted",
];

/// Interrupts a run at a point. The program never does.
pub trait FailPoint {
    /// Is called at each of the [`FAIL_POINTS`].
    ///
    /// # Errors
    /// The run ends here, as if it had been killed.
    fn reach(&self, point: &'static str) -> Result<(), RotationError>;
}

/// No interruption.
#[derive(Clone, Copy, Debug, Default)]
pub struct NoFailPoint;

impl FailPoint for NoFailPoint {
    fn reach(&self, _: &'static str) -> Result<(), RotationError> {
        Ok(())
    }
}

/// The end of a run.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum RotationOutcome {
    /// The rotation is complete, or was given up with consent.
    Done,
    /// The old key is active again; the rotation is not complete.
    Reactivated,
    /// A later run continues, after this.
    Waiting(String),
}

/// The result of a run.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RotationReport {
    /// The end.
    pub outcome: RotationOutcome,
    /// The completed and the next actions, one sentence per line.
    pub lines: Vec<String>,
}

impl RotationReport {
    /// Reports whether a later run continues.
    #[must_use]
    pub const fn is_waiting(&self) -> bool {
        matches!(self.outcome, RotationOutcome::Waiting(_))
    }
}

impl KeyRotation<'_> {
    /// Continues the rotation from its journal, until it is complete or must wait.
    ///
    /// # Errors
    /// A step failed. The next run continues there.
    pub fn run(&self, journal: Journal<RotationState>) -> Result<RotationReport, RotationError> {
        if !is_user_name(&self.settings.user) {
            return Err(RotationError::BadUser(self.settings.user.clone()));
        }
        self.settings.backup.check()?;
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

    pub(super) fn user_keys(&self) -> Result<UserKeys, RotationError> {
        UserKeys::read(&self.settings.user, self.account, self.sinks, self.clock.now())
    }

    /// Returns the key to delete first, so that there is room for a new one.
    ///
    /// # Errors
    /// The user has two keys, and none may be deleted.
    pub(super) fn key_in_the_way(&self, keys: &UserKeys) -> Result<Option<String>, RotationError> {
        match &self.settings.delete_key {
            Some(id) => {
                keys.check_deletion(id, self.settings.delete_used_key)?;
                Ok(Some(id.clone()))
            }
            None if keys.keys.len() >= 2 => Err(keys.two_keys()),
            None => Ok(None),
        }
    }
}

/// The continuation after a step.
enum NextStep {
    Continue,
    End(RotationOutcome),
}

/// A run, with what it only has in memory.
struct RotationRun<'a> {
    rotation: &'a KeyRotation<'a>,
    journal: Journal<RotationState>,
    user_arn: String,
    secret: Option<NewAccessKey>,
    /// The key that may be deleted, until it is.
    consent: Option<String>,
    lines: Vec<String>,
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

    fn user(&self) -> &str {
        &self.rotation.settings.user
    }

    fn now(&self) -> SystemTime {
        self.rotation.clock.now()
    }

    fn reach(&self, point: &'static str) -> Result<(), RotationError> {
        self.rotation.fail_point.reach(point)
    }

    fn record(&mut self, state: &RotationState, phase: RotationPhase) -> Result<(), RotationError> {
        Ok(self.journal.record(RotationState { phase, ..state.clone() })?)
    }

    fn wait(&mut self, why: String, until: impl Into<String>) -> NextStep {
        self.lines.push(why);
        NextStep::End(RotationOutcome::Waiting(until.into()))
    }

    /// Checks the keys of the user, makes room for a new one, and records the intent.
    fn begin(&mut self) -> Result<NextStep, RotationError> {
        if self.rotation.settings.reactivate {
            return Err(RotationError::NothingToReactivate);
        }
        let keys = self.rotation.user_keys()?;
        let in_the_way = self.rotation.key_in_the_way(&keys)?;
        if let Some(id) = &in_the_way {
            self.rotation.account.delete_access_key(self.user(), id)?;
            self.consent = None;
            self.reach("room-made")?;
            self.lines.push(format!("deleted access key `{id}`"));
        }
        let started = unix(self.now());
        let name = format!("aws-access-key-{}-{started}", self.user());
        self.journal.record(RotationState {
            user_arn: self.user_arn.clone(),
            started,
            keys_before: keys.ids_except(in_the_way.as_deref()),
            backup: self.rotation.settings.backup.file(&name),
            phase: RotationPhase::Creating,
        })?;
        self.reach("creation-recorded")?;
        Ok(NextStep::Continue)
    }

    fn create(&mut self, state: &RotationState) -> Result<NextStep, RotationError> {
        self.remove_orphans(state)?;
        let settings = self.rotation.settings;
        let backup = state.backup.as_deref().map(|file| settings.backup.prepare(file)).transpose()?;
        self.rotation.progress.phase("creating an access key");
        let created = match self.rotation.account.create_access_key(self.user()) {
            Ok(created) => created,
            Err(error) => return Err(self.explain_creation(state, error)),
        };
        self.reach("created")?;
        self.record(state, RotationPhase::Created { key: created.id.clone() })?;
        self.reach("key-recorded")?;
        self.lines.push(format!("created access key `{}`", created.id));
        if let Some(backup) = backup {
            let file = backup.write(&access_key_document(self.user(), &created.id, &created.secret))?;
            self.lines.push(format!("backed it up to `{}`", file.display()));
        }
        self.reach("backed-up")?;
        self.secret = Some(created);
        Ok(NextStep::Continue)
    }

    /// Deletes, with consent, a key that an interrupted run left.
    fn remove_orphans(&mut self, state: &RotationState) -> Result<(), RotationError> {
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
        self.lines.push(format!("deleted access key `{key}`, which no journal named"));
        Ok(())
    }

    /// Returns the error for a key that neither was there before nor is in the journal, if there is one.
    fn orphan(&self, state: &RotationState) -> Result<Option<RotationError>, RotationError> {
        let keys = self.rotation.account.access_keys(self.user())?;
        let orphan = keys.into_iter().find(|key| !state.keys_before.contains(&key.id));
        Ok(orphan.map(|key| RotationError::OrphanKey {
            user: self.user().to_owned(),
            key: key.id,
            created: key.created.map_or_else(|| "at an unknown time".to_owned(), clock::utc),
        }))
    }

    fn explain_creation(&self, state: &RotationState, error: AwsError) -> RotationError {
        let found = if error.kind == AwsErrorKind::Limit {
            let keys = self.rotation.user_keys();
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

    /// Uses the new key until it works.
    fn prove(&mut self, state: &RotationState, key: &str) -> Result<NextStep, RotationError> {
        if self.is_given_up(key, false)? {
            return self.give_up(key);
        }
        let secret = self.take_secret(state, key)?;
        self.rotation.progress.phase(&format!("waiting until access key `{key}` works"));
        let (started, wait) = (self.now(), self.rotation.settings.wait);
        let mut proofs = 0;
        loop {
            let waited = self.now().duration_since(started).unwrap_or_default();
            match self.try_key(&secret) {
                Ok(()) => proofs += 1,
                Err(RotationError::Aws(error)) if may_pass(&error) => {
                    if waited >= wait {
                        return Err(RotationError::NoAnswer { key: key.to_owned(), waited, last: error });
                    }
                    proofs = 0;
                }
                Err(error) => return Err(error),
            }
            if proofs >= PROOFS {
                break;
            }
            self.rotation.progress.advance(waited.as_secs().min(wait.as_secs()), wait.as_secs());
            self.rotation.clock.wait(PAUSE);
        }
        self.secret = Some(secret);
        self.record(state, RotationPhase::Answered { key: key.to_owned() })?;
        self.reach("answered")?;
        self.lines.push(format!("access key `{key}` works"));
        Ok(NextStep::Continue)
    }

    fn try_key(&self, key: &NewAccessKey) -> Result<(), RotationError> {
        let identity = self.rotation.account.identity_of_key(&key.id, &key.secret)?;
        if identity.arn != self.user_arn {
            return Err(RotationError::WrongIdentity { key: key.id.clone(), arn: identity.arn });
        }
        if let Some(probe) = &self.rotation.settings.probe {
            self.rotation.account.probe_bucket(probe, &key.id, &key.secret)?;
        }
        Ok(())
    }

    /// Writes the key to all places, and checks that they hold it.
    fn write(&mut self, state: &RotationState, key: &str) -> Result<NextStep, RotationError> {
        if self.is_given_up(key, true)? {
            return self.give_up(key);
        }
        for sink in self.rotation.sinks {
            if sink.present_key()? == PresentKey::Id(key.to_owned()) {
                continue;
            }
            let secret = self.take_secret(state, key)?;
            self.rotation.progress.phase(&format!("writing {}", sink.name()));
            let written = sink.write(&secret);
            self.secret = Some(secret);
            self.lines.push(written?);
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

    /// Checks that no place holds another key than the new one.
    fn check_sinks(&self, key: &str) -> Result<(), RotationError> {
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

    fn check_rollout(&mut self, state: &RotationState, key: &str) -> Result<NextStep, RotationError> {
        self.rotation.progress.phase("checking the rollout");
        match self.rotation.rollout.check() {
            RolloutStatus::Pending(reasons) => {
                let reasons = reasons.join("; ");
                return Ok(self.wait(format!("the rollout is not complete: {reasons}"), "the rollout"));
            }
            RolloutStatus::Complete => self.lines.push("the rollout is complete".to_owned()),
            RolloutStatus::NotChecked(reason) => {
                self.lines.push(format!("the rollout is not checked: {reason}"));
            }
        }
        let since = unix(self.now());
        self.record(state, RotationPhase::Grace { key: key.to_owned(), since })?;
        self.reach("grace-recorded")?;
        Ok(NextStep::Continue)
    }

    /// Deactivates the old key if nothing used it for the grace period.
    fn deactivate(
        &mut self,
        state: &RotationState,
        key: &str,
        since: SystemTime,
    ) -> Result<NextStep, RotationError> {
        let keys = self.rotation.user_keys()?;
        self.check_new_key(&keys, key)?;
        let old = keys.keys.iter().find(|facts| state.keys_before.contains(&facts.key.id));
        let Some(old) = old else {
            self.lines.push("no old access key is left: the rotation is complete".to_owned());
            return Ok(NextStep::End(RotationOutcome::Done));
        };
        let id = old.key.id.clone();
        if old.key.status == KeyStatus::Active {
            let unused_since = old.last_use.as_ref().map_or(since, |used| used.at.max(since));
            let until = unused_since + self.rotation.settings.grace_period;
            if self.now() < until {
                let last_use = use_text(old.last_use.as_ref());
                let until = clock::utc(until);
                return Ok(self.wait(format!("the old access key `{id}` stays active; {last_use}"), until));
            }
            self.rotation.account.set_key_status(self.user(), &id, KeyStatus::Inactive)?;
            self.reach("deactivated")?;
            self.lines.push(format!("deactivated the old access key `{id}`"));
        }
        let since = unix(self.now());
        self.record(state, RotationPhase::Deactivated { key: key.to_owned(), old: id, since })?;
        self.reach("deactivation-recorded")?;
        Ok(NextStep::Continue)
    }

    /// Deletes the old key with consent, after it was inactive for long enough.
    fn delete(
        &mut self,
        state: &RotationState,
        key: &str,
        old: &str,
        since: SystemTime,
    ) -> Result<NextStep, RotationError> {
        let keys = self.rotation.user_keys()?;
        self.check_new_key(&keys, key)?;
        let status = keys.keys.iter().find(|facts| facts.key.id == old).map(|facts| facts.key.status);
        let Some(status) = status else {
            self.lines.push(format!(
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
        self.reach("deleted")?;
        self.lines.push(format!("deleted the old access key `{old}`: the rotation is complete"));
        Ok(NextStep::End(RotationOutcome::Done))
    }

    /// Checks that workloads can go on with the new key.
    fn check_new_key(&self, keys: &UserKeys, key: &str) -> Result<(), RotationError> {
        let is_active =
            |facts: &&super::facts::KeyFacts| facts.key.id == key && facts.key.status == KeyStatus::Active;
        if keys.keys.iter().find(is_active).is_none() {
            return Err(RotationError::NewKeyGone(key.to_owned()));
        }
        self.check_sinks(key)
    }

    fn reactivate(&mut self, state: &RotationState) -> Result<NextStep, RotationError> {
        let RotationPhase::Deactivated { key, old, .. } = &state.phase else {
            return Err(RotationError::NothingToReactivate);
        };
        self.rotation.account.set_key_status(self.user(), old, KeyStatus::Active)?;
        let since = unix(self.now());
        self.record(state, RotationPhase::Grace { key: key.clone(), since })?;
        self.lines.push(format!("the old access key `{old}` is active again; its grace period begins again"));
        Ok(NextStep::End(RotationOutcome::Reactivated))
    }

    /// Reports whether the new key is to be given up: consent names it, and nothing uses it. If writing may have begun, a
    /// place that cannot be read may hold it.
    fn is_given_up(&self, key: &str, may_be_written: bool) -> Result<bool, RotationError> {
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

    fn give_up(&mut self, key: &str) -> Result<NextStep, RotationError> {
        self.rotation.account.delete_access_key(self.user(), key)?;
        self.lines.push(format!(
            "deleted the new access key `{key}`, which nothing used; the next run starts over"
        ));
        Ok(NextStep::End(RotationOutcome::Done))
    }

    /// Returns the new key with its secret: of this run, of the given file, of the backup, or of a place that holds it.
    fn take_secret(&mut self, state: &RotationState, key: &str) -> Result<NewAccessKey, RotationError> {
        if let Some(secret) = self.secret.take() {
            return Ok(secret);
        }
        let with_id = |secret| NewAccessKey { id: key.to_owned(), secret };
        if let Some(file) = &self.rotation.settings.key_file {
            let bad = || RotationError::BadKeyFile { path: file.clone(), key: key.to_owned() };
            return secret_in_file(file, key).map(with_id).ok_or_else(bad);
        }
        let of_backup = || secret_in_file(state.backup.as_deref()?, key);
        let of_sinks = || self.rotation.sinks.iter().find_map(|sink| sink.secret_of(key));
        let lost = || RotationError::SecretLost {
            key: key.to_owned(),
            backup: state.backup.clone().filter(|file| file.exists()),
        };
        of_backup().or_else(of_sinks).map(with_id).ok_or_else(lost)
    }
}

/// Reports whether time may repair a failure of a new key.
const fn may_pass(error: &AwsError) -> bool {
    matches!(
        error.kind,
        AwsErrorKind::BadCredentials
            | AwsErrorKind::Denied
            | AwsErrorKind::NoResponse
            | AwsErrorKind::Throttled
    )
}

/// Returns the secret of a key in a decrypted backup.
fn secret_in_file(file: &Path, key: &str) -> Option<SecretValue> {
    let bytes = read_regular_file(file, MAX_KEY_FILE).ok()?;
    let text = std::str::from_utf8(&bytes).ok()?;
    let member = |name: &str| json_text::lookup(text, &KeyPath::parse(name).ok()?).ok();
    let secret = member("secretAccessKey").filter(|secret| !secret.is_empty())?;
    (member("accessKeyId")?.as_str() == key).then(|| SecretValue::new(secret.as_bytes().to_vec()))
}
