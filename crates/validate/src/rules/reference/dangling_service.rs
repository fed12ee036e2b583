//! `reference/dangling-service`.

use std::collections::HashSet;

use crate::rules::placement::Completions;
use crate::rules::selectors::{Pods, Selected, labels, missing_label};
use crate::rules::{Check, Draft, Environment, Object, Reporter, Rule};
use crate::{ApiRefusal, RuleInfo};
use sealwave_core::diagnostic::Severity;
use sealwave_core::document::{Mapping, Node};

pub(crate) static RULE: Rule = Rule {
    info: RuleInfo {
        id: "reference/dangling-service",
        severity: Severity::Warning,
        enabled: true,
        refusal: ApiRefusal::Never,
        summary: "a Service selects no pods in its namespace, or a port that they do not have",
        page: include_str!("dangling_service.md"),
    },
    check: Check::Environment(check),
};

fn check(environment: &Environment<'_>, reporter: &mut Reporter) {
    let (mut pods, mut completions) = (None, None);
    for (number, object) in environment.objects.iter().enumerate() {
        let Some(selector) = selector(object) else { continue };
        let pods = pods.get_or_insert_with(|| Pods::of(&environment.objects));
        for draft in check_ports(environment, object, &pods.matching(object.namespace, selector)) {
            reporter.report(draft.about(number));
        }
        let Selected::Nothing(nearest) = pods.selected(object.namespace, selector) else { continue };
        let nearest = nearest.and_then(|number| labels(environment.objects.get(number)?));
        let Some(label) = missing_label(selector, nearest) else { continue };
        let message = format!("Service `{}` selects no pod", object.name);
        let draft = Draft::new(&RULE, label.value.origin, message).about(number);
        let draft = match nearest.and_then(|labels| labels.entries().first()) {
            Some(label) => draft.related(label.key_origin, "the labels of the closest pods are here"),
            None => draft,
        };
        let completions = completions.get_or_insert_with(|| Completions::of(environment));
        let severity = completions.severity_of_missing_pods(object.namespace);
        reporter
            .report(draft.severity(severity).hint("give the selector and the pod template the same labels"));
    }
}

/// Reports port names that no container of the selected pods has.
fn check_ports(environment: &Environment<'_>, service: &Object<'_>, selected: &[usize]) -> Vec<Draft> {
    let pods: Vec<&Object<'_>> =
        selected.iter().filter_map(|number| environment.objects.get(*number)).collect();
    let named = pods.iter().flat_map(|pod| pod.containers()).flat_map(|container| items(container, "ports"));
    let named: HashSet<&str> = named.filter_map(|port| port.get("name")?.as_str()).collect();
    let Some(pod) = pods.first() else { return Vec::new() };
    let targets = service.manifest.root().at(&["spec", "ports"]).map_or(&[][..], Node::items).iter();
    targets
        .filter_map(|port| port.get("targetPort"))
        // Another rule reports a number in quotes.
        .filter(|target| {
            target.as_str().is_some_and(|name| name.parse::<u16>().is_err() && !named.contains(name))
        })
        .map(|target| {
            let message = "no selected pod has a port of this name";
            Draft::new(&RULE, target.origin, message)
                .related(pod.name_at(), "a selected pod is here")
                .hint("give a container's port this name, or write the port's number")
        })
        .collect()
}

fn items<'a>(node: &'a Node, field: &str) -> &'a [Node] {
    node.get(field).map_or(&[], Node::items)
}

/// Returns the selector of a Service, unless the Service is an ExternalName.
fn selector<'a>(object: &Object<'a>) -> Option<&'a Mapping> {
    let spec = object.is("", "Service").then(|| object.manifest.root().get("spec"))??;
    let is_name = spec.get("type").and_then(Node::as_str) == Some("ExternalName");
    spec.get("selector")?.as_mapping().filter(|selector| !selector.is_empty() && !is_name)
}
