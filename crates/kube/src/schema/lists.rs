//! Lists whose items must be unique: sets, and lists with map keys.

use std::collections::HashMap;
use std::hash::Hash;

use super::node::{ComparableScalar, ListKey, ListTopology};
use super::path::ValuePath;

use super::violation::ViolationKind;
use super::walk::SchemaWalk;
use sealwave_core::document::Node;

/// Lists up to this length are compared pairwise, without allocating.
const SHORT: usize = 8;

impl<'a> SchemaWalk<'a, '_> {
    pub(super) fn duplicates(&mut self, topology: &'a ListTopology, items: &'a [Node], at: &ValuePath<'_>) {
        if items.len() < 2 {
            return;
        }
        match topology {
            ListTopology::Atomic => {}
            ListTopology::Set => self.repeated(
                items,
                at,
                |item| ComparableScalar::from_value(&item.value),
                |first| ViolationKind::DuplicateSetItem { first: first.origin },
            ),
            ListTopology::Map(keys) => self.repeated(
                items,
                at,
                |item| ListItemKey::new(item, keys),
                |first| ViolationKind::DuplicateListKey { keys: names(keys), first: first.origin },
            ),
        }
    }

    /// Reports each item that equals an earlier one; items without an identity are ignored.
    fn repeated<T: Eq + Hash>(
        &mut self,
        items: &'a [Node],
        at: &ValuePath<'_>,
        identity: impl Fn(&'a Node) -> Option<T>,
        kind: impl Fn(&'a Node) -> ViolationKind<'a>,
    ) {
        let mut seen: HashMap<T, usize> = HashMap::new();
        for (index, item) in items.iter().enumerate() {
            let Some(own) = identity(item) else { continue };
            let first = if items.len() <= SHORT {
                items.iter().take(index).position(|other| identity(other).as_ref() == Some(&own))
            } else {
                let first = *seen.entry(own).or_insert(index);
                (first < index).then_some(first)
            };
            if let Some(first) = first.and_then(|first| items.get(first)) {
                self.report(kind(first), &at.index(index), item.origin);
            }
        }
    }
}

fn names(keys: &[ListKey]) -> Vec<&str> {
    keys.iter().map(|key| key.name.as_str()).collect()
}

/// The key values that identify an item of a map list.
struct ListItemKey<'a> {
    item: &'a Node,
    keys: &'a [ListKey],
}

impl<'a> ListItemKey<'a> {
    /// Returns `None` if a key without a default is missing or not a scalar, which is reported elsewhere.
    fn new(item: &'a Node, keys: &'a [ListKey]) -> Option<Self> {
        let identity = Self { item, keys };
        let complete = identity.values().all(|value| value.is_some());
        complete.then_some(identity)
    }

    fn values(&self) -> impl Iterator<Item = Option<ComparableScalar<'a>>> {
        self.keys.iter().map(|key| {
            match self.item.get(&key.name).map(|node| ComparableScalar::from_value(&node.value)) {
                None | Some(Some(ComparableScalar::Null)) => {
                    key.default.as_ref().and_then(ComparableScalar::from_value)
                }
                Some(value) => value,
            }
        })
    }
}

impl PartialEq for ListItemKey<'_> {
    fn eq(&self, other: &Self) -> bool {
        self.values().eq(other.values())
    }
}

impl Eq for ListItemKey<'_> {}

impl Hash for ListItemKey<'_> {
    fn hash<H: std::hash::Hasher>(&self, state: &mut H) {
        for value in self.values() {
            value.hash(state);
        }
    }
}
