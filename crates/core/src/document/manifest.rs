//! A Kubernetes object: a tree that is known to have `apiVersion`, `kind` and a name.

use std::fmt;

use compact_str::CompactString;

use super::node::{Mapping, MappingEntry, Node, NodeValue};
use super::source::Origin;
use crate::text::split_at_byte;

/// The identity of an object in a cluster: it includes the API group, but not the version.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct ObjectId {
    /// API group; empty for the core group.
    pub group: CompactString,
    /// Kind of the object.
    pub kind: CompactString,
    /// Namespace; empty for cluster-scoped objects and if unknown.
    pub namespace: CompactString,
    /// Name of the object.
    pub name: CompactString,
}

impl fmt::Display for ObjectId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.kind)?;
        if !self.group.is_empty() {
            write!(f, ".{}", self.group)?;
        }
        f.write_str(" `")?;
        if !self.namespace.is_empty() {
            write!(f, "{}/", self.namespace)?;
        }
        write!(f, "{}`", self.name)
    }
}

/// A Kubernetes object.
#[derive(Clone, Debug)]
pub struct Manifest {
    root: Node,
}

/// A visitor of the keys and strings of a tree.
pub trait TextVisitor {
    /// Reports whether the rest of the tree does not matter; asked before each node.
    fn is_done(&self) -> bool;

    /// Visits a key.
    fn visit_key(&mut self, key: &str, origin: Origin);

    /// Visits a string, and returns its replacement, if any.
    fn visit_string(&mut self, text: &str, origin: Origin) -> Option<String>;
}

/// A reason why a tree is not a Kubernetes object.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ManifestError {
    /// A required field is missing, or is not a non-empty string.
    #[error("`{0}` is missing or is not a string")]
    Missing(&'static str),
    /// The document is a scalar or a sequence.
    #[error("the document is of type {0}, not object")]
    NotAnObject(&'static str),
}

impl ManifestError {
    /// Returns a hint.
    #[must_use]
    pub fn hint(&self) -> &'static str {
        match self {
            Self::Missing(_) => {
                "every Kubernetes object has `apiVersion`, `kind` and `metadata.name` (or `generateName`)"
            }
            Self::NotAnObject("string") => {
                "a manifest is a mapping that starts with `apiVersion` and `kind`; to have the line `---` in a text, indent it like the text"
            }
            Self::NotAnObject(_) => "a manifest is a mapping that starts with `apiVersion` and `kind`",
        }
    }
}

/// Splits an `apiVersion` into group, empty for the core group, and version.
#[must_use]
pub fn group_and_version(api_version: &str) -> (&str, &str) {
    split_at_byte(api_version, b'/').unwrap_or(("", api_version))
}

impl Manifest {
    /// Checks that a tree has the fields that every object requires.
    ///
    /// # Errors
    /// Returns the first missing field with its expected location, and the tree.
    pub fn new(root: Node) -> Result<Self, (ManifestError, Origin, Node)> {
        match first_missing_field(&root) {
            None => Ok(Self { root }),
            Some((error, at)) => Err((error, at, root)),
        }
    }

    /// Returns the tree.
    #[inline]
    #[must_use]
    pub const fn root(&self) -> &Node {
        &self.root
    }

    /// Returns the owned tree.
    #[must_use]
    pub fn into_root(self) -> Node {
        self.root
    }

    /// Replaces the tree. The given one must have the required fields as well.
    ///
    /// # Errors
    /// Returns the first missing field.
    pub fn replaced(self, root: Node) -> Result<Self, ManifestError> {
        Self::new(root).map_err(|(error, ..)| error)
    }

    /// Returns the value at a path of keys, for modification; `None` also for fields that every object requires.
    pub fn field_mut(&mut self, path: &[&str]) -> Option<&mut Node> {
        if is_required(path) { None } else { self.root.at_mut(path) }
    }

    /// Returns the mapping at `path`; creates mappings that are missing or null.
    ///
    /// Returns `None` if a value on the path is neither a mapping nor null, and for fields that every object requires.
    pub fn mapping_at_mut(&mut self, path: &[&str]) -> Option<&mut Mapping> {
        if is_required(path) { None } else { self.root.mapping_at_mut(path) }
    }

    /// Removes the field at a path of keys and returns its value; never one that every object requires.
    pub fn remove(&mut self, path: &[&str]) -> Option<Node> {
        let (last, parents) = path.split_last()?;
        if is_required(path) {
            return None;
        }
        self.root.at_mut(parents)?.as_mapping_mut()?.remove(last)
    }

    /// Shows all keys and strings of the tree to a visitor. Strings that it returns replace the visited ones, unless they
    /// are empty.
    pub fn visit_texts(&mut self, visitor: &mut impl TextVisitor) {
        // An explicit stack, since the author controls the depth of the tree.
        let mut stack = vec![&mut self.root];
        while let Some(node) = stack.pop() {
            if visitor.is_done() {
                return;
            }
            match &mut node.value {
                NodeValue::Bool(_) | NodeValue::Null | NodeValue::Number(_) => {}
                NodeValue::Mapping(mapping) => {
                    for entry in mapping.entries_mut() {
                        visitor.visit_key(entry.key, *entry.key_origin);
                        stack.push(entry.value);
                    }
                }
                NodeValue::Sequence(items) => stack.extend(items),
                NodeValue::String(text) => {
                    let replacement = visitor.visit_string(text, node.origin);
                    if let Some(replacement) = replacement.filter(|replacement| !replacement.is_empty()) {
                        *text = replacement.into();
                    }
                }
            }
        }
    }

    /// Returns where the object starts.
    #[inline]
    #[must_use]
    pub const fn origin(&self) -> Origin {
        self.root.origin
    }

    fn text(&self, path: &[&str]) -> &str {
        self.root.at(path).and_then(Node::as_str).unwrap_or("")
    }

    /// Returns the `apiVersion`, for example `apps/v1`.
    #[must_use]
    pub fn api_version(&self) -> &str {
        self.text(&["apiVersion"])
    }

    /// Returns the API group; empty for the core group.
    #[inline]
    #[must_use]
    pub fn group(&self) -> &str {
        group_and_version(self.api_version()).0
    }

    /// Returns the `kind`.
    #[inline]
    #[must_use]
    pub fn kind(&self) -> &str {
        self.text(&["kind"])
    }

    /// Returns `metadata.name`; empty if only `generateName` is set.
    #[must_use]
    pub fn name(&self) -> &str {
        self.text(&["metadata", "name"])
    }

    /// Returns `metadata.namespace`; empty if it is not set.
    #[must_use]
    pub fn namespace(&self) -> &str {
        self.text(&["metadata", "namespace"])
    }

    /// Returns the identity of the object.
    #[must_use]
    pub fn id(&self) -> ObjectId {
        ObjectId {
            group: self.group().into(),
            kind: self.kind().into(),
            namespace: self.namespace().into(),
            name: self.name().into(),
        }
    }

    /// Reports whether the object has this group and kind.
    #[inline]
    #[must_use]
    pub fn is(&self, group: &str, kind: &str) -> bool {
        self.kind() == kind && self.group() == group
    }

    /// Reports whether this is a core `Secret`.
    #[must_use]
    pub fn is_secret(&self) -> bool {
        self.is("", "Secret")
    }

    /// Returns the text of an annotation.
    #[must_use]
    pub fn annotation(&self, name: &str) -> Option<&str> {
        self.annotations()?.get(name)?.as_str()
    }

    /// Returns `metadata.annotations`.
    #[must_use]
    pub fn annotations(&self) -> Option<&Mapping> {
        self.root.at(&["metadata", "annotations"])?.as_mapping()
    }

    /// Returns `metadata.labels`.
    #[must_use]
    pub fn labels(&self) -> Option<&Mapping> {
        self.root.at(&["metadata", "labels"])?.as_mapping()
    }

    /// Sets an annotation; creates `metadata.annotations` if it is missing.
    pub fn set_annotation(&mut self, name: &str, text: &str) {
        let origin = self.root.origin;
        if let Some(annotations) = self.root.mapping_at_mut(&["metadata", "annotations"]) {
            annotations.insert(name, origin, Node::string(text, origin));
        }
    }

    /// Sets `metadata.namespace`; its place is that of the metadata.
    pub fn set_namespace(&mut self, namespace: &str) {
        let origin = self.root.get("metadata").map_or(self.root.origin, |metadata| metadata.origin);
        if let Some(metadata) = self.root.mapping_at_mut(&["metadata"]) {
            metadata.insert("namespace", origin, Node::string(namespace, origin));
        }
    }
}

/// Reports whether every object requires the field at a path, or one within it.
fn is_required(path: &[&str]) -> bool {
    matches!(path, [] | ["apiVersion" | "kind" | "metadata"] | ["metadata", "generateName" | "name"])
}

/// Returns the first required field that a tree lacks, with its expected location.
fn first_missing_field(root: &Node) -> Option<(ManifestError, Origin)> {
    let at = root.display_origin();
    if root.as_mapping().is_none() {
        return Some((ManifestError::NotAnObject(root.type_name()), at));
    }
    if is_complete(root) {
        return None;
    }
    let text = |path: &[&str]| root.at(path).and_then(Node::as_str).is_some_and(|text| !text.is_empty());
    let entry = |mapping: Option<&Node>, key: &str| {
        let entry = mapping?.as_mapping()?.entry(key)?;
        // For an empty value, only the key can be shown.
        Some(entry.value.display_origin()).filter(|at| at.width > 0).or(Some(entry.key_origin))
    };
    for field in ["apiVersion", "kind"] {
        if !text(&[field]) {
            return Some((ManifestError::Missing(field), entry(Some(root), field).unwrap_or(at)));
        }
    }
    let at = entry(root.get("metadata"), "name").or_else(|| entry(Some(root), "metadata"));
    Some((ManifestError::Missing("metadata.name"), at.unwrap_or_else(|| root.display_origin())))
}

/// Reports whether a tree has the fields that every object requires.
fn is_complete(root: &Node) -> bool {
    let is_text = |entry: &MappingEntry| entry.value.as_str().is_some_and(|text| !text.is_empty());
    let (mut api_version, mut kind, mut name) = (false, false, false);
    for entry in root.entries() {
        match entry.key.as_str() {
            "apiVersion" => api_version = is_text(entry),
            "kind" => kind = is_text(entry),
            "metadata" => {
                let fields = entry.value.entries();
                let is_name = |entry: &&MappingEntry| matches!(entry.key.as_str(), "generateName" | "name");
                name = fields.iter().filter(is_name).any(is_text);
            }
            _ => {}
        }
    }
    api_version && kind && name
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::document::Sources;

    fn manifest() -> Manifest {
        let origin = Origin::whole(Sources::default().add("a.yaml"));
        let json = json!({
            "apiVersion": "v1", "kind": "X", "metadata": {"name": "x", "generateName": "y", "labels": {"a": "b"}},
            "spec": {"kind": "Y"}, "empty": null,
        });
        Manifest::new(Node::from_json(&json, origin)).unwrap()
    }

    fn is_object(manifest: &Manifest) -> bool {
        Manifest::new(manifest.root().clone()).is_ok()
    }

    #[test]
    fn required_fields_cannot_be_reached() {
        let required: [&[&str]; 6] = [
            &[],
            &["apiVersion"],
            &["kind"],
            &["metadata"],
            &["metadata", "name"],
            &["metadata", "generateName"],
        ];
        for path in required {
            let mut manifest = manifest();
            assert!(manifest.field_mut(path).is_none(), "{path:?}");
            assert!(manifest.mapping_at_mut(path).is_none(), "{path:?}");
            assert!(manifest.remove(path).is_none(), "{path:?}");
            assert!(is_object(&manifest), "{path:?}");
        }
        // Nor by creating mappings in their place.
        for path in required {
            let mut manifest = manifest();
            let below: Vec<&str> = path.iter().copied().chain(["metadata", "annotations"]).collect();
            let _ = manifest.mapping_at_mut(&below);
            assert!(is_object(&manifest), "{below:?}");
        }
    }

    #[test]
    fn other_fields_can_be_changed_and_removed() {
        let mut manifest = manifest();
        assert!(manifest.field_mut(&["spec", "kind"]).is_some());
        assert!(manifest.mapping_at_mut(&["empty", "metadata"]).is_some());
        assert!(manifest.remove(&["metadata", "labels"]).is_some());
        assert!(manifest.remove(&["metadata", "labels"]).is_none());
        manifest.set_namespace("ns");
        assert_eq!((manifest.namespace(), is_object(&manifest)), ("ns", true));
    }

    #[test]
    fn trees_without_required_fields_replace_no_object() {
        for field in ["apiVersion", "kind", "metadata"] {
            let mut root = manifest().into_root();
            root.as_mapping_mut().unwrap().remove(field);
            assert!(manifest().replaced(root).is_err(), "{field}");
        }
        assert!(manifest().replaced(manifest().into_root()).is_ok());
    }

    /// Replaces every string by the same one.
    struct Overwrite(&'static str);

    impl TextVisitor for Overwrite {
        fn is_done(&self) -> bool {
            false
        }

        fn visit_key(&mut self, _: &str, _: Origin) {}

        fn visit_string(&mut self, _: &str, _: Origin) -> Option<String> {
            Some(self.0.to_owned())
        }
    }

    #[test]
    fn visits_replace_no_string_by_an_empty_one() {
        let mut manifest = manifest();
        manifest.visit_texts(&mut Overwrite(""));
        assert_eq!((manifest.kind(), is_object(&manifest)), ("X", true));
        manifest.visit_texts(&mut Overwrite("z"));
        assert_eq!((manifest.kind(), manifest.name(), is_object(&manifest)), ("z", "z", true));
    }
}
