//! Rules of `x-kubernetes-validations`: from definitions to programs, and from the names in them to what a schema declares.
//!
//! A rule is compiled when an object of its kind is checked, not when its definition is read.

use std::sync::OnceLock;

use super::crd::Crds;
use super::fault::CrdFault;
use super::node::{Field, Id, Kind, Rest, SchemaNode};
use crate::cel::{FieldType, Program, SyntaxError, TypeId, TypeSource};
use sealwave_core::document::Node;

/// Words of CEL that a field may be named, and that an expression writes with underscores around them.
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

/// A rule of a schema.
#[derive(Debug)]
pub(super) struct Validation {
    /// The expression.
    pub(super) rule: Box<str>,
    pub(super) message: Option<Box<str>>,
    /// Where a finding belongs, from the value that the rule is about.
    pub(super) field_path: Option<Box<str>>,
    /// Whether it also applies to an object that is being created.
    pub(super) has_optional_old_self: bool,
    program: OnceLock<Option<Program>>,
}

impl Validation {
    pub(super) fn new(rule: &Node) -> Self {
        let given = |key: &str| rule.get(key).and_then(Node::as_str).filter(|text| !text.trim().is_empty());
        let text = |key: &str| given(key).map(Into::into);
        let optional = rule.get("optionalOldSelf").map(|node| &node.value);
        Self {
            rule: text("rule").unwrap_or_default(),
            message: text("message"),
            field_path: text("fieldPath"),
            has_optional_old_self: matches!(optional, Some(sealwave_core::document::Value::Bool(true))),
            program: OnceLock::new(),
        }
    }

    /// Returns the program; `None` where the expression cannot be evaluated with certainty.
    pub(super) fn program(&self, at: Id, crds: &Crds) -> Option<&Program> {
        let compile = || {
            let program = Program::compile(&self.rule).ok()?;
            let is_sound = program.check_names(&variables(at), crds).is_none();
            is_sound.then_some(program)
        };
        self.program.get_or_init(compile).as_ref()
    }
}

const fn variables(at: Id) -> [(&'static str, Option<TypeId>); 2] {
    [("self", Some(at.0)), ("oldSelf", Some(at.0))]
}

/// Returns what the API server would refuse about a rule, and which part of the rule it is about.
pub(super) fn fault<'c>(rule: &'c Node, at: Id, crds: &Crds) -> Option<(CrdFault<'c>, &'c Node)> {
    let Some(expression) =
        rule.get("rule").filter(|rule| rule.as_str().is_some_and(|text| !text.trim().is_empty()))
    else {
        return Some((CrdFault::Lacks { what: "x-kubernetes-validations", needs: "rule" }, rule));
    };
    let all = [Some(expression), rule.get("messageExpression")].into_iter().flatten();
    all.filter_map(|node| Some((node.as_str()?, node))).find_map(|(text, node)| {
        let problem = match Program::compile(text) {
            Err(SyntaxError { offset, problem: Some(problem) }) => {
                CrdFault::RuleSyntax { problem, column: column(text, offset) }
            }
            Err(SyntaxError { problem: None, .. }) => return None,
            Ok(program) => {
                let error = program.check_names(&variables(at), crds)?;
                // The name is a part of the text, which lives longer than the program.
                let name =
                    text.find(error.name).and_then(|start| text.get(start..start + error.name.len()))?;
                CrdFault::RuleName { name, is_field: error.is_field }
            }
        };
        Some((problem, node))
    })
}

/// The column of an offset, counted in characters from one.
fn column(text: &str, offset: usize) -> usize {
    text.get(..offset).map_or(0, |before| before.chars().count()) + 1
}

impl TypeSource for Crds {
    fn field(&self, of: TypeId, name: &str) -> FieldType {
        let id = Id(of);
        // Of `metadata` rules see two fields.
        if !id.is_custom() {
            let is_visible = matches!(name, "name" | "generateName");
            return if is_visible { FieldType::Unknown } else { FieldType::Undeclared };
        }
        let schema = self.node(id);
        if schema.kind != Kind::Object || matches!(schema.rest, Rest::Like(_)) {
            return FieldType::Unknown;
        }
        let mut fields = schema.fields.iter();
        // Since Kubernetes 1.31 the API server knows a field that is named like a reserved word under that word as well.
        let is_called = |field: &&Field| {
            escaped(field.name()).is_some_and(|escaped| escaped == name)
                || RESERVED.contains(&name) && field.name() == name
        };
        match fields.find(is_called) {
            Some(field) => FieldType::Declared(field.id.0),
            None => FieldType::Undeclared,
        }
    }

    fn element(&self, of: TypeId) -> Option<TypeId> {
        let schema = self.custom(of)?;
        match (schema.kind, schema.rest) {
            (Kind::Array, _) => schema.items.map(|id| id.0),
            (Kind::Object, Rest::Like(id)) => Some(id.0),
            _ => None,
        }
    }

    fn is_list(&self, of: TypeId) -> bool {
        self.custom(of).is_some_and(|schema| schema.kind == Kind::Array)
    }
}

impl Crds {
    fn custom(&self, of: TypeId) -> Option<&SchemaNode> {
        Id(of).is_custom().then(|| self.node(Id(of)))
    }
}

/// Returns the name by which rules know a field; `None` where they cannot see it.
pub(super) fn escaped(name: &str) -> Option<std::borrow::Cow<'_, str>> {
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
    use super::escaped;

    #[test]
    fn names_are_escaped_as_the_api_server_escapes_them() {
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
            assert_eq!(escaped(name).as_deref(), wanted, "{name}");
        }
    }
}
