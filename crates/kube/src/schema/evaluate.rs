//! Evaluates the CEL rules of a schema: converts an object into values, typed by its schema, and applies the rules to
//! each value.
//!
//! As in the API server, defaults are filled in first, fields that the schema does not declare are invisible, and
//! transition rules do not apply. Values that cannot be known (an unread default, a name that the server generates) are
//! unknown, and a rule that depends on one is not evaluated.

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

/// Maximum number of values of one object, defaults included.
const MAX_VALUES: usize = 200_000;
/// Maximum depth of an object.
const MAX_DEPTH: usize = 150;

/// The evaluation of all rules of one object.
pub(super) struct Evaluator<'a, 'r> {
    pub(super) schemas: &'a Schemas,
    pub(super) budget: &'r mut Budget,
    pub(super) found: Vec<Violation<'a>>,
    /// Rules without a result, by node and index.
    pub(super) unevaluated: BTreeSet<(u32, usize)>,
    pub(super) values: usize,
}

/// The position of a value. A default has the position of the value that it is filled into.
#[derive(Clone, Copy)]
struct ValuePosition<'p> {
    path: &'p Path<'p>,
    origin: Origin,
    is_default: bool,
    depth: usize,
}

impl<'p> ValuePosition<'p> {
    fn below(node: &Node, path: &'p Path<'p>, parent: ValuePosition<'_>) -> Self {
        let origin = if parent.is_default { parent.origin } else { node.origin };
        Self { path, origin, is_default: parent.is_default, depth: parent.depth + 1 }
    }
}

impl<'a> Evaluator<'a, '_> {
    pub(super) fn object(&mut self, root: Id, object: &'a Node) {
        let place = ValuePosition { path: &Path::ROOT, origin: object.origin, is_default: false, depth: 0 };
        self.value(root, object, place);
    }

    /// Converts a value and evaluates its rules and those below it.
    fn value(&mut self, id: Id, node: &'a Node, place: ValuePosition<'_>) -> Value {
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

    fn list(&mut self, schema: &'a SchemaNode, items: &'a [Node], place: ValuePosition<'_>) -> Value {
        let Some(id) = schema.items else { return Value::Opaque };
        let mut all = Vec::with_capacity(items.len().min(MAX_VALUES));
        for (index, item) in items.iter().enumerate() {
            let path = place.path.index(index);
            all.push(self.value(id, item, ValuePosition::below(item, &path, place)));
        }
        let is_unordered = !matches!(schema.topology, Topology::Atomic);
        Value::List(Arc::new(List { items: all, is_unordered }))
    }

    fn mapping(&mut self, schema: &'a SchemaNode, mapping: &'a Mapping, place: ValuePosition<'_>) -> Value {
        if schema.fields.is_empty() {
            let Rest::Like(id) = schema.rest else {
                // An object without fields has nothing that a rule could refer to.
                return Value::Opaque;
            };
            let mut all = BTreeMap::new();
            for entry in mapping.entries() {
                let path = place.path.key(&entry.key);
                // The API server drops a null that its schema does not allow.
                if !matches!(entry.value.value, document::Value::Null) || self.schemas.node(id).nullable {
                    let value =
                        self.value(id, &entry.value, ValuePosition::below(&entry.value, &path, place));
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
                let value = self.field(field, &entry.value, ValuePosition::below(&entry.value, &path, place));
                insert(&mut all, field, value);
            }
        }
        for field in schema.fields.iter().filter(|field| field.has_default) {
            let nullable = self.schemas.node(field.id).nullable;
            let is_present = mapping
                .get(field.name())
                .is_some_and(|value| nullable || !matches!(value.value, document::Value::Null));
            if !is_present {
                let value = self.default(field, place);
                insert(&mut all, field, value);
            }
        }
        Value::map(all, MapKind::Object)
    }

    fn field(&mut self, field: &Field, node: &'a Node, place: ValuePosition<'_>) -> Value {
        if !field.id.is_custom() {
            return metadata(node);
        }
        // `status` is dropped when an object is created.
        if place.depth == 1 && field.name() == "status" {
            return Value::Unknown;
        }
        self.value(field.id, node, place)
    }

    /// Returns the default that the API server fills in.
    fn default(&mut self, field: &'a Field, place: ValuePosition<'_>) -> Value {
        let Some(default) = self.schemas.node(field.id).default.as_deref() else { return Value::Unknown };
        let path = place.path.key(field.name());
        let place = ValuePosition { path: &path, is_default: true, depth: place.depth + 1, ..place };
        self.value(field.id, default, place)
    }

    fn rule(
        &mut self,
        id: Id,
        number: usize,
        rule: &'a Validation,
        value: &Value,
        node: &Node,
        place: ValuePosition<'_>,
    ) {
        if self.found.len() >= MAX_VIOLATIONS {
            return;
        }
        let Some(program) = rule.program(id, &self.schemas.crds) else {
            self.unevaluated.insert((id.0, number));
            return;
        };
        // A transition rule needs an earlier object.
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

/// Returns the fields of a simple path such as `.spec.size`, or `None` for any other path.
fn fields_of(path: &str) -> Option<impl Iterator<Item = &str>> {
    let fields = path.strip_prefix('.')?;
    let is_simple =
        !fields.contains(['[', ']', '\'', '"']) && fields.split('.').all(|field| !field.is_empty());
    is_simple.then(|| fields.split('.'))
}

/// Returns the two names in `metadata` that rules see. The API server generates `name` if it is missing.
fn metadata(node: &Node) -> Value {
    let text = |key: &str| node.get(key).and_then(Node::as_str).map(Value::text);
    let mut all = BTreeMap::from([("name".into(), text("name").unwrap_or(Value::Unknown))]);
    if let Some(name) = text("generateName") {
        all.insert("generateName".into(), name);
    }
    Value::map(all, MapKind::Object)
}

/// Converts a text to the type of its format. Texts that do not match their format are refused before rules run.
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
