//! The part of the input that a run checks: known findings outside of it are neither gone nor removed.

use std::collections::BTreeSet;

use crate::{Report, RuleKind};
use sealwave_core::diagnostic::Severity;

/// The names of paths and apps in a baseline: from the root of the repository, whatever the working directory is.
#[derive(Clone, Copy)]
pub struct BaselineNames<'a> {
    /// Returns the name of a path; `None` if the path itself is the name.
    pub path: &'a dyn Fn(&str) -> Option<String>,
    /// Returns the name of an app; `None` if its directory as given is the name.
    pub app: &'a dyn Fn(&str) -> Option<String>,
}

/// The part of the input that a run checks.
#[derive(Clone, Copy)]
pub struct CheckedScope<'a> {
    /// The checked environments; empty for all.
    pub environments: &'a [String],
    /// Reports whether the run looks for the findings of an app, or of a file if the app is empty, by their names in a
    /// baseline.
    pub is_checked: &'a dyn Fn(&str, &str) -> bool,
    /// Reports whether the run looks for the findings of the rule with an id.
    pub is_enabled: &'a dyn Fn(&str) -> bool,
    /// Reports whether the rule with an id reports objects that the input lacks, which broken inputs may have.
    pub is_about_absence: &'a dyn Fn(&str) -> bool,
}

impl CheckedScope<'_> {
    /// Reports whether the run would report a finding, if it still existed.
    pub(super) fn covers(&self, broken: &BrokenInputs, rule: &str, app: &str, path: &str) -> bool {
        (self.is_checked)(app, path)
            && (self.is_enabled)(rule)
            && !broken.contains(app, path)
            && !(broken.is_any() && (self.is_about_absence)(rule))
    }
}

/// The apps and files that could not be rendered or parsed, so that not all of their findings are known.
pub(super) struct BrokenInputs {
    apps: BTreeSet<String>,
    files: BTreeSet<String>,
}

impl BrokenInputs {
    pub(super) fn new(report: &Report, names: &BaselineNames<'_>) -> Self {
        let mut broken = Self { apps: BTreeSet::new(), files: BTreeSet::new() };
        let is_broken = |kind| matches!(kind, RuleKind::App | RuleKind::Syntax);
        for finding in &report.findings {
            if finding.severity < Severity::Error || !is_broken(finding.rule.kind) {
                continue;
            }
            let app = (names.app)(&finding.app).unwrap_or_else(|| finding.app.clone());
            if !app.is_empty() {
                broken.apps.insert(app);
            } else if let Some(span) = &finding.span {
                let path = &span.place.path;
                broken.files.insert((names.path)(path).unwrap_or_else(|| path.clone()));
            }
        }
        broken
    }

    fn is_any(&self) -> bool {
        !self.apps.is_empty() || !self.files.is_empty()
    }

    fn contains(&self, app: &str, path: &str) -> bool {
        if app.is_empty() { self.files.contains(path) } else { self.apps.contains(app) }
    }
}
