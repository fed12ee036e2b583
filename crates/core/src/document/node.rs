//! The manifest tree: YAML as Kubernetes reads it, with the position of every node.
//!
//! Keys are strings (Kubernetes' reader turns every scalar key into one) and keep their order.
//! A tree may hold a Secret that somebody committed in clear, so nothing here prints its scalars:
//! `Debug` shows the shape and the position only.

use std::fmt;

use compact_str::CompactString;
use zeroize::Zeroize;

use super::source::Origin;
use crate::text::same_key;

/// A value and where it was read.
#[derive(Clone)]
pub struct Node {
    /// What it holds.
    pub value: Value,
    /// Where it stands.
    pub origin: Origin,
}

/// What a node holds.
#[derive(Clone, PartialEq)]
pub enum Value {
    /// `true` or `false`.
    Bool(bool),
    /// Keys and values, in the order in which they were written.
    Mapping(Mapping),
    /// Nothing.
    Null,
    /// A number, as Go's decoder keeps it.
    Number(Number),
    /// Items.
    Sequence(Vec<Node>),
    /// Text.
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
    entries: Vec<Entry>,
}

/// One key and its value.
#[derive(Clone)]
pub struct Entry {
    /// The key.
    pub key: CompactString,
    /// Where the key stands.
    pub key_origin: Origin,
    /// The value.
    pub value: Node,
}

impl Zeroize for Node {
    /// Zeroes all keys and scalars of the tree, which is null afterwards. It goes as deep as the reader let the tree be.
    fn zeroize(&mut self) {
        match &mut self.value {
            Value::Mapping(mapping) => {
                for mut entry in std::mem::take(mapping).entries {
                    entry.key.zeroize();
                    entry.value.zeroize();
                }
            }
            Value::Sequence(items) => items.iter_mut().for_each(Self::zeroize),
            Value::String(text) => text.zeroize(),
            Value::Bool(_) | Value::Null | Value::Number(_) => {}
        }
        self.value = Value::Null;
    }
}

impl PartialEq for Node {
    fn eq(&self, other: &Self) -> bool {
        self.value == other.value
    }
}

impl PartialEq for Entry {
    fn eq(&self, other: &Self) -> bool {
        self.key == other.key && self.value == other.value
    }
}

impl Node {
    /// A node of this value, read at `origin`.
    #[must_use]
    pub const fn new(value: Value, origin: Origin) -> Self {
        Self { value, origin }
    }

    /// A text node.
    #[must_use]
    pub fn string(text: impl Into<CompactString>, origin: Origin) -> Self {
        Self::new(Value::String(text.into()), origin)
    }

    /// The text, where this is a string.
    #[must_use]
    pub fn as_str(&self) -> Option<&str> {
        match &self.value {
            Value::String(text) => Some(text),
            _ => None,
        }
    }

    /// The mapping, where this is one.
    #[must_use]
    pub const fn as_mapping(&self) -> Option<&Mapping> {
        match &self.value {
            Value::Mapping(mapping) => Some(mapping),
            _ => None,
        }
    }

    /// The mapping, where this is one.
    pub const fn as_mapping_mut(&mut self) -> Option<&mut Mapping> {
        match &mut self.value {
            Value::Mapping(mapping) => Some(mapping),
            _ => None,
        }
    }

    /// The items, where this is a sequence.
    #[must_use]
    pub fn as_sequence(&self) -> Option<&[Self]> {
        match &self.value {
            Value::Sequence(items) => Some(items),
            _ => None,
        }
    }

    /// The items; none where this is no sequence.
    #[must_use]
    pub fn items(&self) -> &[Self] {
        self.as_sequence().unwrap_or(&[])
    }

    /// The value under `key`, where this is a mapping that has it.
    #[must_use]
    pub fn get(&self, key: &str) -> Option<&Self> {
        self.as_mapping()?.get(key)
    }

    /// The value at the end of a path of keys.
    #[must_use]
    pub fn at(&self, path: &[&str]) -> Option<&Self> {
        path.iter().try_fold(self, |node, key| node.get(key))
    }

    /// The value at the end of a path of keys.
    pub fn at_mut(&mut self, path: &[&str]) -> Option<&mut Self> {
        path.iter().try_fold(self, |node, key| node.as_mapping_mut()?.get_mut(key))
    }

    /// The mapping at the end of `path`; mappings that are missing (or null) on the way are made.
    ///
    /// `None` where something on the way is neither a mapping nor null.
    pub fn mapping_at_mut(&mut self, path: &[&str]) -> Option<&mut Mapping> {
        if matches!(self.value, Value::Null) {
            self.value = Value::Mapping(Mapping::default());
        }
        let origin = self.origin;
        match path {
            [] => self.as_mapping_mut(),
            [key, rest @ ..] => {
                let mapping = self.as_mapping_mut()?;
                if mapping.get(key).is_none() {
                    mapping.insert(*key, origin, Self::new(Value::Null, origin));
                }
                mapping.get_mut(key)?.mapping_at_mut(rest)
            }
        }
    }

    /// Where it stands, with a width wherever possible: a collection reaches to the end of the first key in it, or of the
    /// first item.
    #[must_use]
    pub fn shown_at(&self) -> Origin {
        let first = match &self.value {
            Value::Mapping(mapping) => mapping.entries().first().map(|entry| entry.key_origin),
            Value::Sequence(items) => items.first().map(Self::shown_at),
            _ => None,
        };
        // What an alias or a merge put there stands elsewhere.
        let near = |first: &Origin| (first.source, first.line) == (self.origin.source, self.origin.line);
        let end = first.filter(near).map_or(0, |first| first.column.saturating_add(first.width));
        Origin { width: self.origin.width.max(end.saturating_sub(self.origin.column)), ..self.origin }
    }

    /// What kind of value it is, in JSON's words.
    #[must_use]
    pub const fn type_name(&self) -> &'static str {
        match self.value {
            Value::Bool(_) => "boolean",
            Value::Mapping(_) => "object",
            Value::Null => "null",
            Value::Number(_) => "number",
            Value::Sequence(_) => "array",
            Value::String(_) => "string",
        }
    }
}

impl fmt::Debug for Node {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} at {}:{}", self.type_name(), self.origin.line, self.origin.column)
    }
}

impl fmt::Debug for Value {
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
    /// An empty mapping with room for `capacity` entries.
    #[must_use]
    pub fn with_capacity(capacity: usize) -> Self {
        Self { entries: Vec::with_capacity(capacity) }
    }

    /// The value under `key`.
    #[must_use]
    pub fn get(&self, key: &str) -> Option<&Node> {
        self.entries.iter().find(|entry| same_key(&entry.key, key)).map(|entry| &entry.value)
    }

    /// The value under `key`.
    pub fn get_mut(&mut self, key: &str) -> Option<&mut Node> {
        self.entries.iter_mut().find(|entry| same_key(&entry.key, key)).map(|entry| &mut entry.value)
    }

    /// The whole entry under `key`.
    #[must_use]
    pub fn entry(&self, key: &str) -> Option<&Entry> {
        self.entries.iter().find(|entry| same_key(&entry.key, key))
    }

    /// Adds an entry at the end, trusting the caller that its key is new. For readers, which check keys themselves.
    pub fn push_new(&mut self, entry: Entry) {
        self.entries.push(entry);
    }

    /// Sets `key`, in its place where it exists, else at the end; the value that was there comes back.
    pub fn insert(&mut self, key: impl Into<CompactString>, key_origin: Origin, value: Node) -> Option<Node> {
        let key = key.into();
        if let Some(old) = self.get_mut(&key) {
            return Some(std::mem::replace(old, value));
        }
        self.entries.push(Entry { key, key_origin, value });
        None
    }

    /// Takes `key` out; the others keep their order.
    pub fn remove(&mut self, key: &str) -> Option<Node> {
        let at = self.entries.iter().position(|entry| entry.key == key)?;
        Some(self.entries.remove(at).value)
    }

    /// Keeps only the entries that `keep` wants.
    pub fn retain(&mut self, keep: impl FnMut(&Entry) -> bool) {
        self.entries.retain(keep);
    }

    /// The entries in order.
    #[must_use]
    pub fn entries(&self) -> &[Entry] {
        &self.entries
    }

    /// The entries in order, to be changed in place (a key must stay unique).
    pub fn entries_mut(&mut self) -> &mut [Entry] {
        &mut self.entries
    }

    /// The entries themselves.
    #[must_use]
    pub fn into_entries(self) -> Vec<Entry> {
        self.entries
    }

    /// For how many more entries memory was taken.
    #[must_use]
    pub fn spare(&self) -> usize {
        self.entries.capacity().saturating_sub(self.entries.len())
    }

    /// How many entries there are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.entries.len()
    }

    /// Whether there is none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }
}
