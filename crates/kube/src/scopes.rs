//! Which kinds have a namespace.
//!
//! Only the cluster knows. Offline there are a table of the kinds that Kubernetes and common controllers bring, and the
//! CRDs at hand; every other kind counts as namespaced, and its name only decides whether it gets a default namespace.

use std::collections::BTreeMap;

use compact_str::CompactString;

use sealwave_core::document::{Manifest, Node};

/// Kinds without a namespace, by group (both sorted by the order of bytes).
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

/// What is known of kinds: the table, and definitions.
#[derive(Clone)]
pub struct Scopes {
    own: BTreeMap<(CompactString, CompactString), bool>,
}

impl Scopes {
    /// Learns from the CRDs among the objects.
    pub fn of(objects: &[Manifest]) -> Self {
        let mut scopes = Self { own: BTreeMap::new() };
        for object in objects {
            scopes.learn(object);
        }
        scopes
    }

    /// Learns from an object, where it is a CRD.
    pub fn learn(&mut self, object: &Manifest) {
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

    /// Whether a definition says it of a kind.
    pub fn is_defined(&self, group: &str, kind: &str) -> bool {
        self.own.contains_key(&(group.into(), kind.into()))
    }

    /// Learns of a kind from elsewhere.
    pub fn define(&mut self, group: &str, kind: &str, cluster_scoped: bool) {
        self.own.insert((group.into(), kind.into()), cluster_scoped);
    }

    /// Returns whether a kind is known to be cluster-scoped, by the table or by a definition. A name alone is not knowledge:
    /// `ClusterLogging`, `ClusterClass` and many other kinds have a namespace.
    pub fn is_cluster_scoped(&self, group: &str, kind: &str) -> bool {
        self.known(group, kind).unwrap_or(false)
    }

    /// Returns whether an object of a kind that has no namespace is left without one: the kind is known to be cluster-scoped, or
    /// nothing is known of it and it has the name of one.
    pub fn may_lack_namespace(&self, group: &str, kind: &str) -> bool {
        self.known(group, kind).unwrap_or_else(|| is_called_cluster(group, kind))
    }

    /// Returns whether a kind is cluster-scoped; `None` where neither the table nor a definition tells.
    fn known(&self, group: &str, kind: &str) -> Option<bool> {
        if !self.own.is_empty()
            && let Some(cluster) = self.own.get(&(group.into(), kind.into()))
        {
            return Some(*cluster);
        }
        // A linear search: the lengths of most names differ, and a binary search would not use that.
        let (_, kinds) = CLUSTER_SCOPED.iter().find(|(known, _)| *known == group)?;
        Some(kinds.contains(&kind))
    }
}

/// Kinds outside Kubernetes' own groups whose name starts with `Cluster` although they have a namespace.
static NAMESPACED_CLUSTERS: &[(&str, &str)] = &[("operators.coreos.com", "ClusterServiceVersion")];

/// Guesses from the name of a custom resource: beside a namespaced kind (`Issuer`) there often is a cluster-scoped one
/// (`ClusterIssuer`). The guess may keep a default namespace away; it never removes one that the author wrote.
fn is_called_cluster(group: &str, kind: &str) -> bool {
    kind.strip_prefix("Cluster").is_some_and(|twin| twin.starts_with(char::is_uppercase))
        && group.contains('.')
        && !group.ends_with(".k8s.io")
        && !NAMESPACED_CLUSTERS.contains(&(group, kind))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_tables_are_sorted() {
        assert!(CLUSTER_SCOPED.is_sorted_by(|(a, _), (b, _)| a < b));
        assert!(CLUSTER_SCOPED.iter().all(|(_, kinds)| kinds.is_sorted()));
    }

    #[test]
    fn kinds_have_the_scope_that_clusters_give_them() {
        let scopes = Scopes::of(&[]);
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
    fn a_name_is_a_guess_until_a_definition_tells() {
        let mut scopes = Scopes::of(&[]);
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
            scopes.define(group, kind, false);
            assert!(!scopes.may_lack_namespace(group, kind), "{group}/{kind}");
            scopes.define(group, kind, true);
            assert!(scopes.is_cluster_scoped(group, kind), "{group}/{kind}");
        }
    }
}
