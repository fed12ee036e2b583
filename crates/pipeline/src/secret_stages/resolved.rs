//! The types between `resolve` and `seal`, which hold values in plaintext. Only these two stages see their parts.

use compact_str::CompactString;

use sealwave_core::document::{Manifest, Origin};
use sealwave_secrets::placeholder::{KeySource, PlaceholderText, SecretReference};
use sealwave_secrets::values::SecretValue;

/// Objects whose Secrets hold their values. Modules other than the parent can only pass it on.
pub(crate) struct ResolvedApp {
    objects: Vec<ResolvedObject>,
}

/// An object after resolution.
pub(super) enum ResolvedObject {
    /// An object without secret data.
    Plain(Manifest),
    /// A Secret with data.
    Secret(ResolvedSecret),
}

/// A Secret after resolution.
pub(super) struct ResolvedSecret {
    /// The Secret without `data` and `stringData`.
    pub(super) manifest: Manifest,
    /// The items in the order of their keys. Either `items` or `sources` is not empty, unless an empty
    /// Secret is sealed as well.
    pub(super) items: Vec<ResolvedItem>,
    /// Secrets whose keys all become items, if they were not fetched. Their items are not known.
    pub(super) sources: Vec<KeySource>,
}

/// An item of a Secret after substitution.
pub(super) struct ResolvedItem {
    /// The key, which is valid for a Secret.
    pub(super) key: CompactString,
    /// The location of the value in the source.
    pub(super) origin: Origin,
    /// The item's bytes before placeholders were resolved; for `data`, the decoded ones.
    ///
    /// If a reference omits its provider or its path, this is the same text with references in full, so that it always
    /// contains what the item refers to. If values are read from files in Git, evidence of these files is appended.
    pub(super) unresolved: SecretValue,
    /// The references in order of appearance; empty for a literal. `path` is already replaced by the provider that it
    /// stands for.
    pub(super) references: Vec<SecretReference>,
    /// The same text, parsed, with `path` replaced too; `None` if the item's bytes are not a text with placeholders.
    pub(super) text: Option<PlaceholderText>,
    /// The value.
    pub(super) value: ItemValue,
}

/// The value of an item.
pub(super) enum ItemValue {
    /// Fetched, or a literal.
    Known(SecretValue),
    /// Not fetched: in a local preview, or for a backend that stores only references.
    Withheld,
}

impl ResolvedObject {
    /// Turns a Secret without items into one whose items are known, and which has none.
    pub(super) fn or_empty_secret(self) -> Self {
        match self {
            Self::Plain(manifest) if manifest.is_secret() => {
                Self::Secret(ResolvedSecret { manifest, items: Vec::new(), sources: Vec::new() })
            }
            other => other,
        }
    }
}

impl ResolvedApp {
    pub(super) const fn new(objects: Vec<ResolvedObject>) -> Self {
        Self { objects }
    }

    pub(super) fn objects(&self) -> &[ResolvedObject] {
        &self.objects
    }

    pub(super) fn into_objects(self) -> Vec<ResolvedObject> {
        self.objects
    }
}
