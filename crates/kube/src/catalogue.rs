//! The objects of one output, found by what they are and by the Secret that they supply.
//!
//! A Secret is known to a workload by its name alone; which object makes it is looked up here.

use std::collections::BTreeMap;

use super::pods::What;
use sealwave_core::document::{Entry, Manifest, Mapping, Node, Origin, group_and_version};

/// An object and what identifies it, read once.
#[derive(Clone, Copy)]
pub struct Object<'a> {
    /// The object.
    pub manifest: &'a Manifest,
    /// `apiVersion`.
    pub api_version: &'a str,
    /// API group.
    pub group: &'a str,
    /// Version of the API.
    pub version: &'a str,
    /// Kind.
    pub kind: &'a str,
    /// Namespace; in a catalogue empty for a cluster-scoped kind, whatever its metadata say.
    pub namespace: &'a str,
    /// Name; empty where it is generated.
    pub name: &'a str,
    /// Its metadata.
    pub metadata: Option<&'a Mapping>,
}

impl<'a> Object<'a> {
    fn new(manifest: &'a Manifest) -> Self {
        let written = Self::as_written(manifest);
        let is_cluster_scoped = CLUSTER_SCOPED.contains(&(written.group, written.kind));
        Self { namespace: if is_cluster_scoped { "" } else { written.namespace }, ..written }
    }

    /// The same with the namespace that it says, whatever its kind.
    pub fn as_written(manifest: &'a Manifest) -> Self {
        let mut object = Self {
            manifest,
            api_version: "",
            group: "",
            version: "",
            kind: "",
            namespace: "",
            name: "",
            metadata: None,
        };
        let text = |entry: &'a Entry| entry.value.as_str().unwrap_or_default();
        for entry in manifest.root().as_mapping().map_or(&[][..], Mapping::entries) {
            match entry.key.as_str() {
                "apiVersion" => object.api_version = text(entry),
                "kind" => object.kind = text(entry),
                "metadata" => object.metadata = entry.value.as_mapping(),
                _ => {}
            }
        }
        for entry in object.metadata.map_or(&[][..], Mapping::entries) {
            match entry.key.as_str() {
                "name" => object.name = text(entry),
                "namespace" => object.namespace = text(entry),
                _ => {}
            }
        }
        (object.group, object.version) = group_and_version(object.api_version);
        object
    }

    /// Where its name stands; where it has none, the object does.
    pub fn name_at(&self) -> Origin {
        let name = self.metadata.and_then(|metadata| metadata.get("name"));
        name.map_or(self.manifest.origin(), |name| name.origin)
    }

    /// Whether group and kind are these.
    pub fn is(&self, group: &str, kind: &str) -> bool {
        self.kind == kind && self.group == group
    }

    /// What orders objects, whatever order they came in.
    pub const fn key(&self) -> (&'a str, &'a str, &'a str, &'a str) {
        (self.group, self.kind, self.namespace, self.name)
    }
}

/// Kinds without a namespace that something refers to by name.
const CLUSTER_SCOPED: &[(&str, &str)] = &[
    ("", "Namespace"),
    ("apiextensions.k8s.io", "CustomResourceDefinition"),
    ("cert-manager.io", "ClusterIssuer"),
    (ESO, "ClusterSecretStore"),
    (RBAC, "ClusterRole"),
    (RBAC, "ClusterRoleBinding"),
];

/// API group of the External Secrets Operator.
pub const ESO: &str = "external-secrets.io";
/// API group of roles and bindings.
pub const RBAC: &str = "rbac.authorization.k8s.io";
/// API group of `SealedSecret`.
pub const SEALED: &str = "bitnami.com";
/// API group of the Secrets Store CSI driver.
pub const STORE_CSI: &str = "secrets-store.csi.x-k8s.io";

/// How many objects may supply one Secret. More than one is a mistake already; the bound keeps a hostile repository
/// from multiplying suppliers by consumers.
const SUPPLIERS: usize = 4;

/// The objects, by number (their place in the output).
pub struct Catalogue<'a> {
    objects: Vec<Object<'a>>,
    numbers: BTreeMap<(&'a str, &'a str, &'a str, &'a str), usize>,
    suppliers: BTreeMap<(&'a str, &'a str), Vec<usize>>,
}

impl<'a> Catalogue<'a> {
    /// Files all objects.
    pub fn new(manifests: &'a [Manifest]) -> Self {
        let objects: Vec<Object<'a>> = manifests.iter().map(Object::new).collect();
        let mut numbers = BTreeMap::new();
        let mut suppliers: BTreeMap<_, Vec<usize>> = BTreeMap::new();
        for (number, object) in objects.iter().enumerate() {
            if !object.name.is_empty() {
                numbers.entry(object.key()).or_insert(number);
            }
            for secret in supplied(object) {
                let of_secret = suppliers.entry((object.namespace, secret)).or_default();
                if of_secret.last() != Some(&number) {
                    of_secret.push(number);
                }
            }
        }
        for of_secret in suppliers.values_mut().filter(|of_secret| of_secret.len() > SUPPLIERS) {
            of_secret.sort_by_key(|number| objects.get(*number).map(Object::key));
            of_secret.truncate(SUPPLIERS);
        }
        Self { objects, numbers, suppliers }
    }

    /// All objects in the order of the output.
    pub fn objects(&self) -> &[Object<'a>] {
        &self.objects
    }

    /// An object by its number.
    pub fn object(&self, number: usize) -> Option<&Object<'a>> {
        self.objects.get(number)
    }

    /// The number of an object.
    pub fn find(&self, group: &str, kind: &str, namespace: &str, name: &str) -> Option<usize> {
        let namespace = if CLUSTER_SCOPED.contains(&(group, kind)) { "" } else { namespace };
        self.numbers.get(&(group, kind, namespace, name)).copied()
    }

    /// The objects that a reference means; none where it leads out of this output.
    pub fn meant(&self, what: What, namespace: &str, name: &str) -> Vec<usize> {
        let one = |group, kind| self.find(group, kind, namespace, name).into_iter().collect();
        match what {
            What::ConfigMap => one("", "ConfigMap"),
            What::PersistentVolumeClaim => one("", "PersistentVolumeClaim"),
            What::Secret => self.suppliers(namespace, name).to_vec(),
            What::SecretProviderClass => one(STORE_CSI, "SecretProviderClass"),
            What::ServiceAccount => one("", "ServiceAccount"),
        }
    }

    /// The objects that make the Secret of this name.
    pub fn suppliers<'b>(&'b self, namespace: &'b str, name: &'b str) -> &'b [usize] {
        self.suppliers.get(&(namespace, name)).map_or(&[], Vec::as_slice)
    }

    /// The names of the Secrets with which a service account pulls images.
    pub fn pull_secrets(&self, namespace: &str, account: &str) -> Vec<&'a str> {
        let account =
            self.find("", "ServiceAccount", namespace, account).and_then(|number| self.object(number));
        let Some(secrets) = account.and_then(|account| account.manifest.root().get("imagePullSecrets"))
        else {
            return Vec::new();
        };
        secrets.items().iter().filter_map(|secret| secret.get("name")?.as_str()).collect()
    }
}

/// The names of the Secrets that an object makes, of the kinds that decide waves.
pub fn supplied<'a>(object: &Object<'a>) -> Vec<&'a str> {
    let root = object.manifest.root();
    let names = match (object.group, object.kind) {
        ("", "Secret") | (SEALED, "SealedSecret") => vec![object.name],
        (ESO, "ExternalSecret") => {
            let target = root.at(&["spec", "target", "name"]).and_then(Node::as_str);
            vec![target.filter(|name| !name.is_empty()).unwrap_or(object.name)]
        }
        (STORE_CSI, "SecretProviderClass") => {
            let made = root.at(&["spec", "secretObjects"]).map_or(&[][..], Node::items);
            made.iter().filter_map(|secret| secret.get("secretName")?.as_str()).collect()
        }
        _ => Vec::new(),
    };
    names.into_iter().filter(|name| !name.is_empty()).collect()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use sealwave_testkit::manifests;

    #[test]
    fn a_secret_is_found_by_whatever_supplies_it() {
        let objects = manifests(&[
            json!({"apiVersion": "v1", "kind": "Secret", "metadata": {"name": "a", "namespace": "n"}}),
            json!({"apiVersion": "bitnami.com/v1alpha1", "kind": "SealedSecret",
                "metadata": {"name": "b", "namespace": "n"}}),
            json!({"apiVersion": "external-secrets.io/v1", "kind": "ExternalSecret",
                "metadata": {"name": "c", "namespace": "n"}}),
            json!({"apiVersion": "external-secrets.io/v1", "kind": "ExternalSecret",
                "metadata": {"name": "x", "namespace": "n"}, "spec": {"target": {"name": "d"}}}),
            json!({"apiVersion": "secrets-store.csi.x-k8s.io/v1", "kind": "SecretProviderClass",
                "metadata": {"name": "y", "namespace": "n"},
                "spec": {"secretObjects": [{"secretName": "e"}, {"secretName": "f"}]}}),
        ]);
        let catalogue = Catalogue::new(&objects);
        for (name, number) in [("a", 0), ("b", 1), ("c", 2), ("d", 3), ("e", 4), ("f", 4)] {
            assert_eq!(catalogue.suppliers("n", name), [number], "{name}");
            assert!(catalogue.suppliers("other", name).is_empty(), "{name}");
        }
        assert!(catalogue.suppliers("n", "x").is_empty());
    }

    #[test]
    fn cluster_scoped_kinds_are_found_whatever_their_namespace() {
        let objects =
            manifests(&[json!({"apiVersion": "rbac.authorization.k8s.io/v1", "kind": "ClusterRole",
                "metadata": {"name": "r", "namespace": "stray"}})]);
        let catalogue = Catalogue::new(&objects);
        assert_eq!(catalogue.find(RBAC, "ClusterRole", "other", "r"), Some(0));
    }
}
