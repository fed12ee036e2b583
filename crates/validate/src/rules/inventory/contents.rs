//! The known keys of a Secret or `ConfigMap`.

use std::collections::BTreeSet;

use sealwave_core::document::{Mapping, Node};

/// Known keys of an object.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Contents<'a> {
    /// Exactly these keys.
    Keys(BTreeSet<&'a str>),
    /// Unknown: further keys may exist.
    Open,
}

impl<'a> Contents<'a> {
    /// Creates contents with exactly these keys.
    pub(super) fn keys(keys: impl IntoIterator<Item = &'a str>) -> Self {
        Self::Keys(keys.into_iter().collect())
    }

    /// Creates contents from the keys of some nodes; a node that is not a mapping has no keys.
    pub fn of(mappings: &[Option<&'a Node>]) -> Self {
        Self::keys(mappings.iter().flat_map(|mapping| keys(*mapping)))
    }

    /// Turns an empty set of keys into an open one: another controller fills the object.
    pub(super) fn or_filled_later(self) -> Self {
        match self {
            Self::Keys(keys) if keys.is_empty() => Self::Open,
            other => other,
        }
    }

    /// Returns whether a key may exist.
    pub(in crate::rules) fn may_have(&self, key: &str) -> bool {
        match self {
            Self::Keys(keys) => keys.contains(key),
            Self::Open => true,
        }
    }

    /// Returns all keys, or `None` if further keys may exist.
    pub(crate) fn all(&self) -> Option<BTreeSet<String>> {
        match self {
            Self::Keys(keys) => Some(keys.iter().map(|key| (*key).to_owned()).collect()),
            Self::Open => None,
        }
    }

    /// Returns the keys that are known.
    pub(in crate::rules) fn known(&self) -> impl Iterator<Item = &'a str> + '_ {
        let keys = match self {
            Self::Keys(keys) => Some(keys),
            Self::Open => None,
        };
        keys.into_iter().flatten().copied()
    }
}

/// Returns the keys of a mapping.
pub(super) fn keys(mapping: Option<&Node>) -> impl Iterator<Item = &str> {
    let entries = mapping.and_then(Node::as_mapping).map_or(&[][..], Mapping::entries);
    entries.iter().map(|entry| entry.key.as_str())
}
