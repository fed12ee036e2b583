//! Fields of objects, as rules ask for them: null is as good as absent.

use sealwave_core::document::{Entry, Node, Number, Origin, Value};

/// The items under a key; none where there is no sequence.
pub(super) fn items<'a>(node: &'a Node, key: &str) -> &'a [Node] {
    node.get(key).map_or(&[], Node::items)
}

/// The entries of the mapping under a key; none where there is none.
pub(super) fn entries<'a>(node: &'a Node, key: &str) -> &'a [Entry] {
    node.get(key).and_then(Node::as_mapping).map_or(&[], |mapping| mapping.entries())
}

/// The text under a key, where it is one that is not empty.
pub fn text<'a>(node: &'a Node, key: &str) -> Option<&'a str> {
    node.get(key).and_then(Node::as_str).filter(|text| !text.is_empty())
}

/// The whole number that this is.
pub(super) const fn integer(node: &Node) -> Option<i64> {
    match node.value {
        Value::Number(Number::Int(number)) => Some(number),
        _ => None,
    }
}

/// The value under a key, null aside.
pub(super) fn value<'a>(node: &'a Node, key: &str) -> Option<&'a Node> {
    node.get(key).filter(|value| !matches!(value.value, Value::Null))
}

/// Those of some fields that are set, in the order of the document.
pub(super) fn set<'a>(node: &'a Node, names: &[&str]) -> Vec<&'a Entry> {
    let entries = node.as_mapping().map_or(&[][..], |mapping| mapping.entries());
    let is_set =
        |entry: &&Entry| !matches!(entry.value.value, Value::Null) && names.contains(&entry.key.as_str());
    entries.iter().filter(is_set).collect()
}

/// Where a key stands; where there is none, its mapping.
pub(super) fn key_at(node: &Node, key: &str) -> Origin {
    node.as_mapping()
        .and_then(|mapping| mapping.entry(key))
        .map_or_else(|| start(node), |entry| entry.key_origin)
}

/// Where a node begins: a mapping, with its first key.
pub(super) fn start(node: &Node) -> Origin {
    let first = node.as_mapping().and_then(|mapping| mapping.entries().first());
    first.map_or(node.origin, |entry| entry.key_origin)
}

/// Names in backticks, as a message lists them.
pub(super) fn listed(names: &[&str]) -> String {
    let quoted: Vec<String> = names.iter().map(|name| format!("`{name}`")).collect();
    match quoted.split_last() {
        Some((last, rest)) if !rest.is_empty() => format!("{} or {last}", rest.join(", ")),
        _ => quoted.concat(),
    }
}
