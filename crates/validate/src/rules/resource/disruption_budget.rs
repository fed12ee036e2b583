//! `resource/disruption-budget`.

use crate::rules::field_checks::{Field, FieldChecker, Section};
use crate::rules::fields::{set, value};
use crate::rules::{Check, Object, Reporter, Rule, Scene};
use crate::{ApiRefusal, RuleInfo};
use sealwave_core::diagnostic::Severity;

pub(crate) static RULE: Rule = Rule {
    info: RuleInfo {
        id: "resource/disruption-budget",
        severity: Severity::Error,
        enabled: true,
        refusal: ApiRefusal::BuiltInKinds,
        summary: "a PodDisruptionBudget has both bounds, or an invalid one",
        page: include_str!("disruption_budget.md"),
    },
    check: Check::Object(check),
};

const SECTIONS: &[Section] = &[Section {
    at: "",
    fields: &[Field::share("maxUnavailable", Some(100)), Field::share("minAvailable", Some(100))],
}];

fn check(object: &Object<'_>, context: &Scene<'_>, reporter: &mut Reporter) {
    if !object.is("policy", "PodDisruptionBudget") {
        return;
    }
    let Some(spec) = object.manifest.root().get("spec") else { return };
    let mut checker = FieldChecker::new(&RULE, object, context, reporter);
    checker.table(spec, SECTIONS);
    if let Some(selector) = value(spec, "selector") {
        checker.expressions(selector, "matchExpressions");
    }
    if let [first, second] = set(spec, &["maxUnavailable", "minAvailable"]).as_slice() {
        let message = "the budget has both `minAvailable` and `maxUnavailable`";
        let draft = checker.begin(second.key_origin, message).hint("remove one of them");
        checker.draft(draft.related(first.key_origin, "the other is here"));
    }
}
