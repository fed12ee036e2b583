//! `resource/disruption-budget`.

use crate::diagnostic::{RuleInfo, Severity};
use crate::lints::fields::set;
use crate::lints::{Check, Draft, Object, Reporter, Rule, Scene};

pub(crate) static RULE: Rule = Rule {
    info: RuleInfo {
        id: "resource/disruption-budget",
        severity: Severity::Error,
        enabled: true,
        refused_by_api_server: false,
        summary: "a PodDisruptionBudget has both of its bounds",
        explanation: "`minAvailable` and `maxUnavailable` exclude each other. The API server refuses the object.",
        example: "kind: PodDisruptionBudget\nspec: {minAvailable: 1, maxUnavailable: 1}\n",
        remedy: "Keep one; `maxUnavailable` goes on being right when replicas are added.",
    },
    check: Check::Object(check),
};

fn check(object: &Object<'_>, _: &Scene<'_>, reporter: &mut Reporter) {
    if !object.is("policy", "PodDisruptionBudget") {
        return;
    }
    let Some(spec) = object.manifest.root().get("spec") else { return };
    if let [first, second] = set(spec, &["maxUnavailable", "minAvailable"]).as_slice() {
        let message = "the budget has both `minAvailable` and `maxUnavailable`";
        let draft = Draft::new(&RULE, second.key_origin, message).hint("remove one of them");
        reporter.report(draft.related(first.key_origin, "the other is here"));
    }
}
