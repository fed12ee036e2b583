//! Faults in the definitions of custom resources.

use std::fmt;

use super::shown::shown;
use sealwave_core::text::closest_name;

/// The valid types of a schema.
pub(super) const TYPES: [&str; 6] = ["array", "boolean", "integer", "number", "object", "string"];

/// A fault in a `CustomResourceDefinition`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum CrdFault<'a> {
    /// A keyword needs another one: an `array` without `items`, a `map` list without keys.
    Lacks {
        /// The keyword that is present.
        what: &'static str,
        /// The keyword that is missing.
        needs: &'static str,
    },
    /// A value has the wrong type.
    Malformed {
        /// The keyword.
        keyword: &'static str,
    },
    /// A schema has no `type`.
    NoType,
    /// A pattern that is not valid or too expensive to match. It is not checked.
    Pattern,
    /// `$ref` and other keywords that definitions must not have.
    Forbidden {
        /// The keyword.
        keyword: &'static str,
    },
    /// A pattern that is not valid in Go's `regexp`.
    PatternSyntax,
    /// A problem that the API server refuses.
    Rule {
        /// The message.
        message: &'static str,
        /// Advice for the author; may be empty.
        hint: &'static str,
    },
    /// A default that does not match its schema.
    Default {
        /// The violation of the schema.
        reason: String,
    },
    /// No version is served, so objects cannot be applied.
    Unserved,
    /// A CEL rule uses an undeclared name.
    RuleName {
        /// The name.
        name: &'a str,
        /// Whether the name is a field name.
        is_field: bool,
    },
    /// A CEL rule that is not a valid expression.
    RuleSyntax {
        /// The problem.
        problem: &'static str,
        /// The column in the expression, in characters.
        column: usize,
    },
    /// The definition has too many nodes, or is nested too deeply.
    TooLarge,
    /// An unknown `type`.
    UnknownType {
        /// The type as written. Not a secret, but it may be any text.
        name: &'a str,
    },
    /// `x-kubernetes-list-type` or a similar keyword with an unknown value.
    UnknownValue {
        /// The keyword.
        keyword: &'static str,
    },
}

impl CrdFault<'_> {
    /// Reports whether the fault only means that something is not checked.
    #[must_use]
    pub const fn is_note(&self) -> bool {
        matches!(self, Self::Pattern)
    }

    /// Reports whether the API server accepts the definition nevertheless.
    #[must_use]
    pub const fn is_warning(&self) -> bool {
        matches!(self, Self::Unserved)
    }

    /// Returns how to fix it.
    #[must_use]
    pub fn hint(&self) -> Option<String> {
        match self {
            Self::Forbidden { .. } => Some("write out the schema instead".to_owned()),
            Self::Lacks { needs, .. } => Some(format!("add `{needs}`")),
            Self::Malformed { .. }
            | Self::Rule { hint: "", .. }
            | Self::RuleSyntax { .. }
            | Self::UnknownValue { .. } => None,
            Self::Rule { hint, .. } => Some((*hint).to_owned()),
            Self::Default { .. } => Some("write a value that matches the schema".to_owned()),
            Self::PatternSyntax => Some("write it in the syntax of Go's `regexp`".to_owned()),
            Self::Unserved => Some("write `served: true` in a version".to_owned()),
            Self::RuleName { is_field: true, .. } => Some(
                "declare it under `properties`; fields that `x-kubernetes-preserve-unknown-fields` keeps are not \
                 visible to rules"
                    .to_owned(),
            ),
            Self::RuleName { is_field: false, .. } => {
                Some("the variables of a rule are `self` and `oldSelf`".to_owned())
            }
            Self::NoType => {
                Some("add `type`, or `x-kubernetes-preserve-unknown-fields: true` or `x-kubernetes-int-or-string: true`".to_owned())
            }
            Self::Pattern => Some("values are not checked against it; see the syntax of Go's `regexp`".to_owned()),
            Self::TooLarge => Some("simplify the definition".to_owned()),
            Self::UnknownType { name } => Some(closest_name(name, TYPES).map_or_else(
                || format!("the types are {}", TYPES.map(|name| format!("`{name}`")).join(", ")),
                |name| format!("did you mean `{name}`?"),
            )),
        }
    }
}

impl fmt::Display for CrdFault<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Forbidden { keyword } => write!(f, "`{keyword}` is not allowed in a definition"),
            Self::Lacks { what, needs } => write!(f, "`{what}` needs `{needs}`"),
            Self::Malformed { keyword } => write!(f, "`{keyword}` is malformed"),
            Self::NoType => f.write_str("schema has no `type`"),
            Self::Pattern => f.write_str("`pattern` is not a valid regular expression, or is too large"),
            Self::PatternSyntax => f.write_str("`pattern` is not a valid regular expression"),
            Self::Rule { message, .. } => f.write_str(message),
            Self::Default { reason } => write!(f, "`default` does not match its schema: {reason}"),
            Self::Unserved => f.write_str("no version is served"),
            Self::RuleName { name, is_field } => {
                let what = if *is_field { "field" } else { "name" };
                write!(f, "CEL rule uses the {what} `{}`, which is not declared", shown(name))
            }
            Self::RuleSyntax { problem, column } => {
                write!(f, "CEL rule is not valid: {problem} (column {column} of the rule)")
            }
            Self::TooLarge => f.write_str("schema is too large or nested too deeply"),
            Self::UnknownType { name } => write!(f, "type `{}` does not exist", shown(name)),
            Self::UnknownValue { keyword } => write!(f, "`{keyword}` has an unknown value"),
        }
    }
}
