//! Custom resources as the API server validates them: with defaults, and without nulls that the schema does not allow.
//! Both happen before `allOf`, `anyOf`, `oneOf`, `not` and the number of fields are checked.
//!
//! The object itself is not changed, so that every value keeps its position.

use std::collections::{HashMap, HashSet};

use super::node::{ExtraFields, NodeId};
use super::schemas::Schemas;
use sealwave_core::document::{ByAddress, Mapping, Node, NodeValue};

/// Maximum depth of an object and its defaults.
const MAX_DEPTH: usize = 150;
/// Maximum number of values that are visited.
const MAX_STEPS: u64 = 5_000_000;

/// The effect of defaulting on a field.
#[derive(Clone, Copy, Debug)]
pub(super) enum ServerChange<'a> {
    /// A null that is dropped.
    Dropped,
    /// The default of a field that is absent, or whose null is dropped.
    Filled(&'a Node),
}

/// The changes that the API server makes to an object, by mapping.
#[derive(Debug, Default)]
pub(super) struct ServerChanges<'a> {
    /// The changes of each mapping by field name, in the order of the schema's fields.
    by_mapping: HashMap<ByAddress<'a, Mapping>, Vec<(&'a str, ServerChange<'a>)>>,
    /// Defaults that were visited.
    seen: HashSet<ByAddress<'a, Node>>,
    /// The number of values visited.
    pub(super) steps: u64,
}

impl<'a> ServerChanges<'a> {
    /// Determines the changes to an object of a schema.
    pub(super) fn new(schemas: &'a Schemas, root: NodeId, object: &'a Node) -> Self {
        let mut effects = Self::default();
        effects.visit(schemas, root, object, 0);
        effects
    }

    /// Returns the changes in a mapping.
    pub(crate) fn in_mapping<'s>(&'s self, mapping: &'s Mapping) -> &'s [(&'a str, ServerChange<'a>)] {
        self.by_mapping.get(&ByAddress(mapping)).map_or(&[], Vec::as_slice)
    }

    /// Returns the number of fields of a mapping after all changes.
    pub(super) fn len(&self, mapping: &Mapping) -> usize {
        self.in_mapping(mapping).iter().fold(mapping.len(), |length, (name, effect)| match effect {
            ServerChange::Dropped => length - 1,
            ServerChange::Filled(_) => length + usize::from(mapping.get(name).is_none()),
        })
    }

    fn visit(&mut self, schemas: &'a Schemas, id: NodeId, node: &'a Node, depth: usize) {
        self.steps += 1;
        if depth > MAX_DEPTH || self.steps > MAX_STEPS || !id.is_custom() {
            return;
        }
        match &node.value {
            NodeValue::Mapping(mapping) => self.mapping(schemas, id, mapping, depth),
            NodeValue::Sequence(items) => {
                if let Some(id) = schemas.node(id).items {
                    for item in items {
                        self.visit(schemas, id, item, depth + 1);
                    }
                }
            }
            _ => {}
        }
    }

    fn mapping(&mut self, schemas: &'a Schemas, id: NodeId, mapping: &'a Mapping, depth: usize) {
        let schema = schemas.node(id);
        let mut changes = Vec::new();
        for field in schema.fields.iter().filter(|field| field.has_default) {
            self.steps += 1 + mapping.len() as u64;
            if self.steps > MAX_STEPS {
                return;
            }
            let is_absent =
                mapping.get(field.name()).is_none_or(|value| is_null(value) && field.null_is_absent);
            let default = schemas.node(field.id).default.as_deref();
            if let Some(default) = default.filter(|_| is_absent) {
                changes.push((field.name(), ServerChange::Filled(default)));
                if self.seen.insert(ByAddress(default)) {
                    self.visit(schemas, field.id, default, depth + 1);
                }
            }
        }
        for entry in mapping.entries() {
            let (id, drops_null) = match (schema.fields.find(&entry.key), schema.rest) {
                (Some(field), _) => (field.id, field.null_is_absent && !field.has_default),
                (None, ExtraFields::Like(id)) => (id, !schemas.node(id).nullable),
                (None, ExtraFields::Closed | ExtraFields::Free) => continue,
            };
            if is_null(&entry.value) && drops_null {
                changes.push((entry.key.as_str(), ServerChange::Dropped));
            } else {
                self.visit(schemas, id, &entry.value, depth + 1);
            }
        }
        if !changes.is_empty() {
            self.by_mapping.insert(ByAddress(mapping), changes);
        }
    }
}

const fn is_null(node: &Node) -> bool {
    matches!(node.value, NodeValue::Null)
}
