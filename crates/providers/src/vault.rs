//! `<vault:secret/db#password#2>`: key-value secrets of Vault and OpenBao, versions 1 and 2 of the engine.
//!
//! A key is a field, or a path into a field that is an object or a list. Without a key, the value is the whole secret as
//! compact JSON. Only version 2 of the engine supports secret versions.
//! If it is mounted at `secret`, `secret/db` and the API path `secret/data/db` are the same secret.
//!
//! The server, the login and the mounts come from the operator file. A path is literal, segment by segment, and always
//! below a KV mount: no other endpoint of the server can be reached. The token is sent only to the configured address;
//! redirects are not followed. Errors never contain the server's responses.
//!
//! A token from a login is revoked at the end of the fetch, whether the fetch succeeds or not.

mod api;
mod locate;
mod path;
mod response;
mod revocation;
mod session;

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use tokio::time::timeout_at;

use self::api::ServerAddress;
use self::path::{KvMount, SecretRequest};
use self::response::KvSecret;
use self::revocation::UnrevokedToken;
use self::session::VaultSession;
use super::runtime::{self, RuntimeError};
use super::{FetchResult, Provider, ProviderConfigError, ProviderError};
use sealwave_core::diagnostic::{Note, Problem};
use sealwave_secrets::placeholder::SecretReference;
use sealwave_secrets::settings::{VaultAuth, VaultSettings};

/// Concurrent requests: as many as most apps have secrets, so that all take as long as one.
const AT_ONCE: usize = 20;

/// Time reserved for revoking tokens; at most a tenth of the remaining time.
const REVOCATION: Duration = Duration::from_secs(1);

pub(super) struct VaultProvider {
    name: String,
    address: ServerAddress,
    auth: VaultAuth,
    /// The mounts in the operator file; if empty, they are requested from the server.
    mounts: Vec<KvMount>,
    notes: Mutex<Vec<Note>>,
}

/// The result of each distinct path and version.
type SecretResults<'r> = BTreeMap<(&'r str, Option<&'r str>), Result<Arc<KvSecret>, ProviderError>>;

impl VaultProvider {
    pub(super) fn new(
        provider: &str,
        settings: &VaultSettings,
        operator_dir: &Path,
    ) -> Result<Self, ProviderConfigError> {
        let refused = |(reason, hint): (String, &'static str)| ProviderConfigError::Refused {
            provider: provider.to_owned(),
            reason,
            hint,
        };
        let mounts = settings.mounts.iter().map(|(path, version)| KvMount::new(path, *version));
        Ok(Self {
            name: provider.to_owned(),
            address: ServerAddress::new(settings, operator_dir).map_err(refused)?,
            auth: session::check_auth(&settings.auth, operator_dir).map_err(refused)?,
            mounts: mounts.collect::<Result<_, _>>().map_err(refused)?,
            notes: Mutex::default(),
        })
    }

    /// Logs in, reads all secrets, and revokes the token in the reserved time.
    async fn documents<'r>(
        &self,
        wanted: Vec<(&'r str, Option<&'r str>)>,
        end: Instant,
    ) -> Result<SecretResults<'r>, ProviderError> {
        let reserved = (end.saturating_duration_since(Instant::now()) / 10).min(REVOCATION);
        let before_end = |time| end.checked_sub(time).unwrap_or(end);
        let session = VaultSession::open(&self.address, &self.auth, before_end(reserved)).await?;
        let session = Arc::new(session);
        let reading = timeout_at(before_end(reserved / 2).into(), self.read(&session, wanted));
        let documents = reading.await.map_err(|_| ProviderError::overdue());
        let until = Instant::now().checked_add(REVOCATION).map_or(end, |until| until.min(end));
        if let Err(reason) = session.close(until).await {
            let left = UnrevokedToken { provider: self.name.clone(), reason };
            self.lock_notes().push(Note::info(Problem::new(&left)));
        }
        documents
    }

    fn lock_notes(&self) -> std::sync::MutexGuard<'_, Vec<Note>> {
        self.notes.lock().unwrap_or_else(PoisonError::into_inner)
    }

    async fn read<'r>(
        &self,
        session: &Arc<VaultSession>,
        wanted: Vec<(&'r str, Option<&'r str>)>,
    ) -> SecretResults<'r> {
        let end = session.end;
        let mut documents = SecretResults::new();
        let mut requests: BTreeMap<SecretRequest, Vec<_>> = BTreeMap::new();
        let paths: BTreeSet<&str> = wanted.iter().map(|(path, _)| *path).collect();
        let located = locate::locate(session, &self.mounts, &paths).await;
        let located: BTreeMap<&str, _> = paths.into_iter().zip(located).collect();
        for secret in wanted {
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

impl Provider for VaultProvider {
    fn fetch(&self, references: &[&SecretReference], deadline: Instant) -> Vec<FetchResult> {
        let checked: Vec<_> = references.iter().map(|reference| path::check_reference(reference)).collect();
        let mut wanted: Vec<_> = checked.iter().filter_map(|secret| secret.clone().ok()).collect();
        wanted.sort_unstable();
        wanted.dedup();
        if wanted.is_empty() {
            return checked
                .into_iter()
                .map(|secret| Err(secret.err().unwrap_or_else(ProviderError::overdue)))
                .collect();
        }
        let documents = match runtime::run(deadline, |end| self.documents(wanted, end)) {
            Ok(documents) => documents,
            Err(RuntimeError::DeadlineExceeded) => Err(ProviderError::overdue()),
            Err(RuntimeError::NotStarted(kind)) => {
                Err(ProviderError::cannot_start("the network runtime", kind))
            }
        };
        let fetched = |secret: Result<_, ProviderError>, reference: &SecretReference| {
            let secret = secret?;
            let documents = documents.as_ref().map_err(ProviderError::clone)?;
            let document = documents.get(&secret).ok_or_else(ProviderError::overdue)?;
            let document = document.as_ref().map_err(ProviderError::clone)?;
            if reference.all_keys { document.entries() } else { document.value(reference.key.as_deref()) }
        };
        checked.into_iter().zip(references).map(|(secret, reference)| fetched(secret, reference)).collect()
    }

    fn take_notes(&self) -> Vec<Note> {
        std::mem::take(&mut *self.lock_notes())
    }
}

#[cfg(test)]
mod revocation_tests;
#[cfg(test)]
mod tests;
