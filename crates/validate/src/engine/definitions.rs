//! Which definition counts for an object where several define its kind.
//!
//! What is among the manifests comes before what flags and settings name. Of the first, it is one that serves the
//! object's version; of those the one that is nearest to the object's file; of those the first in the order of paths. So
//! the order in which definitions are read does not matter.

use std::cmp::Reverse;
use std::hash::{DefaultHasher, Hash as _, Hasher};
use std::path::Path;
use std::sync::Arc;

use super::schema_set::SchemaSet;
use sealwave_core::document::{Manifest, Node, Number, Place, Value};

/// Definitions of one kind that are told apart; further ones do not count.
const MAX_CONTENDERS: usize = 64;

/// A definition, and where it is.
#[derive(Clone, Debug)]
pub struct KnownDefinition {
    /// The definition.
    pub object: Manifest,
    /// Where it starts.
    pub place: Place,
    /// Whether a flag or a setting names its file; else it is among the manifests.
    pub is_named: bool,
}

/// A definition that somebody else holds, and where it is.
#[derive(Clone, Debug)]
pub struct DefinitionRef<'a> {
    /// The definition.
    pub object: &'a Manifest,
    /// Where it starts.
    pub place: Place,
    /// Whether a flag or a setting names its file; else it is among the manifests.
    pub is_named: bool,
}

impl KnownDefinition {
    /// Returns the definition as it is given to a set of schemas.
    #[must_use]
    pub fn view(&self) -> DefinitionRef<'_> {
        DefinitionRef { object: &self.object, place: self.place.clone(), is_named: self.is_named }
    }
}

impl DefinitionRef<'_> {
    /// Returns a copy that can be kept.
    #[must_use]
    pub fn to_known(&self) -> KnownDefinition {
        KnownDefinition { object: self.object.clone(), place: self.place.clone(), is_named: self.is_named }
    }
}

/// A definition of a kind of which there are others.
#[derive(Debug)]
pub(super) struct Contender {
    place: Place,
    is_named: bool,
    /// Its number among those of the kind.
    number: usize,
    fingerprint: u64,
    served: Vec<String>,
    /// The schemas of this definition alone; none for the first, which is in the set itself.
    pub(super) set: Option<Arc<SchemaSet>>,
}

/// The definitions of one kind.
#[derive(Debug, Default)]
pub(super) struct Contenders {
    all: Vec<Contender>,
}

impl Contender {
    pub(super) const fn place(&self) -> &Place {
        &self.place
    }
}

impl Contenders {
    /// Returns whether a definition is to be added: it differs from the known ones.
    pub(super) fn wants(&self, fingerprint: u64) -> bool {
        self.all.len() < MAX_CONTENDERS && self.all.iter().all(|known| known.fingerprint != fingerprint)
    }

    /// Adds a definition with the schemas of it alone.
    pub(super) fn add(
        &mut self,
        definition: DefinitionRef<'_>,
        fingerprint: u64,
        set: Option<Arc<SchemaSet>>,
    ) {
        self.all.push(Contender {
            place: definition.place,
            is_named: definition.is_named,
            number: self.all.len(),
            fingerprint,
            served: served(definition.object.root()),
            set,
        });
    }

    /// Returns whether there is no definition.
    pub(super) const fn is_empty(&self) -> bool {
        self.all.is_empty()
    }

    /// Returns whether there are definitions that differ.
    pub(super) const fn differ(&self) -> bool {
        self.all.len() > 1
    }

    /// Returns the places of the definitions, in order.
    pub(super) fn places(&self) -> Vec<&Place> {
        let mut places: Vec<&Place> = self.all.iter().map(Contender::place).collect();
        places.sort();
        places
    }

    /// Returns the definition that counts for an object of this version in this file.
    pub(super) fn choose(&self, version: &str, file: &str) -> Option<&Contender> {
        self.all.iter().min_by_key(|contender| {
            let serves = contender.served.iter().any(|served| served == version);
            let Place { path, line, column, .. } = &contender.place;
            // Of those that are named, a later one replaces an earlier one.
            let (distance, path, number) = if contender.is_named {
                (None, "", Reverse(contender.number))
            } else {
                (Some(distance(file, path)), path.as_str(), Reverse(0))
            };
            (contender.is_named, !serves, distance, path, number, *line, *column)
        })
    }
}

/// Returns how far a definition's file is from an object's: itself, else most leading directories in common, else the
/// fewest further ones.
pub fn distance(object: impl AsRef<Path>, definition: impl AsRef<Path>) -> (Reverse<usize>, usize) {
    let (object, definition) = (object.as_ref(), definition.as_ref());
    if object == definition {
        return (Reverse(usize::MAX), 0);
    }
    let of = |file: &Path| file.parent().map(Path::to_owned).unwrap_or_default();
    let (object, definition) = (of(object), of(definition));
    let shared = object.components().zip(definition.components()).take_while(|(a, b)| a == b).count();
    (Reverse(shared), definition.components().count() - shared)
}

/// Returns group and kind of what a definition defines.
pub(super) fn defined(definition: &Node) -> Option<(&str, &str)> {
    let text = |path: &[&str]| definition.at(path).and_then(Node::as_str);
    Some((text(&["spec", "group"])?, text(&["spec", "names", "kind"])?))
}

fn served(definition: &Node) -> Vec<String> {
    let versions = definition.at(&["spec", "versions"]).map(Node::items).unwrap_or_default();
    let is_served = |version: &&Node| {
        !version.get("served").is_some_and(|served| matches!(served.value, Value::Bool(false)))
    };
    let names = versions.iter().filter(is_served).filter_map(|version| version.get("name")?.as_str());
    // The oldest definitions have one version and no list.
    let only = definition.at(&["spec", "version"]).and_then(Node::as_str).filter(|_| versions.is_empty());
    names.chain(only).map(str::to_owned).collect()
}

/// Returns a number that is the same for definitions that check objects alike: text for people does not count.
///
/// Recurses as deep as the reader let the tree be.
pub(super) fn fingerprint(definition: &Node) -> u64 {
    let mut hasher = DefaultHasher::new();
    if let Some(spec) = definition.get("spec") {
        hash(spec, &mut hasher, Keys::Keywords);
    }
    hasher.finish()
}

/// The meaning of a mapping's keys.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Keys {
    Keywords,
    Names,
}

fn hash(node: &Node, hasher: &mut DefaultHasher, keys: Keys) {
    match &node.value {
        Value::Mapping(mapping) => {
            // The order of keys does not matter.
            let mut sum = 0_u64;
            for entry in mapping.entries() {
                let key = entry.key.as_str();
                if keys == Keys::Keywords
                    && matches!(key, "additionalPrinterColumns" | "conversion" | "description")
                {
                    continue;
                }
                let below =
                    if keys == Keys::Keywords && key == "properties" { Keys::Names } else { Keys::Keywords };
                let mut own = DefaultHasher::new();
                key.hash(&mut own);
                hash(&entry.value, &mut own, below);
                sum = sum.wrapping_add(own.finish());
            }
            (1_u8, sum).hash(hasher);
        }
        Value::Sequence(items) => {
            (2_u8, items.len()).hash(hasher);
            for item in items {
                hash(item, hasher, Keys::Keywords);
            }
        }
        Value::String(text) => (3_u8, text.as_str()).hash(hasher),
        Value::Bool(flag) => (4_u8, flag).hash(hasher),
        Value::Null => 5_u8.hash(hasher),
        Value::Number(Number::Int(int)) => (6_u8, int).hash(hasher),
        Value::Number(Number::Uint(uint)) => (7_u8, uint).hash(hasher),
        Value::Number(Number::Float(float)) => (8_u8, float.to_bits()).hash(hasher),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use sealwave_core::document::{Origin, Sources};

    #[test]
    fn the_nearest_file_is_the_same_one_then_directories_upwards() {
        let files =
            ["a/b/o.yaml", "a/b/x.yaml", "a/b/crds/x.yaml", "a/x.yaml", "a/c/x.yaml", "x.yaml", "z/x.yaml"];
        assert!(files.is_sorted_by_key(|file| distance("a/b/o.yaml", file)));
        assert_ne!(distance("a/b/o.yaml", files[1]), distance("a/b/o.yaml", files[2]));
        assert_eq!(distance("-", "-"), (Reverse(usize::MAX), 0));
    }

    #[test]
    fn definitions_that_check_alike_are_one() {
        let node = |description: &str, kind: &str, order: bool| {
            let field = json!({"type": kind, "description": description});
            let properties = if order {
                json!({"a": field, "description": {"type": "string"}})
            } else {
                json!({"description": {"type": "string"}, "a": field})
            };
            let json = json!({"spec": {"group": "a", "versions": [{"schema": {"properties": properties}}]}});
            Node::from_json(&json, Origin::whole(Sources::default().add("a")))
        };
        let first = fingerprint(&node("one", "string", true));
        assert_eq!(first, fingerprint(&node("two", "string", true)));
        assert_eq!(first, fingerprint(&node("one", "string", false)));
        assert_ne!(first, fingerprint(&node("one", "integer", true)));
    }
}
