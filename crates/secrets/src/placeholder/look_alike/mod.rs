//! Texts in a Secret that look like placeholders but are not: they would reach the cluster unchanged.
//!
//! Each detector looks for one kind of mistake. All of them search the literal text that the grammar leaves;
//! placeholders and doubled brackets are skipped. The work is linear in the text.
//!
//! In the table, *item* means that the whole item has this form, *anywhere* means that longer texts are searched as
//! well. A *provider* is a name from the operator file, a kind of provider, or `path`.
//!
//! | kind | where | shape |
//! |---|---|---|
//! | `NoProvider` | anywhere | `<path#key>` with only the characters of paths and keys, so that XML and shell do not match |
//! | `Misspelled` | anywhere | `<name:…>` whose name differs from a provider only in case, blanks, `_` or `.`, or which has a `#key`; with neither `/` nor `#`, only without an end tag |
//! | `Name` | item | `<word>` and `<several words>`; not mail addresses, not `<word/>` |
//! | `Name` | anywhere | `<word>` without an end tag, at the position of a value: after `:`, `/`, `=`, `@` or a quote, or as the content of an XML element; `<word \| modifier>` |
//! | `OtherBrackets` | anywhere | `${provider:path#key}`, also in `$()`, `{{}}`, `{}`, `()`, `[]`; in `${}` also a relative path with `/` or `.` |
//! | `OtherBrackets` | item | `${provider:…}`, and `provider:path#key` without any brackets |
//! | `Escaped` | anywhere | `<` as `\u003c`, `\x3c`, `&lt;`, `&#60;`, `%3C` or a bracket of another script, then a provider and a path, or `path#key` |
//! | `Escaped` | item | the same around a word; in JSON also as a whole string |
//! | `Base64` | item | base64 of a text with a placeholder |
//! | `Encrypted` | item | a text of SOPS, hiera-eyaml or Ansible Vault; for SOPS anywhere, unless the text has SOPS metadata |
//! | `Foreign` | item | `{{ … }}`, `$(…)`, `((…))`, `op://…`, `!vault …`, `@Microsoft.KeyVault(…)`; `ref+…://` anywhere |
//!
//! Typical content of Secrets does not match: XML and HTML with end tags, PEM, JSON, `<<EOF`, `a < b`, `${DB_HOST}`,
//! `${NAME:default}`, `(?P<name>…)`, `List<String>`, `#include <x.h>`, mail addresses, Go templates within a text.

mod brackets;
mod foreign;
mod wrapped;

use std::borrow::Cow;
use std::ops::Range;

use zeroize::Zeroizing;

use super::{AvpPath, DEFAULT_PROVIDER, PROVIDER_KINDS, parser};

/// Filler for placeholders while the text around them is searched; its UTF-8 form is one byte.
const TAKEN: char = '\u{1}';

/// A text that looks like a placeholder but is not. It contains nothing of the text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LookAlike {
    /// The byte range in the source.
    pub range: Range<usize>,
    /// The reason why it is not a placeholder.
    pub kind: LookAlikeKind,
}

/// The hint for a text that SOPS encrypted.
pub const SOPS_TEXT_HINT: &str =
    "keep the encrypted file in Git, and refer to its values in a Secret: `<sops:FILE#KEY>`";

/// A reason why a text is not a placeholder, although it looks like one.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum LookAlikeKind {
    /// The placeholder is inside base64.
    #[error("is base64 of a text with a placeholder; placeholders in base64 are not resolved")]
    Base64,
    /// The text is encrypted.
    #[error("is encrypted with {0}, and nothing decrypts it")]
    Encrypted(&'static str),
    /// The brackets are escaped or replaced.
    #[error("looks like a placeholder, but its brackets are escaped or are other characters")]
    Escaped,
    /// The text is a reference of another tool.
    #[error("looks like a reference of {0}, which is not resolved")]
    Foreign(&'static str),
    /// The provider name is misspelled.
    #[error("looks like a placeholder, but its provider name is misspelled")]
    Misspelled,
    /// The text is only a name.
    #[error("looks like a placeholder, but has no provider and no path")]
    Name,
    /// The text is a path and a key.
    #[error("looks like a placeholder, but has no provider")]
    NoProvider,
    /// The text has other brackets, or none.
    #[error("looks like a placeholder, but is not enclosed in `<` and `>`")]
    OtherBrackets,
}

impl LookAlikeKind {
    /// Returns a hint about what to write instead.
    #[must_use]
    pub fn hint(self) -> String {
        let instead = match self {
            Self::Base64 => "put the placeholder itself into `stringData`",
            Self::Encrypted("SOPS") => SOPS_TEXT_HINT,
            Self::Encrypted(_) | Self::Foreign(_) => "write a placeholder, for example `<vault:path#key>`",
            Self::Escaped => "write `<provider:path#key>` with literal `<` and `>`",
            Self::Misspelled => {
                "write `<provider:path#key>`: the name in lower case, directly between `<` and `:`"
            }
            Self::Name => {
                "write `<provider:path#key>`, or name the path with `avp.kubernetes.io/path` under `compatibility: avp`"
            }
            Self::NoProvider | Self::OtherBrackets => "write `<provider:path#key>`",
        };
        format!("{instead}; if the text is literal, set the annotation `sealwave.dev/literal: \"true\"`")
    }
}

/// Finds the first text that looks like a placeholder but is not; `None` also if the source is malformed.
///
/// `is_provider` knows the names in the operator file; the kinds of providers and `path` are always known.
pub fn find_look_alike(
    source: &str,
    generic: Option<&AvpPath>,
    is_provider: &dyn Fn(&str) -> bool,
) -> Option<LookAlike> {
    let taken = parser::parsed_ranges(source, generic).ok()?;
    let masked = masked(source, &taken);
    let text = CandidateText::new(&masked, is_provider);
    foreign::find_in_item(&text)
        .or_else(|| brackets::find(&text))
        .or_else(|| wrapped::find(&text))
        .or_else(|| wrapped::find_escaped(&text))
        .or_else(|| foreign::find_anywhere(&text))
}

/// Replaces the ranges that the grammar has parsed with filler of the same length.
fn masked<'s>(source: &'s str, taken: &[Range<usize>]) -> MaskedText<'s> {
    if taken.is_empty() {
        return MaskedText(Cow::Borrowed(source), None);
    }
    let mut masked = Zeroizing::new(String::with_capacity(source.len()));
    let mut copied = 0;
    for range in taken {
        masked.push_str(source.get(copied..range.start).unwrap_or_default());
        masked.extend(std::iter::repeat_n(TAKEN, range.len()));
        copied = range.end;
    }
    masked.push_str(source.get(copied..).unwrap_or_default());
    MaskedText(Cow::Borrowed(""), Some(masked))
}

/// A text that may be a copy; a copy is zeroed.
struct MaskedText<'s>(Cow<'s, str>, Option<Zeroizing<String>>);

impl std::ops::Deref for MaskedText<'_> {
    type Target = str;

    fn deref(&self) -> &str {
        self.1.as_ref().map_or(&self.0, |masked| masked.as_str())
    }
}

/// The text that detectors search.
struct CandidateText<'a> {
    source: &'a str,
    /// The range of the trimmed text.
    item: Range<usize>,
    is_provider: &'a dyn Fn(&str) -> bool,
}

impl<'a> CandidateText<'a> {
    fn new(source: &'a str, is_provider: &'a dyn Fn(&str) -> bool) -> Self {
        let rest = source.trim_start_matches(is_blank);
        let start = source.len() - rest.len();
        Self { source, item: start..start + rest.trim_end_matches(is_blank).len(), is_provider }
    }

    /// Returns the trimmed text.
    fn item(&self) -> &'a str {
        self.source.get(self.item.clone()).unwrap_or_default()
    }

    /// Reports whether a name is a provider.
    fn is_known(&self, name: &str) -> bool {
        name == DEFAULT_PROVIDER || PROVIDER_KINDS.contains(&name) || (self.is_provider)(name)
    }

    /// Reports whether a name differs from a provider only in case, blanks and separators, or starts with a kind:
    /// `vault.prod`.
    fn resembles_known(&self, name: &str) -> bool {
        let normalize =
            |c: char| if matches!(c, '_' | '.' | ' ' | '\t') { '-' } else { c.to_ascii_lowercase() };
        let name: String = name.trim_matches(is_blank).chars().map(normalize).collect();
        let is_instance = |kind: &str| name.strip_prefix(kind).is_some_and(|rest| rest.starts_with('-'));
        self.is_known(&name) || PROVIDER_KINDS.iter().any(|kind| is_instance(kind))
    }
}

/// Reports whether a character is whitespace or invisible.
fn is_blank(c: char) -> bool {
    c.is_whitespace() || matches!(c, '\u{200b}'..='\u{200d}' | '\u{2060}' | '\u{feff}')
}

/// Reports whether a path and a key have the form of a reference: no blanks, quotes or characters of markup or code.
fn is_path_and_key(path: &str, key: &str) -> bool {
    let is_plain = |text: &str| text.chars().all(|c| parser::is_in_key(c) && c != ' ');
    let key = key.split('#').next().unwrap_or_default();
    path.chars().any(char::is_alphanumeric)
        && key.chars().next().is_some_and(|c| c.is_alphanumeric() || c == '_')
        && is_plain(path)
        && is_plain(key)
}

#[cfg(test)]
mod tests;
