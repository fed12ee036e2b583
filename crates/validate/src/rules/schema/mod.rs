//! Objects against the schemas of their kinds. What finds them is [`sealwave_kube::schema`]; here are their pages.

use super::Rule;
use sealwave_core::diagnostic::Severity;

/// A rule of a custom resource's definition that does not hold.
pub(crate) static CEL: Rule = Rule::stage(
    "schema/cel",
    Severity::Error,
    "an object breaks a validation rule of its CustomResourceDefinition",
    include_str!("cel.md"),
)
.refused();

/// A document that a program reads from a file.
pub(crate) static CONFIGURATION: Rule = Rule::stage(
    "schema/configuration",
    Severity::Note,
    "a document is a configuration file of a program, not a Kubernetes object",
    include_str!("configuration.md"),
);

/// A definition of custom resources is itself wrong.
pub(crate) static DEFINITION: Rule = Rule::stage(
    "schema/definition",
    Severity::Error,
    "a CustomResourceDefinition is invalid",
    include_str!("definition.md"),
)
.refused();

/// A value that is none of those allowed.
pub(crate) static ENUM: Rule = Rule::stage(
    "schema/enum",
    Severity::Error,
    "a value is not one of those that the field allows",
    include_str!("enum.md"),
)
.refused();

/// A text without the form that its field asks for.
pub(crate) static FORMAT: Rule = Rule::stage(
    "schema/format",
    Severity::Error,
    "a string does not have the format that the field requires",
    include_str!("format.md"),
)
.refused();

/// Two items of a list where each must be its own.
pub(crate) static LIST_KEY: Rule = Rule::stage(
    "schema/list-key",
    Severity::Error,
    "two items of a list have the same key",
    include_str!("list_key.md"),
)
.refused();

/// A required field is missing.
pub(crate) static REQUIRED: Rule = Rule::stage(
    "schema/required",
    Severity::Error,
    "a required field is missing",
    include_str!("required.md"),
)
.refused();

/// Definitions of one kind that differ.
pub(crate) static SEVERAL_DEFINITIONS: Rule = Rule::stage(
    "schema/several-definitions",
    Severity::Note,
    "a kind has several different definitions",
    include_str!("several_definitions.md"),
);

/// Too large or too deep to be checked.
pub(crate) static TOO_COMPLEX: Rule = Rule::stage(
    "schema/too-complex",
    Severity::Warning,
    "an object or a definition is too complex to check",
    include_str!("too_complex.md"),
);

/// A value of another type.
pub(crate) static TYPE: Rule = Rule::stage(
    "schema/type",
    Severity::Error,
    "a value does not have the type of the field",
    include_str!("type.md"),
)
.refused();

/// Rules of a custom resource that are not evaluated.
pub(crate) static UNEVALUATED: Rule = Rule::stage(
    "schema/unevaluated-rules",
    Severity::Note,
    "validation rules of a definition are not evaluated",
    include_str!("unevaluated_rules.md"),
);

/// A field that there is not.
pub(crate) static UNKNOWN_FIELD: Rule = Rule::stage(
    "schema/unknown-field",
    Severity::Error,
    "an object has a field that its kind does not have",
    include_str!("unknown_field.md"),
)
.refused();

/// No schema for a kind.
pub(crate) static UNKNOWN_KIND: Rule = Rule::stage(
    "schema/unknown-kind",
    Severity::Note,
    "the kind of an object has no schema",
    include_str!("unknown_kind.md"),
)
.refused();

/// A kind that the caller does not want.
pub(crate) static REJECTED_KIND: Rule = Rule::stage(
    "schema/rejected-kind",
    Severity::Error,
    "an object is of a kind that `--reject` names",
    include_str!("rejected_kind.md"),
);

/// A value outside of its bounds.
pub(crate) static VALUE: Rule = Rule::stage(
    "schema/value",
    Severity::Error,
    "a value is not allowed by the schema",
    include_str!("value.md"),
)
.refused();
