//! Collects a limited number of problems: hostile input can have millions.

use super::{Failure, Problem};

/// The problems of a stage; the first ones are kept, the others only counted.
#[derive(Clone, Debug, Default)]
pub struct ProblemCollector {
    kept: Vec<Problem>,
    more: usize,
}

impl ProblemCollector {
    /// The most problems that are kept.
    pub const MAX_KEPT: usize = 200;

    /// Adds a problem.
    pub fn push(&mut self, problem: Problem) {
        if self.is_full() {
            self.more = self.more.saturating_add(1);
        } else {
            self.kept.push(problem);
        }
    }

    /// Adds the problems of a failure.
    pub fn absorb(&mut self, failure: Failure) {
        self.more = self.more.saturating_add(failure.more);
        self.extend(failure.problems);
    }

    /// Returns the problems that are kept.
    #[must_use]
    pub fn kept(&self) -> &[Problem] {
        &self.kept
    }

    /// Reports whether no problem was added.
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.kept.is_empty()
    }

    /// Reports whether further problems are only counted, so that a caller can stop searching.
    #[must_use]
    pub const fn is_full(&self) -> bool {
        self.kept.len() >= Self::MAX_KEPT
    }

    /// Returns `Ok` if there are no problems.
    ///
    /// # Errors
    /// Returns the problems otherwise.
    pub fn check(self) -> Result<(), Failure> {
        let Self { kept, more } = self;
        // Problems are only counted once some are kept.
        if kept.is_empty() { Ok(()) } else { Err(Failure { problems: kept, more }) }
    }
}

impl Extend<Problem> for ProblemCollector {
    fn extend<T: IntoIterator<Item = Problem>>(&mut self, problems: T) {
        problems.into_iter().for_each(|problem| self.push(problem));
    }
}

impl FromIterator<Problem> for ProblemCollector {
    fn from_iter<T: IntoIterator<Item = Problem>>(problems: T) -> Self {
        let mut collected = Self::default();
        collected.extend(problems);
        collected
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::diagnostic::{Explain, MAX_CHARACTERS, ProblemPlace};

    #[derive(Debug, thiserror::Error)]
    #[error("{}", .0)]
    struct LongError(String);

    impl Explain for LongError {
        fn hint(&self) -> Option<String> {
            Some(self.0.clone())
        }
    }

    #[test]
    fn problems_beyond_the_limit_are_counted() {
        let problem = Problem {
            message: "wrong".to_owned(),
            at: ProblemPlace::Unknown,
            hint: None,
            kind: None,
            needs_commit: false,
        };
        assert!(ProblemCollector::default().check().is_ok());
        let mut problems: ProblemCollector =
            std::iter::repeat_n(problem.clone(), ProblemCollector::MAX_KEPT + 5).collect();
        problems.absorb(Failure::from(problem));
        let failure = problems.check().unwrap_err();
        assert_eq!((failure.problems().len(), failure.omitted()), (ProblemCollector::MAX_KEPT, 6));
        let mut again = ProblemCollector::default();
        again.absorb(failure);
        assert_eq!(again.check().unwrap_err().omitted(), 6, "the count is passed on");
    }

    #[test]
    fn long_texts_are_truncated_between_characters() {
        let whole = "ä".repeat(MAX_CHARACTERS);
        assert_eq!(Problem::new(&LongError(whole.clone())).message, whole);
        let problem = Problem::new(&LongError(format!("{whole}öx")));
        for text in [problem.message, problem.hint.unwrap()] {
            let rest = text.strip_prefix(&whole).expect("the start is kept");
            assert!(rest.starts_with('…') && rest.contains("truncated") && !rest.contains('ö'), "{rest}");
        }
    }
}
