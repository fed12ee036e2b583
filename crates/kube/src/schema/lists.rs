//! Lists whose items must differ: sets, and maps in the shape of lists.

use std::collections::HashMap;
use std::hash::Hash;

use super::node::{Key, Scalar, Topology};
use super::path::Path;

use super::violation::ViolationKind;
use super::walk::Walk;
use sealwave_core::document::Node;

/// Lists up to this length are compared pair by pair, which needs no memory.
const SHORT: usize = 8;

impl<'a> Walk<'a, '_> {
    pub(super) fn duplicates(&mut self, topology: &'a Topology, items: &'a [Node], at: &Path<'_>) {
        if items.len() < 2 {
            return;
        }
        match topology {
            Topology::Atomic => {}
            Topology::Set => self.repeated(
                items,
                at,
                |item| Scalar::of(&item.value),
                |first| ViolationKind::DuplicateSetItem { first: first.origin },
            ),
            Topology::Map(keys) => self.repeated(
                items,
                at,
                |item| Identity::of(item, keys),
                |first| ViolationKind::DuplicateListKey { keys: names(keys), first: first.origin },
            ),
        }
    }

    /// Reports each item that is the same as one before it; items without an identity are left alone.
    fn repeated<T: Eq + Hash>(
        &mut self,
        items: &'a [Node],
        at: &Path<'_>,
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

fn names(keys: &[Key]) -> Vec<&str> {
    keys.iter().map(|key| key.name.as_str()).collect()
}

/// What an item of a list map is known by.
struct Identity<'a> {
    item: &'a Node,
    keys: &'a [Key],
}

impl<'a> Identity<'a> {
    /// `None` where a key is missing that has no default, or is no scalar: that is another fault, or none.
    fn of(item: &'a Node, keys: &'a [Key]) -> Option<Self> {
        let identity = Self { item, keys };
        let complete = identity.values().all(|value| value.is_some());
        complete.then_some(identity)
    }

    fn values(&self) -> impl Iterator<Item = Option<Scalar<'a>>> {
        self.keys.iter().map(|key| match self.item.get(&key.name).map(|node| Scalar::of(&node.value)) {
            None | Some(Some(Scalar::Null)) => key.default.as_ref().and_then(Scalar::of),
            Some(value) => value,
        })
    }
}

impl PartialEq for Identity<'_> {
    fn eq(&self, other: &Self) -> bool {
        self.values().eq(other.values())
    }
}

impl Eq for Identity<'_> {}

impl Hash for Identity<'_> {
    fn hash<H: std::hash::Hasher>(&self, state: &mut H) {
        for value in self.values() {
            value.hash(state);
        }
    }
}
