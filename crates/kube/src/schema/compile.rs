//! Compiles the schemas of a `CustomResourceDefinition` into nodes that the walk can read.
//!
//! A definition is hostile input: nodes and depth are bounded, patterns are compiled under a limit, and faults are
//! reported with their position. A faulty node accepts any value, so that one fault does not become hundreds.

use super::bound::RangeBound;
use super::cel_rule::CelRule;
use super::crd::{Crds, FREE, RuleCount};
use super::draft::{NodeDraft, parse_value_type, read_bound, read_count, read_flag, read_texts};
use super::fault::CrdFault;
use super::node::{
    ExtraFields, ListKey, ListTopology, NodeId, SchemaField, SchemaFields, SchemaNode, ValueFormat, ValueType,
};
use super::path::ValuePath;
use super::pointer::JsonPointer;
use super::validations;
use super::violation::{Violation, ViolationKind};
use sealwave_core::document::{Mapping, MappingEntry, Node, NodeValue, Origin};

/// Maximum depth of a schema.
const MAX_DEPTH: usize = 120;
/// Maximum number of nodes of one definition, all versions together.
const MAX_NODES: usize = 100_000;
/// Maximum number of faults that are reported for one definition.
const MAX_FAULTS: usize = 200;
/// Maximum number of defaults of one definition that are checked.
const MAX_DEFAULTS: usize = 10_000;

/// The position of a schema in its tree.
#[derive(Clone, Copy, PartialEq, Eq)]
enum SchemaPosition {
    /// Below `allOf`, `anyOf`, `oneOf` or `not`: restricts values, but does not declare fields.
    Branch,
    /// The object as a whole.
    Root,
    /// A value within the object.
    Value,
}

/// The compiled schema of a version.
#[derive(Clone, Copy)]
pub(super) struct CompiledVersion {
    /// The root node.
    pub(super) root: NodeId,
    /// The number of CEL rules.
    pub(super) rules: RuleCount,
    /// Whether a check depends on what the API server fills in or drops.
    pub(super) alternatives: bool,
}

/// Defaults, with the schemas that they must match and their pointers.
pub(super) type UncheckedDefaults<'c> = Vec<(NodeId, &'c Node, JsonPointer)>;

/// Compiles schemas into nodes.
pub(super) struct SchemaCompiler<'c, 's> {
    crds: &'s mut Crds,
    /// The schema of `metadata`.
    metadata: NodeId,
    faults: Vec<Violation<'c>>,
    /// Defaults, with the schemas that they must match.
    defaults: UncheckedDefaults<'c>,
    nodes: usize,
    rules: RuleCount,
    /// Whether a check depends on what the API server fills in or drops.
    alternatives: bool,
    /// Whether the schema must be structural; old definitions need not be.
    structural: bool,
    /// Whether objects keep unknown fields.
    preserve: bool,
}

impl<'c, 's> SchemaCompiler<'c, 's> {
    pub(super) const fn new(crds: &'s mut Crds, metadata: NodeId, structural: bool, preserve: bool) -> Self {
        Self {
            crds,
            metadata,
            faults: Vec::new(),
            defaults: Vec::new(),
            nodes: 0,
            rules: RuleCount { all: 0, in_branches: 0 },
            alternatives: false,
            structural,
            preserve,
        }
    }

    /// Compiles the schema of a version.
    pub(super) fn root(&mut self, schema: &'c Node, at: &ValuePath<'_>) -> CompiledVersion {
        self.rules = RuleCount::default();
        self.alternatives = false;
        let root = self.node(schema, at, SchemaPosition::Root, 0);
        CompiledVersion { root, rules: self.rules, alternatives: self.alternatives }
    }

    /// Returns the faults, in document order.
    pub(super) fn into_faults(self) -> Vec<Violation<'c>> {
        let mut faults = self.faults;
        faults.sort_by_key(|fault| (fault.origin.line, fault.origin.column));
        faults
    }

    pub(super) fn fault(&mut self, fault: CrdFault<'c>, at: &ValuePath<'_>, origin: Origin) {
        if self.faults.len() < MAX_FAULTS {
            self.faults.push(Violation {
                kind: ViolationKind::Definition(fault),
                pointer: at.pointer(),
                origin,
            });
        }
    }

    fn node(&mut self, schema: &'c Node, at: &ValuePath<'_>, role: SchemaPosition, depth: usize) -> NodeId {
        self.nodes += 1;
        if depth > MAX_DEPTH || self.nodes > MAX_NODES || self.crds.is_full() {
            let is_reported =
                |fault: &Violation<'_>| matches!(fault.kind, ViolationKind::Definition(CrdFault::TooLarge));
            if !self.faults.iter().any(is_reported) {
                self.fault(CrdFault::TooLarge, at, schema.origin);
            }
            return FREE;
        }
        let Some(mapping) = schema.as_mapping() else {
            self.fault(CrdFault::Malformed { keyword: "schema" }, at, schema.origin);
            return self.crds.push(SchemaNode::ANY);
        };
        let mut draft = NodeDraft::default();
        for entry in mapping.entries() {
            if !matches!(entry.value.value, NodeValue::Null) {
                self.keyword(entry, &at.key(&entry.key), role, depth, &mut draft);
            }
        }
        let default = draft.default;
        let node = self.finish(draft, schema, mapping, at, role, depth);
        let id = self.crds.push(node);
        if let Some(default) =
            default.filter(|_| role == SchemaPosition::Value && self.defaults.len() < MAX_DEFAULTS)
        {
            self.defaults.push((id, default, at.key("default").pointer()));
        }
        if self.crds.checks_rules && role != SchemaPosition::Branch {
            self.check_validations(schema, id, at);
        }
        id
    }

    /// Takes the defaults found so far, with the schemas that they must match.
    pub(super) fn take_defaults(&mut self) -> UncheckedDefaults<'c> {
        std::mem::take(&mut self.defaults)
    }

    fn validations(&mut self, value: &'c Node, role: SchemaPosition, draft: &mut NodeDraft<'c>) {
        let rules = value.items();
        self.rules.all += rules.len();
        if role == SchemaPosition::Branch {
            self.rules.in_branches += rules.len();
        } else {
            draft.has_rules |= !rules.is_empty();
            draft.rules.validations = rules.iter().map(CelRule::new).collect();
        }
    }

    /// Reports rules that the API server cannot compile.
    fn check_validations(&mut self, schema: &'c Node, id: NodeId, at: &ValuePath<'_>) {
        let at = at.key("x-kubernetes-validations");
        let rules = schema.get("x-kubernetes-validations").map(Node::items).unwrap_or_default();
        for (index, rule) in rules.iter().enumerate() {
            if let Some((fault, node)) = validations::find_rule_fault(rule, id, self.crds) {
                self.fault(fault, &at.index(index), node.origin);
            }
        }
    }

    fn keyword(
        &mut self,
        entry: &'c MappingEntry,
        at: &ValuePath<'_>,
        role: SchemaPosition,
        depth: usize,
        draft: &mut NodeDraft<'c>,
    ) {
        let value = &entry.value;
        let mut fault = None;
        match entry.key.as_str() {
            "type" => match value.as_str().map(|name| (name, parse_value_type(name))) {
                Some((_, Some(kind))) => draft.kind = Some(kind),
                Some((name, None)) => {
                    draft.is_faulty = true;
                    fault = Some(CrdFault::UnknownType { name });
                }
                None => {
                    draft.is_faulty = true;
                    fault = Some(CrdFault::Malformed { keyword: "type" });
                }
            },
            "properties" => fault = self.properties(value, at, role, depth, draft),
            "additionalProperties" => match &value.value {
                NodeValue::Bool(free) => {
                    draft.additional = Some(if *free { ExtraFields::Free } else { ExtraFields::Closed });
                }
                _ => draft.additional = Some(ExtraFields::Like(self.node(value, at, below(role), depth + 1))),
            },
            "items" => draft.items = Some(self.node(value, at, below(role), depth + 1)),
            "required" => fault = read_texts(value, "required", &mut draft.required),
            "nullable" => fault = read_flag(value, "nullable", &mut draft.nullable),
            "format" => match value.as_str() {
                Some(name) => draft.format = ValueFormat::from_name(name),
                None => fault = Some(CrdFault::Malformed { keyword: "format" }),
            },
            "x-kubernetes-int-or-string" => {
                fault = read_flag(value, "x-kubernetes-int-or-string", &mut draft.int_or_string);
            }
            "x-kubernetes-preserve-unknown-fields" => {
                fault = read_flag(value, "x-kubernetes-preserve-unknown-fields", &mut draft.preserve);
            }
            "x-kubernetes-embedded-resource" => {
                fault = read_flag(value, "x-kubernetes-embedded-resource", &mut draft.embedded);
            }
            "x-kubernetes-list-type" => match value.as_str() {
                Some(name @ ("atomic" | "map" | "set")) => draft.list_type = Some(name),
                _ => fault = Some(CrdFault::UnknownValue { keyword: "x-kubernetes-list-type" }),
            },
            "x-kubernetes-list-map-keys" => {
                fault = read_texts(value, "x-kubernetes-list-map-keys", &mut draft.keys);
            }
            "x-kubernetes-map-type" if !matches!(value.as_str(), Some("atomic" | "granular")) => {
                fault = Some(CrdFault::UnknownValue { keyword: "x-kubernetes-map-type" });
            }
            "default" if role != SchemaPosition::Branch => draft.default = Some(value),
            "x-kubernetes-validations" => self.validations(value, role, draft),
            "$ref" => {
                draft.is_faulty = true;
                fault = Some(CrdFault::Forbidden { keyword: "$ref" });
            }
            "definitions" => fault = Some(CrdFault::Forbidden { keyword: "definitions" }),
            "dependencies" => fault = Some(CrdFault::Forbidden { keyword: "dependencies" }),
            "patternProperties" => fault = Some(CrdFault::Forbidden { keyword: "patternProperties" }),
            "uniqueItems" if matches!(value.value, NodeValue::Bool(true)) => {
                fault = Some(CrdFault::Forbidden { keyword: "uniqueItems" });
            }
            _ => fault = self.rule(entry, at, depth, draft),
        }
        if let Some(fault) = fault
            && (self.structural || !matches!(fault, CrdFault::Forbidden { .. }))
        {
            self.fault(fault, at, value.origin);
        }
    }

    fn properties(
        &mut self,
        value: &'c Node,
        at: &ValuePath<'_>,
        role: SchemaPosition,
        depth: usize,
        draft: &mut NodeDraft<'c>,
    ) -> Option<CrdFault<'c>> {
        let Some(properties) = value.as_mapping() else {
            return Some(CrdFault::Malformed { keyword: "properties" });
        };
        for property in properties.entries() {
            let schema = &property.value;
            let implied = matches!(property.key.as_str(), "apiVersion" | "kind" | "metadata");
            if role == SchemaPosition::Root && implied {
                if property.key == "metadata" {
                    draft.metadata = Some((schema, property.key_origin));
                }
                continue;
            }
            let id = self.node(schema, &at.key(&property.key), below(role), depth + 1);
            let default = schema.get("default").filter(|default| !matches!(default.value, NodeValue::Null));
            draft.fields.push(SchemaField {
                null_is_absent: !self.crds.node(id).nullable,
                has_default: default.is_some(),
                ..SchemaField::new(property.key.to_string().into(), id)
            });
        }
        None
    }

    fn rule(
        &mut self,
        entry: &'c MappingEntry,
        at: &ValuePath<'_>,
        depth: usize,
        draft: &mut NodeDraft<'c>,
    ) -> Option<CrdFault<'c>> {
        let value = &entry.value;
        let rules = &mut draft.rules;
        draft.has_rules = true;
        match entry.key.as_str() {
            "enum" => match value.as_sequence() {
                Some(values) => rules.values = Some(values.to_vec()),
                None => return Some(CrdFault::Malformed { keyword: "enum" }),
            },
            "pattern" => match value.as_str() {
                Some(text) => {
                    rules.pattern = self.crds.intern_pattern(text);
                    return rules.pattern.is_none().then_some(CrdFault::Pattern);
                }
                None => return Some(CrdFault::Malformed { keyword: "pattern" }),
            },
            "minimum" => return read_bound(value, "minimum", &mut draft.bounds.0),
            "maximum" => return read_bound(value, "maximum", &mut draft.bounds.1),
            "multipleOf" => return read_bound(value, "multipleOf", &mut rules.factor),
            "exclusiveMinimum" => return read_flag(value, "exclusiveMinimum", &mut draft.exclusive.0),
            "exclusiveMaximum" => return read_flag(value, "exclusiveMaximum", &mut draft.exclusive.1),
            "minLength" => return read_count(value, "minLength", &mut rules.characters.0),
            "maxLength" => return read_count(value, "maxLength", &mut rules.characters.1),
            "minItems" => return read_count(value, "minItems", &mut rules.items.0),
            "maxItems" => return read_count(value, "maxItems", &mut rules.items.1),
            "minProperties" => return read_count(value, "minProperties", &mut rules.fields.0),
            "maxProperties" => return read_count(value, "maxProperties", &mut rules.fields.1),
            "not" => rules.not = Some(self.node(value, at, SchemaPosition::Branch, depth + 1)),
            "allOf" => return self.branches(value, "allOf", at, depth, &mut rules.all_of),
            "anyOf" => return self.branches(value, "anyOf", at, depth, &mut rules.any_of),
            "oneOf" => return self.branches(value, "oneOf", at, depth, &mut rules.one_of),
            _ => {}
        }
        None
    }

    fn branches(
        &mut self,
        value: &'c Node,
        keyword: &'static str,
        at: &ValuePath<'_>,
        depth: usize,
        into: &mut Vec<NodeId>,
    ) -> Option<CrdFault<'c>> {
        let Some(schemas) = value.as_sequence() else { return Some(CrdFault::Malformed { keyword }) };
        for (index, schema) in schemas.iter().enumerate() {
            into.push(self.node(schema, &at.index(index), SchemaPosition::Branch, depth + 1));
        }
        None
    }

    fn finish(
        &mut self,
        mut draft: NodeDraft<'c>,
        schema: &'c Node,
        mapping: &'c Mapping,
        at: &ValuePath<'_>,
        role: SchemaPosition,
        depth: usize,
    ) -> SchemaNode {
        if draft.is_faulty {
            return SchemaNode::ANY;
        }
        self.check_structure(&draft, schema, at, role);
        let rules = &draft.rules;
        self.alternatives |= rules.not.is_some()
            || rules.fields != (None, None)
            || [&rules.all_of, &rules.any_of, &rules.one_of].iter().any(|branches| !branches.is_empty());
        let kind = match draft.kind {
            _ if draft.int_or_string => ValueType::IntOrString,
            Some(kind) => kind,
            None if role == SchemaPosition::Root => ValueType::Object,
            None => ValueType::Any,
        };
        if role == SchemaPosition::Root || draft.embedded {
            self.imply(&mut draft, at, role, depth);
        }
        draft.fields.sort_by(|a, b| a.name.cmp(&b.name));
        Self::require(&mut draft.fields, std::mem::take(&mut draft.required));
        let rest = draft.additional.unwrap_or(
            if role == SchemaPosition::Branch || draft.preserve || self.preserve || kind != ValueType::Object
            {
                ExtraFields::Free
            } else {
                ExtraFields::Closed
            },
        );
        let topology = match draft.list_type {
            Some("map") => ListTopology::Map(draft.keys.iter().map(|name| key(name, mapping)).collect()),
            Some("set") => ListTopology::Set,
            _ => ListTopology::Atomic,
        };
        draft.rules.minimum = draft.bounds.0.map(|bound| {
            if draft.exclusive.0 { RangeBound::Above(bound) } else { RangeBound::AtLeast(bound) }
        });
        draft.rules.maximum = draft.bounds.1.map(|bound| {
            if draft.exclusive.1 { RangeBound::Below(bound) } else { RangeBound::AtMost(bound) }
        });
        SchemaNode {
            kind,
            nullable: draft.nullable || kind == ValueType::Any && role == SchemaPosition::Branch,
            format: draft.format,
            fields: SchemaFields::new(draft.fields),
            rest,
            items: draft.items,
            topology,
            merge_key: None,
            values: Vec::new(),
            rules: draft.has_rules.then(|| Box::new(draft.rules)),
            default: draft.default.cloned().map(Box::new),
        }
    }

    /// Marks the required fields among `fields`, which are sorted. Alternatives name fields described elsewhere.
    fn require(fields: &mut Vec<SchemaField>, mut names: Vec<&str>) {
        names.sort_unstable();
        names.dedup();
        names.retain(|name| match fields.binary_search_by(|field| field.name().cmp(name)) {
            Ok(index) => {
                fields[index].required = true;
                false
            }
            Err(_) => true,
        });
        let required_field =
            |name: &&str| SchemaField { required: true, ..SchemaField::new((*name).to_owned().into(), FREE) };
        fields.extend(names.iter().map(required_field));
    }

    fn check_structure(
        &mut self,
        draft: &NodeDraft<'c>,
        schema: &'c Node,
        at: &ValuePath<'_>,
        role: SchemaPosition,
    ) {
        if self.structural && role != SchemaPosition::Branch {
            draft.faults().for_each(|fault| self.fault(fault, at, schema.origin));
        }
    }

    /// Adds the fields that every object has; the schema may only restrict the name.
    fn imply(&mut self, draft: &mut NodeDraft<'c>, at: &ValuePath<'_>, role: SchemaPosition, depth: usize) {
        draft.fields.retain(|field| !matches!(field.name(), "apiVersion" | "kind" | "metadata"));
        let text = self.crds.push(SchemaNode { kind: ValueType::String, nullable: false, ..SchemaNode::ANY });
        for name in ["apiVersion", "kind"] {
            let required = role != SchemaPosition::Root;
            let field = SchemaField::new(name.into(), text);
            draft.fields.push(SchemaField { required, null_is_absent: required, ..field });
        }
        draft.fields.push(SchemaField::new("metadata".into(), self.metadata));
        if let Some((schema, _)) = draft.metadata {
            let path = at.key("properties");
            let narrowed = self.node(schema, &path.key("metadata"), SchemaPosition::Branch, depth + 1);
            let fields = SchemaFields::new(vec![SchemaField::new("metadata".into(), narrowed)]);
            let branch = self.crds.push(SchemaNode { fields, ..SchemaNode::ANY });
            draft.rules.all_of.push(branch);
            draft.has_rules = true;
        }
    }
}

const fn below(role: SchemaPosition) -> SchemaPosition {
    match role {
        SchemaPosition::Branch => SchemaPosition::Branch,
        SchemaPosition::Root | SchemaPosition::Value => SchemaPosition::Value,
    }
}

fn key(name: &str, list: &Mapping) -> ListKey {
    let default = list.get("items").and_then(|items| items.at(&["properties", name, "default"]));
    ListKey { name: name.into(), default: default.map(|node| node.value.clone()) }
}
