//! The encoding of trees for digests.

use sealwave_core::document::{Mapping, Node, NodeValue, Number};

/// Encodes a tree injectively and independently of the order of keys. Its recursion is bounded by the depth of the
/// tree, which the reader limits.
pub(super) fn encode(node: &Node, into: &mut Vec<u8>) {
    match &node.value {
        NodeValue::Bool(flag) => into.extend([b'b', u8::from(*flag)]),
        NodeValue::Mapping(mapping) => encode_mapping(mapping, into),
        NodeValue::Null => into.push(b'n'),
        NodeValue::Number(Number::Float(float)) => prefixed(b'f', &float.get().to_bits().to_be_bytes(), into),
        NodeValue::Number(Number::Int(int)) => prefixed(b'i', &int.to_be_bytes(), into),
        NodeValue::Number(Number::Uint(uint)) => prefixed(b'u', &uint.to_be_bytes(), into),
        NodeValue::Sequence(items) => {
            prefixed(b'l', &(items.len() as u64).to_be_bytes(), into);
            for item in items {
                encode(item, into);
            }
        }
        NodeValue::String(text) => prefixed(b's', text.as_bytes(), into),
    }
}

fn encode_mapping(mapping: &Mapping, into: &mut Vec<u8>) {
    let mut entries: Vec<_> = mapping.entries().iter().collect();
    entries.sort_by(|a, b| a.key.cmp(&b.key));
    prefixed(b'm', &(entries.len() as u64).to_be_bytes(), into);
    for entry in entries {
        prefixed(b'k', entry.key.as_bytes(), into);
        encode(&entry.value, into);
    }
}

fn prefixed(tag: u8, bytes: &[u8], into: &mut Vec<u8>) {
    into.push(tag);
    into.extend((bytes.len() as u64).to_be_bytes());
    into.extend(bytes);
}
