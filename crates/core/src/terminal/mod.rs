//! The layout of messages for people, the same for all commands:
//!
//! ```text
//! error[rule/id]: message
//!   --> file:line:column
//!    |
//!  5 | the source line, if it may be shown
//!    |     ^^^^^^
//!    |
//!    = note: text
//!    = help: what to write instead
//! ```
//!
//! The text is styled; the caller strips styles if the output is not a terminal. Each text from a repository is reduced to
//! one line without control characters before it is styled. A source line can only be a [`ShownLine`](crate::excerpts::ShownLine), which is made after
//! the decision that it may be shown.

mod message;
mod snippet;

pub use message::{MarkedPlace, Message};

use annotate_snippets::{Group, Level, Renderer};

use crate::diagnostic::{Severity, first_on_line, printable, truncate};
use crate::text::{wrap, wrap_from};

/// Columns for a source line if the output is not a terminal.
const WIDTH: usize = 120;
/// Narrower terminals wrap lines themselves.
const MIN_WIDTH: usize = 40;
/// Longer lines are hard to read, however wide the terminal is.
const MAX_WIDTH: usize = 120;
/// Columns before the text of a note: line number and `= help: `.
const MARGIN: usize = 14;
/// The indentation of further lines of a message.
const INDENT: &str = "    ";

/// Writes messages for a width.
pub struct MessageRenderer {
    renderer: Renderer,
    /// Columns for texts; `None` disables wrapping.
    width: Option<usize>,
}

impl MessageRenderer {
    /// Creates a renderer for a terminal of `width` columns, within limits. `None` is for other outputs: each text is one
    /// line there, so that the output is the same everywhere and can be searched.
    #[must_use]
    pub fn new(width: Option<usize>) -> Self {
        let width = width.map(|width| width.clamp(MIN_WIDTH, MAX_WIDTH));
        let renderer = Renderer::styled().term_width(width.unwrap_or(WIDTH)).hyperlink(false);
        Self { renderer, width }
    }

    /// Returns the width that texts are wrapped to, if they are.
    #[must_use]
    pub const fn width(&self) -> Option<usize> {
        self.width
    }

    /// Returns the message as styled text, without a line break at its end.
    #[must_use]
    pub fn render(&self, message: &Message<'_>) -> String {
        let level = level(message.severity);
        let prefix = message.severity.name().len() + message.code.map_or(0, |id| id.len() + 2) + 2;
        let title = self.wrap_title(message.text, prefix);
        let title_lines = title.lines().count().max(1);
        let title = match message.code {
            Some(id) => level.primary_title(title).id(id),
            None => level.primary_title(title),
        };
        let mut group = Group::with_title(title);
        let mut has_snippet = false;
        if let Some(place) = &message.place {
            has_snippet = place.line.is_some();
            group = snippet::place(group, place, None);
        }
        for (label, place) in &message.related {
            has_snippet |= place.line.is_some();
            let label = limited(label);
            group = match place.line {
                Some(_) => snippet::place(group, place, Some(label)),
                None => group
                    .element(Level::NOTE.message(self.wrap(&format!("{label}: {}", printable(place.place))))),
            };
        }
        for (title, text) in &message.notes {
            group = group.element(Level::NOTE.with_name(*title).message(self.wrap(&printable(text))));
        }
        if let Some(help) = message.help {
            group = group.element(Level::HELP.message(self.wrap(&limited(help))));
        }
        let text = self.renderer.render(&[group]);
        arrange(&text, title_lines, prefix, !has_snippet)
    }

    /// Wraps a message after its prefix.
    fn wrap_title(&self, text: &str, prefix: usize) -> String {
        let text = limited(text);
        let Some(width) = self.width else { return text };
        join(wrap_from(&text, width.saturating_sub(prefix), width.saturating_sub(INDENT.len())))
    }

    /// Wraps a note.
    fn wrap(&self, text: &str) -> String {
        match self.width {
            Some(width) => join(wrap(text, width.saturating_sub(MARGIN))),
            None => text.to_owned(),
        }
    }
}

/// Joins wrapped lines, none of which is a command of a CI system.
fn join(lines: Vec<String>) -> String {
    lines.into_iter().map(first_on_line).collect::<Vec<_>>().join("\n")
}

/// Returns a text as one line of limited length.
fn limited(text: &str) -> String {
    truncate(printable(text))
}

/// Indents the further lines of the title less than the renderer does, adds the margin that it leaves out without a source
/// line, and removes the empty margin that it adds without a place.
fn arrange(text: &str, title_lines: usize, prefix: usize, lacks_snippet: bool) -> String {
    let padding = " ".repeat(prefix);
    let mut lines = Vec::new();
    for (number, line) in text.lines().enumerate() {
        if number < title_lines {
            let rest = line.strip_prefix(&padding).filter(|_| number > 0);
            lines.push(rest.map_or_else(|| line.to_owned(), |rest| format!("{INDENT}{rest}")));
        } else if !(lacks_snippet && is_empty_margin(line)) {
            lines.push(if lacks_snippet { format!("  {line}") } else { line.to_owned() });
        }
    }
    lines.join("\n")
}

/// Reports whether a styled line is only a margin.
fn is_empty_margin(line: &str) -> bool {
    let mut parts = line.split('\u{1b}');
    let first = parts.next().unwrap_or_default();
    let rest = parts.map(|part| part.split_once('m').map_or(part, |(_, text)| text));
    std::iter::once(first).chain(rest).collect::<String>().trim() == "|"
}

const fn level(severity: Severity) -> Level<'static> {
    match severity {
        Severity::Error => Level::ERROR,
        Severity::Note => Level::NOTE,
        Severity::Warning => Level::WARNING,
    }
}

#[cfg(test)]
mod tests;
