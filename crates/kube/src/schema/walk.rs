//! The walk over an object and its schema, in document order. It allocates nothing for valid objects.
//!
//! Depth, violations and steps are bounded, so that every pair of schema and object is checked in a moment.

use super::effective::{ServerChange, ServerChanges};
use super::node::{
    ComparableScalar, ExtraFields, NodeId, SchemaField, SchemaFields, SchemaNode, ValueFormat, ValueType,
    as_f64, as_integer,
};
use super::path::ValuePath;
use super::schemas::Schemas;
use super::value_type::JsonType;
use super::violation::{Violation, ViolationKind};
use sealwave_core::document::{Mapping, Node, NodeValue, Number, Origin};
use sealwave_core::text::closest_name;

/// Maximum depth of an object.
const MAX_DEPTH: usize = 150;
/// Maximum number of violations of an object, after which the walk ends.
pub(super) const MAX_VIOLATIONS: usize = 200;
/// Maximum number of steps; each look of a schema at a value is one.
const MAX_STEPS: u64 = 5_000_000;
/// Maximum length in bytes of a name that could be misspelled, and maximum number of names it is compared with.
const MAX_NAME: usize = 100;
const MAX_OTHERS: usize = 1000;

/// A walk over one object.
pub(super) struct SchemaWalk<'a, 'r> {
    pub(super) schemas: &'a Schemas,
    pub(super) strict: bool,
    /// Set below `status`, which controllers write and the API server drops.
    pub(super) lenient: bool,
    pub(super) sink: &'r mut dyn FnMut(Violation<'a>),
    pub(super) reported: usize,
    /// The maximum number of violations.
    pub(super) max_reported: usize,
    pub(super) steps: u64,
    /// The changes by the API server; `None` if no check depends on them.
    pub(super) effects: Option<&'r ServerChanges<'a>>,
    /// Set below `allOf`, `anyOf`, `oneOf` and `not`, where those changes count.
    pub(super) in_branch: bool,
    /// Within a default: the position of the object that lacks the value.
    pub(super) anchor: Option<Origin>,
}

impl<'a> SchemaWalk<'a, '_> {
    pub(super) fn report(&mut self, kind: ViolationKind<'a>, at: &ValuePath<'_>, origin: Origin) {
        if self.reported < self.max_reported {
            self.reported += 1;
            (self.sink)(Violation { kind, pointer: at.pointer(), origin: self.anchor.unwrap_or(origin) });
        }
    }

    pub(super) const fn is_over(&self) -> bool {
        self.reported >= self.max_reported || self.steps > MAX_STEPS
    }

    /// Checks the object itself; its `status` is checked leniently.
    pub(super) fn object(&mut self, id: NodeId, object: &'a Node) {
        self.value(id, object, &ValuePath::ROOT, 0);
        if self.steps > MAX_STEPS {
            self.report(ViolationKind::TooComplex, &ValuePath::ROOT, object.origin);
        }
    }

    pub(super) fn value(&mut self, id: NodeId, node: &'a Node, at: &ValuePath<'_>, depth: usize) {
        self.steps += 1;
        if self.is_over() {
            return;
        }
        if depth > MAX_DEPTH {
            self.report(ViolationKind::TooDeep, at, node.origin);
            return;
        }
        let schema = self.schemas.node(id);
        if let Err(expected) = check_type(schema, node) {
            // The default replaces an item that is null.
            if matches!(node.value, NodeValue::Null) && schema.default.is_some() {
                return;
            }
            self.report(ViolationKind::WrongType { expected, found: actual_type(node) }, at, node.origin);
            return;
        }
        match &node.value {
            NodeValue::Mapping(mapping) => self.mapping(schema, mapping, node.origin, at, depth),
            NodeValue::Sequence(items) => self.sequence(schema, items, at, depth),
            NodeValue::Number(number) if !self.lenient => self.number(schema, *number, at, node.origin),
            NodeValue::String(text) if !self.lenient => self.text(schema, text, at, node.origin),
            NodeValue::Null => self.null(schema, at, node.origin),
            NodeValue::Bool(_) | NodeValue::Number(_) | NodeValue::String(_) => {}
        }
        if let Some(rules) = &schema.rules
            && !self.lenient
            && !matches!(node.value, NodeValue::Null)
        {
            self.rules(rules, node, at, depth);
        }
    }

    fn mapping(
        &mut self,
        schema: &'a SchemaNode,
        mapping: &'a Mapping,
        origin: Origin,
        at: &ValuePath<'_>,
        depth: usize,
    ) {
        if schema.fields.is_empty() && schema.rest == ExtraFields::Free {
            return;
        }
        let effects =
            self.effects.filter(|_| self.in_branch).map_or(&[][..], |effects| effects.in_mapping(mapping));
        let mut required = self.filled(schema, effects, origin, at, depth);
        for entry in mapping.entries() {
            let key = entry.key.as_str();
            let null = matches!(entry.value.value, NodeValue::Null);
            if null && !effects.is_empty() {
                self.steps += effects.len() as u64;
                if self.is_over() {
                    return;
                }
                if effects.iter().any(|(name, _)| *name == key) {
                    continue;
                }
            }
            let id = match schema.fields.find(key) {
                // The API server drops a null that its schema does not allow; a default then replaces it.
                Some(field) if null && field.null_is_absent => {
                    required += usize::from(field.required && field.has_default);
                    continue;
                }
                // For built-in types, a null means an absent field.
                Some(field)
                    if null && field.required && !self.lenient && !self.schemas.node(field.id).nullable =>
                {
                    required += 1;
                    self.report(ViolationKind::MissingField { field: key }, at, entry.key_origin);
                    continue;
                }
                Some(field) => {
                    required += usize::from(field.required);
                    field.id
                }
                None => match schema.rest {
                    ExtraFields::Closed if self.strict => {
                        let kind = ViolationKind::UnknownField {
                            field: key,
                            closest: closest_field(key, schema.fields.iter().map(SchemaField::name)),
                        };
                        self.report(kind, at, entry.key_origin);
                        continue;
                    }
                    ExtraFields::Closed | ExtraFields::Free => continue,
                    ExtraFields::Like(id) if null && id.is_custom() && !self.schemas.node(id).nullable => {
                        continue;
                    }
                    ExtraFields::Like(id) => id,
                },
            };
            let lenient = self.lenient;
            self.lenient |= depth == 0 && key == "status";
            self.value(id, &entry.value, &at.key(key), depth + 1);
            self.lenient = lenient;
            if self.is_over() {
                return;
            }
        }
        if required < schema.fields.required() && !self.lenient {
            self.missing(&schema.fields, effects, mapping, origin, at);
        }
    }

    /// Checks the defaults that a mapping gets, and returns how many of them are required fields.
    fn filled(
        &mut self,
        schema: &'a SchemaNode,
        effects: &[(&'a str, ServerChange<'a>)],
        origin: Origin,
        at: &ValuePath<'_>,
        depth: usize,
    ) -> usize {
        let mut required = 0;
        for (name, effect) in effects {
            let (ServerChange::Filled(default), Some(field)) = (effect, schema.fields.find(name)) else {
                continue;
            };
            required += usize::from(field.required);
            let anchor = self.anchor.replace(self.anchor.unwrap_or(origin));
            self.value(field.id, default, &at.key(name), depth + 1);
            self.anchor = anchor;
        }
        required
    }

    /// Reports a null in an enum, even if the enum lists it: the API server has no type to compare it by.
    fn null(&mut self, schema: &'a SchemaNode, at: &ValuePath<'_>, origin: Origin) {
        let values = schema.rules.as_ref().and_then(|rules| rules.values.as_ref());
        if let Some(values) = values.filter(|values| !values.is_empty() && !self.lenient) {
            self.report(ViolationKind::NotInEnum { allowed: enum_texts(values), closest: None }, at, origin);
        }
    }

    fn missing(
        &mut self,
        fields: &'a SchemaFields,
        effects: &[(&'a str, ServerChange<'a>)],
        mapping: &Mapping,
        origin: Origin,
        at: &ValuePath<'_>,
    ) {
        for field in fields.iter().filter(|field| field.required) {
            self.steps += (mapping.len() + effects.len()) as u64;
            let effect = effects.iter().find(|(name, _)| *name == field.name());
            let is_present = match mapping.get(field.name()) {
                _ if effect.is_some() => matches!(effect, Some((_, ServerChange::Filled(_)))),
                Some(value) if matches!(value.value, NodeValue::Null) => {
                    !field.null_is_absent || field.has_default
                }
                Some(_) => true,
                // A default also satisfies a required field.
                None => field.has_default,
            };
            if !is_present {
                self.report(ViolationKind::MissingField { field: field.name() }, at, origin);
            }
            if self.is_over() {
                return;
            }
        }
    }

    fn sequence(&mut self, schema: &'a SchemaNode, items: &'a [Node], at: &ValuePath<'_>, depth: usize) {
        if let Some(id) = schema.items {
            for (index, item) in items.iter().enumerate() {
                self.value(id, item, &at.index(index), depth + 1);
                if self.is_over() {
                    return;
                }
            }
        }
        if !self.lenient {
            self.steps += items.len() as u64;
            self.duplicates(&schema.topology, items, at);
        }
    }

    fn number(&mut self, schema: &'a SchemaNode, number: Number, at: &ValuePath<'_>, origin: Origin) {
        if matches!(schema.kind, ValueType::Integer | ValueType::IntOrString)
            && as_integer(number).is_some_and(|number| !schema.format.fits_integer(number))
        {
            let format = if schema.format == ValueFormat::Int32 { "int32" } else { "int64" };
            self.report(ViolationKind::Format { format }, at, origin);
        }
    }

    fn text(&mut self, schema: &'a SchemaNode, text: &'a str, at: &ValuePath<'_>, origin: Origin) {
        if schema.kind == ValueType::Quantity && !super::format::is_quantity(text) {
            self.report(ViolationKind::Format { format: "quantity" }, at, origin);
        } else if !schema.format.fits(text) {
            self.report(ViolationKind::Format { format: schema.format.name() }, at, origin);
        } else if !allows(schema, text, at) {
            let allowed = schema.values.clone();
            let closest = nearest_value(text, &allowed);
            self.report(ViolationKind::NotInEnum { allowed, closest }, at, origin);
        }
    }
}

/// Returns whether an enum allows a text. An empty text in an optional field means its default, except where the API
/// server distinguishes an empty text from an absent one.
fn allows(schema: &SchemaNode, text: &str, at: &ValuePath<'_>) -> bool {
    let is_default = || schema.nullable && text.is_empty() && !NEVER_EMPTY.contains(&at.field());
    schema.values.is_empty() || schema.values.contains(&text) || is_default()
}

/// Enum fields in which API server 1.36 refused an empty text, in any type: pointers in Kubernetes' types, lists of
/// values, and fields without a default.
const NEVER_EMPTY: &[&str] = &[
    "accessModes",
    "completionMode",
    "failurePolicy",
    "fsGroupChangePolicy",
    "fsGroupPolicy",
    "internalTrafficPolicy",
    "ipFamilies",
    "ipFamilyPolicy",
    "matchPolicy",
    "operations",
    "pathType",
    "podReplacementPolicy",
    "policyTypes",
    "reinvocationPolicy",
    "scope",
    "scopeName",
    "scopes",
    "selectPolicy",
    "sideEffects",
    "unhealthyPodEvictionPolicy",
    "validationActions",
    "volumeBindingMode",
    "volumeLifecycleModes",
    "volumeMode",
    "whenUnsatisfiable",
];

/// Returns the nearest of some values, preferring those that differ only in case.
pub(super) fn nearest_value<'a>(text: &str, allowed: &[&'a str]) -> Option<&'a str> {
    let same = allowed.iter().copied().take(MAX_OTHERS).find(|value| value.eq_ignore_ascii_case(text));
    same.or_else(|| closest_field(text, allowed.iter().copied()))
}

fn closest_field<'a>(name: &str, known: impl Iterator<Item = &'a str>) -> Option<&'a str> {
    if name.len() > MAX_NAME {
        return None;
    }
    closest_name(name, known.take(MAX_OTHERS).filter(|other| other.len() <= MAX_NAME))
}

/// Returns the expected type if a value has another one.
fn check_type(schema: &SchemaNode, node: &Node) -> Result<(), ValueType> {
    let expected = schema.kind;
    // The common case.
    match (expected, &node.value) {
        (ValueType::String, NodeValue::String(_))
        | (ValueType::Object, NodeValue::Mapping(_))
        | (ValueType::Array, NodeValue::Sequence(_)) => return Ok(()),
        _ => {}
    }
    let fits = match (expected, &node.value) {
        (_, NodeValue::Null) => schema.nullable,
        (ValueType::Any, _) => true,
        (ValueType::Array, value) => matches!(value, NodeValue::Sequence(_)),
        (ValueType::Boolean, value) => matches!(value, NodeValue::Bool(_)),
        (ValueType::Integer, value) => is_integer(value),
        (ValueType::IntOrString, value) => is_integer(value) || matches!(value, NodeValue::String(_)),
        (ValueType::Number, value) => matches!(value, NodeValue::Number(_)),
        (ValueType::Object, value) => matches!(value, NodeValue::Mapping(_)),
        (ValueType::Quantity, value) => matches!(value, NodeValue::Number(_) | NodeValue::String(_)),
        (ValueType::String, value) => matches!(value, NodeValue::String(_)),
    };
    if fits { Ok(()) } else { Err(expected) }
}

fn is_integer(value: &NodeValue) -> bool {
    matches!(value, NodeValue::Number(number) if as_integer(*number).is_some())
}

fn actual_type(node: &Node) -> JsonType {
    match &node.value {
        NodeValue::Bool(_) => JsonType::Boolean,
        NodeValue::Mapping(_) => JsonType::Object,
        NodeValue::Null => JsonType::Null,
        NodeValue::Number(number) if as_integer(*number).is_some() => JsonType::Integer,
        NodeValue::Number(_) => JsonType::Number,
        NodeValue::Sequence(_) => JsonType::Array,
        NodeValue::String(_) => JsonType::String,
    }
}

/// Returns the enum values that a message can name.
pub(super) fn enum_texts(values: &[Node]) -> Vec<&str> {
    values.iter().filter_map(Node::as_str).take(MAX_OTHERS).collect()
}

/// Returns whether two values are equal in JSON.
pub(super) fn equal_in_json(a: &Node, b: &Node) -> bool {
    match (ComparableScalar::from_value(&a.value), ComparableScalar::from_value(&b.value)) {
        (Some(a), Some(b)) => a == b,
        _ => a == b,
    }
}

/// Returns a number as a float.
pub(super) fn as_float(node: &Node) -> Option<f64> {
    match node.value {
        NodeValue::Number(number) => Some(as_f64(number)),
        _ => None,
    }
}
