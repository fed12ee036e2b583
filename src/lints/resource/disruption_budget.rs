//! `resource/disruption-budget`.

use crate::diagnostic::{ApiRefusal, RuleInfo, Severity};
use crate::lints::field_checks::{Field, FieldChecker, Section};
use crate::lints::fields::{set, value};
use crate::lints::{Check, Object, Reporter, Rule, Scene};

pub(crate) static RULE: Rule = Rule {
    info: RuleInfo {
        id: "resource/disruption-budget",
        severity: Severity::Error,
        enabled: true,
        refusal: ApiRefusal::BuiltInKinds,
        summary: "a PodDisruptionBudget has both of its bounds, or an invalid one",
        explanation: "`minAvailable` and `maxUnavailable` exclude each other. Each is a whole number, not negative, or a \
                      percentage of at most 100%. The API server refuses the object.",
        example: "kind: PodDisruptionBudget\nspec: {minAvailable: 1, maxUnavailable: 1}\n",
        remedy: "Keep one; `maxUnavailable` goes on being right when replicas are added.",
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
