//! `wave/late-configuration`.

use super::conflicts::report_conflicts;
use crate::facts::scene::CheckedEnvironment;
use crate::reporter::Reporter;
use crate::rule::{Rule, RuleCheck};
use crate::{RuleKind, RulePage};
use sealwave_core::diagnostic::{ProblemKind, Severity};

pub(crate) static RULE: Rule = Rule::new(
    RuleKind::Object,
    RulePage {
        id: "wave/late-configuration",
        severity: Severity::Warning,
        summary: "an object has a later sync wave or phase than its consumers",
        text: include_str!("late_configuration.md"),
    },
    RuleCheck::Environment(check),
);

fn check(environment: &CheckedEnvironment<'_>, reporter: &mut Reporter) {
    // In an app, the stage that chooses waves reports it.
    if environment.is_plain() {
        report_conflicts(&RULE, ProblemKind::LateConfiguration, environment, reporter);
    }
}
