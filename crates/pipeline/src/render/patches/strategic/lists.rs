//! Merges lists whose items Kubernetes identifies by a key or by value.
//!
//! The order is that of the API server: items in the patch keep the order of the patch, all others keep the order of
//! the object, and otherwise items of the patch come first. Items are found by an index.

use std::collections::{HashMap, HashSet};

use compact_str::CompactString;

use super::directives::{ParsedMap, PatchAction, list_action, sequence};
use super::{copy_new_value, merge_map};
use crate::render::patches::error::{Error, LocatedError};
use sealwave_core::document::{MappingEntry, Node, NodeValue};
use sealwave_kube::schema::{ComparableScalar, ListMerge, MergeSchema};

/// The value that identifies an item of a list.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
enum ItemKey {
    Flag(bool),
    Float(u64),
    Int(i128),
    Text(CompactString),
}

impl ItemKey {
    /// Returns `None` for values that are not texts, numbers or booleans.
    fn from_value(value: &NodeValue) -> Option<Self> {
        Some(match ComparableScalar::from_value(value)? {
            ComparableScalar::Flag(flag) => Self::Flag(flag),
            ComparableScalar::Float(bits) => Self::Float(bits),
            ComparableScalar::Int(int) => Self::Int(int),
            ComparableScalar::Null => return None,
            ComparableScalar::Text(text) => Self::Text(text.into()),
        })
    }
}

/// The first position of each key in a list.
type KeyRanks = HashMap<ItemKey, usize>;

/// Merges a list of a patch into a list of the object. Returns `None` if the patch deletes the list.
///
/// # Errors
/// Items without their merge key or with another type, and an order that contradicts the patch.
pub(super) fn merge(
    items: Vec<Node>,
    changes: &[Node],
    schema: MergeSchema,
    order: Option<&MappingEntry>,
) -> Result<Option<Vec<Node>>, LocatedError> {
    let (action, changes) = list_action(changes)?;
    let list = schema.list();
    let items = match action {
        PatchAction::Delete => return Ok(None),
        PatchAction::Merge => items,
        PatchAction::Replace => Vec::new(),
    };
    let mut named = Vec::with_capacity(changes.len());
    for change in changes {
        named.push((key_of_change(change, list)?, change));
    }
    let order = order.map(sequence).transpose()?;
    if let Some(order) = order {
        check_order(&named, order, list)?;
    }
    let before = rank_keys(items.iter().filter_map(|item| key_of(item, list)));
    let merged = match list {
        ListMerge::ByKey(key) => merge_objects(items, &named, key, schema)?,
        ListMerge::ByValue | ListMerge::Replace => merge_values(items, &named, list),
    };
    let patch_order =
        rank_keys(named.iter().filter(|(_, change)| !is_deletion(change)).map(|(key, _)| key.clone()));
    let merged = sort_items(merged, &patch_order, &before, list);
    Ok(Some(match order {
        Some(order) => {
            sort_items(merged, &rank_keys(order.iter().filter_map(|item| key_of(item, list))), &before, list)
        }
        None => merged,
    }))
}

/// Sorts the items of a list into an order. Items that it does not name keep their order.
pub(super) fn reorder(
    items: Vec<Node>,
    order: &[Node],
    schema: MergeSchema,
) -> Result<Vec<Node>, LocatedError> {
    let list = schema.list();
    let mut wanted = Vec::with_capacity(order.len());
    for item in order {
        wanted.push(key_of_change(item, list)?);
    }
    let before = rank_keys(items.iter().filter_map(|item| key_of(item, list)));
    Ok(sort_items(items, &rank_keys(wanted.into_iter()), &before, list))
}

/// Removes scalars from a list.
pub(super) fn remove_values(list: &mut Node, values: &[Node]) {
    let removed: HashSet<ItemKey> =
        values.iter().filter_map(|value| ItemKey::from_value(&value.value)).collect();
    if let NodeValue::Sequence(items) = &mut list.value {
        items.retain(|item| ItemKey::from_value(&item.value).is_none_or(|key| !removed.contains(&key)));
    }
}

fn key_of(item: &Node, list: ListMerge) -> Option<ItemKey> {
    match list {
        ListMerge::ByKey(key) => ItemKey::from_value(&item.get(key)?.value),
        ListMerge::ByValue | ListMerge::Replace => ItemKey::from_value(&item.value),
    }
}

fn key_of_change(change: &Node, list: ListMerge) -> Result<ItemKey, LocatedError> {
    key_of(change, list).ok_or_else(|| {
        let error = match list {
            ListMerge::ByKey(key) if change.as_mapping().is_some() => Error::MergeKey(key),
            _ => Error::ItemType { found: change.type_name(), list },
        };
        (error, change.display_origin())
    })
}

fn is_deletion(change: &Node) -> bool {
    let action = change.as_mapping().map(super::action_of);
    matches!(action, Some(Ok(PatchAction::Delete)))
}

fn rank_keys(keys: impl Iterator<Item = ItemKey>) -> KeyRanks {
    let mut ranks = KeyRanks::new();
    for (rank, key) in keys.enumerate() {
        ranks.entry(key).or_insert(rank);
    }
    ranks
}

/// Checks that `$setElementOrder` names the items of the patch in the order of the patch.
fn check_order(named: &[(ItemKey, &Node)], order: &[Node], list: ListMerge) -> Result<(), LocatedError> {
    let mut order = order.iter().map(|item| key_of_change(item, list));
    for (key, change) in named.iter().filter(|(_, change)| !is_deletion(change)) {
        loop {
            match order.next().transpose()? {
                Some(next) if next == *key => break,
                Some(_) => {}
                None => return Err((Error::Order, change.display_origin())),
            }
        }
    }
    order.try_for_each(|item| item.map(|_| ()))
}

/// Adds the scalars of a patch that are not in the list.
fn merge_values(items: Vec<Node>, named: &[(ItemKey, &Node)], list: ListMerge) -> Vec<Node> {
    let mut seen = HashSet::new();
    let own = items.into_iter();
    let mut merged: Vec<Node> =
        own.filter(|item| key_of(item, list).is_none_or(|key| seen.insert(key))).collect();
    let new = named.iter().filter(|(key, _)| seen.insert(key.clone()));
    merged.extend(new.map(|(_, item)| (*item).clone()));
    merged
}

/// Merges the objects of a patch into those of a list with the same merge key, and adds the others.
fn merge_objects(
    mut items: Vec<Node>,
    named: &[(ItemKey, &Node)],
    merge_key: &'static str,
    schema: MergeSchema,
) -> Result<Vec<Node>, LocatedError> {
    let list_keys = ListKeys::new(merge_key, schema);
    delete_items(&mut items, named, &list_keys);
    let mut index = ItemIndex::default();
    for (position, item) in items.iter().enumerate() {
        if let Some(key) = key_of(item, ListMerge::ByKey(merge_key)) {
            index.add(key, list_keys.identity(item), position);
        }
    }
    for (key, change) in named {
        let Some(changes) = change.as_mapping() else { continue };
        let parts = ParsedMap::parse(changes)?;
        if parts.action == PatchAction::Delete {
            continue;
        }
        let found = index.find(key, &list_keys.identity(change)).and_then(|position| items.get_mut(position));
        match found {
            Some(item) if parts.action == PatchAction::Merge && item.as_mapping().is_some() => {
                merge_map(item, &parts, schema.item())?;
            }
            Some(item) => *item = copy_new_value(change)?.unwrap_or_else(|| (*change).clone()),
            None => {
                index.add(key.clone(), list_keys.identity(change), items.len());
                items.extend(copy_new_value(change)?);
            }
        }
    }
    Ok(items)
}

/// Removes the items that a patch deletes: all with the merge key. If several have it and the patch states another key
/// of the list, removes those that match all keys.
fn delete_items(items: &mut Vec<Node>, named: &[(ItemKey, &Node)], list_keys: &ListKeys) {
    let deletions: Vec<_> = named.iter().filter(|(_, change)| is_deletion(change)).collect();
    if deletions.is_empty() {
        return;
    }
    let list = ListMerge::ByKey(list_keys.merge_key);
    let mut counts: HashMap<ItemKey, usize> = HashMap::new();
    for key in items.iter().filter_map(|item| key_of(item, list)) {
        *counts.entry(key).or_default() += 1;
    }
    let (mut keys, mut exact) = (HashSet::new(), HashSet::new());
    for (key, change) in deletions {
        if counts.get(key).is_some_and(|count| *count > 1) && list_keys.states_other_key(change) {
            exact.insert(list_keys.identity(change));
        } else {
            keys.insert(key.clone());
        }
    }
    items.retain(|item| {
        let is_deleted = key_of(item, list).is_some_and(|key| keys.contains(&key))
            || !exact.is_empty() && exact.contains(&list_keys.identity(item));
        !is_deleted
    });
}

/// The values of all keys of a list in an item; empty if the merge key is the only one.
type ItemIdentity = Vec<Option<ItemKey>>;

/// The keys that distinguish items with the same merge key.
struct ListKeys {
    merge_key: &'static str,
    keys: Vec<(&'static str, Option<&'static NodeValue>)>,
}

impl ListKeys {
    fn new(merge_key: &'static str, schema: MergeSchema) -> Self {
        let mut keys: Vec<_> = schema.list_keys().collect();
        if keys.len() < 2 || !keys.iter().any(|(key, _)| *key == merge_key) {
            keys.clear();
        }
        Self { merge_key, keys }
    }

    fn identity(&self, item: &Node) -> ItemIdentity {
        let key_value = |(key, default): &(&str, Option<&NodeValue>)| match item.get(key) {
            Some(node) if node.value != NodeValue::Null => ItemKey::from_value(&node.value),
            _ => default.and_then(ItemKey::from_value),
        };
        self.keys.iter().map(key_value).collect()
    }

    /// Reports whether a patch states a key other than the merge key.
    fn states_other_key(&self, change: &Node) -> bool {
        self.keys.iter().any(|(key, _)| *key != self.merge_key && change.get(key).is_some())
    }
}

/// The positions of items by their keys.
#[derive(Default)]
struct ItemIndex {
    /// The first item with a key, and their number.
    by_key: HashMap<ItemKey, (usize, usize)>,
    by_identity: HashMap<ItemIdentity, usize>,
}

impl ItemIndex {
    fn add(&mut self, key: ItemKey, identity: ItemIdentity, position: usize) {
        self.by_key.entry(key).or_insert((position, 0)).1 += 1;
        if !identity.is_empty() {
            self.by_identity.entry(identity).or_insert(position);
        }
    }

    /// Finds the item that a change is for: by its merge key, or by all keys if several items share it.
    fn find(&self, key: &ItemKey, identity: &ItemIdentity) -> Option<usize> {
        let (first, count) = *self.by_key.get(key)?;
        if count > 1 && !identity.is_empty() { self.by_identity.get(identity).copied() } else { Some(first) }
    }
}

/// Sorts the items that `order` names, and places the others among them in the order of the object.
fn sort_items(items: Vec<Node>, order: &KeyRanks, before: &KeyRanks, list: ListMerge) -> Vec<Node> {
    let rank_of = |item: &Node, ranks: &KeyRanks| key_of(item, list).and_then(|key| ranks.get(&key).copied());
    let (mut named, others): (Vec<Node>, Vec<Node>) =
        items.into_iter().partition(|item| rank_of(item, order).is_some());
    named.sort_by_cached_key(|item| rank_of(item, order));
    let mut sorted = Vec::with_capacity(named.len() + others.len());
    let mut others = others.into_iter().peekable();
    for item in named {
        let position = rank_of(&item, before);
        let comes_first = |other: &Node| {
            let other = rank_of(other, before);
            other.is_some() && position.is_some() && other < position
        };
        while let Some(other) = others.next_if(comes_first) {
            sorted.push(other);
        }
        sorted.push(item);
    }
    sorted.extend(others);
    sorted
}
