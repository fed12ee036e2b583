//! What uses what: the edges along which waves are chosen.
//!
//! A pod's references come from its spec. Of other objects, the ones whose references are known to Kubernetes or
//! to this project are read by their fields; in the rest (Ingress, Gateway, issuers, stores, custom resources …)
//! fields that are named like references are taken for such. A guess can do no harm: it counts only where an object
//! of this output, in the same namespace, has that name.

use std::collections::{BTreeMap, BTreeSet};

use crate::catalogue::{Catalogue, ESO, Object, RBAC};
use crate::pods::{Reference, What, references};
use sealwave_core::document::Node;

/// How deep references are looked for in objects of unknown kinds.
const DEPTH: usize = 32;

/// One object needs another.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Use {
    /// Number of the object that uses.
    pub consumer: usize,
    /// Number of the object that is used.
    pub dependency: usize,
    /// How far before its consumer it must be.
    pub order: Order,
    /// Whether the consumer cannot become healthy without it.
    pub needed: bool,
}

/// How far before its consumer an object must be.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Order {
    /// In an earlier wave.
    Earlier,
    /// In the same wave: Argo CD's order of kinds does the rest, or the order does not matter.
    Same,
}

/// All uses, each once; `workloads` are the numbers of workloads, and what their pods refer to.
pub fn uses<'r, 'a: 'r>(
    catalogue: &Catalogue<'_>,
    workloads: impl IntoIterator<Item = (usize, &'r [Reference<'a>])>,
) -> BTreeSet<Use> {
    let mut uses = Uses { catalogue, found: BTreeSet::new() };
    let mut pods = vec![false; catalogue.objects().len()];
    for (number, references) in workloads {
        uses.pod(number, references);
        if let Some(pod) = pods.get_mut(number) {
            *pod = true;
        }
    }
    for (number, object) in catalogue.objects().iter().enumerate() {
        uses.fields(number, object, pods.get(number) == Some(&true));
    }
    uses.definitions();
    uses.namespaces();
    uses.found
}

struct Uses<'a> {
    catalogue: &'a Catalogue<'a>,
    found: BTreeSet<Use>,
}

impl Uses<'_> {
    fn add(&mut self, consumer: usize, dependency: usize, order: Order, needed: bool) {
        if consumer != dependency {
            self.found.insert(Use { consumer, dependency, order, needed });
        }
    }

    fn meant(&mut self, consumer: usize, what: What, namespace: &str, name: &str, needed: bool) {
        // A claim that waits for its first consumer never becomes healthy in a wave before it.
        let order = if what == What::PersistentVolumeClaim { Order::Same } else { Order::Earlier };
        for dependency in self.catalogue.meant(what, namespace, name) {
            self.add(consumer, dependency, order, needed);
        }
    }

    fn pod(&mut self, number: usize, references: &[Reference<'_>]) {
        let Some(object) = self.catalogue.object(number) else { return };
        for reference in references {
            let needed = !reference.optional;
            self.meant(number, reference.what, object.namespace, reference.name, needed);
        }
    }

    /// The secrets of a service account go with it: whoever uses it uses them.
    fn account(&mut self, number: usize, object: &Object<'_>) {
        for secret in self.catalogue.pull_secrets(object.namespace, object.name) {
            for supplier in self.catalogue.suppliers(object.namespace, secret) {
                self.add(number, *supplier, Order::Same, false);
            }
        }
    }

    fn fields(&mut self, number: usize, object: &Object<'_>, pod: bool) {
        match (object.group, object.kind) {
            ("", "ConfigMap" | "Namespace" | "PersistentVolume" | "PersistentVolumeClaim" | "Service")
            | ("apiextensions.k8s.io", "CustomResourceDefinition")
            | ("bitnami.com", "SealedSecret")
            | (RBAC, "ClusterRole" | "Role") => {}
            ("", "Secret") => self.token(number, object),
            ("", "ServiceAccount") => self.account(number, object),
            (ESO, "ExternalSecret") => self.external_secret(number, object),
            (RBAC, "ClusterRoleBinding" | "RoleBinding") => self.binding(number, object),
            _ if pod => {}
            _ => {
                if let Some(spec) = object.manifest.root().get("spec") {
                    self.guess(number, object, spec, DEPTH);
                }
            }
        }
    }

    /// A Secret for a service account's token.
    fn token(&mut self, number: usize, object: &Object<'_>) {
        let account = object.manifest.annotation("kubernetes.io/service-account.name");
        let account =
            account.and_then(|name| self.catalogue.find("", "ServiceAccount", object.namespace, name));
        if let Some(account) = account {
            self.add(number, account, Order::Same, false);
        }
    }

    /// A service account may do nothing before it is bound, nor a binding before its role is there.
    fn binding(&mut self, number: usize, object: &Object<'_>) {
        let root = object.manifest.root();
        for subject in root.get("subjects").map_or(&[][..], Node::items) {
            let of = |field: &str| subject.get(field).and_then(Node::as_str);
            if let (Some("ServiceAccount"), Some(name)) = (of("kind"), of("name")) {
                let namespace = of("namespace").unwrap_or(object.namespace);
                if let Some(account) = self.catalogue.find("", "ServiceAccount", namespace, name) {
                    self.add(account, number, Order::Same, false);
                }
            }
        }
        let of = |field: &str| root.at(&["roleRef", field]).and_then(Node::as_str);
        if let (Some(kind), Some(name)) = (of("kind"), of("name"))
            && let Some(role) = self.catalogue.find(RBAC, kind, object.namespace, name)
        {
            self.add(number, role, Order::Same, false);
        }
    }

    /// Without its store an `ExternalSecret` is Degraded, which fails the sync: the store is a wave earlier.
    fn external_secret(&mut self, number: usize, object: &Object<'_>) {
        let Some(spec) = object.manifest.root().get("spec") else { return };
        let per_item = ["data", "dataFrom"].iter().filter_map(|list| spec.get(list)).flat_map(Node::items);
        let sources = per_item.filter_map(|item| item.get("sourceRef"));
        let stores = sources.clone().filter_map(|source| source.get("storeRef"));
        for store in spec.get("secretStoreRef").into_iter().chain(stores) {
            let of = |field: &str| store.get(field).and_then(Node::as_str);
            let kind = of("kind").unwrap_or("SecretStore");
            let found = of("name").and_then(|name| self.catalogue.find(ESO, kind, object.namespace, name));
            if let Some(store) = found {
                self.add(number, store, Order::Earlier, true);
            }
        }
        for generator in sources.filter_map(|source| source.get("generatorRef")) {
            let of = |field: &str| generator.get(field).and_then(Node::as_str);
            if let (Some(kind), Some(name)) = (of("kind"), of("name"))
                && let Some(generator) =
                    self.catalogue.find("generators.external-secrets.io", kind, object.namespace, name)
            {
                self.add(number, generator, Order::Earlier, true);
            }
        }
        for from in spec.at(&["target", "template", "templateFrom"]).map_or(&[][..], Node::items) {
            for (field, what) in [("configMap", What::ConfigMap), ("secret", What::Secret)] {
                if let Some(name) = from.at(&[field, "name"]).and_then(Node::as_str) {
                    self.meant(number, what, object.namespace, name, true);
                }
            }
        }
    }

    /// Fields that are named like references, at any depth; whole pod specs too.
    fn guess(&mut self, consumer: usize, object: &Object<'_>, node: &Node, depth: usize) {
        let Some(depth) = depth.checked_sub(1) else { return };
        for item in node.items() {
            self.guess(consumer, object, item, depth);
        }
        let Some(mapping) = node.as_mapping() else { return };
        if mapping.get("containers").is_some() {
            for reference in references(node) {
                self.meant(consumer, reference.what, object.namespace, reference.name, !reference.optional);
            }
            return;
        }
        for entry in mapping.entries() {
            self.guess_field(consumer, object, &entry.key, &entry.value);
            self.guess(consumer, object, &entry.value, depth);
        }
    }

    fn guess_field(&mut self, consumer: usize, object: &Object<'_>, field: &str, value: &Node) {
        if field == "secretName" && object.is("cert-manager.io", "Certificate") {
            // The Secret that it makes.
            return;
        }
        let Some(what) = named_like(field) else { return };
        let each = if value.as_sequence().is_some() { value.items() } else { std::slice::from_ref(value) };
        for value in each {
            let name = value.as_str().or_else(|| value.get("name")?.as_str());
            let namespace = value.get("namespace").and_then(Node::as_str).unwrap_or(object.namespace);
            if let Some(name) = name {
                self.meant(consumer, what, namespace, name, false);
            }
        }
    }

    /// Custom resources need the definition of their kind.
    fn definitions(&mut self) {
        let mut defined = BTreeMap::new();
        for (number, object) in self.catalogue.objects().iter().enumerate() {
            if object.is("apiextensions.k8s.io", "CustomResourceDefinition") {
                let of = |path: &[&str]| object.manifest.root().at(path).and_then(Node::as_str);
                if let (Some(group), Some(kind)) = (of(&["spec", "group"]), of(&["spec", "names", "kind"])) {
                    defined.entry((group, kind)).or_insert(number);
                }
            }
        }
        if defined.is_empty() {
            return;
        }
        for (number, object) in self.catalogue.objects().iter().enumerate() {
            if let Some(definition) = defined.get(&(object.group, object.kind)) {
                self.add(number, *definition, Order::Earlier, false);
            }
        }
    }

    /// Everything needs its namespace.
    fn namespaces(&mut self) {
        for (number, object) in self.catalogue.objects().iter().enumerate() {
            let namespace = (!object.namespace.is_empty())
                .then(|| self.catalogue.find("", "Namespace", "", object.namespace))
                .flatten();
            if let Some(namespace) = namespace {
                self.add(number, namespace, Order::Same, false);
            }
        }
    }
}

/// What a field of this name refers to.
fn named_like(field: &str) -> Option<What> {
    match field {
        "certificateRefs" | "imagePullSecrets" | "secretName" => Some(What::Secret),
        "claimName" => Some(What::PersistentVolumeClaim),
        "configMap" | "configMapName" => Some(What::ConfigMap),
        "serviceAccountName" | "serviceAccountRef" => Some(What::ServiceAccount),
        _ => {
            let ends = |end: &str| {
                let start = field.len().checked_sub(end.len());
                start.and_then(|at| field.get(at..)).is_some_and(|tail| tail.eq_ignore_ascii_case(end))
            };
            if ends("secretRef") || ends("secretKeyRef") {
                Some(What::Secret)
            } else if ends("configMapRef") || ends("configMapKeyRef") {
                Some(What::ConfigMap)
            } else {
                None
            }
        }
    }
}
