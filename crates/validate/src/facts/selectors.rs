//! Labels of pods, and the selectors that match them.

use std::collections::{HashMap, HashSet};

use crate::facts::checked_object::CheckedObject;
use sealwave_core::document::{Mapping, MappingEntry, Node};

/// Maximum number of pod templates compared with one selector; beyond it, nothing is reported.
const COMPARED: usize = 1_000;

/// Maximum number of labels of a pod or a selector; beyond it, nothing is reported.
const LABELS: usize = 64;

/// Labels that a controller sets on its pods, and that are not in a template.
const SET_ON_PODS: &[&str] = &[
    "apps.kubernetes.io/pod-index",
    "batch.kubernetes.io/controller-uid",
    "batch.kubernetes.io/job-name",
    "controller-revision-hash",
    "controller-uid",
    "job-name",
    "pod-template-hash",
    "rollouts-pod-template-hash",
    "statefulset.kubernetes.io/pod-name",
];

/// Other groups whose objects create no pods.
const MAKE_NO_PODS: &[&str] = &[
    "argoproj.io",
    "bitnami.com",
    "cert-manager.io",
    "external-secrets.io",
    "isindir.github.com",
    "keda.sh",
    "networking.istio.io",
    "security.istio.io",
    "traefik.containo.us",
    "traefik.io",
];

/// Kinds of the Prometheus operator that create no pods.
const MONITORS: &[&str] = &["PodMonitor", "Probe", "PrometheusRule", "ServiceMonitor"];

/// Returns the labels of the pods that an object creates, or those of a Pod.
pub(crate) fn labels<'a>(object: &CheckedObject<'a>) -> Option<&'a Mapping> {
    let pod = object.pod.as_ref()?;
    object.manifest.root().at(&pod.path)?.at(&["metadata", "labels"])?.as_mapping()
}

/// Returns the first label of a selector that the closest pods do not have; without any pods, the first one.
pub(crate) fn missing_label<'s>(
    selector: &'s Mapping,
    nearest: Option<&Mapping>,
) -> Option<&'s MappingEntry> {
    let is_missing = |label: &&MappingEntry| {
        nearest.is_none_or(|labels| labels.get(&label.key).is_none_or(|value| *value != label.value))
    };
    selector.entries().iter().find(is_missing)
}

/// An index of the pods that a set of objects creates.
pub(crate) struct PodIndex<'a> {
    /// Objects by namespace (empty for all), label key and value.
    by_label: HashMap<(&'a str, &'a str, &'a str), Vec<usize>>,
    /// Namespaces with workloads, and the empty one if any workload exists.
    namespaces: HashSet<&'a str>,
    /// True if namespace or labels of some workload are unknown.
    has_unknown_pods: bool,
    labels: HashMap<usize, &'a Mapping>,
    /// Names and kinds, in lower case, of objects from which a controller creates pods.
    operated: HashSet<(&'a str, String)>,
}

/// Result of evaluating a selector.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum SelectionResult {
    /// Selects nothing; the object is the closest match.
    Nothing(Option<usize>),
    /// Selects something, or may do so.
    Possible,
}

impl<'a> PodIndex<'a> {
    /// Indexes all objects.
    pub(crate) fn new(objects: &[CheckedObject<'a>]) -> Self {
        let mut pods = Self {
            by_label: HashMap::new(),
            namespaces: HashSet::new(),
            has_unknown_pods: false,
            labels: HashMap::new(),
            operated: HashSet::new(),
        };
        for (number, object) in objects.iter().enumerate() {
            if object.pod.is_some() {
                pods.add(number, object);
            } else if may_make_pods(object) {
                for name in [object.name, object.kind] {
                    pods.operated.insert((object.namespace, name.to_lowercase()));
                }
            }
        }
        pods
    }

    fn add(&mut self, number: usize, object: &CheckedObject<'a>) {
        self.namespaces.extend([object.namespace, ""]);
        self.has_unknown_pods |= object.namespace.is_empty();
        let Some(labels) = labels(object) else { return };
        if labels.len() > LABELS {
            self.has_unknown_pods = true;
            return;
        }
        self.labels.insert(number, labels);
        for label in labels.entries() {
            let Some(value) = label.value.as_str() else { continue };
            self.by_label.entry((object.namespace, &label.key, value)).or_default().push(number);
            if !object.namespace.is_empty() {
                self.by_label.entry(("", &label.key, value)).or_default().push(number);
            }
        }
    }

    /// Evaluates a selector in a namespace.
    pub(crate) fn select(&self, namespace: &str, selector: &Mapping) -> SelectionResult {
        if selector.len() > LABELS {
            return SelectionResult::Possible;
        }
        let mut wanted = Vec::with_capacity(selector.len());
        for entry in selector.entries() {
            if SET_ON_PODS.contains(&entry.key.as_str()) {
                continue;
            }
            let Some(value) = entry.value.as_str() else { return SelectionResult::Possible };
            if is_foreign(&entry.key) || self.is_operated(namespace, value) {
                return SelectionResult::Possible;
            }
            wanted.push((entry.key.as_str(), value));
        }
        // A workload without a namespace may end up in this one.
        let unknown = !namespace.is_empty() && self.has_unknown_pods;
        if wanted.is_empty() || unknown || !self.namespaces.contains(namespace) {
            return SelectionResult::Possible;
        }
        self.intersect(namespace, &wanted)
    }

    /// Returns the known workloads of a namespace whose pods a selector of literal labels selects.
    pub(crate) fn matching_workloads(&self, namespace: &str, selector: &Mapping) -> Vec<usize> {
        let entries = || selector.entries().iter();
        let Some(first) = entries().find_map(|entry| Some((entry.key.as_str(), entry.value.as_str()?)))
        else {
            return Vec::new();
        };
        let candidates = self.by_label.get(&(namespace, first.0, first.1)).map_or(&[][..], Vec::as_slice);
        let fits = |number: &&usize| {
            let labels = self.labels.get(number);
            entries().all(|entry| labels.and_then(|labels| labels.get(&entry.key)) == Some(&entry.value))
        };
        candidates.iter().take(COMPARED).filter(fits).copied().collect()
    }

    fn intersect(&self, namespace: &str, wanted: &[(&str, &str)]) -> SelectionResult {
        let lists = wanted
            .iter()
            .map(|(key, value)| self.by_label.get(&(namespace, *key, *value)).map_or(&[][..], Vec::as_slice));
        let Some(rarest) = lists.clone().min_by_key(|list| list.len()) else {
            return SelectionResult::Possible;
        };
        let fits = |number: &usize| {
            let labels = self.labels.get(number);
            wanted.iter().all(|(key, value)| {
                labels.and_then(|labels| labels.get(key)).and_then(Node::as_str) == Some(*value)
            })
        };
        if rarest.len() > COMPARED || rarest.iter().any(fits) {
            return SelectionResult::Possible;
        }
        let nearest = lists.filter(|list| !list.is_empty()).min_by_key(|list| list.len());
        SelectionResult::Nothing(nearest.and_then(|list| list.first()).copied())
    }

    /// Returns whether a controller may create pods with this label value.
    fn is_operated(&self, namespace: &str, value: &str) -> bool {
        [namespace, ""]
            .into_iter()
            .any(|namespace| self.operated.contains(&(namespace, value.to_lowercase())))
    }
}

fn may_make_pods(object: &CheckedObject<'_>) -> bool {
    object.group.contains('.')
        && !object.group.ends_with(".k8s.io")
        && !MAKE_NO_PODS.contains(&object.group)
        && !MONITORS.contains(&object.kind)
}

/// Returns whether a label's key belongs to another controller.
fn is_foreign(key: &str) -> bool {
    key.split_once('/').is_some_and(|(domain, _)| domain != "app.kubernetes.io")
}
