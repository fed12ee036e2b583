//! A rule of `x-kubernetes-validations`, as it is written.

use std::sync::OnceLock;

use crate::cel::CelProgram;
use sealwave_core::document::{Node, NodeValue};

/// A CEL rule of a schema.
#[derive(Debug)]
pub(super) struct CelRule {
    /// The expression.
    pub(super) rule: Box<str>,
    pub(super) message: Option<Box<str>>,
    /// The path of the finding, relative to the value that the rule applies to.
    pub(super) field_path: Option<Box<str>>,
    /// Whether the rule also applies when an object is created.
    pub(super) has_optional_old_self: bool,
    /// The compiled expression, once it is needed.
    pub(super) program: OnceLock<Option<CelProgram>>,
}

impl CelRule {
    pub(super) fn new(rule: &Node) -> Self {
        let non_empty =
            |key: &str| rule.get(key).and_then(Node::as_str).filter(|text| !text.trim().is_empty());
        let text = |key: &str| non_empty(key).map(Into::into);
        let optional = rule.get("optionalOldSelf").map(|node| &node.value);
        Self {
            rule: text("rule").unwrap_or_default(),
            message: text("message"),
            field_path: text("fieldPath"),
            has_optional_old_self: matches!(optional, Some(NodeValue::Bool(true))),
            program: OnceLock::new(),
        }
    }
}
