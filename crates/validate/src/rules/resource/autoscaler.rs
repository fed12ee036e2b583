//! `resource/autoscaler`.

use crate::facts::checked_object::CheckedObject;
use crate::facts::fields::{integer, items, key_origin, set_entries, start_origin, text, value};
use crate::facts::rule_context::RuleContext;
use crate::field_checks::forms::{LABEL, PATH_SEGMENT};
use crate::field_checks::{FieldCheck, FieldChecker, FieldSection};
use crate::reporter::Reporter;
use crate::rule::{Rule, RuleCheck};
use crate::{ApiRefusal, RuleKind, RulePage};
use sealwave_core::diagnostic::Severity;
use sealwave_core::document::{MappingEntry, Node};
use sealwave_kube::Quantity;

pub(crate) static RULE: Rule = Rule::new(
    RuleKind::Object,
    RulePage {
        id: "resource/autoscaler",
        severity: Severity::Error,
        summary: "a HorizontalPodAutoscaler has invalid bounds or metrics",
        text: include_str!("autoscaler.md"),
    },
    RuleCheck::Object(check),
)
.refused(ApiRefusal::BuiltInKinds);

/// Fields of an autoscaler's spec.
const SECTIONS: &[FieldSection] = &[
    FieldSection {
        at: "",
        fields: &[
            FieldCheck::at_least("maxReplicas", 1),
            FieldCheck::at_least("minReplicas", 0),
            FieldCheck::at_least("targetCPUUtilizationPercentage", 1),
        ],
    },
    FieldSection { at: "scaleTargetRef", fields: REFERENCE },
    FieldSection { at: "metrics[].object.describedObject", fields: REFERENCE },
    FieldSection { at: "behavior.scaleUp", fields: SCALING },
    FieldSection { at: "behavior.scaleUp.policies[]", fields: SCALING_POLICY },
    FieldSection { at: "behavior.scaleDown", fields: SCALING },
    FieldSection { at: "behavior.scaleDown.policies[]", fields: SCALING_POLICY },
    FieldSection {
        at: "metrics[].containerResource",
        fields: &[
            FieldCheck::not_empty("container"),
            FieldCheck::form("container", &LABEL),
            FieldCheck::not_empty("name"),
        ],
    },
    FieldSection { at: "metrics[].resource", fields: &[FieldCheck::not_empty("name")] },
];
const REFERENCE: &[FieldCheck] = &[
    FieldCheck::not_empty("kind"),
    FieldCheck::form("kind", &PATH_SEGMENT),
    FieldCheck::not_empty("name"),
    FieldCheck::form("name", &PATH_SEGMENT),
];
const SCALING: &[FieldCheck] = &[
    FieldCheck::not_empty("policies"),
    FieldCheck::between("stabilizationWindowSeconds", 0, 3_600),
    FieldCheck::not_negative("tolerance"),
];
const SCALING_POLICY: &[FieldCheck] =
    &[FieldCheck::between("periodSeconds", 1, 1_800), FieldCheck::at_least("value", 1)];

/// Types of metrics, with their fields and their possible targets.
const SOURCES: &[(&str, &str, &[&str])] = &[
    ("ContainerResource", "containerResource", &["averageUtilization", "averageValue"]),
    ("External", "external", &["averageValue", "value"]),
    ("Object", "object", &["averageValue", "value"]),
    ("Pods", "pods", &["averageValue"]),
    ("Resource", "resource", &["averageUtilization", "averageValue"]),
];

fn check(object: &CheckedObject<'_>, context: &RuleContext<'_>, reporter: &mut Reporter) {
    if !object.is("autoscaling", "HorizontalPodAutoscaler") {
        return;
    }
    let Some(spec) = object.manifest.root().get("spec").filter(|spec| spec.as_mapping().is_some()) else {
        return;
    };
    let mut checker = FieldChecker::new(&RULE, object, context, reporter);
    checker.check_table(spec, SECTIONS);
    check_bounds(spec, &mut checker);
    check_scale_target(spec, &mut checker);
    // Metrics of the beta versions have other fields.
    if object.version == "v2" {
        for metric in items(spec, "metrics").iter().filter(|metric| metric.as_mapping().is_some()) {
            check_metric(metric, &mut checker);
        }
    }
}

fn check_bounds(spec: &Node, checker: &mut FieldChecker<'_>) {
    let least = value(spec, "minReplicas");
    if let (Some(least), Some(most)) = (least, value(spec, "maxReplicas"))
        && let (Some(low), Some(high)) = (integer(least), integer(most))
        && (1..low).contains(&high)
    {
        let draft = checker.new_draft(most.origin, "`maxReplicas` is less than `minReplicas`");
        let draft = draft.related(least.origin, "`minReplicas` is here");
        checker.report_draft(draft.hint("raise it, or lower `minReplicas`"));
    }
    let is_outside = |metric: &Node| matches!(text(metric, "type"), Some("External" | "Object"));
    if let Some(least) = least.filter(|least| integer(least) == Some(0))
        && !items(spec, "metrics").iter().any(is_outside)
    {
        let message = "`minReplicas` is 0 without a metric of type Object or External";
        checker.report(least.origin, message, "write 1 or more: pods that are not running have no metrics");
    }
}

/// Checks that the target has the group of its API.
fn check_scale_target(spec: &Node, checker: &mut FieldChecker<'_>) {
    let Some(target) = value(spec, "scaleTargetRef").filter(|target| target.as_mapping().is_some()) else {
        return;
    };
    let version = value(target, "apiVersion");
    let Some(text) = version.map_or(Some(""), Node::as_str) else { return };
    let has_group =
        matches!(text.split_once('/'), Some((group, rest)) if !group.is_empty() && !rest.contains('/'));
    if !has_group && text != "/" && !checker.may_fill(text) {
        let message = "`apiVersion` of `scaleTargetRef` has no API group";
        let at = if version.is_some() {
            key_origin(target, "apiVersion")
        } else {
            key_origin(spec, "scaleTargetRef")
        };
        checker.report(at, message, "write group and version, like `apps/v1`");
    }
}

fn check_metric(metric: &Node, checker: &mut FieldChecker<'_>) {
    let kind = text(metric, "type").unwrap_or_default();
    let Some((_, wanted, targets)) = SOURCES.iter().find(|(name, ..)| *name == kind) else { return };
    let names: Vec<&str> = SOURCES.iter().map(|(_, field, _)| *field).collect();
    for other in set_entries(metric, &names).into_iter().filter(|entry| entry.key != *wanted) {
        let message = format!("a metric of type `{kind}` cannot have `{}`", other.key);
        checker.report(other.key_origin, message, "remove it, or correct the type");
    }
    let Some(source) = metric.as_mapping().and_then(|metric| metric.entry(wanted)) else {
        let message = format!("a metric of type `{kind}` has no `{wanted}`");
        checker.report(start_origin(metric), message, format!("add `{wanted}`, or correct the type"));
        return;
    };
    if let Some(identifier) = value(&source.value, "metric") {
        check_identifier(identifier, checker);
    }
    if let Some(target) = value(&source.value, "target").filter(|target| target.as_mapping().is_some()) {
        check_target(source, target, targets, kind, checker);
    }
}

fn check_identifier(metric: &Node, checker: &mut FieldChecker<'_>) {
    checker.check_field(metric, &FieldCheck::not_empty("name"));
    checker.check_field(metric, &FieldCheck::form("name", &PATH_SEGMENT));
}

fn check_target(
    source: &MappingEntry,
    target: &Node,
    targets: &[&str],
    kind: &str,
    checker: &mut FieldChecker<'_>,
) {
    let found = set_entries(target, targets);
    match found.as_slice() {
        [] => {
            let listed = crate::facts::fields::quoted_list(targets);
            let message = format!("the target of a metric of type `{kind}` has no {listed}");
            checker.report(key_origin(&source.value, "target"), message, format!("add {listed}"));
        }
        [first, second, ..] if kind != "Object" => {
            let message = format!("a target has both `{}` and `{}`", first.key, second.key);
            checker.report(second.key_origin, message, "remove one of them");
        }
        _ => {}
    }
    checker.check_field(target, &FieldCheck::at_least("averageUtilization", 1));
    for field in ["averageValue", "value"] {
        let Some(node) = value(target, field) else { continue };
        if Quantity::from_node(node).is_some_and(|amount| !amount.is_positive()) {
            checker.report(node.origin, format!("`{field}` is not more than 0"), "write a positive quantity");
        }
    }
}
