//! An index of the objects of one output, by identity and by the Secret that they supply.
//!
//! A workload refers to a Secret by name alone; this index finds the object that creates it.

use std::collections::BTreeMap;

use super::pods::ReferencedKind;
use sealwave_core::document::{Manifest, Mapping, MappingEntry, Node, Origin, group_and_version};

/// An object and its identity, read once.
#[derive(Clone, Copy)]
pub struct CatalogObject<'a> {
    /// The object.
    pub manifest: &'a Manifest,
    /// `apiVersion`.
    pub api_version: &'a str,
    /// API group.
    pub group: &'a str,
    /// Version of the API.
    pub version: &'a str,
    /// Kind of the object.
    pub kind: &'a str,
    /// Namespace; in a catalog empty for a cluster-scoped kind, even if its metadata set one.
    pub namespace: &'a str,
    /// Name; empty if it is generated.
    pub name: &'a str,
    /// Metadata of the object.
    pub metadata: Option<&'a Mapping>,
}

impl<'a> CatalogObject<'a> {
    fn new(manifest: &'a Manifest) -> Self {
        let written = Self::as_written(manifest);
        let is_cluster_scoped = CLUSTER_SCOPED.contains(&(written.group, written.kind));
        Self { namespace: if is_cluster_scoped { "" } else { written.namespace }, ..written }
    }

    /// Reads the object with the namespace in its metadata, for every kind.
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
        let text = |entry: &'a MappingEntry| entry.value.as_str().unwrap_or_default();
        for entry in manifest.root().entries() {
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

    /// Returns the origin of its name, or of the object if it has none.
    #[must_use]
    pub fn name_origin(&self) -> Origin {
        let name = self.metadata.and_then(|metadata| metadata.get("name"));
        name.map_or(self.manifest.origin(), |name| name.origin)
    }

    /// Reports whether group and kind are these.
    #[must_use]
    pub fn is(&self, group: &str, kind: &str) -> bool {
        self.kind == kind && self.group == group
    }

    /// Returns the key that objects are sorted by, independent of their order in the input.
    #[must_use]
    pub const fn key(&self) -> (&'a str, &'a str, &'a str, &'a str) {
        (self.group, self.kind, self.namespace, self.name)
    }
}

/// Cluster-scoped kinds that other objects refer to by name: a small part of the table of all kinds, which every object
/// is compared with. A namespace that one of them has by mistake is ignored.
const CLUSTER_SCOPED: &[(&str, &str)] = &[
    ("", "Namespace"),
    ("apiextensions.k8s.io", "CustomResourceDefinition"),
    ("cert-manager.io", "ClusterIssuer"),
    (ESO_GROUP, "ClusterSecretStore"),
    (RBAC_GROUP, "ClusterRole"),
    (RBAC_GROUP, "ClusterRoleBinding"),
];

/// API group of the External Secrets Operator.
pub const ESO_GROUP: &str = "external-secrets.io";
/// API group of roles and bindings.
pub const RBAC_GROUP: &str = "rbac.authorization.k8s.io";
/// API group of `SealedSecret`.
pub const SEALED_SECRETS_GROUP: &str = "bitnami.com";
/// API group of the Secrets Store CSI driver.
pub const STORE_CSI_GROUP: &str = "secrets-store.csi.x-k8s.io";

/// Maximum number of suppliers per Secret. More than one is already a mistake; the limit keeps a hostile repository
/// from multiplying suppliers by consumers.
const SUPPLIERS: usize = 4;

/// The position of an object among the objects of one output.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ObjectIndex(usize);

impl ObjectIndex {
    /// Creates the index of a position.
    #[must_use]
    pub const fn new(number: usize) -> Self {
        Self(number)
    }

    /// Returns the item at this position of a list with one item per object.
    pub fn of<T>(self, objects: &[T]) -> Option<&T> {
        objects.get(self.0)
    }

    /// Returns the item at this position of a list with one item per object, to change it.
    pub fn of_mut<T>(self, objects: &mut [T]) -> Option<&mut T> {
        objects.get_mut(self.0)
    }

    /// Iterates over a list with one item per object, with the index of each.
    pub fn enumerate<T>(objects: &[T]) -> impl Iterator<Item = (Self, &T)> {
        objects.iter().enumerate().map(|(number, object)| (Self(number), object))
    }
}

/// The objects by their index, their identity and the Secrets that they supply.
pub struct ObjectCatalog<'a> {
    objects: Vec<CatalogObject<'a>>,
    indices: BTreeMap<(&'a str, &'a str, &'a str, &'a str), ObjectIndex>,
    suppliers: BTreeMap<(&'a str, &'a str), Vec<ObjectIndex>>,
}

impl<'a> ObjectCatalog<'a> {
    /// Builds the index of all objects.
    pub fn new(manifests: &'a [Manifest]) -> Self {
        let objects: Vec<CatalogObject<'a>> = manifests.iter().map(CatalogObject::new).collect();
        let mut indices = BTreeMap::new();
        let mut suppliers: BTreeMap<_, Vec<ObjectIndex>> = BTreeMap::new();
        for (index, object) in ObjectIndex::enumerate(&objects) {
            if !object.name.is_empty() {
                indices.entry(object.key()).or_insert(index);
            }
            for secret in supplied_secrets(object) {
                let secret_suppliers = suppliers.entry((object.namespace, secret)).or_default();
                if secret_suppliers.last() != Some(&index) {
                    secret_suppliers.push(index);
                }
            }
        }
        for secret_suppliers in
            suppliers.values_mut().filter(|secret_suppliers| secret_suppliers.len() > SUPPLIERS)
        {
            secret_suppliers.sort_by_key(|index| index.of(&objects).map(CatalogObject::key));
            secret_suppliers.truncate(SUPPLIERS);
        }
        Self { objects, indices, suppliers }
    }

    /// Returns all objects in the order of the output.
    #[must_use]
    pub fn objects(&self) -> &[CatalogObject<'a>] {
        &self.objects
    }

    /// Iterates over all objects in the order of the output, with the index of each.
    pub fn indexed(&self) -> impl Iterator<Item = (ObjectIndex, &CatalogObject<'a>)> {
        ObjectIndex::enumerate(&self.objects)
    }

    /// Returns an object by its index.
    #[must_use]
    pub fn object(&self, index: ObjectIndex) -> Option<&CatalogObject<'a>> {
        index.of(&self.objects)
    }

    /// Returns the index of an object.
    #[must_use]
    pub fn find(&self, group: &str, kind: &str, namespace: &str, name: &str) -> Option<ObjectIndex> {
        let namespace = if CLUSTER_SCOPED.contains(&(group, kind)) { "" } else { namespace };
        self.indices.get(&(group, kind, namespace, name)).copied()
    }

    /// Returns the objects that a reference means; empty if it means an object outside this output.
    #[must_use]
    pub fn resolve_reference(&self, what: ReferencedKind, namespace: &str, name: &str) -> Vec<ObjectIndex> {
        let find_one = |group, kind| self.find(group, kind, namespace, name).into_iter().collect();
        match what {
            ReferencedKind::ConfigMap => find_one("", "ConfigMap"),
            ReferencedKind::PersistentVolumeClaim => find_one("", "PersistentVolumeClaim"),
            ReferencedKind::Secret => self.suppliers(namespace, name).to_vec(),
            ReferencedKind::SecretProviderClass => find_one(STORE_CSI_GROUP, "SecretProviderClass"),
            ReferencedKind::ServiceAccount => find_one("", "ServiceAccount"),
        }
    }

    /// Returns the objects that create the Secret of this name.
    pub fn suppliers<'b>(&'b self, namespace: &'b str, name: &'b str) -> &'b [ObjectIndex] {
        self.suppliers.get(&(namespace, name)).map_or(&[], Vec::as_slice)
    }

    /// Returns the namespaces and names of all Secrets that objects create, in order, with these objects.
    pub fn supplied(&self) -> impl Iterator<Item = ((&'a str, &'a str), &[ObjectIndex])> {
        self.suppliers.iter().map(|(secret, suppliers)| (*secret, suppliers.as_slice()))
    }

    /// Returns the names of the image pull Secrets of a service account.
    #[must_use]
    pub fn pull_secrets(&self, namespace: &str, account: &str) -> Vec<&'a str> {
        let account =
            self.find("", "ServiceAccount", namespace, account).and_then(|index| self.object(index));
        let Some(secrets) = account.and_then(|account| account.manifest.root().get("imagePullSecrets"))
        else {
            return Vec::new();
        };
        secrets.items().iter().filter_map(|secret| secret.get("name")?.as_str()).collect()
    }
}

/// Returns the names of the Secrets that an object creates, for the kinds that affect waves.
pub fn supplied_secrets<'a>(object: &CatalogObject<'a>) -> Vec<&'a str> {
    let root = object.manifest.root();
    let names = match (object.group, object.kind) {
        ("", "Secret") | (SEALED_SECRETS_GROUP, "SealedSecret") => vec![object.name],
        (ESO_GROUP, "ExternalSecret") => {
            let target = root.at(&["spec", "target", "name"]).and_then(Node::as_str);
            vec![target.filter(|name| !name.is_empty()).unwrap_or(object.name)]
        }
        (STORE_CSI_GROUP, "SecretProviderClass") => {
            let made = root.items_at(&["spec", "secretObjects"]);
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
    use crate::scopes::built_in_scope;
    use sealwave_testkit::manifests;

    #[test]
    fn cluster_scoped_kinds_agree_with_the_table() {
        for (group, kind) in CLUSTER_SCOPED {
            assert_eq!(built_in_scope(group, kind), Some(true), "{group}/{kind}");
        }
    }

    #[test]
    fn a_secret_is_found_by_its_supplier() {
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
        let catalog = ObjectCatalog::new(&objects);
        for (name, number) in [("a", 0), ("b", 1), ("c", 2), ("d", 3), ("e", 4), ("f", 4)] {
            assert_eq!(catalog.suppliers("n", name), [ObjectIndex::new(number)], "{name}");
            assert!(catalog.suppliers("other", name).is_empty(), "{name}");
        }
        assert!(catalog.suppliers("n", "x").is_empty());
    }

    #[test]
    fn cluster_scoped_kinds_are_found_in_every_namespace() {
        let objects =
            manifests(&[json!({"apiVersion": "rbac.authorization.k8s.io/v1", "kind": "ClusterRole",
                "metadata": {"name": "r", "namespace": "stray"}})]);
        let catalog = ObjectCatalog::new(&objects);
        assert_eq!(catalog.find(RBAC_GROUP, "ClusterRole", "other", "r"), Some(ObjectIndex::new(0)));
    }
}
