//! JSON Patch (RFC 6902): a list of operations.
//!
//! A library applies each operation to the object as JSON. The result is then merged into the tree: unchanged parts
//! keep their position and their order, and values from the patch get their position in the patch. Messages never quote
//! a value.

use json_patch::{PatchErrorKind, PatchOperation};
use serde_json::Value as Json;

use super::bounds::{MAX_OPERATIONS, ObjectGrowth, PatchBudget, PatchLimit};
use super::error::{Error, MISSING};
use super::merge_schema::merge_schema_of;
use super::stop::PatchStop;
use sealwave_core::diagnostic::Problem;
use sealwave_core::document::{Manifest, Mapping, MappingBuilder, MappingEntry, Node, NodeValue, Origin};
use sealwave_kube::schema::MergeSchema;

/// Parses the operations of a patch.
pub(crate) fn parse(patch: &Node) -> Result<Vec<(PatchOperation, &Node)>, Problem> {
    let items = patch.items();
    if items.len() > MAX_OPERATIONS {
        return Err(Problem::at(patch.display_origin(), &Error::TooMany));
    }
    let parse_operation = |(index, item): (usize, _)| {
        let item: &Node = item;
        serde_json::from_value(item.to_json())
            .map(|operation| (operation, item))
            .map_err(|_| Problem::at(item.display_origin(), &Error::NotAnOperation(index)))
    };
    items.iter().enumerate().map(parse_operation).collect()
}

/// Applies the operations of a patch to an object, and returns the changed tree.
pub(super) fn apply(
    operations: &[(PatchOperation, &Node)],
    object: &Manifest,
    bounds: &mut PatchBudget,
) -> Result<Node, PatchStop> {
    let mut json = object.root().to_json();
    let mut root = object.root().clone();
    let schema = merge_schema_of(object);
    let mut growing = ObjectGrowth::new(&json, bounds)
        .map_err(|exceeded| PatchStop::at(object.origin(), &exceeded.into()))?;
    for (index, (operation, item)) in operations.iter().enumerate() {
        let stop = |error: &Error| PatchStop::at(item.display_origin(), error);
        growing.reserve(&json, operation, bounds).map_err(|exceeded| stop(&exceeded.into()))?;
        apply_operation(&mut json, index, operation).map_err(|error| stop(&error))?;
        update_tree(&mut root, &json, operation, item.origin, bounds)
            .map_err(|exceeded| stop(&exceeded.into()))?;
        if let (Some(value), Some(given)) = (target_node(&mut root, operation), item.get("value")) {
            *value = given.clone();
        }
        if let PatchOperation::Remove(removed) = operation {
            mark_removed(&mut root, &removed.path, schema, item.origin);
        }
    }
    Ok(root)
}

/// Points an object at the operation that removed a required field, since nothing else shows the removal.
fn mark_removed(
    root: &mut Node,
    path: &json_patch::jsonptr::Pointer,
    schema: Option<MergeSchema>,
    removed: Origin,
) {
    let (Some(mut schema), Some((parent, last))) = (schema, path.split_back()) else { return };
    let mut node = root;
    for step in parent.tokens() {
        let step = step.decoded();
        schema =
            if matches!(node.value, NodeValue::Sequence(_)) { schema.item() } else { schema.field(&step) };
        let Some(child) = child_node(&mut node.value, &step) else { return };
        node = child;
    }
    if !parent.is_root() && schema.requires(&last.decoded()) {
        node.origin = removed;
    }
}

/// Merges the change of an operation into the tree, replacing only the collection that holds the changed place.
fn update_tree(
    root: &mut Node,
    json: &Json,
    operation: &PatchOperation,
    changed: Origin,
    bounds: &mut PatchBudget,
) -> Result<(), PatchLimit> {
    let parent_of = |path: &json_patch::jsonptr::Pointer| -> Vec<String> {
        let path = path.parent().unwrap_or_default();
        path.tokens().map(|step| step.decoded().into_owned()).collect()
    };
    let steps = match operation {
        PatchOperation::Test(_) => return Ok(()),
        // Both places change, and in a list the positions between them.
        PatchOperation::Move(moved) => {
            let (from, to) = (parent_of(&moved.from), parent_of(&moved.path));
            from.into_iter().zip(to).take_while(|(from, to)| from == to).map(|(from, _)| from).collect()
        }
        operation => parent_of(operation.path()),
    };
    let (mut node, mut value) = (root, json);
    for step in &steps {
        let (Some(child), Some(child_json)) = (child_node(&mut node.value, step), child_value(value, step))
        else {
            // The place does not exist, so the operation has failed.
            return Ok(());
        };
        (node, value) = (child, child_json);
    }
    bounds.measure(value)?;
    let old = std::mem::replace(node, Node::new(NodeValue::Null, node.origin));
    *node = merge_origins(old, value, changed);
    Ok(())
}

fn child_node<'n>(value: &'n mut NodeValue, step: &str) -> Option<&'n mut Node> {
    match value {
        NodeValue::Mapping(mapping) => mapping.get_mut(step),
        NodeValue::Sequence(items) => items.get_mut(step.parse::<usize>().ok()?),
        _ => None,
    }
}

fn child_value<'j>(value: &'j Json, step: &str) -> Option<&'j Json> {
    match value {
        Json::Object(fields) => fields.get(step),
        Json::Array(items) => items.get(step.parse::<usize>().ok()?),
        _ => None,
    }
}

/// Returns the node that an operation with a value has set.
fn target_node<'n>(root: &'n mut Node, operation: &PatchOperation) -> Option<&'n mut Node> {
    let (PatchOperation::Add(json_patch::AddOperation { path, .. })
    | PatchOperation::Replace(json_patch::ReplaceOperation { path, .. })) = operation
    else {
        return None;
    };
    path.tokens().try_fold(root, |node, step| {
        let step = step.decoded();
        match &mut node.value {
            NodeValue::Mapping(mapping) => mapping.get_mut(&step),
            NodeValue::Sequence(items) => {
                let last = items.len().checked_sub(1)?;
                items.get_mut(if step == "-" { last } else { step.parse().ok()? })
            }
            _ => None,
        }
    })
}

/// Applies a single operation, so that the limits hold after each, and each change is attributed to its operation.
fn apply_operation(json: &mut Json, index: usize, operation: &PatchOperation) -> Result<(), Error> {
    json_patch::patch_unsafe(json, std::slice::from_ref(operation)).map_err(|error| Error::Failed {
        index,
        pointer: operation.path().to_string(),
        reason: match error.kind {
            PatchErrorKind::TestFailed => "the value is different",
            PatchErrorKind::InvalidFromPointer => "the path in `from` does not exist",
            PatchErrorKind::InvalidPointer => MISSING,
            PatchErrorKind::CannotMoveInsideItself => "a value cannot move into itself",
            _ => "the operation cannot be applied",
        },
    })
}

/// Builds the tree of `new`, keeping the positions of `old` where both are equal.
fn merge_origins(old: Node, new: &Json, changed: Origin) -> Node {
    let origin = old.origin;
    match (old.value, new) {
        (NodeValue::Mapping(mapping), Json::Object(fields)) => {
            Node::new(NodeValue::Mapping(merge_mapping_origins(mapping, fields, changed)), origin)
        }
        (NodeValue::Sequence(items), Json::Array(new)) => {
            Node::new(NodeValue::Sequence(merge_item_origins(items, new, changed)), origin)
        }
        (value, new) => {
            let old = Node::new(value, origin);
            if old.to_json() == *new { old } else { Node::from_json(new, changed) }
        }
    }
}

/// Merges mappings: keys keep the order of the object, and new ones follow.
fn merge_mapping_origins(old: Mapping, new: &serde_json::Map<String, Json>, changed: Origin) -> Mapping {
    let mut merged = MappingBuilder::with_capacity(new.len());
    for MappingEntry { key, key_origin, value } in old.into_entries() {
        if let Some(field) = new.get(key.as_str()) {
            merged.set(MappingEntry { key, key_origin, value: merge_origins(value, field, changed) });
        }
    }
    for (key, field) in new {
        if merged.entry(key).is_none() {
            let value = Node::from_json(field, changed);
            merged.set(MappingEntry { key: key.into(), key_origin: changed, value });
        }
    }
    merged.finish()
}

/// Merges lists: equal items at both ends keep their positions, and items between them are paired in order.
fn merge_item_origins(old: Vec<Node>, new: &[Json], changed: Origin) -> Vec<Node> {
    let is_equal = |(old, new): &(&Node, &Json)| old.to_json() == **new;
    let head = old.iter().zip(new).take_while(is_equal).count();
    let shorter = old.len().min(new.len()).saturating_sub(head);
    let tail = old.iter().rev().zip(new.iter().rev()).take(shorter).take_while(is_equal).count();
    let kept_after = new.len().saturating_sub(tail);
    let old_after = old.len().saturating_sub(tail);
    let same_length = old.len() == new.len();
    let mut olds = old.into_iter().enumerate();
    let mut merged: Vec<Node> = olds.by_ref().take(head).map(|(_, item)| item).collect();
    let mut middle: Vec<Option<Node>> = Vec::new();
    let mut end = Vec::new();
    for (index, item) in olds {
        if index < old_after { middle.push(Some(item)) } else { end.push(item) }
    }
    for (index, item) in new.iter().enumerate().take(kept_after).skip(head) {
        let partner =
            middle.get_mut(index.saturating_sub(head)).filter(|_| same_length).and_then(Option::take);
        merged.push(match partner {
            Some(old) => merge_origins(old, item, changed),
            None => Node::from_json(item, changed),
        });
    }
    merged.append(&mut end);
    merged
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use sealwave_core::document::Sources;

    fn origins() -> (Origin, Origin) {
        let mut sources = Sources::default();
        (Origin::point(sources.add("old"), 1, 1), Origin::point(sources.add("patch"), 7, 1))
    }

    #[test]
    fn unchanged_parts_keep_their_positions() {
        let (old, changed) = origins();
        let before = json!({"b": 1, "a": [{"n": 1}, {"n": 2}, {"n": 3}], "c": "x"});
        let after = json!({"a": [{"n": 1}, {"n": 9}, {"n": 2}, {"n": 3}], "c": "y", "b": 1, "d": null});
        let tree = merge_origins(Node::from_json(&before, old), &after, changed);
        assert_eq!(tree.to_json(), after);
        let keys: Vec<_> =
            tree.as_mapping().unwrap().entries().iter().map(|entry| entry.key.as_str()).collect();
        assert_eq!(keys, ["b", "a", "c", "d"]);
        let places: Vec<_> =
            tree.get("a").unwrap().items().iter().map(|item| item.origin == changed).collect();
        assert_eq!(places, [false, true, false, false]);
        assert_eq!(tree.get("c").unwrap().origin, changed);
        assert_eq!(tree.get("b").unwrap().origin, old);
    }

    #[test]
    fn only_the_changed_collection_is_visited() {
        let (old, changed) = origins();
        let wide: Json = (0..1000)
            .map(|index| (format!("k{index}"), json!([index])))
            .collect::<serde_json::Map<_, _>>()
            .into();
        let before = json!({"data": wide, "list": [[1], [2], [3], {"a": 1}], "x": {}});
        for (operation, allowed) in [
            (json!({"op": "add", "path": "/x/y", "value": 1}), 4),
            (json!({"op": "move", "from": "/list/0", "path": "/list/2"}), 12),
            (json!({"op": "move", "from": "/list/0", "path": "/list/2/b"}), 12),
            (json!({"op": "remove", "path": "/list/3/a"}), 2),
            (json!({"op": "copy", "from": "/data/k1", "path": "/x/k1"}), 5),
            (json!({"op": "test", "path": "/x", "value": {}}), 0),
        ] {
            let text = operation.to_string();
            let operation: PatchOperation = serde_json::from_value(operation).unwrap();
            let mut json = before.clone();
            apply_operation(&mut json, 0, &operation).unwrap();
            let mut bounds = PatchBudget::default();
            let mut tree = Node::from_json(&before, old);
            update_tree(&mut tree, &json, &operation, changed, &mut bounds).unwrap();
            assert_eq!(tree.to_json(), json, "{text}");
            let whole = merge_origins(Node::from_json(&before, old), &json, changed);
            assert_eq!(origins_of(&tree), origins_of(&whole), "{text}");
            assert!(bounds.used() <= allowed, "{text}: {}", bounds.used());
        }
    }

    fn origins_of(node: &Node) -> Vec<Origin> {
        let inner: Vec<Origin> = match &node.value {
            NodeValue::Mapping(mapping) => mapping
                .entries()
                .iter()
                .flat_map(|entry| [vec![entry.key_origin], origins_of(&entry.value)].concat())
                .collect(),
            NodeValue::Sequence(items) => items.iter().flat_map(origins_of).collect(),
            _ => Vec::new(),
        };
        [vec![node.origin], inner].concat()
    }
}
