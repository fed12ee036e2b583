//! Rules about documents that are not valid YAML or not Kubernetes objects.

use super::Rule;
use sealwave_core::diagnostic::Severity;

/// A mapping with a duplicate key.
pub(crate) static DUPLICATE_KEY: Rule = Rule::stage(
    "yaml/duplicate-key",
    Severity::Error,
    "a mapping has a duplicate key",
    include_str!("duplicate_key.md"),
);

/// A document that is not a Kubernetes object.
pub(crate) static MANIFEST: Rule = Rule::stage(
    "schema/manifest",
    Severity::Error,
    "a document is not a Kubernetes object",
    include_str!("manifest.md"),
)
.refused();

/// A document that Kubernetes cannot parse.
pub(crate) static SYNTAX: Rule = Rule::stage(
    "yaml/syntax",
    Severity::Error,
    "a document is not valid YAML for Kubernetes",
    include_str!("syntax.md"),
);
