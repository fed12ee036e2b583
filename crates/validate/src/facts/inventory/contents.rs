//! The known keys of a Secret or `ConfigMap`.

use std::collections::BTreeSet;

use sealwave_core::document::{Mapping, Node};

/// Known keys of an object.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum ObjectKeys<'a> {
    /// Exactly these keys.
    Known(BTreeSet<&'a str>),
    /// Unknown: further keys may exist.
    Open,
}

impl<'a> ObjectKeys<'a> {
    /// Creates contents with exactly these keys.
    pub(crate) fn from_keys(keys: impl IntoIterator<Item = &'a str>) -> Self {
        Self::Known(keys.into_iter().collect())
    }

    /// Creates contents from the keys of some nodes; a node that is not a mapping has no keys.
    pub(crate) fn from_nodes(mappings: &[Option<&'a Node>]) -> Self {
        Self::from_keys(mappings.iter().flat_map(|mapping| mapping_keys(*mapping)))
    }

    /// Turns an empty set of keys into an open one: another controller fills the object.
    pub(crate) fn open_if_empty(self) -> Self {
        match self {
            Self::Known(keys) if keys.is_empty() => Self::Open,
            other => other,
        }
    }

    /// Returns whether a key may exist.
    pub(crate) fn may_have(&self, key: &str) -> bool {
        match self {
            Self::Known(keys) => keys.contains(key),
            Self::Open => true,
        }
    }

    /// Returns all keys, or `None` if further keys may exist.
    pub(crate) fn all_keys(&self) -> Option<BTreeSet<String>> {
        match self {
            Self::Known(keys) => Some(keys.iter().map(|key| (*key).to_owned()).collect()),
            Self::Open => None,
        }
    }

    /// Returns the keys that are known.
    pub(crate) fn known_keys(&self) -> impl Iterator<Item = &'a str> + '_ {
        let keys = match self {
            Self::Known(keys) => Some(keys),
            Self::Open => None,
        };
        keys.into_iter().flatten().copied()
    }
}

/// Returns the keys of a mapping.
pub(crate) fn mapping_keys(mapping: Option<&Node>) -> impl Iterator<Item = &str> {
    let entries = mapping.and_then(Node::as_mapping).map_or(&[][..], Mapping::entries);
    entries.iter().map(|entry| entry.key.as_str())
}
