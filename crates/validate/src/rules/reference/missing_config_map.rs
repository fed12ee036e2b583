//! `reference/missing-config-map`.

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
        id: "reference/missing-config-map",
        severity: Severity::Error,
        summary: "a pod needs a ConfigMap that does not exist",
        text: include_str!("missing_config_map.md"),
    },
    RuleCheck::Environment(check),
)
.about(RuleTopic::Absence);

fn check(environment: &CheckedEnvironment<'_>, reporter: &mut Reporter) {
    missing::check(&RULE, ReferencedKind::ConfigMap, environment, reporter);
}
