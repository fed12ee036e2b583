//! Sealing of items under one seal key, for one certificate.

use super::certificate::Certificate;
use super::derive::{SealContext, derive};
use super::hybrid;
use super::key::SealKey;
use super::owner::{ItemText, Owner};
use crate::Scope;
use crate::values::SecretValue;
use sealwave_core::diagnostic::Explain;
use sealwave_core::workers;

/// What all items of a run are sealed with.
pub struct Sealer {
    /// The operator's key.
    pub key: SealKey,
    /// The destination cluster's.
    pub certificate: Certificate,
    /// The Argo CD app that is sealed for.
    pub owner: Owner,
    /// The operator's epoch.
    pub epoch: String,
}

/// One item to seal.
#[derive(Clone, Copy)]
pub struct SealItem<'a> {
    /// Where it may be opened.
    pub scope: Scope,
    /// The object's namespace.
    pub namespace: &'a str,
    /// The object's name.
    pub name: &'a str,
    /// The item's key.
    pub item_key: &'a str,
    /// What its text consists of.
    pub text: ItemText,
    /// Its bytes before placeholders were resolved.
    pub unresolved: &'a SecretValue,
    /// Its bytes.
    pub value: &'a SecretValue,
}

/// Why sealing failed, where it should not be able to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SealError {
    /// The key or the item has a size that the ciphers cannot take.
    #[error("item cannot be encrypted: its size is beyond what the ciphers take")]
    Size,
    /// A thread panicked.
    #[error("sealing failed inside; nothing is said of what was being sealed")]
    Panicked,
}

impl Explain for SealError {}

impl Sealer {
    /// Seals one item; equal input gives equal output.
    ///
    /// # Errors
    /// [`SealError::Size`].
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

    /// Seals items on all cores; the results come in the order of the items, whatever the cores did.
    ///
    /// # Errors
    /// [`SealError::Panicked`], or the error of the first item that has one.
    pub fn seal_all(&self, items: &[SealItem<'_>]) -> Result<Vec<String>, SealError> {
        workers::map(items, |item| self.seal(item)).map_err(|_| SealError::Panicked)?.into_iter().collect()
    }
}
