//! Third verb: collect the references, fetch each once, put the values in their places.
//!
//! [`Resolved`] holds plaintext. It has no `Debug` and no `Serialize`, and only [`super::seal()`] reads it.

use compact_str::CompactString;

use crate::model::{Manifest, Origin, Reference, SecretValue};

/// Objects whose Secrets hold their values; not to be printed.
///
/// ```compile_fail
/// fn print(resolved: &sealwave::pipeline::Resolved) {
///     println!("{resolved:?}");
/// }
/// ```
pub struct Resolved {
    objects: Vec<ResolvedObject>,
}

/// One object after resolution.
pub(crate) enum ResolvedObject {
    /// Holds no secret.
    Plain(Manifest),
    /// A Secret with data.
    Secret(ResolvedSecret),
}

/// A Secret whose items are known.
pub(crate) struct ResolvedSecret {
    /// The Secret without `data` and `stringData`.
    pub(crate) manifest: Manifest,
    /// Its items in the order of their keys; never empty.
    pub(crate) items: Vec<ResolvedItem>,
}

/// One item of a Secret.
pub(crate) struct ResolvedItem {
    /// Its key; a valid key of a Secret.
    pub(crate) key: CompactString,
    /// Where its value stands in the source.
    pub(crate) origin: Origin,
    /// The item's bytes before placeholders were resolved (for `data`, the decoded ones).
    pub(crate) unresolved: SecretValue,
    /// What it refers to, in order of appearance; empty for a literal.
    pub(crate) references: Vec<Reference>,
    /// Its value.
    pub(crate) value: ItemValue,
}

/// The value of an item.
pub(crate) enum ItemValue {
    /// Fetched, or a literal.
    Known(SecretValue),
    /// Not fetched: a local preview shows where it would go.
    Withheld,
}

impl Resolved {
    pub(crate) fn into_objects(self) -> Vec<ResolvedObject> {
        self.objects
    }

    #[cfg(test)]
    pub(crate) const fn for_tests(objects: Vec<ResolvedObject>) -> Self {
        Self { objects }
    }
}
