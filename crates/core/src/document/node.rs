//! The manifest tree: YAML as Kubernetes parses it, with the position of every node.
//!
//! Keys are strings (Kubernetes' parser turns every scalar key into one) and keep their order. A tree may contain a
//! plaintext Secret from Git, so nothing here prints its scalars: `Debug` shows only type and position.

use std::collections::HashMap;
use std::fmt;

use compact_str::CompactString;
use zeroize::Zeroize;

use super::number::Number;
use super::source::{Origin, SourceId};
use crate::text::same_key;

/// The number of entries from which a [`MappingBuilder`] has an index of the keys.
const INDEX_FROM: usize = 16;

/// A value with its origin.
#[derive(Clone)]
pub struct Node {
    /// The value.
    pub value: NodeValue,
    /// The position of the value.
    pub origin: Origin,
}

/// The value of a node.
#[derive(Clone, PartialEq)]
pub enum NodeValue {
    /// `true` or `false`.
    Bool(bool),
    /// Keys and values, in the order in which they were written.
    Mapping(Mapping),
    /// The null value.
    Null,
    /// A number, as Go's decoder keeps it.
    Number(Number),
    /// A sequence.
    Sequence(Vec<Node>),
    /// A string.
    String(CompactString),
}

/// An ordered mapping with string keys, each at most once. A [`MappingBuilder`] creates large ones.
#[derive(Clone, Default, PartialEq)]
pub struct Mapping {
    entries: Vec<MappingEntry>,
}

/// Creates a mapping entry by entry; the time per entry does not depend on the number of entries.
#[derive(Default)]
pub struct MappingBuilder {
    mapping: Mapping,
    /// The position of each key; absent below [`INDEX_FROM`] entries, to keep small mappings small.
    #[expect(clippy::box_collection, reason = "absent in most mappings, which should stay small")]
    index: Option<Box<HashMap<CompactString, usize>>>,
    /// The key that waits for its value.
    pending: Option<PendingKey>,
}

/// A key that was looked up and waits for its value.
struct PendingKey {
    key: CompactString,
    origin: Origin,
    /// The position of the entry with this key.
    at: Option<usize>,
}

/// A key and its value.
#[derive(Clone)]
pub struct MappingEntry {
    /// The key.
    pub key: CompactString,
    /// The position of the key.
    pub key_origin: Origin,
    /// The value.
    pub value: Node,
}

/// An entry of a mapping, for modification: the key cannot change, so keys stay unique.
pub struct MappingEntryMut<'a> {
    /// The key.
    pub key: &'a str,
    /// The position of the key.
    pub key_origin: &'a mut Origin,
    /// The value.
    pub value: &'a mut Node,
}

impl Zeroize for Node {
    /// Zeroes all keys and scalars of the tree, and sets it to null. The recursion is as deep as the parser allowed the
    /// tree to be.
    fn zeroize(&mut self) {
        match &mut self.value {
            NodeValue::Mapping(mapping) => {
                for mut entry in std::mem::take(mapping).entries {
                    entry.key.zeroize();
                    entry.value.zeroize();
                }
            }
            NodeValue::Sequence(items) => items.iter_mut().for_each(Self::zeroize),
            NodeValue::String(text) => text.zeroize(),
            NodeValue::Bool(_) | NodeValue::Null | NodeValue::Number(_) => {}
        }
        self.value = NodeValue::Null;
    }
}

impl PartialEq for Node {
    fn eq(&self, other: &Self) -> bool {
        self.value == other.value
    }
}

impl PartialEq for MappingEntry {
    fn eq(&self, other: &Self) -> bool {
        self.key == other.key && self.value == other.value
    }
}

// Other crates call the short accessors for each node, so they may be inlined there.
impl Node {
    /// Creates a node with this value, read at `origin`.
    #[must_use]
    pub const fn new(value: NodeValue, origin: Origin) -> Self {
        Self { value, origin }
    }

    /// Creates a text node.
    #[must_use]
    pub fn string(text: impl Into<CompactString>, origin: Origin) -> Self {
        Self::new(NodeValue::String(text.into()), origin)
    }

    /// Returns the text of a string.
    #[inline]
    #[must_use]
    pub fn as_str(&self) -> Option<&str> {
        match &self.value {
            NodeValue::String(text) => Some(text),
            _ => None,
        }
    }

    /// Returns the mapping, if this is one.
    #[inline]
    #[must_use]
    pub const fn as_mapping(&self) -> Option<&Mapping> {
        match &self.value {
            NodeValue::Mapping(mapping) => Some(mapping),
            _ => None,
        }
    }

    /// Returns the mapping for modification, if this is one.
    pub const fn as_mapping_mut(&mut self) -> Option<&mut Mapping> {
        match &mut self.value {
            NodeValue::Mapping(mapping) => Some(mapping),
            _ => None,
        }
    }

    /// Returns the items, if this is a sequence.
    #[inline]
    #[must_use]
    pub fn as_sequence(&self) -> Option<&[Self]> {
        match &self.value {
            NodeValue::Sequence(items) => Some(items),
            _ => None,
        }
    }

    /// Returns the items of a sequence; empty for other values.
    #[inline]
    #[must_use]
    pub fn items(&self) -> &[Self] {
        self.as_sequence().unwrap_or(&[])
    }

    /// Returns the items of the sequence at a path of keys; empty for other values.
    #[must_use]
    pub fn items_at(&self, path: &[&str]) -> &[Self] {
        self.at(path).map_or(&[], Self::items)
    }

    /// Returns the entries of a mapping; empty for other values.
    #[inline]
    #[must_use]
    pub fn entries(&self) -> &[MappingEntry] {
        self.as_mapping().map_or(&[], Mapping::entries)
    }

    /// Returns the entries of the mapping at a path of keys; empty for other values.
    #[must_use]
    pub fn entries_at(&self, path: &[&str]) -> &[MappingEntry] {
        self.at(path).map_or(&[], Self::entries)
    }

    /// Returns the value under `key`, if this is a mapping that contains it.
    #[inline]
    #[must_use]
    pub fn get(&self, key: &str) -> Option<&Self> {
        self.as_mapping()?.get(key)
    }

    /// Returns the value at a path of keys.
    #[inline]
    #[must_use]
    pub fn at(&self, path: &[&str]) -> Option<&Self> {
        path.iter().try_fold(self, |node, key| node.get(key))
    }

    /// Returns the value at a path of keys, for modification.
    pub fn at_mut(&mut self, path: &[&str]) -> Option<&mut Self> {
        path.iter().try_fold(self, |node, key| node.as_mapping_mut()?.get_mut(key))
    }

    /// Returns the mapping at `path`; creates mappings that are missing or null.
    ///
    /// Returns `None` if a value on the path is neither a mapping nor null.
    pub fn mapping_at_mut(&mut self, path: &[&str]) -> Option<&mut Mapping> {
        if matches!(self.value, NodeValue::Null) {
            self.value = NodeValue::Mapping(Mapping::default());
        }
        let origin = self.origin;
        match path {
            [] => self.as_mapping_mut(),
            [key, rest @ ..] => {
                let mapping = self.as_mapping_mut()?;
                if mapping.get(key).is_none() {
                    mapping.insert(*key, origin, Self::new(NodeValue::Null, origin));
                }
                mapping.get_mut(key)?.mapping_at_mut(rest)
            }
        }
    }

    /// Returns the origin for display, with a width if possible: a collection extends to the end of its first key or
    /// item.
    #[must_use]
    pub fn display_origin(&self) -> Origin {
        let first = match &self.value {
            NodeValue::Mapping(mapping) => mapping.entries().first().map(|entry| entry.key_origin),
            NodeValue::Sequence(items) => items.first().map(Self::display_origin),
            _ => None,
        };
        // Content of an alias or a merge was read elsewhere.
        let is_on_same_line =
            |first: &Origin| (first.source, first.line) == (self.origin.source, self.origin.line);
        let end = first.filter(is_on_same_line).map_or(0, |first| first.column.saturating_add(first.width));
        Origin { width: self.origin.width.max(end.saturating_sub(self.origin.column)), ..self.origin }
    }

    /// Changes the source of all positions, for a tree that several runs use. The recursion is as deep as the parser
    /// allowed the tree to be.
    pub fn set_source(&mut self, source: SourceId) {
        self.origin.source = source;
        match &mut self.value {
            NodeValue::Mapping(mapping) => {
                for entry in &mut mapping.entries {
                    entry.key_origin.source = source;
                    entry.value.set_source(source);
                }
            }
            NodeValue::Sequence(items) => items.iter_mut().for_each(|item| item.set_source(source)),
            NodeValue::Bool(_) | NodeValue::Null | NodeValue::Number(_) | NodeValue::String(_) => {}
        }
    }

    /// Returns the type of the value, in JSON's terms.
    #[must_use]
    pub const fn type_name(&self) -> &'static str {
        match self.value {
            NodeValue::Bool(_) => "boolean",
            NodeValue::Mapping(_) => "object",
            NodeValue::Null => "null",
            NodeValue::Number(_) => "number",
            NodeValue::Sequence(_) => "array",
            NodeValue::String(_) => "string",
        }
    }
}

impl fmt::Debug for Node {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} at {}:{}", self.type_name(), self.origin.line, self.origin.column)
    }
}

impl fmt::Debug for NodeValue {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("value")
    }
}

impl fmt::Debug for Mapping {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "mapping of {}", self.entries.len())
    }
}

impl Mapping {
    /// Creates an empty mapping with room for `capacity` entries.
    #[must_use]
    pub fn with_capacity(capacity: usize) -> Self {
        Self { entries: Vec::with_capacity(capacity) }
    }

    /// Returns the value under `key`.
    #[inline]
    #[must_use]
    pub fn get(&self, key: &str) -> Option<&Node> {
        self.entries.iter().find(|entry| same_key(&entry.key, key)).map(|entry| &entry.value)
    }

    /// Returns the value under `key`, for modification.
    pub fn get_mut(&mut self, key: &str) -> Option<&mut Node> {
        self.entries.iter_mut().find(|entry| same_key(&entry.key, key)).map(|entry| &mut entry.value)
    }

    /// Returns the entry under `key`.
    #[inline]
    #[must_use]
    pub fn entry(&self, key: &str) -> Option<&MappingEntry> {
        self.entries.iter().find(|entry| same_key(&entry.key, key))
    }

    /// Sets `key`, in place if it exists, else at the end; returns the previous value.
    pub fn insert(&mut self, key: impl Into<CompactString>, key_origin: Origin, value: Node) -> Option<Node> {
        let key = key.into();
        if let Some(old) = self.get_mut(&key) {
            return Some(std::mem::replace(old, value));
        }
        self.entries.push(MappingEntry { key, key_origin, value });
        None
    }

    /// Removes `key` and returns its value; the order of the others does not change.
    pub fn remove(&mut self, key: &str) -> Option<Node> {
        let at = self.entries.iter().position(|entry| entry.key == key)?;
        Some(self.entries.remove(at).value)
    }

    /// Keeps only the entries for which `keep` returns true.
    pub fn retain(&mut self, keep: impl FnMut(&MappingEntry) -> bool) {
        self.entries.retain(keep);
    }

    /// Returns the entries in order.
    #[inline]
    #[must_use]
    pub fn entries(&self) -> &[MappingEntry] {
        &self.entries
    }

    /// Returns the entries in order, for modification of all but the keys.
    pub fn entries_mut(&mut self) -> impl Iterator<Item = MappingEntryMut<'_>> {
        self.entries.iter_mut().map(|MappingEntry { key, key_origin, value }| MappingEntryMut {
            key: key.as_str(),
            key_origin,
            value,
        })
    }

    /// Sorts the entries by key.
    pub fn sort_keys(&mut self) {
        self.entries.sort_unstable_by(|a, b| a.key.cmp(&b.key));
    }

    /// Removes the entries for which `wanted` returns true, and returns them; the order of the others does not change.
    pub fn take(&mut self, mut wanted: impl FnMut(&MappingEntry) -> bool) -> Vec<MappingEntry> {
        let (taken, kept) = std::mem::take(&mut self.entries).into_iter().partition(|entry| wanted(entry));
        self.entries = kept;
        taken
    }

    /// Returns the owned entries.
    #[must_use]
    pub fn into_entries(self) -> Vec<MappingEntry> {
        self.entries
    }

    /// Returns the number of entries that fit without reallocation.
    #[must_use]
    pub fn spare_capacity(&self) -> usize {
        self.entries.capacity().saturating_sub(self.entries.len())
    }

    /// Returns the number of entries.
    #[inline]
    #[must_use]
    pub fn len(&self) -> usize {
        self.entries.len()
    }

    /// Reports whether the mapping is empty.
    #[inline]
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }
}

/// Collects entries; a repeated key keeps its first position and gets its last value.
impl FromIterator<MappingEntry> for Mapping {
    fn from_iter<T: IntoIterator<Item = MappingEntry>>(entries: T) -> Self {
        let entries = entries.into_iter();
        let mut builder = MappingBuilder::with_capacity(entries.size_hint().0);
        for entry in entries {
            builder.set(entry);
        }
        builder.finish()
    }
}

impl MappingBuilder {
    /// Creates a builder with room for `capacity` entries.
    #[must_use]
    pub fn with_capacity(capacity: usize) -> Self {
        Self { mapping: Mapping::with_capacity(capacity), index: None, pending: None }
    }

    /// Returns the mapping so far.
    #[must_use]
    pub const fn mapping(&self) -> &Mapping {
        &self.mapping
    }

    /// Returns the entry under `key`.
    #[must_use]
    pub fn entry(&self, key: &str) -> Option<&MappingEntry> {
        self.position(key).and_then(|at| self.mapping.entries.get(at))
    }

    /// Adds an entry. If its key exists, the entry replaces the old one in place, and the old one is returned.
    pub fn set(&mut self, entry: MappingEntry) -> Option<MappingEntry> {
        let waiting = self.pending.take();
        self.begin(entry.key, entry.key_origin);
        let old = self.complete(entry.value);
        self.pending = waiting.map(|PendingKey { key, origin, .. }| {
            let at = self.position(&key);
            PendingKey { key, origin, at }
        });
        old
    }

    /// Starts an entry whose value is not known yet, instead of one that was started before. Returns the entry with this
    /// key, if any. A builder that reads entry by entry so looks up each key once.
    pub fn begin(&mut self, key: CompactString, origin: Origin) -> Option<&MappingEntry> {
        let at = self.position(&key);
        self.pending = Some(PendingKey { key, origin, at });
        at.and_then(|at| self.mapping.entries.get(at))
    }

    /// Returns the key that waits for its value.
    #[must_use]
    pub fn pending_key(&self) -> Option<&CompactString> {
        self.pending.as_ref().map(|pending| &pending.key)
    }

    /// Drops the key that waits for its value.
    pub fn cancel(&mut self) {
        self.pending = None;
    }

    /// Adds the entry that was started. It replaces the one with its key in place, which is returned. Without a started
    /// entry, nothing happens.
    pub fn complete(&mut self, value: Node) -> Option<MappingEntry> {
        let PendingKey { key, origin, at } = self.pending.take()?;
        let entry = MappingEntry { key, key_origin: origin, value };
        let entries = &mut self.mapping.entries;
        if let Some(old) = at.and_then(|at| entries.get_mut(at)) {
            return Some(std::mem::replace(old, entry));
        }
        if let Some(index) = &mut self.index {
            index.insert(entry.key.clone(), entries.len());
        }
        entries.push(entry);
        if self.index.is_none() && entries.len() >= INDEX_FROM {
            let keys = entries.iter().enumerate().map(|(at, entry)| (entry.key.clone(), at));
            self.index = Some(Box::new(keys.collect()));
        }
        None
    }

    /// Returns the mapping.
    #[must_use]
    pub fn finish(self) -> Mapping {
        self.mapping
    }

    fn position(&self, key: &str) -> Option<usize> {
        match &self.index {
            Some(index) => index.get(key).copied(),
            None => self.mapping.entries.iter().position(|entry| same_key(&entry.key, key)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::document::Sources;

    fn entry(key: &str, text: &str) -> MappingEntry {
        let origin = Origin::whole(Sources::default().add("a.yaml"));
        MappingEntry { key: key.into(), key_origin: origin, value: Node::string(text, origin) }
    }

    fn pairs(mapping: &Mapping) -> Vec<(&str, &str)> {
        mapping.entries().iter().map(|entry| (entry.key.as_str(), entry.value.as_str().unwrap())).collect()
    }

    #[test]
    fn repeated_keys_keep_the_first_position_and_the_last_value() {
        let mapping: Mapping = [entry("b", "1"), entry("a", "2"), entry("b", "3")].into_iter().collect();
        assert_eq!(pairs(&mapping), [("b", "3"), ("a", "2")]);
    }

    #[test]
    fn builders_never_repeat_a_key_at_any_size() {
        for size in [1, INDEX_FROM - 1, INDEX_FROM, INDEX_FROM + 1, 10 * INDEX_FROM] {
            let mut builder = MappingBuilder::default();
            for round in ["1", "2"] {
                for number in 0..size {
                    let old = builder.set(entry(&format!("k{number}"), round));
                    assert_eq!(old.is_some(), round == "2", "k{number} of {size}");
                    assert!(builder.entry(&format!("k{number}")).is_some());
                }
            }
            assert!(builder.entry("other").is_none());
            let mapping = builder.finish();
            assert_eq!(mapping.len(), size);
            assert!(mapping.entries().iter().all(|entry| entry.value.as_str() == Some("2")));
        }
    }

    #[test]
    fn started_entries_keep_keys_unique_whatever_happens_in_between() {
        let origin = entry("", "").key_origin;
        for size in [0, INDEX_FROM - 2, INDEX_FROM - 1, INDEX_FROM, 3 * INDEX_FROM] {
            let mut builder = MappingBuilder::default();
            for number in 0..size {
                builder.set(entry(&format!("k{number}"), "1"));
            }
            // Nothing is started.
            assert!(builder.complete(Node::string("lost", origin)).is_none());
            // A started entry is dropped, and another one takes its place.
            assert!(builder.begin("dropped".into(), origin).is_none());
            builder.cancel();
            assert!(builder.complete(Node::string("lost", origin)).is_none());
            builder.begin("dropped".into(), origin);
            builder.begin("a".into(), origin);
            // Its key is set while it waits.
            builder.set(entry("b", "1"));
            builder.set(entry("a", "1"));
            assert_eq!(builder.pending_key().map(CompactString::as_str), Some("a"));
            let old = builder.complete(Node::string("2", origin));
            assert_eq!(old.and_then(|old| old.value.as_str().map(str::to_owned)).as_deref(), Some("1"));
            // Its value never comes.
            builder.begin("c".into(), origin);
            let mapping = builder.finish();
            let last = pairs(&mapping).split_off(size);
            assert_eq!((last, mapping.get("c").is_none()), (vec![("b", "1"), ("a", "2")], true), "{size}");
        }
    }

    #[test]
    fn modifications_keep_keys_unique() {
        let mut mapping: Mapping = [entry("c", "1"), entry("a", "2"), entry("b", "3")].into_iter().collect();
        for entry in mapping.entries_mut() {
            entry.value.value = NodeValue::String(entry.key.into());
        }
        mapping.sort_keys();
        assert_eq!(pairs(&mapping), [("a", "a"), ("b", "b"), ("c", "c")]);
        let taken = mapping.take(|entry| entry.key == "b");
        assert_eq!((taken.len(), pairs(&mapping)), (1, vec![("a", "a"), ("c", "c")]));
    }
}
