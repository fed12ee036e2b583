//! `resource/disruption-budget`.

use crate::facts::checked_object::CheckedObject;
use crate::facts::fields::{set_entries, value};
use crate::facts::rule_context::RuleContext;
use crate::field_checks::{FieldCheck, FieldChecker, FieldSection};
use crate::reporter::Reporter;
use crate::rule::{Rule, RuleCheck};
use crate::{ApiRefusal, RuleKind, RulePage};
use sealwave_core::diagnostic::Severity;

pub(crate) static RULE: Rule = Rule::new(
    RuleKind::Object,
    RulePage {
        id: "resource/disruption-budget",
        severity: Severity::Error,
        summary: "a PodDisruptionBudget has both bounds, or an invalid one",
        text: include_str!("disruption_budget.md"),
    },
    RuleCheck::Object(check),
)
.refused(ApiRefusal::BuiltInKinds);

const SECTIONS: &[FieldSection] = &[FieldSection {
    at: "",
    fields: &[FieldCheck::share("maxUnavailable", Some(100)), FieldCheck::share("minAvailable", Some(100))],
}];

fn check(object: &CheckedObject<'_>, context: &RuleContext<'_>, reporter: &mut Reporter) {
    if !object.is("policy", "PodDisruptionBudget") {
        return;
    }
    let Some(spec) = object.manifest.root().get("spec") else { return };
    let mut checker = FieldChecker::new(&RULE, object, context, reporter);
    checker.check_table(spec, SECTIONS);
    if let Some(selector) = value(spec, "selector") {
        checker.check_expressions(selector, "matchExpressions");
    }
    if let [first, second] = set_entries(spec, &["maxUnavailable", "minAvailable"]).as_slice() {
        let message = "the budget has both `minAvailable` and `maxUnavailable`";
        let draft = checker.new_draft(second.key_origin, message).hint("remove one of them");
        checker.report_draft(draft.related(first.key_origin, "the other is here"));
    }
}
