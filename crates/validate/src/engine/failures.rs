//! Findings about what could not be used at all: definitions, and apps.

use super::finder::app_file_place;
use super::merge;
use super::options::ValidateOptions;
use super::result::ValidationResult;
use super::suppress::{self, Coverage, RunSuppressions};
use crate::{Finding, Span, rules};
use sealwave_core::diagnostic::{Failure, Problem, Severity};

/// Reports the faults of custom resource definitions that are used as schemas.
#[must_use]
pub fn definition_faults(options: &ValidateOptions, run_suppressions: &RunSuppressions) -> ValidationResult {
    let rule = &rules::schema::DEFINITION.info;
    let Some(severity) = options.level(rule) else { return ValidationResult::default() };
    let finding = |problem: &Problem| Finding::from_problem(rule, severity, problem);
    let findings = options.definition_faults.iter().map(finding).collect();
    let coverage = Coverage::without_input(options);
    let (findings, suppressed) = suppress::apply(findings, &[], run_suppressions, &coverage);
    ValidationResult {
        findings: merge::merge_environments(findings),
        suppressed: merge::merge_environments(suppressed),
        ..ValidationResult::default()
    }
}

/// Returns the findings for an app that cannot be examined.
#[must_use]
pub fn failed_examination(directory: &str, failure: &Failure) -> ValidationResult {
    let app_file = app_file_place(directory);
    let finding = |problem: &Problem| {
        let rule = &problem.kind.map_or(&rules::app::LOAD, rules::rule_of).info;
        let finding = Finding::from_problem(rule, Severity::Error, problem);
        let span = finding.span.or_else(|| Some(Span { place: app_file.clone(), width: 0 }));
        Finding { span, app: directory.to_owned(), ..finding }
    };
    let findings = failure.problems().iter().chain(failure.omitted_problem().as_ref()).map(finding).collect();
    ValidationResult { findings, is_incomplete: true, ..ValidationResult::default() }
}
