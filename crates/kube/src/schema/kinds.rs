//! Kinds of objects: their scope, and which versions of Kubernetes have them.

use super::life::{api_version, is_removed_api, rank, removed_in};
use super::pack;
use super::resource_scope::ResourceScope;
use super::schemas::Schemas;
use super::version::KubeVersion;
use crate::KindScopes;
use sealwave_core::text::closest_name;

/// The result of looking up a group, version and kind.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum KindLookup {
    /// Neither a version of Kubernetes nor an added definition has it.
    No {
        /// The `apiVersion` and kind that were probably meant.
        meant: Option<(String, String)>,
    },
    /// A later version of Kubernetes has it.
    NotYet {
        /// The first version that has it.
        introduced: KubeVersion,
    },
    /// The group and kind exist in these versions, the preferred one first.
    OtherVersions(Vec<String>),
    /// It was removed.
    Removed {
        /// The first version of Kubernetes without it.
        removed_in: KubeVersion,
        /// The replacement: an `apiVersion`, followed by the kind if that differs.
        replacement: Option<String>,
    },
    /// It exists.
    Yes,
}

/// Maximum length of a kind that is compared with others, in bytes.
const MAX_KIND: usize = 100;
/// Maximum number of custom kinds that are compared.
const MAX_GUESSED: usize = 500;

impl Schemas {
    /// Looks up a group, version and kind.
    #[must_use]
    pub fn lookup(&self, group: &str, version: &str, kind: &str) -> KindLookup {
        if self.root(group, version, kind).is_some() {
            return KindLookup::Yes;
        }
        if let Some(life) = self.life_cycle(group, version, kind) {
            if let Some(removed_in) = life.removed_in.filter(|removed| *removed <= self.version) {
                return KindLookup::Removed { removed_in, replacement: life.replacement };
            }
            if let Some(introduced) = life.introduced.filter(|introduced| *introduced > self.version) {
                return KindLookup::NotYet { introduced };
            }
        }
        let served = self.served(group, kind);
        if !served.is_empty() || self.crds.kind(group, kind).is_some() {
            return KindLookup::OtherVersions(served.into_iter().map(str::to_owned).collect());
        }
        let removed = pack::EMBEDDED.versions(group, kind).filter_map(|entry| removed_in(&entry)).max();
        match removed.filter(|removed| *removed <= self.version) {
            Some(removed_in) => KindLookup::Removed { removed_in, replacement: None },
            None => KindLookup::No { meant: self.guess_kind(group, kind) },
        }
    }

    /// Reports whether any version of a kind exists, in any version of Kubernetes.
    #[must_use]
    pub fn knows_kind(&self, group: &str, kind: &str) -> bool {
        pack::EMBEDDED.versions(group, kind).next().is_some() || self.crds.kind(group, kind).is_some()
    }

    /// Returns the preferred `apiVersion` and name of a custom kind in the same group with a similar name.
    #[must_use]
    pub fn similar_kind(&self, group: &str, kind: &str) -> Option<(String, String)> {
        let own = self.crds.kinds_in_group(group).take(MAX_GUESSED);
        let similar = (kind.len() <= MAX_KIND).then(|| closest_name(kind, own))??;
        let version = self.served(group, similar).first().copied()?;
        Some((api_version(group, version), similar.to_owned()))
    }

    /// Returns the scope of a kind, or `None` if the kind is not known.
    #[must_use]
    pub fn scope(&self, group: &str, kind: &str) -> Option<ResourceScope> {
        if is_removed_api(group, kind) || pack::EMBEDDED.versions(group, kind).next().is_some() {
            // The pack does not hold the scope; [`KindScopes`] does.
            let cluster = KindScopes::from_objects(&[]).is_cluster_scoped(group, kind);
            return Some(if cluster { ResourceScope::Cluster } else { ResourceScope::Namespaced });
        }
        self.crds.kind(group, kind).map(|kind| kind.scope)
    }

    /// Returns the versions in which this version of Kubernetes serves a kind, the preferred one first.
    fn served(&self, group: &str, kind: &str) -> Vec<&str> {
        let bit = self.version.bit();
        let mut versions: Vec<&str> = pack::EMBEDDED
            .versions(group, kind)
            .filter(|entry| entry.minors & bit != 0)
            .map(|entry| entry.version)
            .collect();
        if versions.is_empty() {
            let kind = self.crds.kind(group, kind);
            let served = kind.into_iter().flat_map(|kind| &kind.versions).filter(|version| version.served);
            versions.extend(served.map(|version| version.name.as_str()));
        }
        versions.sort_by(|a, b| rank(b).cmp(&rank(a)).then_with(|| a.cmp(b)));
        versions
    }

    /// Returns the kind that was probably meant: the same name in another group, or a similar name in this group.
    fn guess_kind(&self, group: &str, kind: &str) -> Option<(String, String)> {
        let all: Vec<(&str, &str)> = pack::EMBEDDED
            .kinds()
            .filter(|entry| entry.minors & self.version.bit() != 0)
            .map(|entry| (entry.group, entry.kind))
            .chain(self.crds.kinds_in_group(group).map(|kind| (group, kind)).take(MAX_GUESSED))
            .chain(self.crds.kinds().take(MAX_GUESSED))
            .collect();
        let similar = || {
            let own = all.iter().filter(|(other, _)| *other == group).map(|(_, kind)| *kind);
            let similar = closest_name(kind, own)?;
            all.iter().find(|found| **found == (group, similar))
        };
        let found = (kind.len() <= MAX_KIND).then(|| {
            all.iter()
                .find(|(other, name)| *other == group && name.eq_ignore_ascii_case(kind))
                .or_else(|| all.iter().find(|(_, name)| name.eq_ignore_ascii_case(kind)))
                .or_else(similar)
        })??;
        let version = self.served(found.0, found.1).first().copied()?;
        Some((api_version(found.0, version), found.1.to_owned()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn schemas(version: &str) -> Schemas {
        Schemas::new(version.parse().expect("a version"))
    }

    fn minor(minor: u8) -> KubeVersion {
        KubeVersion::from_minor(minor)
    }

    #[test]
    fn lookups_tell_why_a_kind_does_not_exist() {
        let removed = |minor_: u8, replacement: Option<&str>| KindLookup::Removed {
            removed_in: minor(minor_),
            replacement: replacement.map(str::to_owned),
        };
        let others = |versions: &[&str]| {
            KindLookup::OtherVersions(versions.iter().map(|&name| name.to_owned()).collect())
        };
        let unknown_but_similar = |api_version: &str, kind: &str| KindLookup::No {
            meant: Some((api_version.to_owned(), kind.to_owned())),
        };
        for (version, group, api, kind, expected) in [
            ("1.37", "apps", "v1", "Deployment", KindLookup::Yes),
            ("1.25", "autoscaling", "v2beta2", "HorizontalPodAutoscaler", KindLookup::Yes),
            (
                "1.26",
                "autoscaling",
                "v2beta2",
                "HorizontalPodAutoscaler",
                removed(26, Some("autoscaling/v2")),
            ),
            (
                "1.37",
                "autoscaling",
                "v2beta1",
                "HorizontalPodAutoscaler",
                removed(25, Some("autoscaling/v2")),
            ),
            ("1.37", "autoscaling", "v3", "HorizontalPodAutoscaler", others(&["v2", "v1"])),
            ("1.30", "extensions", "v1beta1", "Deployment", removed(16, Some("apps/v1"))),
            ("1.30", "extensions", "v1beta1", "Ingress", removed(22, Some("networking.k8s.io/v1"))),
            ("1.30", "policy", "v1beta1", "PodSecurityPolicy", removed(25, None)),
            (
                "1.29",
                "admissionregistration.k8s.io",
                "v1",
                "ValidatingAdmissionPolicy",
                KindLookup::NotYet { introduced: minor(30) },
            ),
            (
                "1.32",
                "admissionregistration.k8s.io",
                "v1alpha1",
                "ValidatingAdmissionPolicy",
                removed(32, Some("admissionregistration.k8s.io/v1")),
            ),
            ("1.34", "networking.k8s.io", "v2", "ClusterCIDR", removed(29, None)),
            ("1.37", "extensions", "v1", "Ingress", unknown_but_similar("networking.k8s.io/v1", "Ingress")),
            ("1.37", "", "v1", "configmap", unknown_but_similar("v1", "ConfigMap")),
            ("1.37", "apps", "v1", "Deploymnet", unknown_but_similar("apps/v1", "Deployment")),
            ("1.37", "example.com", "v1", "Widget", KindLookup::No { meant: None }),
        ] {
            assert_eq!(schemas(version).lookup(group, api, kind), expected, "{version} {group}/{api} {kind}");
        }
    }

    #[test]
    fn scopes_of_kinds_are_known() {
        let schemas = schemas("1.37");
        for (group, kind, scope) in [
            ("", "Namespace", Some(ResourceScope::Cluster)),
            ("", "Secret", Some(ResourceScope::Namespaced)),
            ("rbac.authorization.k8s.io", "ClusterRole", Some(ResourceScope::Cluster)),
            ("rbac.authorization.k8s.io", "Role", Some(ResourceScope::Namespaced)),
            ("extensions", "Ingress", Some(ResourceScope::Namespaced)),
            ("example.com", "Widget", None),
            ("", "Deployment", None),
        ] {
            assert_eq!(schemas.scope(group, kind), scope, "{group}/{kind}");
        }
    }
}
