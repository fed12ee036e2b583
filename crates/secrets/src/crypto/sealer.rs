//! Sealing of items with one seal key, for one certificate.

use super::certificate::Certificate;
use super::derive::{SealContext, derive};
use super::hybrid;
use super::owner::{ItemText, SealOwner};
use super::seal_key::SealKey;
use crate::SealingScope;
use crate::values::SecretValue;
use sealwave_core::diagnostic::Explain;
use sealwave_core::workers;

/// The keys and settings that all items of a run are sealed with.
pub struct Sealer {
    /// The operator's seal key.
    pub key: SealKey,
    /// The certificate of the destination cluster.
    pub certificate: Certificate,
    /// The Argo CD app that items are sealed for.
    pub owner: SealOwner,
    /// The operator's epoch.
    pub epoch: String,
}

/// One item to seal.
#[derive(Clone, Copy)]
pub struct SealItem<'a> {
    /// The scope in which the item may be opened.
    pub scope: SealingScope,
    /// The object's namespace.
    pub namespace: &'a str,
    /// The object's name.
    pub name: &'a str,
    /// The item's key.
    pub item_key: &'a str,
    /// The form of its text.
    pub text: ItemText,
    /// The value before placeholders were resolved.
    pub unresolved: &'a SecretValue,
    /// The value.
    pub value: &'a SecretValue,
}

/// A failure to seal, which should be impossible.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SealError {
    /// The operating system returned no random bytes.
    #[error("operating system returned no random bytes")]
    Randomness,
    /// The size of the key or the item is not supported by the ciphers.
    #[error("item cannot be encrypted: its size is not supported by the ciphers")]
    Size,
    /// A thread panicked.
    #[error("internal error while sealing (details withheld)")]
    Panicked,
}

impl Explain for SealError {}

impl Sealer {
    /// Seals one item; equal input gives equal output.
    ///
    /// # Errors
    /// Returns [`SealError::Size`] if the size of the item is not supported.
    pub fn seal(&self, item: &SealItem<'_>) -> Result<String, SealError> {
        let context = SealContext {
            scope: item.scope,
            namespace: item.namespace,
            name: item.name,
            item_key: item.item_key,
            binding: self.owner.binding(item.text),
            unresolved: item.unresolved.expose(),
            epoch: &self.epoch,
        };
        let secrets = derive(&self.key, self.certificate.public_key_sha256(), &context, item.value.expose());
        let label = item.scope.label(item.namespace, item.name);
        hybrid::seal(&self.certificate.key, &label, &secrets, item.value.expose()).ok_or(SealError::Size)
    }

    /// Seals items on all cores; the results are in the order of the items.
    ///
    /// # Errors
    /// Returns [`SealError::Panicked`], or the error of the first item that has one.
    pub fn seal_all(&self, items: &[SealItem<'_>]) -> Result<Vec<String>, SealError> {
        workers::parallel_map(items, |item| self.seal(item))
            .map_err(|_| SealError::Panicked)?
            .into_iter()
            .collect()
    }
}
