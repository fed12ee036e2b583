//! Scans a document's bytes once: finds what YAML does not allow, and what determines the parser.

use super::error::YamlError;
use super::position::{EventPosition, EventResult, saturating_u32};

/// Properties of a document that matter before parsing.
#[derive(Clone, Copy, Default)]
#[expect(clippy::struct_excessive_bools, reason = "each is a separate property")]
pub(super) struct DocumentSurvey {
    /// Whether the two parsers read something differently.
    pub(super) exact: bool,
    /// Whether it contains `\/`, which Kubernetes refuses in double-quoted scalars, or `\u`, whose surrogates it
    /// refuses.
    pub(super) escapes: bool,
    /// A colon directly before `,`, `]` or `}`. Kubernetes treats it as part of a plain scalar in a flow collection.
    pub(super) colons: bool,
    /// `*`, without which there are no aliases.
    pub(super) stars: bool,
    /// Lines with only spaces before a tab. The fast parser accepts some of them that Kubernetes refuses.
    pub(super) tabbed_lines: usize,
}

/// The number of bytes that are checked together.
const CHUNK: usize = 32;

/// Maximum number of commas and brackets for the fast parser, which takes about a kilobyte for each.
const MANY_PARTS: usize = 30_000;

/// Scans a document.
///
/// # Errors
/// The first character that YAML does not allow, or a directive before the document.
pub(super) fn survey_document(text: &str) -> EventResult<DocumentSurvey> {
    let mut survey = DocumentSurvey::default();
    if let Some(line) = directive(text) {
        return Err((YamlError::Directive, EventPosition { line, column: 1, width: 0 }));
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
            inspect_byte(&mut survey, text, at, *byte, bytes.get(at + 1..).unwrap_or_default())?;
        }
    }
    Ok(survey)
}

/// Reports whether flow collections may have too many parts for the fast parser: it keeps a whole collection in
/// memory until it knows whether that is a key. The other parser limits the length of a key.
fn has_many_parts(bytes: &[u8]) -> bool {
    if bytes.len() < MANY_PARTS {
        return false;
    }
    let count_parts =
        |chunk: &[u8]| chunk.iter().map(|byte| u32::from(matches!(byte, b',' | b'[' | b'{'))).sum();
    let mut count = 0_u32;
    bytes.chunks(4096).any(|chunk| {
        let more: u32 = count_parts(chunk);
        count = count.saturating_add(more);
        count as usize > MANY_PARTS
    })
}

/// Reports whether a colon, except after a quoted key, is directly before the end of a part of a flow collection.
fn has_colon_before_end(bytes: &[u8]) -> bool {
    let is_unquoted =
        |at: usize| !matches!(at.checked_sub(1).and_then(|before| bytes.get(before)), Some(b'"' | b'\''));
    [":,", ":]", ":}"].into_iter().any(|pair| memchr::memmem::find_iter(bytes, pair).any(is_unquoted))
}

/// Reports whether a byte must be inspected.
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

fn inspect_byte(
    survey: &mut DocumentSurvey,
    text: &str,
    at: usize,
    byte: u8,
    after: &[u8],
) -> EventResult<()> {
    match (byte, after) {
        (b'*', _) => survey.stars = true,
        (b'!', _) => survey.exact |= is_tag_before_end(text.as_bytes(), at),
        (b'&', _) => survey.exact |= is_odd_anchor(text.as_bytes(), at),
        (b'\\', [b'/' | b'u' | b'U', ..]) => survey.escapes = true,
        (0xc2, [0x85, ..]) | (0xe2, [0x80, 0xa8 | 0xa9, ..]) => survey.exact = true,
        // A carriage return alone is also a line break, but rare.
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

/// Reports whether only spaces precede a byte on its line.
fn starts_line(bytes: &[u8], at: usize) -> bool {
    let before = bytes.get(..at).unwrap_or_default();
    before.iter().rev().find(|byte| **byte != b' ').is_none_or(|byte| *byte == b'\n')
}

/// Reports whether only indicators of block collections, such as `- `, precede a tab on its line. Kubernetes refuses a
/// tab that could be indentation.
fn follows_indicator(bytes: &[u8], at: usize) -> bool {
    // Looking back farther for each of many tabs would take quadratic time.
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

/// Reports whether a node's properties can start here.
fn starts_token(bytes: &[u8], at: usize) -> bool {
    let before = at.checked_sub(1).and_then(|before| bytes.get(before));
    before.is_none_or(|byte| matches!(byte, b' ' | b'\t' | b'\n' | b'[' | b'{' | b','))
}

/// Reports whether a comma or bracket directly follows a tag; in a flow collection, only YAML 1.2 allows it.
fn is_tag_before_end(bytes: &[u8], at: usize) -> bool {
    if !starts_token(bytes, at) {
        return false;
    }
    let rest = bytes.get(at.saturating_add(1)..).unwrap_or_default();
    let is_end = |byte: &u8| matches!(byte, b' ' | b'\t' | b'\r' | b'\n' | b',' | b']' | b'}');
    let end = rest.iter().position(is_end).and_then(|end| rest.get(end));
    matches!(end, Some(b',' | b']' | b'}'))
}

/// Reports whether an anchor's name contains a character that only YAML 1.2 allows, such as the colon of `&a: b`.
fn is_odd_anchor(bytes: &[u8], at: usize) -> bool {
    if !starts_token(bytes, at) {
        return false;
    }
    let mut name = bytes.iter().skip(at.saturating_add(1));
    let next = name.find(|byte| !byte.is_ascii_alphanumeric() && !matches!(byte, b'_' | b'-'));
    !matches!(next, None | Some(b' ' | b'\n' | b'\r' | b'&'))
}

fn control(text: &str, at: usize) -> (YamlError, EventPosition) {
    let before = text.get(..at).unwrap_or("");
    let line = before.bytes().filter(|byte| *byte == b'\n').count();
    let column = before.rsplit('\n').next().unwrap_or("").chars().count();
    let found = text.get(at..).and_then(|rest| rest.chars().next()).map_or(0, u32::from);
    let spot = EventPosition {
        line: saturating_u32(line).saturating_add(1),
        column: saturating_u32(column).saturating_add(1),
        width: 1,
    };
    (YamlError::ControlCharacter(found), spot)
}

/// Returns the line of a directive before the document's content.
fn directive(text: &str) -> Option<u32> {
    for (index, line) in text.lines().enumerate() {
        match line.trim_ascii_start().bytes().next() {
            None | Some(b'#') => {}
            Some(b'%') if line.starts_with('%') => return Some(saturating_u32(index).saturating_add(1)),
            Some(_) => return None,
        }
    }
    None
}
