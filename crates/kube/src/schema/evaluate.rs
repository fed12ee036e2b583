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

use super::cel_rule::CelRule;
use super::node::{
    ExtraFields, ListTopology, NodeId, SchemaField, SchemaNode, ValueFormat, ValueType, as_f64, as_integer,
};
use super::path::ValuePath;
use super::schemas::Schemas;
use super::validations::{RESERVED, escape_field_name};
use super::violation::{Violation, ViolationKind};
use super::walk::MAX_VIOLATIONS;
use crate::cel::{self, CelBudget, CelList, CelValue, EvalStop, MapKind};
use sealwave_core::document;
use sealwave_core::document::{Mapping, Node, Origin};

/// Maximum number of values of one object, defaults included.
const MAX_VALUES: usize = 200_000;
/// Maximum depth of an object.
const MAX_DEPTH: usize = 150;

/// The evaluation of all rules of one object.
pub(super) struct RuleEvaluator<'a, 'r> {
    pub(super) schemas: &'a Schemas,
    pub(super) budget: &'r mut CelBudget,
    pub(super) found: Vec<Violation<'a>>,
    /// Rules without a result, by node and index.
    pub(super) unevaluated: BTreeSet<(u32, usize)>,
    pub(super) values: usize,
}

/// The position of a value. A default has the position of the value that it is filled into.
#[derive(Clone, Copy)]
struct ValuePosition<'p> {
    path: &'p ValuePath<'p>,
    origin: Origin,
    is_default: bool,
    depth: usize,
}

impl<'p> ValuePosition<'p> {
    fn below(node: &Node, path: &'p ValuePath<'p>, parent: ValuePosition<'_>) -> Self {
        let origin = if parent.is_default { parent.origin } else { node.origin };
        Self { path, origin, is_default: parent.is_default, depth: parent.depth + 1 }
    }
}

impl<'a> RuleEvaluator<'a, '_> {
    pub(super) fn object(&mut self, root: NodeId, object: &'a Node) {
        let place =
            ValuePosition { path: &ValuePath::ROOT, origin: object.origin, is_default: false, depth: 0 };
        self.value(root, object, place);
    }

    /// Converts a value and evaluates its rules and those below it.
    fn value(&mut self, id: NodeId, node: &'a Node, place: ValuePosition<'_>) -> CelValue {
        self.values += 1;
        if self.values > MAX_VALUES || place.depth > MAX_DEPTH {
            return CelValue::Unknown;
        }
        let schema = self.schemas.node(id);
        let value = match (&node.value, schema.kind) {
            (document::NodeValue::Null, _) => {
                return if schema.nullable { CelValue::Null } else { CelValue::Opaque };
            }
            (document::NodeValue::Bool(flag), ValueType::Boolean) => CelValue::Bool(*flag),
            (document::NodeValue::Number(number), ValueType::Number) => CelValue::Double(as_f64(*number)),
            (document::NodeValue::Number(number), ValueType::Integer | ValueType::IntOrString) => {
                as_integer(*number)
                    .and_then(|number| i64::try_from(number).ok())
                    .map_or(CelValue::Opaque, CelValue::Int)
            }
            (document::NodeValue::String(text), ValueType::IntOrString) => CelValue::text(text.as_str()),
            (document::NodeValue::String(text), ValueType::String) => formatted(text, schema.format),
            (document::NodeValue::Sequence(items), ValueType::Array) => self.list(schema, items, place),
            (document::NodeValue::Mapping(mapping), ValueType::Object) => {
                self.mapping(schema, mapping, place)
            }
            _ => CelValue::Opaque,
        };
        let rules = schema.rules.as_ref().map_or(&[][..], |rules| &rules.validations);
        for (number, rule) in rules.iter().enumerate() {
            self.rule(id, number, rule, &value, node, place);
        }
        value
    }

    fn list(&mut self, schema: &'a SchemaNode, items: &'a [Node], place: ValuePosition<'_>) -> CelValue {
        let Some(id) = schema.items else { return CelValue::Opaque };
        let mut all = Vec::with_capacity(items.len().min(MAX_VALUES));
        for (index, item) in items.iter().enumerate() {
            let path = place.path.index(index);
            all.push(self.value(id, item, ValuePosition::below(item, &path, place)));
        }
        let is_unordered = !matches!(schema.topology, ListTopology::Atomic);
        CelValue::List(Arc::new(CelList { items: all, is_unordered }))
    }

    fn mapping(
        &mut self,
        schema: &'a SchemaNode,
        mapping: &'a Mapping,
        place: ValuePosition<'_>,
    ) -> CelValue {
        if schema.fields.is_empty() {
            let ExtraFields::Like(id) = schema.rest else {
                // An object without fields has nothing that a rule could refer to.
                return CelValue::Opaque;
            };
            let mut all = BTreeMap::new();
            for entry in mapping.entries() {
                let path = place.path.key(&entry.key);
                // The API server drops a null that its schema does not allow.
                if !matches!(entry.value.value, document::NodeValue::Null) || self.schemas.node(id).nullable {
                    let value =
                        self.value(id, &entry.value, ValuePosition::below(&entry.value, &path, place));
                    all.insert(entry.key.as_str().into(), value);
                }
            }
            return CelValue::map(all, MapKind::Data);
        }
        if matches!(schema.rest, ExtraFields::Like(_)) {
            return CelValue::Opaque;
        }
        let mut all = BTreeMap::new();
        for entry in mapping.entries() {
            let Some(field) = schema.fields.find(&entry.key) else { continue };
            if !matches!(entry.value.value, document::NodeValue::Null) {
                let path = place.path.key(&entry.key);
                let value = self.field(field, &entry.value, ValuePosition::below(&entry.value, &path, place));
                insert(&mut all, field, value);
            }
        }
        for field in schema.fields.iter().filter(|field| field.has_default) {
            let nullable = self.schemas.node(field.id).nullable;
            let is_present = mapping
                .get(field.name())
                .is_some_and(|value| nullable || !matches!(value.value, document::NodeValue::Null));
            if !is_present {
                let value = self.default(field, place);
                insert(&mut all, field, value);
            }
        }
        CelValue::map(all, MapKind::Object)
    }

    fn field(&mut self, field: &SchemaField, node: &'a Node, place: ValuePosition<'_>) -> CelValue {
        if !field.id.is_custom() {
            return metadata(node);
        }
        // `status` is dropped when an object is created.
        if place.depth == 1 && field.name() == "status" {
            return CelValue::Unknown;
        }
        self.value(field.id, node, place)
    }

    /// Returns the default that the API server fills in.
    fn default(&mut self, field: &'a SchemaField, place: ValuePosition<'_>) -> CelValue {
        let Some(default) = self.schemas.node(field.id).default.as_deref() else { return CelValue::Unknown };
        let path = place.path.key(field.name());
        let place = ValuePosition { path: &path, is_default: true, depth: place.depth + 1, ..place };
        self.value(field.id, default, place)
    }

    fn rule(
        &mut self,
        id: NodeId,
        number: usize,
        rule: &'a CelRule,
        value: &CelValue,
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
        let variables = [("self", value.clone()), ("oldSelf", CelValue::Optional(None))];
        let fault = match program.evaluate_condition(&variables, self.budget) {
            Ok(true) => return,
            Ok(false) => None,
            Err(EvalStop::Fault(fault)) => Some(fault.describe()),
            Err(EvalStop::TooMuch | EvalStop::Unknown) => {
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

fn insert(all: &mut BTreeMap<Arc<str>, CelValue>, field: &SchemaField, value: CelValue) {
    if let Some(name) = escape_field_name(field.name()) {
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
fn metadata(node: &Node) -> CelValue {
    let text = |key: &str| node.get(key).and_then(Node::as_str).map(CelValue::text);
    let mut all = BTreeMap::from([("name".into(), text("name").unwrap_or(CelValue::Unknown))]);
    if let Some(name) = text("generateName") {
        all.insert("generateName".into(), name);
    }
    CelValue::map(all, MapKind::Object)
}

/// Converts a text to the type of its format. Texts that do not match their format are refused before rules run.
fn formatted(text: &str, format: ValueFormat) -> CelValue {
    let value = match format {
        ValueFormat::Byte => STANDARD.decode(text).ok().map(|bytes| CelValue::Bytes(bytes.into())),
        ValueFormat::DateTime => cel::timestamp_value(text),
        ValueFormat::Date => cel::timestamp_value(&format!("{text}T00:00:00Z")),
        ValueFormat::Duration => cel::duration_value(text),
        _ => Some(CelValue::text(text)),
    };
    value.unwrap_or(CelValue::Opaque)
}
