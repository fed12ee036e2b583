//! Where the tags of a template stand, and the text between them.
//!
//! The parser tells where a tag starts, but neither where it ends nor where text starts; so this reads the template
//! once more, with as much of its grammar as that takes. It is asked about templates that the parser took. Where it is
//! not sure, it knows nothing: a place may be missing, and is never a wrong one.

use std::borrow::Cow;
use std::cell::OnceCell;
use std::ops::Range;

use sealwave_core::document::{Origin, SourceId};

/// Tags and texts of a template, in order.
pub(super) struct Tokens<'a> {
    text: &'a str,
    tokens: Vec<Token>,
}

#[derive(Debug)]
struct Token {
    bytes: Range<usize>,
    /// Line and column of its start.
    start: (usize, usize),
    is_tag: bool,
}

impl<'a> Tokens<'a> {
    /// Reads a template; nothing is known of one that cannot be followed.
    pub(super) fn new(text: &'a str) -> Self {
        let tokens = tokens(text).unwrap_or_default();
        Self { text, tokens }
    }

    /// Width in characters of the tag that starts at a line and column, as far as its first line goes.
    pub(super) fn tag(&self, start: (usize, usize)) -> Option<usize> {
        let at = self.tokens.binary_search_by(|token| token.start.cmp(&start)).ok()?;
        let tag = self.tokens.get(at).filter(|token| token.is_tag)?;
        let tag = self.text.get(tag.bytes.clone())?;
        Some(tag.lines().next().unwrap_or_default().chars().count())
    }

    /// The bytes of the template that an element writes, which is text; `at` is where the parser says that it stands: where
    /// it is not blank, or where the tag behind it starts.
    pub fn text(&self, at: (usize, usize), written: &str) -> Option<Range<usize>> {
        let after = self.tokens.partition_point(|token| token.start <= at);
        let last = self.tokens.get(after.checked_sub(1)?)?;
        let token = if last.is_tag { self.tokens.get(after.checked_sub(2)?)? } else { last };
        if token.is_tag || (last.is_tag && last.start != at) {
            return None;
        }
        let whole = self::written(self.text, token.bytes.clone());
        let blank = |text: &str| text.len() - text.trim_start().len();
        // Blanks may be cut off at both ends, so text that is all blank could stand anywhere.
        if blank(&whole) == whole.len() && whole != written {
            return None;
        }
        let cut = blank(&whole).checked_sub(blank(written))?;
        let rest = whole.get(cut..)?;
        let from = token.bytes.start + cut;
        let to = writer(self.text, from..token.bytes.end, written.len());
        rest.starts_with(written).then_some(from..to)
    }

    /// Where the `else if` of this number (from 0) starts that belongs to the block whose tag starts at a position.
    fn chained(&self, block: (usize, usize), number: usize) -> Option<(usize, usize)> {
        let at = self.tokens.binary_search_by(|token| token.start.cmp(&block)).ok()?;
        let mut depth = 0_usize;
        let mut before = 0;
        for token in self.tokens.get(at + 1..)?.iter().filter(|token| token.is_tag) {
            match role(self.text.get(token.bytes.clone())?) {
                Role::Open => depth += 1,
                Role::Close => depth = depth.checked_sub(1)?,
                Role::Chain if depth == 0 && before == number => return Some(token.start),
                Role::Chain if depth == 0 => before += 1,
                Role::Chain | Role::Other => {}
            }
        }
        None
    }

    /// Line and column of a byte at which a text starts.
    pub(super) fn position(&self, at: usize) -> Option<(usize, usize)> {
        let after = self.tokens.partition_point(|token| token.bytes.start <= at);
        let token = self.tokens.get(after.checked_sub(1)?)?;
        Some(advanced(token.start, self.text.get(token.bytes.start..at)?))
    }
}

/// Which tag something is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum TagPlace {
    /// The one that starts at this line and column.
    At((usize, usize)),
    /// The `else if` of this number (from 0) of the block whose tag starts there.
    Chained((usize, usize), usize),
    Unknown,
}

/// Finds tags; a template is only read where one is looked for that the parser did not place.
pub(super) struct Places<'a> {
    text: &'a str,
    tokens: OnceCell<Tokens<'a>>,
}

impl<'a> Places<'a> {
    /// For the template with this text.
    pub(super) const fn new(text: &'a str) -> Self {
        Self { text, tokens: OnceCell::new() }
    }

    fn tokens(&self) -> &Tokens<'a> {
        self.tokens.get_or_init(|| Tokens::new(self.text))
    }

    /// Line and column of a tag.
    pub(super) fn start(&self, place: TagPlace) -> Option<(usize, usize)> {
        match place {
            TagPlace::At(start) => Some(start),
            TagPlace::Chained(block, number) => self.tokens().chained(block, number),
            TagPlace::Unknown => None,
        }
    }

    /// The text of a tag.
    pub fn text(&self, place: TagPlace) -> Option<&'a str> {
        let start = self.start(place)?;
        let tokens = self.tokens();
        let at = tokens.tokens.binary_search_by(|token| token.start.cmp(&start)).ok()?;
        self.text.get(tokens.tokens.get(at)?.bytes.clone())
    }

    /// Where a tag stands, and how wide it is.
    pub fn origin(&self, place: TagPlace, source: SourceId) -> Origin {
        let number = |n: usize| u32::try_from(n).unwrap_or(u32::MAX);
        let Some(start) = self.start(place) else { return Origin::whole(source) };
        let width = self.tokens().tag(start).unwrap_or(0);
        Origin { width: number(width), ..Origin::point(source, number(start.0), number(start.1)) }
    }
}

/// What a tag does to the blocks.
enum Role {
    Chain,
    Close,
    Open,
    Other,
}

fn role(tag: &str) -> Role {
    if tag.starts_with("{{{{") {
        return Role::Other;
    }
    let inner = tag.trim_start_matches(['{', '~']).trim_start();
    let rest = match inner.as_bytes().first() {
        Some(b'#') => return Role::Open,
        Some(b'/') => return Role::Close,
        Some(b'^') => inner.get(1..),
        _ => inner.strip_prefix("else").filter(|rest| rest.starts_with([' ', '\t', '\n', '\r'])),
    };
    match rest.map(|rest| rest.trim_start().starts_with(['}', '~'])) {
        Some(false) => Role::Chain,
        Some(true) | None => Role::Other,
    }
}

/// What a part of a template's text writes: of backslashes before a tag, all but the first.
pub fn written(text: &str, range: Range<usize>) -> Cow<'_, str> {
    let part = text.get(range.clone()).unwrap_or_default();
    if memchr::memchr(b'\\', part.as_bytes()).is_none() {
        return Cow::Borrowed(part);
    }
    Cow::Owned(characters(text, range).map(|(_, character)| character).collect())
}

/// The byte of a template's text that writes a byte of what a part of it writes, counted from the start of that.
pub fn writer(text: &str, range: Range<usize>, byte: usize) -> usize {
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

/// The characters that are written, and where they stand.
fn characters(text: &str, range: Range<usize>) -> impl Iterator<Item = (usize, char)> + '_ {
    let start = range.start;
    let part = text.get(range).unwrap_or_default();
    let all = part.char_indices().map(move |(at, character)| (start + at, character));
    all.filter(|(at, character)| *character != '\\' || !is_escape(text, *at))
}

/// Whether a backslash is the first of some that stand before a tag.
fn is_escape(text: &str, at: usize) -> bool {
    let (Some(before), Some(rest)) = (text.get(..at), text.get(at..)) else { return false };
    !before.ends_with('\\') && rest.trim_start_matches('\\').starts_with("{{")
}

fn tokens(text: &str) -> Option<Vec<Token>> {
    let mut tokens: Vec<Token> = Vec::new();
    let (mut at, mut start) = (0, (1, 1));
    let mut add = |at: &mut usize, end: usize, is_tag: bool| {
        if *at < end {
            tokens.push(Token { bytes: *at..end, start, is_tag });
            start = advanced(start, text.get(*at..end)?);
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

/// Where text ends: at the next tag that is not escaped.
fn text_end(text: &str, from: usize, tag: &str) -> usize {
    let mut at = from;
    while let Some(found) = text.get(at..).and_then(|rest| rest.find("{{")) {
        let start = at + found;
        let backslashes =
            text.get(from..start).map_or(0, |before| before.len() - before.trim_end_matches('\\').len());
        let rest = text.get(start..).unwrap_or_default();
        if backslashes == 1 {
            // An escape takes one pair of braces, or two.
            at = start + if rest.starts_with("{{{{") { 4 } else { 2 };
        } else if rest.starts_with(tag) {
            return start;
        } else {
            at = start + 1;
        }
    }
    text.len()
}

/// Where the tag that starts here ends.
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
            // A key in brackets, or a list; whichever it is matters only where quotes or brackets are in it.
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

/// Where the quote stands that ends a text in a tag.
fn string_end(bytes: &[u8], from: usize, quote: u8) -> Option<usize> {
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

/// The position behind a text that starts at a position.
fn advanced((line, column): (usize, usize), text: &str) -> (usize, usize) {
    match text.rsplit_once('\n') {
        Some((before, last)) => (line + before.matches('\n').count() + 1, last.chars().count() + 1),
        None => (line, column + text.chars().count()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn split(text: &str) -> Vec<&str> {
        Tokens::new(text).tokens.iter().map(|token| &text[token.bytes.clone()]).collect()
    }

    #[test]
    fn tags_and_the_text_between_them() {
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
    fn an_else_of_a_block_is_found_by_its_number() {
        let text = "{{#if a}}{{#if x}}{{else if y}}{{/if}}{{else if b}}{{^if c}}{{~ else ~}}\n{{/if}}{{#if d}}{{else if e}}{{/if}}";
        let tokens = Tokens::new(text);
        let of = |number| tokens.chained((1, 1), number).map(|(_, column)| &text[column - 1..]);
        assert!(of(0).is_some_and(|rest| rest.starts_with("{{else if b}}")));
        assert!(of(1).is_some_and(|rest| rest.starts_with("{{^if c}}")));
        assert_eq!(of(2), None);
    }

    #[test]
    fn a_tag_has_a_width_and_a_text_its_bytes() {
        let text = "ä: {{b}}\n  \\{{c}}: d\n{{e\n f}}";
        let tokens = Tokens::new(text);
        assert_eq!(tokens.tag((1, 4)), Some(5));
        assert_eq!(tokens.tag((3, 1)), Some(3));
        assert_eq!(tokens.tag((1, 3)), None);
        let of = |at, written: &str| tokens.text(at, written).map(|range| &text[range]);
        assert_eq!(of((1, 1), "ä: "), Some("ä: "));
        assert_eq!(of((2, 3), "\n  {{c}}: d\n"), Some("\n  \\{{c}}: d\n"));
        assert_eq!(of((2, 3), "{{c}}: d"), Some("\\{{c}}: d"));
        assert_eq!(of((2, 3), "something else"), None);
        assert_eq!(tokens.position(12), Some((2, 3)));
    }

    #[test]
    fn a_byte_that_is_written_is_found_in_the_template() {
        let text = "a\\{{b}} \\\\{{c}}";
        let all = 0..text.find("{{c").unwrap();
        assert_eq!(written(text, all.clone()), "a{{b}} \\");
        let of = |byte| &text[writer(text, all.clone(), byte)..];
        assert_eq!((of(0), of(1), of(3)), (text, &text[2..], "b}} \\\\{{c}}"));
        assert_eq!((of(7), of(8)), ("\\{{c}}", "{{c}}"));
        assert_eq!(writer("abc", 1..3, 1), 2);
    }
}
