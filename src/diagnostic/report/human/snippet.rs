//! One line of a source, with its marked part.

use std::ops::Range;

use annotate_snippets::{AnnotationKind, Group, Origin, Snippet};

use super::one_line;
use crate::diagnostic::{Span, deceives};

/// Characters of a line that are shown, ...
const MAX_CHARS: usize = 160;
/// ... of which so many stand before what is marked.
const BEFORE: usize = 60;

/// Adds a place: where it is, and the line where there is one to show. What is marked gets the label.
pub(super) fn place<'a>(
    group: Group<'a>,
    span: &Span,
    line: Option<&str>,
    label: Option<String>,
) -> Group<'a> {
    let place = &span.place;
    let mut origin = Origin::path(one_line(&place.path));
    if place.line > 0 {
        origin = origin.line(place.line as usize);
        if place.column > 0 {
            origin = origin.char_column(place.column as usize);
        }
    }
    let group = group.element(origin);
    let Some(line) = line else { return group };
    let kind = if label.is_some() { AnnotationKind::Context } else { AnnotationKind::Primary };
    let (text, marked) = cut(line, span);
    let snippet = Snippet::source(text).line_start(place.line as usize);
    group.element(snippet.annotation(kind.span(marked).label(label)))
}

/// The part of a line around what is marked, and where that stands in it, in bytes.
fn cut(line: &str, span: &Span) -> (String, Range<usize>) {
    let chars: Vec<char> = line.trim_end().chars().map(|c| if visible(c) { c } else { '\u{fffd}' }).collect();
    let (from, to) = marked(&chars, span);
    let start = if chars.len() > MAX_CHARS { from.saturating_sub(BEFORE) } else { 0 };
    let end = chars.len().min(start + MAX_CHARS);
    let mut text = String::new();
    if start > 0 {
        text.push('…');
    }
    let mut range = 0..0;
    for (at, c) in chars.iter().enumerate().take(end).skip(start) {
        if at == from {
            range.start = text.len();
        }
        text.push(*c);
        if at < to {
            range.end = text.len();
        }
    }
    if from >= end {
        range = text.len()..text.len();
    }
    if end < chars.len() {
        text.push('…');
    }
    (text, range)
}

/// The characters that a span means: one where its width is not known, the text of the line where its column is not.
fn marked(chars: &[char], span: &Span) -> (usize, usize) {
    match (span.place.column as usize).checked_sub(1) {
        Some(from) => {
            let from = from.min(chars.len());
            (from, (from + span.width.max(1) as usize).min(chars.len()))
        }
        None => (chars.iter().position(|c| !c.is_whitespace()).unwrap_or(0), chars.len()),
    }
}

/// The renderer shows tabs as spaces.
fn visible(c: char) -> bool {
    c == '\t' || !deceives(c)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::Place;

    fn marked_text(line: &str, column: u32, width: u32) -> (String, String) {
        let place = Place { path: String::new(), line: 1, column, rendered: None };
        let (text, range) = cut(line, &Span { place, width });
        let marked = text[range].to_owned();
        (text, marked)
    }

    #[test]
    fn what_is_marked_is_what_the_span_says() {
        let of = |line, column, width| marked_text(line, column, width).1;
        assert_eq!(of("ä: ö日本", 4, 2), "ö日");
        assert_eq!(of("abc", 2, 0), "b");
        assert_eq!(of("abc", 3, 99), "c");
        assert_eq!(of("abc", 99, 99), "");
        assert_eq!(of("  abc  ", 0, 0), "abc");
        assert_eq!(of("", 1, 1), "");
    }

    #[test]
    fn a_long_line_is_cut_around_what_is_marked() {
        let line = format!("{}MARK{}", "a".repeat(1000), "b".repeat(1000));
        let (text, marked) = marked_text(&line, 1001, 4);
        assert_eq!(text, format!("…{}MARK{}…", "a".repeat(60), "b".repeat(96)));
        assert_eq!(marked, "MARK");
        let (text, marked) = marked_text(&line, 1, 2000);
        assert_eq!((text.chars().count(), marked.len()), (161, 160));
    }

    #[test]
    fn no_character_deceives() {
        assert_eq!(
            marked_text("a\u{1b}\u{9b}\u{202e}b\tc", 5, 1),
            ("a\u{fffd}\u{fffd}\u{fffd}b\tc".into(), "b".into())
        );
    }
}
