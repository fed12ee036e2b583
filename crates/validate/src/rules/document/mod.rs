//! Rules about documents that are not valid YAML or not Kubernetes objects.

use super::Rule;
use crate::{ApiRefusal, RuleKind};
use sealwave_core::diagnostic::Severity;

/// A mapping with a duplicate key.
pub(crate) static DUPLICATE_KEY: Rule = Rule::stage(
    RuleKind::Document,
    "yaml/duplicate-key",
    Severity::Error,
    "a mapping has the same key twice",
    include_str!("duplicate_key.md"),
)
.lenient();

/// A document that is not a Kubernetes object.
pub(crate) static MANIFEST: Rule = Rule::stage(
    RuleKind::Schema,
    "schema/manifest",
    Severity::Error,
    "a document is not a Kubernetes object",
    include_str!("manifest.md"),
)
.refused(ApiRefusal::EveryKind);

/// A document that Kubernetes cannot parse.
pub(crate) static SYNTAX: Rule = Rule::stage(
    RuleKind::Syntax,
    "yaml/syntax",
    Severity::Error,
    "a document is not valid YAML for Kubernetes",
    include_str!("syntax.md"),
);
