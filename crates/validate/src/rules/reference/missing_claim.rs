//! `reference/missing-claim`.

use super::missing;
use crate::rules::{CheckedEnvironment, Reporter, Rule, RuleCheck};
use crate::{ApiRefusal, RuleInfo};
use sealwave_core::diagnostic::Severity;
use sealwave_kube::pods::ReferencedKind;

pub(crate) static RULE: Rule = Rule {
    info: RuleInfo {
        id: "reference/missing-claim",
        severity: Severity::Error,
        enabled: true,
        refusal: ApiRefusal::Never,
        summary: "a pod mounts a PersistentVolumeClaim that does not exist",
        page: include_str!("missing_claim.md"),
    },
    check: RuleCheck::Environment(check),
};

fn check(environment: &CheckedEnvironment<'_>, reporter: &mut Reporter) {
    missing::check(&RULE, ReferencedKind::PersistentVolumeClaim, environment, reporter);
}
