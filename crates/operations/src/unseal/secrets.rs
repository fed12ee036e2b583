//! Opens the items of SealedSecrets, all of them or none.

use sealwave_core::diagnostic::{Failure, Note, Problem, ProblemCollector};
use sealwave_core::document::{Node, Origin, Sources};
use sealwave_core::workers;
use sealwave_secrets::values::SecretValue;

use super::error::{LeftOut, UnsealError};
use super::object::{self, ClosedItem, ClosedSecret};
use crate::documents::ManifestInput;
use crate::key_files::{UnsealKeyInfo, UnsealKeys};

/// Secrets in plaintext. They cannot be printed, only written.
pub struct UnsealedSecrets<'k> {
    pub(super) secrets: Vec<UnsealedSecret<'k>>,
}

/// A Secret with its values.
pub(super) struct UnsealedSecret<'k> {
    /// The Secret without its items.
    pub(super) root: Node,
    /// The namespace and name, for messages.
    name: String,
    pub(super) items: Vec<UnsealedItem<'k>>,
}

/// An item with its value.
pub(super) struct UnsealedItem<'k> {
    pub(super) key: String,
    pub(super) value: SecretValue,
    /// The key that opened it; `None` for a text of the template.
    opened_by: Option<&'k UnsealKeyInfo>,
}

/// An item and the key that opened it.
#[derive(Clone, Copy, Debug)]
pub struct OpenedItem<'a> {
    /// The namespace and name of the Secret.
    pub secret: &'a str,
    /// The key of the item.
    pub item: &'a str,
    /// The private key.
    pub key: &'a UnsealKeyInfo,
}

impl<'k> UnsealedSecrets<'k> {
    /// Opens all SealedSecrets of an input. `namespace` is that of objects without one.
    ///
    /// # Errors
    /// All documents that cannot be read, and all items that no key opens.
    pub fn open(
        input: &ManifestInput,
        namespace: Option<&str>,
        keys: &'k UnsealKeys,
        notes: &mut Vec<Note>,
    ) -> Result<Self, Failure> {
        let mut sources = Sources::default();
        let mut new_notes = Vec::new();
        let source = sources.add(input.name());
        let read = input.objects(source).and_then(|roots| closed(roots, namespace, &mut new_notes));
        let opened = read.and_then(|closed| {
            if closed.is_empty() {
                return Err(Problem::at(Origin::whole(source), &UnsealError::NoSealedSecret).into());
            }
            open_all(closed, keys)
        });
        notes.extend(new_notes.into_iter().map(|note| note.located(&sources)));
        opened.map(|secrets| Self { secrets }).map_err(|failure| failure.located(&sources))
    }

    /// Returns the items and the keys that opened them, in order.
    pub fn opened_items(&self) -> impl Iterator<Item = OpenedItem<'_>> {
        self.secrets.iter().flat_map(|secret| {
            secret.items.iter().filter_map(|item| {
                Some(OpenedItem { secret: &secret.name, item: &item.key, key: item.opened_by? })
            })
        })
    }
}

/// Checks the SealedSecrets among objects.
fn closed(
    roots: Vec<Node>,
    namespace: Option<&str>,
    notes: &mut Vec<Note>,
) -> Result<Vec<ClosedSecret>, Failure> {
    let (mut closed, mut problems) = (Vec::new(), ProblemCollector::default());
    for root in roots {
        if !object::is_sealed_secret(&root) {
            let at = root.display_origin();
            let kind = root.get("kind").and_then(Node::as_str).unwrap_or("object without a kind").to_owned();
            notes.push(Note::warning(Problem::at(at, &LeftOut(kind))));
            continue;
        }
        match ClosedSecret::new(&root, namespace, notes) {
            Ok(secret) => closed.push(secret),
            Err(failure) => problems.absorb(failure),
        }
    }
    problems.check().map(|()| closed)
}

fn open_all(closed: Vec<ClosedSecret>, keys: &UnsealKeys) -> Result<Vec<UnsealedSecret<'_>>, Failure> {
    let work: Vec<(&ClosedSecret, &ClosedItem)> =
        closed.iter().flat_map(|secret| secret.items.iter().map(move |item| (secret, item))).collect();
    let opened = workers::parallel_map(&work, |(secret, item)| keys.open(&secret.label, &item.ciphertext));
    let opened = opened.map_err(|_| Problem::new(&UnsealError::Panicked))?;
    let mut problems = ProblemCollector::default();
    for ((secret, item), _) in work.iter().zip(&opened).filter(|(_, opened)| opened.is_none()) {
        if problems.is_full() {
            break;
        }
        let error = UnsealError::NotOpened {
            item: item.key.clone(),
            secret: secret.name.clone(),
            meant: secret.meant_scope(item, keys),
        };
        problems.push(Problem::at(item.origin, &error));
    }
    problems.check()?;
    let mut opened = opened.into_iter().flatten();
    let secrets = closed.into_iter().map(|secret| {
        let ClosedSecret { root, name, items, texts, .. } = secret;
        let items = items.into_iter().zip(opened.by_ref());
        let mut items: Vec<UnsealedItem<'_>> = items
            .map(|(item, (value, key))| UnsealedItem { key: item.key, value, opened_by: Some(key) })
            .collect();
        items.extend(texts.into_iter().map(|(key, value)| UnsealedItem { key, value, opened_by: None }));
        items.sort_by(|a, b| a.key.cmp(&b.key));
        UnsealedSecret { root, name, items }
    });
    Ok(secrets.collect())
}
