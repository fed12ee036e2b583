//! `workload/selector-mismatch`.

use crate::facts::checked_object::CheckedObject;
use crate::facts::fields::{items, key_origin, start_origin, text};
use crate::facts::rule_context::RuleContext;
use crate::facts::selectors::labels;
use crate::reporter::{FindingDraft, Reporter};
use crate::rule::{Rule, RuleCheck};
use crate::{ApiRefusal, RuleKind, RulePage};
use sealwave_core::diagnostic::Severity;
use sealwave_core::document::{Mapping, Node, NodeValue};

pub(crate) static RULE: Rule = Rule::new(
    RuleKind::Object,
    RulePage {
        id: "workload/selector-mismatch",
        severity: Severity::Error,
        summary: "a workload does not select the pods of its own template",
        text: include_str!("selector_mismatch.md"),
    },
    RuleCheck::Object(check),
)
.refused(ApiRefusal::BuiltInKinds);

/// Maximum number of labels that are compared.
const LABELS: usize = 1_000;

fn check(object: &CheckedObject<'_>, _: &RuleContext<'_>, reporter: &mut Reporter) {
    let path: &[&str] = match (object.group, object.kind) {
        ("apps", "DaemonSet" | "Deployment" | "ReplicaSet" | "StatefulSet") | ("argoproj.io", "Rollout") => {
            &["spec", "selector", "matchLabels"]
        }
        ("", "ReplicationController") => &["spec", "selector"],
        _ => return,
    };
    if object.pod.is_none() {
        return;
    }
    if object.group == "apps" {
        check_expressions(object, reporter);
    }
    let Some(selector) = object.manifest.root().at(path).and_then(|selector| selector.as_mapping()) else {
        return;
    };
    let empty = Mapping::default();
    let labels = labels(object).unwrap_or(&empty);
    if labels.len().max(selector.len()) > LABELS {
        return;
    }
    for wanted in selector.entries() {
        let found = labels.entry(&wanted.key);
        // Another rule reports values that are not strings.
        if wanted.value.as_str().is_none() || found.is_some_and(|label| label.value.as_str().is_none()) {
            continue;
        }
        let (at, message) = match found {
            Some(label) if label.value == wanted.value => continue,
            Some(_) => (
                wanted.value.origin,
                format!("the template has a different value for the selected label `{}`", wanted.key),
            ),
            None => {
                (wanted.key_origin, format!("the template does not have the selected label `{}`", wanted.key))
            }
        };
        let draft =
            FindingDraft::new(&RULE, at, message).hint("give selector and pod template the same labels");
        reporter.report(match found.or_else(|| labels.entries().first()) {
            Some(label) => draft.related(label.key_origin, "the labels of the template are here"),
            None => draft,
        });
    }
}

/// Reports an empty selector, and expressions that do not hold for the template.
fn check_expressions(object: &CheckedObject<'_>, reporter: &mut Reporter) {
    let Some(spec) = object.manifest.root().get("spec") else { return };
    let Some(selector) = spec.get("selector").filter(|selector| selector.as_mapping().is_some()) else {
        return;
    };
    let is_empty = |entry: &sealwave_core::document::MappingEntry| match &entry.value.value {
        NodeValue::Mapping(mapping) => mapping.is_empty(),
        NodeValue::Sequence(items) => items.is_empty(),
        other => matches!(other, NodeValue::Null),
    };
    if selector.as_mapping().is_some_and(|selector| selector.entries().iter().all(is_empty)) {
        let draft = FindingDraft::new(&RULE, key_origin(spec, "selector"), "the selector is empty");
        reporter.report(draft.hint("give `matchLabels` labels of the pod template"));
        return;
    }
    let expressions = items(selector, "matchExpressions");
    if expressions.is_empty() {
        return;
    }
    let labels = labels(object);
    for expression in expressions.iter().take(LABELS) {
        if holds(expression, labels) == Some(false) {
            let draft = FindingDraft::new(
                &RULE,
                start_origin(expression),
                "the template does not match an expression of the selector",
            );
            reporter.report(draft.hint("give the pod template labels for which the expression holds"));
        }
    }
}

/// Returns whether an expression holds for labels; `None` if unknown.
fn holds(expression: &Node, labels: Option<&Mapping>) -> Option<bool> {
    let label = labels.and_then(|labels| labels.get(text(expression, "key")?));
    let values = items(expression, "values");
    if values.len() > LABELS || values.iter().chain(label).any(|value| value.as_str().is_none()) {
        return None;
    }
    let is_listed = || label.is_some_and(|label| values.contains(label));
    match text(expression, "operator")? {
        "In" => Some(is_listed()),
        "NotIn" => Some(!is_listed()),
        "Exists" => Some(label.is_some()),
        "DoesNotExist" => Some(label.is_none()),
        _ => None,
    }
}
