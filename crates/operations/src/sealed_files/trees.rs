//! Nodes of objects in the trees of a file.

use std::collections::BTreeSet;

use sealwave_core::document::{Mapping, Node, NodeValue, Origin};
use sealwave_core::yaml::{LayoutContent, LayoutNode};

use super::file::{SealedFile, SealedObject};

/// Collects the names of all aliases. The recursion is as deep as the reader allows.
pub(super) fn aliases<'n>(node: &'n LayoutNode, names: &mut BTreeSet<&'n str>) {
    match &node.content {
        LayoutContent::Alias(name) => _ = names.insert(name),
        LayoutContent::Mapping { entries, .. } => {
            for (key, value) in entries {
                aliases(key, names);
                aliases(value, names);
            }
        }
        LayoutContent::Scalar { .. } => {}
        LayoutContent::Sequence { items, .. } => items.iter().for_each(|item| aliases(item, names)),
    }
}

impl SealedFile {
    /// Returns the tree of an object.
    pub(crate) fn node(&self, object: &SealedObject) -> Option<&Node> {
        object_node(&self.documents, object)
    }
}

pub(super) fn object_node<'n>(documents: &'n [Node], object: &SealedObject) -> Option<&'n Node> {
    let mut node = documents.get(object.document)?;
    for index in &object.list_path {
        node = node.get("items")?.items().get(*index)?;
    }
    Some(node)
}

pub(super) fn object_node_mut<'n>(documents: &'n mut [Node], object: &SealedObject) -> Option<&'n mut Node> {
    let mut node = documents.get_mut(object.document)?;
    for index in &object.list_path {
        let NodeValue::Sequence(items) = &mut node.at_mut(&["items"])?.value else { return None };
        node = items.get_mut(*index)?;
    }
    Some(node)
}

/// Returns the mapping at a path; creates it, and those around it, in place of a null or missing one.
pub(super) fn mapping_at<'n>(node: &'n mut Node, path: &[&str]) -> Option<&'n mut Mapping> {
    let origin: Origin = node.origin;
    let mut mapping = node.as_mapping_mut()?;
    for key in path {
        if mapping.get(key).is_none_or(|node| node.value == NodeValue::Null) {
            mapping.insert(*key, origin, Node::new(NodeValue::Mapping(Mapping::default()), origin));
        }
        mapping = mapping.get_mut(key)?.as_mapping_mut()?;
    }
    Some(mapping)
}
