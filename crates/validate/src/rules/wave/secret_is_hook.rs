//! `wave/secret-is-hook`.

use super::conflicts::report_conflicts;
use crate::facts::scene::CheckedEnvironment;
use crate::reporter::Reporter;
use crate::rule::{Rule, RuleCheck};
use crate::{RuleKind, RulePage};
use sealwave_core::diagnostic::{ProblemKind, Severity};

pub(crate) static RULE: Rule = Rule::new(
    RuleKind::Object,
    RulePage {
        id: "wave/secret-is-hook",
        severity: Severity::Error,
        summary: "a Secret is a hook, and its consumers start earlier or run longer",
        text: include_str!("secret_is_hook.md"),
    },
    RuleCheck::Environment(check),
);

fn check(environment: &CheckedEnvironment<'_>, reporter: &mut Reporter) {
    report_conflicts(&RULE, ProblemKind::SecretIsHook, environment, reporter);
}
