//! `reference/missing-secret`.

use super::missing;
use crate::rules::{CheckedEnvironment, Reporter, Rule, RuleCheck};
use crate::{ApiRefusal, RuleInfo};
use sealwave_core::diagnostic::Severity;
use sealwave_kube::pods::ReferencedKind;

pub(crate) static RULE: Rule = Rule {
    info: RuleInfo {
        id: "reference/missing-secret",
        severity: Severity::Error,
        enabled: true,
        refusal: ApiRefusal::Never,
        summary: "an object needs a Secret that does not exist",
        page: include_str!("missing_secret.md"),
    },
    check: RuleCheck::Environment(check),
};

fn check(environment: &CheckedEnvironment<'_>, reporter: &mut Reporter) {
    missing::check(&RULE, ReferencedKind::Secret, environment, reporter);
}
