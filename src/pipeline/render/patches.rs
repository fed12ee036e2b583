//! Patches of an environment: JSON Patch (RFC 6902) and JSON Merge Patch (RFC 7386).
//!
//! A library applies them to JSON; the result is then laid over the tree, so that whatever a patch left alone keeps
//! its position and its place in the order, and what it changed points at the patch. Messages name the operation and
//! its pointer, never a value.

mod bounds;

use std::collections::HashMap;

use json_patch::{PatchErrorKind, PatchOperation};
use serde_json::Value as Json;

use super::MAX_PROBLEMS;
use crate::diagnostic::{Explain, Failure, Problem};
use crate::model::{Entry, Manifest, Mapping, Node, Origin, Target, Value};
use crate::pipeline::load::Patch;
use crate::yaml;
use bounds::{Bounds, Exceeded, Growing, MAX_ADDED};

/// Operations of one patch.
const MAX_OPERATIONS: usize = 1_000;

#[derive(Debug, thiserror::Error)]
enum Error {
    #[error("patches add more than {MAX_ADDED} bytes to the objects together, or too many values")]
    Added,
    #[error("operation {index} at `{pointer}` fails: {reason}")]
    Failed { index: usize, pointer: String, reason: &'static str },
    #[error("operation {0} is no JSON Patch operation")]
    NotAnOperation(usize),
    #[error("patch turns {0} into a list")]
    List(String),
    #[error("patch leaves no Kubernetes object: {0}")]
    NotAManifest(crate::model::NotAManifest),
    #[error("patch matches no object ({0})")]
    NoTarget(String),
    #[error("patch makes the object too large or too deep")]
    TooLarge,
    #[error("patch has more than {MAX_OPERATIONS} operations")]
    TooMany,
    #[error("patch is of type {0}; it must be a list of operations or an object")]
    Type(&'static str),
    #[error("patches do too much work: too many operations on too many or too large objects")]
    Work,
}

impl From<Exceeded> for Error {
    fn from(exceeded: Exceeded) -> Self {
        match exceeded {
            Exceeded::Added => Self::Added,
            Exceeded::Object => Self::TooLarge,
            Exceeded::Work => Self::Work,
        }
    }
}

impl Explain for Error {
    fn hint(&self) -> Option<String> {
        match self {
            Self::Failed { reason: MISSING, .. } => {
                Some("`add` makes the last part of a path only; `/` in a key is written `~1`, `~` is written `~0`".into())
            }
            Self::NotAnOperation(_) => Some(
                "an operation has `op` (add, copy, move, remove, replace, test), `path`, and `value` or `from`".into(),
            ),
            Self::Added => Some("put large texts into manifests, not into patches of many objects".into()),
            Self::List(_) => Some(
                "Argo CD takes the `items` of any object for objects of their own; write these as manifests".into(),
            ),
            Self::Work => {
                Some("give a target `kind` and `name`, or write one merge patch instead of many operations".into())
            }
            Self::NoTarget(_) => {
                Some("`group`, `kind`, `name` and `namespace` must all be those of the object; \"\" is the core group".into())
            }
            _ => None,
        }
    }
}

const MISSING: &str = "the path does not exist";

/// Applies the patches in order, each to all objects that it matches.
pub(super) fn apply(patches: &[Patch], objects: &mut [Manifest]) -> Result<(), Failure> {
    let mut problems = Vec::new();
    let mut bounds = Bounds::default();
    for patch in patches {
        if let Err(stopped) = apply_one(patch, objects, &mut bounds, &mut problems) {
            problems.push(stopped);
            break;
        }
        if problems.len() >= MAX_PROBLEMS {
            break;
        }
    }
    Failure::unless_empty(problems)
}

/// Applies one patch; an error ends all patches.
fn apply_one(
    patch: &Patch,
    objects: &mut [Manifest],
    bounds: &mut Bounds,
    problems: &mut Vec<Problem>,
) -> Result<(), Problem> {
    let change = match Change::parse(patch) {
        Ok(change) => change,
        Err(problem) => {
            problems.push(problem);
            return Ok(());
        }
    };
    bounds.compare(objects.len()).map_err(|exceeded| Problem::at(patch.origin, &Error::from(exceeded)))?;
    let mut matched = false;
    for object in objects.iter_mut().filter(|object| matches(&patch.target, object)) {
        matched = true;
        match change.apply(object, bounds).and_then(|root| patched(root, patch, object)) {
            Ok(patched) => *object = patched,
            Err(Stop::Here(problem)) if problems.len() < MAX_PROBLEMS => problems.push(problem),
            Err(Stop::Here(problem) | Stop::All(problem)) => return Err(problem),
        }
    }
    if !matched {
        problems.push(Problem::at(patch.origin, &Error::NoTarget(described(&patch.target))));
    }
    Ok(())
}

/// How much a problem stops.
enum Stop {
    /// The patch of one object.
    Here(Problem),
    /// All patches: what they may take together is used up.
    All(Problem),
}

impl Stop {
    fn at(origin: Origin, error: &Error) -> Self {
        let problem = Problem::at(origin, error);
        match error {
            Error::Added | Error::Work => Self::All(problem),
            _ => Self::Here(problem),
        }
    }
}

/// What a patch made of an object, which must be one object still.
fn patched(root: Node, patch: &Patch, before: &Manifest) -> Result<Manifest, Stop> {
    let at = patch.change.origin;
    if yaml::is_list(&root) {
        return Err(Stop::at(at, &Error::List(before.id().to_string())));
    }
    Manifest::new(root).map_err(|(error, _)| Stop::at(at, &Error::NotAManifest(error)))
}

fn matches(target: &Target, object: &Manifest) -> bool {
    let fits = |wanted: &Option<String>, have: &str| wanted.as_deref().is_none_or(|wanted| wanted == have);
    fits(&target.group, object.group())
        && fits(&target.kind, object.kind())
        && fits(&target.name, object.name())
        && fits(&target.namespace, object.namespace())
}

fn described(target: &Target) -> String {
    let parts = [
        ("group", &target.group),
        ("kind", &target.kind),
        ("name", &target.name),
        ("namespace", &target.namespace),
    ];
    let given: Vec<String> = parts
        .iter()
        .filter_map(|(name, value)| value.as_ref().map(|value| format!("{name} `{value}`")))
        .collect();
    given.join(", ")
}

/// A patch that was understood.
enum Change<'p> {
    Merge { patch: Json, change: &'p Node },
    Operations(Vec<(PatchOperation, &'p Node)>),
}

impl<'p> Change<'p> {
    fn parse(patch: &'p Patch) -> Result<Self, Problem> {
        let change = &patch.change;
        match &change.value {
            Value::Mapping(_) => Ok(Self::Merge { patch: change.to_json(), change }),
            Value::Sequence(items) if items.len() > MAX_OPERATIONS => {
                Err(Problem::at(change.shown_at(), &Error::TooMany))
            }
            Value::Sequence(items) => items
                .iter()
                .enumerate()
                .map(|(index, item)| {
                    serde_json::from_value(item.to_json())
                        .map(|operation| (operation, item))
                        .map_err(|_| Problem::at(item.shown_at(), &Error::NotAnOperation(index)))
                })
                .collect::<Result<_, _>>()
                .map(Self::Operations),
            _ => Err(Problem::at(change.shown_at(), &Error::Type(change.type_name()))),
        }
    }

    fn apply(&self, object: &Manifest, bounds: &mut Bounds) -> Result<Node, Stop> {
        let mut json = object.root().to_json();
        match self {
            Self::Merge { patch, change } => {
                bounds::before_merge(&json, patch, bounds)
                    .map_err(|exceeded| Stop::at(change.shown_at(), &exceeded.into()))?;
                json_patch::merge(&mut json, patch);
                let mut root = laid_over(object.root().clone(), &json, change.origin);
                place(&mut root, change, change.origin);
                Ok(root)
            }
            Self::Operations(operations) => {
                let mut root = object.root().clone();
                let mut growing = Growing::new(&json, bounds)
                    .map_err(|exceeded| Stop::at(object.origin(), &exceeded.into()))?;
                for (index, (operation, item)) in operations.iter().enumerate() {
                    let stop = |error: &Error| Stop::at(item.shown_at(), error);
                    growing.before(&json, operation, bounds).map_err(|exceeded| stop(&exceeded.into()))?;
                    step(&mut json, index, operation).map_err(|error| stop(&error))?;
                    changed_at(&mut root, &json, operation, item.origin, bounds)
                        .map_err(|exceeded| stop(&exceeded.into()))?;
                    if let (Some(value), Some(given)) = (target(&mut root, operation), item.get("value")) {
                        place(value, given, item.origin);
                    }
                }
                Ok(root)
            }
        }
    }
}

/// Lays what an operation changed over the tree: the collection that holds the place it names, and nothing around it.
fn changed_at(
    root: &mut Node,
    json: &Json,
    operation: &PatchOperation,
    changed: Origin,
    bounds: &mut Bounds,
) -> Result<(), Exceeded> {
    let parent = |path: &json_patch::jsonptr::Pointer| -> Vec<String> {
        let path = path.parent().unwrap_or_default();
        path.tokens().map(|step| step.decoded().into_owned()).collect()
    };
    let steps = match operation {
        PatchOperation::Test(_) => return Ok(()),
        // Both places change, and positions between them in a list.
        PatchOperation::Move(moved) => {
            let (from, to) = (parent(&moved.from), parent(&moved.path));
            from.into_iter().zip(to).take_while(|(from, to)| from == to).map(|(from, _)| from).collect()
        }
        operation => parent(operation.path()),
    };
    let (mut node, mut value) = (root, json);
    for step in &steps {
        let (Some(inner), Some(inside)) = (inner(&mut node.value, step), inside(value, step)) else {
            // Nothing is there: the operation has failed.
            return Ok(());
        };
        (node, value) = (inner, inside);
    }
    bounds.look_at(value)?;
    let old = std::mem::replace(node, Node::new(Value::Null, node.origin));
    *node = laid_over(old, value, changed);
    Ok(())
}

fn inner<'n>(value: &'n mut Value, step: &str) -> Option<&'n mut Node> {
    match value {
        Value::Mapping(mapping) => mapping.get_mut(step),
        Value::Sequence(items) => items.get_mut(step.parse::<usize>().ok()?),
        _ => None,
    }
}

fn inside<'j>(value: &'j Json, step: &str) -> Option<&'j Json> {
    match value {
        Json::Object(fields) => fields.get(step),
        Json::Array(items) => items.get(step.parse::<usize>().ok()?),
        _ => None,
    }
}

/// What an operation put there that gives a value of its own.
fn target<'n>(root: &'n mut Node, operation: &PatchOperation) -> Option<&'n mut Node> {
    let (PatchOperation::Add(json_patch::AddOperation { path, .. })
    | PatchOperation::Replace(json_patch::ReplaceOperation { path, .. })) = operation
    else {
        return None;
    };
    path.tokens().try_fold(root, |node, step| {
        let step = step.decoded();
        match &mut node.value {
            Value::Mapping(mapping) => mapping.get_mut(&step),
            Value::Sequence(items) => {
                let last = items.len().checked_sub(1)?;
                items.get_mut(if step == "-" { last } else { step.parse().ok()? })
            }
            _ => None,
        }
    })
}

/// One operation at a time: so the bounds hold after each, and each change knows its operation.
fn step(json: &mut Json, index: usize, operation: &PatchOperation) -> Result<(), Error> {
    json_patch::patch_unsafe(json, std::slice::from_ref(operation)).map_err(|error| Error::Failed {
        index,
        pointer: operation.path().to_string(),
        reason: match error.kind {
            PatchErrorKind::TestFailed => "the value is another one",
            PatchErrorKind::InvalidFromPointer => "the path in `from` does not exist",
            PatchErrorKind::InvalidPointer => MISSING,
            PatchErrorKind::CannotMoveInsideItself => "a value cannot move into itself",
            _ => "it cannot be applied",
        },
    })
}

/// Gives what a patch put there the positions that it has in the patch. As deep as the patch is.
fn place(node: &mut Node, patch: &Node, changed: Origin) {
    if node.origin == changed {
        node.origin = patch.origin;
    }
    match (&mut node.value, &patch.value) {
        (Value::Mapping(mapping), Value::Mapping(patch)) => {
            let given: HashMap<&str, &Entry> =
                patch.entries().iter().map(|entry| (entry.key.as_str(), entry)).collect();
            for entry in mapping.entries_mut() {
                let Some(from) = given.get(entry.key.as_str()) else { continue };
                if entry.key_origin == changed {
                    entry.key_origin = from.key_origin;
                }
                place(&mut entry.value, &from.value, changed);
            }
        }
        (Value::Sequence(items), Value::Sequence(patch)) => {
            items.iter_mut().zip(patch).for_each(|(item, from)| place(item, from, changed));
        }
        _ => {}
    }
}

/// The tree of `new`, with the positions of `old` wherever the two are alike.
fn laid_over(old: Node, new: &Json, changed: Origin) -> Node {
    let origin = old.origin;
    match (old.value, new) {
        (Value::Mapping(mapping), Json::Object(fields)) => {
            Node::new(Value::Mapping(mapping_over(mapping, fields, changed)), origin)
        }
        (Value::Sequence(items), Json::Array(new)) => {
            Node::new(Value::Sequence(items_over(items, new, changed)), origin)
        }
        (value, new) => {
            let old = Node::new(value, origin);
            if old.to_json() == *new { old } else { Node::from_json(new, changed) }
        }
    }
}

/// Keys keep the order of the object; new ones follow.
fn mapping_over(old: Mapping, new: &serde_json::Map<String, Json>, changed: Origin) -> Mapping {
    let mut merged = Mapping::with_capacity(new.len());
    for Entry { key, key_origin, value } in old.into_entries() {
        if let Some(field) = new.get(key.as_str()) {
            merged.push_new(Entry { key, key_origin, value: laid_over(value, field, changed) });
        }
    }
    let known: std::collections::BTreeSet<String> =
        merged.entries().iter().map(|entry| entry.key.to_string()).collect();
    for (key, field) in new.iter().filter(|(key, _)| !known.contains(*key)) {
        let value = Node::from_json(field, changed);
        merged.push_new(Entry { key: key.into(), key_origin: changed, value });
    }
    merged
}

/// Items at both ends that are alike keep their positions; between them, item goes with item.
fn items_over(old: Vec<Node>, new: &[Json], changed: Origin) -> Vec<Node> {
    let alike = |(old, new): &(&Node, &Json)| old.to_json() == **new;
    let head = old.iter().zip(new).take_while(alike).count();
    let shorter = old.len().min(new.len()).saturating_sub(head);
    let tail = old.iter().rev().zip(new.iter().rev()).take(shorter).take_while(alike).count();
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
            Some(old) => laid_over(old, item, changed),
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
    use crate::model::Sources;

    fn origins() -> (Origin, Origin) {
        let mut sources = Sources::default();
        (Origin::point(sources.add("old"), 1, 1), Origin::point(sources.add("patch"), 7, 1))
    }

    #[test]
    fn what_a_patch_leaves_alone_keeps_its_place() {
        let (old, changed) = origins();
        let before = json!({"b": 1, "a": [{"n": 1}, {"n": 2}, {"n": 3}], "c": "x"});
        let after = json!({"a": [{"n": 1}, {"n": 9}, {"n": 2}, {"n": 3}], "c": "y", "b": 1, "d": null});
        let tree = laid_over(Node::from_json(&before, old), &after, changed);
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
    fn only_what_an_operation_changes_is_looked_at() {
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
            step(&mut json, 0, &operation).unwrap();
            let mut bounds = Bounds::default();
            let mut tree = Node::from_json(&before, old);
            changed_at(&mut tree, &json, &operation, changed, &mut bounds).unwrap();
            assert_eq!(tree.to_json(), json, "{text}");
            let whole = laid_over(Node::from_json(&before, old), &json, changed);
            assert_eq!(origins_of(&tree), origins_of(&whole), "{text}");
            assert!(bounds.used() <= allowed, "{text}: {}", bounds.used());
        }
    }

    fn origins_of(node: &Node) -> Vec<Origin> {
        let inner: Vec<Origin> = match &node.value {
            Value::Mapping(mapping) => mapping
                .entries()
                .iter()
                .flat_map(|entry| [vec![entry.key_origin], origins_of(&entry.value)].concat())
                .collect(),
            Value::Sequence(items) => items.iter().flat_map(origins_of).collect(),
            _ => Vec::new(),
        };
        [vec![node.origin], inner].concat()
    }
}
