//! `reference/missing-service-account`.

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
        id: "reference/missing-service-account",
        severity: Severity::Error,
        summary: "an object uses a ServiceAccount that does not exist",
        text: include_str!("missing_service_account.md"),
    },
    RuleCheck::Environment(check),
)
.about(RuleTopic::Absence);

fn check(environment: &CheckedEnvironment<'_>, reporter: &mut Reporter) {
    missing::check(&RULE, ReferencedKind::ServiceAccount, environment, reporter);
}
