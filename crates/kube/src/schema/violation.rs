//! Violations of a schema: the problem, the pointer to the value, and its position.
//!
//! Messages must never quote a scalar of the object, or a field name that the schema does not declare: either could be
//! a misplaced secret. Callers that need the name find it in the violation.

use std::fmt;

use super::bound::RangeBound;
use super::fault::CrdFault;
use super::pointer::JsonPointer;
use super::shown::{shown, shown_text};
use super::value_type::{JsonType, ValueType};
use sealwave_core::diagnostic::{Explain, Problem, printable};
use sealwave_core::document::Origin;

/// Maximum number of enum values in a message.
const SHOWN_VALUES: usize = 12;
/// Maximum length of a rule's message from a CRD, in characters.
const SHOWN_MESSAGE: usize = 300;

/// A violation of a schema.
#[derive(Clone, Debug)]
pub struct Violation<'a> {
    /// The problem.
    pub kind: ViolationKind<'a>,
    /// Points to the invalid value; to the mapping for a missing or unknown field.
    pub pointer: JsonPointer,
    /// The position of the invalid value, of the key of an unknown field, or of the mapping that lacks a field.
    pub origin: Origin,
}

/// The reason why a value violates its schema.
#[derive(Clone, Debug, PartialEq)]
pub enum ViolationKind<'a> {
    /// The definition of a custom resource is not valid.
    Definition(CrdFault<'a>),
    /// Two items of a list have equal keys. The API server refuses some of these; in others, one item is lost.
    DuplicateListKey {
        /// The keys of the list.
        keys: Vec<&'a str>,
        /// The first of the two items.
        first: Origin,
    },
    /// Two items of a set are equal.
    DuplicateSetItem {
        /// The first of the two items.
        first: Origin,
    },
    /// A text does not have the required format.
    Format {
        /// The format's name in schemas.
        format: &'static str,
    },
    /// Too few or too many characters, items or fields.
    Length {
        /// `characters`, `items` or `fields`.
        of: &'static str,
        /// The allowed number.
        bound: RangeBound<u64>,
    },
    /// A required field is missing.
    MissingField {
        /// The field's name.
        field: &'a str,
    },
    /// A number is not a multiple of the schema's factor.
    MultipleOf {
        /// The factor.
        factor: f64,
    },
    /// A value is not one of the allowed values.
    NotInEnum {
        /// The allowed texts.
        allowed: Vec<&'a str>,
        /// The value that was probably meant.
        closest: Option<&'a str>,
    },
    /// A text does not match the pattern.
    Pattern {
        /// The pattern.
        pattern: &'a str,
    },
    /// A number is too small or too large.
    Range {
        /// The violated bound.
        bound: RangeBound<f64>,
    },
    /// A rule of `x-kubernetes-validations` is violated.
    Rule {
        /// The expression.
        rule: &'a str,
        /// The message from the definition.
        message: Option<&'a str>,
        /// The error that ended the evaluation, if any.
        fault: Option<&'static str>,
    },
    /// Checking the object takes too long; violations found until then are reported.
    TooComplex,
    /// Mappings and sequences are nested too deeply.
    TooDeep,
    /// A value violates `anyOf`, `oneOf` or `not`.
    Unfit {
        /// The keyword.
        keyword: &'static str,
    },
    /// A field is not in the schema.
    UnknownField {
        /// Its name, which may be any text.
        field: &'a str,
        /// The known field that was probably meant.
        closest: Option<&'a str>,
    },
    /// A value has the wrong type.
    WrongType {
        /// The expected type.
        expected: ValueType,
        /// The actual type.
        found: JsonType,
    },
}

impl Violation<'_> {
    /// Converts the violation to a problem whose message starts with the pointer.
    #[must_use]
    pub fn problem(&self) -> Problem {
        Problem::at(self.origin, self)
    }
}

impl fmt::Display for Violation<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.pointer.as_str().is_empty() {
            return self.kind.fmt(f);
        }
        write!(f, "`{}`: {}", printable(&self.pointer), self.kind)
    }
}

impl std::error::Error for Violation<'_> {}

impl Explain for Violation<'_> {
    fn hint(&self) -> Option<String> {
        self.kind.hint()
    }
}

impl ViolationKind<'_> {
    /// Returns a stable identifier of the kind of violation: `unknown-field`, `type`, …
    #[must_use]
    pub const fn id(&self) -> &'static str {
        match self {
            Self::Definition(_) => "definition",
            Self::DuplicateListKey { .. } | Self::DuplicateSetItem { .. } => "duplicate",
            Self::Format { .. } => "format",
            Self::Length { .. } => "length",
            Self::MissingField { .. } => "required",
            Self::MultipleOf { .. } | Self::Range { .. } => "range",
            Self::NotInEnum { .. } => "enum",
            Self::Pattern { .. } => "pattern",
            Self::Rule { .. } => "rule",
            Self::TooComplex | Self::TooDeep => "bounds",
            Self::Unfit { .. } => "alternatives",
            Self::UnknownField { .. } => "unknown-field",
            Self::WrongType { .. } => "type",
        }
    }

    /// Returns how to fix it.
    #[must_use]
    pub fn hint(&self) -> Option<String> {
        match self {
            Self::Definition(fault) => fault.hint(),
            Self::DuplicateListKey { keys, .. } => {
                Some(format!("each item of this list needs a unique {}", quoted(keys)))
            }
            Self::Format { format } => Some(super::format::hint(format).to_owned()),
            Self::NotInEnum { closest: Some(name), .. } | Self::UnknownField { closest: Some(name), .. } => {
                Some(format!("did you mean `{}`?", shown(name)))
            }
            Self::TooComplex | Self::TooDeep => {
                Some("split the object, or simplify its definition".to_owned())
            }
            Self::UnknownField { .. } => {
                Some("remove it, or check its spelling and its indentation".to_owned())
            }
            Self::WrongType {
                expected: ValueType::String,
                found: JsonType::Boolean | JsonType::Integer | JsonType::Number,
            } => Some("put the value in quotes".to_owned()),
            Self::WrongType {
                found: JsonType::String,
                expected: ValueType::Integer | ValueType::Number | ValueType::Boolean,
            } => Some("remove the quotes if this is the intended value".to_owned()),
            Self::WrongType { found: JsonType::Null, .. } => {
                Some("give it a value, or remove the key".to_owned())
            }
            _ => None,
        }
    }
}

/// The message of a violation, without its pointer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ViolationMessage {
    /// A whole sentence.
    Sentence(String),
    /// A problem of the value, without the subject: `is not a multiple of 2`.
    OfValue(String),
}

impl fmt::Display for ViolationMessage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::OfValue(rest) => write!(f, "{VALUE}{rest}"),
            Self::Sentence(text) => f.write_str(text),
        }
    }
}

/// The subject of a message about a value that has no better name.
const VALUE: &str = "value ";

impl ViolationKind<'_> {
    /// Returns the message.
    #[must_use]
    pub fn message(&self) -> ViolationMessage {
        use ViolationMessage::{OfValue, Sentence};
        match self {
            Self::Definition(fault) => Sentence(fault.to_string()),
            Self::DuplicateListKey { keys, first } => {
                Sentence(format!("item has the same {} as the item on line {}", quoted(keys), first.line))
            }
            Self::DuplicateSetItem { first } => {
                Sentence(format!("item of a set is the same as the item on line {}", first.line))
            }
            Self::Format { format } => OfValue(format!("does not have the format `{format}`")),
            Self::Length { of, bound } => {
                let of = if bound.end() == 1 { of.trim_end_matches('s') } else { of };
                OfValue(format!("must have {bound} {of}"))
            }
            Self::MissingField { field } => Sentence(format!("field `{}` is missing", shown(field))),
            Self::MultipleOf { factor } => OfValue(format!("is not a multiple of {factor}")),
            Self::NotInEnum { allowed, .. } if allowed.is_empty() => {
                OfValue("is not one of the allowed values".to_owned())
            }
            Self::NotInEnum { allowed, .. } => {
                let more = if allowed.len() > SHOWN_VALUES { ", …" } else { "" };
                let listed = quoted(allowed.get(..SHOWN_VALUES).unwrap_or(allowed));
                OfValue(format!("is not one of {listed}{more}"))
            }
            Self::Pattern { pattern } => OfValue(format!("does not match the pattern `{}`", shown(pattern))),
            Self::Range { bound } => OfValue(format!("must be {bound}")),
            Self::Rule { rule, message: Some(message), fault: None } => {
                let text = format!("{} (rule `{}`)", shown_text(message, SHOWN_MESSAGE), shown(rule));
                // The author of a definition may have written it like our own messages.
                match text.strip_prefix(VALUE) {
                    Some(rest) => OfValue(rest.to_owned()),
                    None => Sentence(text),
                }
            }
            Self::Rule { rule, fault: Some(fault), .. } => {
                Sentence(format!("rule `{}` cannot be evaluated: {fault}", shown(rule)))
            }
            Self::Rule { rule, .. } => Sentence(format!("rule `{}` does not hold", shown(rule))),
            Self::TooComplex => Sentence("object takes too much work to check".to_owned()),
            Self::TooDeep => OfValue("is nested too deeply".to_owned()),
            Self::Unfit { keyword: "not" } => OfValue("is excluded by `not`".to_owned()),
            Self::Unfit { keyword: "oneOf" } => {
                OfValue("does not match exactly one alternative of `oneOf`".to_owned())
            }
            Self::Unfit { keyword } => OfValue(format!("does not match any alternative of `{keyword}`")),
            Self::UnknownField { .. } => Sentence("field is unknown".to_owned()),
            Self::WrongType { expected, found } => OfValue(format!("is of type {found}, not {expected}")),
        }
    }
}

impl fmt::Display for ViolationKind<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.message().fmt(f)
    }
}

fn quoted(names: &[&str]) -> String {
    names.iter().map(|name| format!("`{}`", shown(name))).collect::<Vec<_>>().join(", ")
}
