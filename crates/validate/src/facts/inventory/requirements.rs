//! Objects that other objects require: pods through all their references, other kinds where a field's meaning is certain.

use super::nodes::items;
use crate::facts::checked_object::CheckedObject;
use crate::facts::embedded_pods::EmbeddedObject;
use crate::facts::later_stage::is_template;
use sealwave_core::document::{Node, NodeValue, Origin};
use sealwave_kube::catalog::{ESO_GROUP, ObjectIndex, RBAC_GROUP};
use sealwave_kube::pods::{PodUsage, ReferencedKeys, ReferencedKind};

/// Maximum depth at which credentials are searched in stores and issuers.
const DEPTH: usize = 16;

/// A reference of one object to another that must exist.
#[derive(Debug)]
pub(crate) struct Requirement<'a> {
    /// Index of the object with the reference.
    pub(crate) object: ObjectIndex,
    /// Kind of the required object.
    pub(crate) kind: ReferencedKind,
    /// Namespace of the required object; empty if unknown.
    pub(crate) namespace: &'a str,
    /// Name of the required object.
    pub(crate) name: &'a str,
    /// Position of the name.
    pub(crate) at: Origin,
    /// Required keys, with their positions.
    pub(crate) keys: Vec<(&'a str, Origin)>,
    /// True if the object may be missing.
    pub(crate) optional: bool,
    /// Impact of a missing object.
    pub(crate) impact: MissingImpact,
}

/// Impact of a missing object.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum MissingImpact {
    /// No pod starts without it.
    NoPodStarts,
    /// Something does not work as intended, or the object was created by hand.
    Degraded,
}

/// Returns the requirements of all objects, in their order, then those of the pods in `ConfigMaps`.
pub(crate) fn collect_requirements<'a>(
    objects: &[CheckedObject<'a>],
    embedded: &[EmbeddedObject<'a>],
) -> Vec<Requirement<'a>> {
    let mut collector =
        RequirementCollector { object: ObjectIndex::new(0), namespace: "", wants: Vec::new() };
    for (index, object) in ObjectIndex::enumerate(objects) {
        collector.object = index;
        collector.namespace = object.namespace;
        collector.collect(object);
    }
    for pod in embedded {
        let own = pod.owner().of(objects).map_or("", |owner| owner.namespace);
        collector.object = pod.owner();
        collector.namespace = if pod.object.namespace.is_empty() { own } else { pod.object.namespace };
        let before = collector.wants.len();
        collector.add_pod(&pod.object);
        for want in collector.wants.iter_mut().skip(before) {
            want.impact = MissingImpact::Degraded;
            want.optional |= pod.has_sibling(want.kind, want.name);
        }
    }
    collector.wants
}

struct RequirementCollector<'a> {
    object: ObjectIndex,
    namespace: &'a str,
    wants: Vec<Requirement<'a>>,
}

impl<'a> RequirementCollector<'a> {
    fn collect(&mut self, object: &CheckedObject<'a>) {
        self.add_pod(object);
        if object.pod.is_some() {
            return;
        }
        let root = object.manifest.root();
        match (object.group, object.kind) {
            ("", "Secret") => self.add_token(object),
            ("", "ServiceAccount") => self.add_account(root),
            ("networking.k8s.io", "Ingress") => self.add_ingress(object),
            ("gateway.networking.k8s.io", "Gateway") => self.add_gateway(root),
            (ESO_GROUP, "ExternalSecret") => self.add_template(root),
            (ESO_GROUP, "PushSecret") => {
                if let Some(secret) = root.at(&["spec", "selector", "secret"]) {
                    self.add_reference(ReferencedKind::Secret, self.namespace, secret);
                }
            }
            (ESO_GROUP, "SecretStore") | ("cert-manager.io", "Issuer") => {
                self.add_credentials(root.get("spec"), true, DEPTH);
                self.add(
                    ReferencedKind::Secret,
                    self.namespace,
                    root.at(&["spec", "ca", "secretName"]),
                    Vec::new(),
                    false,
                );
            }
            ("", "PersistentVolume") => self.add_credentials(root.at(&["spec", "csi"]), false, DEPTH),
            (RBAC_GROUP, "RoleBinding") => self.add_subjects(root),
            ("helm.toolkit.fluxcd.io", "HelmRelease") => self.add_values(root),
            ("source.toolkit.fluxcd.io", _) => self.add_credentials(root.get("spec"), true, DEPTH),
            ("monitoring.coreos.com", "PodMonitor" | "ServiceMonitor") => self.add_monitor(root),
            (ESO_GROUP, "ClusterSecretStore") => self.add_credentials(root.get("spec"), false, DEPTH),
            ("keda.sh", "TriggerAuthentication") => {
                for reference in items(root, &["spec", "secretTargetRef"]) {
                    self.add_reference(ReferencedKind::Secret, self.namespace, reference);
                }
            }
            _ => {}
        }
    }

    fn add_pod(&mut self, object: &CheckedObject<'a>) {
        for located in object.references() {
            let reference = located.reference;
            let keys = match reference.keys {
                ReferencedKeys::All => Vec::new(),
                ReferencedKeys::Only(keys) => {
                    let all = keys.into_iter().zip(located.key_origins);
                    all.filter(|(key, _)| !is_template(key)).collect()
                }
            };
            let pulls = located.usage == PodUsage::PullSecret;
            // Where another controller creates the pods, it may fill in or change their fields.
            let light = pulls || object.pod.is_none();
            self.wants.push(Requirement {
                object: self.object,
                kind: reference.kind,
                namespace: self.namespace,
                name: reference.name,
                at: located.origin,
                keys,
                optional: reference.optional && !pulls,
                impact: if light { MissingImpact::Degraded } else { MissingImpact::NoPodStarts },
            });
        }
    }

    /// Adds a requirement that is a warning at most; `keys` must exist if the object does.
    fn add(
        &mut self,
        kind: ReferencedKind,
        namespace: &'a str,
        name: Option<&'a Node>,
        keys: Vec<(&'a str, Origin)>,
        optional: bool,
    ) {
        if let Some(node) = name
            && let Some(name) = node.as_str().filter(|name| !name.is_empty())
        {
            let (object, at, weight) = (self.object, node.origin, MissingImpact::Degraded);
            self.wants.push(Requirement {
                object,
                kind,
                namespace,
                name,
                at,
                keys,
                optional,
                impact: weight,
            });
        }
    }

    /// Adds a reference with `name` and optional `key`.
    fn add_reference(&mut self, kind: ReferencedKind, namespace: &'a str, reference: &'a Node) {
        let key = reference.get("key").and_then(|key| Some((key.as_str()?, key.origin)));
        let optional =
            matches!(reference.get("optional").map(|flag| &flag.value), Some(NodeValue::Bool(true)));
        self.add(kind, namespace, reference.get("name"), key.into_iter().collect(), optional);
    }

    /// Adds the account of a token: without it, the controller deletes the Secret.
    fn add_token(&mut self, object: &CheckedObject<'a>) {
        let annotations = object.manifest.root().at(&["metadata", "annotations"]);
        let name = annotations.and_then(|annotations| annotations.get("kubernetes.io/service-account.name"));
        self.add(ReferencedKind::ServiceAccount, self.namespace, name, Vec::new(), false);
    }

    fn add_account(&mut self, root: &'a Node) {
        for secret in items(root, &["imagePullSecrets"]) {
            self.add(ReferencedKind::Secret, self.namespace, secret.get("name"), Vec::new(), false);
        }
        // Left over from older clusters: a missing one does nothing.
        for secret in items(root, &["secrets"]) {
            self.add(ReferencedKind::Secret, self.namespace, secret.get("name"), Vec::new(), true);
        }
    }

    fn add_ingress(&mut self, object: &CheckedObject<'a>) {
        let root = object.manifest.root();
        for tls in items(root, &["spec", "tls"]) {
            self.add(ReferencedKind::Secret, self.namespace, tls.get("secretName"), Vec::new(), false);
        }
        let annotations = root.at(&["metadata", "annotations"]);
        for field in ["auth-secret", "auth-tls-secret", "proxy-ssl-secret"] {
            let annotation = format!("nginx.ingress.kubernetes.io/{field}");
            let Some(value) = annotations.and_then(|annotations| annotations.get(&annotation)) else {
                continue;
            };
            let Some(text) = value.as_str() else { continue };
            let (namespace, name) = text.split_once('/').unwrap_or((self.namespace, text));
            if !name.is_empty() {
                self.wants.push(Requirement {
                    object: self.object,
                    kind: ReferencedKind::Secret,
                    namespace,
                    name,
                    at: value.origin,
                    keys: Vec::new(),
                    optional: false,
                    impact: MissingImpact::Degraded,
                });
            }
        }
    }

    /// Adds the accounts in the binding's namespace; those in other namespaces often come from elsewhere.
    fn add_subjects(&mut self, root: &'a Node) {
        for subject in items(root, &["subjects"]) {
            let field = |field: &str| subject.get(field).and_then(Node::as_str);
            let is_own = field("namespace").is_some_and(|namespace| namespace == self.namespace);
            if field("kind") == Some("ServiceAccount") && is_own {
                self.add(
                    ReferencedKind::ServiceAccount,
                    self.namespace,
                    subject.get("name"),
                    Vec::new(),
                    false,
                );
            }
        }
    }

    /// Adds the objects that a release takes values from.
    fn add_values(&mut self, root: &'a Node) {
        for source in items(root, &["spec", "valuesFrom"]) {
            let kind = match source.get("kind").and_then(Node::as_str) {
                Some("ConfigMap") => ReferencedKind::ConfigMap,
                Some("Secret") => ReferencedKind::Secret,
                _ => continue,
            };
            let key = source.get("valuesKey").and_then(|key| Some((key.as_str()?, key.origin)));
            let optional =
                matches!(source.get("optional").map(|flag| &flag.value), Some(NodeValue::Bool(true)));
            self.add(kind, self.namespace, source.get("name"), key.into_iter().collect(), optional);
        }
    }

    /// Adds the credentials that Prometheus uses for scraping.
    fn add_monitor(&mut self, root: &'a Node) {
        let endpoints = ["endpoints", "podMetricsEndpoints"];
        for endpoint in endpoints.iter().flat_map(|list| items(root, &["spec", list])) {
            for path in [
                &["basicAuth", "username"][..],
                &["basicAuth", "password"],
                &["authorization", "credentials"],
                &["bearerTokenSecret"],
            ] {
                if let Some(reference) = endpoint.at(path) {
                    self.add_reference(ReferencedKind::Secret, self.namespace, reference);
                }
            }
        }
    }

    fn add_gateway(&mut self, root: &'a Node) {
        let listeners = items(root, &["spec", "listeners"]).iter();
        for reference in listeners.flat_map(|listener| items(listener, &["tls", "certificateRefs"])) {
            let field = |field: &str| reference.get(field).and_then(Node::as_str);
            if field("kind").unwrap_or("Secret") == "Secret" && field("group").unwrap_or_default().is_empty()
            {
                let namespace = field("namespace").unwrap_or(self.namespace);
                self.add(ReferencedKind::Secret, namespace, reference.get("name"), Vec::new(), false);
            }
        }
    }

    fn add_template(&mut self, root: &'a Node) {
        for from in items(root, &["spec", "target", "template", "templateFrom"]) {
            for (field, kind) in
                [("configMap", ReferencedKind::ConfigMap), ("secret", ReferencedKind::Secret)]
            {
                let Some(source) = from.get(field) else { continue };
                let keys = items(source, &["items"]).iter().filter_map(|item| item.get("key"));
                let keys = keys.filter_map(|key| Some((key.as_str()?, key.origin))).collect();
                self.add(kind, self.namespace, source.get("name"), keys, false);
            }
        }
    }

    /// Adds the fields of a store or issuer that end in `SecretRef`, at any depth, and its service account.
    ///
    /// Without an explicit namespace, the credentials of a cluster-wide object are in the namespace of its user and are not
    /// added.
    fn add_credentials(&mut self, node: Option<&'a Node>, namespaced: bool, depth: usize) {
        let (Some(node), Some(depth)) = (node, depth.checked_sub(1)) else { return };
        for item in node.items() {
            self.add_credentials(Some(item), namespaced, depth);
        }
        for entry in node.entries() {
            let explicit = entry.value.get("namespace").and_then(Node::as_str);
            let namespace = if namespaced { Some(self.namespace) } else { explicit };
            // The key of an ACME account is created if it is missing.
            let kind = match entry.key.as_str() {
                "privateKeySecretRef" => None,
                "serviceAccountRef" => Some(ReferencedKind::ServiceAccount),
                "caProvider" => match entry.value.get("type").and_then(Node::as_str) {
                    Some("ConfigMap") => Some(ReferencedKind::ConfigMap),
                    Some("Secret") => Some(ReferencedKind::Secret),
                    _ => None,
                },
                key => (key.ends_with("SecretRef") || key == "secretRef").then_some(ReferencedKind::Secret),
            };
            if let (Some(kind), Some(namespace)) = (kind, namespace) {
                self.add_reference(kind, namespace, &entry.value);
            }
            self.add_credentials(Some(&entry.value), namespaced, depth);
        }
    }
}
