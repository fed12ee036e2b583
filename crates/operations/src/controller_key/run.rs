//! The steps of a rotation, from one phase of the journal to the next.

use std::time::{Duration, SystemTime};

use sealwave_core::text::{counted, shell_quoted};
use sealwave_secrets::crypto::{Certificate, ControllerKeyPair};

use super::error::KeyRotationError;
use super::facts::KeyFacts;
use super::rotation::{ControllerKeyRotation, NewKeyMethod, ResealStep};
use super::state::{KeyRotationPhase, KeyRotationState};
use super::{backup, deployment, watch};
use crate::clock::{self, unix};
use crate::controller::{ControllerKey, KeyState, list_keys};
use crate::state::Journal;

/// The points at which tests interrupt a run, in order: after each effect, and after each record of one.
pub const KEY_ROTATION_POINTS: [&str; 8] = [
    "start-recorded",
    "backed-up",
    "creation-recorded",
    "created",
    "publishing-recorded",
    "published",
    "resealed",
    "verifying-recorded",
];

/// The time between two looks at the controller.
const PAUSE: Duration = Duration::from_secs(1);

/// The time in which a controller that watches its Secrets uses a new one.
const WATCHED: Duration = Duration::from_secs(10);

/// The end of a run.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum KeyRotationEnd {
    /// The rotation is complete.
    Done,
    /// A later run continues, after this.
    Waiting(String),
}

/// The result of a run.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KeyRotationReport {
    /// The end.
    pub end: KeyRotationEnd,
    /// Results and next actions, one sentence per line.
    pub lines: Vec<String>,
}

/// A run with its journal.
struct KeyRotationRun<'a> {
    rotation: &'a ControllerKeyRotation<'a>,
    journal: Journal<KeyRotationState>,
    lines: Vec<String>,
}

/// The continuation after a step.
enum NextStep {
    Continue,
    End(KeyRotationEnd),
}

impl ControllerKeyRotation<'_> {
    /// Continues the rotation from its journal, until it is complete or must wait.
    ///
    /// # Errors
    /// A step failed. The next run continues there.
    pub fn run(&self, journal: Journal<KeyRotationState>) -> Result<KeyRotationReport, KeyRotationError> {
        self.settings.backup.check()?;
        let mut run = KeyRotationRun { rotation: self, journal, lines: Vec::new() };
        loop {
            match run.step()? {
                NextStep::Continue => {}
                NextStep::End(end) => {
                    if end == KeyRotationEnd::Done {
                        run.journal.finish()?;
                    }
                    return Ok(KeyRotationReport { end, lines: run.lines });
                }
            }
        }
    }
}

impl KeyRotationRun<'_> {
    fn step(&mut self) -> Result<NextStep, KeyRotationError> {
        let Some(state) = self.journal.state().cloned() else { return self.start() };
        match state.phase.clone() {
            KeyRotationPhase::BackingUp => self.back_up(state),
            KeyRotationPhase::Creating => self.create(state),
            KeyRotationPhase::Publishing { key, restarted } => self.publish(state, key, restarted),
            KeyRotationPhase::Resealing { key } => self.reseal(state, key),
            KeyRotationPhase::Verifying { key } => self.verify(&state.unsealed_before, &key),
        }
    }

    fn start(&mut self) -> Result<NextStep, KeyRotationError> {
        let facts = KeyFacts::read(self.rotation.controller)?;
        let started = unix(self.rotation.clock.now());
        let backup = self.rotation.settings.backup.file(&format!("controller-keys-{started}"));
        self.record(KeyRotationState {
            started,
            keys_before: facts.public_keys(),
            old_key: facts.published.details().public_key_sha256.clone(),
            backup,
            new_key_backup: None,
            unsealed_before: watch::not_unsealed(self.rotation.controller.client())?,
            secret: format!("sealed-secrets-key-{started}"),
            phase: KeyRotationPhase::BackingUp,
        })?;
        self.reach("start-recorded")
    }

    fn back_up(&mut self, mut state: KeyRotationState) -> Result<NextStep, KeyRotationError> {
        let settings = self.rotation.settings;
        if let Some(file) = &state.backup {
            // A run that was killed may have left a file that is not complete. It is not replaced.
            if fs_err::metadata(file).is_ok_and(|file| file.len() > 0) {
                let attempt = unix(self.rotation.clock.now());
                let other = settings.backup.file(&format!("controller-keys-{}-{attempt}", state.started));
                if let Some(other) = other.filter(|other| other != file) {
                    self.tell(format!(
                        "`{}` is from an interrupted run, and may not be complete",
                        file.display()
                    ));
                    state.backup = Some(other);
                    self.record(state.clone())?;
                }
            }
        }
        if let Some(file) = &state.backup {
            self.rotation.progress.phase("backing up the keys");
            let facts = KeyFacts::read(self.rotation.controller)?;
            let prepared = settings.backup.prepare(file)?;
            let keys: Vec<&ControllerKey> = facts.keys.iter().collect();
            let controller = self.rotation.controller;
            let namespace = &controller.service().namespace;
            let written = prepared.write(&backup::document(controller.client(), namespace, &keys)?)?;
            self.tell(format!("backed up {} to `{}`", counted(facts.keys.len(), "key"), written.display()));
        }
        self.reach("backed-up")?;
        self.record(KeyRotationState { phase: KeyRotationPhase::Creating, ..state })?;
        self.reach("creation-recorded")
    }

    fn create(&mut self, state: KeyRotationState) -> Result<NextStep, KeyRotationError> {
        let key = match self.rotation.settings.method {
            NewKeyMethod::Renewal => None,
            NewKeyMethod::Secret => Some(self.create_secret(&state)?),
        };
        self.reach("created")?;
        let phase = KeyRotationPhase::Publishing { key, restarted: false };
        self.record(KeyRotationState { phase, ..state })?;
        self.reach("publishing-recorded")
    }

    /// Creates the Secret, unless an interrupted run did, and returns its public key.
    fn create_secret(&mut self, state: &KeyRotationState) -> Result<String, KeyRotationError> {
        let controller = self.rotation.controller;
        let (client, namespace) = (controller.client(), &controller.service().namespace);
        let keys = list_keys(client, namespace)?;
        if let Some(key) = existing_key(&keys, &state.secret)? {
            return Ok(key);
        }
        self.rotation.progress.phase("making a new key");
        // The controller seals with the key whose certificate starts last.
        let newest =
            keys.iter().filter_map(|key| key.certificate.as_ref().ok()).map(Certificate::not_before).max();
        let after = newest.map_or(SystemTime::UNIX_EPOCH, |newest| newest + Duration::from_secs(1));
        let start = self.rotation.clock.now().max(after);
        let pair = ControllerKeyPair::generate(start, self.rotation.settings.key_bits)?;
        match client.create_secret(namespace, pair.to_secret(namespace, &state.secret)) {
            Ok(()) => {}
            // The response to an earlier attempt was lost.
            Err(error) if error.is_conflict() => {
                let existing = existing_key(&list_keys(client, namespace)?, &state.secret)?;
                return existing.ok_or_else(|| KeyRotationError::Taken(state.secret.clone()));
            }
            Err(error) => return Err(error.into()),
        }
        self.tell(format!("created Secret `{}` in namespace `{namespace}`", state.secret));
        Ok(pair.certificate().details().public_key_sha256.clone())
    }

    fn publish(
        &mut self,
        state: KeyRotationState,
        key: Option<String>,
        restarted: bool,
    ) -> Result<NextStep, KeyRotationError> {
        self.rotation.progress.phase("waiting until the controller publishes its new certificate");
        let settings = self.rotation.settings;
        let patience = if restarted || key.is_none() { settings.wait } else { WATCHED.min(settings.wait) };
        if let Some(published) = self.await_new_key(&state, patience)? {
            if key.as_ref().is_some_and(|key| *key != published) {
                self.tell("the controller made a newer key itself, which is used".to_owned());
            }
            self.tell(format!("the controller publishes the new key {published}"));
            self.record(KeyRotationState { phase: KeyRotationPhase::Resealing { key: published }, ..state })?;
            return self.reach("published");
        }
        let controller = self.rotation.controller;
        let name = deployment::find(controller)?;
        if let (true, false, Some(_), Some(name)) = (settings.restart, restarted, &key, &name) {
            deployment::restart(controller, name, &clock::utc(self.rotation.clock.now()))?;
            self.tell(format!("restarted Deployment `{name}`, which does not watch its Secrets"));
            let phase = KeyRotationPhase::Publishing { key, restarted: true };
            self.record(KeyRotationState { phase, ..state })?;
            return Ok(NextStep::Continue);
        }
        let command = self.publish_command(key.is_some(), name.as_deref());
        self.tell(format!("run: {command}"));
        Ok(NextStep::End(KeyRotationEnd::Waiting("the controller to publish its new certificate".to_owned())))
    }

    /// Returns the command with which the controller uses, or makes, a new key.
    fn publish_command(&self, has_secret: bool, deployment: Option<&str>) -> String {
        // Users run this line, and the name is from the cluster.
        let namespace = shell_quoted(&self.rotation.controller.service().namespace);
        let name = shell_quoted(deployment.unwrap_or("NAME"));
        if has_secret {
            format!("kubectl -n {namespace} rollout restart deployment/{name}")
        } else {
            format!(
                "kubectl -n {namespace} set env deployment/{name} SEALED_SECRETS_KEY_CUTOFF_TIME=\"$(date -R)\""
            )
        }
    }

    /// Returns the published key as soon as it is another one than before.
    fn await_new_key(
        &self,
        state: &KeyRotationState,
        patience: Duration,
    ) -> Result<Option<String>, KeyRotationError> {
        let controller = self.rotation.controller;
        let end = self.rotation.clock.now().checked_add(patience);
        loop {
            // While it restarts, it cannot be reached.
            let certificate = match controller.certificate() {
                Err(crate::controller::ControllerError::Cluster(error)) if error.is_failed() => None,
                certificate => Some(certificate?),
            };
            let key = certificate.map(|certificate| certificate.details().public_key_sha256.clone());
            if let Some(key) = key.filter(|key| !state.keys_before.contains(key)) {
                return Ok(Some(key));
            }
            if end.is_none_or(|end| self.rotation.clock.now() >= end) {
                return Ok(None);
            }
            self.rotation.clock.wait(PAUSE);
        }
    }

    /// Backs up the new key before anything is sealed for it.
    fn back_up_new_key(
        &mut self,
        state: KeyRotationState,
        key: &str,
    ) -> Result<KeyRotationState, KeyRotationError> {
        let Some(first) = state.backup.as_deref().filter(|_| state.new_key_backup.is_none()) else {
            return Ok(state);
        };
        self.rotation.progress.phase("backing up the new key");
        let controller = self.rotation.controller;
        let facts = KeyFacts::read(controller)?;
        let is_new = |known: &&ControllerKey| {
            let certificate = known.certificate.as_ref();
            certificate.is_ok_and(|certificate| certificate.details().public_key_sha256 == key)
        };
        let new: Vec<&ControllerKey> = facts.keys.iter().filter(is_new).collect();
        let file = backup::beside(first, unix(self.rotation.clock.now()));
        let prepared = self.rotation.settings.backup.prepare(&file)?;
        let namespace = &controller.service().namespace;
        let written = prepared.write(&backup::document(controller.client(), namespace, &new)?)?;
        self.tell(format!("backed up the new key to `{}`", written.display()));
        let state = KeyRotationState { new_key_backup: Some(written), ..state };
        self.record(state.clone())?;
        Ok(state)
    }

    fn reseal(&mut self, state: KeyRotationState, key: String) -> Result<NextStep, KeyRotationError> {
        let state = self.back_up_new_key(state, &key)?;
        self.rotation.progress.phase("sealing committed files again");
        let controller = self.rotation.controller;
        let certificate = controller.certificate()?;
        let files = self.rotation.files;
        files.pin(&certificate).map_err(KeyRotationError::Files)?;
        match files.reseal(controller, &certificate).map_err(KeyRotationError::Files)? {
            ResealStep::Waiting { until, lines } => {
                for line in lines {
                    self.tell(line);
                }
                Ok(NextStep::End(KeyRotationEnd::Waiting(until)))
            }
            ResealStep::Done(lines) => {
                for line in lines {
                    self.tell(line);
                }
                self.reach("resealed")?;
                self.record(KeyRotationState { phase: KeyRotationPhase::Verifying { key }, ..state })?;
                self.reach("verifying-recorded")
            }
        }
    }

    fn verify(&mut self, before: &[String], key: &str) -> Result<NextStep, KeyRotationError> {
        self.rotation.progress.phase("checking SealedSecrets and Applications");
        let settings = self.rotation.settings;
        let client = self.rotation.controller.client();
        let end = self.rotation.clock.now().checked_add(settings.wait);
        let result = loop {
            let result = watch::look(client, before, &settings.applications)?;
            if result.wrong.is_empty() || end.is_none_or(|end| self.rotation.clock.now() >= end) {
                break result;
            }
            self.rotation.clock.wait(PAUSE);
        };
        for line in result.lines {
            self.tell(line);
        }
        if result.wrong.is_empty() {
            self.tell(format!("new items are sealed for key {key}"));
            self.tell(
                "old keys stay; `sealwave reseal --map` says when nothing needs one any more".to_owned(),
            );
            return Ok(NextStep::End(KeyRotationEnd::Done));
        }
        for line in result.wrong {
            self.tell(line);
        }
        Ok(NextStep::End(KeyRotationEnd::Waiting("the cluster to be as committed".to_owned())))
    }

    /// Reports something that was done, or comes next.
    fn tell(&mut self, text: impl Into<String>) {
        let text = text.into();
        self.rotation.progress.result(&text);
        self.lines.push(text);
    }

    fn record(&mut self, state: KeyRotationState) -> Result<(), KeyRotationError> {
        Ok(self.journal.record(state)?)
    }

    fn reach(&self, point: &'static str) -> Result<NextStep, KeyRotationError> {
        (self.rotation.reach)(point)?;
        Ok(NextStep::Continue)
    }
}

/// Returns the public key of the Secret with this name, if it exists.
fn existing_key(keys: &[ControllerKey], name: &str) -> Result<Option<String>, KeyRotationError> {
    let Some(existing) = keys.iter().find(|key| key.name == name) else { return Ok(None) };
    let usable = existing.certificate.as_ref().ok().filter(|_| existing.state == KeyState::Active);
    let certificate = usable.ok_or_else(|| KeyRotationError::Taken(name.to_owned()))?;
    Ok(Some(certificate.details().public_key_sha256.clone()))
}
