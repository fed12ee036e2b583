//! Nodes of objects that producers and requirements read.

use sealwave_core::document::{Manifest, Node, Origin};

/// Returns a manifest with the position of its name.
pub(crate) fn manifest_and_name_origin(manifest: &Manifest) -> (&Manifest, Origin) {
    let name = manifest.root().at(&["metadata", "name"]);
    (manifest, name.map_or(manifest.origin(), |name| name.origin))
}

/// Returns the items of the list at the end of a path.
pub(crate) fn items<'a>(node: &'a Node, path: &[&str]) -> &'a [Node] {
    node.at(path).map_or(&[], Node::items)
}
