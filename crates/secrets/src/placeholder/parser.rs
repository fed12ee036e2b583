//! The hand-written parser of placeholders: one pass, no backtracking over more than a provider name.

use std::ops::Range;

use memchr::memchr;
use zeroize::Zeroizing;

use super::modifier_table::{Modifier, ModifierRow};
use super::{
    AvpPath, GrammarError, GrammarErrorKind as Kind, Modifiers, Placeholder, SecretReference, TextPart,
};
use crate::values::KeyPath;

pub(crate) fn parse_text(source: &str, generic: Option<&AvpPath>) -> Result<Vec<TextPart>, GrammarError> {
    parse_parts(source, generic, &mut |_| {})
}

/// Returns the ranges of placeholders and doubled brackets in a well-formed text.
pub(super) fn parsed_ranges(
    source: &str,
    generic: Option<&AvpPath>,
) -> Result<Vec<Range<usize>>, GrammarError> {
    let mut taken = Vec::new();
    parse_parts(source, generic, &mut |range| taken.push(range))?;
    Ok(taken)
}

fn parse_parts(
    source: &str,
    generic: Option<&AvpPath>,
    taken: &mut dyn FnMut(Range<usize>),
) -> Result<Vec<TextPart>, GrammarError> {
    let mut parts = Vec::new();
    let mut literal = Zeroizing::new(String::new());
    let (mut copied, mut at) = (0, 0);
    while let Some(found) = memchr(b'<', &source.as_bytes()[at..]) {
        let start = at + found;
        let run = count_brackets(&source[start..]);
        at = start + run;
        if !starts_placeholder(&source[at..], generic) {
            continue;
        }
        literal.push_str(&source[copied..start]);
        literal.extend(std::iter::repeat_n('<', run / 2));
        if run % 2 == 1 {
            let mut cursor = PlaceholderParser { source, start: at - 1, at };
            let placeholder = cursor.placeholder(generic)?;
            push_literal(&mut parts, &mut literal);
            parts.push(TextPart::Placeholder(placeholder));
            at = cursor.at;
        }
        taken(start..at);
        copied = at;
    }
    literal.push_str(&source[copied..]);
    push_literal(&mut parts, &mut literal);
    Ok(parts)
}

fn push_literal(parts: &mut Vec<TextPart>, literal: &mut Zeroizing<String>) {
    if !literal.is_empty() {
        parts.push(TextPart::Literal(std::mem::replace(literal, Zeroizing::new(String::new()))));
    }
}

/// Reports whether a placeholder follows a `<`.
fn starts_placeholder(rest: &str, generic: Option<&AvpPath>) -> bool {
    provider_name(rest).is_some() || generic.is_some() && is_generic_placeholder(rest)
}

/// Reports whether the text after a `<` has the generic form, for objects that name a path.
///
/// Searches no further than the next `<`, so that the work stays linear.
pub(super) fn is_generic_placeholder(rest: &str) -> bool {
    let end = rest.find(['<', '>', '|', '\n', '\r']);
    end.is_some_and(|end| rest[end..].starts_with(['>', '|']) && !rest[..end].trim().is_empty())
}

/// Reports whether a character is allowed in the key of the generic form.
pub(super) fn is_in_key(c: char) -> bool {
    c.is_alphanumeric() || matches!(c, ' ' | '-' | '_' | '.' | '/' | ':' | '@' | '+')
}

/// Returns the trimmed text if it is valid as a whole path, key or version.
pub(super) fn whole_field(text: &str) -> Option<&str> {
    let text = text.trim_matches([' ', '\t']);
    let fits = |c: char| !matches!(c, '#' | '|' | '<' | '>') && (c == '\t' || !c.is_control());
    (!text.is_empty() && text.chars().all(fits)).then_some(text)
}

/// Writes a literal so that it parses to itself: brackets that could start a placeholder are doubled.
pub(super) fn write_literal(out: &mut String, literal: &str, before_placeholder: bool) {
    let mut at = 0;
    while let Some(found) = memchr(b'<', &literal.as_bytes()[at..]) {
        let start = at + found;
        let run = count_brackets(&literal[start..]);
        let rest = &literal[start + run..];
        let doubled = if rest.is_empty() { before_placeholder } else { provider_name(rest).is_some() };
        out.push_str(&literal[at..start]);
        out.extend(std::iter::repeat_n('<', if doubled { 2 * run } else { run }));
        at = start + run;
    }
    out.push_str(&literal[at..]);
}

/// Returns the number of `<` that a text starts with.
pub(super) fn count_brackets(text: &str) -> usize {
    text.bytes().take_while(|byte| *byte == b'<').count()
}

/// Returns the provider name at the start of a text, if a colon follows it.
#[must_use]
pub fn provider_name(text: &str) -> Option<&str> {
    let bytes = text.as_bytes();
    if !bytes.first()?.is_ascii_lowercase() {
        return None;
    }
    let is_allowed = |byte: &u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || *byte == b'-';
    let end = bytes.iter().position(|byte| !is_allowed(byte))?;
    (bytes.get(end) == Some(&b':')).then(|| &text[..end])
}

/// The parser of one placeholder; `start` is the position of its `<`.
struct PlaceholderParser<'a> {
    source: &'a str,
    start: usize,
    at: usize,
}

impl<'a> PlaceholderParser<'a> {
    fn placeholder(&mut self, generic: Option<&AvpPath>) -> Result<Placeholder, GrammarError> {
        if generic.is_some() {
            self.skip_space();
        }
        let (reference, is_generic) = match (provider_name(self.rest()), generic) {
            (None, Some(generic)) => (self.generic(generic)?, true),
            (provider, _) => (self.reference(provider.unwrap_or(""))?, false),
        };
        let mut modifiers = Modifiers::default();
        while self.take('|') {
            self.modifier(&mut modifiers, is_generic)?;
        }
        if self.take('>') { Ok(Placeholder { reference, modifiers }) } else { Err(self.not_closed()) }
    }

    fn generic(&mut self, generic: &AvpPath) -> Result<SecretReference, GrammarError> {
        let key_at = self.at;
        let not_a_key = |_| GrammarError { offset: key_at, kind: Kind::NotAKey };
        let key = self.field("key").map_err(not_a_key)?;
        if key.is_empty() || self.peek() == Some('#') || !key.chars().all(is_in_key) {
            return Err(GrammarError { offset: key_at, kind: Kind::NotAKey });
        }
        canonical_key(key, key_at).map(|key| generic.reference(key))
    }

    fn reference(&mut self, provider: &str) -> Result<SecretReference, GrammarError> {
        self.at += provider.len() + 1;
        let path_at = self.at;
        let path = self.field("path")?;
        if path.is_empty() {
            return Err(GrammarError { offset: path_at, kind: Kind::Empty("path") });
        }
        let (mut key, mut version) = (None, None);
        if self.take('#') {
            let key_at = self.at;
            let text = Some(self.field("key")?).filter(|key| !key.is_empty());
            key = text.map(|text| canonical_key(text, key_at)).transpose()?;
            if self.take('#') {
                let version_at = self.at;
                version = Some(self.field("version")?).filter(|version| !version.is_empty());
                if version.is_none() {
                    return Err(GrammarError { offset: version_at, kind: Kind::Empty("version") });
                }
            } else if key.is_none() {
                return Err(GrammarError { offset: key_at, kind: Kind::Empty("key") });
            }
        }
        if self.peek() == Some('#') {
            return Err(self.error(Kind::TooManyFields));
        }
        Ok(SecretReference {
            provider: provider.into(),
            path: path.to_owned(),
            key,
            version: version.map(str::to_owned),
            all_keys: false,
        })
    }

    /// Reads up to the next `#`, `|` or `>`.
    fn field(&mut self, name: &'static str) -> Result<&'a str, GrammarError> {
        let start = self.at;
        while let Some(c) = self.peek() {
            match c {
                '#' | '|' | '>' => return Ok(self.source[start..self.at].trim_matches([' ', '\t'])),
                '\n' | '\r' | '<' => return Err(self.not_closed()),
                '\t' => {}
                c if c.is_control() => return Err(self.error(Kind::ControlCharacter(name))),
                _ => {}
            }
            self.at += c.len_utf8();
        }
        Err(self.not_closed())
    }

    /// Parses a modifier and adds it to the others. The text after a generic key may be ordinary text, so an error
    /// quotes it only if it is the name of a modifier.
    fn modifier(&mut self, modifiers: &mut Modifiers, is_generic: bool) -> Result<(), GrammarError> {
        self.skip_space();
        let name_at = self.at;
        let name = self.word(|c| c.is_ascii_alphanumeric() || c == '-' || c == '_');
        if name.is_empty() {
            return Err(match self.peek() {
                None | Some('\n' | '\r' | '<') => self.not_closed(),
                Some(_) => self.error(Kind::MissingModifier),
            });
        }
        let Some(row) = ModifierRow::find(name) else {
            let kind =
                if is_generic { Kind::MissingModifier } else { Kind::UnknownModifier(truncated(name)) };
            return Err(GrammarError { offset: name_at, kind });
        };
        let mut arguments = Vec::new();
        loop {
            self.skip_space();
            match self.peek() {
                Some('|' | '>') => break,
                None | Some('\n' | '\r' | '<') => return Err(self.not_closed()),
                Some('"') => arguments.push(self.double_quoted(name)?),
                Some('\'') => arguments.push(self.single_quoted(name)?),
                Some(_) if row.has_words() => arguments.push(self.words()?),
                Some(_) => arguments.push(self.bare()?),
            }
        }
        let add = |modifier: Modifier| {
            let name = modifier.name();
            modifiers.add(modifier).map_err(|why| Kind::Misplaced { modifier: name, why })
        };
        row.parse(arguments).and_then(add).map_err(|kind| GrammarError { offset: name_at, kind })
    }

    fn bare(&mut self) -> Result<String, GrammarError> {
        let word = self.word(|c| !c.is_control() && !matches!(c, ' ' | '|' | '<' | '>'));
        match self.peek() {
            Some(c) if c.is_control() && !matches!(c, '\t' | '\n' | '\r') => {
                Err(self.error(Kind::ControlCharacter("argument")))
            }
            _ => Ok(word.to_owned()),
        }
    }

    /// Parses a bare argument with spaces: all words up to the next `|` or `>`, joined by single spaces.
    fn words(&mut self) -> Result<String, GrammarError> {
        let mut words = vec![self.bare()?];
        loop {
            self.skip_space();
            match self.peek() {
                None | Some('|' | '>' | '<' | '\n' | '\r') => return Ok(words.join(" ")),
                Some(_) => words.push(self.bare()?),
            }
        }
    }

    fn single_quoted(&mut self, modifier: &str) -> Result<String, GrammarError> {
        let open = self.at;
        self.at += 1;
        let mut text = String::new();
        while let Some(c) = self.inside_quotes() {
            self.at += c.len_utf8();
            if c != '\'' {
                text.push(c);
            } else if self.peek() == Some('\'') {
                text.push('\'');
                self.at += 1;
            } else {
                return Ok(text);
            }
        }
        Err(GrammarError { offset: open, kind: Kind::QuoteNotClosed(truncated(modifier)) })
    }

    fn double_quoted(&mut self, modifier: &str) -> Result<String, GrammarError> {
        let open = self.at;
        self.at += 1;
        let mut text = String::new();
        while let Some(c) = self.inside_quotes() {
            let here = self.at;
            self.at += c.len_utf8();
            match c {
                '"' => return Ok(text),
                '\\' => {
                    let escaped = match self.peek() {
                        Some(c @ ('"' | '\\')) => c,
                        Some('n') => '\n',
                        Some('r') => '\r',
                        Some('t') => '\t',
                        _ => {
                            let kind = Kind::UnknownEscape(truncated(modifier));
                            return Err(GrammarError { offset: here, kind });
                        }
                    };
                    self.at += 1;
                    text.push(escaped);
                }
                other => text.push(other),
            }
        }
        Err(GrammarError { offset: open, kind: Kind::QuoteNotClosed(truncated(modifier)) })
    }

    /// Returns the next character, if it is allowed in quotes.
    fn inside_quotes(&self) -> Option<char> {
        self.peek().filter(|c| !c.is_control() || *c == '\t')
    }

    fn word(&mut self, belongs: impl Fn(char) -> bool) -> &'a str {
        let rest = self.rest();
        let end = rest.find(|c| !belongs(c)).unwrap_or(rest.len());
        self.at += end;
        &rest[..end]
    }

    fn take(&mut self, wanted: char) -> bool {
        self.skip_space();
        let is_next = self.peek() == Some(wanted);
        if is_next {
            self.at += wanted.len_utf8();
        }
        is_next
    }

    fn skip_space(&mut self) {
        self.word(|c| c == ' ' || c == '\t');
    }

    fn rest(&self) -> &'a str {
        self.source.get(self.at..).unwrap_or("")
    }

    fn peek(&self) -> Option<char> {
        self.rest().chars().next()
    }

    const fn error(&self, kind: Kind) -> GrammarError {
        GrammarError { offset: self.at, kind }
    }

    const fn not_closed(&self) -> GrammarError {
        GrammarError { offset: self.start, kind: Kind::NotClosed }
    }
}

/// Returns the canonical text of a key.
fn canonical_key(text: &str, offset: usize) -> Result<String, GrammarError> {
    let path = KeyPath::parse(text).map_err(|error| GrammarError { offset, kind: Kind::Key(error) })?;
    Ok(path.into_canonical())
}

/// Reports whether a modifier of this name exists.
pub(super) fn is_modifier(name: &str) -> bool {
    ModifierRow::find(name).is_some()
}

/// Truncates a name for a message.
fn truncated(name: &str) -> String {
    name.chars().take(40).collect()
}
