//! Re-sealing with key files: an item is opened in memory, sealed with fresh randomness, and the new item is verified.

use std::collections::BTreeSet;

use sealwave_core::diagnostic::{Failure, Problem};
use sealwave_core::text::counted;
use sealwave_core::workers;
use sealwave_secrets::crypto::Certificate;
use sealwave_secrets::values::SecretValue;

use super::engine::{EngineFailure, ResealEngine, ResealedItem, ResealedItems, SealedItems};
use super::error::ResealError;
use super::origins::{KeyOrigins, OpenedItems, OriginError};
use crate::key_files::UnsealKeys;
use crate::plan::PlanFact;
use crate::progress::Progress;

/// Seals items with key files, without a cluster.
pub struct OfflineEngine<'k> {
    keys: &'k UnsealKeys,
    certificate: &'k Certificate,
    origins: KeyOrigins<'k>,
}

impl<'k> OfflineEngine<'k> {
    /// Creates an engine that opens items with these keys and seals them for this certificate.
    #[must_use]
    pub fn new(keys: &'k UnsealKeys, certificate: &'k Certificate) -> Self {
        let origins = KeyOrigins::new(keys, &certificate.details().public_key_sha256);
        Self { keys, certificate, origins }
    }

    /// Adds what else is known about the controllers of the keys: the public keys of the controller, if it was asked, and the
    /// fingerprints of keys that the user accepts.
    ///
    /// # Errors
    /// An accepted fingerprint names no key.
    pub fn knowing(
        self,
        controller: Option<BTreeSet<String>>,
        accepted: &[String],
    ) -> Result<Self, OriginError> {
        let origins = self.origins.accepting(accepted)?;
        let origins = match controller {
            Some(keys) => origins.with_controller(keys),
            None => origins,
        };
        Ok(Self { origins, ..self })
    }

    fn public_key(&self) -> &'k str {
        &self.certificate.details().public_key_sha256
    }

    fn has_new_key(&self) -> bool {
        self.keys.infos().any(|info| info.public_key_sha256 == self.public_key())
    }

    fn reseal_item(
        &self,
        sealed: &SealedItems,
        key: &str,
        ciphertext: &str,
    ) -> Result<ResealedItem, ResealError> {
        let object = || sealed.shown();
        let label = sealed.scope.label(&sealed.namespace, &sealed.name);
        let Some((value, info)) = self.keys.open(&label, ciphertext) else {
            let keys = self.keys.infos().len();
            return Err(ResealError::NotOpened { object: object(), key: key.to_owned(), keys });
        };
        if info.public_key_sha256 == self.public_key() {
            return Ok(ResealedItem::Current);
        }
        let not_verified = || ResealError::NotVerified { object: object(), key: key.to_owned() };
        let new = self.certificate.seal_randomly(&label, &value).map_err(|_| not_verified())?;
        if self.is_verified(&label, &new, &value) {
            Ok(ResealedItem::Sealed { ciphertext: new, opened_by: Some(info.public_key_sha256.clone()) })
        } else {
            Err(not_verified())
        }
    }

    /// Verifies a new item: with the certificate's own key if it is there, otherwise by its form.
    fn is_verified(&self, label: &[u8], item: &str, value: &SecretValue) -> bool {
        if !self.certificate.fits(item, value.len()) {
            return false;
        }
        !self.has_new_key()
            || self.keys.open_with(self.public_key(), label, item).is_some_and(|opened| opened.is_same(value))
    }
}

impl ResealEngine for OfflineEngine<'_> {
    fn reseal(&self, sealed: &SealedItems) -> Result<ResealedItems, EngineFailure> {
        let items = sealed.items.iter().map(|(key, ciphertext)| {
            let item = self.reseal_item(sealed, key, ciphertext).map_err(|error| EngineFailure {
                key: Some(key.clone()),
                problem: Box::new(Problem::new(&error)),
            })?;
            Ok((key.clone(), item))
        });
        items.collect()
    }

    fn reseal_all(
        &self,
        objects: &[SealedItems],
        progress: &dyn Progress,
    ) -> Vec<Result<ResealedItems, EngineFailure>> {
        let done = std::sync::atomic::AtomicU64::new(0);
        let total = objects.len() as u64;
        let work = |object: &SealedItems| {
            let result = self.reseal(object);
            let done = done.fetch_add(1, std::sync::atomic::Ordering::Relaxed) + 1;
            progress.advance(done, total);
            result
        };
        workers::parallel_map(objects, work)
            .unwrap_or_else(|error| objects.iter().map(|_| Err(Problem::new(&error).into())).collect())
    }

    fn judge(&self, opened: &OpenedItems) -> Result<(Vec<Problem>, Vec<PlanFact>), Failure> {
        Ok((self.origins.judge(opened)?, self.origins.facts(opened)))
    }

    fn facts(&self) -> Vec<PlanFact> {
        let keys = self.keys.infos().len();
        let verified = if self.has_new_key() {
            "each new item is opened with the key of the certificate"
        } else {
            "by the form of each new item; the key of the certificate is not among the key files"
        };
        let fact = |name: &str, value: String| PlanFact { name: name.to_owned(), value };
        let keys = counted(keys, "key");
        vec![fact("opened with", keys), fact("verification", verified.to_owned())]
    }
}
