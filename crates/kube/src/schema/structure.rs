//! The API server's rules for the schema of a definition: it must be structural, and its extensions must be compatible.
//!
//! Missing types, unknown keywords and similar faults are reported when a schema is compiled, and not here.

use std::collections::BTreeSet;

use super::fault::CrdFault;
use super::fault_collector::FaultCollector;
use super::path::ValuePath;
use sealwave_core::document::{Mapping, Node, NodeValue};
use sealwave_core::pattern::GoPattern;

/// Maximum depth of a schema; deeper ones are reported by the compiler.
const MAX_DEPTH: usize = 120;
/// Maximum number of schemas that are checked.
const MAX_SCHEMAS: usize = 200_000;

const JUNCTORS: [&str; 3] = ["allOf", "anyOf", "oneOf"];

/// Keywords that the root of a schema may have if the version has the subresource `status`.
const BESIDE_STATUS: [&str; 22] = [
    "description",
    "type",
    "format",
    "title",
    "maximum",
    "exclusiveMaximum",
    "minimum",
    "exclusiveMinimum",
    "maxLength",
    "minLength",
    "pattern",
    "maxItems",
    "minItems",
    "uniqueItems",
    "multipleOf",
    "required",
    "items",
    "properties",
    "externalDocs",
    "example",
    "x-kubernetes-preserve-unknown-fields",
    "x-kubernetes-validations",
];

/// Keywords that are only allowed outside `allOf`, `anyOf`, `oneOf` and `not`.
const STRUCTURAL_ONLY: [&str; 12] = [
    "additionalProperties",
    "default",
    "description",
    "nullable",
    "title",
    "type",
    "x-kubernetes-embedded-resource",
    "x-kubernetes-int-or-string",
    "x-kubernetes-list-map-keys",
    "x-kubernetes-list-type",
    "x-kubernetes-map-type",
    "x-kubernetes-preserve-unknown-fields",
];

/// Checks the schema of a version.
pub(crate) fn check(schema: &Node, at: &ValuePath<'_>, has_status: bool, faults: &mut FaultCollector<'_>) {
    let Some(mapping) = schema.as_mapping() else { return };
    root(schema, mapping, at, has_status, faults);
    let mut structure = StructureChecker { faults, left: MAX_SCHEMAS, patterns: BTreeSet::new() };
    structure.schema(schema, at, true, 0);
}

fn root(
    schema: &Node,
    mapping: &Mapping,
    at: &ValuePath<'_>,
    has_status: bool,
    faults: &mut FaultCollector<'_>,
) {
    match schema.get("type").map(|node| (node, node.as_str())) {
        Some((_, Some("object"))) => {}
        Some((node, _)) => {
            faults.add(
                "type at the root is not `object`",
                "write `type: object`",
                &at.key("type"),
                node.origin,
            );
        }
        // Reported when it is compiled, unless the schema accepts anything.
        None if is_true(schema, "x-kubernetes-preserve-unknown-fields") && has_status => {
            faults.add("schema has no `type`", "write `type: object`", at, schema.display_origin());
        }
        None => {}
    }
    if is_true(schema, "nullable") {
        faults.add(
            "root of a schema is nullable",
            "remove `nullable`",
            &at.key("nullable"),
            schema.display_origin(),
        );
    }
    if let Some(entry) = mapping.entry("additionalProperties").filter(|entry| !is_null(&entry.value)) {
        let hint = "write `properties`, or `x-kubernetes-preserve-unknown-fields: true`";
        faults.add(
            "root of a schema has `additionalProperties`",
            hint,
            &at.key(&entry.key),
            entry.key_origin,
        );
    }
    let is_forbidden = |entry: &&sealwave_core::document::MappingEntry| {
        !BESIDE_STATUS.contains(&entry.key.as_str())
            && !is_zero(&entry.value)
            && entry.key != "additionalProperties"
    };
    if let Some(entry) = mapping.entries().iter().find(is_forbidden).filter(|_| has_status) {
        let hint = "move it into `properties`, for example to `spec`";
        faults.add(
            "keyword is not allowed at the root of a version that has the subresource `status`",
            hint,
            &at.key(&entry.key),
            entry.key_origin,
        );
    }
    let metadata = schema.at(&["properties", "metadata", "properties"]).and_then(Node::as_mapping);
    let is_restriction = |entry: &&sealwave_core::document::MappingEntry| {
        !matches!(entry.key.as_str(), "name" | "generateName")
    };
    if let Some(entry) = metadata.and_then(|metadata| metadata.entries().iter().find(is_restriction)) {
        let path = at.key("properties");
        let path = path.key("metadata");
        let path = path.key("properties");
        let hint = "omit all but `name` and `generateName`";
        faults.add(
            "schema restricts metadata other than the name",
            hint,
            &path.key(&entry.key),
            entry.key_origin,
        );
    }
}

pub(super) struct StructureChecker<'f, 'c> {
    pub(super) faults: &'f mut FaultCollector<'c>,
    pub(super) left: usize,
    /// Patterns that were already checked: definitions often repeat them.
    patterns: BTreeSet<String>,
}

impl StructureChecker<'_, '_> {
    /// Checks a schema outside of junctors, and all schemas below it.
    fn schema(&mut self, schema: &Node, at: &ValuePath<'_>, is_root: bool, depth: usize) {
        if depth > MAX_DEPTH || self.left == 0 || schema.as_mapping().is_none() {
            return;
        }
        self.left -= 1;
        self.pattern(schema, at);
        self.extensions(schema, at);
        self.lists(schema, at);
        self.fields(schema, at);
        self.branches(schema, schema, at, depth);
        let properties_at = at.key("properties");
        for entry in entries(schema.get("properties")) {
            // Metadata at the root is a restriction, not a separate schema.
            if !(is_root && entry.key == "metadata") {
                self.schema(&entry.value, &properties_at.key(&entry.key), false, depth + 1);
            }
        }
        for keyword in ["items", "additionalProperties"] {
            if let Some(below) = schema.get(keyword) {
                self.schema(below, &at.key(keyword), false, depth + 1);
            }
        }
    }

    /// Checks the junctors of a schema; `outside` is the schema that contains them.
    fn branches(&mut self, schema: &Node, outside: &Node, at: &ValuePath<'_>, depth: usize) {
        for keyword in JUNCTORS {
            let path = at.key(keyword);
            let branches = schema.get(keyword).map(Node::items).unwrap_or_default();
            let is_exempt = keyword == "anyOf" && is_int_or_string(schema.get(keyword));
            for (index, branch) in branches.iter().enumerate() {
                self.branch(branch, outside, &path.index(index), is_exempt, depth + 1);
            }
        }
        if let Some(not) = schema.get("not") {
            self.branch(not, outside, &at.key("not"), false, depth + 1);
        }
    }

    fn pattern(&mut self, schema: &Node, at: &ValuePath<'_>) {
        let Some(node) = schema.get("pattern") else { return };
        let Some(text) = node.as_str() else { return };
        self.left = self.left.saturating_sub(text.len() / 16);
        if self.left == 0 || self.patterns.contains(text) {
            return;
        }
        if GoPattern::is_malformed(text) {
            self.faults.push(CrdFault::PatternSyntax, &at.key("pattern"), node.origin);
        } else {
            self.patterns.insert(text.to_owned());
        }
    }

    fn extensions(&mut self, schema: &Node, at: &ValuePath<'_>) {
        let kind = schema.get("type").and_then(Node::as_str);
        let shown = schema.display_origin();
        if let Some(node) = schema.get("x-kubernetes-preserve-unknown-fields") {
            let path = at.key("x-kubernetes-preserve-unknown-fields");
            if matches!(node.value, NodeValue::Bool(false)) {
                self.faults.add(
                    "`x-kubernetes-preserve-unknown-fields` is false",
                    "remove it",
                    &path,
                    node.origin,
                );
            }
        }
        let preserves = is_true(schema, "x-kubernetes-preserve-unknown-fields");
        let embeds = is_true(schema, "x-kubernetes-embedded-resource");
        if is_true(schema, "x-kubernetes-int-or-string") && (preserves || embeds) {
            let hint = "remove one of the two";
            self.faults.add("an integer or string cannot also be an object", hint, at, shown);
        }
        if schema.get("x-kubernetes-map-type").is_some() && kind != Some("object") {
            let message = "`x-kubernetes-map-type` needs `type: object`";
            self.faults.add(message, "", &at.key("x-kubernetes-map-type"), shown);
        }
        if embeds {
            if kind != Some("object") {
                self.faults.add("`x-kubernetes-embedded-resource` needs `type: object`", "", at, shown);
            }
            if !preserves && entries(schema.get("properties")).is_empty() {
                let hint = "add `properties`, or `x-kubernetes-preserve-unknown-fields: true`";
                self.faults.add("embedded resource has no fields", hint, at, shown);
            }
            if let Some(node) = schema.get("additionalProperties") {
                let path = at.key("additionalProperties");
                self.faults.add(
                    "embedded resource has `additionalProperties`",
                    "remove it",
                    &path,
                    node.display_origin(),
                );
            }
        }
    }

    fn fields(&mut self, schema: &Node, at: &ValuePath<'_>) {
        let additional = schema.get("additionalProperties").filter(|node| !is_null(node));
        if let Some(node) = additional.filter(|node| !matches!(node.value, NodeValue::Bool(true)))
            && !entries(schema.get("properties")).is_empty()
        {
            let hint = "a map has `additionalProperties`, an object has `properties`: remove one of the two";
            let path = at.key("additionalProperties");
            self.faults.add(
                "`additionalProperties` and `properties` are both set",
                hint,
                &path,
                node.display_origin(),
            );
        }
    }

    /// Checks a schema below a junctor of `outside`: it may only restrict values.
    fn branch(&mut self, branch: &Node, outside: &Node, at: &ValuePath<'_>, is_exempt: bool, depth: usize) {
        if depth > MAX_DEPTH || self.left == 0 {
            return;
        }
        self.left -= 1;
        self.pattern(branch, at);
        for entry in entries(Some(branch)) {
            let key = entry.key.as_str();
            if STRUCTURAL_ONLY.contains(&key) && !is_zero(&entry.value) && !(is_exempt && key == "type") {
                let hint = "write it outside of `allOf`, `anyOf`, `oneOf` and `not`";
                self.faults.add(
                    "keyword is not allowed in an alternative",
                    hint,
                    &at.key(key),
                    entry.key_origin,
                );
            }
        }
        self.branches(branch, outside, at, depth);
        let hint = "describe it outside of `allOf`, `anyOf`, `oneOf` and `not` as well";
        let path = at.key("properties");
        for entry in entries(branch.get("properties")) {
            let path = path.key(&entry.key);
            match outside.at(&["properties", entry.key.as_str()]) {
                Some(field) => self.branch(&entry.value, field, &path, false, depth + 1),
                None => {
                    self.faults.add(
                        "field of an alternative is not described outside of it",
                        hint,
                        &path,
                        entry.key_origin,
                    );
                }
            }
        }
        if let Some(items) = branch.get("items") {
            if let Some(field) = outside.get("items") {
                self.branch(items, field, &at.key("items"), false, depth + 1);
            } else {
                let message = "items of an alternative are not described outside of it";
                self.faults.add(message, hint, &at.key("items"), items.display_origin());
            }
        }
    }
}

fn entries(node: Option<&Node>) -> &[sealwave_core::document::MappingEntry] {
    node.and_then(Node::as_mapping).map_or(&[], Mapping::entries)
}

/// Returns whether `anyOf` is the form that declares an integer or string.
fn is_int_or_string(any_of: Option<&Node>) -> bool {
    let only_type = |node: &Node| {
        let [entry] = entries(Some(node)) else { return None };
        (entry.key == "type").then(|| entry.value.as_str().map(str::to_owned))?
    };
    match any_of.map(Node::items) {
        Some([first, second]) => {
            only_type(first).as_deref() == Some("integer") && only_type(second).as_deref() == Some("string")
        }
        _ => false,
    }
}

pub(super) fn is_true(schema: &Node, keyword: &str) -> bool {
    schema.get(keyword).is_some_and(|node| matches!(node.value, NodeValue::Bool(true)))
}

pub(super) const fn is_null(node: &Node) -> bool {
    matches!(node.value, NodeValue::Null)
}

/// Returns whether the API server treats a value as absent.
fn is_zero(node: &Node) -> bool {
    match &node.value {
        NodeValue::Null | NodeValue::Bool(false) => true,
        NodeValue::String(text) => text.is_empty(),
        NodeValue::Sequence(items) => items.is_empty(),
        _ => false,
    }
}
