//! Whether an item is sealed for a certificate.
//!
//! A ciphertext does not say which key it is for. The record of an earlier re-sealing does, while it is bound to the ciphertext;
//! the annotation of a rendered object does; a private key that opens the item proves it; a number above the modulus of a key
//! proves that it is not for that key. Otherwise it is unknown.

use sealwave_core::diagnostic::{Problem, ProblemPlace};
use sealwave_core::document::SourceLocation;
use sealwave_core::names::{RESEALED, SEAL_KEY_ID, SEALED_FOR};
use sealwave_core::workers;
use sealwave_secrets::SealingScope;
use sealwave_secrets::crypto::Certificate;
use sealwave_secrets::resealed::{ResealRecord, SealedItemId};

use super::engine::EngineFailure;
use super::error::ResealError;
use super::find::{FoundFile, SealedTree};
use crate::key_files::UnsealKeys;
use crate::sealed_files::{SealedItem, SealedObject};

/// The state of an item relative to a certificate.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ItemState {
    /// It is sealed for the certificate.
    Current,
    /// It is not sealed for the certificate.
    Stale(StaleReason),
    /// It was sealed by another tool, and no key says more.
    Unknown,
}

/// A reason why an item is not sealed for a certificate.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum StaleReason {
    /// Its number is too large for the certificate's key.
    RuledOut,
    /// It is sealed for another public key, with this SHA-256 in hexadecimal.
    SealedFor(String),
}

/// An object with what its items are bound to.
#[derive(Clone)]
pub(super) struct BoundObject<'t> {
    pub(super) found: &'t FoundFile,
    /// The index in the file.
    pub(super) index: usize,
    pub(super) object: &'t SealedObject,
    pub(super) namespace: &'t str,
    pub(super) record: ResealRecord,
}

impl<'t> BoundObject<'t> {
    /// Returns all objects of a tree, in order; `default` is the namespace of those without one.
    pub(super) fn all(tree: &'t SealedTree, default: Option<&'t str>) -> Vec<Self> {
        let objects = |found: &'t FoundFile| {
            let objects = found.file.objects().iter().enumerate();
            objects.map(move |(index, object)| Self::new(found, index, object, default))
        };
        tree.files.iter().flat_map(objects).collect()
    }

    fn new(found: &'t FoundFile, index: usize, object: &'t SealedObject, default: Option<&'t str>) -> Self {
        let own = object.namespace.as_str();
        let namespace = if own.is_empty() { default.unwrap_or_default() } else { own };
        let record = object.annotation(RESEALED).and_then(|text| ResealRecord::parse(text).ok());
        Self { found, index, object, namespace, record: record.unwrap_or_default() }
    }

    pub(super) fn id<'i>(&'i self, key: &'i str) -> SealedItemId<'i> {
        let SealedObject { name, scope, .. } = self.object;
        SealedItemId { namespace: self.namespace, name, scope: *scope, key }
    }

    pub(super) fn shown(&self) -> String {
        let name = &self.object.name;
        if self.namespace.is_empty() { name.clone() } else { format!("{}/{name}", self.namespace) }
    }

    pub(super) fn place(&self) -> SourceLocation {
        self.found.file.place(self.object.line)
    }

    /// Returns the problem of a failure, at its item.
    pub(super) fn located(&self, failure: EngineFailure) -> Problem {
        let EngineFailure { key, problem } = failure;
        if problem.at != ProblemPlace::Unknown {
            return *problem;
        }
        let item = key.and_then(|key| self.object.item(&key));
        let line = item.map_or(self.object.line, |item| item.line);
        Problem { at: ProblemPlace::Place(self.found.file.place(line)), ..*problem }
    }

    pub(super) fn label(&self) -> Vec<u8> {
        self.object.scope.label(self.namespace, &self.object.name)
    }

    /// Reports whether the label of the items is known.
    pub(super) fn has_label(&self) -> bool {
        self.object.scope == SealingScope::ClusterWide || !self.namespace.is_empty()
    }

    /// Requires that the label of the items is known.
    pub(super) fn require_label(&self) -> Result<(), Problem> {
        if self.has_label() {
            return Ok(());
        }
        let error = ResealError::NoNamespace(self.shown(), self.object.scope.as_str());
        let at = ProblemPlace::Place(self.place());
        Err(Problem { at, ..Problem::new(&error) })
    }

    /// Reports whether sealwave rendered the object, rather than a person sealing its items.
    pub(super) fn is_rendered(&self) -> bool {
        self.object.annotation(SEAL_KEY_ID).is_some()
    }

    /// Returns the public key of an item, as far as annotations tell.
    pub(super) fn recorded_key(&self, item: &SealedItem) -> Option<String> {
        if let Some(bound) = self.record.bound(&self.id(&item.key), &item.ciphertext) {
            return Some(bound.public_key_sha256.to_owned());
        }
        let claim = self.object.annotation(SEALED_FOR).filter(|_| self.is_rendered())?;
        claim.strip_prefix("sha256:").map(str::to_owned)
    }

    /// Returns the state of an item by annotations and its number.
    pub(super) fn recorded_state(&self, item: &SealedItem, certificate: &Certificate) -> ItemState {
        match self.recorded_key(item) {
            Some(key) => state_of_key(key, certificate),
            None if certificate.rules_out(&item.ciphertext) => ItemState::Stale(StaleReason::RuledOut),
            None => ItemState::Unknown,
        }
    }
}

pub(super) fn state_of_key(key: String, certificate: &Certificate) -> ItemState {
    if key == certificate.details().public_key_sha256 {
        ItemState::Current
    } else {
        ItemState::Stale(StaleReason::SealedFor(key))
    }
}

/// Returns the public key that opens each item, on all cores, in the order of objects and items. An item that no key opens has
/// none.
pub(super) fn opening_keys(
    objects: &[BoundObject<'_>],
    keys: &UnsealKeys,
) -> Result<Vec<Vec<Option<String>>>, Problem> {
    let open = |object: &BoundObject<'_>| -> Vec<Option<String>> {
        let label = object.label();
        let open = |item: &SealedItem| {
            let (_, info) = keys.open(&label, &item.ciphertext).filter(|_| object.has_label())?;
            Some(info.public_key_sha256.clone())
        };
        object.object.items.iter().map(open).collect()
    };
    workers::parallel_map(objects, open).map_err(|error| Problem::new(&error))
}
