//! `workload/scheduling`.

use std::collections::HashMap;

use super::plain_pod::plain_pod;
use crate::facts::checked_object::CheckedObject;
use crate::facts::fields::{items, key_origin, text, value};
use crate::facts::rule_context::RuleContext;
use crate::field_checks::forms::{LABEL, QUALIFIED, SUBDOMAIN};
use crate::field_checks::tolerations::check_tolerations;
use crate::field_checks::{FieldCheck, FieldChecker, FieldSection};
use crate::reporter::Reporter;
use crate::rule::{Rule, RuleCheck};
use crate::{ApiRefusal, RuleKind, RulePage};
use sealwave_core::diagnostic::Severity;
use sealwave_core::document::Node;

pub(crate) static RULE: Rule = Rule::new(
    RuleKind::Object,
    RulePage {
        id: "workload/scheduling",
        severity: Severity::Error,
        summary: "a toleration, an affinity or a spread constraint contradicts itself",
        text: include_str!("scheduling.md"),
    },
    RuleCheck::Pod(check),
)
.refused(ApiRefusal::BuiltInKinds);

/// Fields of a pod's spec.
const SECTIONS: &[FieldSection] = &[
    FieldSection {
        at: "",
        fields: &[
            FieldCheck::form("nodeName", &SUBDOMAIN),
            FieldCheck::form("priorityClassName", &SUBDOMAIN),
            FieldCheck::form("runtimeClassName", &SUBDOMAIN),
        ],
    },
    FieldSection { at: "readinessGates[]", fields: &[FieldCheck::form("conditionType", &QUALIFIED)] },
    FieldSection {
        at: "schedulingGates[]",
        fields: &[FieldCheck::not_empty("name"), FieldCheck::form("name", &QUALIFIED)],
    },
    FieldSection {
        at: "topologySpreadConstraints[]",
        fields: &[
            FieldCheck::at_least("maxSkew", 1),
            FieldCheck::at_least("minDomains", 1),
            FieldCheck::not_empty("topologyKey"),
        ],
    },
];

const REQUIRED: &str = "requiredDuringSchedulingIgnoredDuringExecution";
const PREFERRED: &str = "preferredDuringSchedulingIgnoredDuringExecution";
const WEIGHT: FieldCheck = FieldCheck::between("weight", 1, 100);

fn check(object: &CheckedObject<'_>, context: &RuleContext<'_>, reporter: &mut Reporter) {
    let Some(spec) = plain_pod(object) else { return };
    let mut checker = FieldChecker::new(&RULE, object, context, reporter);
    checker.check_table(spec, SECTIONS);
    check_tolerations(items(spec, "tolerations"), &mut checker);
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

fn check_node_affinity(affinity: &Node, checker: &mut FieldChecker<'_>) {
    if let Some(required) = value(affinity, REQUIRED) {
        let terms = items(required, "nodeSelectorTerms");
        if terms.is_empty() && value(required, "nodeSelectorTerms").is_some() {
            let at = key_origin(required, "nodeSelectorTerms");
            checker.report(at, "a node affinity has no terms", "add a term, or remove the affinity");
        }
        for term in terms {
            checker.check_expressions(term, "matchExpressions");
            checker.check_expressions(term, "matchFields");
        }
    }
    for preferred in items(affinity, PREFERRED) {
        checker.check_field(preferred, &WEIGHT);
        if let Some(term) = value(preferred, "preference") {
            for field in ["matchExpressions", "matchFields"] {
                for expression in items(term, field) {
                    // The API server does not check the values of a preference.
                    checker.check_operator(expression);
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
        checker.check_field(preferred, &WEIGHT);
        if let Some(term) = value(preferred, "podAffinityTerm") {
            check_pod_term(term, checker);
        }
    }
}

fn check_pod_term(term: &Node, checker: &mut FieldChecker<'_>) {
    checker.check_field(term, &FieldCheck::not_empty("topologyKey"));
    checker.check_field(term, &FieldCheck::form("topologyKey", &QUALIFIED));
    checker.check_field(term, &FieldCheck::items("namespaces", &LABEL));
    for field in ["labelSelector", "namespaceSelector"] {
        if let Some(selector) = value(term, field) {
            checker.check_selector(selector);
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
            checker.report(key_origin(term, field), message, "add the selector, or remove the keys");
        }
        checker.check_field(term, &FieldCheck::items(field, &QUALIFIED));
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
            let draft =
                checker.new_draft(key_origin(constraint, "topologyKey"), message).hint("remove one of them");
            checker.report_draft(draft.related(key_origin(first, "topologyKey"), "the other is here"));
        }
        if value(constraint, "minDomains").is_some() && action == "ScheduleAnyway" {
            let message = "`minDomains` needs `whenUnsatisfiable: DoNotSchedule`";
            checker.report(
                key_origin(constraint, "minDomains"),
                message,
                "remove it, or set `whenUnsatisfiable: DoNotSchedule`",
            );
        }
        if let Some(selector) = value(constraint, "labelSelector") {
            checker.check_selector(selector);
        }
        check_label_keys(constraint, checker);
    }
}
