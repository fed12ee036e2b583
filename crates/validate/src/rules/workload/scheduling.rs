//! `workload/scheduling`.

use std::collections::HashMap;

use super::plain_pod;
use crate::rules::field_checks::forms::{LABEL, LABEL_VALUE, QUALIFIED, SUBDOMAIN};
use crate::rules::field_checks::{Field, FieldChecker, Section};
use crate::rules::fields::{items, key_at, start, text, value};
use crate::rules::{Check, Object, Reporter, Rule, Scene};
use crate::{ApiRefusal, RuleInfo};
use sealwave_core::diagnostic::Severity;
use sealwave_core::document::Node;

pub(crate) static RULE: Rule = Rule {
    info: RuleInfo {
        id: "workload/scheduling",
        severity: Severity::Error,
        enabled: true,
        refusal: ApiRefusal::BuiltInKinds,
        summary: "a toleration, an affinity or a spread constraint contradicts itself",
        page: include_str!("scheduling.md"),
    },
    check: Check::Pod(check),
};

/// Fields of a pod's spec.
const SECTIONS: &[Section] = &[
    Section {
        at: "",
        fields: &[
            Field::form("nodeName", &SUBDOMAIN),
            Field::form("priorityClassName", &SUBDOMAIN),
            Field::form("runtimeClassName", &SUBDOMAIN),
        ],
    },
    Section { at: "readinessGates[]", fields: &[Field::form("conditionType", &QUALIFIED)] },
    Section { at: "schedulingGates[]", fields: &[Field::not_empty("name"), Field::form("name", &QUALIFIED)] },
    Section {
        at: "topologySpreadConstraints[]",
        fields: &[
            Field::at_least("maxSkew", 1),
            Field::at_least("minDomains", 1),
            Field::not_empty("topologyKey"),
        ],
    },
];

const REQUIRED: &str = "requiredDuringSchedulingIgnoredDuringExecution";
const PREFERRED: &str = "preferredDuringSchedulingIgnoredDuringExecution";
const WEIGHT: Field = Field::between("weight", 1, 100);

fn check(object: &Object<'_>, context: &Scene<'_>, reporter: &mut Reporter) {
    let Some(spec) = plain_pod(object) else { return };
    let mut checker = FieldChecker::new(&RULE, object, context, reporter);
    checker.table(spec, SECTIONS);
    tolerations(items(spec, "tolerations"), &mut checker);
    if let Some(affinity) = value(spec, "affinity") {
        if let Some(nodes) = value(affinity, "nodeAffinity") {
            check_node_affinity(nodes, &mut checker);
        }
        for field in ["podAffinity", "podAntiAffinity"] {
            if let Some(pods) = value(affinity, field) {
                check_pod_affinity(pods, &mut checker);
            }
        }
    }
    check_spread(items(spec, "topologySpreadConstraints"), &mut checker);
}

/// Checks tolerations.
pub(in crate::rules) fn tolerations(tolerations: &[Node], checker: &mut FieldChecker<'_>) {
    for toleration in tolerations.iter().filter(|toleration| toleration.as_mapping().is_some()) {
        check_toleration(toleration, checker);
    }
}

fn check_toleration(toleration: &Node, checker: &mut FieldChecker<'_>) {
    checker.field(toleration, &Field::form("key", &QUALIFIED));
    let operator = text(toleration, "operator");
    if text(toleration, "key").is_none() && operator != Some("Exists") {
        let message = "a toleration without `key` needs the operator `Exists`";
        checker.report(start(toleration), message, "add the key, or `operator: Exists` for all taints");
    }
    if value(toleration, "tolerationSeconds").is_some() && text(toleration, "effect") != Some("NoExecute") {
        let message = "`tolerationSeconds` needs the effect `NoExecute`";
        checker.report(
            key_at(toleration, "tolerationSeconds"),
            message,
            "remove it, or set `effect: NoExecute`",
        );
    }
    match operator {
        None | Some("Equal") => checker.field(toleration, &Field::form("value", &LABEL_VALUE)),
        Some("Exists") if text(toleration, "value").is_some() => {
            let message = "a toleration with the operator `Exists` has a `value`";
            checker.report(key_at(toleration, "value"), message, "remove it, or use `Equal`");
        }
        Some("Gt" | "Lt") => {
            let message =
                "the operators `Gt` and `Lt` of a toleration are disabled by default in all versions";
            checker.report(key_at(toleration, "operator"), message, "use `Equal` or `Exists`");
        }
        _ => {}
    }
}

fn check_node_affinity(affinity: &Node, checker: &mut FieldChecker<'_>) {
    if let Some(required) = value(affinity, REQUIRED) {
        let terms = items(required, "nodeSelectorTerms");
        if terms.is_empty() && value(required, "nodeSelectorTerms").is_some() {
            let at = key_at(required, "nodeSelectorTerms");
            checker.report(at, "a node affinity has no terms", "add a term, or remove the affinity");
        }
        for term in terms {
            checker.expressions(term, "matchExpressions");
            checker.expressions(term, "matchFields");
        }
    }
    for preferred in items(affinity, PREFERRED) {
        checker.field(preferred, &WEIGHT);
        if let Some(term) = value(preferred, "preference") {
            for field in ["matchExpressions", "matchFields"] {
                for expression in items(term, field) {
                    // The API server does not check the values of a preference.
                    checker.operator(expression);
                }
            }
        }
    }
}

fn check_pod_affinity(affinity: &Node, checker: &mut FieldChecker<'_>) {
    for term in items(affinity, REQUIRED) {
        check_pod_term(term, checker);
    }
    for preferred in items(affinity, PREFERRED) {
        checker.field(preferred, &WEIGHT);
        if let Some(term) = value(preferred, "podAffinityTerm") {
            check_pod_term(term, checker);
        }
    }
}

fn check_pod_term(term: &Node, checker: &mut FieldChecker<'_>) {
    checker.field(term, &Field::not_empty("topologyKey"));
    checker.field(term, &Field::form("topologyKey", &QUALIFIED));
    checker.field(term, &Field::items("namespaces", &LABEL));
    for field in ["labelSelector", "namespaceSelector"] {
        if let Some(selector) = value(term, field) {
            checker.selector(selector);
        }
    }
    check_label_keys(term, checker);
}

/// Checks `matchLabelKeys` and `mismatchLabelKeys`, which need a selector without these keys.
fn check_label_keys(term: &Node, checker: &mut FieldChecker<'_>) {
    for field in ["matchLabelKeys", "mismatchLabelKeys"] {
        let keys = items(term, field);
        if !keys.is_empty() && value(term, "labelSelector").is_none() {
            let message = format!("`{field}` needs a `labelSelector`");
            checker.report(key_at(term, field), message, "add the selector, or remove the keys");
        }
        checker.field(term, &Field::items(field, &QUALIFIED));
    }
}

fn check_spread(constraints: &[Node], checker: &mut FieldChecker<'_>) {
    let mut seen: HashMap<(&str, &str), &Node> = HashMap::new();
    for constraint in constraints {
        let action = text(constraint, "whenUnsatisfiable").unwrap_or_default();
        if let Some(key) = text(constraint, "topologyKey")
            && let Some(first) = seen.insert((key, action), constraint)
        {
            let message = "two spread constraints have the same `topologyKey` and `whenUnsatisfiable`";
            let draft = checker.begin(key_at(constraint, "topologyKey"), message).hint("remove one of them");
            checker.draft(draft.related(key_at(first, "topologyKey"), "the other is here"));
        }
        if value(constraint, "minDomains").is_some() && action == "ScheduleAnyway" {
            let message = "`minDomains` needs `whenUnsatisfiable: DoNotSchedule`";
            checker.report(
                key_at(constraint, "minDomains"),
                message,
                "remove it, or set `whenUnsatisfiable: DoNotSchedule`",
            );
        }
        if let Some(selector) = value(constraint, "labelSelector") {
            checker.selector(selector);
        }
        check_label_keys(constraint, checker);
    }
}
