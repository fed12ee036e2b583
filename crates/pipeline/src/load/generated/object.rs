//! The object that one or two entries of the app file make.

use std::collections::BTreeMap;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use super::error::{Error, MAX_DATA};
use super::layers::{EntryLayer, GeneratedKind};
use sealwave_core::document::{Manifest, Mapping, MappingEntry, Node, NodeValue, ObjectId, Origin};
use sealwave_core::names::STRING_DATA_FROM;

/// A value, and where its key is set.
pub(super) struct GeneratedItem {
    pub(super) key_origin: Origin,
    value: Node,
    size: usize,
    is_text: bool,
}

impl GeneratedItem {
    /// Creates an item with a text.
    pub(super) fn text(key_origin: Origin, value: Node) -> Self {
        let size = value.as_str().map_or(0, str::len);
        Self { key_origin, value, size, is_text: true }
    }

    /// Creates an item with the content of a file.
    pub(super) fn content(key_origin: Origin, origin: Origin, bytes: Vec<u8>) -> Self {
        let size = bytes.len();
        match String::from_utf8(bytes) {
            Ok(text) => Self { key_origin, value: Node::string(text, origin), size, is_text: true },
            Err(error) => {
                let text = STANDARD.encode(error.as_bytes());
                Self { key_origin, value: Node::string(text, origin), size, is_text: false }
            }
        }
    }
}

/// An object under construction.
pub(super) struct GeneratedObject {
    kind: GeneratedKind,
    origin: Origin,
    metadata: Mapping,
    labels: BTreeMap<String, MappingEntry>,
    annotations: BTreeMap<String, MappingEntry>,
    secret_type: Option<Node>,
    items: BTreeMap<String, GeneratedItem>,
}

impl GeneratedObject {
    pub(super) fn new(kind: GeneratedKind, name: &str, origin: Origin) -> Self {
        let mut metadata = Mapping::default();
        metadata.insert("name", origin, Node::string(name, origin));
        Self {
            kind,
            origin,
            metadata,
            labels: BTreeMap::new(),
            annotations: BTreeMap::new(),
            secret_type: None,
            items: BTreeMap::new(),
        }
    }

    /// Adds an entry with its items. It takes precedence over what was added before.
    pub(super) fn add_layer(&mut self, layer: &EntryLayer<'_>, items: BTreeMap<String, GeneratedItem>) {
        let entry = &layer.entry;
        if let Some(namespace) = layer.text("namespace", entry.namespace) {
            self.metadata.insert("namespace", namespace.origin, namespace);
        }
        self.secret_type = layer.text("type", entry.secret_type).or_else(|| self.secret_type.take());
        let texts = [
            ("labels", entry.labels, &mut self.labels),
            ("annotations", entry.annotations, &mut self.annotations),
        ];
        for (field, texts, all) in texts {
            all.extend(layer.texts(field, texts).map(|(key, key_origin, value)| {
                (key.to_owned(), MappingEntry { key: key.into(), key_origin, value })
            }));
        }
        self.items.extend(items);
    }

    /// Returns the object.
    pub(super) fn into_manifest(self) -> Result<Manifest, Error> {
        let Self { kind, origin, mut metadata, labels, annotations, secret_type, items } = self;
        let id = || {
            let name = metadata.get("name").and_then(Node::as_str).unwrap_or_default();
            let kind = kind.name().into();
            ObjectId { group: "".into(), kind, namespace: "".into(), name: name.into() }.to_string()
        };
        // All keys of a secret may become its items.
        if items.is_empty() && !annotations.contains_key(STRING_DATA_FROM) {
            return Err(Error::Empty(id()));
        }
        if items.values().map(|item| item.size).sum::<usize>() > MAX_DATA {
            return Err(Error::TooLarge(id()));
        }
        let mapping = |mapping| Node::new(NodeValue::Mapping(mapping), origin);
        for (field, entries) in [("labels", labels), ("annotations", annotations)] {
            if !entries.is_empty() {
                metadata.insert(field, origin, mapping(entries.into_values().collect()));
            }
        }
        let mut root = Mapping::default();
        root.insert("apiVersion", origin, Node::string("v1", origin));
        root.insert("kind", origin, Node::string(kind.name(), origin));
        root.insert("metadata", origin, mapping(metadata));
        if let Some(secret_type) = secret_type {
            root.insert("type", secret_type.origin, secret_type);
        }
        let (texts, bytes): (Vec<_>, Vec<_>) = items.into_iter().partition(|(_, item)| item.is_text);
        let (text_field, byte_field) = kind.fields();
        for (field, items) in [(text_field, texts), (byte_field, bytes)] {
            if !items.is_empty() {
                let entries = items.into_iter().map(|(key, item)| MappingEntry {
                    key: key.into(),
                    key_origin: item.key_origin,
                    value: item.value,
                });
                root.insert(field, origin, mapping(entries.collect()));
            }
        }
        Manifest::new(mapping(root)).map_err(|_| Error::Name(kind.name()))
    }
}
