//! Scalars that are read as written: which of them are plain, and what merge keys mean.

use std::collections::BTreeSet;

use crate::document::Origin;

/// The handling of a key `<<`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum MergeKeys {
    /// Merges the entries of its value into the mapping, as in manifests.
    Apply,
    /// Treats it like any other key.
    Keep,
}

/// The positions of plain scalars and keys.
#[derive(Default)]
pub struct PlainScalars(BTreeSet<Origin>);

impl PlainScalars {
    /// Returns whether the scalar or key at a position is plain.
    #[must_use]
    pub fn contains(&self, at: Origin) -> bool {
        self.0.contains(&at)
    }

    pub(super) fn insert(&mut self, origin: Origin) {
        self.0.insert(origin);
    }

    /// Records that the scalar at `to` is an alias of the one at `from`.
    pub(super) fn alias(&mut self, from: Origin, to: Origin) {
        if self.0.contains(&from) {
            self.0.insert(to);
        }
    }
}
