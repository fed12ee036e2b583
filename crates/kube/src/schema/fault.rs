//! What is wrong with the definition of a custom resource.

use std::fmt;

use super::violation::shown;
use sealwave_core::text::closest;

/// The types that a schema may name.
pub(super) const TYPES: [&str; 6] = ["array", "boolean", "integer", "number", "object", "string"];

/// A fault in a `CustomResourceDefinition`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum CrdFault<'a> {
    /// An `array` without `items`, or a `map` list without keys, or the like: what needs what.
    Lacks {
        /// The keyword that is there.
        what: &'static str,
        /// The one that is not.
        needs: &'static str,
    },
    /// Something is not of the type that a definition needs there.
    Malformed {
        /// The keyword.
        keyword: &'static str,
    },
    /// A node has no `type`.
    NoType,
    /// A pattern that is not valid, or takes too much to match. It is left out of checks.
    Pattern,
    /// `$ref` and its like, which definitions may not have.
    Forbidden {
        /// The keyword.
        keyword: &'static str,
    },
    /// A pattern whose syntax no reading of Go's `regexp` takes.
    PatternSyntax,
    /// Something that the API server refuses.
    Rule {
        /// What is wrong.
        message: &'static str,
        /// What to do about it; may be empty.
        hint: &'static str,
    },
    /// A default that its schema does not take.
    Default {
        /// The violation of the schema.
        reason: String,
    },
    /// No version is served, so that no object can be applied.
    Unserved,
    /// A CEL rule uses a name that nothing declares.
    RuleName {
        /// The name.
        name: &'a str,
        /// Whether it is of a field.
        is_field: bool,
    },
    /// A CEL rule is not an expression.
    RuleSyntax {
        /// What is wrong.
        problem: &'static str,
        /// Where in the expression, in characters.
        column: usize,
    },
    /// There are more nodes in it, or deeper ones, than any honest definition has.
    TooLarge,
    /// A `type` that is none.
    UnknownType {
        /// The type that is named; no secret, a definition is no place for one, but anything at all.
        name: &'a str,
    },
    /// `x-kubernetes-list-type` and its like with a value that is none of theirs.
    UnknownValue {
        /// The keyword.
        keyword: &'static str,
    },
}

impl CrdFault<'_> {
    /// Whether it only means that something is not checked.
    #[must_use]
    pub const fn is_note(&self) -> bool {
        matches!(self, Self::Pattern)
    }

    /// Returns whether the API server takes it all the same.
    #[must_use]
    pub const fn is_warning(&self) -> bool {
        matches!(self, Self::Unserved)
    }

    /// What to do about it.
    #[must_use]
    pub fn hint(&self) -> Option<String> {
        match self {
            Self::Forbidden { .. } => Some("write the schema out in its place".to_owned()),
            Self::Lacks { needs, .. } => Some(format!("add `{needs}`")),
            Self::Malformed { .. }
            | Self::Rule { hint: "", .. }
            | Self::RuleSyntax { .. }
            | Self::UnknownValue { .. } => None,
            Self::Rule { hint, .. } => Some((*hint).to_owned()),
            Self::Default { .. } => Some("write a value that fits".to_owned()),
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
            Self::UnknownType { name } => Some(closest(name, TYPES).map_or_else(
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
            Self::Pattern => f.write_str("`pattern` is not a valid regular expression, or too large a one"),
            Self::PatternSyntax => f.write_str("`pattern` is not a valid regular expression"),
            Self::Rule { message, .. } => f.write_str(message),
            Self::Default { reason } => write!(f, "`default` does not fit its schema: {reason}"),
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
            Self::UnknownValue { keyword } => write!(f, "`{keyword}` has a value that does not exist"),
        }
    }
}
