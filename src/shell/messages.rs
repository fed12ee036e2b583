//! Messages on standard error, in the layout of all commands. Regardless of names or texts from a repository, each text is
//! one line, unless a terminal is too narrow for it. They are limited in number and size: Argo CD keeps all of them in
//! memory, in Redis, and in the status of the Application.

use std::io::Write as _;

use crate::config::{self, SourceAccess};
use sealwave_core::diagnostic::{Failure, Note, NoteLevel, Problem, ProblemPlace, Severity};
use sealwave_core::excerpts::Excerpts;
use sealwave_core::terminal::{MarkedPlace, Message, MessageRenderer};
use sealwave_validate::rules::SECRET_SIGNS;

/// Maximum number of problems, or notes, that are printed; the rest is counted.
const MAX_SHOWN: usize = 50;
/// Maximum size of all messages: less than the 64 KiB that one run may print, to leave room for the audit log.
const MAX_BYTES: usize = 56 << 10;

/// Prints the messages of one run.
pub struct MessagePrinter {
    renderer: MessageRenderer,
    /// The lines of sources, if any may be shown.
    excerpts: Option<Excerpts>,
}

impl MessagePrinter {
    /// Creates a printer that shows lines of the files in `sources`.
    #[must_use]
    pub fn new(sources: SourceAccess) -> Self {
        let excerpts =
            (!sources.is_none()).then(|| Excerpts::new(SECRET_SIGNS, move |path| sources.open(path)));
        Self { renderer: MessageRenderer::new(config::message_width()), excerpts }
    }

    /// Prints the problems of a failure.
    pub fn print_failure(&self, failure: &Failure) {
        let all = failure.problems();
        let shown = self.print(all.iter().map(|problem| self.format(Severity::Error, problem)));
        let rest = all.len().saturating_sub(shown).saturating_add(failure.omitted());
        self.print_rest(Severity::Error, rest);
    }

    /// Prints the notes of a result.
    pub(super) fn print_notes(&self, notes: &[Note]) {
        let shown = self.print(notes.iter().map(|note| match note.level {
            NoteLevel::Note => self.format(Severity::Note, &note.problem),
            NoteLevel::Warning => self.format(Severity::Warning, &note.problem),
        }));
        self.print_rest(Severity::Note, notes.len().saturating_sub(shown));
    }

    /// Prints messages up to the limits. Returns how many were printed.
    fn print(&self, messages: impl Iterator<Item = String>) -> usize {
        let mut stderr = anstream::stderr().lock();
        let mut left = MAX_BYTES;
        let mut shown = 0;
        for message in messages.take(MAX_SHOWN) {
            let Some(rest) = left.checked_sub(message.len()) else { break };
            left = rest;
            // Blank lines are for people.
            let separator = if shown > 0 && self.excerpts.is_some() { "\n" } else { "" };
            shown += 1;
            // A closed standard error must not hide the exit code.
            let _ = writeln!(stderr, "{separator}{message}");
        }
        shown
    }

    fn print_rest(&self, severity: Severity, count: usize) {
        if count > 0 {
            let problem = Problem {
                message: format!("{count} more"),
                at: ProblemPlace::Unknown,
                hint: None,
                kind: None,
                needs_commit: false,
            };
            let _ = writeln!(anstream::stderr(), "{}", self.format(severity, &problem));
        }
    }

    /// Formats a message with its position, its source line if it may be shown, and its hint.
    fn format(&self, severity: Severity, problem: &Problem) -> String {
        let place = match &problem.at {
            ProblemPlace::Place(place) => {
                let excerpts = self.excerpts.as_ref();
                let line = excerpts.and_then(|excerpts| excerpts.line_of_text(&place.path, place.line));
                Some(MarkedPlace { place, width: 0, line })
            }
            ProblemPlace::Origin(_) | ProblemPlace::Unknown => None,
        };
        self.renderer.render(&Message {
            severity,
            code: None,
            text: &problem.message,
            related: Vec::new(),
            notes: place.as_ref().and_then(MarkedPlace::rendered_note).into_iter().collect(),
            place,
            help: problem.hint.as_deref(),
        })
    }
}
