//! JSON Merge Patch (RFC 7386), and the merging of fields that strategic merge patches share with it.
//!
//! Trees are merged instead of JSON, so every value from a patch has its position in the patch, and everything else
//! keeps its own. The work is linear in the sizes of the object and the patch.

use std::collections::HashMap;
use std::convert::Infallible;

use sealwave_core::document::{Mapping, MappingBuilder, MappingEntry, Node, NodeValue, Origin};
use sealwave_kube::schema::MergeSchema;

/// Merges a patch into an object.
pub(super) fn apply(object: &mut Node, patch: &Node, schema: Option<MergeSchema>) {
    let origin = object.origin;
    merge(object, patch, schema);
    object.origin = origin;
}

fn merge(target: &mut Node, patch: &Node, schema: Option<MergeSchema>) {
    let (NodeValue::Mapping(mapping), NodeValue::Mapping(changes)) = (&mut target.value, &patch.value) else {
        *target = without_nulls(patch);
        return;
    };
    let changes: Vec<(&str, &MappingEntry)> =
        changes.entries().iter().map(|entry| (entry.key.as_str(), entry)).collect();
    let merged = merge_fields::<_, Infallible>(
        mapping,
        &changes,
        |old, entry| {
            let is_kept = entry.value.value != NodeValue::Null;
            if is_kept {
                merge(old, &entry.value, schema.map(|schema| schema.field(&entry.key)));
            }
            Ok(is_kept)
        },
        |entry| Ok(new_field(entry)),
    );
    let Ok(()) = merged;
    point_at_removals(target, schema, changes.into_iter().map(|(_, entry)| entry));
}

fn new_field(entry: &MappingEntry) -> Option<(Origin, Node)> {
    (entry.value.value != NodeValue::Null).then(|| (entry.key_origin, without_nulls(&entry.value)))
}

/// Copies a value of a patch. A null in a map means that the field does not exist. Lists are copied unchanged.
fn without_nulls(node: &Node) -> Node {
    let NodeValue::Mapping(mapping) = &node.value else { return node.clone() };
    let copy = mapping.entries().iter().filter_map(|entry| {
        let (key_origin, value) = new_field(entry)?;
        Some(MappingEntry { key: entry.key.clone(), key_origin, value })
    });
    Node::new(NodeValue::Mapping(copy.collect()), node.origin)
}

/// Merges changes into fields. Fields of the object keep their order, and new ones follow in the order of the patch.
///
/// `change` changes an existing field and returns whether to keep it; `add` creates a new one.
pub(super) fn merge_fields<T, E>(
    mapping: &mut Mapping,
    changes: &[(&str, T)],
    mut change: impl FnMut(&mut Node, &T) -> Result<bool, E>,
    mut add: impl FnMut(&T) -> Result<Option<(Origin, Node)>, E>,
) -> Result<(), E> {
    let mut left: HashMap<&str, &T> = changes.iter().map(|(key, change)| (*key, change)).collect();
    let mut merged = MappingBuilder::with_capacity(mapping.len());
    for mut entry in std::mem::take(mapping).into_entries() {
        let is_kept = match left.remove(entry.key.as_str()) {
            Some(found) => change(&mut entry.value, found)?,
            None => true,
        };
        if is_kept {
            merged.set(entry);
        }
    }
    for (key, change) in changes.iter().filter(|(key, _)| left.contains_key(key)) {
        if let Some((key_origin, value)) = add(change)? {
            merged.set(MappingEntry { key: (*key).into(), key_origin, value });
        }
    }
    *mapping = merged.finish();
    Ok(())
}

/// Points an object at the part of the patch that removed a required field, since nothing else shows the removal.
pub(super) fn point_at_removals<'p>(
    node: &mut Node,
    schema: Option<MergeSchema>,
    changes: impl Iterator<Item = &'p MappingEntry>,
) {
    let Some(schema) = schema else { return };
    for entry in changes.filter(|entry| schema.requires(&entry.key)) {
        if node.get(&entry.key).is_none() {
            node.origin = entry.key_origin;
        }
    }
}
