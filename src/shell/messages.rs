//! Messages on standard error: one line each, regardless of names or texts from a repository, and limited in number and
//! size. Argo CD keeps all of them in memory, in Redis, and in the status of the Application.

use std::io::Write as _;

use anstyle::{AnsiColor, Style};

use sealwave_core::diagnostic::{Failure, Note, NoteLevel, Problem, ProblemPlace, printable, truncate};

/// Maximum number of problems, or notes, that are printed; the rest is counted.
const MAX_SHOWN: usize = 50;
/// Maximum size of all messages: less than the 64 KiB that one run may print, to leave room for the audit log.
const MAX_BYTES: usize = 56 << 10;

/// Prints the problems of a failure.
pub(super) fn print_failure(failure: &Failure) {
    let all = failure.problems();
    let shown = print(all.iter().map(|problem| format_message("error", AnsiColor::Red, problem)));
    print_rest("error", AnsiColor::Red, all.len().saturating_sub(shown).saturating_add(failure.omitted()));
}

/// Prints the notes of a result.
pub(super) fn print_notes(notes: &[Note]) {
    let shown = print(notes.iter().map(|note| match note.level {
        NoteLevel::Note => format_message("note", AnsiColor::Cyan, &note.problem),
        NoteLevel::Warning => format_message("warning", AnsiColor::Yellow, &note.problem),
    }));
    print_rest("note", AnsiColor::Cyan, notes.len().saturating_sub(shown));
}

/// Prints messages up to the limits. Returns how many were printed.
fn print(messages: impl Iterator<Item = String>) -> usize {
    let mut stderr = anstream::stderr().lock();
    let mut left = MAX_BYTES;
    let mut shown = 0;
    for message in messages.take(MAX_SHOWN) {
        let Some(rest) = left.checked_sub(message.len()) else { break };
        left = rest;
        shown += 1;
        // A closed standard error must not hide the exit code.
        let _ = stderr.write_all(message.as_bytes());
    }
    shown
}

fn print_rest(word: &str, color: AnsiColor, count: usize) {
    if count > 0 {
        let _ = writeln!(anstream::stderr(), "{}{count} more", prefix(word, color));
    }
}

/// Formats a message with its position and hint.
fn format_message(word: &str, color: AnsiColor, problem: &Problem) -> String {
    let mut lines = vec![format!("{}{}", prefix(word, color), line(&problem.message))];
    if let ProblemPlace::Place(place) = &problem.at {
        lines.push(format!("  {} {}", bold("-->"), line(&place.to_string())));
    }
    if let Some(hint) = &problem.hint {
        lines.push(format!("  {} {}", bold("hint:"), line(hint)));
    }
    lines.join("\n") + "\n"
}

/// Returns a text as one line of limited length.
fn line(text: &str) -> String {
    truncate(printable(text))
}

fn prefix(word: &str, color: AnsiColor) -> String {
    let style = color.on_default().bold();
    format!("{style}{word}{style:#}: ")
}

fn bold(text: &str) -> String {
    let style = Style::new().bold();
    format!("{style}{text}{style:#}")
}
