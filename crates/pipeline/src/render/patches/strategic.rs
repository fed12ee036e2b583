//! Strategic merge patches: maps are merged, and lists are merged by the merge keys of Kubernetes' schemas.
//!
//! The rules are those of the API server, with three differences where Kustomize does what authors mean: `$patch:
//! delete` in a map removes the field instead of leaving `{}`; an item with `$patch: replace` and other fields replaces
//! that item and not the whole list; if several items share a merge key (port 53 of TCP and of UDP), all keys of the
//! list identify the item. Every value of a patch keeps its position in the patch, and the work is linear.

mod directives;
mod lists;

use super::error::{Error, LocatedError};
use super::merge::{merge_fields, point_at_removals};
use directives::{FieldChange, ParsedMap, retained_names, sequence};
pub(super) use directives::{PatchAction, action_of, directive_name};
use sealwave_core::document::{Mapping, MappingBuilder, MappingEntry, Node, NodeValue, Origin};
use sealwave_kube::schema::{ListMerge, MergeSchema};

/// Merges a patch into an object of a kind with a schema.
///
/// # Errors
/// Malformed directives, and items that do not identify an item of the object.
pub(super) fn apply(object: &mut Node, patch: &Node, schema: MergeSchema) -> Result<(), LocatedError> {
    let origin = object.origin;
    // A patch that deletes the object is handled by the caller.
    let _is_kept = merge(object, patch, schema, None)?;
    object.origin = origin;
    Ok(())
}

/// Merges a value of a patch into a value of the object. Returns whether to keep the field.
fn merge(
    old: &mut Node,
    change: &Node,
    schema: MergeSchema,
    order: Option<&MappingEntry>,
) -> Result<bool, LocatedError> {
    match (&mut old.value, &change.value) {
        (NodeValue::Mapping(_), NodeValue::Mapping(changes)) => {
            let parts = ParsedMap::parse(changes)?;
            if parts.action == PatchAction::Merge && !schema.replaces_map() {
                return merge_map(old, &parts, schema).map(|()| true);
            }
            replace(old, change)
        }
        (NodeValue::Sequence(items), NodeValue::Sequence(changes)) if schema.list() != ListMerge::Replace => {
            let merged = lists::merge(std::mem::take(items), changes, schema, order)?;
            let is_kept = merged.is_some();
            *items = merged.unwrap_or_default();
            Ok(is_kept)
        }
        _ => {
            let is_kept = replace(old, change)?;
            reorder(old, schema, order)?;
            Ok(is_kept)
        }
    }
}

fn replace(old: &mut Node, change: &Node) -> Result<bool, LocatedError> {
    let new = copy_new_value(change)?;
    let is_kept = new.is_some();
    if let Some(new) = new {
        *old = new;
    }
    Ok(is_kept)
}

fn merge_map(node: &mut Node, parts: &ParsedMap<'_>, schema: MergeSchema) -> Result<(), LocatedError> {
    let Some(mapping) = node.as_mapping_mut() else { return Ok(()) };
    if let Some(retained) = parts.retained {
        retain(mapping, retained, parts)?;
    }
    merge_fields(
        mapping,
        &parts.fields,
        |old, field| change_field(old, field, schema.field(field.name)),
        |field| add_field(field, schema.field(field.name)),
    )?;
    let set = parts.fields.iter().filter_map(|(_, field)| field.set);
    point_at_removals(node, Some(schema), set);
    Ok(())
}

fn change_field(old: &mut Node, field: &FieldChange<'_>, schema: MergeSchema) -> Result<bool, LocatedError> {
    if let Some(removal) = field.removal {
        lists::remove_values(old, sequence(removal)?);
    }
    match field.set.map(|entry| &entry.value) {
        None => reorder(old, schema, field.order).map(|()| true),
        Some(Node { value: NodeValue::Null, .. }) => Ok(false),
        Some(change) => merge(old, change, schema, field.order),
    }
}

fn add_field(field: &FieldChange<'_>, schema: MergeSchema) -> Result<Option<(Origin, Node)>, LocatedError> {
    let Some(entry) = field.set else { return Ok(None) };
    let Some(mut node) = copy_new_value(&entry.value)?.filter(|node| node.value != NodeValue::Null) else {
        return Ok(None);
    };
    reorder(&mut node, schema, field.order)?;
    Ok(Some((entry.key_origin, node)))
}

/// Keeps only the fields that `$retainKeys` names. A patch must name the fields that it sets.
fn retain(mapping: &mut Mapping, retained: &MappingEntry, parts: &ParsedMap<'_>) -> Result<(), LocatedError> {
    let names = retained_names(retained)?;
    let is_foreign =
        |entry: &&MappingEntry| entry.value.value != NodeValue::Null && !names.contains(entry.key.as_str());
    if let Some(entry) = parts.fields.iter().filter_map(|(_, field)| field.set).find(is_foreign) {
        return Err((Error::Retained, entry.key_origin));
    }
    mapping.retain(|entry| names.contains(entry.key.as_str()));
    Ok(())
}

/// Sorts the items of a merged list into the order of `$setElementOrder`.
fn reorder(node: &mut Node, schema: MergeSchema, order: Option<&MappingEntry>) -> Result<(), LocatedError> {
    let Some(entry) = order else { return Ok(()) };
    let wanted = sequence(entry)?;
    if schema.list() == ListMerge::Replace {
        return Err((Error::NotMerged, entry.key_origin));
    }
    if let NodeValue::Sequence(items) = &mut node.value {
        *items = lists::reorder(std::mem::take(items), wanted, schema)?;
    }
    Ok(())
}

/// Copies a value of a patch without a counterpart in the object, omitting directives and null fields. Returns `None`
/// if a directive deletes it.
fn copy_new_value(node: &Node) -> Result<Option<Node>, LocatedError> {
    let value = match &node.value {
        NodeValue::Mapping(changes) => {
            let parts = ParsedMap::parse(changes)?;
            if parts.action == PatchAction::Delete {
                return Ok(None);
            }
            let mut copy = MappingBuilder::with_capacity(parts.fields.len());
            for entry in parts.fields.iter().filter_map(|(_, field)| field.set) {
                let value = copy_new_value(&entry.value)?.filter(|value| value.value != NodeValue::Null);
                if let Some(value) = value {
                    copy.set(MappingEntry { key: entry.key.clone(), key_origin: entry.key_origin, value });
                }
            }
            NodeValue::Mapping(copy.finish())
        }
        NodeValue::Sequence(items) => {
            let (action, items) = directives::list_action(items)?;
            if action == PatchAction::Delete {
                return Ok(None);
            }
            let items = items.into_iter().filter_map(|item| copy_new_value(item).transpose());
            NodeValue::Sequence(items.collect::<Result<_, _>>()?)
        }
        _ => return Ok(Some(node.clone())),
    };
    Ok(Some(Node::new(value, node.origin)))
}
