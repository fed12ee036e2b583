//! The keys of a Secret or `ConfigMap`, as far as its maker says them.

use std::collections::BTreeSet;

use sealwave_core::document::{Mapping, Node};

/// What is known of the keys.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Contents<'a> {
    /// These and no others.
    Keys(BTreeSet<&'a str>),
    /// Others may be there: nothing can be said of a key.
    Open,
}

impl<'a> Contents<'a> {
    /// These keys and no others.
    pub(super) fn keys(keys: impl IntoIterator<Item = &'a str>) -> Self {
        Self::Keys(keys.into_iter().collect())
    }

    /// The keys of a mapping; none where it is no mapping.
    pub fn of(mappings: &[Option<&'a Node>]) -> Self {
        Self::keys(mappings.iter().flat_map(|mapping| keys(*mapping)))
    }

    /// An object that its maker leaves empty is filled by somebody else.
    pub(super) fn or_filled_later(self) -> Self {
        match self {
            Self::Keys(keys) if keys.is_empty() => Self::Open,
            other => other,
        }
    }

    /// Whether a key may be there.
    pub(in crate::rules) fn may_have(&self, key: &str) -> bool {
        match self {
            Self::Keys(keys) => keys.contains(key),
            Self::Open => true,
        }
    }

    /// All keys; none where others may be there.
    pub(crate) fn all(&self) -> Option<BTreeSet<String>> {
        match self {
            Self::Keys(keys) => Some(keys.iter().map(|key| (*key).to_owned()).collect()),
            Self::Open => None,
        }
    }

    /// The keys that are known.
    pub(in crate::rules) fn known(&self) -> impl Iterator<Item = &'a str> + '_ {
        let keys = match self {
            Self::Keys(keys) => Some(keys),
            Self::Open => None,
        };
        keys.into_iter().flatten().copied()
    }
}

/// The keys of a mapping.
pub(super) fn keys(mapping: Option<&Node>) -> impl Iterator<Item = &str> {
    let entries = mapping.and_then(Node::as_mapping).map_or(&[][..], Mapping::entries);
    entries.iter().map(|entry| entry.key.as_str())
}
