//! The entries of an object in the app file: that of the app, and that of the environment, with their places.

use std::collections::{BTreeMap, HashMap};

use sealwave_core::document::{MappingEntry, Node, NodeValue, Origin};
use sealwave_secrets::settings::GeneratedEntry;

/// The kind of an object.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum GeneratedKind {
    ConfigMap,
    Secret,
}

impl GeneratedKind {
    /// Returns the setting with the entries of this kind.
    pub(super) const fn setting(self) -> &'static str {
        match self {
            Self::ConfigMap => "configMaps",
            Self::Secret => "secrets",
        }
    }

    /// Returns the name of the kind.
    pub(super) const fn name(self) -> &'static str {
        match self {
            Self::ConfigMap => "ConfigMap",
            Self::Secret => "Secret",
        }
    }

    /// Returns the fields for texts, and for other bytes in base64.
    pub(super) const fn fields(self) -> (&'static str, &'static str) {
        match self {
            Self::ConfigMap => ("data", "binaryData"),
            Self::Secret => ("stringData", "data"),
        }
    }
}

/// The entries of each object: that of the app before that of the environment.
pub(super) struct ObjectLayers<'a> {
    pub(super) all: BTreeMap<(GeneratedKind, &'a str), Vec<EntryLayer<'a>>>,
    /// The origin of an entry whose position is not known.
    fallback: Origin,
}

/// An entry with its place in the app file.
pub(super) struct EntryLayer<'a> {
    pub(super) entry: GeneratedEntry<'a>,
    place: Option<&'a Node>,
    pub(super) origin: Origin,
}

impl<'a> ObjectLayers<'a> {
    pub(super) const fn new(fallback: Origin) -> Self {
        Self { all: BTreeMap::new(), fallback }
    }

    /// Adds the entries of the app or of an environment, whose settings are at `tree`.
    pub(super) fn add<T>(
        &mut self,
        kind: GeneratedKind,
        entries: &'a BTreeMap<String, T>,
        tree: Option<&'a Node>,
    ) where
        GeneratedEntry<'a>: From<&'a T>,
    {
        let places = index_entries(tree.and_then(|tree| tree.get(kind.setting())));
        for (name, entry) in entries {
            let place = places.get(name.as_str());
            let layer = EntryLayer {
                entry: entry.into(),
                place: place.map(|place| &place.value),
                origin: place.map_or(self.fallback, |place| place.key_origin),
            };
            self.all.entry((kind, name)).or_default().push(layer);
        }
    }
}

impl<'a> EntryLayer<'a> {
    /// Returns the texts of a field that maps keys to texts, with the origins of both. A missing text stays null.
    pub(super) fn texts(
        &self,
        field: &str,
        texts: &'a BTreeMap<String, String>,
    ) -> impl Iterator<Item = (&'a str, Origin, Node)> {
        let places = index_entries(self.place.and_then(|place| place.get(field)));
        let origin = self.origin;
        texts.iter().map(move |(key, text)| {
            let place = places.get(key.as_str());
            match place {
                Some(place) if place.value.value == NodeValue::Null => {
                    (key.as_str(), place.key_origin, place.value.clone())
                }
                Some(place) => {
                    (key.as_str(), place.key_origin, Node::string(text.as_str(), place.value.origin))
                }
                None => (key.as_str(), origin, Node::string(text.as_str(), origin)),
            }
        })
    }

    /// Returns the origin of an item of a list.
    pub(super) fn item_origin(&self, field: &str, index: usize) -> Origin {
        let items = self.place.map_or(&[][..], |place| place.items_at(&[field]));
        items.get(index).map_or(self.origin, |item| item.origin)
    }

    /// Returns the text of a field as a node.
    pub(super) fn text(&self, field: &str, text: Option<&str>) -> Option<Node> {
        let origin = self.place.and_then(|place| place.get(field)).map_or(self.origin, |node| node.origin);
        text.map(|text| Node::string(text, origin))
    }
}

/// Returns the entries of a mapping by key: an author may write thousands.
fn index_entries(node: Option<&Node>) -> HashMap<&str, &MappingEntry> {
    node.map_or(&[][..], Node::entries).iter().map(|entry| (entry.key.as_str(), entry)).collect()
}
