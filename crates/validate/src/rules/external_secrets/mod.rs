//! Rules about objects that the External Secrets Operator cannot serve.

pub(super) mod data;
pub(super) mod duplicate_target;
pub(super) mod missing_store;
pub(super) mod refresh;
pub(super) mod store;
pub(super) mod template;

use super::CheckedObject;
use sealwave_core::document::Node;
use sealwave_kube::catalog::ESO_GROUP;

/// Returns the spec of an ExternalSecret, also of that in a ClusterExternalSecret; `None` for other kinds.
fn spec<'a>(object: &CheckedObject<'a>) -> Option<&'a Node> {
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
fn sources(spec: &Node) -> impl Iterator<Item = &Node> {
    let items = ["data", "dataFrom"].into_iter().filter_map(|list| spec.get(list)).flat_map(Node::items);
    items.filter_map(|item| item.get("sourceRef"))
}

fn text<'a>(node: &'a Node, path: &[&str]) -> Option<&'a str> {
    node.at(path).and_then(Node::as_str)
}
