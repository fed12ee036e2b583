//! The input of a source.

use std::path::{Path, PathBuf};

use sealwave_core::diagnostic::{Explain, Problem, ProblemPlace};
use sealwave_programs::{ProgramRun, Toolbox};

use crate::discover::Discovery;
use crate::load::LayeredValues;
use crate::render::RenderContext;

/// The purpose for which sources are rendered.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum RenderPurpose {
    /// Their objects are checked: the place of each matters, at the cost of time.
    Check,
    /// Their objects are printed.
    Output,
    /// Their objects are compared with those of an earlier run.
    Repeat,
}

/// The app, the environment and the programs that a source is rendered with.
pub(super) struct SourceInput<'a> {
    pub(super) app: &'a Discovery,
    pub(super) context: &'a RenderContext,
    /// The namespace of objects that have none.
    pub(super) namespace: Option<&'a str>,
    /// The values of the app and the environment.
    pub(super) values: &'a LayeredValues,
    pub(super) toolbox: &'a Toolbox,
    pub(super) purpose: RenderPurpose,
    /// The entry of the source in the app file.
    pub(super) place: ProblemPlace,
}

impl SourceInput<'_> {
    /// Returns an error at the entry of the source.
    pub(super) fn problem(&self, error: &dyn Explain) -> Problem {
        Problem { at: self.place.clone(), ..Problem::new(error) }
    }

    /// Shifts the time of a run that repeats an earlier one.
    pub(super) fn with_time(&self, run: ProgramRun) -> ProgramRun {
        if self.purpose == RenderPurpose::Repeat { run.with_shifted_time() } else { run }
    }

    /// Returns a full path within the repository as messages name it.
    pub(super) fn name_of_full(&self, full: &Path) -> String {
        let root = self.app.root();
        let up = root.ancestors().take_while(|above| !full.starts_with(above)).count();
        let shared = root.ancestors().nth(up).unwrap_or(root);
        let inside = full.strip_prefix(shared).unwrap_or(full);
        let relative: PathBuf = std::iter::repeat_n(Path::new(".."), up).chain([inside]).collect();
        self.name_of(&relative)
    }

    /// Returns a path below the app's directory as messages name it.
    pub(super) fn name_of(&self, relative: &Path) -> String {
        self.app.name_of(relative)
    }
}
