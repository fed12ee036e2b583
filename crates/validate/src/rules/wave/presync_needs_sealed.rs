//! `wave/presync-needs-sealed`.

use super::conflicts::report_conflicts;
use crate::facts::scene::CheckedEnvironment;
use crate::reporter::Reporter;
use crate::rule::{Rule, RuleCheck};
use crate::{RuleKind, RulePage};
use sealwave_core::diagnostic::{ProblemKind, Severity};

pub(crate) static RULE: Rule = Rule::new(
    RuleKind::Object,
    RulePage {
        id: "wave/presync-needs-sealed",
        severity: Severity::Warning,
        summary: "a PreSync hook needs an object of a later phase",
        text: include_str!("presync_needs_sealed.md"),
    },
    RuleCheck::Environment(check),
);

fn check(environment: &CheckedEnvironment<'_>, reporter: &mut Reporter) {
    // In an app, the stage that chooses waves reports it.
    if environment.is_plain() {
        report_conflicts(&RULE, ProblemKind::PreSyncNeedsLater, environment, reporter);
    }
}
