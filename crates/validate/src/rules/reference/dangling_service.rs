//! `reference/dangling-service`.

use std::collections::HashSet;

use crate::facts::checked_object::CheckedObject;
use crate::facts::placement::ExternalNamespaces;
use crate::facts::scene::CheckedEnvironment;
use crate::facts::selectors::{PodIndex, SelectionResult, labels, missing_label};
use crate::reporter::{FindingDraft, Reporter};
use crate::rule::{Rule, RuleCheck};
use crate::{RuleKind, RulePage, RuleTopic};
use sealwave_core::diagnostic::Severity;
use sealwave_core::document::{Mapping, Node};

pub(crate) static RULE: Rule = Rule::new(
    RuleKind::Object,
    RulePage {
        id: "reference/dangling-service",
        severity: Severity::Warning,
        summary: "a Service selects no pods in its namespace, or a port that they do not have",
        text: include_str!("dangling_service.md"),
    },
    RuleCheck::Environment(check),
)
.about(RuleTopic::Absence);

fn check(environment: &CheckedEnvironment<'_>, reporter: &mut Reporter) {
    let (mut pods, mut completions) = (None, None);
    for (number, object) in environment.indexed_objects() {
        let Some(selector) = selector(object) else { continue };
        let pods = pods.get_or_insert_with(|| PodIndex::new(&environment.objects));
        for draft in check_ports(environment, object, &pods.matching_workloads(object.namespace, selector)) {
            reporter.report(draft.about_object(number));
        }
        let SelectionResult::Nothing(nearest) = pods.select(object.namespace, selector) else { continue };
        let nearest = nearest.and_then(|number| labels(environment.objects.get(number)?));
        let Some(label) = missing_label(selector, nearest) else { continue };
        let message = format!("Service `{}` selects no pod", object.name);
        let draft = FindingDraft::new(&RULE, label.value.origin, message).about_object(number);
        let draft = match nearest.and_then(|labels| labels.entries().first()) {
            Some(label) => draft.related(label.key_origin, "the labels of the closest pods are here"),
            None => draft,
        };
        let completions = completions.get_or_insert_with(|| ExternalNamespaces::new(environment));
        let severity = completions.severity_of_missing_pods(object.namespace);
        reporter
            .report(draft.severity(severity).hint("give the selector and the pod template the same labels"));
    }
}

/// Reports port names that no container of the selected pods has.
fn check_ports(
    environment: &CheckedEnvironment<'_>,
    service: &CheckedObject<'_>,
    selected: &[usize],
) -> Vec<FindingDraft> {
    let pods: Vec<&CheckedObject<'_>> =
        selected.iter().filter_map(|number| environment.objects.get(*number)).collect();
    let named = pods.iter().flat_map(|pod| pod.containers()).flat_map(|container| items(container, "ports"));
    let named: HashSet<&str> = named.filter_map(|port| port.get("name")?.as_str()).collect();
    let Some(pod) = pods.first() else { return Vec::new() };
    let targets = service.manifest.root().items_at(&["spec", "ports"]).iter();
    targets
        .filter_map(|port| port.get("targetPort"))
        // Another rule reports a number in quotes.
        .filter(|target| {
            target.as_str().is_some_and(|name| name.parse::<u16>().is_err() && !named.contains(name))
        })
        .map(|target| {
            let message = "no selected pod has a port of this name";
            FindingDraft::new(&RULE, target.origin, message)
                .related(pod.name_origin(), "a selected pod is here")
                .hint("give a container's port this name, or write the port's number")
        })
        .collect()
}

fn items<'a>(node: &'a Node, field: &str) -> &'a [Node] {
    node.get(field).map_or(&[], Node::items)
}

/// Returns the selector of a Service, unless the Service is an `ExternalName`.
fn selector<'a>(object: &CheckedObject<'a>) -> Option<&'a Mapping> {
    let spec = object.is("", "Service").then(|| object.manifest.root().get("spec"))??;
    let is_name = spec.get("type").and_then(Node::as_str) == Some("ExternalName");
    spec.get("selector")?.as_mapping().filter(|selector| !selector.is_empty() && !is_name)
}
