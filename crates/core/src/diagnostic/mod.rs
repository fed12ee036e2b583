//! Errors, notes and findings, with their places and hints.
//!
//! A [`Problem`] must never hold a secret value or an excerpt of a document; its creator ensures that.
//! An *error* means that the tool could not do its job ([`Failure`]); a *note* accompanies a successful result.

mod kind;
mod printable;
mod problems;
mod severity;
mod wording;

use std::fmt;

use crate::document::{Origin, SourceLocation, Sources};

pub use kind::ProblemKind;
pub use printable::{first_on_line, is_deceptive, printable, starts_command};
pub use problems::ProblemCollector;
pub use severity::Severity;
pub use wording::{
    BROKEN_LINK, BUG_HINT, DIRECTORY_NOT_FOUND, DUPLICATE_KEY, LEAVES_REPOSITORY, NOT_FILE_OR_DIRECTORY,
    NOT_REGULAR_FILE, NOT_UTF8, PROCESS_LIMITS_HINT, io_reason, write_error_reason,
};

/// An error of a stage that can give a hint.
pub trait Explain: std::error::Error {
    /// Returns advice for the user, if any.
    fn hint(&self) -> Option<String> {
        None
    }

    /// Returns the kind, if `validate` has a rule for it; otherwise, the rule of the stage applies.
    fn problem_kind(&self) -> Option<ProblemKind> {
        None
    }

    /// Reports whether only a change of the app's files repairs this, not one of the operator's files or a secret source.
    fn needs_commit(&self) -> bool {
        false
    }
}

/// The place of a problem.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ProblemPlace {
    /// Unknown, or not in a file.
    Unknown,
    /// A position that [`Sources`] resolves to a place.
    Origin(Origin),
    /// A resolved place.
    Place(SourceLocation),
}

/// A message with a place and a hint.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Problem {
    /// Lower case, no full stop, subject first, literals in backticks.
    pub message: String,
    /// The place.
    pub at: ProblemPlace,
    /// Advice for the user.
    pub hint: Option<String>,
    /// The kind, if `validate` has a rule for it; otherwise, the rule of the stage applies.
    pub kind: Option<ProblemKind>,
    /// Whether only a change of the app's files repairs it. `false` if this is unknown.
    pub needs_commit: bool,
}

impl Problem {
    /// Creates a problem without a place. Long texts are truncated.
    #[must_use]
    pub fn new(error: &(impl Explain + ?Sized)) -> Self {
        Self {
            message: truncate(error),
            at: ProblemPlace::Unknown,
            hint: error.hint().map(truncate),
            kind: error.problem_kind(),
            needs_commit: error.needs_commit(),
        }
    }

    /// Creates a problem at a position.
    #[must_use]
    pub fn at(origin: Origin, error: &(impl Explain + ?Sized)) -> Self {
        Self { at: ProblemPlace::Origin(origin), ..Self::new(error) }
    }

    fn located(self, sources: &Sources) -> Self {
        match self.at {
            ProblemPlace::Origin(origin) => {
                Self { at: ProblemPlace::Place(sources.location(origin)), ..self }
            }
            _ => self,
        }
    }

    fn order(&self) -> (&str, u32, u32) {
        match &self.at {
            ProblemPlace::Place(place) => (&place.path, place.line, place.column),
            ProblemPlace::Unknown | ProblemPlace::Origin(_) => ("", 0, 0),
        }
    }
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let ProblemPlace::Place(place) = &self.at {
            write!(f, "{place}: ")?;
        }
        f.write_str(&self.message)
    }
}

/// The error of a stage: at least one problem. The number of problems that are kept is limited.
#[derive(Clone, Debug)]
pub struct Failure {
    problems: Vec<Problem>,
    more: usize,
}

impl Failure {
    /// Returns `Ok` if there are no problems.
    ///
    /// # Errors
    /// Returns the problems: the first ones, and the number of the others.
    pub fn unless_empty(problems: Vec<Problem>) -> Result<(), Self> {
        ProblemCollector::from_iter(problems).check()
    }

    /// Returns the problems that were kept.
    #[must_use]
    pub fn problems(&self) -> &[Problem] {
        &self.problems
    }

    /// Returns the number of problems that were not kept.
    #[must_use]
    pub const fn omitted(&self) -> usize {
        self.more
    }

    /// Reports whether only changes of the app's files repair this.
    #[must_use]
    pub fn needs_commit(&self) -> bool {
        self.more == 0 && self.problems.iter().all(|problem| problem.needs_commit)
    }

    /// Returns a problem that counts those that were not kept, if any.
    #[must_use]
    pub fn omitted_problem(&self) -> Option<Problem> {
        (self.more > 0).then(|| {
            let message = format!("{} more such problems not shown", self.more);
            Problem { message, at: ProblemPlace::Unknown, hint: None, kind: None, needs_commit: false }
        })
    }

    /// Moves all problems to one place.
    #[must_use]
    pub fn with_place(self, at: &ProblemPlace) -> Self {
        self.map(|problem| Problem { at: at.clone(), ..problem })
    }

    /// Sets the place of the problems that have none.
    #[must_use]
    pub fn or_with_place(self, at: &ProblemPlace) -> Self {
        self.map(|problem| match problem.at {
            ProblemPlace::Unknown => Problem { at: at.clone(), ..problem },
            _ => problem,
        })
    }

    /// Marks all problems as those of the app's files, which only a commit repairs.
    #[must_use]
    pub fn only_by_commit(self) -> Self {
        self.map(|problem| Problem { needs_commit: true, ..problem })
    }

    /// Adds advice that applies to all problems to the hint of the first one.
    #[must_use]
    pub fn with_advice(mut self, advice: &str) -> Self {
        if let Some(first) = self.problems.first_mut() {
            first.hint = Some(match first.hint.take() {
                Some(hint) => format!("{hint}; {advice}"),
                None => advice.to_owned(),
            });
        }
        self
    }

    /// Resolves the places and sorts the problems by them.
    #[must_use]
    pub fn located(self, sources: &Sources) -> Self {
        let mut located = self.map(|problem| problem.located(sources));
        located.problems.sort_by(|a, b| a.order().cmp(&b.order()));
        located
    }

    fn map(self, change: impl FnMut(Problem) -> Problem) -> Self {
        Self { problems: self.problems.into_iter().map(change).collect(), ..self }
    }
}

impl From<Problem> for Failure {
    fn from(problem: Problem) -> Self {
        Self { problems: vec![problem], more: 0 }
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, problem) in self.problems.iter().enumerate() {
            if index > 0 {
                writeln!(f)?;
            }
            write!(f, "{problem}")?;
        }
        if self.more > 0 { write!(f, "\n{} more", self.more) } else { Ok(()) }
    }
}

impl std::error::Error for Failure {}

/// The level of a note.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum NoteLevel {
    /// For information.
    Note,
    /// Probably a mistake.
    Warning,
}

/// A message that accompanies a successful result.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Note {
    /// The level.
    pub level: NoteLevel,
    /// The message.
    pub problem: Problem,
}

impl Note {
    /// Creates a warning.
    #[must_use]
    pub const fn warning(problem: Problem) -> Self {
        Self { level: NoteLevel::Warning, problem }
    }

    /// Creates a note for information.
    #[must_use]
    pub const fn info(problem: Problem) -> Self {
        Self { level: NoteLevel::Note, problem }
    }

    /// Resolves the place.
    #[must_use]
    pub fn located(self, sources: &Sources) -> Self {
        Self { problem: self.problem.located(sources), ..self }
    }
}

/// The most characters of a message or hint; longer texts are truncated.
pub(crate) const MAX_CHARACTERS: usize = 2_000;

/// Formats at most 2,000 characters of a text and marks a truncated one. The rest is never held in memory.
pub fn truncate(text: impl fmt::Display) -> String {
    let mut writer = TruncatingWriter { text: String::new(), left: MAX_CHARACTERS, is_cut: false };
    // An error can only come from the text's `Display` or from truncation; the text so far is kept.
    let _ = fmt::Write::write_fmt(&mut writer, format_args!("{text}"));
    if writer.is_cut {
        writer.text.push_str("… (truncated)");
    }
    writer.text
}

/// A writer that keeps the writer of a text.
struct TruncatingWriter {
    text: String,
    left: usize,
    is_cut: bool,
}

impl fmt::Write for TruncatingWriter {
    fn write_str(&mut self, part: &str) -> fmt::Result {
        let end = part.char_indices().nth(self.left).map(|(index, _)| index);
        let kept = &part[..end.unwrap_or(part.len())];
        self.text.push_str(kept);
        self.left = self.left.saturating_sub(kept.chars().count());
        self.is_cut |= end.is_some();
        // The error stops the formatting of a truncated text.
        if self.is_cut { Err(fmt::Error) } else { Ok(()) }
    }
}
