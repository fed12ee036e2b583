//! `<…>` that the grammar treats as text: near misses of sealwave's placeholders, and argocd-vault-plugin's generic
//! ones.

use std::cell::OnceCell;
use std::collections::BTreeMap;

use memchr::memchr_iter;

use super::{CandidateText, LookAlike, LookAlikeKind as Kind, is_blank, is_path_and_key};
use crate::placeholder::parser::{count_brackets, is_in_key, is_modifier};

/// HTML elements that often have no end tag, or that appear alone as a value.
const HTML: [&str; 33] = [
    "a", "b", "body", "br", "div", "em", "h1", "h2", "h3", "head", "hr", "html", "i", "img", "input", "li",
    "link", "meta", "ol", "p", "pre", "script", "small", "span", "strong", "style", "table", "td", "th",
    "tr", "tt", "u", "ul",
];

/// Characters used by mistake instead of the colon after a provider name.
const SEPARATORS: [char; 5] = [':', ';', '=', ' ', '\u{ff1a}'];

pub(super) fn find(text: &CandidateText<'_>) -> Option<LookAlike> {
    let page = PageContext::new(text);
    let mut behind = 0;
    memchr_iter(b'<', text.source.as_bytes()).find_map(|start| {
        if start < behind {
            return None;
        }
        let run = count_brackets(&text.source[start..]);
        behind = start + run;
        let tag = BracketTag::read(text.source, start, behind)?;
        let kind = if text.item == (tag.start..tag.end) {
            classify_item(text, &tag, run)
        } else if run == 1 {
            classify_within(&page, &tag)
        } else {
            // The word of a heredoc follows several brackets.
            None
        };
        kind.map(|kind| LookAlike { range: tag.start..tag.end, kind })
    })
}

/// A bracket and the text after it, up to the closing bracket or the end of the line.
struct BracketTag<'a> {
    start: usize,
    end: usize,
    /// The text before a modifier, trimmed.
    head: &'a str,
    /// The text between the brackets, not trimmed.
    body: &'a str,
    has_modifier: bool,
    is_closed: bool,
}

impl<'a> BracketTag<'a> {
    fn read(text: &'a str, start: usize, behind: usize) -> Option<Self> {
        let rest = text.get(behind..)?;
        let skipped = rest.len() - rest.trim_start_matches(is_blank).len();
        let stop = rest[skipped..].find(['<', '>', '\n', '\r']).map_or(rest.len(), |stop| skipped + stop);
        let body = &rest[..stop];
        let (head, modifier) = body.split_once('|').unwrap_or((body, ""));
        let word = modifier.trim_start().split(|c: char| !c.is_ascii_alphanumeric()).next();
        let has_modifier = word.is_some_and(is_modifier);
        if body.len() > head.len() && !has_modifier {
            return None;
        }
        let is_closed = rest[stop..].starts_with('>');
        let closing = if is_closed { closing_brackets(&rest[stop..]) } else { 0 };
        let head = head.trim_matches(is_blank);
        Some(Self { start, end: behind + stop + closing, head, body, has_modifier, is_closed })
    }
}

/// Returns the number of `>` that a text starts with, at most two.
fn closing_brackets(text: &str) -> usize {
    text.bytes().take(2).take_while(|byte| *byte == b'>').count()
}

/// Classifies `<…>` that is the whole item.
fn classify_item(text: &CandidateText<'_>, tag: &BracketTag<'_>, run: usize) -> Option<Kind> {
    if !tag.is_closed {
        return None;
    }
    let reference = if run == 1 { classify_reference(text, tag, || true) } else { None };
    reference.or_else(|| is_name(tag.head).then_some(Kind::Name))
}

/// Classifies `<…>` within a longer text.
fn classify_within(page: &PageContext<'_>, tag: &BracketTag<'_>) -> Option<Kind> {
    if let Some(kind) = classify_reference(page.text, tag, || page.lacks_end(tag)) {
        return Some(kind);
    }
    let tight = !tag.body.ends_with(is_blank) && !tag.body.starts_with(is_blank);
    if !tag.is_closed || !tight || !is_name(tag.head) {
        return None;
    }
    if tag.has_modifier {
        // In a shell, `sort <in | base64 >out` is a redirection.
        let redirects = |c: char| c.is_alphanumeric() || matches!(c, '/' | '&' | '.' | '-' | '$');
        let after = page.text.source[tag.end..].chars().next();
        return (!after.is_some_and(redirects)).then_some(Kind::Name);
    }
    let is_html = HTML.contains(&tag.head.to_ascii_lowercase().as_str());
    (!is_html && page.is_value(tag) && page.lacks_end(tag)).then_some(Kind::Name)
}

/// Classifies `<name:…>` and `<path#key>`; `is_open` reports whether an element of that name has no end tag.
fn classify_reference(
    text: &CandidateText<'_>,
    tag: &BracketTag<'_>,
    is_open: impl Fn() -> bool,
) -> Option<Kind> {
    let head = tag.head;
    if let Some((before, key)) = head.split_once('#') {
        let (path, key) = (before.trim_end(), key.trim_start());
        let has_blank = path.len() < before.len() || key.len() < head.len() - before.len() - 1;
        if let Some((name, path)) = path.split_once(SEPARATORS)
            && text.resembles_known(name)
            && is_path_and_key(path.trim(), key)
        {
            return Some(Kind::Misspelled);
        }
        // In a shell, `cmd <in.txt # comment > out` is a redirection.
        let may_have_blank = path.contains(['/', '.']) && !tag.body.ends_with(is_blank);
        let fits = tag.is_closed && is_path_and_key(path, key) && (!has_blank || may_have_blank);
        let kind = if path.contains(':') { Kind::Misspelled } else { Kind::NoProvider };
        return fits.then_some(kind);
    }
    let (name, path) = head.split_once(':')?;
    let path = path.trim();
    let fits = !path.is_empty() && path.chars().all(|c| is_in_key(c) && c != ' ') && !path.starts_with("//");
    let is_tag = !path.trim_end_matches('/').contains('/');
    let is_misspelled = fits && tag.is_closed && text.resembles_known(name) && (!is_tag || is_open());
    is_misspelled.then_some(Kind::Misspelled)
}

/// Reports whether a text between brackets is a name that argocd-vault-plugin would accept: not a tag with attributes,
/// not an address.
fn is_name(head: &str) -> bool {
    let is_start = |c: char| c.is_alphanumeric() || c == '_';
    head.starts_with(is_start)
        && !head.ends_with('/')
        && !head.contains("//")
        && !head.contains('@')
        && head.chars().any(char::is_alphabetic)
        && head.chars().all(is_in_key)
}

/// Properties of a text as a whole.
struct PageContext<'a> {
    text: &'a CandidateText<'a>,
    has_end_tags: bool,
    has_lines: bool,
    tags: OnceCell<TagBalance>,
}

impl<'a> PageContext<'a> {
    fn new(text: &'a CandidateText<'a>) -> Self {
        let has_end_tags = text.source.contains("</");
        Self { text, has_end_tags, has_lines: text.item().contains('\n'), tags: OnceCell::new() }
    }

    /// Reports whether a tag has no end tag.
    fn lacks_end(&self, tag: &BracketTag<'_>) -> bool {
        let name = tag.head.split([' ', '\t']).next().unwrap_or_default();
        self.tags.get_or_init(|| TagBalance::count(self.text.source)).lacks_end(name)
    }

    /// Reports whether a tag is at the position of a value.
    fn is_value(&self, tag: &BracketTag<'_>) -> bool {
        let before = &self.text.source[..tag.start];
        let after = &self.text.source[tag.end..];
        if self.has_end_tags {
            return before.ends_with('>') && after.starts_with("</");
        }
        let ends = after.chars().next().is_none_or(|c| c.is_whitespace() || "@:/,;.\"'&?)}]".contains(c));
        let starts = match before.chars().next_back() {
            None => after.starts_with([':', '@', '/', ',', ';', '&']),
            Some(' ' | '\t') => {
                let is_last = tag.end == self.text.item.end && !self.has_lines;
                is_last || before.trim_end_matches([' ', '\t']).ends_with([':', '='])
            }
            Some(c) => matches!(c, ':' | '/' | '=' | '@' | '"' | '\'' | ',' | ';'),
        };
        ends && starts
    }
}

/// Elements by name: the number of start tags minus the number of end tags.
struct TagBalance(BTreeMap<String, i64>);

impl TagBalance {
    fn count(text: &str) -> Self {
        let mut tags = BTreeMap::new();
        for start in memchr_iter(b'<', text.as_bytes()) {
            let rest = &text[start + 1..];
            let (name, change) = rest.strip_prefix('/').map_or((rest, 1), |name| (name, -1));
            let end = name.find(|c: char| c.is_whitespace() || matches!(c, '<' | '>' | '/' | '|'));
            let end = end.unwrap_or(name.len());
            let is_empty = name[end..].starts_with("/>");
            if end > 0 && end <= 128 && !is_empty {
                *tags.entry(name[..end].to_owned()).or_default() += change;
            }
        }
        Self(tags)
    }

    fn lacks_end(&self, name: &str) -> bool {
        self.0.get(name).is_none_or(|open| *open > 0)
    }
}
