//! Texts in a Secret that look like placeholders and are none: they would reach the cluster as they are.
//!
//! Each detector looks for one kind of mistake. All of them work on what the grammar leaves as literal text; where the
//! grammar found a placeholder or a doubled bracket, nothing is looked for. The work is linear in the text.
//!
//! In the table, *item* means that the whole item reads so, *anywhere* means that longer texts are searched as well. A
//! *provider* is a name that the operator file has, a kind of provider, or `path`.
//!
//! | kind | where | shape |
//! |---|---|---|
//! | `NoProvider` | anywhere | `<path#key>`, without other characters than a path or key has, so that XML and shell do not match |
//! | `Misspelt` | anywhere | `<name:…>` whose name is a provider but for case, blanks, `_` or `.`, or which has a `#key`; where it has neither `/` nor `#`, only without an end tag |
//! | `Name` | item | `<word>` and `<several words>`; no mail address, no `<word/>` |
//! | `Name` | anywhere | `<word>` without an end tag, where a value stands: behind `:`, `/`, `=`, `@` or a quote, or as the content of an XML element; `<word \| modifier>` |
//! | `OtherBrackets` | anywhere | `${provider:path#key}`, also in `$()`, `{{}}`, `{}`, `()`, `[]`; in `${}` also a relative path with `/` or `.` |
//! | `OtherBrackets` | item | `${provider:…}`, and `provider:path#key` without any brackets |
//! | `Escaped` | anywhere | `<` as `\u003c`, `\x3c`, `&lt;`, `&#60;`, `%3C` or a bracket of another script, then a provider and a path, or `path#key` |
//! | `Escaped` | item | the same around a word; in JSON also where it is a whole string |
//! | `Base64` | item | base64 of a text with a placeholder |
//! | `Encrypted` | item | a text of SOPS, hiera-eyaml or Ansible Vault; of SOPS anywhere, unless the text has SOPS' metadata |
//! | `Foreign` | item | `{{ … }}`, `$(…)`, `((…))`, `op://…`, `!vault …`, `@Microsoft.KeyVault(…)`; `ref+…://` anywhere |
//!
//! What real Secrets hold does not match: XML and HTML with end tags, PEM, JSON, `<<EOF`, `a < b`, `${DB_HOST}`,
//! `${NAME:default}`, `(?P<name>…)`, `List<String>`, `#include <x.h>`, mail addresses, Go templates within a text.

mod brackets;
mod foreign;
mod wrapped;

use std::borrow::Cow;
use std::ops::Range;

use zeroize::Zeroizing;

use super::{DEFAULT_PROVIDER, Generic, PROVIDER_KINDS, parser};

/// What stands in place of a placeholder while the text around it is looked at; as long as one byte.
const TAKEN: char = '\u{1}';

/// A text that looks like a placeholder and is none. It holds nothing of the text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LookAlike {
    /// The bytes of the source that it is about.
    pub range: Range<usize>,
    /// Why it is none.
    pub kind: LookAlikeKind,
}

/// Why a text is no placeholder, although it looks like one.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum LookAlikeKind {
    /// It is encoded once too often.
    #[error("is base64 of a text with a placeholder, which is not resolved there")]
    Base64,
    /// Nothing decrypts it.
    #[error("is encrypted by {0}, and nothing decrypts it")]
    Encrypted(&'static str),
    /// Its brackets are written as something else.
    #[error("looks like a placeholder, but its brackets are escaped or are other characters")]
    Escaped,
    /// Another tool's.
    #[error("looks like a reference of {0}, which nothing replaces")]
    Foreign(&'static str),
    /// The name of its provider is not written well.
    #[error("looks like a placeholder, but its provider's name is not written as one")]
    Misspelt,
    /// It is a name alone.
    #[error("looks like a placeholder, but names no provider and no path")]
    Name,
    /// It is a path and a key.
    #[error("looks like a placeholder, but names no provider")]
    NoProvider,
    /// Other brackets, or none.
    #[error("looks like a placeholder, but does not stand in `<` and `>`")]
    OtherBrackets,
}

impl LookAlikeKind {
    /// Says what to write instead.
    pub fn hint(self) -> String {
        let instead = match self {
            Self::Base64 => "put the placeholder itself into `stringData`",
            Self::Encrypted("SOPS") => "keep the encrypted file in Git and refer to it: `<sops:file#key>`",
            Self::Encrypted(_) | Self::Foreign(_) => "write a placeholder, for example `<vault:path#key>`",
            Self::Escaped => "write `<provider:path#key>` with the characters `<` and `>` themselves",
            Self::Misspelt => {
                "write `<provider:path#key>`: the name in lower case, directly between `<` and `:`"
            }
            Self::Name => {
                "write `<provider:path#key>`, or name the path with `avp.kubernetes.io/path` under `compatibility: avp`"
            }
            Self::NoProvider | Self::OtherBrackets => "write `<provider:path#key>`",
        };
        format!(
            "{instead}; if the text is meant as it is, set the annotation `sealwave.dev/literal: \"true\"`"
        )
    }
}

/// Finds the first text that looks like a placeholder and is none; `None` as well where the source is not well formed.
///
/// `is_provider` knows the names of the operator file; the kinds of providers and `path` are known anyway.
pub fn look_alike(
    source: &str,
    generic: Option<&Generic>,
    is_provider: &dyn Fn(&str) -> bool,
) -> Option<LookAlike> {
    let taken = parser::taken(source, generic).ok()?;
    let masked = masked(source, &taken);
    let text = Text::new(&masked, is_provider);
    foreign::item(&text)
        .or_else(|| brackets::find(&text))
        .or_else(|| wrapped::find(&text))
        .or_else(|| wrapped::escaped(&text))
        .or_else(|| foreign::anywhere(&text))
}

/// The source with fillers of the same length in place of what the grammar has taken.
fn masked<'s>(source: &'s str, taken: &[Range<usize>]) -> Masked<'s> {
    if taken.is_empty() {
        return Masked(Cow::Borrowed(source), None);
    }
    let mut masked = Zeroizing::new(String::with_capacity(source.len()));
    let mut copied = 0;
    for range in taken {
        masked.push_str(source.get(copied..range.start).unwrap_or_default());
        masked.extend(std::iter::repeat_n(TAKEN, range.len()));
        copied = range.end;
    }
    masked.push_str(source.get(copied..).unwrap_or_default());
    Masked(Cow::Borrowed(""), Some(masked))
}

/// A text that may be a copy; a copy is wiped.
struct Masked<'s>(Cow<'s, str>, Option<Zeroizing<String>>);

impl std::ops::Deref for Masked<'_> {
    type Target = str;

    fn deref(&self) -> &str {
        self.1.as_ref().map_or(&self.0, |masked| masked.as_str())
    }
}

/// The text that detectors look at.
struct Text<'a> {
    source: &'a str,
    /// Where the text without white space around it is.
    item: Range<usize>,
    is_provider: &'a dyn Fn(&str) -> bool,
}

impl<'a> Text<'a> {
    fn new(source: &'a str, is_provider: &'a dyn Fn(&str) -> bool) -> Self {
        let rest = source.trim_start_matches(is_blank);
        let start = source.len() - rest.len();
        Self { source, item: start..start + rest.trim_end_matches(is_blank).len(), is_provider }
    }

    /// Returns the text without white space around it.
    fn item(&self) -> &'a str {
        self.source.get(self.item.clone()).unwrap_or_default()
    }

    /// Whether a name is a provider's.
    fn is_known(&self, name: &str) -> bool {
        name == DEFAULT_PROVIDER || PROVIDER_KINDS.contains(&name) || (self.is_provider)(name)
    }

    /// Whether a name is a provider's but for case, blanks and separators, or starts with the name of a kind: `vault.prod`.
    fn resembles_known(&self, name: &str) -> bool {
        let plain = |c: char| if matches!(c, '_' | '.' | ' ' | '\t') { '-' } else { c.to_ascii_lowercase() };
        let name: String = name.trim_matches(is_blank).chars().map(plain).collect();
        let is_instance = |kind: &str| name.strip_prefix(kind).is_some_and(|rest| rest.starts_with('-'));
        self.is_known(&name) || PROVIDER_KINDS.iter().any(|kind| is_instance(kind))
    }
}

/// Whether a character is white space, or shows as nothing at all.
fn is_blank(c: char) -> bool {
    c.is_whitespace() || matches!(c, '\u{200b}'..='\u{200d}' | '\u{2060}' | '\u{feff}')
}

/// Whether a path and a key have the shape of a reference: no blank, no quote, nothing that markup or code would have.
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
