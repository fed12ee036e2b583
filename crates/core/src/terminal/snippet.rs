//! Adds a source line with its marked range. The renderer shortens long lines around the range.

use std::ops::Range;

use annotate_snippets::{AnnotationKind, Group, Origin, Snippet};

use super::message::MarkedPlace;
use crate::diagnostic::{is_deceptive, printable, starts_command};
use crate::document::SourceLocation;

/// Adds a place, and its line if it may be shown. The label is attached to the marked range.
pub(super) fn place<'a>(group: Group<'a>, marked: &MarkedPlace<'_>, label: Option<String>) -> Group<'a> {
    let MarkedPlace { place, width, line } = marked;
    let Some(line) = line else { return group.element(origin(place)) };
    let kind = if label.is_some() { AnnotationKind::Context } else { AnnotationKind::Primary };
    let mut text = String::with_capacity(line.text().len());
    for c in line.text().trim_end().chars() {
        // Each character is replaced by one, so that columns do not change.
        let is_shown = is_visible(c) && !(c == '[' && starts_command(&text));
        text.push(if is_shown { c } else { '\u{fffd}' });
    }
    let marked_range = marked_range(&text, place.column, *width);
    let snippet = Snippet::source(text).line_start(place.line as usize).path(printable(&place.path));
    group.element(snippet.annotation(kind.span(marked_range).label(label)))
}

fn origin(place: &SourceLocation) -> Origin<'static> {
    let origin = Origin::path(printable(&place.path));
    match (place.line as usize, place.column as usize) {
        (0, _) => origin,
        (line, 0) => origin.line(line),
        (line, column) => origin.line(line).char_column(column),
    }
}

/// Returns the byte range of a span: a word if the width is unknown, the whole line if the column is unknown.
fn marked_range(line: &str, column: u32, width: u32) -> Range<usize> {
    let nth = |number: usize| line.char_indices().nth(number).map_or(line.len(), |(at, _)| at);
    match (column as usize).checked_sub(1) {
        Some(from) => {
            let width = if width == 0 { word_length(line, from) } else { width as usize };
            nth(from)..nth(from.saturating_add(width))
        }
        None => line.len() - line.trim_start().len()..line.len(),
    }
}

/// Returns the number of characters of the name, number or template expression at a column; 1 if something else is there.
fn word_length(line: &str, from: usize) -> usize {
    let rest: String = line.chars().skip(from).collect();
    if let Some((expression, _)) = rest.split_once("}}").filter(|_| rest.starts_with("{{")) {
        return expression.chars().count() + 2;
    }
    let is_part = |c: &char| c.is_alphanumeric() || matches!(c, '_' | '-' | '.' | '/');
    line.chars().skip(from).take_while(is_part).count().max(1)
}

/// Reports whether a character may be shown; the renderer expands tabs.
fn is_visible(c: char) -> bool {
    c == '\t' || !is_deceptive(c)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn marked_text(line: &str, column: u32, width: u32) -> &str {
        &line[marked_range(line, column, width)]
    }

    #[test]
    fn the_marked_range_matches_the_span() {
        assert_eq!(marked_text("ä: ö日本", 4, 2), "ö日");
        assert_eq!(marked_text("a: b.c-d e", 4, 0), "b.c-d");
        assert_eq!(marked_text("a: {b", 4, 0), "{");
        assert_eq!(marked_text("a: {{ b c }}-{{d}}", 4, 0), "{{ b c }}");
        assert_eq!(marked_text("a: {{ b", 4, 0), "{");
        assert_eq!(marked_text("abc", 3, 99), "c");
        assert_eq!(marked_text("abc", 99, 99), "");
        assert_eq!(marked_text("abc", u32::MAX, u32::MAX), "");
        assert_eq!(marked_text("  abc", 0, 0), "abc");
        assert_eq!(marked_text("", 1, 1), "");
    }
}
