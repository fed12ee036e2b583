//! Rules about values that YAML changes.

use crate::RuleKind;
use crate::rule::Rule;
use sealwave_core::diagnostic::Severity;

rules! {
    implicit_type,
    static DUPLICATE_KEY,
    static SYNTAX,
}

/// A mapping with a duplicate key.
pub(crate) static DUPLICATE_KEY: Rule = Rule::stage(
    RuleKind::Document,
    "yaml/duplicate-key",
    Severity::Error,
    "a mapping has a duplicate key",
    include_str!("duplicate_key.md"),
)
.lenient();

/// A document that Kubernetes cannot parse.
pub(crate) static SYNTAX: Rule = Rule::stage(
    RuleKind::Syntax,
    "yaml/syntax",
    Severity::Error,
    "a document is not valid YAML for Kubernetes",
    include_str!("syntax.md"),
);
