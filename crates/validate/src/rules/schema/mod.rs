//! Rules about objects and the schemas of their kinds. [`sealwave_kube::schema`] finds violations; this module only holds the pages.

use crate::rule::Rule;
use crate::{ApiRefusal, RuleInput, RuleKind};
use sealwave_core::diagnostic::Severity;

rules! {
    static CEL,
    static CONFIGURATION,
    static DEFINITION,
    static ENUM,
    static FORMAT,
    static LIST_KEY,
    static REQUIRED,
    static SEVERAL_DEFINITIONS,
    static TOO_COMPLEX,
    static TYPE,
    static UNEVALUATED,
    static UNKNOWN_FIELD,
    static UNKNOWN_KIND,
    static REJECTED_KIND,
    static VALUE,
    static MANIFEST,
}

/// A violated validation rule of a CustomResourceDefinition.
pub(crate) static CEL: Rule = Rule::stage(
    RuleKind::Schema,
    "schema/cel",
    Severity::Error,
    "an object breaks a validation rule of its CustomResourceDefinition",
    include_str!("cel.md"),
)
.refused(ApiRefusal::EveryKind);

/// A configuration file of a program.
pub(crate) static CONFIGURATION: Rule = Rule::stage(
    RuleKind::Schema,
    "schema/configuration",
    Severity::Note,
    "a document is a configuration file of a program, not a Kubernetes object",
    include_str!("configuration.md"),
);

/// An invalid CustomResourceDefinition.
pub(crate) static DEFINITION: Rule = Rule::stage(
    RuleKind::Schema,
    "schema/definition",
    Severity::Error,
    "a CustomResourceDefinition is invalid",
    include_str!("definition.md"),
)
.refused(ApiRefusal::EveryKind);

/// A value that is not one of the allowed values.
pub(crate) static ENUM: Rule = Rule::stage(
    RuleKind::Schema,
    "schema/enum",
    Severity::Error,
    "a value is not one of those that the field allows",
    include_str!("enum.md"),
)
.refused(ApiRefusal::EveryKind);

/// A string without the format that its field requires.
pub(crate) static FORMAT: Rule = Rule::stage(
    RuleKind::Schema,
    "schema/format",
    Severity::Error,
    "a string does not have the format that the field requires",
    include_str!("format.md"),
)
.refused(ApiRefusal::EveryKind);

/// Two list items with the same key.
pub(crate) static LIST_KEY: Rule = Rule::stage(
    RuleKind::Schema,
    "schema/list-key",
    Severity::Error,
    "two items of a list have the same key",
    include_str!("list_key.md"),
)
.refused(ApiRefusal::EveryKind);

/// A missing required field.
pub(crate) static REQUIRED: Rule = Rule::stage(
    RuleKind::Schema,
    "schema/required",
    Severity::Error,
    "a required field is missing",
    include_str!("required.md"),
)
.refused(ApiRefusal::EveryKind);

/// Different definitions of one kind.
pub(crate) static SEVERAL_DEFINITIONS: Rule = Rule::stage(
    RuleKind::Schema,
    "schema/several-definitions",
    Severity::Note,
    "a kind has several different definitions",
    include_str!("several_definitions.md"),
);

/// An object or definition that is too large or deep to check.
pub(crate) static TOO_COMPLEX: Rule = Rule::stage(
    RuleKind::Schema,
    "schema/too-complex",
    Severity::Warning,
    "an object or a definition is too complex to check",
    include_str!("too_complex.md"),
);

/// A value of a wrong type.
pub(crate) static TYPE: Rule = Rule::stage(
    RuleKind::Schema,
    "schema/type",
    Severity::Error,
    "a value does not have the type of the field",
    include_str!("type.md"),
)
.refused(ApiRefusal::EveryKind);

/// Validation rules that are not evaluated.
pub(crate) static UNEVALUATED: Rule = Rule::stage(
    RuleKind::Schema,
    "schema/unevaluated-rules",
    Severity::Note,
    "validation rules of a definition are not evaluated",
    include_str!("unevaluated_rules.md"),
);

/// A field that does not exist.
pub(crate) static UNKNOWN_FIELD: Rule = Rule::stage(
    RuleKind::Schema,
    "schema/unknown-field",
    Severity::Error,
    "an object has a field that its kind does not have",
    include_str!("unknown_field.md"),
)
.refused(ApiRefusal::EveryKind);

/// A kind without a schema.
pub(crate) static UNKNOWN_KIND: Rule = Rule::stage(
    RuleKind::Schema,
    "schema/unknown-kind",
    Severity::Note,
    "the kind of an object has no schema",
    include_str!("unknown_kind.md"),
)
.refused(ApiRefusal::EveryKind);

/// A kind that the caller rejects.
pub(crate) static REJECTED_KIND: Rule = Rule::stage(
    RuleKind::Schema,
    "schema/rejected-kind",
    Severity::Error,
    "an object is of a kind that `--reject` names",
    include_str!("rejected_kind.md"),
)
.depending_on(RuleInput::RejectedKinds);

/// A value out of bounds.
pub(crate) static VALUE: Rule = Rule::stage(
    RuleKind::Schema,
    "schema/value",
    Severity::Error,
    "a value is not allowed by the schema",
    include_str!("value.md"),
)
.refused(ApiRefusal::EveryKind);

/// A document that is not a Kubernetes object.
pub(crate) static MANIFEST: Rule = Rule::stage(
    RuleKind::Schema,
    "schema/manifest",
    Severity::Error,
    "a document is not a Kubernetes object",
    include_str!("manifest.md"),
)
.refused(ApiRefusal::EveryKind);
