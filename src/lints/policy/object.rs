//! Objects as admission policies see them: after the API server has decoded them and filled in defaults.
//!
//! Only what is certain is a value. A field that the API server, a controller or another plugin may set or drop is
//! unknown where it is absent, and so are fields of custom resources, whose defaults are not looked at here.

use std::collections::BTreeMap;
use std::sync::Arc;

use crate::cel::{MapKind, Value};
use crate::lints::Object;
use crate::model::{self, Node, Number};

/// Groups of Kubernetes' own, of which the fields with defaults are known.
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

/// Fields that get a value where an author leaves them out, and structures that are always written, sorted.
const FILLED_IN: &[&str] = &[
    "allocateLoadBalancerNodePorts",
    "allowVolumeExpansion",
    "apiGroup",
    "apiVersion",
    "backoffLimit",
    "behavior",
    "clusterIP",
    "clusterIPs",
    "completionMode",
    "completions",
    "concurrencyPolicy",
    "creationTimestamp",
    "defaultMode",
    "deletionGracePeriodSeconds",
    "divisor",
    "dnsPolicy",
    "enableServiceLinks",
    "externalTrafficPolicy",
    "failedJobsHistoryLimit",
    "failurePolicy",
    "failureThreshold",
    "fieldRef",
    "fsType",
    "generation",
    "healthCheckNodePort",
    "hostNetwork",
    "hostPort",
    "initialDelaySeconds",
    "internalTrafficPolicy",
    "ipFamilies",
    "ipFamilyPolicy",
    "kind",
    "labelSelector",
    "managedFields",
    "manualSelector",
    "matchPolicy",
    "maxSurge",
    "maxUnavailable",
    "metadata",
    "metrics",
    "minReplicas",
    "name",
    "namespace",
    "namespaceSelector",
    "nodeAffinityPolicy",
    "nodeName",
    "nodePort",
    "nodeTaintsPolicy",
    "objectSelector",
    "optional",
    "overhead",
    "ownerReferences",
    "parallelism",
    "partition",
    "path",
    "periodSeconds",
    "persistentVolumeClaimRetentionPolicy",
    "podManagementPolicy",
    "podReplacementPolicy",
    "policyTypes",
    "preemptionPolicy",
    "priority",
    "priorityClassName",
    "progressDeadlineSeconds",
    "protocol",
    "reclaimPolicy",
    "reinvocationPolicy",
    "replicas",
    "requests",
    "resourceVersion",
    "resources",
    "restartPolicy",
    "revisionHistoryLimit",
    "rollingUpdate",
    "runtimeClassName",
    "schedulerName",
    "scheme",
    "scope",
    "selector",
    "selfLink",
    "serviceAccount",
    "serviceAccountName",
    "sessionAffinity",
    "sessionAffinityConfig",
    "sideEffects",
    "spec",
    "startupPolicy",
    "status",
    "storageClassName",
    "strategy",
    "successThreshold",
    "successfulJobsHistoryLimit",
    "suspend",
    "targetPort",
    "template",
    "terminationGracePeriodSeconds",
    "terminationMessagePath",
    "terminationMessagePolicy",
    "timeoutSeconds",
    "tolerations",
    "type",
    "uid",
    "updateStrategy",
    "volumeBindingMode",
    "volumeMode",
    "volumeMounts",
    "volumes",
];

/// Fields that keep a value that is empty, zero or false, as they are pointers in Go.
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

/// Fields whose keys are data.
const DATA: &[&str] =
    &["annotations", "binaryData", "data", "labels", "matchLabels", "nodeSelector", "parameters"];

/// Fields whose values are quantities, which the API server writes in another form.
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

/// Whether a group is Kubernetes' own.
pub(super) fn is_built_in(group: &str) -> bool {
    BUILT_IN.contains(&group)
}

/// Converts an object.
pub(super) fn object(object: &Object<'_>) -> Value {
    let reader = Reader {
        is_built_in: is_built_in(object.group),
        is_pod: object.is("", "Pod"),
        is_secret: object.is("", "Secret"),
    };
    reader.value(object.manifest.root(), "", 0)
}

#[derive(Clone, Copy)]
struct Reader {
    is_built_in: bool,
    is_pod: bool,
    is_secret: bool,
}

impl Reader {
    fn value(self, node: &Node, key: &str, depth: usize) -> Value {
        match &node.value {
            model::Value::Bool(flag) => Value::Bool(*flag),
            model::Value::Null => Value::Unknown,
            model::Value::Number(number) => self.number(*number),
            model::Value::Sequence(items) => {
                Value::list(items.iter().map(|item| self.value(item, key, depth + 1)).collect())
            }
            model::Value::String(text) => Value::text(text.as_str()),
            model::Value::Mapping(mapping) => {
                let is_data = DATA.contains(&key);
                let entries = mapping.entries().iter().map(|entry| {
                    let name: Arc<str> = entry.key.as_str().into();
                    (name, self.entry(&entry.key, &entry.value, is_data, key, depth))
                });
                let mut entries: BTreeMap<Arc<str>, Value> = entries.collect();
                for name in self.set_by_others(key, node) {
                    entries.entry((*name).into()).or_insert(Value::Unknown);
                }
                let kind = match (is_data, depth) {
                    (true, _) if self.is_built_in || matches!(key, "labels" | "annotations") => MapKind::Data,
                    (_, 1) if key == "metadata" => MapKind::Incomplete(FILLED_IN),
                    _ if self.is_built_in => MapKind::Incomplete(FILLED_IN),
                    _ => MapKind::Open,
                };
                Value::map(entries, kind)
            }
        }
    }

    fn entry(self, key: &str, node: &Node, in_data: bool, parent: &str, depth: usize) -> Value {
        if in_data {
            return self.value(node, "", depth + 1);
        }
        if QUANTITIES.contains(&parent) || QUANTITIES.contains(&key) && node.as_mapping().is_none() {
            return Value::Opaque;
        }
        let is_secret = self.is_secret && depth == 0 && matches!(key, "data" | "stringData");
        let is_mutated = self.is_pod
            && matches!(
                key,
                "serviceAccount" | "serviceAccountName" | "tolerations" | "volumeMounts" | "volumes"
            );
        // Text that another tool fills in later is not what the API server gets.
        let is_unfinished = node.as_str().is_some_and(crate::lints::is_unfinished);
        let is_dropped = self.is_built_in && is_zero(node) && !KEPT.contains(&key);
        if is_secret || is_mutated || is_unfinished || is_dropped || depth == 0 && key == "status" {
            return Value::Unknown;
        }
        self.value(node, key, depth + 1)
    }

    /// Fields of one place that the API server may set, although an absent field of that name elsewhere stays absent.
    fn set_by_others(self, key: &str, node: &Node) -> &'static [&'static str] {
        // A pod gets an empty context; its containers get none.
        if self.is_built_in && node.get("containers").is_some() {
            return &["securityContext"];
        }
        // A LimitRange sets those of pods, not those of templates.
        if self.is_pod && key == "resources" { &["limits", "requests"] } else { &[] }
    }

    fn number(self, number: Number) -> Value {
        match number {
            Number::Int(number) => Value::Int(number),
            // Whether a whole number is one in Go depends on the field.
            Number::Float(number) if number.fract() != 0.0 => Value::Double(number),
            Number::Float(_) | Number::Uint(_) => Value::Opaque,
        }
    }
}

/// Whether Go leaves the value out when it writes the object.
fn is_zero(node: &Node) -> bool {
    match &node.value {
        model::Value::Bool(flag) => !flag,
        model::Value::Null => true,
        model::Value::Number(number) => matches!(number, Number::Int(0) | Number::Uint(0)),
        model::Value::Sequence(items) => items.is_empty(),
        model::Value::String(text) => text.is_empty(),
        model::Value::Mapping(mapping) => mapping.is_empty(),
    }
}
