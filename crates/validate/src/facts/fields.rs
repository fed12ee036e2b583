//! Access to fields of objects for rules; null counts as absent.

use sealwave_core::document::{MappingEntry, Node, NodeValue, Number, Origin};

/// Returns the items of the sequence under a key, or none if there is no sequence.
pub(crate) fn items<'a>(node: &'a Node, key: &str) -> &'a [Node] {
    node.get(key).map_or(&[], Node::items)
}

/// Returns the entries of the mapping under a key, or none if there is no mapping.
pub(crate) fn entries<'a>(node: &'a Node, key: &str) -> &'a [MappingEntry] {
    node.get(key).and_then(Node::as_mapping).map_or(&[], |mapping| mapping.entries())
}

/// Returns the string under a key, if it is not empty.
pub(crate) fn text<'a>(node: &'a Node, key: &str) -> Option<&'a str> {
    node.get(key).and_then(Node::as_str).filter(|text| !text.is_empty())
}

/// Returns the integer that a node holds.
pub(crate) const fn integer(node: &Node) -> Option<i64> {
    match node.value {
        NodeValue::Number(Number::Int(number)) => Some(number),
        _ => None,
    }
}

/// Returns the value under a key, unless it is null.
pub(crate) fn value<'a>(node: &'a Node, key: &str) -> Option<&'a Node> {
    node.get(key).filter(|value| !matches!(value.value, NodeValue::Null))
}

/// Returns the entries of `names` that are set, in the order of the document.
pub(crate) fn set_entries<'a>(node: &'a Node, names: &[&str]) -> Vec<&'a MappingEntry> {
    let entries = node.entries();
    let is_set = |entry: &&MappingEntry| {
        !matches!(entry.value.value, NodeValue::Null) && names.contains(&entry.key.as_str())
    };
    entries.iter().filter(is_set).collect()
}

/// Returns the position of a key, or the start of its mapping if the key is absent.
pub(crate) fn key_origin(node: &Node, key: &str) -> Origin {
    node.as_mapping()
        .and_then(|mapping| mapping.entry(key))
        .map_or_else(|| start_origin(node), |entry| entry.key_origin)
}

/// Returns the start of a node; for a mapping, the position of its first key.
pub(crate) fn start_origin(node: &Node) -> Origin {
    let first = node.as_mapping().and_then(|mapping| mapping.entries().first());
    first.map_or(node.origin, |entry| entry.key_origin)
}

/// Joins names in backticks with commas and a final `or`, for messages.
pub(crate) fn quoted_list(names: &[&str]) -> String {
    let quoted: Vec<String> = names.iter().map(|name| format!("`{name}`")).collect();
    match quoted.split_last() {
        Some((last, rest)) if !rest.is_empty() => format!("{} or {last}", rest.join(", ")),
        _ => quoted.concat(),
    }
}
