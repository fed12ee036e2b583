//! Applies the baseline of a run: removes the known findings from the report, and writes a new baseline.

use std::path::Path;

use super::{RunOutcome, ValidateRun};
use sealwave_core::diagnostic::{Failure, Note, Problem};
use sealwave_validate::project::RootNames;
use sealwave_validate::report::{self, BaselineNames, BaselineNote};
use sealwave_validate::{Baseline, CheckedScope, Report, RuleInfo, rules};

impl ValidateRun<'_> {
    /// Sorts the findings, writes a new baseline, and removes the findings that a given baseline lists.
    pub(super) fn apply_baseline(&self, outcome: &mut RunOutcome) -> Result<(), Failure> {
        let RunOutcome { report, files, notes, is_incomplete, .. } = outcome;
        let everything = !*is_incomplete && self.covers_everything();
        report.findings.extend(self.suppressions.findings(&self.plan.run_options(), everything));
        report.findings.sort_by(|a, b| a.order().cmp(&b.order()));
        let names = RootNames::new(self.app_without_name.as_deref());
        let names = BaselineNames { path: &|path| names.path(path), app: &|app| names.app(app) };
        let args = &self.args.report;
        let known = args.baseline.as_deref().map(|path| read(path, &names)).transpose()?;
        if let Some(path) = &args.write_baseline {
            let earlier = if is_written(path) { Some(read(path, &names)?) } else { known.clone() };
            let (new, kept) = self.updated(&earlier.unwrap_or_default(), report, &names);
            let note = BaselineNote::Written { count: new.len(), kept, file: path.display().to_string() };
            notes.push(Note::info(Problem::new(&note)));
            files.push((path.clone(), new.to_json()));
        }
        if let (Some(known), Some(path)) = (known, &args.baseline) {
            let count = self.in_scope(|scope| known.remove_known(report, &names, scope));
            if count > 0 && args.write_baseline.is_none() {
                let note = BaselineNote::Gone { count, file: path.display().to_string() };
                notes.push(Note::info(Problem::new(&note)));
            }
        }
        Ok(())
    }

    fn updated(&self, earlier: &Baseline, report: &Report, names: &BaselineNames<'_>) -> (Baseline, usize) {
        self.in_scope(|scope| earlier.updated(report, names, scope))
    }

    /// Calls a function with the part of the input that the run checks.
    fn in_scope<T>(&self, f: impl FnOnce(&CheckedScope<'_>) -> T) -> T {
        let options = self.plan.run_options();
        let is_checked = |app: &str, path: &str| {
            self.checked_inputs.as_ref().is_none_or(|inputs| inputs.contain(app, path))
        };
        f(&CheckedScope {
            environments: &self.args.env,
            is_checked: &is_checked,
            // A rule that no longer exists finds nothing in any run.
            is_about_absence: &|id| rules::rule(id).is_some_and(RuleInfo::reports_absence),
            is_enabled: &|id| rules::rule(id).is_none_or(|rule| !options.is_turned_off(rule)),
        })
    }
}

fn read(path: &Path, names: &BaselineNames<'_>) -> Result<Baseline, Failure> {
    let baseline = report::read_baseline(path).map_err(|error| Problem::new(&error))?;
    Ok(baseline.with_names(names))
}

/// Reports whether a baseline has been written to a path before.
fn is_written(path: &Path) -> bool {
    fs_err::metadata(path).is_ok_and(|about| about.is_file() && about.len() > 0)
}
