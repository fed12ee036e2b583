//! Pods within `ConfigMaps`: Airflow's `pod_template.yaml`, templates of Spark and Jenkins, defaults of Argo Workflows.
//!
//! A program starts pods from these texts, so the objects that they refer to must exist. Positions are those in the file of
//! the ConfigMap; size and depth are bounded. Findings are warnings at most, because the program may fill in or change the
//! text.

use std::collections::BTreeSet;

use crate::facts::checked_object::CheckedObject;
use crate::facts::embedded::{self, TextPlace};
use crate::located::ObjectPath;
use crate::reporter::FindingDraft;
use sealwave_core::diagnostic::Severity;
use sealwave_core::document::{Manifest, Node, NodeValue, Origin, SourceTexts};
use sealwave_kube::catalog::ObjectIndex;
use sealwave_kube::pods::ReferencedKind;

/// Maximum number of values parsed per environment.
const MAX_VALUES: usize = 256;
/// Maximum size of these values, in bytes.
const MAX_BYTES: usize = 4 << 20;
/// Maximum number of pods per environment.
const MAX_PODS: usize = 1_000;
/// Maximum nesting of YAML in strings: a Pod in Jenkins' configuration is at level two.
const MAX_NESTING: usize = 3;

/// Kinds that have pods.
const KINDS: &[&str] = &[
    "ClusterWorkflowTemplate",
    "CronJob",
    "CronWorkflow",
    "DaemonSet",
    "Deployment",
    "Job",
    "Pod",
    "ReplicaSet",
    "ReplicationController",
    "Rollout",
    "ScaledJob",
    "StatefulSet",
    "Workflow",
    "WorkflowTemplate",
];

/// An object with pods in a value of a ConfigMap.
pub(crate) struct EmbeddedPod {
    /// Index of the ConfigMap.
    owner: ObjectIndex,
    /// JSON pointer to the item.
    pointer: ObjectPath,
    /// Start and last line of the item's value.
    lines: (Origin, u32),
    manifest: Manifest,
    /// Other objects that the item contains, by kind and name.
    siblings: BTreeSet<(ReferencedKind, String)>,
}

/// An [`EmbeddedPod`] as rules see it.
pub(crate) struct EmbeddedObject<'a> {
    pod: &'a EmbeddedPod,
    /// The object.
    pub(crate) object: CheckedObject<'a>,
}

impl<'a> EmbeddedObject<'a> {
    /// Wraps an object from a ConfigMap for rules.
    pub(crate) fn new(pod: &'a EmbeddedPod) -> Self {
        Self { pod, object: CheckedObject::new(&pod.manifest, &[]) }
    }

    /// Returns the index of the ConfigMap that contains the object.
    pub(crate) const fn owner(&self) -> ObjectIndex {
        self.pod.owner
    }

    /// Returns whether the same item contains an object, so that the object is not missing.
    pub(crate) fn has_sibling(&self, referenced: ReferencedKind, name: &str) -> bool {
        !self.pod.siblings.is_empty() && self.pod.siblings.contains(&(referenced, name.to_owned()))
    }

    /// Returns whether a finding about the ConfigMap is about this object.
    fn contains_position(&self, at: Origin) -> bool {
        let (first, last) = self.pod.lines;
        at.source == first.source && (first.line..=last).contains(&at.line)
    }
}

/// Points a finding about a ConfigMap to the item that contains the pod, and lowers it to a warning.
pub(crate) fn with_item_pointer(draft: FindingDraft, embedded: &[EmbeddedObject<'_>]) -> FindingDraft {
    let Some(object) = draft.subject.object().filter(|_| draft.known_pointer().is_none()) else {
        return draft;
    };
    let mut of_owner = embedded.iter().filter(|pod| pod.owner() == object);
    let Some(pod) = of_owner.find(|pod| pod.contains_position(draft.at)) else { return draft };
    let severity = draft.severity.min(Severity::Warning);
    draft.path(pod.pod.pointer.clone()).severity(severity)
}

/// Parses the pods within all `ConfigMaps`.
pub(crate) fn parse_embedded_pods(objects: &[Manifest], texts: &SourceTexts) -> Vec<EmbeddedPod> {
    let mut reader = PodReader { texts, values: 0, bytes: 0, found: Vec::new() };
    for (owner, object) in ObjectIndex::enumerate(objects).filter(|(_, object)| object.is("", "ConfigMap")) {
        let data = object.root().get("data").and_then(Node::as_mapping);
        for entry in data.map_or(&[][..], |data| data.entries()) {
            reader.item(owner, &entry.key, &entry.value);
        }
    }
    reader.found
}

struct PodReader<'a> {
    texts: &'a SourceTexts,
    values: usize,
    bytes: usize,
    found: Vec<EmbeddedPod>,
}

impl PodReader<'_> {
    fn item(&mut self, owner: ObjectIndex, key: &str, value: &Node) {
        let mut roots = Vec::new();
        let mut brought = BTreeSet::new();
        let defaults = key == "workflowDefaults";
        for mut document in self.documents(value, defaults) {
            if defaults && document.get("spec").is_some() {
                complete(&mut document, Some(("argoproj.io/v1alpha1", "Workflow")));
            }
            self.visit(document, MAX_NESTING, &mut roots, &mut brought);
        }
        let lines = lines(self.texts, value);
        let pointer = ObjectPath::from_keys(["data", key]);
        for mut root in roots {
            complete(&mut root, None);
            if self.found.len() < MAX_PODS
                && let Ok(manifest) = Manifest::new(root)
            {
                let (pointer, brought) = (pointer.clone(), brought.clone());
                self.found.push(EmbeddedPod { owner, pointer, lines, manifest, siblings: brought });
            }
        }
    }

    /// Parses the documents of a string that may contain pods.
    fn documents(&mut self, value: &Node, anyway: bool) -> Vec<Node> {
        let Some(text) = value.as_str().filter(|text| anyway || may_have_pods(text)) else {
            return Vec::new();
        };
        self.values += 1;
        self.bytes = self.bytes.saturating_add(text.len());
        if self.values > MAX_VALUES || self.bytes > MAX_BYTES {
            return Vec::new();
        }
        embedded::parse_embedded(self.texts, value).unwrap_or_default()
    }

    /// Collects objects with pods at any level of a document, and kind and name of the other objects.
    fn visit(
        &mut self,
        node: Node,
        nesting: usize,
        roots: &mut Vec<Node>,
        brought: &mut BTreeSet<(ReferencedKind, String)>,
    ) {
        let kind = node.get("kind").and_then(Node::as_str).filter(|_| node.get("apiVersion").is_some());
        if kind.is_some_and(|kind| KINDS.contains(&kind)) {
            if roots.len() < MAX_PODS {
                roots.push(node);
            }
            return;
        }
        if let Some(created) = kind.and_then(|kind| created_object(kind, &node)) {
            brought.insert(created);
            return;
        }
        match node.value {
            NodeValue::Mapping(mut mapping) => {
                for entry in mapping.entries_mut() {
                    let value = std::mem::replace(&mut entry.value.value, NodeValue::Null);
                    self.visit(Node::new(value, entry.value.origin), nesting, roots, brought);
                }
            }
            NodeValue::Sequence(items) => {
                for item in items {
                    self.visit(item, nesting, roots, brought);
                }
            }
            NodeValue::String(_) => {
                let Some(nesting) = nesting.checked_sub(1) else { return };
                for document in self.documents(&node, false) {
                    // A plain string contains no object.
                    if document.as_str().is_none() {
                        self.visit(document, nesting, roots, brought);
                    }
                }
            }
            NodeValue::Bool(_) | NodeValue::Null | NodeValue::Number(_) => {}
        }
    }
}

/// Returns kind and name of the object that a document creates, if pods can refer to it.
fn created_object(kind: &str, node: &Node) -> Option<(ReferencedKind, String)> {
    let referenced = match kind {
        "ConfigMap" => ReferencedKind::ConfigMap,
        "ExternalSecret" | "SealedSecret" | "Secret" => ReferencedKind::Secret,
        "PersistentVolumeClaim" => ReferencedKind::PersistentVolumeClaim,
        "ServiceAccount" => ReferencedKind::ServiceAccount,
        _ => return None,
    };
    Some((referenced, node.at(&["metadata", "name"])?.as_str()?.to_owned()))
}

/// Adds the mandatory fields of an object: programs name their pods themselves.
fn complete(root: &mut Node, kind: Option<(&str, &str)>) {
    let origin = root.origin;
    if let (Some((api_version, kind)), Some(mapping)) = (kind, root.as_mapping_mut()) {
        for (key, text) in [("apiVersion", api_version), ("kind", kind)] {
            if mapping.get(key).is_none() {
                mapping.insert(key, origin, Node::string(text, origin));
            }
        }
    }
    if let Some(metadata) = root.mapping_at_mut(&["metadata"])
        && metadata.get("name").is_none_or(|name| name.as_str().is_none_or(str::is_empty))
    {
        metadata.insert("name", origin, Node::string("embedded", origin));
    }
}

/// Returns the start of a value and the number of its last line.
fn lines(texts: &SourceTexts, value: &Node) -> (Origin, u32) {
    let count = u32::try_from(value.as_str().map_or(0, |text| text.lines().count())).unwrap_or(u32::MAX);
    match TextPlace::locate(texts, value) {
        TextPlace::Block { first, .. } => (first, first.line.saturating_add(count)),
        TextPlace::Line { .. } | TextPlace::Scalar { .. } => (value.origin, value.origin.line),
    }
}

/// Returns whether a string contains a kind that has pods, in YAML or JSON.
fn may_have_pods(text: &str) -> bool {
    memchr::memmem::find_iter(text.as_bytes(), b"kind").any(|at| {
        let rest = text.get(at + "kind".len()..).unwrap_or_default();
        let rest = rest.trim_start_matches(['"', '\'', ' ', ':', '\\']);
        let word = rest.get(..rest.bytes().take_while(u8::is_ascii_alphanumeric).count()).unwrap_or_default();
        KINDS.contains(&word)
    })
}
