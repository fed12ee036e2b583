//! Rules of `x-kubernetes-validations`: compiles them to programs and resolves names against the schema.
//!
//! A rule is compiled when an object of its kind is checked, not when its definition is read.

use super::cel_rule::CelRule;
use super::crd::Crds;
use super::fault::CrdFault;
use super::node::{ExtraFields, NodeId, SchemaField, SchemaNode, ValueType};
use crate::cel::{CelProgram, FieldType, SyntaxError, TypeId, TypeSource};
use sealwave_core::document::Node;

/// Reserved words of CEL that a field may have as its name; expressions write them with underscores around.
pub(super) const RESERVED: [&str; 21] = [
    "as",
    "break",
    "const",
    "continue",
    "else",
    "false",
    "for",
    "function",
    "if",
    "import",
    "in",
    "let",
    "loop",
    "namespace",
    "null",
    "package",
    "return",
    "true",
    "var",
    "void",
    "while",
];

impl CelRule {
    /// Returns the program, or `None` if the expression cannot be evaluated reliably.
    pub(super) fn program(&self, at: NodeId, crds: &Crds) -> Option<&CelProgram> {
        let compile = || {
            let program = CelProgram::compile(&self.rule).ok()?;
            let is_sound = program.check_names(&variables(at), crds).is_none();
            is_sound.then_some(program)
        };
        self.program.get_or_init(compile).as_ref()
    }
}

const fn variables(at: NodeId) -> [(&'static str, Option<TypeId>); 2] {
    [("self", Some(at.0)), ("oldSelf", Some(at.0))]
}

/// Returns the API server's error about a rule, and the part of the rule that causes it.
pub(super) fn find_rule_fault<'c>(
    rule: &'c Node,
    at: NodeId,
    crds: &Crds,
) -> Option<(CrdFault<'c>, &'c Node)> {
    let Some(expression) =
        rule.get("rule").filter(|rule| rule.as_str().is_some_and(|text| !text.trim().is_empty()))
    else {
        return Some((CrdFault::Lacks { what: "x-kubernetes-validations", needs: "rule" }, rule));
    };
    let all = [Some(expression), rule.get("messageExpression")].into_iter().flatten();
    all.filter_map(|node| Some((node.as_str()?, node))).find_map(|(text, node)| {
        let problem = match CelProgram::compile(text) {
            Err(SyntaxError { offset, problem: Some(problem) }) => {
                CrdFault::RuleSyntax { problem, column: column(text, offset) }
            }
            Err(SyntaxError { problem: None, .. }) => return None,
            Ok(program) => {
                let error = program.check_names(&variables(at), crds)?;
                // Take the name from the text, which outlives the program.
                let name =
                    text.find(error.name).and_then(|start| text.get(start..start + error.name.len()))?;
                CrdFault::RuleName { name, is_field: error.is_field }
            }
        };
        Some((problem, node))
    })
}

/// Returns the column of an offset, in characters, starting at 1.
fn column(text: &str, offset: usize) -> usize {
    text.get(..offset).map_or(0, |before| before.chars().count()) + 1
}

impl TypeSource for Crds {
    fn field(&self, of: TypeId, name: &str) -> FieldType {
        let id = NodeId(of);
        // Rules see two fields of `metadata`.
        if !id.is_custom() {
            let is_visible = matches!(name, "name" | "generateName");
            return if is_visible { FieldType::Unknown } else { FieldType::Undeclared };
        }
        let schema = self.node(id);
        if schema.kind != ValueType::Object || matches!(schema.rest, ExtraFields::Like(_)) {
            return FieldType::Unknown;
        }
        let mut fields = schema.fields.iter();
        // Since Kubernetes 1.31, a field named like a reserved word is also known by that word.
        let has_name = |field: &&SchemaField| {
            escape_field_name(field.name()).is_some_and(|escaped| escaped == name)
                || RESERVED.contains(&name) && field.name() == name
        };
        match fields.find(has_name) {
            Some(field) => FieldType::Declared(field.id.0),
            None => FieldType::Undeclared,
        }
    }

    fn element(&self, of: TypeId) -> Option<TypeId> {
        let schema = self.custom(of)?;
        match (schema.kind, schema.rest) {
            (ValueType::Array, _) => schema.items.map(|id| id.0),
            (ValueType::Object, ExtraFields::Like(id)) => Some(id.0),
            _ => None,
        }
    }

    fn is_list(&self, of: TypeId) -> bool {
        self.custom(of).is_some_and(|schema| schema.kind == ValueType::Array)
    }
}

impl Crds {
    fn custom(&self, of: TypeId) -> Option<&SchemaNode> {
        NodeId(of).is_custom().then(|| self.node(NodeId(of)))
    }
}

/// Returns the name of a field in rules, or `None` if rules cannot see it.
pub(super) fn escape_field_name(name: &str) -> Option<std::borrow::Cow<'_, str>> {
    if name.bytes().next().is_none_or(|first| first.is_ascii_digit()) {
        return None;
    }
    if RESERVED.contains(&name) {
        return Some(format!("__{name}__").into());
    }
    let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'_';
    if name.bytes().all(is_plain) && !name.contains("__") {
        return Some(name.into());
    }
    if !name.bytes().all(|byte| is_plain(byte) || matches!(byte, b'.' | b'-' | b'/')) {
        return None;
    }
    let mut out = name.replace("__", "\0");
    for (from, to) in [("\0", "__underscores__"), (".", "__dot__"), ("-", "__dash__"), ("/", "__slash__")] {
        out = out.replace(from, to);
    }
    Some(out.into())
}

#[cfg(test)]
mod tests {
    use super::escape_field_name;

    #[test]
    fn names_are_escaped_as_by_the_api_server() {
        for (name, wanted) in [
            ("replicas", Some("replicas")),
            ("namespace", Some("__namespace__")),
            ("in", Some("__in__")),
            ("a-b", Some("a__dash__b")),
            ("a.b/c", Some("a__dot__b__slash__c")),
            ("a__b", Some("a__underscores__b")),
            ("___", Some("__underscores___")),
            ("_a", Some("_a")),
            ("-", Some("__dash__")),
            ("1a", None),
            ("", None),
            ("a b", None),
            ("é", None),
        ] {
            assert_eq!(escape_field_name(name).as_deref(), wanted, "{name}");
        }
    }
}
