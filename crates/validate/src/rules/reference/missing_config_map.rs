//! `reference/missing-config-map`.

use super::missing;
use crate::rules::{CheckedEnvironment, Reporter, Rule, RuleCheck};
use crate::{ApiRefusal, RuleInfo};
use sealwave_core::diagnostic::Severity;
use sealwave_kube::pods::ReferencedKind;

pub(crate) static RULE: Rule = Rule {
    info: RuleInfo {
        id: "reference/missing-config-map",
        severity: Severity::Error,
        enabled: true,
        refusal: ApiRefusal::Never,
        summary: "a pod needs a ConfigMap that does not exist",
        page: include_str!("missing_config_map.md"),
    },
    check: RuleCheck::Environment(check),
};

fn check(environment: &CheckedEnvironment<'_>, reporter: &mut Reporter) {
    missing::check(&RULE, ReferencedKind::ConfigMap, environment, reporter);
}
