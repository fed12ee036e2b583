//! The manifest tree: YAML as Kubernetes parses it, with the position of every node.
//!
//! Keys are strings (Kubernetes' parser turns every scalar key into one) and keep their order. A tree may contain a
//! plaintext Secret from Git, so nothing here prints its scalars: `Debug` shows only type and position.

use std::fmt;

use compact_str::CompactString;
use zeroize::Zeroize;

use super::source::{Origin, SourceId};
use crate::text::same_key;

/// A value with its origin.
#[derive(Clone)]
pub struct Node {
    /// The value.
    pub value: NodeValue,
    /// Where the value was read.
    pub origin: Origin,
}

/// The value of a node.
#[derive(Clone, PartialEq)]
pub enum NodeValue {
    /// `true` or `false`.
    Bool(bool),
    /// Keys and values, in the order in which they were written.
    Mapping(Mapping),
    /// Null.
    Null,
    /// A number, as Go's decoder keeps it.
    Number(Number),
    /// A sequence.
    Sequence(Vec<Node>),
    /// A string.
    String(CompactString),
}

/// A number as `sigs.k8s.io/yaml` reads it: `int64`, `uint64` above that, or `float64` (always finite).
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Number {
    /// A float; never NaN or infinite.
    Float(f64),
    /// Fits `i64`.
    Int(i64),
    /// Above `i64::MAX`.
    Uint(u64),
}

/// An ordered mapping with string keys, each at most once.
#[derive(Clone, Default, PartialEq)]
pub struct Mapping {
    entries: Vec<MappingEntry>,
}

/// A key and its value.
#[derive(Clone)]
pub struct MappingEntry {
    /// The key.
    pub key: CompactString,
    /// Where the key was read.
    pub key_origin: Origin,
    /// The value.
    pub value: Node,
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
    #[must_use]
    pub fn as_str(&self) -> Option<&str> {
        match &self.value {
            NodeValue::String(text) => Some(text),
            _ => None,
        }
    }

    /// Returns the mapping, if this is one.
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
    #[must_use]
    pub fn as_sequence(&self) -> Option<&[Self]> {
        match &self.value {
            NodeValue::Sequence(items) => Some(items),
            _ => None,
        }
    }

    /// Returns the items of a sequence; empty for other values.
    #[must_use]
    pub fn items(&self) -> &[Self] {
        self.as_sequence().unwrap_or(&[])
    }

    /// Returns the value under `key`, if this is a mapping that contains it.
    #[must_use]
    pub fn get(&self, key: &str) -> Option<&Self> {
        self.as_mapping()?.get(key)
    }

    /// Returns the value at a path of keys.
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
    #[must_use]
    pub fn get(&self, key: &str) -> Option<&Node> {
        self.entries.iter().find(|entry| same_key(&entry.key, key)).map(|entry| &entry.value)
    }

    /// Returns the value under `key`, for modification.
    pub fn get_mut(&mut self, key: &str) -> Option<&mut Node> {
        self.entries.iter_mut().find(|entry| same_key(&entry.key, key)).map(|entry| &mut entry.value)
    }

    /// Returns the entry under `key`.
    #[must_use]
    pub fn entry(&self, key: &str) -> Option<&MappingEntry> {
        self.entries.iter().find(|entry| same_key(&entry.key, key))
    }

    /// Appends an entry without checking that its key is new. For parsers, which check keys themselves.
    pub fn push_new(&mut self, entry: MappingEntry) {
        self.entries.push(entry);
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
    #[must_use]
    pub fn entries(&self) -> &[MappingEntry] {
        &self.entries
    }

    /// Returns the entries in order, for modification in place (keys must stay unique).
    pub fn entries_mut(&mut self) -> &mut [MappingEntry] {
        &mut self.entries
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
    #[must_use]
    pub fn len(&self) -> usize {
        self.entries.len()
    }

    /// Reports whether the mapping is empty.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }
}
