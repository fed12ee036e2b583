//! The positions of the tags of a template, and of the text between them.
//!
//! The parser reports where a tag starts, but neither where it ends nor where text starts. This module therefore reads
//! the template again, with as much of the grammar as needed. It is used only for templates that the parser accepted.
//! In doubt it returns nothing: a position may be missing, but is never wrong.

use std::borrow::Cow;
use std::cell::OnceCell;
use std::ops::Range;

use sealwave_core::document::{Origin, SourceId};

/// The tags and texts of a template, in order.
pub(super) struct TemplateTokens<'a> {
    text: &'a str,
    tokens: Vec<TemplateToken>,
}

#[derive(Debug)]
struct TemplateToken {
    bytes: Range<usize>,
    /// The line and column of its start.
    start: (usize, usize),
    is_tag: bool,
}

impl<'a> TemplateTokens<'a> {
    /// Reads a template. The result is empty if the template cannot be followed.
    pub(super) fn new(text: &'a str) -> Self {
        let tokens = tokens(text).unwrap_or_default();
        Self { text, tokens }
    }

    /// Returns the width in characters of the tag that starts at a line and column, up to the end of its first line.
    pub(super) fn tag(&self, start: (usize, usize)) -> Option<usize> {
        let at = self.tokens.binary_search_by(|token| token.start.cmp(&start)).ok()?;
        let tag = self.tokens.get(at).filter(|token| token.is_tag)?;
        let tag = self.text.get(tag.bytes.clone())?;
        Some(tag.lines().next().unwrap_or_default().chars().count())
    }

    /// Returns the bytes of the template that a text element writes. `at` is the position that the parser reports: that
    /// of the first non-blank character, or of the tag after the text.
    pub(crate) fn text(&self, at: (usize, usize), written: &str) -> Option<Range<usize>> {
        let after = self.tokens.partition_point(|token| token.start <= at);
        let last = self.tokens.get(after.checked_sub(1)?)?;
        let token = if last.is_tag { self.tokens.get(after.checked_sub(2)?)? } else { last };
        if token.is_tag || (last.is_tag && last.start != at) {
            return None;
        }
        let whole = self::unescape_text(self.text, token.bytes.clone());
        let count_blanks = |text: &str| text.len() - text.trim_start().len();
        // Blanks may be removed at both ends, so the position of blank text is ambiguous.
        if count_blanks(&whole) == whole.len() && whole != written {
            return None;
        }
        let cut = count_blanks(&whole).checked_sub(count_blanks(written))?;
        let rest = whole.get(cut..)?;
        let from = token.bytes.start + cut;
        let to = source_offset(self.text, from..token.bytes.end, written.len());
        rest.starts_with(written).then_some(from..to)
    }

    /// Returns the start of the `else if` with this index that belongs to the block whose tag starts at `block`.
    fn find_else_if(&self, block: (usize, usize), number: usize) -> Option<(usize, usize)> {
        let at = self.tokens.binary_search_by(|token| token.start.cmp(&block)).ok()?;
        let mut depth = 0_usize;
        let mut before = 0;
        for token in self.tokens.get(at + 1..)?.iter().filter(|token| token.is_tag) {
            match tag_role(self.text.get(token.bytes.clone())?) {
                TagRole::Open => depth += 1,
                TagRole::Close => depth = depth.checked_sub(1)?,
                TagRole::Chain if depth == 0 && before == number => return Some(token.start),
                TagRole::Chain if depth == 0 => before += 1,
                TagRole::Chain | TagRole::Other => {}
            }
        }
        None
    }

    /// Returns the line and column of a byte at which a text starts.
    pub(super) fn position(&self, at: usize) -> Option<(usize, usize)> {
        let after = self.tokens.partition_point(|token| token.bytes.start <= at);
        let token = self.tokens.get(after.checked_sub(1)?)?;
        Some(advance(token.start, self.text.get(token.bytes.start..at)?))
    }
}

/// The position of a tag.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum TagPlace {
    /// The tag that starts at this line and column.
    At((usize, usize)),
    /// The `else if` with this index in the block whose tag starts there.
    Chained((usize, usize), usize),
    Unknown,
}

/// A locator of tags. It reads the template only if it needs a tag that the parser did not locate.
pub(super) struct TagLocator<'a> {
    text: &'a str,
    tokens: OnceCell<TemplateTokens<'a>>,
}

impl<'a> TagLocator<'a> {
    /// Creates a locator for a template with this text.
    pub(super) const fn new(text: &'a str) -> Self {
        Self { text, tokens: OnceCell::new() }
    }

    fn tokens(&self) -> &TemplateTokens<'a> {
        self.tokens.get_or_init(|| TemplateTokens::new(self.text))
    }

    /// Returns the line and column of a tag.
    pub(super) fn start(&self, place: TagPlace) -> Option<(usize, usize)> {
        match place {
            TagPlace::At(start) => Some(start),
            TagPlace::Chained(block, number) => self.tokens().find_else_if(block, number),
            TagPlace::Unknown => None,
        }
    }

    /// Returns the text of a tag.
    pub(crate) fn text(&self, place: TagPlace) -> Option<&'a str> {
        let start = self.start(place)?;
        let tokens = self.tokens();
        let at = tokens.tokens.binary_search_by(|token| token.start.cmp(&start)).ok()?;
        self.text.get(tokens.tokens.get(at)?.bytes.clone())
    }

    /// Returns the origin of a tag with its width.
    pub(crate) fn origin(&self, place: TagPlace, source: SourceId) -> Origin {
        let to_u32 = |n: usize| u32::try_from(n).unwrap_or(u32::MAX);
        let Some(start) = self.start(place) else { return Origin::whole(source) };
        let width = self.tokens().tag(start).unwrap_or(0);
        Origin { width: to_u32(width), ..Origin::point(source, to_u32(start.0), to_u32(start.1)) }
    }
}

/// The effect of a tag on blocks.
enum TagRole {
    Chain,
    Close,
    Open,
    Other,
}

fn tag_role(tag: &str) -> TagRole {
    if tag.starts_with("{{{{") {
        return TagRole::Other;
    }
    let inner = tag.trim_start_matches(['{', '~']).trim_start();
    let rest = match inner.as_bytes().first() {
        Some(b'#') => return TagRole::Open,
        Some(b'/') => return TagRole::Close,
        Some(b'^') => inner.get(1..),
        _ => inner.strip_prefix("else").filter(|rest| rest.starts_with([' ', '\t', '\n', '\r'])),
    };
    match rest.map(|rest| rest.trim_start().starts_with(['}', '~'])) {
        Some(false) => TagRole::Chain,
        Some(true) | None => TagRole::Other,
    }
}

/// Returns the text that a part of a template writes: all but the first of the backslashes before a tag.
#[must_use]
pub fn unescape_text(text: &str, range: Range<usize>) -> Cow<'_, str> {
    let part = text.get(range.clone()).unwrap_or_default();
    if memchr::memchr(b'\\', part.as_bytes()).is_none() {
        return Cow::Borrowed(part);
    }
    Cow::Owned(characters(text, range).map(|(_, character)| character).collect())
}

/// Returns the offset in the template of a byte that a part of it writes, counted from the start of the part.
#[must_use]
pub fn source_offset(text: &str, range: Range<usize>, byte: usize) -> usize {
    let part = text.get(range.clone()).unwrap_or_default();
    if memchr::memchr(b'\\', part.as_bytes()).is_none() {
        return range.start.saturating_add(byte).min(range.end);
    }
    let mut before = 0;
    let found = characters(text, range.clone()).find(|(_, character)| {
        let is_here = before >= byte;
        before += character.len_utf8();
        is_here
    });
    found.map_or(range.end, |(at, _)| at)
}

/// Returns the written characters with their offsets.
fn characters(text: &str, range: Range<usize>) -> impl Iterator<Item = (usize, char)> + '_ {
    let start = range.start;
    let part = text.get(range).unwrap_or_default();
    let all = part.char_indices().map(move |(at, character)| (start + at, character));
    all.filter(|(at, character)| *character != '\\' || !is_escape(text, *at))
}

/// Reports whether a backslash is the first of those before a tag.
fn is_escape(text: &str, at: usize) -> bool {
    let (Some(before), Some(rest)) = (text.get(..at), text.get(at..)) else { return false };
    !before.ends_with('\\') && rest.trim_start_matches('\\').starts_with("{{")
}

fn tokens(text: &str) -> Option<Vec<TemplateToken>> {
    let mut tokens: Vec<TemplateToken> = Vec::new();
    let (mut at, mut start) = (0, (1, 1));
    let mut add = |at: &mut usize, end: usize, is_tag: bool| {
        if *at < end {
            tokens.push(TemplateToken { bytes: *at..end, start, is_tag });
            start = advance(start, text.get(*at..end)?);
            *at = end;
        }
        Some(())
    };
    while at < text.len() {
        let end = text_end(text, at, "{{");
        add(&mut at, end, false)?;
        if at == text.len() {
            break;
        }
        let is_raw = text.get(at..)?.starts_with("{{{{");
        let end = tag_end(text, at)?;
        add(&mut at, end, true)?;
        if is_raw {
            let end = text_end(text, at, "{{{{");
            add(&mut at, end, false)?;
            let end = tag_end(text, at)?;
            add(&mut at, end, true)?;
        }
    }
    Some(tokens)
}

/// Returns the end of a text: the next tag that is not escaped.
fn text_end(text: &str, from: usize, tag: &str) -> usize {
    let mut at = from;
    while let Some(found) = text.get(at..).and_then(|rest| rest.find("{{")) {
        let start = at + found;
        let backslashes =
            text.get(from..start).map_or(0, |before| before.len() - before.trim_end_matches('\\').len());
        let rest = text.get(start..).unwrap_or_default();
        if backslashes == 1 {
            // An escape covers one pair of braces, or two.
            at = start + if rest.starts_with("{{{{") { 4 } else { 2 };
        } else if rest.starts_with(tag) {
            return start;
        } else {
            at = start + 1;
        }
    }
    text.len()
}

/// Returns the end of the tag that starts here.
fn tag_end(text: &str, from: usize) -> Option<usize> {
    let rest = text.get(from..)?;
    if let Some(comment) = rest.strip_prefix("{{!") {
        let end = if comment.trim_start().starts_with("--") { "--}}" } else { "}}" };
        return Some(from + 3 + comment.find(end)? + end.len());
    }
    let bytes = rest.as_bytes();
    let mut open = 0_usize;
    let mut at = 0;
    loop {
        match bytes.get(at)? {
            b'{' => open += 1,
            b'}' => {
                open = open.checked_sub(1)?;
                if open == 0 {
                    return Some(from + at + 1);
                }
            }
            quote @ (b'"' | b'\'') => at = string_end(bytes, at, *quote)?,
            // A key in brackets or a list; the difference matters only if it contains quotes or brackets.
            b'[' => {
                let inner = rest.get(at + 1..)?;
                let end = inner.find(']')?;
                if inner.get(..end)?.contains(['"', '\'', '[']) {
                    return None;
                }
                at += end + 1;
            }
            _ => {}
        }
        at += 1;
    }
}

/// Returns the offset of the quote that ends a text in a tag.
pub(super) fn string_end(bytes: &[u8], from: usize, quote: u8) -> Option<usize> {
    let mut at = from + 1;
    loop {
        match bytes.get(at)? {
            b'\\' => at += 1,
            byte if *byte == quote => return Some(at),
            _ => {}
        }
        at += 1;
    }
}

/// Returns the position after a text that starts at a position.
fn advance((line, column): (usize, usize), text: &str) -> (usize, usize) {
    match text.rsplit_once('\n') {
        Some((before, last)) => (line + before.matches('\n').count() + 1, last.chars().count() + 1),
        None => (line, column + text.chars().count()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn split(text: &str) -> Vec<&str> {
        TemplateTokens::new(text).tokens.iter().map(|token| &text[token.bytes.clone()]).collect()
    }

    #[test]
    fn tags_and_texts_are_split() {
        for (text, wanted) in [
            ("a {{b}}{{{ c }}} d", &["a ", "{{b}}", "{{{ c }}}", " d"][..]),
            ("{{~{ c }~}}x", &["{{~{ c }~}}", "x"]),
            ("{{ f \"}}\" '}}' }}x", &["{{ f \"}}\" '}}' }}", "x"]),
            ("{{ f \"\\\"}}\" }}", &["{{ f \"\\\"}}\" }}"]),
            ("{{ f {\"a\": 1} }}x", &["{{ f {\"a\": 1} }}", "x"]),
            ("{{ a.[b}}c] }}x", &["{{ a.[b}}c] }}", "x"]),
            ("{{!-- }} {{ --}}x{{! y }}", &["{{!-- }} {{ --}}", "x", "{{! y }}"]),
            ("a \\{{b}} {{c}}", &["a \\{{b}} ", "{{c}}"]),
            ("a \\\\{{b}}", &["a \\\\", "{{b}}"]),
            ("a \\{{{{b}} {{c}}", &["a \\{{{{b}} ", "{{c}}"]),
            ("x{{{{raw}}}}{{ a }}{{{{/raw}}}}y", &["x", "{{{{raw}}}}", "{{ a }}", "{{{{/raw}}}}", "y"]),
            ("x{{ [a\"] }}", &[]),
            ("x{{ a", &[]),
            ("", &[]),
        ] {
            assert_eq!(split(text), wanted, "{text}");
        }
    }

    #[test]
    fn an_else_if_of_a_block_is_found_by_its_index() {
        let text = "{{#if a}}{{#if x}}{{else if y}}{{/if}}{{else if b}}{{^if c}}{{~ else ~}}\n{{/if}}{{#if d}}{{else if e}}{{/if}}";
        let tokens = TemplateTokens::new(text);
        let nth = |number| tokens.find_else_if((1, 1), number).map(|(_, column)| &text[column - 1..]);
        assert!(nth(0).is_some_and(|rest| rest.starts_with("{{else if b}}")));
        assert!(nth(1).is_some_and(|rest| rest.starts_with("{{^if c}}")));
        assert_eq!(nth(2), None);
    }

    #[test]
    fn tags_have_widths_and_texts_have_byte_ranges() {
        let text = "ä: {{b}}\n  \\{{c}}: d\n{{e\n f}}";
        let tokens = TemplateTokens::new(text);
        assert_eq!(tokens.tag((1, 4)), Some(5));
        assert_eq!(tokens.tag((3, 1)), Some(3));
        assert_eq!(tokens.tag((1, 3)), None);
        let source_text = |at, written: &str| tokens.text(at, written).map(|range| &text[range]);
        assert_eq!(source_text((1, 1), "ä: "), Some("ä: "));
        assert_eq!(source_text((2, 3), "\n  {{c}}: d\n"), Some("\n  \\{{c}}: d\n"));
        assert_eq!(source_text((2, 3), "{{c}}: d"), Some("\\{{c}}: d"));
        assert_eq!(source_text((2, 3), "something else"), None);
        assert_eq!(tokens.position(12), Some((2, 3)));
    }

    #[test]
    fn a_written_byte_is_found_in_the_template() {
        let text = "a\\{{b}} \\\\{{c}}";
        let all = 0..text.find("{{c").unwrap();
        assert_eq!(unescape_text(text, all.clone()), "a{{b}} \\");
        let rest_from = |byte| &text[source_offset(text, all.clone(), byte)..];
        assert_eq!((rest_from(0), rest_from(1), rest_from(3)), (text, &text[2..], "b}} \\\\{{c}}"));
        assert_eq!((rest_from(7), rest_from(8)), ("\\{{c}}", "{{c}}"));
        assert_eq!(source_offset("abc", 1..3, 1), 2);
    }
}
