//! What went wrong, where, and what to do: the words between the stages and the people.
//!
//! A [`Problem`] never holds a secret value nor an excerpt of a document; whoever makes one sees to that.
//! An *error* means that the tool could not do its job ([`Failure`]); a *note* is said beside a good result.

mod problems;
mod severity;

use std::fmt;

use crate::document::{Origin, Place, Sources};

pub use problems::Problems;
pub use severity::Severity;

/// Why a file cannot be read or written, in words that are the same for each.
pub fn io_reason(kind: std::io::ErrorKind) -> String {
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
    /// A problem that has no place. Its texts are cut where they are longer than anyone reads.
    #[must_use]
    pub fn new(error: &(impl Explain + ?Sized)) -> Self {
        Self { message: cut(error), at: At::Nowhere, hint: error.hint().map(cut), rule: error.rule() }
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

/// Why a stage could not do its job: at least one problem. Made by [`Problems`], which bounds how many are kept.
#[derive(Clone, Debug)]
pub struct Failure {
    problems: Vec<Problem>,
    more: usize,
}

impl Failure {
    /// `Ok` where there is no problem.
    ///
    /// # Errors
    /// The problems otherwise; of very many, the first ones and the number of the others.
    pub fn unless_empty(problems: Vec<Problem>) -> Result<(), Self> {
        Problems::from_iter(problems).check()
    }

    /// The problems that are kept.
    #[must_use]
    pub fn problems(&self) -> &[Problem] {
        &self.problems
    }

    /// The number of problems beyond those that are kept.
    #[must_use]
    pub const fn more(&self) -> usize {
        self.more
    }

    /// A problem that stands for those beyond the ones that are kept, if any.
    #[must_use]
    pub fn rest(&self) -> Option<Problem> {
        (self.more > 0).then(|| {
            let message = format!("{} more problems like these are not listed", self.more);
            Problem { message, at: At::Nowhere, hint: None, rule: None }
        })
    }

    /// The same, at one place.
    #[must_use]
    pub fn placed(self, at: &At) -> Self {
        self.map(|problem| Problem { at: at.clone(), ..problem })
    }

    /// The same, with this place for problems that have none.
    #[must_use]
    pub fn or_at(self, at: &At) -> Self {
        self.map(|problem| match problem.at {
            At::Nowhere => Problem { at: at.clone(), ..problem },
            _ => problem,
        })
    }

    /// Names the places and puts the problems in their order.
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

/// Characters of a message or hint; the rest is cut off.
pub(crate) const MAX_CHARACTERS: usize = 2_000;

/// Writes out at most [`MAX_CHARACTERS`] of a text, and says where it was cut. What comes after is not kept in memory.
pub fn cut(text: impl fmt::Display) -> String {
    let mut start = Start { text: String::new(), left: MAX_CHARACTERS, is_cut: false };
    // Only the text itself could fail to be written; what there is of it will do.
    let _ = fmt::Write::write_fmt(&mut start, format_args!("{text}"));
    if start.is_cut {
        start.text.push_str("… (cut, it is too long)");
    }
    start.text
}

/// The start of a text.
struct Start {
    text: String,
    left: usize,
    is_cut: bool,
}

impl fmt::Write for Start {
    fn write_str(&mut self, part: &str) -> fmt::Result {
        let end = part.char_indices().nth(self.left).map(|(index, _)| index);
        let kept = &part[..end.unwrap_or(part.len())];
        self.text.push_str(kept);
        self.left = self.left.saturating_sub(kept.chars().count());
        self.is_cut |= end.is_some();
        // An error ends the writing of a text that is cut.
        if self.is_cut { Err(fmt::Error) } else { Ok(()) }
    }
}

/// Escapes what drives a terminal or starts a line: names, paths and messages come from a repository. `##[` is broken up,
/// since a runner of GitHub obeys it anywhere in a line.
pub fn printable(text: impl fmt::Display) -> String {
    let mut out = String::new();
    for c in text.to_string().chars() {
        if deceives(c) {
            out.extend(c.escape_default());
        } else if c == '[' && out.ends_with("##") {
            out.push_str(" [");
        } else {
            out.push(c);
        }
    }
    out
}

/// Whether a character drives a terminal, or hides or reorders what stands around it.
pub fn deceives(c: char) -> bool {
    c.is_control()
        || matches!(
            c,
            '\u{ad}' | '\u{61c}' | '\u{180e}' | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}'
                | '\u{2060}'..='\u{206f}' | '\u{feff}' | '\u{fff9}'..='\u{fffb}' | '\u{e0000}'..='\u{e007f}'
        )
}
