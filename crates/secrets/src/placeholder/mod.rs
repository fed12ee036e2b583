//! The grammar of placeholders: `<provider:path#key#version | modifier | …>` inside a string.
//!
//! A text is parsed once, in one pass, before anything is fetched; a resolved value is never parsed. `Debug` prints
//! nothing of it: the literal parts of a text may be a plaintext secret from Git.
//!
//! ```text
//! text        = { literal | placeholder }
//! placeholder = "<" provider ":" path [ "#" [ key ] [ "#" version ] ] { "|" modifier } ">"
//! provider    = a-z { a-z | 0-9 | "-" }
//! modifier    = name { argument }          in the order decoders, `default`, one encoder: see [`Modifiers`]
//! argument    = bare word | "…" with \" \\ \n \r \t | '…' with '' for a quote
//! ```
//!
//! * A `<` starts a placeholder exactly if a provider name and a colon follow it directly. So `<html>`, `a < b`, `<-`,
//!   `</x:y>` and `<Foo:bar>` are literal text, while `<http://…>` and `<soap:Body>` are placeholders (of an unknown
//!   provider, which is an error: a misspelled provider must not reach a cluster as text).
//! * Directly before `provider:`, each pair `<<` stands for one literal `<`: `<<file:x#y>` is the text `<file:x#y>`,
//!   and `<<<file:x#y>` is a `<` followed by a value. Anywhere else, `<<` is two characters.
//! * Path, key and version contain no `#`, `|`, `<`, `>` and no control character; spaces and tabs around them are
//!   ignored. A path is never empty; `path##version` names a version of the whole value.
//! * A key may be a path with quoted names (see [`KeyPath`](crate::values::KeyPath)); a reference contains its canonical text.
//! * A placeholder ends on the line on which it starts. An unclosed one is an error, not text.
//! * Bare arguments contain no space, `|`, `<` or `>`; quoted ones may. A bare `jsonPath` extends to the next `|` or
//!   `>`; each run of whitespace in it counts as one space, as in argocd-vault-plugin.
//!
//! In an object that names a path ([`AvpPath`]), argocd-vault-plugin's generic form is accepted as well:
//!
//! ```text
//! placeholder = "<" key { "|" modifier } ">"
//! ```
//!
//! * There, a `<` also starts a placeholder if a `|` or a `>` follows on the line before another `<`, with more than
//!   whitespace between. The text between must be a key: letters, digits, spaces inside, and `- _ . / : @ +`. Anything
//!   else is an error: argocd-vault-plugin would request it from its store.
//! * `<<` stands for a literal `<` before this form as well: `<<key>` is the text `<key>`.
//! * A space may follow the `<` of either form.

mod colon_key;
mod json_path;
mod key_source;
mod look_alike;
mod modifier_table;
mod modifiers;
mod outside;
mod parser;

use std::fmt;

use compact_str::CompactString;
use zeroize::Zeroizing;

use crate::values::KeyPathError;

pub use json_path::{JsonPath, JsonStep, JsonTemplate, SelectError};
pub use key_source::{KeyPatterns, KeySource};
pub use look_alike::{LookAlike, LookAlikeKind, SOPS_TEXT_HINT, find_look_alike};
pub use modifier_table::{Decoder, Encoder, MODIFIERS, ModifierRole, ModifierRow};
pub use modifiers::{Decoders, Misplacement, Modifiers};
pub use outside::suspected_placeholders;
pub use parser::provider_name;

/// The provider name that means the app's default provider.
pub const DEFAULT_PROVIDER: &str = "path";

/// The kinds of providers that exist, whether or not this build includes them, ordered by name.
///
/// Look-alikes of placeholders are recognized by these names. A test of the providers compares them with the table of kinds.
pub const PROVIDER_KINDS: [&str; 8] = ["aws-sm", "aws-ssm", "derive", "env", "file", "k8s", "sops", "vault"];

/// The reference of a placeholder to a secret, without its modifiers.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct SecretReference {
    /// Name of a provider.
    pub provider: CompactString,
    /// The path of the secret.
    pub path: String,
    /// One key of the secret, or a path into it, in canonical form.
    pub key: Option<String>,
    /// One version of the secret.
    pub version: Option<String>,
    /// Selects all top-level keys, each with its value, instead of one value. Never together with `key`.
    pub all_keys: bool,
}

impl fmt::Display for SecretReference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.provider, self.path)?;
        match (&self.key, &self.version) {
            (None, None) => Ok(()),
            (Some(key), None) => write!(f, "#{key}"),
            (key, Some(version)) => write!(f, "#{}#{version}", key.as_deref().unwrap_or("")),
        }
    }
}

/// The path that `<key>` refers to in an object with such a path annotation.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AvpPath {
    path: String,
    version: Option<String>,
}

/// The part of an [`AvpPath`] that is not valid as a field of a placeholder.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum InvalidAvpPath {
    /// The path.
    Path,
    /// The version.
    Version,
}

impl AvpPath {
    /// Creates it from a path and an optional version of the default provider, with the rules of placeholder fields.
    ///
    /// # Errors
    /// Returns the part that is not valid.
    pub fn new(path: &str, version: Option<&str>) -> Result<Self, InvalidAvpPath> {
        let field = |text, invalid| parser::whole_field(text).map(str::to_owned).ok_or(invalid);
        let path = field(path, InvalidAvpPath::Path)?;
        let version = version.map(|version| field(version, InvalidAvpPath::Version)).transpose()?;
        Ok(Self { path, version })
    }

    fn reference(&self, key: String) -> SecretReference {
        SecretReference {
            provider: DEFAULT_PROVIDER.into(),
            path: self.path.clone(),
            key: Some(key),
            version: self.version.clone(),
            all_keys: false,
        }
    }
}

/// A placeholder.
#[derive(Clone, PartialEq, Eq)]
pub struct Placeholder {
    /// The secret that it refers to.
    pub reference: SecretReference,
    /// The transformations of the value.
    pub modifiers: Modifiers,
}

/// A part of a text.
#[derive(Clone, PartialEq, Eq)]
pub enum TextPart {
    /// Literal text; never empty, and never two in a row.
    Literal(Zeroizing<String>),
    /// A placeholder.
    Placeholder(Placeholder),
}

/// A parsed string that may contain placeholders.
#[derive(Clone, PartialEq, Eq)]
pub struct PlaceholderText {
    parts: Vec<TextPart>,
}

impl PlaceholderText {
    /// Parses a string. The work is linear in its length.
    ///
    /// # Errors
    /// Returns the first malformed placeholder.
    pub fn parse(source: &str) -> Result<Self, GrammarError> {
        parser::parse_text(source, None).map(|parts| Self { parts })
    }

    /// Parses a string of an object that names a path: `<key>` refers to a key at that path. The work is linear as
    /// well.
    ///
    /// # Errors
    /// Returns the first malformed placeholder.
    pub fn parse_generic(source: &str, generic: &AvpPath) -> Result<Self, GrammarError> {
        parser::parse_text(source, Some(generic)).map(|parts| Self { parts })
    }

    /// Creates a text without placeholders.
    #[must_use]
    pub fn literal(text: &str) -> Self {
        let parts = if text.is_empty() {
            Vec::new()
        } else {
            vec![TextPart::Literal(Zeroizing::new(text.to_owned()))]
        };
        Self { parts }
    }

    /// Creates a text that consists of one placeholder.
    #[must_use]
    pub fn from_placeholder(placeholder: Placeholder) -> Self {
        Self { parts: vec![TextPart::Placeholder(placeholder)] }
    }

    /// Returns its parts in order.
    #[must_use]
    pub fn parts(&self) -> &[TextPart] {
        &self.parts
    }

    /// Returns its placeholders in order.
    pub fn placeholders(&self) -> impl Iterator<Item = &Placeholder> {
        self.parts.iter().filter_map(|part| match part {
            TextPart::Literal(_) => None,
            TextPart::Placeholder(placeholder) => Some(placeholder),
        })
    }

    /// Returns its references in order of appearance, including duplicates.
    pub fn references(&self) -> impl Iterator<Item = &SecretReference> {
        self.placeholders().map(|placeholder| &placeholder.reference)
    }

    /// Reports whether it contains no placeholder.
    #[must_use]
    pub fn is_literal(&self) -> bool {
        self.placeholders().next().is_none()
    }

    /// Reports whether it is one placeholder without any text of the author, neither around it nor in a modifier.
    #[must_use]
    pub fn is_bare_placeholder(&self) -> bool {
        matches!(&self.parts[..], [TextPart::Placeholder(placeholder)]
            if !placeholder.modifiers.adds_text())
    }

    /// Returns the same text with its references changed.
    #[must_use]
    pub fn map_references(mut self, mut change: impl FnMut(&mut SecretReference)) -> Self {
        for part in &mut self.parts {
            if let TextPart::Placeholder(placeholder) = part {
                change(&mut placeholder.reference);
            }
        }
        self
    }

    /// Returns a source text that parses to this; it may contain a plaintext secret.
    #[must_use]
    pub fn to_source(&self) -> Zeroizing<String> {
        let mut out = Zeroizing::new(String::new());
        for (index, part) in self.parts.iter().enumerate() {
            match part {
                TextPart::Literal(text) => {
                    let before_placeholder =
                        matches!(self.parts.get(index + 1), Some(TextPart::Placeholder(_)));
                    parser::write_literal(&mut out, text, before_placeholder);
                }
                TextPart::Placeholder(placeholder) => {
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

/// A grammar error: the problem and its position in the string.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{kind}")]
pub struct GrammarError {
    /// Byte offset of the error; always at a character boundary.
    pub offset: usize,
    /// The problem.
    pub kind: GrammarErrorKind,
}

/// The kind of a grammar error. Messages contain names from the grammar, but nothing of a literal or argument.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum GrammarErrorKind {
    /// A modifier has an invalid argument.
    #[error("modifier `{modifier}` takes {wanted}")]
    BadArgument {
        /// Name of the modifier.
        modifier: &'static str,
        /// The expected argument.
        wanted: String,
    },
    /// A field contains a control character.
    #[error("placeholder has a control character in its {0}")]
    ControlCharacter(&'static str),
    /// A path, key or version is empty.
    #[error("placeholder has an empty {0}")]
    Empty(&'static str),
    /// A modifier is at a position where it is not allowed.
    #[error("modifier `{modifier}` {why}")]
    Misplaced {
        /// Name of the modifier.
        modifier: &'static str,
        /// The reason.
        why: Misplacement,
    },
    /// A key has malformed quotes, or is too long.
    #[error("placeholder key {0}")]
    Key(KeyPathError),
    /// A `|` without a modifier after it.
    #[error("placeholder has a `|` without a modifier")]
    MissingModifier,
    /// The text in brackets is not a valid key.
    #[error("text between `<` and `>` is not a valid key")]
    NotAKey,
    /// The line contains no `>` that closes the placeholder.
    #[error("placeholder is not closed")]
    NotClosed,
    /// A quoted argument has no closing quote.
    #[error("argument of modifier `{0}` has no closing quote")]
    QuoteNotClosed(String),
    /// A reference has too many `#`.
    #[error("placeholder has more than two `#`")]
    TooManyFields,
    /// A quoted argument contains an unknown escape.
    #[error("argument of modifier `{0}` has an unknown escape")]
    UnknownEscape(String),
    /// The modifier is unknown.
    #[error("modifier `{0}` is unknown")]
    UnknownModifier(String),
    /// A modifier has too many or too few arguments.
    #[error("modifier `{modifier}` takes {wanted}, got {got}")]
    WrongArgumentCount {
        /// Name of the modifier.
        modifier: &'static str,
        /// The expected number.
        wanted: &'static str,
        /// The actual number.
        got: usize,
    },
}

impl GrammarErrorKind {
    /// Returns a hint.
    #[must_use]
    pub fn hint(&self) -> String {
        match self {
            Self::BadArgument { .. } | Self::WrongArgumentCount { .. } => {
                "arguments are separated by spaces; quote one that contains a space, `|`, `<` or `>`".into()
            }
            Self::ControlCharacter(_) | Self::Empty(_) | Self::TooManyFields => {
                "a placeholder is `<provider:path#key#version | modifier>`; `#key` and `#version` are optional"
                    .into()
            }
            Self::Key(_) => {
                "quote a name that contains a dot: `#\"a.b\".c`; inside quotes, `\\\"` is a quote and `\\\\` a backslash".into()
            }
            Self::Misplaced { .. } => modifier_table::pipeline_form(),
            Self::MissingModifier | Self::UnknownModifier(_) => {
                format!("modifiers are {}", modifier_table::names_list())
            }
            Self::NotAKey => {
                "each `<…>` is a placeholder because the object has `avp.kubernetes.io/path`; if it is meant as text, double its `<`"
                    .into()
            }
            Self::NotClosed => {
                "close it with `>` on the same line; if it is meant as text, double its `<`: `<<name:…`".into()
            }
            Self::QuoteNotClosed(_) | Self::UnknownEscape(_) => {
                "`\"…\"` supports `\\\"`, `\\\\`, `\\n`, `\\r` and `\\t`; in `'…'`, double a quote".into()
            }
        }
    }
}

#[cfg(test)]
mod tests;
