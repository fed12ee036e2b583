//! `reference/missing-claim`.

use super::missing;
use crate::facts::scene::CheckedEnvironment;
use crate::reporter::Reporter;
use crate::rule::{Rule, RuleCheck};
use crate::{RuleKind, RulePage, RuleTopic};
use sealwave_core::diagnostic::Severity;
use sealwave_kube::pods::ReferencedKind;

pub(crate) static RULE: Rule = Rule::new(
    RuleKind::Object,
    RulePage {
        id: "reference/missing-claim",
        severity: Severity::Error,
        summary: "a pod mounts a PersistentVolumeClaim that does not exist",
        text: include_str!("missing_claim.md"),
    },
    RuleCheck::Environment(check),
)
.about(RuleTopic::Absence);

fn check(environment: &CheckedEnvironment<'_>, reporter: &mut Reporter) {
    missing::check(&RULE, ReferencedKind::PersistentVolumeClaim, environment, reporter);
}
