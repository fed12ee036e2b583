//! The proof that a new key works, and the ways to its secret.

use std::path::Path;
use std::time::Duration;

use sealwave_core::bounded_file::read_regular_file;
use sealwave_providers::aws_account::{AwsError, AwsErrorKind, NewAccessKey};
use sealwave_secrets::values::{KeyPath, SecretValue, json_text};

use super::error::RotationError;
use super::run::{NextStep, RotationRun};
use super::state::{RotationPhase, RotationState};

/// The times that a new key must work in a row: parts of AWS may know it before others.
const PROOFS: u32 = 3;

/// The time between two attempts with a new key.
const PAUSE: Duration = Duration::from_secs(2);

/// The largest file with a key.
const MAX_KEY_FILE: u64 = 64 << 10;

impl RotationRun<'_> {
    /// Uses the new key until it works.
    pub(super) fn prove(&mut self, state: &RotationState, key: &str) -> Result<NextStep, RotationError> {
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
        self.tell(format!("access key `{key}` works"));
        Ok(NextStep::Continue)
    }

    pub(super) fn try_key(&self, key: &NewAccessKey) -> Result<(), RotationError> {
        let identity = self.rotation.account.identity_of_key(&key.id, &key.secret)?;
        if identity.arn != self.user_arn {
            return Err(RotationError::WrongIdentity { key: key.id.clone(), arn: identity.arn });
        }
        if let Some(probe) = &self.rotation.settings.probe {
            self.rotation.account.probe_bucket(probe, &key.id, &key.secret)?;
        }
        Ok(())
    }

    /// Returns the new key with its secret: of this run, of the given file, of the backup, or of a place that holds it.
    pub(super) fn take_secret(
        &mut self,
        state: &RotationState,
        key: &str,
    ) -> Result<NewAccessKey, RotationError> {
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
