//! The results of the checks: what is fine, and what is not.

use sealwave_core::diagnostic::{Explain, Failure, Note, NoteLevel, Problem, Severity};
use sealwave_secrets::settings::SettingPath;

use crate::config::OperatorFile;

/// A part of the operator file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum CheckPart {
    Charts,
    Clusters,
    Keys,
    Limits,
    Policy,
    Providers,
    Tools,
}

impl CheckPart {
    pub(super) const fn name(self) -> &'static str {
        match self {
            Self::Charts => "charts",
            Self::Clusters => "clusters",
            Self::Keys => "keys",
            Self::Limits => "limits",
            Self::Policy => "policy",
            Self::Providers => "providers",
            Self::Tools => "tools",
        }
    }
}

/// The result of a check.
#[derive(Debug)]
pub(super) enum CheckResult {
    Finding(Severity, Problem),
    /// A description of something that is fine.
    Healthy(String),
}

/// The results of one part, in order.
#[derive(Debug, Default)]
pub(super) struct CheckResults(Vec<CheckResult>);

impl CheckResults {
    pub(super) fn healthy(&mut self, text: impl Into<String>) {
        self.0.push(CheckResult::Healthy(text.into()));
    }

    /// Adds a finding at a setting of the file.
    pub(super) fn find(
        &mut self,
        file: &OperatorFile,
        setting: &SettingPath,
        severity: Severity,
        error: &(impl Explain + ?Sized),
    ) {
        let problem = Problem { at: file.locate(setting), ..Problem::new(error) };
        self.0.push(CheckResult::Finding(severity, problem));
    }

    pub(super) fn push(&mut self, severity: Severity, problem: Problem) {
        self.0.push(CheckResult::Finding(severity, problem));
    }

    /// Adds the problems of a failure as errors.
    pub(super) fn fail(&mut self, failure: &Failure) {
        let problems = failure.problems().iter().cloned().chain(failure.omitted_problem());
        self.0.extend(problems.map(|problem| CheckResult::Finding(Severity::Error, problem)));
    }

    /// Adds a note of a check that succeeded, at a setting of the file.
    pub(super) fn note(&mut self, file: &OperatorFile, setting: &SettingPath, note: Note) {
        let severity = match note.level {
            NoteLevel::Note => Severity::Note,
            NoteLevel::Warning => Severity::Warning,
        };
        self.push(severity, Problem { at: file.locate(setting), ..note.problem });
    }

    pub(super) const fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

/// The results of all checks.
#[derive(Debug)]
pub(super) struct CheckReport {
    pub(super) parts: Vec<(CheckPart, Vec<CheckResult>)>,
}

impl CheckReport {
    pub(super) fn new(parts: impl IntoIterator<Item = (CheckPart, CheckResults)>) -> Self {
        Self { parts: parts.into_iter().map(|(part, results)| (part, results.0)).collect() }
    }

    /// Returns the number of findings of a severity.
    pub(super) fn count(&self, severity: Severity) -> usize {
        let results = self.parts.iter().flat_map(|(_, results)| results);
        results
            .filter(|result| matches!(result, CheckResult::Finding(found, _) if *found == severity))
            .count()
    }
}
