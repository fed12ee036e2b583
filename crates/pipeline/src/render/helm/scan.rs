//! Splits a template into tags, also one that the parser refuses.
//!
//! It never fails: a tag or a text that is not closed ends with its line, and the search goes on behind it.

/// A tag of a template.
#[derive(Debug)]
pub(super) struct ScannedTag<'t> {
    /// The text from the first brace to the last. If the tag is not closed, it may contain text behind the tag.
    pub(super) text: &'t str,
    /// The line and column of its start.
    pub(super) start: (usize, usize),
    pub(super) end: TagEnd,
    /// Whether there is nothing else on its line.
    pub(super) is_alone: bool,
}

/// The end of a tag.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum TagEnd {
    Closed,
    /// A quoted text is not closed before the tag's braces.
    OpenText,
    Unclosed,
}

/// Returns the tags of a template, in order.
pub(super) fn scan_tags(text: &str) -> impl Iterator<Item = ScannedTag<'_>> {
    let mut scanner = TagScanner { text, at: 0, counted: 0, line: 1, column: 1 };
    std::iter::from_fn(move || scanner.next_tag())
}

struct TagScanner<'t> {
    text: &'t str,
    /// The end of the last tag.
    at: usize,
    /// The offset of the position.
    counted: usize,
    line: usize,
    column: usize,
}

impl<'t> TagScanner<'t> {
    fn next_tag(&mut self) -> Option<ScannedTag<'t>> {
        loop {
            let start = self.at + self.text.get(self.at..)?.find("{{")?;
            let before = self.text.get(self.at..start)?;
            let rest = self.text.get(start..)?;
            // One backslash escapes the tag; several write one.
            if before.len() - before.trim_end_matches('\\').len() == 1 {
                self.at = start + if rest.starts_with("{{{{") { 4 } else { 2 };
                continue;
            }
            let (length, end) = tag_end(rest);
            let tag = rest.get(..length)?;
            self.at = start + length;
            self.advance(start);
            let is_alone = self.is_alone(start, start + length);
            if tag.starts_with("{{{{") && end == TagEnd::Closed {
                self.skip_raw_text();
            }
            return Some(ScannedTag { text: tag, start: (self.line, self.column), end, is_alone });
        }
    }

    /// Moves the position to an offset.
    fn advance(&mut self, to: usize) {
        let passed = self.text.get(self.counted..to).unwrap_or_default();
        match passed.rsplit_once('\n') {
            Some((before, last)) => {
                self.line += before.matches('\n').count() + 1;
                self.column = last.chars().count() + 1;
            }
            None => self.column += passed.chars().count(),
        }
        self.counted = to;
    }

    fn is_alone(&self, start: usize, end: usize) -> bool {
        let is_blank = |c: char| matches!(c, ' ' | '\t' | '\r');
        let before = self.text.get(..start).unwrap_or_default().trim_end_matches(is_blank);
        let after = self.text.get(end..).unwrap_or_default().trim_start_matches(is_blank);
        (before.is_empty() || before.ends_with('\n')) && (after.is_empty() || after.starts_with('\n'))
    }

    /// Skips the text of a raw block, whose braces are literal.
    fn skip_raw_text(&mut self) {
        let rest = self.text.get(self.at..).unwrap_or_default();
        self.at += rest.find("{{{{/").map_or(rest.len(), |end| {
            let close =
                rest.get(end..).and_then(|close| close.find("}}}}")).map_or(rest.len(), |to| end + to + 4);
            close.min(rest.len())
        });
    }
}

/// Returns the length of the tag at the start of a text, and how it ends.
fn tag_end(rest: &str) -> (usize, TagEnd) {
    let unclosed = || (rest.find('\n').unwrap_or(rest.len()), TagEnd::Unclosed);
    let closed_by = |from: usize, mark: &str| {
        let found = rest.get(from..).and_then(|text| text.find(mark));
        found.map_or_else(unclosed, |at| (from + at + mark.len(), TagEnd::Closed))
    };
    if rest.starts_with("{{!--") {
        return closed_by(5, "--}}");
    }
    if rest.starts_with("{{!") {
        return closed_by(3, "}}");
    }
    if let Some(comment) = go_comment(rest) {
        let end = comment.find("*/").map(|at| rest.len() - comment.len() + at);
        return end.map_or_else(unclosed, |end| closed_by(end, "}}"));
    }
    let braces = rest.len() - rest.trim_start_matches('{').len();
    scan_to_end(rest, braces.min(4)).unwrap_or_else(unclosed)
}

/// Returns the text behind `{{/*`.
pub(super) fn go_comment(tag: &str) -> Option<&str> {
    tag.strip_prefix("{{")?.trim_start_matches(['-', '~']).trim_start().strip_prefix("/*")
}

/// Finds the closing braces of a tag; `None` if it has none.
fn scan_to_end(rest: &str, braces: usize) -> Option<(usize, TagEnd)> {
    let bytes = rest.as_bytes();
    let mut open = 0_usize;
    let mut at = braces;
    loop {
        match bytes.get(at)? {
            quote @ (b'"' | b'\'' | b'`') => match text_end(rest, at, *quote)? {
                (end, TagEnd::Closed) => at = end,
                open_text => return Some(open_text),
            },
            b'{' if bytes.get(at + 1) == Some(&b'{') => return None,
            b'{' => open += 1,
            b'}' if open > 0 => open -= 1,
            b'}' if bytes.get(at + 1) == Some(&b'}') => {
                let more = bytes.get(at..)?.iter().take(braces).take_while(|byte| **byte == b'}').count();
                return Some((at + more.max(2), TagEnd::Closed));
            }
            _ => {}
        }
        at += 1;
    }
}

/// Returns the offset of the quote that ends a text. If its line has closing braces but no such quote, the tag ends
/// there.
fn text_end(rest: &str, from: usize, quote: u8) -> Option<(usize, TagEnd)> {
    let line_end = rest.get(from..)?.find('\n').map_or(rest.len(), |at| from + at);
    let close = closing_quote(rest.as_bytes(), from, quote);
    if close.is_none_or(|close| close > line_end)
        && let Some(braces) = rest.get(from..line_end)?.find("}}")
    {
        return Some((from + braces + 2, TagEnd::OpenText));
    }
    close.map(|close| (close, TagEnd::Closed))
}

fn closing_quote(bytes: &[u8], from: usize, quote: u8) -> Option<usize> {
    let mut at = from + 1;
    loop {
        match bytes.get(at)? {
            b'\\' if quote != b'`' => at += 1,
            byte if *byte == quote => return Some(at),
            _ => {}
        }
        at += 1;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tags_are_found_in_any_text() {
        for (text, wanted) in [
            ("a {{b}}{{{ c }}} d", &[("{{b}}", TagEnd::Closed), ("{{{ c }}}", TagEnd::Closed)][..]),
            ("\\{{a}} {{b}}", &[("{{b}}", TagEnd::Closed)]),
            ("{{ a\nb: {{c}}", &[("{{ a", TagEnd::Unclosed), ("{{c}}", TagEnd::Closed)]),
            ("{{ f \"x }} y\nz", &[("{{ f \"x }}", TagEnd::OpenText)]),
            ("{{ f \"}}\" }}", &[("{{ f \"}}\" }}", TagEnd::Closed)]),
            ("{{ f `}}` }}", &[("{{ f `}}` }}", TagEnd::Closed)]),
            ("{{/* }} */}}x", &[("{{/* }} */}}", TagEnd::Closed)]),
            ("{{- /* }}", &[("{{- /* }}", TagEnd::Unclosed)]),
            ("{{!-- {{a}} --}}{{!b}}", &[("{{!-- {{a}} --}}", TagEnd::Closed), ("{{!b}}", TagEnd::Closed)]),
            (
                "{{{{raw}}}} {{ .x }} {{{{/raw}}}}{{a}}",
                &[("{{{{raw}}}}", TagEnd::Closed), ("{{a}}", TagEnd::Closed)],
            ),
            ("{{ f {\"a\": 1} }}", &[("{{ f {\"a\": 1} }}", TagEnd::Closed)]),
            ("{{", &[("{{", TagEnd::Unclosed)]),
            ("", &[]),
        ] {
            let found: Vec<_> = scan_tags(text).map(|tag| (tag.text, tag.end)).collect();
            assert_eq!(found, wanted, "{text}");
        }
    }

    #[test]
    fn tags_have_positions() {
        let text = "ä: {{b}}\n  {{#if c}}  \nx {{d}}";
        let found: Vec<_> = scan_tags(text).map(|tag| (tag.start, tag.is_alone)).collect();
        assert_eq!(found, [((1, 4), false), ((2, 3), true), ((3, 3), false)]);
    }
}
