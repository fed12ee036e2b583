//! `resource/blocking-budget`.

use std::collections::HashSet;

use crate::facts::checked_object::CheckedObject;
use crate::facts::fields::{integer, text, value};
use crate::facts::scene::CheckedEnvironment;
use crate::facts::selectors::PodIndex;
use crate::reporter::{FindingDraft, Reporter};
use crate::rule::{Rule, RuleCheck};
use crate::{RuleKind, RulePage};
use sealwave_core::diagnostic::Severity;
use sealwave_core::document::Node;

pub(crate) static RULE: Rule = Rule::new(
    RuleKind::Object,
    RulePage {
        id: "resource/blocking-budget",
        severity: Severity::Warning,
        summary: "a PodDisruptionBudget never allows a disruption",
        text: include_str!("blocking_budget.md"),
    },
    RuleCheck::Environment(check),
);

fn check(environment: &CheckedEnvironment<'_>, reporter: &mut Reporter) {
    let (mut pods, mut scaled) = (None, None);
    for (number, object) in environment.indexed_objects() {
        if !object.is("policy", "PodDisruptionBudget") {
            continue;
        }
        let Some(spec) = object.manifest.root().get("spec") else { continue };
        if let Some(none) =
            value(spec, "maxUnavailable").filter(|bound| is_share(bound, "0%") || is_none(bound))
        {
            let draft = FindingDraft::new(&RULE, none.origin, "this budget allows no disruption");
            let hint = "write 1 or more, so that a node can be drained";
            reporter.report(draft.about_object(number).severity(Severity::Note).hint(hint));
            continue;
        }
        let Some(least) = value(spec, "minAvailable") else { continue };
        if is_share(least, "100%") {
            let draft = FindingDraft::new(&RULE, least.origin, "this budget allows no disruption");
            reporter.report(draft.about_object(number).hint("write `maxUnavailable: 1`"));
            continue;
        }
        let pods = pods.get_or_insert_with(|| PodIndex::new(&environment.objects));
        let scaled = scaled.get_or_insert_with(|| scaled_workloads(environment));
        let Some(workload) = only_workload(environment, object, spec, pods) else { continue };
        let is_scaled = scaled.contains(&(workload.namespace, workload.kind, workload.name));
        let Some(replicas) = replicas(workload).filter(|_| !is_scaled) else { continue };
        if integer(least).is_some_and(|least| least >= replicas) && replicas > 0 {
            let message = format!("this budget allows no disruption: it has {replicas} pods");
            reporter.report(
                FindingDraft::new(&RULE, least.origin, message)
                    .about_object(number)
                    .related(workload.name_origin(), "the workload is here")
                    .hint("require fewer pods than `replicas`, or write `maxUnavailable: 1`"),
            );
        }
    }
}

fn is_none(bound: &Node) -> bool {
    integer(bound) == Some(0)
}

fn is_share(bound: &Node, share: &str) -> bool {
    bound.as_str() == Some(share)
}

/// Returns the workload that a budget selects, if it selects exactly one.
fn only_workload<'e, 'a>(
    environment: &'e CheckedEnvironment<'a>,
    budget: &CheckedObject<'_>,
    spec: &Node,
    pods: &PodIndex<'a>,
) -> Option<&'e CheckedObject<'a>> {
    let selector = spec.get("selector").filter(|selector| value(selector, "matchExpressions").is_none())?;
    let labels = selector.get("matchLabels")?.as_mapping().filter(|labels| !labels.is_empty())?;
    let selected = pods.matching_workloads(budget.namespace, labels);
    let [number] = selected.as_slice() else { return None };
    let workload = environment.objects.get(*number)?;
    let is_known = workload.group == "apps" && matches!(workload.kind, "Deployment" | "StatefulSet");
    is_known.then_some(workload)
}

fn replicas(workload: &CheckedObject<'_>) -> Option<i64> {
    workload.manifest.root().at(&["spec", "replicas"]).map_or(Some(1), integer)
}

/// Returns namespace, kind and name of the workloads whose replicas an autoscaler controls.
fn scaled_workloads<'a>(environment: &CheckedEnvironment<'a>) -> HashSet<(&'a str, &'a str, &'a str)> {
    let scale_target = |object: &CheckedObject<'a>| {
        let is_keda = object.is("keda.sh", "ScaledObject");
        let target = object.manifest.root().at(&["spec", "scaleTargetRef"])?;
        let kind = text(target, "kind").or(is_keda.then_some("Deployment"))?;
        let is_scaler = is_keda || object.is("autoscaling", "HorizontalPodAutoscaler");
        is_scaler.then_some((object.namespace, kind, text(target, "name")?))
    };
    environment.objects.iter().filter_map(scale_target).collect()
}
