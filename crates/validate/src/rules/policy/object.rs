//! Conversion of objects to CEL values as admission policies see them: decoded by the API server, with defaults.
//!
//! A field only has a value if that is certain. Fields that the API server, a controller or a plugin may set or drop are
//! unknown, and so are absent fields of custom resources, whose defaults are not considered.

use std::collections::BTreeMap;
use std::sync::Arc;

use crate::facts::checked_object::CheckedObject;
use crate::facts::later_stage::LaterStage;
use sealwave_core::document;
use sealwave_core::document::{Node, Number};
use sealwave_kube::cel::{CelValue, MapKind};

/// Built-in groups of Kubernetes, whose defaulted fields are known.
const BUILT_IN: [&str; 15] = [
    "",
    "admissionregistration.k8s.io",
    "apiextensions.k8s.io",
    "apiregistration.k8s.io",
    "apps",
    "autoscaling",
    "batch",
    "certificates.k8s.io",
    "coordination.k8s.io",
    "discovery.k8s.io",
    "networking.k8s.io",
    "policy",
    "rbac.authorization.k8s.io",
    "scheduling.k8s.io",
    "storage.k8s.io",
];

/// Fields that nothing fills in when they are omitted, sorted.
const ABSENT: &[&str] = &[
    "add",
    "affinity",
    "allowPrivilegeEscalation",
    "annotations",
    "appArmorProfile",
    "args",
    "automountServiceAccountToken",
    "binaryData",
    "capabilities",
    "command",
    "configMap",
    "configMapKeyRef",
    "configMapRef",
    "data",
    "drop",
    "egress",
    "env",
    "envFrom",
    "ephemeralContainers",
    "exec",
    "externalIPs",
    "externalName",
    "fsGroup",
    "fsGroupChangePolicy",
    "hostAliases",
    "hostIPC",
    "hostNetwork",
    "hostPID",
    "hostPath",
    "hostUsers",
    "hostname",
    "httpGet",
    "image",
    "imagePullSecrets",
    "immutable",
    "ingress",
    "initContainers",
    "labels",
    "lifecycle",
    "limits",
    "livenessProbe",
    "loadBalancerClass",
    "loadBalancerIP",
    "loadBalancerSourceRanges",
    "matchExpressions",
    "matchLabels",
    "minAvailable",
    "nfs",
    "nodeSelector",
    "persistentVolumeClaim",
    "postStart",
    "preStop",
    "privileged",
    "readOnlyRootFilesystem",
    "readinessProbe",
    "rules",
    "runAsGroup",
    "runAsNonRoot",
    "runAsUser",
    "seLinuxOptions",
    "seccompProfile",
    "secret",
    "secretKeyRef",
    "secretName",
    "secretRef",
    "securityContext",
    "shareProcessNamespace",
    "startupProbe",
    "stdin",
    "subPath",
    "subjects",
    "supplementalGroups",
    "sysctls",
    "tcpSocket",
    "tls",
    "topologySpreadConstraints",
    "tty",
    "value",
    "valueFrom",
    "windowsOptions",
    "workingDir",
];

/// Fields that keep an empty, zero or false value because they are pointers in Go.
const KEPT: &[&str] = &[
    "allowPrivilegeEscalation",
    "automountServiceAccountToken",
    "fsGroup",
    "hostUsers",
    "immutable",
    "maxUnavailable",
    "minAvailable",
    "privileged",
    "readOnlyRootFilesystem",
    "replicas",
    "runAsGroup",
    "runAsNonRoot",
    "runAsUser",
    "shareProcessNamespace",
    "suspend",
];

/// Fields with arbitrary keys.
const DATA: &[&str] =
    &["annotations", "binaryData", "data", "labels", "matchLabels", "nodeSelector", "parameters"];

/// Fields with quantities, which the API server rewrites in canonical form.
const QUANTITIES: &[&str] = &[
    "capacity",
    "default",
    "defaultRequest",
    "divisor",
    "hard",
    "limits",
    "max",
    "min",
    "requests",
    "sizeLimit",
];

/// Labels that a Job adds to its pods.
const JOB_LABELS: [&str; 4] =
    ["batch.kubernetes.io/controller-uid", "batch.kubernetes.io/job-name", "controller-uid", "job-name"];

/// Returns whether a group is built into Kubernetes.
pub(super) fn is_built_in(group: &str) -> bool {
    BUILT_IN.contains(&group)
}

/// Converts an object to a CEL value.
pub(super) fn convert_object(object: &CheckedObject<'_>) -> CelValue {
    let is_built_in = is_built_in(object.group);
    let converter = ObjectConverter { is_built_in, kind: if is_built_in { object.kind } else { "" } };
    converter.value(object.manifest.root(), "", 0)
}

#[derive(Clone, Copy)]
struct ObjectConverter<'k> {
    is_built_in: bool,
    /// The kind, if its group is built-in; otherwise empty.
    kind: &'k str,
}

impl ObjectConverter<'_> {
    fn value(self, node: &Node, key: &str, depth: usize) -> CelValue {
        match &node.value {
            document::NodeValue::Bool(flag) => CelValue::Bool(*flag),
            document::NodeValue::Null => CelValue::Unknown,
            document::NodeValue::Number(found) => number(*found),
            document::NodeValue::Sequence(items) => {
                CelValue::list(items.iter().map(|item| self.value(item, key, depth + 1)).collect())
            }
            document::NodeValue::String(text) => CelValue::text(text.as_str()),
            document::NodeValue::Mapping(mapping) => {
                let is_data = DATA.contains(&key);
                let entries = mapping.entries().iter().map(|entry| {
                    let name: Arc<str> = entry.key.as_str().into();
                    (name, self.entry(&entry.key, &entry.value, is_data, key, depth))
                });
                let mut entries: BTreeMap<Arc<str>, CelValue> = entries.collect();
                for name in self.set_by_others(key, node, depth) {
                    entries.entry((*name).into()).or_insert(CelValue::Unknown);
                }
                let kind = match key {
                    "labels" | "annotations" => MapKind::Data,
                    _ if is_data && self.is_built_in => MapKind::Data,
                    "metadata" if depth == 1 => MapKind::Partial(ABSENT),
                    _ if self.is_built_in => MapKind::Partial(ABSENT),
                    _ => MapKind::Partial(&[]),
                };
                CelValue::map(entries, kind)
            }
        }
    }

    fn entry(self, key: &str, node: &Node, in_data: bool, parent: &str, depth: usize) -> CelValue {
        if in_data {
            return self.value(node, "", depth + 1);
        }
        if QUANTITIES.contains(&parent) || QUANTITIES.contains(&key) && node.as_mapping().is_none() {
            return CelValue::Opaque;
        }
        let is_secret = self.kind == "Secret" && depth == 0 && matches!(key, "data" | "stringData");
        let is_mutated = self.kind == "Pod"
            && matches!(
                key,
                "imagePullSecrets"
                    | "serviceAccount"
                    | "serviceAccountName"
                    | "tolerations"
                    | "volumeMounts"
                    | "volumes"
            );
        // Another tool replaces this string before the API server gets it.
        let is_unfinished = node.as_str().is_some_and(|text| LaterStage::VariablesAndKeys.may_fill(text));
        let is_dropped = self.is_built_in && is_zero(node) && !KEPT.contains(&key);
        if is_secret || is_mutated || is_unfinished || is_dropped || depth == 0 && key == "status" {
            return CelValue::Unknown;
        }
        self.value(node, key, depth + 1)
    }

    /// Returns fields that the API server may set here, although absent fields of that name elsewhere stay absent.
    fn set_by_others(self, key: &str, node: &Node, depth: usize) -> &'static [&'static str] {
        let is_pod_spec = node.get("containers").is_some();
        match (self.kind, key) {
            ("Secret", "") if depth == 0 => &["data", "stringData"],
            // Every namespace has a label with its name.
            ("Namespace" | "ReplicationController", "metadata") if depth == 1 => &["labels"],
            ("Namespace", "labels") => &["kubernetes.io/metadata.name"],
            // A Job adds labels to its pods.
            ("Job", "metadata") if depth > 1 => &["labels"],
            ("Job", "labels" | "matchLabels") => &JOB_LABELS,
            // A LimitRange sets them for pods, not for templates.
            ("Pod", "resources") => &["limits", "requests"],
            // A pod gets an empty security context and the pull secrets of its account; its containers get neither.
            ("Pod", _) if is_pod_spec => &["imagePullSecrets", "securityContext"],
            _ if self.is_built_in && is_pod_spec => &["securityContext"],
            _ => &[],
        }
    }
}

fn number(number: Number) -> CelValue {
    match number {
        Number::Int(number) => CelValue::Int(number),
        // Whether Go decodes a whole number as an integer depends on the field.
        Number::Float(number) if number.get().fract() != 0.0 => CelValue::Double(number.get()),
        Number::Float(_) | Number::Uint(_) => CelValue::Opaque,
    }
}

/// Returns whether Go omits the value when it encodes the object.
fn is_zero(node: &Node) -> bool {
    match &node.value {
        document::NodeValue::Bool(flag) => !flag,
        document::NodeValue::Null => true,
        document::NodeValue::Number(number) => matches!(number, Number::Int(0) | Number::Uint(0)),
        document::NodeValue::Sequence(items) => items.is_empty(),
        document::NodeValue::String(text) => text.is_empty(),
        document::NodeValue::Mapping(mapping) => mapping.is_empty(),
    }
}

#[cfg(test)]
mod tests {
    #[test]
    fn the_names_are_sorted() {
        assert!(super::ABSENT.is_sorted());
    }
}
