//! References in other brackets than `<` and `>`, in escaped brackets, or without brackets.

use std::ops::Range;

use memchr::{memchr_iter, memchr3_iter};

use super::{CandidateText, LookAlike, LookAlikeKind as Kind, is_blank, is_path_and_key};
use crate::placeholder::parser::is_in_key;

/// Maximum length of a reference in such brackets.
const MAX_BODY: usize = 512;

/// Maximum number of escapes checked per text; each may cost as much as the length of a reference.
const MAX_ESCAPES: usize = 1000;

/// Other spellings of `<`, in lower case, each with that of `>`.
const ESCAPES: [(&str, &str); 20] = [
    ("\\u003c", "\\u003e"),
    ("\\u{3c}", "\\u{3e}"),
    ("\\u{003c}", "\\u{003e}"),
    ("\\u0000003c", "\\u0000003e"),
    ("\\x3c", "\\x3e"),
    ("\\74", "\\76"),
    ("\\074", "\\076"),
    ("&amp;lt;", "&amp;gt;"),
    ("&lt;", "&gt;"),
    ("&#60;", "&#62;"),
    ("&#060;", "&#062;"),
    ("&#x3c;", "&#x3e;"),
    ("%253c", "%253e"),
    ("%3c", "%3e"),
    ("\u{ff1c}", "\u{ff1e}"),
    ("\u{fe64}", "\u{fe65}"),
    ("\u{2039}", "\u{203a}"),
    ("\u{27e8}", "\u{27e9}"),
    ("\u{3008}", "\u{3009}"),
    ("\u{ab}", "\u{bb}"),
];

/// Finds `${provider:path#key}` and similar forms, and a reference without brackets that is the whole item.
pub(super) fn find(text: &CandidateText<'_>) -> Option<LookAlike> {
    find_bare(text).or_else(|| {
        let bytes = text.source.as_bytes();
        let openers = bytes.iter().enumerate().filter(|(_, byte)| matches!(byte, b'{' | b'(' | b'['));
        openers.map(|(at, _)| at).find_map(|at| find_wrapped(text, at))
    })
}

fn find_bare(text: &CandidateText<'_>) -> Option<LookAlike> {
    let item = text.item();
    let inner = item.trim_matches(|c| "<>$@%!".contains(c));
    let (name, path) = inner.split_once(':')?;
    let (path, key) = path.split_once('#')?;
    let fits = text.is_known(name) && !path.starts_with("//") && is_path_and_key(path, key);
    fits.then(|| LookAlike { range: text.item.clone(), kind: Kind::OtherBrackets })
}

/// Checks the text after an opening bracket.
fn find_wrapped(text: &CandidateText<'_>, at: usize) -> Option<LookAlike> {
    let (source, opener) = (text.source, text.source.as_bytes().get(at)?);
    let closer = match opener {
        b'{' => '}',
        b'(' => ')',
        _ => ']',
    };
    let inside = head(source.get(at + 1..)?, MAX_BODY);
    // Another opening bracket starts a search of its own.
    let end = inside.find([closer, '|', '\n', '\r', '"', '\'', '<', '{', '(', '['])?;
    let (body, behind) = inside.split_at(end);
    let body = body.trim_matches(is_blank);
    let (name, path) = body.split_once(':')?;
    let sigil = source[..at].chars().next_back().filter(|c| matches!(c, '$' | '#' | '%' | '@' | '{'));
    if !behind.starts_with([closer, '|']) || !text.resembles_known(name) {
        return None;
    }
    let range = at - usize::from(sigil.is_some())..at + 1 + end + 1;
    let is_reference = match path.split_once('#') {
        Some((path, key)) => {
            let path = if sigil.is_some() { path.trim() } else { path };
            !path.starts_with("//") && is_path_and_key(path, key.trim_start())
        }
        None => sigil == Some('$') && opener == &b'{' && is_variable(text, name, path, &range),
    };
    is_reference.then_some(LookAlike { range, kind: Kind::OtherBrackets })
}

/// Reports whether `${name:path}` is a reference. Within a text, other tools use absolute paths there
/// (`${file:/etc/x:key}`), and Spring the default of a property (`${env:dev}`).
fn is_variable(text: &CandidateText<'_>, name: &str, path: &str, range: &Range<usize>) -> bool {
    let is_item = text.item == *range;
    let is_plain = !path.is_empty() && path.chars().all(|c| is_in_key(c) && c != ' ');
    let is_relative = !path.starts_with('/') && !path.contains(':') && path.contains(['/', '.']);
    let is_operator = path.starts_with('-');
    text.is_known(name) && is_plain && !is_operator && (is_item || is_relative)
}

/// Finds references whose `<` is escaped.
pub(super) fn find_escaped(text: &CandidateText<'_>) -> Option<LookAlike> {
    // Searches the first bytes of all spellings, so that other texts cost only a few searches.
    let bytes = text.source.as_bytes();
    let starts = memchr3_iter(b'\\', b'&', b'%', bytes)
        .chain(memchr3_iter(0xef, 0xe2, 0xe3, bytes))
        .chain(memchr_iter(0xc2, bytes));
    let opening = |at: usize| {
        let rest = text.source.get(at..)?;
        let escape = ESCAPES.iter().find(|(open, _)| starts_with_ignoring_case(rest, open))?;
        Some((at, escape))
    };
    starts.filter_map(opening).take(MAX_ESCAPES).find_map(|(at, (open, close))| {
        let inside = head(&text.source[at + open.len()..], MAX_BODY);
        let stop = inside.find(['<', '>', '\n', '\r', '"']).unwrap_or(inside.len());
        let closed = inside[..stop].to_ascii_lowercase().find(close);
        let body = &inside[..closed.unwrap_or(stop)];
        let end = at + open.len() + body.len() + closed.map_or(0, |_| close.len());
        let range = at..end;
        let is_whole = closed.is_some() && is_string(text, open, &range);
        is_escaped(text, &unescaped(body), closed.is_some(), is_whole)
            .then_some(LookAlike { range, kind: Kind::Escaped })
    })
}

/// Reports whether an escaped text is the whole item, or a whole JSON string.
fn is_string(text: &CandidateText<'_>, open: &str, range: &Range<usize>) -> bool {
    let is_quoted = || text.source[..range.start].ends_with('"') && text.source[range.end..].starts_with('"');
    text.item == *range || (open.starts_with("\\u") && is_quoted())
}

fn is_escaped(text: &CandidateText<'_>, body: &str, is_closed: bool, is_whole: bool) -> bool {
    let head = body.split('|').next().unwrap_or_default().trim_matches(is_blank);
    let is_plain = |text: &str| !text.is_empty() && text.chars().all(|c| is_in_key(c) && c != ' ');
    let name = head.split_once([':', '\u{ff1a}']);
    if let Some((_, path)) = name.filter(|(name, _)| text.resembles_known(name)) {
        return match path.split_once('#') {
            Some((path, key)) => is_path_and_key(path.trim(), key.trim()),
            None => is_closed && is_plain(path) && (is_whole || path.contains(['/', '.'])),
        };
    }
    match head.split_once('#') {
        Some((path, key)) => is_closed && !path.contains("//") && is_path_and_key(path, key),
        None => is_whole && head.starts_with(char::is_alphabetic) && head.chars().all(is_in_key),
    }
}

/// Decodes the URL escapes of `#`, `:` and `/`.
fn unescaped(body: &str) -> String {
    let mut out = body.to_owned();
    if body.contains('%') {
        for (from, to) in [("%23", "#"), ("%3A", ":"), ("%3a", ":"), ("%2F", "/"), ("%2f", "/"), ("%20", " ")]
        {
            out = out.replace(from, to);
        }
    }
    out
}

fn starts_with_ignoring_case(text: &str, prefix: &str) -> bool {
    text.as_bytes().get(..prefix.len()).is_some_and(|start| start.eq_ignore_ascii_case(prefix.as_bytes()))
}

/// Returns the first bytes of a text, up to a character boundary.
fn head(text: &str, limit: usize) -> &str {
    &text[..text.floor_char_boundary(limit)]
}
