//! Chooses the custom resource definition for an object if several define its kind.
//!
//! Definitions among the manifests take precedence over those from flags and settings. Among the manifests, one that
//! serves the object's version takes precedence; then the one nearest to the object's file; then the first in the order
//! of paths. So the order in which definitions are read does not matter.

use std::cmp::Reverse;
use std::hash::{DefaultHasher, Hash as _, Hasher};
use std::path::Path;

use sealwave_core::document::{Manifest, Node, NodeValue, Number, SourceLocation, Sources};

/// The kind of custom resource definitions.
pub(crate) const DEFINITION: &str = "CustomResourceDefinition";

/// Reports whether an object is a custom resource definition.
pub(crate) fn is_definition(object: &Manifest) -> bool {
    object.is("apiextensions.k8s.io", DEFINITION)
}

/// The most definitions of a kind that are considered.
const MAX_CONTENDERS: usize = 64;

/// A definition and its place.
#[derive(Clone, Debug)]
pub struct KnownDefinition {
    /// The definition.
    pub object: Manifest,
    /// The start of the definition.
    pub place: SourceLocation,
    /// Whether a flag or setting names its file; otherwise it is among the manifests.
    pub is_named: bool,
}

/// A borrowed definition and its place.
#[derive(Clone, Debug)]
pub struct DefinitionRef<'a> {
    /// The definition.
    pub object: &'a Manifest,
    /// The start of the definition.
    pub place: SourceLocation,
    /// Whether a flag or setting names its file; otherwise it is among the manifests.
    pub is_named: bool,
}

impl KnownDefinition {
    /// Borrows the definition for a set of schemas.
    #[must_use]
    pub fn view(&self) -> DefinitionRef<'_> {
        DefinitionRef { object: &self.object, place: self.place.clone(), is_named: self.is_named }
    }
}

impl<'a> DefinitionRef<'a> {
    /// Returns the definitions among objects.
    pub(crate) fn in_objects(
        objects: &'a [Manifest],
        sources: &'a Sources,
    ) -> impl Iterator<Item = Self> + use<'a> {
        objects.iter().filter(|object| is_definition(object)).map(|object| Self {
            object,
            place: sources.location(object.origin()),
            is_named: false,
        })
    }

    /// Returns an owned copy.
    #[must_use]
    pub fn to_known(&self) -> KnownDefinition {
        KnownDefinition { object: self.object.clone(), place: self.place.clone(), is_named: self.is_named }
    }
}

/// One of several definitions of a kind, with its schemas.
#[derive(Debug)]
pub(crate) struct CrdCandidate<S> {
    place: SourceLocation,
    is_named: bool,
    /// The index among the definitions of the kind.
    number: usize,
    fingerprint: u64,
    served: Vec<String>,
    /// The schemas of this definition alone; `None` for the first, which is in the set itself.
    pub(crate) set: Option<S>,
}

/// The definitions of one kind.
#[derive(Debug)]
pub(crate) struct CrdCandidates<S> {
    all: Vec<CrdCandidate<S>>,
}

impl<S> Default for CrdCandidates<S> {
    fn default() -> Self {
        Self { all: Vec::new() }
    }
}

impl<S> CrdCandidate<S> {
    pub(crate) const fn place(&self) -> &SourceLocation {
        &self.place
    }
}

impl<S> CrdCandidates<S> {
    /// Reports whether a definition differs from the known ones and should be added.
    pub(crate) fn is_new(&self, fingerprint: u64) -> bool {
        self.all.len() < MAX_CONTENDERS && self.all.iter().all(|known| known.fingerprint != fingerprint)
    }

    /// Adds a definition with its own schemas.
    pub(crate) fn add(&mut self, definition: DefinitionRef<'_>, fingerprint: u64, set: Option<S>) {
        self.all.push(CrdCandidate {
            place: definition.place,
            is_named: definition.is_named,
            number: self.all.len(),
            fingerprint,
            served: served(definition.object.root()),
            set,
        });
    }

    /// Reports whether no definition was added.
    pub(crate) const fn is_empty(&self) -> bool {
        self.all.is_empty()
    }

    /// Reports whether several definitions differ.
    pub(crate) const fn has_conflict(&self) -> bool {
        self.all.len() > 1
    }

    /// Returns the places of the definitions, in order.
    pub(crate) fn places(&self) -> Vec<&SourceLocation> {
        let mut places: Vec<&SourceLocation> = self.all.iter().map(CrdCandidate::place).collect();
        places.sort();
        places
    }

    /// Returns the definition for an object, by its version and file.
    pub(crate) fn choose(&self, version: &str, file: &str) -> Option<&CrdCandidate<S>> {
        self.all.iter().min_by_key(|contender| {
            let serves = contender.served.iter().any(|served| served == version);
            let SourceLocation { path, line, column, .. } = &contender.place;
            // Among named definitions, the last takes precedence.
            let (distance, path, number) = if contender.is_named {
                (None, "", Reverse(contender.number))
            } else {
                (Some(distance(file, path)), path.as_str(), Reverse(0))
            };
            (contender.is_named, !serves, distance, path, number, *line, *column)
        })
    }
}

/// Returns the distance of a definition's file from an object's: the same file first, then most common leading
/// directories, then fewest further directories.
pub fn distance(object: impl AsRef<Path>, definition: impl AsRef<Path>) -> (Reverse<usize>, usize) {
    let (object, definition) = (object.as_ref(), definition.as_ref());
    if object == definition {
        return (Reverse(usize::MAX), 0);
    }
    let directory = |file: &Path| file.parent().map(Path::to_owned).unwrap_or_default();
    let (object, definition) = (directory(object), directory(definition));
    let shared = object.components().zip(definition.components()).take_while(|(a, b)| a == b).count();
    (Reverse(shared), definition.components().count() - shared)
}

/// Returns the group and kind that a definition defines.
pub(crate) fn defined_kind(definition: &Node) -> Option<(&str, &str)> {
    let text = |path: &[&str]| definition.at(path).and_then(Node::as_str);
    Some((text(&["spec", "group"])?, text(&["spec", "names", "kind"])?))
}

fn served(definition: &Node) -> Vec<String> {
    let versions = definition.at(&["spec", "versions"]).map(Node::items).unwrap_or_default();
    let is_served = |version: &&Node| {
        !version.get("served").is_some_and(|served| matches!(served.value, NodeValue::Bool(false)))
    };
    let names = versions.iter().filter(is_served).filter_map(|version| version.get("name")?.as_str());
    // The oldest definitions have a single version instead of a list.
    let only = definition.at(&["spec", "version"]).and_then(Node::as_str).filter(|_| versions.is_empty());
    names.chain(only).map(str::to_owned).collect()
}

/// Returns a hash that is equal for definitions with equal checks; descriptions do not count.
///
/// The recursion is bounded by the depth limit of the reader.
pub(crate) fn fingerprint(definition: &Node) -> u64 {
    let mut hasher = DefaultHasher::new();
    if let Some(spec) = definition.get("spec") {
        hash(spec, &mut hasher, SchemaKeys::Keywords);
    }
    hasher.finish()
}

/// The meaning of a mapping's keys.
#[derive(Clone, Copy, PartialEq, Eq)]
enum SchemaKeys {
    Keywords,
    Names,
}

fn hash(node: &Node, hasher: &mut DefaultHasher, keys: SchemaKeys) {
    match &node.value {
        NodeValue::Mapping(mapping) => {
            // The order of keys does not matter.
            let mut sum = 0_u64;
            for entry in mapping.entries() {
                let key = entry.key.as_str();
                if keys == SchemaKeys::Keywords
                    && matches!(key, "additionalPrinterColumns" | "conversion" | "description")
                {
                    continue;
                }
                let below = if keys == SchemaKeys::Keywords && key == "properties" {
                    SchemaKeys::Names
                } else {
                    SchemaKeys::Keywords
                };
                let mut own = DefaultHasher::new();
                key.hash(&mut own);
                hash(&entry.value, &mut own, below);
                sum = sum.wrapping_add(own.finish());
            }
            (1_u8, sum).hash(hasher);
        }
        NodeValue::Sequence(items) => {
            (2_u8, items.len()).hash(hasher);
            for item in items {
                hash(item, hasher, SchemaKeys::Keywords);
            }
        }
        NodeValue::String(text) => (3_u8, text.as_str()).hash(hasher),
        NodeValue::Bool(flag) => (4_u8, flag).hash(hasher),
        NodeValue::Null => 5_u8.hash(hasher),
        NodeValue::Number(Number::Int(int)) => (6_u8, int).hash(hasher),
        NodeValue::Number(Number::Uint(uint)) => (7_u8, uint).hash(hasher),
        NodeValue::Number(Number::Float(float)) => (8_u8, float.get().to_bits()).hash(hasher),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use sealwave_core::document::{Origin, Sources};

    #[test]
    fn the_same_file_is_nearest_then_parent_directories() {
        let files =
            ["a/b/o.yaml", "a/b/x.yaml", "a/b/crds/x.yaml", "a/x.yaml", "a/c/x.yaml", "x.yaml", "z/x.yaml"];
        assert!(files.is_sorted_by_key(|file| distance("a/b/o.yaml", file)));
        assert_ne!(distance("a/b/o.yaml", files[1]), distance("a/b/o.yaml", files[2]));
        assert_eq!(distance("-", "-"), (Reverse(usize::MAX), 0));
    }

    #[test]
    fn definitions_with_equal_checks_have_one_fingerprint() {
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
