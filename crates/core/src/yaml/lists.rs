//! Flattens lists into their items, like Argo CD and kubectl.

use crate::document::{Mapping, Node, NodeValue};

/// Replaces each list by its items, in order, including nested lists.
///
/// Like Kubernetes' own libraries, this treats an object of any kind as a list if its `items` is a sequence. Argo CD
/// flattens all of these, so it would never apply such an object itself. An object with `items: null` and neither
/// `spec` nor `status` is an empty list, and is dropped.
///
/// An item with neither `kind` nor `apiVersion` gets both from a typed list (`ConfigMapList` holds `ConfigMap`s), as
/// in kubectl. Other fields of the list, including its `metadata`, are lost. An item that is not an object is kept, so
/// that it is reported when objects are checked.
#[must_use]
pub fn flatten_lists(documents: Vec<Node>) -> Vec<Node> {
    let mut objects = Vec::with_capacity(documents.len());
    for document in documents {
        for_each_item(document, |object| objects.push(object));
    }
    objects
}

/// Flattens one document and passes each object to `take`.
pub fn for_each_item(mut document: Node, mut take: impl FnMut(Node)) {
    let Some(items) = document.as_mapping_mut().and_then(take_items) else { return take(document) };
    let mut waiting = items;
    waiting.reverse();
    while let Some(mut node) = waiting.pop() {
        match node.as_mapping_mut().and_then(take_items) {
            Some(items) => waiting.extend(items.into_iter().rev()),
            None => take(node),
        }
    }
}

/// Reports whether Argo CD treats an object as a list of objects.
#[must_use]
pub fn is_list(object: &Node) -> bool {
    object.as_mapping().is_some_and(has_items)
}

fn has_items(list: &Mapping) -> bool {
    match list.get("items").map(|items| &items.value) {
        Some(NodeValue::Sequence(_)) => true,
        Some(NodeValue::Null) => list.get("spec").is_none() && list.get("status").is_none(),
        _ => false,
    }
}

/// Takes the items if the object is a list.
fn take_items(list: &mut Mapping) -> Option<Vec<Node>> {
    if !has_items(list) {
        return None;
    }
    let NodeValue::Sequence(mut items) = list.remove("items")?.value else { return Some(Vec::new()) };
    let kind = list.get("kind").and_then(|node| Some((node.as_str()?.strip_suffix("List")?, node.origin)));
    let api_version = list.get("apiVersion");
    if let (Some((kind, origin)), Some(api_version)) = (kind, api_version)
        && !kind.is_empty()
    {
        for item in items.iter_mut().filter_map(Node::as_mapping_mut) {
            if item.get("kind").is_none() && item.get("apiVersion").is_none() {
                item.insert("apiVersion", api_version.origin, api_version.clone());
                item.insert("kind", origin, Node::string(kind, origin));
            }
        }
    }
    Some(items)
}
