//! What the reader says of a document: no YAML, or no Kubernetes object.

use super::Rule;
use sealwave_core::diagnostic::Severity;

/// The same key twice in a mapping.
pub(crate) static DUPLICATE_KEY: Rule = Rule::stage(
    "yaml/duplicate-key",
    Severity::Error,
    "a mapping has the same key twice",
    include_str!("duplicate_key.md"),
);

/// No Kubernetes object.
pub(crate) static MANIFEST: Rule = Rule::stage(
    "schema/manifest",
    Severity::Error,
    "a document is not a Kubernetes object",
    include_str!("manifest.md"),
)
.refused();

/// Not YAML, as Kubernetes reads it.
pub(crate) static SYNTAX: Rule = Rule::stage(
    "yaml/syntax",
    Severity::Error,
    "a document is not valid YAML for Kubernetes",
    include_str!("syntax.md"),
);
