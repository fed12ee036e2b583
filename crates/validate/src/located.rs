//! Nodes of an object with the paths that lead to them, so that a finding needs no search for its node.

use std::sync::Arc;

use compact_str::CompactString;
use sealwave_core::document::{Manifest, MappingEntry, Node, Origin};

/// The path to a node of an object.
///
/// Rules extend paths at every object, but few of them become part of a finding: a step costs one small allocation, and the
/// text is only made by [`ObjectPath::pointer`].
#[derive(Clone, Debug)]
pub(crate) struct ObjectPath(Option<Arc<LastStep>>);

/// The last step of a path, and the path before it.
#[derive(Debug)]
struct LastStep {
    parent: ObjectPath,
    step: PathStep<CompactString>,
}

/// A step from a node to a child.
#[derive(Clone, Copy, Debug)]
enum PathStep<K> {
    /// To an item of a list.
    Item(usize),
    /// To the value of a key.
    Key(K),
}

impl ObjectPath {
    /// Returns the path to the object itself.
    pub(crate) const fn root() -> Self {
        Self(None)
    }

    /// Creates the path from keys.
    pub(crate) fn from_keys<'k>(keys: impl IntoIterator<Item = &'k str>) -> Self {
        keys.into_iter().fold(Self::root(), |path, key| path.key(key))
    }

    /// Returns the path to the value of a key.
    pub(crate) fn key(&self, key: &str) -> Self {
        self.child(PathStep::Key(key.into()))
    }

    /// Returns the path to an item of a list.
    pub(crate) fn item(&self, index: usize) -> Self {
        self.child(PathStep::Item(index))
    }

    fn child(&self, step: PathStep<CompactString>) -> Self {
        Self(Some(Arc::new(LastStep { parent: self.clone(), step })))
    }

    /// Returns the steps, from the last to the first.
    fn steps_from_end(&self) -> impl Iterator<Item = PathStep<&str>> {
        let ends = std::iter::successors(self.0.as_deref(), |end| end.parent.0.as_deref());
        ends.map(|end| match &end.step {
            PathStep::Item(index) => PathStep::Item(*index),
            PathStep::Key(key) => PathStep::Key(key.as_str()),
        })
    }

    /// Returns the path as a JSON pointer (RFC 6901).
    pub(crate) fn pointer(&self) -> String {
        let mut steps: Vec<PathStep<&str>> = self.steps_from_end().collect();
        steps.reverse();
        steps.iter().fold(String::new(), |pointer, step| match step {
            PathStep::Item(index) => format!("{pointer}/{index}"),
            PathStep::Key(key) => format!("{pointer}/{}", escape_step(key)),
        })
    }
}

/// Escapes a key for a pointer.
pub(crate) fn escape_step(key: &str) -> String {
    key.replace('~', "~0").replace('/', "~1")
}

/// The location of a finding in its object, as far as its rule knows it.
#[derive(Clone, Debug)]
pub(crate) enum ObjectLocation {
    /// The position of the node or its key only: the first node of the object at the position counts.
    Origin(Origin),
    /// The path to the node.
    Path(ObjectPath),
    /// The path to the node, as the schema check gives it: a JSON pointer (RFC 6901).
    Pointer(String),
}

/// The place of a finding: a position in a source, and the location in the object.
#[derive(Clone, Debug)]
pub(crate) struct FindingPlace {
    /// The position that is shown.
    pub(crate) at: Origin,
    /// The location in the object.
    pub(crate) location: ObjectLocation,
}

impl FindingPlace {
    /// Creates the place of a node with a known path, or of its key.
    pub(crate) const fn new(at: Origin, path: ObjectPath) -> Self {
        Self { at, location: ObjectLocation::Path(path) }
    }
}

/// For rules that know only a position.
impl From<Origin> for FindingPlace {
    fn from(at: Origin) -> Self {
        Self { at, location: ObjectLocation::Origin(at) }
    }
}

/// A node with the path that leads to it.
#[derive(Clone)]
pub(crate) struct LocatedNode<'a> {
    pub(crate) node: &'a Node,
    pub(crate) path: ObjectPath,
}

impl<'a> LocatedNode<'a> {
    /// Returns the root of an object.
    pub(crate) fn root(object: &'a Manifest) -> Self {
        Self { node: object.root(), path: ObjectPath::root() }
    }

    /// Returns the value of a key.
    pub(crate) fn get(&self, key: &str) -> Option<Self> {
        Some(Self { node: self.node.get(key)?, path: self.path.key(key) })
    }

    /// Returns the node at the end of a path of keys.
    pub(crate) fn at(&self, keys: &[&str]) -> Option<Self> {
        let node = self.node.at(keys)?;
        Some(Self { node, path: keys.iter().fold(self.path.clone(), |path, key| path.key(key)) })
    }

    /// Iterates over the items of a list.
    pub(crate) fn items(&self) -> impl Iterator<Item = Self> + use<'a> {
        let path = self.path.clone();
        let numbered = self.node.items().iter().enumerate();
        numbered.map(move |(index, node)| Self { node, path: path.item(index) })
    }

    /// Iterates over the entries of a mapping.
    pub(crate) fn entries(&self) -> impl Iterator<Item = LocatedEntry<'a>> + use<'a> {
        let parent = self.path.clone();
        let entries = self.node.entries();
        entries.iter().map(move |entry| LocatedEntry { entry, parent: parent.clone() })
    }

    /// Iterates over the entries of the mapping under a key.
    pub(crate) fn entries_at(&self, key: &str) -> impl Iterator<Item = LocatedEntry<'a>> + use<'a> {
        self.get(key).into_iter().flat_map(|node| node.entries())
    }

    /// Returns the entry of a mapping.
    pub(crate) fn entry(&self, key: &str) -> Option<LocatedEntry<'a>> {
        let entry = self.node.as_mapping()?.entry(key)?;
        Some(LocatedEntry { entry, parent: self.path.clone() })
    }

    /// Returns the place of the node.
    pub(crate) fn place(&self) -> FindingPlace {
        FindingPlace::new(self.node.origin, self.path.clone())
    }
}

/// An entry of a mapping, with the path to the mapping.
#[derive(Clone)]
pub(crate) struct LocatedEntry<'a> {
    pub(crate) entry: &'a MappingEntry,
    parent: ObjectPath,
}

impl<'a> LocatedEntry<'a> {
    /// Creates an entry of the mapping at a path.
    pub(crate) const fn new(entry: &'a MappingEntry, parent: ObjectPath) -> Self {
        Self { entry, parent }
    }

    /// Returns the path to the value.
    pub(crate) fn path(&self) -> ObjectPath {
        self.parent.key(&self.entry.key)
    }

    /// Returns the place of the key.
    pub(crate) fn key_place(&self) -> FindingPlace {
        FindingPlace::new(self.entry.key_origin, self.path())
    }

    /// Returns the place of the value.
    pub(crate) fn value_place(&self) -> FindingPlace {
        FindingPlace::new(self.entry.value.origin, self.path())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use sealwave_core::document::Sources;
    use sealwave_core::yaml;

    #[test]
    fn paths_are_escaped_and_exact_for_shared_positions() {
        let text = "apiVersion: v1\nkind: X\nmetadata: {name: a}\ndata:\n  a/b~c: &x [1, 2]\n  other: *x\n";
        let source = Sources::default().add("a.yaml");
        let root = yaml::read(text.as_bytes(), source, &yaml::Limits::default()).unwrap().remove(0);
        let object = Manifest::new(root).ok().unwrap();
        let data = LocatedNode::root(&object).get("data").unwrap();
        let paths: Vec<String> = data.entries().map(|entry| entry.path().pointer()).collect();
        assert_eq!(paths, ["/data/a~1b~0c", "/data/other"]);
        let last = data.get("other").unwrap().items().last().unwrap();
        assert_eq!(last.path.pointer(), "/data/other/1");
        assert_eq!(last.path.pointer(), ObjectPath::from_keys(["data", "other"]).item(1).pointer());
    }
}
