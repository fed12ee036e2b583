//! `reference/dangling-monitor`.

use std::collections::{HashMap, HashSet};

use crate::facts::checked_object::CheckedObject;
use crate::facts::fields::{items, text, value};
use crate::facts::later_stage::is_template;
use crate::facts::placement::ExternalNamespaces;
use crate::facts::scene::CheckedEnvironment;
use crate::facts::selectors::{PodIndex, SelectionResult};
use crate::reporter::{FindingDraft, Reporter};
use crate::rule::{Rule, RuleCheck};
use crate::{RuleKind, RulePage, RuleTopic};
use sealwave_core::diagnostic::Severity;
use sealwave_core::document::{Mapping, Node};

pub(crate) static RULE: Rule = Rule::new(
    RuleKind::Object,
    RulePage {
        id: "reference/dangling-monitor",
        severity: Severity::Warning,
        summary: "a ServiceMonitor or PodMonitor selects nothing, or names a port that its targets do not have",
        text: include_str!("dangling_monitor.md"),
    },
    RuleCheck::Environment(check),
)
.about(RuleTopic::Absence);

/// Maximum number of Services compared with one selector; beyond it, nothing is reported.
const COMPARED: usize = 1_000;

fn check(environment: &CheckedEnvironment<'_>, reporter: &mut Reporter) {
    let mut known = None;
    for (number, object) in environment.indexed_objects() {
        if object.group != "monitoring.coreos.com" || !matches!(object.kind, "PodMonitor" | "ServiceMonitor")
        {
            continue;
        }
        let Some(spec) = object.manifest.root().get("spec") else { continue };
        let Some(labels) = labels(spec) else { continue };
        let Some(namespace) = namespace(spec, object.namespace) else { continue };
        let known = known.get_or_insert_with(|| MonitorTargets::new(environment));
        let drafts = match object.kind {
            "PodMonitor" => known.check_pods(object, namespace, spec, labels),
            _ => known.check_services(object, namespace, spec, labels),
        };
        for draft in drafts {
            reporter.report(draft.about_object(number));
        }
    }
}

/// The objects that monitors can select.
struct MonitorTargets<'e, 'a> {
    environment: &'e CheckedEnvironment<'a>,
    /// Services by namespace.
    services: HashMap<&'a str, Vec<&'e CheckedObject<'a>>>,
    pods: PodIndex<'a>,
    completions: ExternalNamespaces<'a>,
}

impl<'e, 'a> MonitorTargets<'e, 'a> {
    fn new(environment: &'e CheckedEnvironment<'a>) -> Self {
        let mut services: HashMap<_, Vec<_>> = HashMap::new();
        for service in environment.objects.iter().filter(|object| object.is("", "Service")) {
            services.entry(service.namespace).or_default().push(service);
        }
        let completions = ExternalNamespaces::new(environment);
        Self { environment, services, pods: PodIndex::new(&environment.objects), completions }
    }

    fn check_services(
        &self,
        monitor: &CheckedObject<'_>,
        namespace: &str,
        spec: &Node,
        labels: &Mapping,
    ) -> Vec<FindingDraft> {
        let here = self.services.get(namespace).map_or(&[][..], Vec::as_slice);
        if here.is_empty() || here.len() > COMPARED {
            return Vec::new();
        }
        let has_label = |service: &CheckedObject<'_>, label: &sealwave_core::document::MappingEntry| {
            service.manifest.root().at(&["metadata", "labels"]).and_then(|all| all.get(&label.key))
                == Some(&label.value)
        };
        let fits =
            |service: &&&CheckedObject<'a>| labels.entries().iter().all(|label| has_label(service, label));
        let selected: Vec<&CheckedObject<'a>> = here.iter().filter(fits).copied().collect();
        let closest =
            || here.iter().find(|service| labels.entries().iter().any(|label| has_label(service, label)));
        if selected.is_empty() {
            return self
                .nothing_selected(monitor, namespace, labels, "Service", closest().copied())
                .into_iter()
                .collect();
        }
        let ports = |service: &CheckedObject<'a>| {
            let ports = service.manifest.root().items_at(&["spec", "ports"]);
            ports.iter().filter_map(|port| text(port, "name"))
        };
        let names: HashSet<&str> = selected.iter().flat_map(|service| ports(service)).collect();
        unknown_ports(items(spec, "endpoints"), &names, &selected)
    }

    fn check_pods(
        &self,
        monitor: &CheckedObject<'_>,
        namespace: &str,
        spec: &Node,
        labels: &Mapping,
    ) -> Vec<FindingDraft> {
        if let SelectionResult::Nothing(near) = self.pods.select(namespace, labels) {
            let near = near.and_then(|number| self.environment.objects.get(number));
            return self.nothing_selected(monitor, namespace, labels, "pod", near).into_iter().collect();
        }
        let selected = self.pods.matching_workloads(namespace, labels);
        let selected: Vec<&CheckedObject<'a>> =
            selected.iter().filter_map(|number| self.environment.objects.get(*number)).collect();
        let ports =
            selected.iter().flat_map(|pod| pod.containers()).flat_map(|container| items(container, "ports"));
        let names: HashSet<&str> = ports.filter_map(|port| text(port, "name")).collect();
        unknown_ports(items(spec, "podMetricsEndpoints"), &names, &selected)
    }

    fn nothing_selected(
        &self,
        monitor: &CheckedObject<'_>,
        namespace: &str,
        labels: &Mapping,
        target: &str,
        near: Option<&CheckedObject<'_>>,
    ) -> Option<FindingDraft> {
        let label = labels.entries().first()?;
        let severity = match near {
            Some(_) => self.completions.severity_of_missing_pods(namespace),
            None => Severity::Note,
        };
        let message = format!("{} `{}` selects no {target}", monitor.kind, monitor.name);
        let draft = FindingDraft::new(&RULE, label.value.origin, message).severity(severity);
        let draft = match near {
            Some(near) => draft.related(near.name_origin(), "the closest match is here"),
            None => draft,
        };
        let holder = if target == "pod" { "pod template" } else { "Service (`metadata.labels`)" };
        Some(draft.hint(format!("give the selector labels that the {holder} has")))
    }
}

/// Reports ports of endpoints that no target has.
fn unknown_ports(
    endpoints: &[Node],
    names: &HashSet<&str>,
    targets: &[&CheckedObject<'_>],
) -> Vec<FindingDraft> {
    let Some(target) = targets.first() else { return Vec::new() };
    let ports = endpoints.iter().filter_map(|endpoint| value(endpoint, "port"));
    let is_unknown = |port: &&Node| {
        port.as_str().is_some_and(|name| !name.is_empty() && !is_template(name) && !names.contains(name))
    };
    let draft = |port: &Node| {
        FindingDraft::new(&RULE, port.origin, "no target has a port of this name")
            .related(target.name_origin(), "a target is here")
            .hint("use the name of a port; a port without a name cannot be selected")
    };
    ports.filter(is_unknown).map(draft).collect()
}

/// Returns the labels of a selector without expressions or templates.
fn labels(spec: &Node) -> Option<&Mapping> {
    let selector = spec.get("selector").filter(|selector| value(selector, "matchExpressions").is_none())?;
    let labels = selector.get("matchLabels")?.as_mapping().filter(|labels| !labels.is_empty())?;
    let is_plain = |value: &Node| value.as_str().is_some_and(|text| !is_template(text));
    labels.entries().iter().all(|label| is_plain(&label.value)).then_some(labels)
}

/// Returns the only namespace that a monitor selects; `None` if there may be several.
fn namespace<'n>(spec: &'n Node, own: &'n str) -> Option<&'n str> {
    let Some(selector) = value(spec, "namespaceSelector") else { return Some(own) };
    match items(selector, "matchNames") {
        [] => selector.as_mapping().is_some_and(Mapping::is_empty).then_some(own),
        [only] => only.as_str(),
        _ => None,
    }
}
