//! The dependencies between objects: the edges along which waves are chosen.
//!
//! A pod's references come from its spec. Other kinds whose references are known to Kubernetes or to this project are
//! read field by field; in the rest (Ingress, Gateway, issuers, stores, custom resources …), fields with the names of
//! references are treated as references. A wrong guess is harmless: it counts only if an object of this output, in the
//! same namespace, has that name.

use std::collections::{BTreeMap, BTreeSet};

use crate::catalog::{CatalogObject, ESO_GROUP, ObjectCatalog, ObjectIndex, RBAC_GROUP};
use crate::pods::{PodReference, ReferencedKind, references};
use sealwave_core::document::Node;

/// Maximum depth at which references are searched in objects of unknown kinds.
const DEPTH: usize = 32;

/// A dependency of one object on another.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct DependencyEdge {
    /// Index of the consumer.
    pub consumer: ObjectIndex,
    /// Index of the dependency.
    pub dependency: ObjectIndex,
    /// The required order.
    pub order: WaveOrder,
    /// True if the consumer cannot become healthy without the dependency.
    pub needed: bool,
}

/// The required order of a dependency and its consumer.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum WaveOrder {
    /// The dependency must be in an earlier wave.
    Earlier,
    /// Both may be in the same wave: Argo CD's order of kinds is sufficient, or the order does not matter.
    Same,
}

/// Returns all dependencies, each once; `workloads` are the indices of workloads with the references of their pods.
pub fn dependency_edges<'r, 'a: 'r>(
    catalog: &ObjectCatalog<'_>,
    workloads: impl IntoIterator<Item = (ObjectIndex, &'r [PodReference<'a>])>,
) -> BTreeSet<DependencyEdge> {
    let mut collector = EdgeCollector { catalog, found: BTreeSet::new() };
    let mut pods = vec![false; catalog.objects().len()];
    for (index, references) in workloads {
        collector.pod(index, references);
        if let Some(pod) = index.of_mut(&mut pods) {
            *pod = true;
        }
    }
    for (index, object) in catalog.indexed() {
        collector.fields(index, object, index.of(&pods) == Some(&true));
    }
    collector.definitions();
    collector.namespaces();
    collector.found
}

struct EdgeCollector<'a> {
    catalog: &'a ObjectCatalog<'a>,
    found: BTreeSet<DependencyEdge>,
}

impl EdgeCollector<'_> {
    fn add(&mut self, consumer: ObjectIndex, dependency: ObjectIndex, order: WaveOrder, needed: bool) {
        if consumer != dependency {
            self.found.insert(DependencyEdge { consumer, dependency, order, needed });
        }
    }

    fn add_reference(
        &mut self,
        consumer: ObjectIndex,
        what: ReferencedKind,
        namespace: &str,
        name: &str,
        needed: bool,
    ) {
        // A claim that waits for its first consumer never becomes healthy in an earlier wave.
        let order =
            if what == ReferencedKind::PersistentVolumeClaim { WaveOrder::Same } else { WaveOrder::Earlier };
        for dependency in self.catalog.resolve_reference(what, namespace, name) {
            self.add(consumer, dependency, order, needed);
        }
    }

    fn pod(&mut self, index: ObjectIndex, references: &[PodReference<'_>]) {
        let Some(object) = self.catalog.object(index) else { return };
        for reference in references {
            let needed = !reference.optional;
            self.add_reference(index, reference.kind, object.namespace, reference.name, needed);
        }
    }

    /// Adds the secrets of a service account, which all of its users need.
    fn account(&mut self, index: ObjectIndex, object: &CatalogObject<'_>) {
        for secret in self.catalog.pull_secrets(object.namespace, object.name) {
            for supplier in self.catalog.suppliers(object.namespace, secret) {
                self.add(index, *supplier, WaveOrder::Same, false);
            }
        }
    }

    fn fields(&mut self, index: ObjectIndex, object: &CatalogObject<'_>, pod: bool) {
        match (object.group, object.kind) {
            ("", "ConfigMap" | "Namespace" | "PersistentVolume" | "PersistentVolumeClaim" | "Service")
            | ("apiextensions.k8s.io", "CustomResourceDefinition")
            | ("bitnami.com", "SealedSecret")
            | (RBAC_GROUP, "ClusterRole" | "Role") => {}
            ("", "Secret") => self.token(index, object),
            ("", "ServiceAccount") => self.account(index, object),
            (ESO_GROUP, "ExternalSecret") => self.external_secret(index, object),
            (RBAC_GROUP, "ClusterRoleBinding" | "RoleBinding") => self.binding(index, object),
            _ if pod => {}
            _ => {
                if let Some(spec) = object.manifest.root().get("spec") {
                    self.guess(index, object, spec, DEPTH);
                }
            }
        }
    }

    /// Adds the account of a Secret for a service account's token.
    fn token(&mut self, index: ObjectIndex, object: &CatalogObject<'_>) {
        let account = object.manifest.annotation("kubernetes.io/service-account.name");
        let account =
            account.and_then(|name| self.catalog.find("", "ServiceAccount", object.namespace, name));
        if let Some(account) = account {
            self.add(index, account, WaveOrder::Same, false);
        }
    }

    /// Adds edges so that a service account is preceded by its bindings, and a binding by its role.
    fn binding(&mut self, index: ObjectIndex, object: &CatalogObject<'_>) {
        let root = object.manifest.root();
        for subject in root.items_at(&["subjects"]) {
            let text = |field: &str| subject.get(field).and_then(Node::as_str);
            if let (Some("ServiceAccount"), Some(name)) = (text("kind"), text("name")) {
                let namespace = text("namespace").unwrap_or(object.namespace);
                if let Some(account) = self.catalog.find("", "ServiceAccount", namespace, name) {
                    self.add(account, index, WaveOrder::Same, false);
                }
            }
        }
        let text = |field: &str| root.at(&["roleRef", field]).and_then(Node::as_str);
        if let (Some(kind), Some(name)) = (text("kind"), text("name"))
            && let Some(role) = self.catalog.find(RBAC_GROUP, kind, object.namespace, name)
        {
            self.add(index, role, WaveOrder::Same, false);
        }
    }

    /// Adds the stores and generators of an `ExternalSecret`. Without its store it is Degraded, which fails the sync,
    /// so the store must be a wave earlier.
    fn external_secret(&mut self, index: ObjectIndex, object: &CatalogObject<'_>) {
        let Some(spec) = object.manifest.root().get("spec") else { return };
        let per_item = ["data", "dataFrom"].iter().filter_map(|list| spec.get(list)).flat_map(Node::items);
        let sources = per_item.filter_map(|item| item.get("sourceRef"));
        let stores = sources.clone().filter_map(|source| source.get("storeRef"));
        for store in spec.get("secretStoreRef").into_iter().chain(stores) {
            let text = |field: &str| store.get(field).and_then(Node::as_str);
            let kind = text("kind").unwrap_or("SecretStore");
            let found =
                text("name").and_then(|name| self.catalog.find(ESO_GROUP, kind, object.namespace, name));
            if let Some(store) = found {
                self.add(index, store, WaveOrder::Earlier, true);
            }
        }
        for generator in sources.filter_map(|source| source.get("generatorRef")) {
            let text = |field: &str| generator.get(field).and_then(Node::as_str);
            if let (Some(kind), Some(name)) = (text("kind"), text("name"))
                && let Some(generator) =
                    self.catalog.find("generators.external-secrets.io", kind, object.namespace, name)
            {
                self.add(index, generator, WaveOrder::Earlier, true);
            }
        }
        for from in spec.items_at(&["target", "template", "templateFrom"]) {
            for (field, what) in
                [("configMap", ReferencedKind::ConfigMap), ("secret", ReferencedKind::Secret)]
            {
                if let Some(name) = from.at(&[field, "name"]).and_then(Node::as_str) {
                    self.add_reference(index, what, object.namespace, name, true);
                }
            }
        }
    }

    /// Adds fields with the names of references, at any depth, and whole pod specs.
    fn guess(&mut self, consumer: ObjectIndex, object: &CatalogObject<'_>, node: &Node, depth: usize) {
        let Some(depth) = depth.checked_sub(1) else { return };
        for item in node.items() {
            self.guess(consumer, object, item, depth);
        }
        let Some(mapping) = node.as_mapping() else { return };
        if mapping.get("containers").is_some() {
            for reference in references(node) {
                self.add_reference(
                    consumer,
                    reference.kind,
                    object.namespace,
                    reference.name,
                    !reference.optional,
                );
            }
            return;
        }
        for entry in mapping.entries() {
            self.guess_field(consumer, object, &entry.key, &entry.value);
            self.guess(consumer, object, &entry.value, depth);
        }
    }

    fn guess_field(&mut self, consumer: ObjectIndex, object: &CatalogObject<'_>, field: &str, value: &Node) {
        if field == "secretName" && object.is("cert-manager.io", "Certificate") {
            // The Secret that the Certificate creates.
            return;
        }
        let Some(what) = kind_by_field_name(field) else { return };
        let each = if value.as_sequence().is_some() { value.items() } else { std::slice::from_ref(value) };
        for value in each {
            let name = value.as_str().or_else(|| value.get("name")?.as_str());
            let namespace = value.get("namespace").and_then(Node::as_str).unwrap_or(object.namespace);
            if let Some(name) = name {
                self.add_reference(consumer, what, namespace, name, false);
            }
        }
    }

    /// Adds the definitions that custom resources need.
    fn definitions(&mut self) {
        let mut defined = BTreeMap::new();
        for (index, object) in self.catalog.indexed() {
            if object.is("apiextensions.k8s.io", "CustomResourceDefinition") {
                let text = |path: &[&str]| object.manifest.root().at(path).and_then(Node::as_str);
                if let (Some(group), Some(kind)) =
                    (text(&["spec", "group"]), text(&["spec", "names", "kind"]))
                {
                    defined.entry((group, kind)).or_insert(index);
                }
            }
        }
        if defined.is_empty() {
            return;
        }
        for (index, object) in self.catalog.indexed() {
            if let Some(definition) = defined.get(&(object.group, object.kind)) {
                self.add(index, *definition, WaveOrder::Earlier, false);
            }
        }
    }

    /// Adds the namespace that each object needs.
    fn namespaces(&mut self) {
        for (index, object) in self.catalog.indexed() {
            let namespace = (!object.namespace.is_empty())
                .then(|| self.catalog.find("", "Namespace", "", object.namespace))
                .flatten();
            if let Some(namespace) = namespace {
                self.add(index, namespace, WaveOrder::Same, false);
            }
        }
    }
}

/// Returns the kind of object that a field of this name refers to.
fn kind_by_field_name(field: &str) -> Option<ReferencedKind> {
    match field {
        "certificateRefs" | "imagePullSecrets" | "secretName" => Some(ReferencedKind::Secret),
        "claimName" => Some(ReferencedKind::PersistentVolumeClaim),
        "configMap" | "configMapName" => Some(ReferencedKind::ConfigMap),
        "serviceAccountName" | "serviceAccountRef" => Some(ReferencedKind::ServiceAccount),
        _ => {
            let has_suffix = |end: &str| {
                let start = field.len().checked_sub(end.len());
                start.and_then(|at| field.get(at..)).is_some_and(|tail| tail.eq_ignore_ascii_case(end))
            };
            if has_suffix("secretRef") || has_suffix("secretKeyRef") {
                Some(ReferencedKind::Secret)
            } else if has_suffix("configMapRef") || has_suffix("configMapKeyRef") {
                Some(ReferencedKind::ConfigMap)
            } else {
                None
            }
        }
    }
}
