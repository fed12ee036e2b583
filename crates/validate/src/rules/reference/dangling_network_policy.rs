//! `reference/dangling-network-policy`.

use std::collections::HashSet;

use crate::facts::checked_object::CheckedObject;
use crate::facts::fields::{items, text, value};
use crate::facts::later_stage::is_template;
use crate::facts::placement::ExternalNamespaces;
use crate::facts::scene::CheckedEnvironment;
use crate::facts::selectors::{self, PodIndex, SelectionResult, missing_label};
use crate::reporter::{FindingDraft, Reporter};
use crate::rule::{Rule, RuleCheck};
use crate::{RuleKind, RulePage, RuleTopic};
use sealwave_core::diagnostic::Severity;
use sealwave_core::document::{Mapping, Node, Origin};

pub(crate) static RULE: Rule = Rule::new(
    RuleKind::Object,
    RulePage {
        id: "reference/dangling-network-policy",
        severity: Severity::Warning,
        summary: "a NetworkPolicy selects no pods, allows a peer that does not exist, or names a port that the pods do not have",
        text: include_str!("dangling_network_policy.md"),
    },
    RuleCheck::Environment(check),
)
.about(RuleTopic::Absence);

fn check(environment: &CheckedEnvironment<'_>, reporter: &mut Reporter) {
    let mut pods = None;
    let mut completions = None;
    for (number, object) in environment.indexed_objects() {
        if !object.is("networking.k8s.io", "NetworkPolicy") {
            continue;
        }
        let Some(spec) = object.manifest.root().get("spec") else { continue };
        let pods = pods.get_or_insert_with(|| PodIndex::new(&environment.objects));
        let completions = completions.get_or_insert_with(|| ExternalNamespaces::new(environment));
        let policy = NetworkPolicyCheck { environment, object, pods, completions };
        policy.drafts(spec).into_iter().for_each(|draft| reporter.report(draft.about_object(number)));
    }
}

struct NetworkPolicyCheck<'c, 'a> {
    environment: &'c CheckedEnvironment<'a>,
    object: &'c CheckedObject<'a>,
    pods: &'c PodIndex<'a>,
    completions: &'c ExternalNamespaces<'a>,
}

impl NetworkPolicyCheck<'_, '_> {
    fn drafts(&self, spec: &Node) -> Vec<FindingDraft> {
        let mut drafts = Vec::new();
        let subject = spec.get("podSelector").and_then(labels);
        if let Some(labels) = subject {
            drafts.extend(
                self.check_selector(labels, format!("NetworkPolicy `{}` selects no pod", self.object.name)),
            );
        }
        let subjects = subject.map(|labels| self.receivers([labels]));
        for rule in items(spec, "ingress") {
            drafts.extend(
                items(rule, "from").iter().filter_map(own_pods).filter_map(|labels| self.check_peer(labels)),
            );
            let ports = items(rule, "ports").iter();
            drafts.extend(
                subjects.iter().flat_map(|pods| ports.clone().filter_map(|port| pods.check_port(port))),
            );
        }
        for rule in items(spec, "egress") {
            let peers: Vec<&Mapping> = items(rule, "to").iter().filter_map(own_pods).collect();
            drafts.extend(peers.iter().filter_map(|labels| self.check_peer(labels)));
            // Only if all receivers of the connection are known.
            if !peers.is_empty() && peers.len() == items(rule, "to").len() {
                let receivers = self.receivers(peers);
                drafts.extend(items(rule, "ports").iter().filter_map(|port| receivers.check_port(port)));
            }
        }
        drafts
    }

    fn check_peer(&self, labels: &Mapping) -> Option<FindingDraft> {
        self.check_selector(labels, "this peer selects no pod of the namespace".to_owned())
    }

    fn receivers<'l>(&self, selectors: impl IntoIterator<Item = &'l Mapping>) -> ReceivingPods<'_> {
        let selected = selectors
            .into_iter()
            .flat_map(|labels| self.pods.matching_workloads(self.object.namespace, labels));
        let pods: Vec<_> = selected.filter_map(|number| self.environment.objects.get(number)).collect();
        let ports =
            pods.iter().flat_map(|pod| pod.containers()).flat_map(|container| items(container, "ports"));
        let port_names = ports.filter_map(|port| text(port, "name")).collect();
        ReceivingPods { first: pods.first().map(|pod| pod.name_origin()), port_names }
    }

    fn check_selector(&self, labels: &Mapping, message: String) -> Option<FindingDraft> {
        let SelectionResult::Nothing(nearest) = self.pods.select(self.object.namespace, labels) else {
            return None;
        };
        let nearest = nearest.and_then(|number| self.environment.objects.get(number));
        let label = missing_label(labels, nearest.and_then(selectors::labels))?;
        let severity = match nearest {
            Some(_) => self.completions.severity_of_missing_pods(self.object.namespace),
            None => Severity::Note,
        };
        let draft = FindingDraft::new(&RULE, label.value.origin, message).severity(severity);
        let draft = match nearest {
            Some(pod) => draft.related(pod.name_origin(), "the closest pods are here"),
            None => draft,
        };
        Some(draft.hint("give the selector the labels of the pod template"))
    }
}

/// Pods that receive a connection.
struct ReceivingPods<'a> {
    /// Position of the name of one of them; `None` if none is known.
    first: Option<Origin>,
    port_names: HashSet<&'a str>,
}

impl ReceivingPods<'_> {
    /// Reports a port name that no container of the pods has.
    fn check_port(&self, port: &Node) -> Option<FindingDraft> {
        let first = self.first?;
        let port = value(port, "port")?;
        let name = port.as_str().filter(|name| !name.is_empty() && !is_template(name))?;
        let is_digits = name.bytes().all(|byte| byte.is_ascii_digit());
        (!is_digits && !self.port_names.contains(name)).then(|| {
            FindingDraft::new(
                &RULE,
                port.origin,
                "no pod that receives the connection has a port of this name",
            )
            .related(first, "the pods are here")
            .hint("use the name of a container port, or the number")
        })
    }
}

/// Returns the labels of a selector without expressions.
fn labels(selector: &Node) -> Option<&Mapping> {
    if value(selector, "matchExpressions").is_some() {
        return None;
    }
    selector.get("matchLabels")?.as_mapping().filter(|labels| !labels.is_empty())
}

/// Returns the labels of a peer that selects pods of the policy's namespace.
fn own_pods(peer: &Node) -> Option<&Mapping> {
    let is_own = value(peer, "namespaceSelector").is_none() && value(peer, "ipBlock").is_none();
    peer.get("podSelector").filter(|_| is_own).and_then(labels)
}
