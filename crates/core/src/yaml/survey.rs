//! One look over a document's bytes: what no YAML may hold, and what decides which parser reads it.

use super::error::YamlError;
use super::events::{Located, Spot, number};

/// What a document holds, as far as it matters before parsing.
#[derive(Clone, Copy, Default)]
#[expect(clippy::struct_excessive_bools, reason = "each is a fact of its own")]
pub(super) struct Survey {
    /// Something that the two parsers read differently.
    pub(super) exact: bool,
    /// `\/`, which Kubernetes refuses in double-quoted scalars, or `\u`, whose surrogates it refuses.
    pub(super) escapes: bool,
    /// A colon directly before `,`, `]` or `}`. Kubernetes takes it for a part of a plain scalar in a flow collection.
    pub(super) colons: bool,
    /// `*`, without which there is no alias.
    pub(super) stars: bool,
    /// Lines on which nothing but spaces comes before a tab. The fast parser takes some of them that Kubernetes refuses.
    pub(super) tabbed_lines: usize,
}

/// Bytes that are looked at together.
const CHUNK: usize = 32;

/// Commas and brackets of a document that the fast parser reads; it takes about a kilobyte for each.
const MANY_PARTS: usize = 30_000;

/// Looks over a document.
///
/// # Errors
/// The first character that YAML does not allow, or a directive before the document.
pub(super) fn survey(text: &str) -> Located<Survey> {
    let mut survey = Survey::default();
    if let Some(line) = directive(text) {
        return Err((YamlError::Directive, Spot { line, column: 1, width: 0 }));
    }
    let bytes = text.as_bytes();
    survey.exact = has_many_parts(bytes);
    survey.colons = has_colon_before_end(bytes);
    for (chunk, start) in bytes.chunks(CHUNK).zip((0..).step_by(CHUNK)) {
        // Most chunks hold nothing of interest, and this loop has no branches.
        if !chunk.iter().fold(false, |any, byte| any | is_marked(*byte)) {
            continue;
        }
        for (at, byte) in (start..).zip(chunk).filter(|(_, byte)| is_marked(**byte)) {
            look(&mut survey, text, at, *byte, bytes.get(at + 1..).unwrap_or_default())?;
        }
    }
    Ok(survey)
}

/// Whether collections in flow style may have so many parts that the fast parser must not see them: it keeps all of a
/// collection in memory until it knows whether that is a key. The other parser knows that a key is short.
fn has_many_parts(bytes: &[u8]) -> bool {
    if bytes.len() < MANY_PARTS {
        return false;
    }
    let parts = |chunk: &[u8]| chunk.iter().map(|byte| u32::from(matches!(byte, b',' | b'[' | b'{'))).sum();
    let mut count = 0_u32;
    bytes.chunks(4096).any(|chunk| {
        let more: u32 = parts(chunk);
        count = count.saturating_add(more);
        count as usize > MANY_PARTS
    })
}

/// Returns whether a colon, other than behind a quoted key, comes directly before what ends a part of a flow collection.
fn has_colon_before_end(bytes: &[u8]) -> bool {
    let is_unquoted =
        |at: usize| !matches!(at.checked_sub(1).and_then(|before| bytes.get(before)), Some(b'"' | b'\''));
    [":,", ":]", ":}"].into_iter().any(|pair| memchr::memmem::find_iter(bytes, pair).any(is_unquoted))
}

/// Whether a byte needs a closer look.
#[expect(clippy::needless_bitwise_bool, reason = "without branches the compiler looks at many bytes at once")]
const fn is_marked(byte: u8) -> bool {
    (byte < 0x20) & (byte != 0x0a)
        | (byte == 0x7f)
        | (byte == 0xc2)
        | (byte == 0xe2)
        | (byte == 0xef)
        | (byte == b'!')
        | (byte == b'&')
        | (byte == b'*')
        | (byte == b'\\')
}

fn look(survey: &mut Survey, text: &str, at: usize, byte: u8, after: &[u8]) -> Located<()> {
    match (byte, after) {
        (b'*', _) => survey.stars = true,
        (b'!', _) => survey.exact |= is_tag_before_end(text.as_bytes(), at),
        (b'&', _) => survey.exact |= is_odd_anchor(text.as_bytes(), at),
        (b'\\', [b'/' | b'u' | b'U', ..]) => survey.escapes = true,
        (0xc2, [0x85, ..]) | (0xe2, [0x80, 0xa8 | 0xa9, ..]) => survey.exact = true,
        // A carriage return alone is a line break, too, and rare enough.
        (b'\r', _) => survey.exact |= after.first() != Some(&b'\n'),
        (b'\t', _) => {
            survey.tabbed_lines += usize::from(starts_line(text.as_bytes(), at));
            survey.exact |= follows_indicator(text.as_bytes(), at);
        }
        (0..=0x1f | 0x7f, _) | (0xc2, [..=0x9f, ..]) | (0xef, [0xbf, 0xbe | 0xbf, ..]) => {
            return Err(control(text, at));
        }
        _ => {}
    }
    Ok(())
}

/// Returns whether nothing but spaces comes before a byte on its line.
fn starts_line(bytes: &[u8], at: usize) -> bool {
    let before = bytes.get(..at).unwrap_or_default();
    before.iter().rev().find(|byte| **byte != b' ').is_none_or(|byte| *byte == b'\n')
}

/// Returns whether only indicators of block collections come before a tab on its line, such as `- `. Kubernetes refuses a tab
/// there, where it could be indentation.
fn follows_indicator(bytes: &[u8], at: usize) -> bool {
    // A longer look back for each of many tabs would take quadratic time.
    const LOOK_BACK: usize = 128;
    let before = bytes.get(..at).unwrap_or_default();
    let mut indicators = false;
    for byte in before.iter().rev().take(LOOK_BACK) {
        match byte {
            b'\n' => return indicators,
            b'-' | b'?' | b':' => indicators = true,
            b' ' | b'\t' => {}
            _ => return false,
        }
    }
    indicators || before.len() > LOOK_BACK
}

/// Whether a node's properties can start here.
fn starts_token(bytes: &[u8], at: usize) -> bool {
    let before = at.checked_sub(1).and_then(|before| bytes.get(before));
    before.is_none_or(|byte| matches!(byte, b' ' | b'\t' | b'\n' | b'[' | b'{' | b','))
}

/// Returns whether a comma or a bracket follows a tag at once: in a flow collection only YAML 1.2 allows it.
fn is_tag_before_end(bytes: &[u8], at: usize) -> bool {
    if !starts_token(bytes, at) {
        return false;
    }
    let rest = bytes.get(at.saturating_add(1)..).unwrap_or_default();
    let ends = |byte: &u8| matches!(byte, b' ' | b'\t' | b'\r' | b'\n' | b',' | b']' | b'}');
    let end = rest.iter().position(ends).and_then(|end| rest.get(end));
    matches!(end, Some(b',' | b']' | b'}'))
}

/// Whether an anchor's name goes on with what only YAML 1.2 allows in one, such as the colon of `&a: b`.
fn is_odd_anchor(bytes: &[u8], at: usize) -> bool {
    if !starts_token(bytes, at) {
        return false;
    }
    let mut name = bytes.iter().skip(at.saturating_add(1));
    let next = name.find(|byte| !byte.is_ascii_alphanumeric() && !matches!(byte, b'_' | b'-'));
    !matches!(next, None | Some(b' ' | b'\n' | b'\r' | b'&'))
}

fn control(text: &str, at: usize) -> (YamlError, Spot) {
    let before = text.get(..at).unwrap_or("");
    let line = before.bytes().filter(|byte| *byte == b'\n').count();
    let column = before.rsplit('\n').next().unwrap_or("").chars().count();
    let found = text.get(at..).and_then(|rest| rest.chars().next()).map_or(0, u32::from);
    let spot =
        Spot { line: number(line).saturating_add(1), column: number(column).saturating_add(1), width: 1 };
    (YamlError::ControlCharacter(found), spot)
}

/// The line of a directive before the document's content.
fn directive(text: &str) -> Option<u32> {
    for (index, line) in text.lines().enumerate() {
        match line.trim_ascii_start().bytes().next() {
            None | Some(b'#') => {}
            Some(b'%') if line.starts_with('%') => return Some(number(index).saturating_add(1)),
            Some(_) => return None,
        }
    }
    None
}
