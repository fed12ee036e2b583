//! Reads and writes one secret of a KV engine, for `sealwave put`.
//!
//! The server, the login and the mounts are those of the provider in the operator file, and so are all its rules: a path is
//! literal and below a KV mount, and no redirect is followed. The pipeline that Argo CD runs does not use this module.
//!
//! Version 2 of the engine writes only if the version is still the one that was read. Version 1 cannot, so the secret is read
//! again just before it is written.

use std::collections::BTreeSet;
use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};

use super::locate;
use super::path::{self, SecretRequest};
use super::provider::VaultProvider;
use super::response::{self, KvState};
use super::session::VaultSession;
use super::settings::VaultSettings;
use crate::remote::runtime::{self, RuntimeError};
use crate::{ProviderError, SettingsError};
use sealwave_core::diagnostic::{Explain, Note};
use sealwave_secrets::placeholder::SecretReference;
use sealwave_secrets::values::{SecretEntries, SecretValue};

/// The time for the login and the requests of one operation.
const TIME: Duration = Duration::from_mins(1);

/// A server, with the login of a provider.
pub struct VaultStore(VaultProvider);

/// A secret as it was read.
#[derive(Clone)]
pub struct VaultSecret {
    request: SecretRequest,
    fields: Option<SecretValue>,
    version: Option<u64>,
    removed: Option<&'static str>,
}

/// An error of writing. It contains no value.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum VaultWriteError {
    /// The server does not write it.
    #[error("cannot be written: {}", .0.reason())]
    Failed(ProviderError),
    /// The server did not say whether it was written.
    #[error("may have been written, or not: {}", .0.reason())]
    Unknown(ProviderError),
    /// Something else wrote the secret since it was read.
    #[error("was changed elsewhere since it was read, so nothing was written")]
    Overtaken,
}

impl VaultWriteError {
    /// Returns the error of a request that may have reached the server.
    fn of_request(error: ProviderError) -> Self {
        match error {
            ProviderError::Overdue { .. } | ProviderError::Unreachable { .. } => Self::Unknown(error),
            _ => Self::Failed(error),
        }
    }
}

impl Explain for VaultWriteError {
    fn hint(&self) -> Option<String> {
        match self {
            Self::Failed(error) => error.hint(),
            Self::Unknown(error) => {
                let advice = "run the command again, which reads the secret first";
                Some(error.hint().map_or_else(|| advice.to_owned(), |hint| format!("{hint}; then {advice}")))
            }
            Self::Overtaken => Some("run the command again, which reads the secret first".to_owned()),
        }
    }
}

impl VaultSecret {
    /// Returns its fields as a JSON object; `None` if it does not exist, or if its latest version was removed.
    #[must_use]
    pub const fn fields(&self) -> Option<&SecretValue> {
        self.fields.as_ref()
    }

    /// Returns the number of its latest version, which is 0 if it never existed; `None` in version 1 of the engine.
    #[must_use]
    pub const fn version(&self) -> Option<u64> {
        self.version
    }

    /// Reports whether it has these fields, a JSON object, in any order and spelling.
    #[must_use]
    pub fn has(&self, fields: &SecretValue) -> bool {
        self.fields.as_ref().is_some_and(|own| is_same(own, fields))
    }

    /// Returns the fate of its latest version, if it was deleted or destroyed.
    #[must_use]
    pub const fn removed(&self) -> Option<&'static str> {
        self.removed
    }
}

impl VaultStore {
    /// Creates the store of a provider's server, without contacting it.
    ///
    /// # Errors
    /// A setting is not valid.
    pub(crate) fn new(
        settings: &VaultSettings,
        name: &str,
        operator_dir: &Path,
    ) -> Result<Self, SettingsError> {
        Ok(Self(VaultProvider::new(settings, name, operator_dir)?))
    }

    /// Reads a secret. The reference has no version; its key does not matter.
    ///
    /// # Errors
    /// The path is not valid, the login fails, or the server does not show the secret.
    pub fn read(&self, reference: &SecretReference) -> Result<VaultSecret, ProviderError> {
        let (path, _) = path::check_reference(reference)?;
        self.run(|session| async move {
            let located = locate::locate(&session, self.0.mounts(), &BTreeSet::from([path])).await;
            let mount = located.into_iter().next().unwrap_or_else(|| Err(ProviderError::overdue()))?;
            let request = SecretRequest::new(&mount, path, None)?;
            let KvState { fields, version, removed } = read(&session, &request).await?;
            Ok(VaultSecret { request, fields, version, removed })
        })
    }

    /// Writes all fields, a JSON object, if the secret is still as it was read. Returns the new version, if the engine has
    /// versions.
    ///
    /// # Errors
    /// The login fails, the server does not write it, or something else wrote it.
    pub fn write(&self, secret: &VaultSecret, fields: &SecretValue) -> Result<Option<u64>, VaultWriteError> {
        let written = self.run(|session| async move { Ok(write(&session, secret, fields).await) });
        written.map_err(VaultWriteError::of_request)?
    }

    /// Takes the notes of logins.
    #[must_use]
    pub fn take_notes(&self) -> Vec<Note> {
        std::mem::take(&mut *self.0.lock_notes())
    }

    fn run<T, W: Future<Output = Result<T, ProviderError>>>(
        &self,
        work: impl FnOnce(Arc<VaultSession>) -> W,
    ) -> Result<T, ProviderError> {
        let now = Instant::now();
        let deadline = now.checked_add(TIME).unwrap_or(now);
        let overdue = || {
            ProviderError::unreachable(
                format!("the server did not answer within {} seconds", TIME.as_secs()),
                "check that the server is up",
            )
        };
        match runtime::run(deadline, |end| self.0.in_session(end, work)) {
            Ok(Err(ProviderError::Overdue { .. })) | Err(RuntimeError::DeadlineExceeded) => Err(overdue()),
            Ok(done) => done,
            Err(RuntimeError::NotStarted(kind)) => {
                Err(ProviderError::cannot_start("the network runtime", kind))
            }
        }
    }
}

/// Compares the fields of JSON objects: a server orders and spells them in its own way.
fn is_same(one: &SecretValue, other: &SecretValue) -> bool {
    let entries =
        |value: &SecretValue| value.expose_str().and_then(|text| SecretEntries::from_json(text).ok());
    one == other || entries(one).is_some_and(|one| entries(other) == Some(one))
}

async fn read(session: &VaultSession, request: &SecretRequest) -> Result<KvState, ProviderError> {
    response::read_state(&session.get(&request.path, None).await?, request)
}

async fn write(
    session: &VaultSession,
    secret: &VaultSecret,
    fields: &SecretValue,
) -> Result<Option<u64>, VaultWriteError> {
    let request = &secret.request;
    let failed = VaultWriteError::Failed;
    if secret.version.is_none() && read(session, request).await.map_err(failed)?.fields != secret.fields {
        return Err(VaultWriteError::Overtaken);
    }
    let sent = session.write(request, fields, secret.version).await;
    let answer = sent.map_err(VaultWriteError::of_request)?;
    if !response::is_version_conflict(&answer) {
        let error = if answer.status == 200 { VaultWriteError::Unknown } else { failed };
        return response::read_written_version(&answer, request).map_err(error);
    }
    // An attempt whose answer was lost may have written the version that the next attempt found.
    let now = read(session, request).await.map_err(failed)?;
    let is_next = now.version == secret.version.map(|version| version + 1);
    let is_ours = is_next && now.fields.is_some_and(|now| is_same(&now, fields));
    if is_ours { Ok(now.version) } else { Err(VaultWriteError::Overtaken) }
}

#[cfg(test)]
mod tests;
