//! `wave/secret-is-hook`.

use crate::rules::{CheckedEnvironment, Reporter, Rule, RuleCheck};
use crate::{ApiRefusal, RuleInfo};
use sealwave_core::diagnostic::{ProblemKind, Severity};

pub(crate) static RULE: Rule = Rule {
    info: RuleInfo {
        id: "wave/secret-is-hook",
        severity: Severity::Error,
        enabled: true,
        refusal: ApiRefusal::Never,
        summary: "a Secret is a hook, and its consumers start earlier or run longer",
        page: include_str!("secret_is_hook.md"),
    },
    check: RuleCheck::Environment(check),
};

fn check(environment: &CheckedEnvironment<'_>, reporter: &mut Reporter) {
    super::report(ProblemKind::SecretIsHook, environment, reporter);
}
