//! Strategic merge patches: maps are merged, and lists are merged by the merge keys of Kubernetes' schemas.
//!
//! The rules are those of the API server, with three differences where Kustomize does what authors mean: `$patch:
//! delete` in a map removes the field instead of leaving `{}`; an item with `$patch: replace` and other fields replaces
//! that item and not the whole list; if several items share a merge key (port 53 of TCP and of UDP), all keys of the
//! list identify the item. Every value of a patch keeps its position in the patch, and the work is linear.

mod directives;
mod lists;

use super::error::Error;
use super::merge::{merge_fields, point_at_removals};
pub(super) use directives::{Action, action_of, directive_name};
use directives::{FieldChange, Parts, names, sequence};
use sealwave_core::document::{Entry, Mapping, Node, Origin, Value};
use sealwave_kube::schema::{ListMerge, MergeSchema};

/// An error of a patch, with its place in the patch.
pub type Located = (Error, Origin);

/// Merges a patch into an object of a kind with a schema.
///
/// # Errors
/// Malformed directives, and items that do not identify an item of the object.
pub(super) fn apply(object: &mut Node, patch: &Node, schema: MergeSchema) -> Result<(), Located> {
    let origin = object.origin;
    // A patch that deletes the object is handled by the caller.
    let _is_kept = merge(object, patch, schema, None)?;
    object.origin = origin;
    Ok(())
}

/// Merges a value of a patch into a value of the object. Returns whether to keep the field.
fn merge(old: &mut Node, change: &Node, schema: MergeSchema, order: Option<&Entry>) -> Result<bool, Located> {
    match (&mut old.value, &change.value) {
        (Value::Mapping(_), Value::Mapping(changes)) => {
            let parts = Parts::of(changes)?;
            if parts.action == Action::Merge && !schema.replaces_map() {
                return merge_map(old, &parts, schema).map(|()| true);
            }
            replace(old, change)
        }
        (Value::Sequence(items), Value::Sequence(changes)) if schema.list() != ListMerge::Replace => {
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

fn replace(old: &mut Node, change: &Node) -> Result<bool, Located> {
    let new = added(change)?;
    let is_kept = new.is_some();
    if let Some(new) = new {
        *old = new;
    }
    Ok(is_kept)
}

fn merge_map(node: &mut Node, parts: &Parts<'_>, schema: MergeSchema) -> Result<(), Located> {
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

fn change_field(old: &mut Node, field: &FieldChange<'_>, schema: MergeSchema) -> Result<bool, Located> {
    if let Some(removal) = field.removal {
        lists::remove_values(old, sequence(removal)?);
    }
    match field.set.map(|entry| &entry.value) {
        None => reorder(old, schema, field.order).map(|()| true),
        Some(Node { value: Value::Null, .. }) => Ok(false),
        Some(change) => merge(old, change, schema, field.order),
    }
}

fn add_field(field: &FieldChange<'_>, schema: MergeSchema) -> Result<Option<(Origin, Node)>, Located> {
    let Some(entry) = field.set else { return Ok(None) };
    let Some(mut node) = added(&entry.value)?.filter(|node| node.value != Value::Null) else {
        return Ok(None);
    };
    reorder(&mut node, schema, field.order)?;
    Ok(Some((entry.key_origin, node)))
}

/// Keeps only the fields that `$retainKeys` names. A patch must name the fields that it sets.
fn retain(mapping: &mut Mapping, retained: &Entry, parts: &Parts<'_>) -> Result<(), Located> {
    let names = names(retained)?;
    let is_foreign = |entry: &&Entry| entry.value.value != Value::Null && !names.contains(entry.key.as_str());
    if let Some(entry) = parts.fields.iter().filter_map(|(_, field)| field.set).find(is_foreign) {
        return Err((Error::Retained, entry.key_origin));
    }
    mapping.retain(|entry| names.contains(entry.key.as_str()));
    Ok(())
}

/// Sorts the items of a merged list into the order of `$setElementOrder`.
fn reorder(node: &mut Node, schema: MergeSchema, order: Option<&Entry>) -> Result<(), Located> {
    let Some(entry) = order else { return Ok(()) };
    let wanted = sequence(entry)?;
    if schema.list() == ListMerge::Replace {
        return Err((Error::NotMerged, entry.key_origin));
    }
    if let Value::Sequence(items) = &mut node.value {
        *items = lists::reorder(std::mem::take(items), wanted, schema)?;
    }
    Ok(())
}

/// Copies a value of a patch without a counterpart in the object, omitting directives and null fields. Returns `None`
/// if a directive deletes it.
fn added(node: &Node) -> Result<Option<Node>, Located> {
    let value = match &node.value {
        Value::Mapping(changes) => {
            let parts = Parts::of(changes)?;
            if parts.action == Action::Delete {
                return Ok(None);
            }
            let mut copy = Mapping::with_capacity(parts.fields.len());
            for entry in parts.fields.iter().filter_map(|(_, field)| field.set) {
                let value = added(&entry.value)?.filter(|value| value.value != Value::Null);
                if let Some(value) = value {
                    copy.push_new(Entry { key: entry.key.clone(), key_origin: entry.key_origin, value });
                }
            }
            Value::Mapping(copy)
        }
        Value::Sequence(items) => {
            let (action, items) = directives::list_action(items)?;
            if action == Action::Delete {
                return Ok(None);
            }
            let items = items.into_iter().filter_map(|item| added(item).transpose());
            Value::Sequence(items.collect::<Result<_, _>>()?)
        }
        _ => return Ok(Some(node.clone())),
    };
    Ok(Some(Node::new(value, node.origin)))
}
