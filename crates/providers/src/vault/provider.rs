//! The provider: the secrets that references mean, and one login for all of their requests.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use tokio::time::timeout_at;

use super::api::ServerAddress;
use super::locate;
use super::path::{self, KvMount, SecretRequest};
use super::response::KvSecret;
use super::revocation::UnrevokedToken;
use super::session::{self, AT_ONCE, VaultSession};
use super::settings::{VaultAuth, VaultSettings};
use super::settings_error::VaultSettingsError;
use crate::remote::{RemoteSource, TargetResults, runtime};
use crate::{CreateProvider, FetchResult, Login, Provider, ProviderContext, ProviderError, SettingsError};
use sealwave_core::diagnostic::{Explain, Note, Problem};
use sealwave_secrets::placeholder::SecretReference;

/// Time reserved for revoking tokens; at most a tenth of the remaining time.
const REVOCATION: Duration = Duration::from_secs(1);

impl CreateProvider for VaultSettings {
    fn create(&self, name: &str, context: &ProviderContext<'_>) -> Result<Box<dyn Provider>, SettingsError> {
        Ok(Box::new(VaultProvider::new(self, name, context.operator_dir)?))
    }
}

/// A token that the server does not tell anything about.
#[derive(Debug, thiserror::Error)]
#[error("the server does not tell whether the token is valid (403)")]
struct UncheckedToken;

impl Explain for UncheckedToken {
    fn hint(&self) -> Option<String> {
        Some(
            "renew the token in its file, or give it the policy `default`, which allows `auth/token/lookup-self`"
                .to_owned(),
        )
    }
}

pub(super) struct VaultProvider {
    name: String,
    address: ServerAddress,
    auth: VaultAuth,
    /// The mounts in the operator file; if empty, they are requested from the server.
    mounts: Vec<KvMount>,
    notes: Mutex<Vec<Note>>,
}

/// A path and a version of the secret at it.
type PathAndVersion<'r> = (&'r str, Option<&'r str>);

impl VaultProvider {
    pub(super) fn new(
        settings: &VaultSettings,
        name: &str,
        operator_dir: &Path,
    ) -> Result<Self, VaultSettingsError> {
        let mounts = settings.mounts.iter().map(|(path, version)| KvMount::new(path, *version));
        Ok(Self {
            name: name.to_owned(),
            address: ServerAddress::new(settings, operator_dir)?,
            auth: session::check_auth(&settings.auth, operator_dir)?,
            mounts: mounts.collect::<Result<_, _>>()?,
            notes: Mutex::default(),
        })
    }

    /// Returns the mounts in the operator file.
    pub(super) fn mounts(&self) -> &[KvMount] {
        &self.mounts
    }

    pub(super) fn lock_notes(&self) -> std::sync::MutexGuard<'_, Vec<Note>> {
        self.notes.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Logs in, does work with the session, and revokes the token in the reserved time.
    ///
    /// # Errors
    /// The login or the work fails.
    pub(super) async fn in_session<T, W: Future<Output = Result<T, ProviderError>>>(
        &self,
        end: Instant,
        work: impl FnOnce(Arc<VaultSession>) -> W,
    ) -> Result<T, ProviderError> {
        let reserved = (end.saturating_duration_since(Instant::now()) / 10).min(REVOCATION);
        let before_end = |time| end.checked_sub(time).unwrap_or(end);
        let session = VaultSession::open(&self.address, &self.auth, before_end(reserved)).await?;
        let session = Arc::new(session);
        let working = timeout_at(before_end(reserved / 2).into(), work(Arc::clone(&session)));
        let result = working.await.unwrap_or_else(|_| Err(ProviderError::overdue()));
        let until = Instant::now().checked_add(REVOCATION).map_or(end, |until| until.min(end));
        if let Err(reason) = session.close(until).await {
            let left = UnrevokedToken { provider: self.name.clone(), reason };
            self.lock_notes().push(Note::info(Problem::new(&left)));
        }
        result
    }

    async fn read<'r>(
        &self,
        session: &Arc<VaultSession>,
        targets: BTreeSet<PathAndVersion<'r>>,
    ) -> TargetResults<'r, Self> {
        let end = session.end;
        let mut documents = TargetResults::<Self>::new();
        let mut requests: BTreeMap<SecretRequest, Vec<_>> = BTreeMap::new();
        let paths: BTreeSet<&str> = targets.iter().map(|(path, _)| *path).collect();
        let located = locate::locate(session, &self.mounts, &paths).await;
        let located: BTreeMap<&str, _> = paths.into_iter().zip(located).collect();
        for secret in targets {
            let mount = located.get(secret.0).cloned().unwrap_or_else(|| Err(ProviderError::overdue()));
            match mount.and_then(|mount| SecretRequest::new(&mount, secret.0, secret.1)) {
                Ok(request) => requests.entry(request).or_default().push(secret),
                Err(error) => {
                    documents.insert(secret, Err(error));
                }
            }
        }
        let work = requests.keys().cloned().map(|request| {
            let session = Arc::clone(session);
            async move { session.read(&request).await.map(Arc::new) }
        });
        let answers = runtime::gather(end, AT_ONCE, work).await;
        for (secrets, answer) in requests.into_values().zip(answers) {
            let answer = answer.unwrap_or_else(|| Err(ProviderError::overdue()));
            documents.extend(secrets.into_iter().map(|secret| (secret, answer.clone())));
        }
        documents
    }
}

impl RemoteSource for VaultProvider {
    type Target<'r> = PathAndVersion<'r>;
    type Secret = Arc<KvSecret>;

    fn parse<'r>(&'r self, reference: &'r SecretReference) -> Result<PathAndVersion<'r>, ProviderError> {
        path::check_reference(reference)
    }

    async fn fetch_all<'r>(
        &'r self,
        targets: BTreeSet<PathAndVersion<'r>>,
        end: Instant,
    ) -> Result<TargetResults<'r, Self>, ProviderError> {
        self.in_session(end, |session| async move { Ok(self.read(&session, targets).await) }).await
    }

    async fn try_login(&self, end: Instant) -> Result<Login, ProviderError> {
        let identity = self.in_session(end, |session| async move { session.identity().await }).await?;
        let mut login = Login::with_identity(identity.as_deref());
        if identity.is_none() && matches!(self.auth, VaultAuth::Token { .. }) {
            login.notes.push(Note::warning(Problem::new(&UncheckedToken)));
        }
        Ok(login)
    }

    fn select(secret: &Arc<KvSecret>, reference: &SecretReference) -> FetchResult {
        if reference.all_keys { secret.entries() } else { secret.value(reference.key.as_deref()) }
    }

    fn take_notes(&self) -> Vec<Note> {
        std::mem::take(&mut *self.lock_notes())
    }
}

#[cfg(test)]
mod revocation_tests;
#[cfg(test)]
pub(super) mod tests;
