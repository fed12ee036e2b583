//! What went wrong, where, and what to do: the words between the stages and the people.
//!
//! A [`Problem`] never holds a secret value nor an excerpt of a document; whoever makes one sees to that.
//! An *error* means that the tool could not do its job ([`Failure`]); a *note* is said beside a good result.

mod baseline;
mod finding;
mod fingerprint;
pub mod report;

use std::fmt;

use crate::model::{Origin, Place, Sources};

pub use baseline::{Baseline, BaselineError, BaselineRemark, Selection};
pub use finding::{AppEnvironments, Finding, LookedAt, ObjectRef, Related, Report, RuleInfo, Severity, Span};

/// Why a file cannot be read or written, in words that are the same for each.
pub(crate) fn io_reason(kind: std::io::ErrorKind) -> String {
    use std::io::ErrorKind;
    match kind {
        ErrorKind::IsADirectory => "it is a directory".to_owned(),
        ErrorKind::NotADirectory | ErrorKind::NotFound => "there is no such file".to_owned(),
        kind => kind.to_string(),
    }
}

/// An error of one stage, with advice.
pub trait Explain: std::error::Error {
    /// What to do about it, where there is something to say.
    fn hint(&self) -> Option<String> {
        None
    }

    /// The id of the rule that `validate` reports it under, where that is a finer one than its stage's.
    fn rule(&self) -> Option<&'static str> {
        None
    }
}

/// Where a problem is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum At {
    /// Nowhere in particular.
    Nowhere,
    /// A position that the run's [`Sources`] can name.
    Origin(Origin),
    /// A position with its name.
    Place(Place),
}

/// One thing that is wrong.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Problem {
    /// Lower case, no full stop, subject first, literals in backticks.
    pub message: String,
    /// Where.
    pub at: At,
    /// What to do.
    pub hint: Option<String>,
    /// The id of the rule that `validate` reports it under, where that is a finer one than its stage's.
    pub rule: Option<&'static str>,
}

impl Problem {
    /// A problem that has no place.
    #[must_use]
    pub fn new(error: &(impl Explain + ?Sized)) -> Self {
        Self { message: error.to_string(), at: At::Nowhere, hint: error.hint(), rule: error.rule() }
    }

    /// A problem at a position.
    #[must_use]
    pub fn at(origin: Origin, error: &(impl Explain + ?Sized)) -> Self {
        Self { at: At::Origin(origin), ..Self::new(error) }
    }

    fn located(self, sources: &Sources) -> Self {
        match self.at {
            At::Origin(origin) => Self { at: At::Place(sources.place(origin)), ..self },
            _ => self,
        }
    }

    fn order(&self) -> (&str, u32, u32) {
        match &self.at {
            At::Place(place) => (&place.path, place.line, place.column),
            At::Nowhere | At::Origin(_) => ("", 0, 0),
        }
    }
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let At::Place(place) = &self.at {
            write!(f, "{place}: ")?;
        }
        f.write_str(&self.message)
    }
}

/// Why a stage could not do its job: at least one problem, all that it found.
#[derive(Clone, Debug)]
pub struct Failure {
    problems: Vec<Problem>,
}

impl Failure {
    /// `Ok` where there is no problem.
    ///
    /// # Errors
    /// All of them otherwise.
    pub fn unless_empty(problems: Vec<Problem>) -> Result<(), Self> {
        if problems.is_empty() { Ok(()) } else { Err(Self { problems }) }
    }

    /// The problems.
    #[must_use]
    pub fn problems(&self) -> &[Problem] {
        &self.problems
    }

    /// The same, at one place.
    #[must_use]
    pub(crate) fn placed(self, at: &At) -> Self {
        let problems = self.problems.into_iter().map(|problem| Problem { at: at.clone(), ..problem });
        Self { problems: problems.collect() }
    }

    /// The same, with this place for problems that have none.
    #[must_use]
    pub fn or_at(self, at: &At) -> Self {
        let place = |problem: Problem| match problem.at {
            At::Nowhere => Problem { at: at.clone(), ..problem },
            _ => problem,
        };
        Self { problems: self.problems.into_iter().map(place).collect() }
    }

    /// Names the places and puts the problems in their order.
    #[must_use]
    pub fn located(self, sources: &Sources) -> Self {
        let mut problems: Vec<Problem> =
            self.problems.into_iter().map(|problem| problem.located(sources)).collect();
        problems.sort_by(|a, b| a.order().cmp(&b.order()));
        Self { problems }
    }
}

impl From<Problem> for Failure {
    fn from(problem: Problem) -> Self {
        Self { problems: vec![problem] }
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
        Ok(())
    }
}

impl std::error::Error for Failure {}

/// How much a note matters.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Level {
    /// Good to know.
    Note,
    /// Probably not what the author wants.
    Warning,
}

/// Something said beside a good result.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Note {
    /// How much it matters.
    pub level: Level,
    /// What it says.
    pub problem: Problem,
}

impl Note {
    /// A warning.
    #[must_use]
    pub const fn warning(problem: Problem) -> Self {
        Self { level: Level::Warning, problem }
    }

    /// A remark.
    #[must_use]
    pub const fn remark(problem: Problem) -> Self {
        Self { level: Level::Note, problem }
    }

    /// Names its place.
    #[must_use]
    pub fn located(self, sources: &Sources) -> Self {
        Self { problem: self.problem.located(sources), ..self }
    }
}

/// A text that drives nobody's terminal: names and paths come from a repository.
pub(crate) fn printable(text: impl fmt::Display) -> String {
    let mut out = String::new();
    for c in text.to_string().chars() {
        if deceives(c) && c != '\n' {
            out.extend(c.escape_default());
        } else {
            out.push(c);
        }
    }
    out
}

/// Whether a character drives a terminal, or hides or reorders what stands around it.
pub(crate) fn deceives(c: char) -> bool {
    c.is_control()
        || matches!(
            c,
            '\u{ad}' | '\u{61c}' | '\u{180e}' | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}'
                | '\u{2060}'..='\u{206f}' | '\u{feff}' | '\u{fff9}'..='\u{fffb}' | '\u{e0000}'..='\u{e007f}'
        )
}
