//! The grammar of placeholders: `<provider:path#key#version | modifier | …>` inside a string.
//!
//! A text is parsed once, in one pass, before anything is fetched; a resolved value is never parsed.
//! Nothing here is printed by `Debug`: the literal parts of a text may be a secret that somebody committed.
//!
//! ```text
//! text        = { literal | placeholder }
//! placeholder = "<" provider ":" path [ "#" [ key ] [ "#" version ] ] { "|" modifier } ">"
//! provider    = a-z { a-z | 0-9 | "-" }
//! modifier    = name { argument }          in the order decoders, `default`, one encoder: see [`Modifiers`]
//! argument    = bare word | "…" with \" \\ \n \r \t | '…' with '' for a quote
//! ```
//!
//! * A `<` starts a placeholder exactly where a provider name and a colon follow it directly. So `<html>`, `a < b`,
//!   `<-`, `</x:y>` and `<Foo:bar>` are literal text, while `<http://…>` and `<soap:Body>` are placeholders (of a
//!   provider that nobody configured, which is an error: a misspelt provider must not reach a cluster as text).
//! * Directly before `provider:`, each pair `<<` stands for one literal `<`: `<<file:x#y>` is the text `<file:x#y>`,
//!   and `<<<file:x#y>` is a `<` followed by a value. Anywhere else `<<` is two characters.
//! * Path, key and version hold no `#`, `|`, `<`, `>` and no control character; spaces and tabs around them do not
//!   count. A path is never empty; `path##version` names a version of the whole value.
//! * A key may be a path with quoted names (see [`KeyPath`](crate::values::KeyPath)); a reference holds its canonical text.
//! * A placeholder ends on the line on which it starts. One that does not end is an error, not text.
//! * Bare arguments hold no space, `|`, `<` or `>`; quoted ones may. A bare `jsonPath` goes on to the next `|` or `>`,
//!   each run of white space in it counting as one space, as argocd-vault-plugin reads it.
//!
//! In an object that names a path ([`Generic`]) there is one form more, argocd-vault-plugin's generic one:
//!
//! ```text
//! placeholder = "<" key { "|" modifier } ">"
//! ```
//!
//! * There, a `<` starts a placeholder also where a `|` or a `>` follows on the line before another `<`, with more than
//!   white space between. What is between must be a key: letters, digits, spaces inside, and `- _ . / : @ +`. All else
//!   is an error: argocd-vault-plugin would ask its store for it.
//! * `<<` stands for a literal `<` before this form too: `<<key>` is the text `<key>`.
//! * A space may follow the `<` of either form.

mod json_path;
mod look_alike;
mod modifiers;
mod outside;
mod parser;

use std::fmt;

use compact_str::CompactString;
use zeroize::Zeroizing;

use crate::values::KeyPathError;

pub use json_path::{JsonPath, JsonStep, JsonTemplate, SelectError};
pub use look_alike::{LookAlike, LookAlikeKind, look_alike};
pub use modifiers::{Decoder, Decoders, Encoder, Misplacement, Modifiers};
pub use outside::suspects;
pub use parser::provider_name;

/// The provider name that stands for the app's default provider.
pub const DEFAULT_PROVIDER: &str = "path";

/// The kinds of providers that sealwave knows, with or without the feature that serves them.
pub const PROVIDER_KINDS: [&str; 7] = ["aws-sm", "aws-ssm", "env", "file", "k8s", "sops", "vault"];

/// What a placeholder refers to, apart from its modifiers.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Reference {
    /// Name of a provider.
    pub provider: CompactString,
    /// What the provider is asked for.
    pub path: String,
    /// One key of it, or a path into it, in its canonical text.
    pub key: Option<String>,
    /// One version of it.
    pub version: Option<String>,
    /// All of its top-level keys, each with its value, instead of one value. Never together with `key`.
    pub all_keys: bool,
}

impl fmt::Display for Reference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.provider, self.path)?;
        match (&self.key, &self.version) {
            (None, None) => Ok(()),
            (Some(key), None) => write!(f, "#{key}"),
            (key, Some(version)) => write!(f, "#{}#{version}", key.as_deref().unwrap_or("")),
        }
    }
}

/// What `<key>` refers to in an object that names a path: that key of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Generic {
    path: String,
    version: Option<String>,
}

impl Generic {
    /// A path and perhaps a version of the default provider; the rules are those for the fields of a placeholder.
    ///
    /// # Errors
    /// The field that holds what it may not.
    pub fn new(path: &str, version: Option<&str>) -> Result<Self, &'static str> {
        let path = parser::whole_field(path).ok_or("path")?.to_owned();
        let version = version
            .map(|version| parser::whole_field(version).map(str::to_owned).ok_or("version"))
            .transpose()?;
        Ok(Self { path, version })
    }

    fn reference(&self, key: String) -> Reference {
        Reference {
            provider: DEFAULT_PROVIDER.into(),
            path: self.path.clone(),
            key: Some(key),
            version: self.version.clone(),
            all_keys: false,
        }
    }
}

/// One placeholder.
#[derive(Clone, PartialEq, Eq)]
pub struct Placeholder {
    /// What it refers to.
    pub reference: Reference,
    /// What is done to the value.
    pub modifiers: Modifiers,
}

/// A piece of a text.
#[derive(Clone, PartialEq, Eq)]
pub enum Part {
    /// Characters that stand for themselves; never empty, never two in a row.
    Literal(Zeroizing<String>),
    /// A value to come.
    Placeholder(Placeholder),
}

/// A string that may hold placeholders, parsed.
#[derive(Clone, PartialEq, Eq)]
pub struct Text {
    parts: Vec<Part>,
}

impl Text {
    /// Parses a string. The work is linear in its length.
    ///
    /// # Errors
    /// The first place where a placeholder starts and is not well formed.
    pub fn parse(source: &str) -> Result<Self, GrammarError> {
        parser::text(source, None).map(|parts| Self { parts })
    }

    /// Parses a string of an object that names a path: `<key>` refers to a key of it. The work is linear as well.
    ///
    /// # Errors
    /// The first place where a placeholder starts and is not well formed.
    pub fn parse_generic(source: &str, generic: &Generic) -> Result<Self, GrammarError> {
        parser::text(source, Some(generic)).map(|parts| Self { parts })
    }

    /// The text that is one placeholder and nothing else.
    pub fn of(placeholder: Placeholder) -> Self {
        Self { parts: vec![Part::Placeholder(placeholder)] }
    }

    /// Its pieces in order.
    #[must_use]
    pub fn parts(&self) -> &[Part] {
        &self.parts
    }

    /// Its placeholders in order.
    pub fn placeholders(&self) -> impl Iterator<Item = &Placeholder> {
        self.parts.iter().filter_map(|part| match part {
            Part::Literal(_) => None,
            Part::Placeholder(placeholder) => Some(placeholder),
        })
    }

    /// What it refers to, in order of appearance; a reference that appears twice is there twice.
    pub fn references(&self) -> impl Iterator<Item = &Reference> {
        self.placeholders().map(|placeholder| &placeholder.reference)
    }

    /// Whether it holds no placeholder.
    #[must_use]
    pub fn is_literal(&self) -> bool {
        self.placeholders().next().is_none()
    }

    /// Returns whether it is one placeholder and holds no text of the author's own, neither around it nor in a modifier.
    pub fn is_bare_placeholder(&self) -> bool {
        matches!(&self.parts[..], [Part::Placeholder(placeholder)]
            if !placeholder.modifiers.add_text())
    }

    /// The same text with its references changed.
    pub fn map_references(mut self, mut change: impl FnMut(&mut Reference)) -> Self {
        for part in &mut self.parts {
            if let Part::Placeholder(placeholder) = part {
                change(&mut placeholder.reference);
            }
        }
        self
    }

    /// A source text that parses to this; it may hold a secret that somebody committed.
    #[must_use]
    pub fn to_source(&self) -> Zeroizing<String> {
        let mut out = Zeroizing::new(String::new());
        for (index, part) in self.parts.iter().enumerate() {
            match part {
                Part::Literal(text) => {
                    let before_placeholder = matches!(self.parts.get(index + 1), Some(Part::Placeholder(_)));
                    parser::write_literal(&mut out, text, before_placeholder);
                }
                Part::Placeholder(placeholder) => {
                    out.push('<');
                    out.push_str(&placeholder.reference.to_string());
                    placeholder.modifiers.write(&mut out);
                    out.push('>');
                }
            }
        }
        out
    }
}

/// Why a string is no text: what is wrong, and where in it.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{kind}")]
pub struct GrammarError {
    /// Bytes of the string before the place; always at a character's start.
    pub offset: usize,
    /// What is wrong there.
    pub kind: GrammarErrorKind,
}

/// What is wrong with a placeholder. The texts hold names from the grammar and nothing of a literal or argument.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum GrammarErrorKind {
    /// The argument of a modifier is not what it takes.
    #[error("modifier `{modifier}` takes {wanted}")]
    BadArgument {
        /// Its name.
        modifier: &'static str,
        /// What it takes.
        wanted: String,
    },
    /// A character that may not be there.
    #[error("placeholder holds a control character in its {0}")]
    ControlCharacter(&'static str),
    /// A path, key or version is empty.
    #[error("placeholder has an empty {0}")]
    Empty(&'static str),
    /// A modifier that may not stand where it does.
    #[error("modifier `{modifier}` {why}")]
    Misplaced {
        /// Its name.
        modifier: &'static str,
        /// Why not.
        why: Misplacement,
    },
    /// A key whose quotes are malformed, or that is too long.
    #[error("key of the placeholder {0}")]
    Key(KeyPathError),
    /// A bar without a modifier behind it.
    #[error("placeholder has a `|` without a modifier")]
    MissingModifier,
    /// What stands in brackets where a key would is none.
    #[error("what stands between `<` and `>` is no key")]
    NotAKey,
    /// No `>` on the line.
    #[error("placeholder is not closed")]
    NotClosed,
    /// A quoted argument without its closing quote.
    #[error("argument of modifier `{0}` has no closing quote")]
    QuoteNotClosed(String),
    /// More `#` than a reference has parts.
    #[error("placeholder has more than two `#`")]
    TooManyFields,
    /// An escape in a quoted argument that means nothing.
    #[error("argument of modifier `{0}` holds an unknown escape")]
    UnknownEscape(String),
    /// No such modifier.
    #[error("modifier `{0}` is unknown")]
    UnknownModifier(String),
    /// A modifier with more or fewer arguments than it takes.
    #[error("modifier `{modifier}` takes {wanted}, got {got}")]
    WrongArgumentCount {
        /// Its name.
        modifier: &'static str,
        /// How many it takes.
        wanted: &'static str,
        /// How many are there.
        got: usize,
    },
}

impl GrammarErrorKind {
    /// What to do about it.
    #[must_use]
    pub fn hint(&self) -> String {
        match self {
            Self::BadArgument { .. } | Self::WrongArgumentCount { .. } => {
                "arguments are separated by spaces; one that holds a space, `|`, `<` or `>` goes in quotes".into()
            }
            Self::ControlCharacter(_) | Self::Empty(_) | Self::TooManyFields => {
                "a placeholder is `<provider:path#key#version | modifier>`; `#key` and `#version` may be left out"
                    .into()
            }
            Self::Key(_) => {
                "a name that holds a dot goes in quotes: `#\"a.b\".c`; in them `\\\"` is a quote and `\\\\` a backslash".into()
            }
            Self::Misplaced { .. } => modifiers::SHAPE.into(),
            Self::MissingModifier | Self::UnknownModifier(_) => {
                format!("modifiers are {}", list(&modifiers::NAMES))
            }
            Self::NotAKey => {
                "each `<…>` is a placeholder here, since the object has `avp.kubernetes.io/path`; if it is meant as text, double its `<`"
                    .into()
            }
            Self::NotClosed => {
                "close it with `>` on the same line; if it is meant as text, double its `<`: `<<name:…`".into()
            }
            Self::QuoteNotClosed(_) | Self::UnknownEscape(_) => {
                "`\"…\"` knows `\\\"`, `\\\\`, `\\n`, `\\r` and `\\t`; in `'…'` a quote is written twice".into()
            }
        }
    }
}

/// Names in backticks, with commas.
pub fn list<T: AsRef<str>>(names: &[T]) -> String {
    names.iter().map(|name| format!("`{}`", name.as_ref())).collect::<Vec<_>>().join(", ")
}

#[cfg(test)]
mod tests;
