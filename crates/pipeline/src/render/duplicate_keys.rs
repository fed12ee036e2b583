//! Duplicate keys in the output of a program. Many charts write a label twice, and Argo CD silently takes the last one, so
//! they are warnings. In files of the repository they are errors, because their author can correct them.

use sealwave_core::diagnostic::{Note, Problem, ProblemKind};

/// The remedy of duplicate keys.
const HINT: &str = "the last one counts, as in Argo CD; correct the template";

/// The duplicate keys of one output, in order.
#[derive(Default)]
pub(super) struct DuplicateKeys(Vec<Problem>);

impl DuplicateKeys {
    /// Keeps a duplicate key, and returns any other problem.
    pub(super) fn take(&mut self, problem: Problem) -> Option<Problem> {
        if problem.kind != Some(ProblemKind::DuplicateKey) {
            return Some(problem);
        }
        self.0.push(Problem { hint: Some(HINT.to_owned()), ..problem });
        None
    }

    /// Returns a warning for each duplicate key, or only the first one with the number of the others.
    pub(super) fn into_notes(self, all: bool) -> Vec<Note> {
        let more = self.0.len().saturating_sub(1);
        let mut problems = self.0;
        if !all && more > 0 {
            problems.truncate(1);
            for first in &mut problems {
                first.message = format!("{} (and {more} more)", first.message);
            }
        }
        problems.into_iter().map(Note::warning).collect()
    }
}
