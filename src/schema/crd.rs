//! Schemas of custom resources: a `CustomResourceDefinition` becomes nodes that the walk can read.
//!
//! A definition is hostile input: nodes and depth are bounded, patterns are compiled under a limit, and what is wrong
//! with it is said with its place. A faulty node takes anything, so that one fault does not become hundreds.

use std::collections::BTreeMap;

use compact_str::CompactString;

use super::Scope;
use super::fault::CrdFault;
use super::path::Path;
use super::pattern::Compiled;
use super::view::{FieldView, Fields, Format, Id, Keys, Kind, Rest, Texts, Topology, View, float, integer};
use super::violation::{Bound, Violation, ViolationKind};
use crate::model::{Entry, Mapping, Node, Origin, Value};

/// Where the nodes of CRDs start; below are references into the pack.
const BASE: u32 = 0x1_0000;
/// A node that takes anything.
pub(super) const FREE: Id = Id(u32::MAX);
/// Levels of a schema.
const MAX_DEPTH: usize = 120;
/// Nodes of one definition, all its versions together.
const MAX_NODES: usize = 100_000;
/// Nodes of all definitions.
const MAX_ALL_NODES: usize = 1_000_000;
/// Faults that are reported of one definition.
const MAX_FAULTS: usize = 200;
/// Distinct patterns of all definitions.
const MAX_PATTERNS: usize = 20_000;

/// All custom resources.
#[derive(Debug, Default)]
pub(super) struct Crds {
    nodes: Vec<CrdNode>,
    patterns: Vec<Pattern>,
    by_pattern: BTreeMap<String, usize>,
    /// By group and kind.
    kinds: BTreeMap<String, BTreeMap<String, CrdKind>>,
}

/// A kind of custom resource.
#[derive(Debug)]
pub(super) struct CrdKind {
    pub(super) scope: Scope,
    pub(super) versions: Vec<CrdVersion>,
}

/// A version of it.
#[derive(Debug)]
pub(super) struct CrdVersion {
    pub(super) name: String,
    pub(super) served: bool,
    pub(super) deprecated: bool,
    /// Where its schema starts; a version without one takes anything.
    pub(super) root: Option<Id>,
    /// CEL rules, which nobody evaluates here.
    pub(super) rules: usize,
}

#[derive(Debug)]
struct Pattern {
    text: String,
    compiled: Option<Compiled>,
}

#[derive(Debug)]
struct CrdNode {
    kind: Kind,
    nullable: bool,
    format: Format,
    fields: Vec<Field>,
    required: usize,
    rest: Rest,
    items: Option<Id>,
    topology: CrdTopology,
    rules: Option<Box<Rules>>,
}

#[derive(Debug)]
enum CrdTopology {
    Atomic,
    Map(Vec<Key>),
    Set,
}

/// A named field.
#[derive(Debug)]
pub(super) struct Field {
    pub(super) name: CompactString,
    id: Id,
    required: bool,
    nullable: bool,
    has_default: bool,
}

/// A key of a list map.
#[derive(Debug)]
pub(super) struct Key {
    pub(super) name: CompactString,
    pub(super) default: Option<Node>,
}

/// What a value must be besides its type.
#[derive(Debug, Default)]
pub(super) struct Rules {
    pub(super) values: Option<Vec<Node>>,
    pub(super) pattern: Option<usize>,
    pub(super) least: Option<Bound<f64>>,
    pub(super) most: Option<Bound<f64>>,
    pub(super) factor: Option<f64>,
    pub(super) characters: (Option<u64>, Option<u64>),
    pub(super) items: (Option<u64>, Option<u64>),
    pub(super) fields: (Option<u64>, Option<u64>),
    pub(super) all_of: Vec<Id>,
    pub(super) any_of: Vec<Id>,
    pub(super) one_of: Vec<Id>,
    pub(super) not: Option<Id>,
}

impl Field {
    pub(super) const fn view(&self) -> FieldView {
        FieldView {
            id: self.id,
            required: self.required,
            null_is_absent: !self.nullable,
            has_default: self.has_default,
        }
    }
}

impl CrdKind {
    /// The version of this name, where the API server serves it.
    pub(super) fn served(&self, name: &str) -> Option<&CrdVersion> {
        self.versions.iter().find(|version| version.served && version.name == name)
    }
}

impl Id {
    /// Whether it is of a custom resource.
    pub(super) const fn is_custom(self) -> bool {
        self.0 >= BASE
    }
}

impl Crds {
    pub(super) fn view(&self, id: Id) -> View<'_> {
        let node = id.0.checked_sub(BASE).and_then(|index| self.nodes.get(index as usize));
        node.map_or(View::ANY, CrdNode::view)
    }

    /// The pattern's text and itself; `None` where it was refused.
    pub(super) fn pattern(&self, index: usize) -> Option<(&str, &Compiled)> {
        let pattern = self.patterns.get(index)?;
        Some((&pattern.text, pattern.compiled.as_ref()?))
    }

    pub(super) fn kind(&self, group: &str, kind: &str) -> Option<&CrdKind> {
        self.kinds.get(group)?.get(kind)
    }

    /// Groups and kinds, in their order.
    pub(super) fn kinds(&self) -> impl Iterator<Item = (&str, &str)> {
        self.kinds.iter().flat_map(|(group, kinds)| kinds.keys().map(|kind| (group.as_str(), kind.as_str())))
    }

    pub(super) fn insert(&mut self, group: &str, kind: &str, definition: CrdKind) {
        self.kinds.entry(group.to_owned()).or_default().insert(kind.to_owned(), definition);
    }

    fn push(&mut self, node: CrdNode) -> Id {
        let index = u32::try_from(self.nodes.len()).unwrap_or(u32::MAX - BASE);
        self.nodes.push(node);
        Id(BASE + index)
    }

    /// The number of a pattern; `None` where it is refused.
    fn pattern_of(&mut self, text: &str) -> Option<usize> {
        let index = if let Some(index) = self.by_pattern.get(text) {
            *index
        } else if self.patterns.len() >= MAX_PATTERNS {
            return None;
        } else {
            self.patterns.push(Pattern { text: text.to_owned(), compiled: Compiled::new(text) });
            self.by_pattern.insert(text.to_owned(), self.patterns.len() - 1);
            self.patterns.len() - 1
        };
        self.patterns[index].compiled.is_some().then_some(index)
    }
}

impl CrdNode {
    const fn any() -> Self {
        Self {
            kind: Kind::Any,
            nullable: true,
            format: Format::None,
            fields: Vec::new(),
            required: 0,
            rest: Rest::Free,
            items: None,
            topology: CrdTopology::Atomic,
            rules: None,
        }
    }

    fn view(&self) -> View<'_> {
        View {
            kind: self.kind,
            nullable: self.nullable,
            format: self.format,
            fields: Fields::Crd { fields: &self.fields, required: self.required },
            rest: self.rest,
            items: self.items,
            topology: match &self.topology {
                CrdTopology::Atomic => Topology::Atomic,
                CrdTopology::Map(keys) => Topology::Map(Keys::Crd(keys)),
                CrdTopology::Set => Topology::Set,
            },
            values: Texts::NONE,
            rules: self.rules.as_deref(),
        }
    }
}

/// What a schema stands for in the tree.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Role {
    /// Below `allOf`, `anyOf`, `oneOf` or `not`: it says what values must be, not which fields there are.
    Branch,
    /// The object as a whole.
    Root,
    /// A part of it.
    Value,
}

/// Turns schemas into nodes.
pub(super) struct Compiler<'c, 's> {
    crds: &'s mut Crds,
    /// The schema of `metadata`.
    metadata: Id,
    faults: Vec<Violation<'c>>,
    nodes: usize,
    rules: usize,
    /// Old definitions need not be structural, and keep fields that they do not know.
    structural: bool,
    preserve: bool,
}

/// What a node's keywords said before they are put together.
#[derive(Default)]
struct Draft<'c> {
    kind: Option<Kind>,
    nullable: bool,
    format: Format,
    int_or_string: bool,
    preserve: bool,
    embedded: bool,
    fields: Vec<Field>,
    metadata: Option<(&'c Node, Origin)>,
    required: Vec<&'c str>,
    additional: Option<Rest>,
    items: Option<Id>,
    list_type: Option<&'c str>,
    keys: Vec<&'c str>,
    exclusive: (bool, bool),
    bounds: (Option<f64>, Option<f64>),
    rules: Rules,
    ruled: bool,
    faulty: bool,
}

impl<'c, 's> Compiler<'c, 's> {
    pub(super) const fn new(crds: &'s mut Crds, metadata: Id, structural: bool, preserve: bool) -> Self {
        Self { crds, metadata, faults: Vec::new(), nodes: 0, rules: 0, structural, preserve }
    }

    /// Where a version's schema starts, and how many CEL rules it has.
    pub(super) fn root(&mut self, schema: &'c Node, at: &Path<'_>) -> (Id, usize) {
        self.rules = 0;
        let id = self.node(schema, at, Role::Root, 0);
        (id, self.rules)
    }

    /// The faults, in the order of the document.
    pub(super) fn into_faults(self) -> Vec<Violation<'c>> {
        let mut faults = self.faults;
        faults.sort_by_key(|fault| (fault.origin.line, fault.origin.column));
        faults
    }

    pub(super) fn fault(&mut self, fault: CrdFault<'c>, at: &Path<'_>, origin: Origin) {
        if self.faults.len() < MAX_FAULTS {
            self.faults.push(Violation {
                kind: ViolationKind::Definition(fault),
                pointer: at.pointer(),
                origin,
            });
        }
    }

    fn node(&mut self, schema: &'c Node, at: &Path<'_>, role: Role, depth: usize) -> Id {
        self.nodes += 1;
        if depth > MAX_DEPTH || self.nodes > MAX_NODES || self.crds.nodes.len() >= MAX_ALL_NODES {
            let told =
                |fault: &Violation<'_>| matches!(fault.kind, ViolationKind::Definition(CrdFault::TooLarge));
            if !self.faults.iter().any(told) {
                self.fault(CrdFault::TooLarge, at, schema.origin);
            }
            return FREE;
        }
        let Some(mapping) = schema.as_mapping() else {
            self.fault(CrdFault::Malformed { keyword: "schema" }, at, schema.origin);
            return self.crds.push(CrdNode::any());
        };
        let mut draft = Draft::default();
        for entry in mapping.entries() {
            if !matches!(entry.value.value, Value::Null) {
                self.keyword(entry, &at.key(&entry.key), role, depth, &mut draft);
            }
        }
        let node = self.finish(draft, schema, mapping, at, role, depth);
        self.crds.push(node)
    }

    fn keyword(&mut self, entry: &'c Entry, at: &Path<'_>, role: Role, depth: usize, draft: &mut Draft<'c>) {
        let value = &entry.value;
        let mut fault = None;
        match entry.key.as_str() {
            "type" => match value.as_str().map(|name| (name, kind_named(name))) {
                Some((_, Some(kind))) => draft.kind = Some(kind),
                Some((name, None)) => {
                    draft.faulty = true;
                    fault = Some(CrdFault::UnknownType { name });
                }
                None => {
                    draft.faulty = true;
                    fault = Some(CrdFault::Malformed { keyword: "type" });
                }
            },
            "properties" => fault = self.properties(value, at, role, depth, draft),
            "additionalProperties" => match &value.value {
                Value::Bool(free) => draft.additional = Some(if *free { Rest::Free } else { Rest::Closed }),
                _ => draft.additional = Some(Rest::Like(self.node(value, at, below(role), depth + 1))),
            },
            "items" => draft.items = Some(self.node(value, at, below(role), depth + 1)),
            "required" => fault = texts(value, "required", &mut draft.required),
            "nullable" => fault = flag(value, "nullable", &mut draft.nullable),
            "format" => match value.as_str() {
                Some(name) => draft.format = Format::named(name),
                None => fault = Some(CrdFault::Malformed { keyword: "format" }),
            },
            "x-kubernetes-int-or-string" => {
                fault = flag(value, "x-kubernetes-int-or-string", &mut draft.int_or_string);
            }
            "x-kubernetes-preserve-unknown-fields" => {
                fault = flag(value, "x-kubernetes-preserve-unknown-fields", &mut draft.preserve);
            }
            "x-kubernetes-embedded-resource" => {
                fault = flag(value, "x-kubernetes-embedded-resource", &mut draft.embedded);
            }
            "x-kubernetes-list-type" => match value.as_str() {
                Some(name @ ("atomic" | "map" | "set")) => draft.list_type = Some(name),
                _ => fault = Some(CrdFault::UnknownValue { keyword: "x-kubernetes-list-type" }),
            },
            "x-kubernetes-list-map-keys" => {
                fault = texts(value, "x-kubernetes-list-map-keys", &mut draft.keys)
            }
            "x-kubernetes-map-type" if !matches!(value.as_str(), Some("atomic" | "granular")) => {
                fault = Some(CrdFault::UnknownValue { keyword: "x-kubernetes-map-type" });
            }
            "x-kubernetes-validations" => self.rules += value.items().len(),
            "$ref" => {
                draft.faulty = true;
                fault = Some(CrdFault::Forbidden { keyword: "$ref" });
            }
            "definitions" => fault = Some(CrdFault::Forbidden { keyword: "definitions" }),
            "dependencies" => fault = Some(CrdFault::Forbidden { keyword: "dependencies" }),
            "patternProperties" => fault = Some(CrdFault::Forbidden { keyword: "patternProperties" }),
            "uniqueItems" if matches!(value.value, Value::Bool(true)) => {
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
        at: &Path<'_>,
        role: Role,
        depth: usize,
        draft: &mut Draft<'c>,
    ) -> Option<CrdFault<'c>> {
        let Some(properties) = value.as_mapping() else {
            return Some(CrdFault::Malformed { keyword: "properties" });
        };
        for property in properties.entries() {
            let schema = &property.value;
            let implied = matches!(property.key.as_str(), "apiVersion" | "kind" | "metadata");
            if role == Role::Root && implied {
                if property.key == "metadata" {
                    draft.metadata = Some((schema, property.key_origin));
                }
                continue;
            }
            let id = self.node(schema, &at.key(&property.key), below(role), depth + 1);
            draft.fields.push(Field {
                name: property.key.clone(),
                id,
                required: false,
                nullable: self.crds.view(id).nullable,
                has_default: schema
                    .get("default")
                    .is_some_and(|default| !matches!(default.value, Value::Null)),
            });
        }
        None
    }

    fn rule(
        &mut self,
        entry: &'c Entry,
        at: &Path<'_>,
        depth: usize,
        draft: &mut Draft<'c>,
    ) -> Option<CrdFault<'c>> {
        let value = &entry.value;
        let rules = &mut draft.rules;
        draft.ruled = true;
        match entry.key.as_str() {
            "enum" => match value.as_sequence() {
                Some(values) => rules.values = Some(values.to_vec()),
                None => return Some(CrdFault::Malformed { keyword: "enum" }),
            },
            "pattern" => match value.as_str() {
                Some(text) => {
                    rules.pattern = self.crds.pattern_of(text);
                    return rules.pattern.is_none().then_some(CrdFault::Pattern);
                }
                None => return Some(CrdFault::Malformed { keyword: "pattern" }),
            },
            "minimum" => return bound(value, "minimum", &mut draft.bounds.0),
            "maximum" => return bound(value, "maximum", &mut draft.bounds.1),
            "multipleOf" => return bound(value, "multipleOf", &mut rules.factor),
            "exclusiveMinimum" => return flag(value, "exclusiveMinimum", &mut draft.exclusive.0),
            "exclusiveMaximum" => return flag(value, "exclusiveMaximum", &mut draft.exclusive.1),
            "minLength" => return count(value, "minLength", &mut rules.characters.0),
            "maxLength" => return count(value, "maxLength", &mut rules.characters.1),
            "minItems" => return count(value, "minItems", &mut rules.items.0),
            "maxItems" => return count(value, "maxItems", &mut rules.items.1),
            "minProperties" => return count(value, "minProperties", &mut rules.fields.0),
            "maxProperties" => return count(value, "maxProperties", &mut rules.fields.1),
            "not" => rules.not = Some(self.node(value, at, Role::Branch, depth + 1)),
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
        at: &Path<'_>,
        depth: usize,
        into: &mut Vec<Id>,
    ) -> Option<CrdFault<'c>> {
        let Some(schemas) = value.as_sequence() else { return Some(CrdFault::Malformed { keyword }) };
        for (index, schema) in schemas.iter().enumerate() {
            into.push(self.node(schema, &at.index(index), Role::Branch, depth + 1));
        }
        None
    }

    fn finish(
        &mut self,
        mut draft: Draft<'c>,
        schema: &'c Node,
        mapping: &'c Mapping,
        at: &Path<'_>,
        role: Role,
        depth: usize,
    ) -> CrdNode {
        if draft.faulty {
            return CrdNode::any();
        }
        self.check_structure(&draft, schema, at, role);
        let kind = match draft.kind {
            _ if draft.int_or_string => Kind::IntOrString,
            Some(kind) => kind,
            None if role == Role::Root => Kind::Object,
            None => Kind::Any,
        };
        if role == Role::Root || draft.embedded {
            self.imply(&mut draft, at, role, depth);
        }
        draft.fields.sort_by(|a, b| a.name.cmp(&b.name));
        Self::require(&mut draft.fields, std::mem::take(&mut draft.required));
        let rest = draft.additional.unwrap_or(
            if role == Role::Branch || draft.preserve || self.preserve || kind != Kind::Object {
                Rest::Free
            } else {
                Rest::Closed
            },
        );
        let topology = match draft.list_type {
            Some("map") => CrdTopology::Map(draft.keys.iter().map(|name| key(name, mapping)).collect()),
            Some("set") => CrdTopology::Set,
            _ => CrdTopology::Atomic,
        };
        draft.rules.least = draft
            .bounds
            .0
            .map(|bound| if draft.exclusive.0 { Bound::Above(bound) } else { Bound::AtLeast(bound) });
        draft.rules.most = draft
            .bounds
            .1
            .map(|bound| if draft.exclusive.1 { Bound::Below(bound) } else { Bound::AtMost(bound) });
        CrdNode {
            kind,
            nullable: draft.nullable || kind == Kind::Any && role == Role::Branch,
            format: draft.format,
            required: draft.fields.iter().filter(|field| field.required).count(),
            fields: draft.fields,
            rest,
            items: draft.items,
            topology,
            rules: draft.ruled.then(|| Box::new(draft.rules)),
        }
    }

    /// Marks the required ones among `fields`, which are sorted. Alternatives name fields that are described elsewhere.
    fn require(fields: &mut Vec<Field>, mut names: Vec<&str>) {
        names.sort_unstable();
        names.dedup();
        names.retain(|name| match fields.binary_search_by(|field| field.name.as_str().cmp(name)) {
            Ok(index) => {
                fields[index].required = true;
                false
            }
            Err(_) => true,
        });
        let elsewhere = names.iter().map(|name| Field { required: true, ..free_field(name, FREE) });
        fields.extend(elsewhere);
        fields.sort_by(|a, b| a.name.cmp(&b.name));
    }

    fn check_structure(&mut self, draft: &Draft<'c>, schema: &'c Node, at: &Path<'_>, role: Role) {
        if !self.structural || role == Role::Branch {
            return;
        }
        let untyped = draft.kind.is_none() && !draft.int_or_string && !draft.preserve;
        let mut check = |wrong: bool, fault: CrdFault<'c>| {
            if wrong {
                self.fault(fault, at, schema.origin);
            }
        };
        check(untyped, CrdFault::NoType);
        check(
            draft.kind == Some(Kind::Array) && draft.items.is_none(),
            CrdFault::Lacks { what: "type: array", needs: "items" },
        );
        check(
            draft.list_type == Some("map") && draft.keys.is_empty(),
            CrdFault::Lacks { what: "x-kubernetes-list-type: map", needs: "x-kubernetes-list-map-keys" },
        );
        check(
            !draft.keys.is_empty() && draft.list_type != Some("map"),
            CrdFault::Lacks { what: "x-kubernetes-list-map-keys", needs: "x-kubernetes-list-type: map" },
        );
    }

    /// Adds what every object has; the schema may only narrow the name down.
    fn imply(&mut self, draft: &mut Draft<'c>, at: &Path<'_>, role: Role, depth: usize) {
        draft.fields.retain(|field| !matches!(field.name.as_str(), "apiVersion" | "kind" | "metadata"));
        let text = self.crds.push(CrdNode { kind: Kind::String, nullable: false, ..CrdNode::any() });
        for name in ["apiVersion", "kind"] {
            let required = role != Role::Root;
            draft.fields.push(Field { required, nullable: role == Role::Root, ..free_field(name, text) });
        }
        draft.fields.push(free_field("metadata", self.metadata));
        if let Some((schema, _)) = draft.metadata {
            let path = at.key("properties");
            let narrowed = self.node(schema, &path.key("metadata"), Role::Branch, depth + 1);
            let mut branch = CrdNode::any();
            branch.fields.push(free_field("metadata", narrowed));
            let branch = self.crds.push(branch);
            draft.rules.all_of.push(branch);
            draft.ruled = true;
        }
    }
}

const fn below(role: Role) -> Role {
    match role {
        Role::Branch => Role::Branch,
        Role::Root | Role::Value => Role::Value,
    }
}

fn free_field(name: &str, id: Id) -> Field {
    Field { name: name.into(), id, required: false, nullable: true, has_default: false }
}

fn kind_named(name: &str) -> Option<Kind> {
    Some(match name {
        "array" => Kind::Array,
        "boolean" => Kind::Boolean,
        "integer" => Kind::Integer,
        "number" => Kind::Number,
        "object" => Kind::Object,
        "string" => Kind::String,
        _ => return None,
    })
}

fn key(name: &str, list: &Mapping) -> Key {
    let default = list.get("items").and_then(|items| items.at(&["properties", name, "default"])).cloned();
    Key { name: name.into(), default }
}

fn flag<'c>(value: &Node, keyword: &'static str, into: &mut bool) -> Option<CrdFault<'c>> {
    match value.value {
        Value::Bool(flag) => {
            *into = flag;
            None
        }
        _ => Some(CrdFault::Malformed { keyword }),
    }
}

fn bound<'c>(value: &Node, keyword: &'static str, into: &mut Option<f64>) -> Option<CrdFault<'c>> {
    match value.value {
        Value::Number(number) => {
            *into = Some(float(number));
            None
        }
        _ => Some(CrdFault::Malformed { keyword }),
    }
}

fn count<'c>(value: &Node, keyword: &'static str, into: &mut Option<u64>) -> Option<CrdFault<'c>> {
    *into = match value.value {
        Value::Number(number) => integer(number).and_then(|number| u64::try_from(number).ok()),
        _ => None,
    };
    into.is_none().then_some(CrdFault::Malformed { keyword })
}

fn texts<'c>(value: &'c Node, keyword: &'static str, into: &mut Vec<&'c str>) -> Option<CrdFault<'c>> {
    match value.as_sequence().and_then(|items| items.iter().map(Node::as_str).collect()) {
        Some(all) => {
            *into = all;
            None
        }
        None => Some(CrdFault::Malformed { keyword }),
    }
}
