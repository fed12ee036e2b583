//! The scope of kinds: namespaced or cluster-scoped.
//!
//! Only the cluster knows for certain. Offline, the sources are a table of the kinds of Kubernetes and common
//! controllers, and the available CRDs. Every other kind is treated as namespaced, except that its name decides whether
//! it gets a default namespace.

use std::collections::BTreeMap;

use compact_str::CompactString;

use sealwave_core::document::{Manifest, Node};

/// Cluster-scoped kinds by group (both sorted by bytes).
static CLUSTER_SCOPED: &[(&str, &[&str])] = &[
    ("", &["ComponentStatus", "Namespace", "Node", "PersistentVolume"]),
    (
        "admissionregistration.k8s.io",
        &[
            "MutatingAdmissionPolicy",
            "MutatingAdmissionPolicyBinding",
            "MutatingWebhookConfiguration",
            "ValidatingAdmissionPolicy",
            "ValidatingAdmissionPolicyBinding",
            "ValidatingWebhookConfiguration",
        ],
    ),
    ("apiextensions.k8s.io", &["CustomResourceDefinition"]),
    ("apiregistration.k8s.io", &["APIService"]),
    ("authentication.k8s.io", &["SelfSubjectReview", "TokenReview"]),
    ("authorization.k8s.io", &["SelfSubjectAccessReview", "SelfSubjectRulesReview", "SubjectAccessReview"]),
    ("cert-manager.io", &["ClusterIssuer"]),
    ("certificates.k8s.io", &["CertificateSigningRequest", "ClusterTrustBundle"]),
    (
        "crd.projectcalico.org",
        &[
            "BGPConfiguration",
            "BGPPeer",
            "FelixConfiguration",
            "GlobalNetworkPolicy",
            "GlobalNetworkSet",
            "IPPool",
        ],
    ),
    ("extensions", &["PodSecurityPolicy"]),
    ("external-secrets.io", &["ClusterExternalSecret", "ClusterPushSecret", "ClusterSecretStore"]),
    ("flowcontrol.apiserver.k8s.io", &["FlowSchema", "PriorityLevelConfiguration"]),
    ("gateway.networking.k8s.io", &["GatewayClass"]),
    ("internal.apiserver.k8s.io", &["StorageVersion"]),
    ("karpenter.k8s.aws", &["EC2NodeClass"]),
    ("karpenter.sh", &["NodeClaim", "NodePool"]),
    ("kyverno.io", &["ClusterCleanupPolicy", "ClusterPolicy"]),
    ("networking.k8s.io", &["ClusterCIDR", "IPAddress", "IngressClass", "ServiceCIDR"]),
    ("node.k8s.io", &["RuntimeClass"]),
    ("policy", &["PodSecurityPolicy"]),
    ("policy.networking.k8s.io", &["AdminNetworkPolicy", "BaselineAdminNetworkPolicy"]),
    ("rbac.authorization.k8s.io", &["ClusterRole", "ClusterRoleBinding"]),
    (
        "resource.k8s.io",
        &["DeviceClass", "DeviceTaintRule", "ResourceClass", "ResourcePoolStatusRequest", "ResourceSlice"],
    ),
    ("scheduling.k8s.io", &["PriorityClass"]),
    ("snapshot.storage.k8s.io", &["VolumeSnapshotClass", "VolumeSnapshotContent"]),
    (
        "storage.k8s.io",
        &["CSIDriver", "CSINode", "StorageClass", "VolumeAttachment", "VolumeAttributesClass"],
    ),
    ("storagemigration.k8s.io", &["StorageVersionMigration"]),
    ("templates.gatekeeper.sh", &["ConstraintTemplate"]),
];

/// The known scopes of kinds: the table, and definitions.
#[derive(Clone)]
pub struct KindScopes {
    own: BTreeMap<(CompactString, CompactString), bool>,
}

impl KindScopes {
    /// Creates the scopes from the CRDs among the objects.
    #[must_use]
    pub fn from_objects(objects: &[Manifest]) -> Self {
        let mut scopes = Self { own: BTreeMap::new() };
        for object in objects {
            scopes.add_definition(object);
        }
        scopes
    }

    /// Adds the scope of a kind if the object is its CRD.
    pub fn add_definition(&mut self, object: &Manifest) {
        if !object.is("apiextensions.k8s.io", "CustomResourceDefinition") {
            return;
        }
        let text = |path: &[&str]| object.root().at(path).and_then(Node::as_str);
        if let (Some(group), Some(kind), Some(scope)) =
            (text(&["spec", "group"]), text(&["spec", "names", "kind"]), text(&["spec", "scope"]))
        {
            self.own.insert((group.into(), kind.into()), scope == "Cluster");
        }
    }

    /// Reports whether a definition sets the scope of a kind.
    #[must_use]
    pub fn is_defined(&self, group: &str, kind: &str) -> bool {
        self.own.contains_key(&(group.into(), kind.into()))
    }

    /// Sets the scope of a kind from another source.
    pub fn set_scope(&mut self, group: &str, kind: &str, cluster_scoped: bool) {
        self.own.insert((group.into(), kind.into()), cluster_scoped);
    }

    /// Reports whether a kind is known to be cluster-scoped, by the table or by a definition. The name alone is not
    /// sufficient: `ClusterLogging`, `ClusterClass` and many other kinds are namespaced.
    #[must_use]
    pub fn is_cluster_scoped(&self, group: &str, kind: &str) -> bool {
        self.known_scope(group, kind).unwrap_or(false)
    }

    /// Reports whether an object may be left without a namespace: its kind is known to be cluster-scoped, or the kind
    /// is unknown and has a cluster-scoped kind's name.
    #[must_use]
    pub fn may_lack_namespace(&self, group: &str, kind: &str) -> bool {
        self.known_scope(group, kind).unwrap_or_else(|| has_cluster_scoped_name(group, kind))
    }

    /// Returns whether a kind is cluster-scoped; `None` if neither the table nor a definition contains it.
    fn known_scope(&self, group: &str, kind: &str) -> Option<bool> {
        if !self.own.is_empty()
            && let Some(cluster) = self.own.get(&(group.into(), kind.into()))
        {
            return Some(*cluster);
        }
        built_in_scope(group, kind)
    }
}

/// Returns whether a kind is cluster-scoped by the table; `None` if the table does not have its group.
pub(crate) fn built_in_scope(group: &str, kind: &str) -> Option<bool> {
    // A linear search: the lengths of most names differ, and a binary search would not use that.
    let (_, kinds) = CLUSTER_SCOPED.iter().find(|(known, _)| *known == group)?;
    Some(kinds.contains(&kind))
}

/// Kinds outside Kubernetes' own groups that are namespaced although their name starts with `Cluster`.
static NAMESPACED_CLUSTERS: &[(&str, &str)] = &[("operators.coreos.com", "ClusterServiceVersion")];

/// Guesses the scope of a custom resource from its name: a namespaced kind (`Issuer`) often has a cluster-scoped
/// counterpart (`ClusterIssuer`). The guess may prevent a default namespace; it never removes one that the author
/// wrote.
fn has_cluster_scoped_name(group: &str, kind: &str) -> bool {
    kind.strip_prefix("Cluster").is_some_and(|twin| twin.starts_with(char::is_uppercase))
        && group.contains('.')
        && !group.ends_with(".k8s.io")
        && !NAMESPACED_CLUSTERS.contains(&(group, kind))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::schema::{PackedKind, PackedRelease, ResourceScope};

    #[test]
    fn the_tables_are_sorted() {
        assert!(CLUSTER_SCOPED.is_sorted_by(|(a, _), (b, _)| a < b));
        assert!(CLUSTER_SCOPED.iter().all(|(_, kinds)| kinds.is_sorted()));
    }

    #[test]
    fn packed_definitions_agree_with_the_table() {
        let mut both = 0;
        for PackedKind { group, kind, scope, .. } in PackedRelease::all().iter().flat_map(|all| &all.kinds) {
            if let Some(is_cluster_scoped) = built_in_scope(group, kind) {
                assert_eq!(is_cluster_scoped, *scope == ResourceScope::Cluster, "{group}/{kind}");
                both += 1;
            }
        }
        assert!(both >= 5, "only {both} kinds are in both");
    }

    #[test]
    fn built_in_kinds_have_their_scope() {
        let scopes = KindScopes::from_objects(&[]);
        for (group, kind) in [
            ("", "Namespace"),
            ("rbac.authorization.k8s.io", "ClusterRole"),
            ("external-secrets.io", "ClusterSecretStore"),
        ] {
            assert!(scopes.is_cluster_scoped(group, kind), "{group}/{kind}");
            assert!(scopes.may_lack_namespace(group, kind), "{group}/{kind}");
        }
        for (group, kind) in [
            ("", "Secret"),
            ("apps", "Deployment"),
            ("external-secrets.io", "SecretStore"),
            ("postgresql.cnpg.io", "Cluster"),
            ("example.com", "Clustering"),
            ("rbac.authorization.k8s.io", "Role"),
        ] {
            assert!(!scopes.is_cluster_scoped(group, kind), "{group}/{kind}");
            assert!(!scopes.may_lack_namespace(group, kind), "{group}/{kind}");
        }
    }

    #[test]
    fn a_definition_overrides_the_guess_from_the_name() {
        let mut scopes = KindScopes::from_objects(&[]);
        for (group, kind) in [
            ("logging.openshift.io", "ClusterLogging"),
            ("logging.openshift.io", "ClusterLogForwarder"),
            ("logging.banzaicloud.io", "ClusterFlow"),
            ("cluster.x-k8s.io.example.com", "ClusterClass"),
            ("hive.openshift.io", "ClusterDeployment"),
            ("fleet.cattle.io", "ClusterGroup"),
        ] {
            assert!(!scopes.is_cluster_scoped(group, kind), "{group}/{kind}");
            assert!(scopes.may_lack_namespace(group, kind), "{group}/{kind}");
            scopes.set_scope(group, kind, false);
            assert!(!scopes.may_lack_namespace(group, kind), "{group}/{kind}");
            scopes.set_scope(group, kind, true);
            assert!(scopes.is_cluster_scoped(group, kind), "{group}/{kind}");
        }
    }
}
