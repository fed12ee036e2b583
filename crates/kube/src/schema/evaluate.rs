//! The walk that evaluates the rules of a schema: it turns an object into values, as its schema types them, and hands
//! each value to the rules that stand there.
//!
//! As in the API server, defaults are filled in first, what a schema does not know is invisible, and rules about changes
//! do not apply. What cannot be known (a default that nobody read, the name that a server will make up) is an unknown
//! value, and a rule that depends on it is not evaluated.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;

use super::Schemas;
use super::node::{Field, Format, Id, Kind, Rest, SchemaNode, Topology, float, integer};
use super::path::Path;
use super::validations::{RESERVED, Validation, escaped};
use super::violation::{Violation, ViolationKind};
use super::walk::MAX_VIOLATIONS;
use crate::cel::{self, Budget, List, MapKind, Stop, Value};
use sealwave_core::document;
use sealwave_core::document::{Mapping, Node, Origin};

/// Values of one object, defaults included.
const MAX_VALUES: usize = 200_000;
/// Levels of an object.
const MAX_DEPTH: usize = 150;

/// An evaluation of all rules of one object.
pub(super) struct Evaluator<'a, 'r> {
    pub(super) schemas: &'a Schemas,
    pub(super) budget: &'r mut Budget,
    pub(super) found: Vec<Violation<'a>>,
    /// Rules without a result, by their node and their number.
    pub(super) unevaluated: BTreeSet<(u32, usize)>,
    pub(super) values: usize,
}

/// Where a value stands: in a default, at the value that it is filled into.
#[derive(Clone, Copy)]
struct Place<'p> {
    path: &'p Path<'p>,
    origin: Origin,
    is_default: bool,
    depth: usize,
}

impl<'p> Place<'p> {
    fn of(node: &Node, path: &'p Path<'p>, parent: Place<'_>) -> Self {
        let origin = if parent.is_default { parent.origin } else { node.origin };
        Self { path, origin, is_default: parent.is_default, depth: parent.depth + 1 }
    }
}

impl<'a> Evaluator<'a, '_> {
    pub(super) fn object(&mut self, root: Id, object: &'a Node) {
        let place = Place { path: &Path::ROOT, origin: object.origin, is_default: false, depth: 0 };
        self.value(root, object, place);
    }

    /// Converts a value, and evaluates the rules that stand at it and below it.
    fn value(&mut self, id: Id, node: &'a Node, place: Place<'_>) -> Value {
        self.values += 1;
        if self.values > MAX_VALUES || place.depth > MAX_DEPTH {
            return Value::Unknown;
        }
        let schema = self.schemas.node(id);
        let value = match (&node.value, schema.kind) {
            (document::Value::Null, _) => return if schema.nullable { Value::Null } else { Value::Opaque },
            (document::Value::Bool(flag), Kind::Boolean) => Value::Bool(*flag),
            (document::Value::Number(number), Kind::Number) => Value::Double(float(*number)),
            (document::Value::Number(number), Kind::Integer | Kind::IntOrString) => integer(*number)
                .and_then(|number| i64::try_from(number).ok())
                .map_or(Value::Opaque, Value::Int),
            (document::Value::String(text), Kind::IntOrString) => Value::text(text.as_str()),
            (document::Value::String(text), Kind::String) => formatted(text, schema.format),
            (document::Value::Sequence(items), Kind::Array) => self.list(schema, items, place),
            (document::Value::Mapping(mapping), Kind::Object) => self.mapping(schema, mapping, place),
            _ => Value::Opaque,
        };
        let rules = schema.rules.as_ref().map_or(&[][..], |rules| &rules.validations);
        for (number, rule) in rules.iter().enumerate() {
            self.rule(id, number, rule, &value, node, place);
        }
        value
    }

    fn list(&mut self, schema: &'a SchemaNode, items: &'a [Node], place: Place<'_>) -> Value {
        let Some(id) = schema.items else { return Value::Opaque };
        let mut all = Vec::with_capacity(items.len().min(MAX_VALUES));
        for (index, item) in items.iter().enumerate() {
            let path = place.path.index(index);
            all.push(self.value(id, item, Place::of(item, &path, place)));
        }
        let is_unordered = !matches!(schema.topology, Topology::Atomic);
        Value::List(Arc::new(List { items: all, is_unordered }))
    }

    fn mapping(&mut self, schema: &'a SchemaNode, mapping: &'a Mapping, place: Place<'_>) -> Value {
        if schema.fields.is_empty() {
            let Rest::Like(id) = schema.rest else {
                // An object without fields has nothing that a rule could name.
                return Value::Opaque;
            };
            let mut all = BTreeMap::new();
            for entry in mapping.entries() {
                let path = place.path.key(&entry.key);
                // The API server drops a null that its schema does not allow.
                if !matches!(entry.value.value, document::Value::Null) || self.schemas.node(id).nullable {
                    let value = self.value(id, &entry.value, Place::of(&entry.value, &path, place));
                    all.insert(entry.key.as_str().into(), value);
                }
            }
            return Value::map(all, MapKind::Data);
        }
        if matches!(schema.rest, Rest::Like(_)) {
            return Value::Opaque;
        }
        let mut all = BTreeMap::new();
        for entry in mapping.entries() {
            let Some(field) = schema.fields.find(&entry.key) else { continue };
            if !matches!(entry.value.value, document::Value::Null) {
                let path = place.path.key(&entry.key);
                let value = self.field(field, &entry.value, Place::of(&entry.value, &path, place));
                insert(&mut all, field, value);
            }
        }
        for field in schema.fields.iter().filter(|field| field.has_default) {
            let nullable = self.schemas.node(field.id).nullable;
            let is_there = mapping
                .get(field.name())
                .is_some_and(|value| nullable || !matches!(value.value, document::Value::Null));
            if !is_there {
                let value = self.default(field, place);
                insert(&mut all, field, value);
            }
        }
        Value::map(all, MapKind::Object)
    }

    fn field(&mut self, field: &Field, node: &'a Node, place: Place<'_>) -> Value {
        if !field.id.is_custom() {
            return metadata(node);
        }
        // What is below `status` is dropped when an object is created.
        if place.depth == 1 && field.name() == "status" {
            return Value::Unknown;
        }
        self.value(field.id, node, place)
    }

    /// Returns the value that the API server fills in.
    fn default(&mut self, field: &'a Field, place: Place<'_>) -> Value {
        let Some(default) = self.schemas.node(field.id).default.as_deref() else { return Value::Unknown };
        let path = place.path.key(field.name());
        let place = Place { path: &path, is_default: true, depth: place.depth + 1, ..place };
        self.value(field.id, default, place)
    }

    fn rule(
        &mut self,
        id: Id,
        number: usize,
        rule: &'a Validation,
        value: &Value,
        node: &Node,
        place: Place<'_>,
    ) {
        if self.found.len() >= MAX_VIOLATIONS {
            return;
        }
        let Some(program) = rule.program(id, &self.schemas.crds) else {
            self.unevaluated.insert((id.0, number));
            return;
        };
        // Such a rule is about a change, and there is nothing before.
        if program.mentions("oldSelf") && !rule.has_optional_old_self {
            return;
        }
        let variables = [("self", value.clone()), ("oldSelf", Value::Optional(None))];
        let fault = match program.holds(&variables, self.budget) {
            Ok(true) => return,
            Ok(false) => None,
            Err(Stop::Fault(fault)) => Some(fault.describe()),
            Err(Stop::TooMuch | Stop::Unknown) => {
                self.unevaluated.insert((id.0, number));
                return;
            }
        };
        let mut pointer = place.path.pointer();
        let mut origin = place.origin;
        if !place.is_default
            && let Some(fields) = rule.field_path.as_deref().and_then(fields_of)
        {
            let mut at = Some(node);
            for field in fields {
                pointer.push_key(field);
                at = at.and_then(|at| at.get(field));
                origin = at.map_or(origin, |at| at.origin);
            }
        }
        let kind = ViolationKind::Rule { rule: &rule.rule, message: rule.message.as_deref(), fault };
        self.found.push(Violation { kind, pointer, origin });
    }
}

fn insert(all: &mut BTreeMap<Arc<str>, Value>, field: &Field, value: Value) {
    if let Some(name) = escaped(field.name()) {
        if RESERVED.contains(&field.name()) {
            all.insert(field.name().into(), value.clone());
        }
        all.insert(name.into(), value);
    }
}

/// The fields of a simple path, `.spec.size`; `None` for any other.
fn fields_of(path: &str) -> Option<impl Iterator<Item = &str>> {
    let fields = path.strip_prefix('.')?;
    let is_simple =
        !fields.contains(['[', ']', '\'', '"']) && fields.split('.').all(|field| !field.is_empty());
    is_simple.then(|| fields.split('.'))
}

/// Returns the part of `metadata` that rules see: two names. The API server generates the first where it is missing.
fn metadata(node: &Node) -> Value {
    let text = |key: &str| node.get(key).and_then(Node::as_str).map(Value::text);
    let mut all = BTreeMap::from([("name".into(), text("name").unwrap_or(Value::Unknown))]);
    if let Some(name) = text("generateName") {
        all.insert("generateName".into(), name);
    }
    Value::map(all, MapKind::Object)
}

/// A text in the type of its format. One that the format does not fit is refused before rules are evaluated.
fn formatted(text: &str, format: Format) -> Value {
    let value = match format {
        Format::Byte => STANDARD.decode(text).ok().map(|bytes| Value::Bytes(bytes.into())),
        Format::DateTime => cel::timestamp(text),
        Format::Date => cel::timestamp(&format!("{text}T00:00:00Z")),
        Format::Duration => cel::duration(text),
        _ => Some(Value::text(text)),
    };
    value.unwrap_or(Value::Opaque)
}
