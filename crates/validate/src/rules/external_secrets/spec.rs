//! Parts of ExternalSecrets that several rules read.

use crate::facts::checked_object::CheckedObject;
use sealwave_core::document::Node;
use sealwave_kube::catalog::ESO_GROUP;

/// Returns the spec of an ExternalSecret, also of that in a `ClusterExternalSecret`; `None` for other kinds.
pub(super) fn spec<'a>(object: &CheckedObject<'a>) -> Option<&'a Node> {
    if object.group != ESO_GROUP {
        return None;
    }
    let root = object.manifest.root();
    match object.kind {
        "ExternalSecret" => root.get("spec"),
        "ClusterExternalSecret" => root.at(&["spec", "externalSecretSpec"]),
        _ => None,
    }
}

/// Iterates over the sources of single items, which may differ from the default source.
pub(super) fn sources(spec: &Node) -> impl Iterator<Item = &Node> {
    let items = ["data", "dataFrom"].into_iter().filter_map(|list| spec.get(list)).flat_map(Node::items);
    items.filter_map(|item| item.get("sourceRef"))
}

pub(super) fn text<'a>(node: &'a Node, path: &[&str]) -> Option<&'a str> {
    node.at(path).and_then(Node::as_str)
}
