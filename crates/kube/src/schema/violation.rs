//! What is wrong with an object: the fault, the pointer to it, and where it stands.
//!
//! No message quotes a scalar of the object, nor a field's name that the schema does not know: either could be a secret
//! in the wrong place. Whoever knows better finds the name in the fault.

use std::fmt;

use super::fault::CrdFault;
use sealwave_core::diagnostic::{Explain, Problem, printable};
use sealwave_core::document::Origin;

/// Values that a message lists of an enum.
const SHOWN_VALUES: usize = 12;
/// Characters that a message shows of what a CRD says.
const SHOWN_CHARACTERS: usize = 120;
/// Characters that a message shows of what a CRD says about a rule.
const SHOWN_MESSAGE: usize = 300;

/// One thing that is wrong with an object.
#[derive(Clone, Debug)]
pub struct Violation<'a> {
    /// What is wrong.
    pub kind: ViolationKind<'a>,
    /// The value that is wrong; the mapping, where a field is missing or not known.
    pub pointer: Pointer,
    /// The value that is wrong; the key of an unknown field, the mapping that lacks a field.
    pub origin: Origin,
}

/// A JSON Pointer (RFC 6901) into an object.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Pointer(String);

/// How a value contradicts its schema.
#[derive(Clone, Debug, PartialEq)]
pub enum ViolationKind<'a> {
    /// The definition of a custom resource is itself wrong.
    Definition(CrdFault<'a>),
    /// Two items of a list have equal keys. The API server refuses some of these; of others, one is lost on the way.
    DuplicateListKey {
        /// The fields that make items of this list differ.
        keys: Vec<&'a str>,
        /// The first of the two.
        first: Origin,
    },
    /// Two items of a set are equal.
    DuplicateSetItem {
        /// The first of the two.
        first: Origin,
    },
    /// A text has not the form that its schema asks for.
    Format {
        /// The format's name, as schemas write it.
        format: &'static str,
    },
    /// There are too few or too many of something.
    Length {
        /// Of what: `characters`, `items` or `fields`.
        of: &'static str,
        /// How many.
        bound: Bound<u64>,
    },
    /// A required field is not there.
    MissingField {
        /// Its name.
        field: &'a str,
    },
    /// A number is no multiple of what the schema says.
    MultipleOf {
        /// Of what.
        factor: f64,
    },
    /// A value is none of those that are allowed.
    NotInEnum {
        /// The texts among them.
        allowed: Vec<&'a str>,
        /// The one that is probably meant.
        closest: Option<&'a str>,
    },
    /// A text does not match.
    Pattern {
        /// The pattern of the schema.
        pattern: &'a str,
    },
    /// A number is too small or too large.
    Range {
        /// By which bound.
        bound: Bound<f64>,
    },
    /// A rule of `x-kubernetes-validations` does not hold.
    Rule {
        /// The expression.
        rule: &'a str,
        /// What the definition says about it.
        message: Option<&'a str>,
        /// The error that ended the evaluation, where there was one.
        fault: Option<&'static str>,
    },
    /// The object takes more work to check than any honest one; what was found until then is reported.
    TooComplex,
    /// Mappings and sequences are nested too deeply.
    TooDeep,
    /// The combined schemas of `anyOf`, `oneOf` or `not` do not hold.
    Unfit {
        /// Which of the three.
        keyword: &'static str,
    },
    /// The schema has no such field.
    UnknownField {
        /// Its name, which may be anything.
        field: &'a str,
        /// The known field that is probably meant.
        closest: Option<&'a str>,
    },
    /// A value is of another type.
    WrongType {
        /// What it should be.
        expected: &'static str,
        /// What it is.
        found: &'static str,
    },
}

/// One end of a range.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Bound<T> {
    /// More than this.
    Above(T),
    /// This or more.
    AtLeast(T),
    /// This or less.
    AtMost(T),
    /// Less than this.
    Below(T),
}

impl Violation<'_> {
    /// The violation as a problem; its message starts with the pointer.
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

impl Pointer {
    /// As it is written in JSON Patches: `/spec/ports/0/port`; empty for the object itself.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    pub(super) fn push_key(&mut self, key: &str) {
        self.0.push('/');
        for c in key.chars() {
            match c {
                '~' => self.0.push_str("~0"),
                '/' => self.0.push_str("~1"),
                c => self.0.push(c),
            }
        }
    }

    pub(super) fn push_index(&mut self, index: usize) {
        self.0.push('/');
        self.0.push_str(&index.to_string());
    }
}

impl fmt::Display for Pointer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl ViolationKind<'_> {
    /// What kind of fault it is, in one word that stays the same: `unknown-field`, `type`, …
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

    /// What to do about it.
    #[must_use]
    pub fn hint(&self) -> Option<String> {
        match self {
            Self::Definition(fault) => fault.hint(),
            Self::DuplicateListKey { keys, .. } => {
                Some(format!("each item of this list has its own {}", quoted(keys)))
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
            Self::WrongType { expected: "string", found: "boolean" | "integer" | "number" } => {
                Some("put the value in quotes".to_owned())
            }
            Self::WrongType { found: "string", expected: "integer" | "number" | "boolean" } => {
                Some("remove the quotes, if it is the value that is meant".to_owned())
            }
            Self::WrongType { found: "null", .. } => Some("give it a value, or remove the key".to_owned()),
            _ => None,
        }
    }
}

impl fmt::Display for ViolationKind<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Definition(fault) => fault.fmt(f),
            Self::DuplicateListKey { keys, first } => {
                write!(f, "item has the same {} as one before it, on line {}", quoted(keys), first.line)
            }
            Self::DuplicateSetItem { first } => {
                write!(f, "item of a set is the same as one before it, on line {}", first.line)
            }
            Self::Format { format } => write!(f, "value does not have the format `{format}`"),
            Self::Length { of, bound } => {
                let of = if bound.end() == 1 { of.trim_end_matches('s') } else { of };
                write!(f, "value must have {bound} {of}")
            }
            Self::MissingField { field } => write!(f, "field `{}` is missing", shown(field)),
            Self::MultipleOf { factor } => write!(f, "value is not a multiple of {factor}"),
            Self::NotInEnum { allowed, .. } if allowed.is_empty() => {
                f.write_str("value is none of those that are allowed")
            }
            Self::NotInEnum { allowed, .. } => {
                let more = if allowed.len() > SHOWN_VALUES { ", …" } else { "" };
                let listed = quoted(allowed.get(..SHOWN_VALUES).unwrap_or(allowed));
                write!(f, "value is none of {listed}{more}")
            }
            Self::Pattern { pattern } => write!(f, "value does not match the pattern `{}`", shown(pattern)),
            Self::Range { bound } => write!(f, "value must be {bound}"),
            Self::Rule { rule, message: Some(message), fault: None } => {
                write!(f, "{} (rule `{}`)", shown_text(message, SHOWN_MESSAGE), shown(rule))
            }
            Self::Rule { rule, fault: Some(fault), .. } => {
                write!(f, "rule `{}` cannot be evaluated: {fault}", shown(rule))
            }
            Self::Rule { rule, .. } => write!(f, "rule `{}` does not hold", shown(rule)),
            Self::TooComplex => f.write_str("object takes too much work to check"),
            Self::TooDeep => f.write_str("value is nested too deeply"),
            Self::Unfit { keyword: "not" } => f.write_str("value is one that the schema excludes"),
            Self::Unfit { keyword: "oneOf" } => {
                f.write_str("value does not fit exactly one alternative of `oneOf`")
            }
            Self::Unfit { keyword } => write!(f, "value fits no alternative of `{keyword}`"),
            Self::UnknownField { .. } => f.write_str("a field is not known"),
            Self::WrongType { expected, found } => write!(f, "value is of type {found}, not {expected}"),
        }
    }
}

impl<T: Copy> Bound<T> {
    /// The number itself.
    pub const fn end(&self) -> T {
        match self {
            Self::Above(end) | Self::AtLeast(end) | Self::AtMost(end) | Self::Below(end) => *end,
        }
    }
}

impl<T: fmt::Display> fmt::Display for Bound<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Above(bound) => write!(f, "more than {bound}"),
            Self::AtLeast(bound) => write!(f, "at least {bound}"),
            Self::AtMost(bound) => write!(f, "at most {bound}"),
            Self::Below(bound) => write!(f, "less than {bound}"),
        }
    }
}

fn quoted(names: &[&str]) -> String {
    names.iter().map(|name| format!("`{}`", shown(name))).collect::<Vec<_>>().join(", ")
}

/// What a CRD says, as much of it as a message can bear.
pub(super) fn shown(text: &str) -> String {
    shown_text(text, SHOWN_CHARACTERS)
}

fn shown_text(text: &str, most: usize) -> String {
    let mut short: String = text.chars().take(most).collect();
    if short.len() < text.len() {
        short.push('…');
    }
    printable(short.replace('\n', " "))
}
