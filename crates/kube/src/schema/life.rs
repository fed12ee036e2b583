//! Life cycles of APIs: when they were introduced, deprecated and removed, and their replacements.
//!
//! The life cycles of Kubernetes' own APIs are derived from the pack: a kind that is absent from the next minor was
//! removed in it, and a version is deprecated from the first minor that has a more stable one. The pack cannot tell
//! whether an existing version is served (beta APIs introduced since 1.24 are off by default), nor what will happen
//! later. Hand-written tables hold what is older than the pack and what the derivation misses.

use super::crd::CrdKind;
use super::pack::{self, KindEntry};
use super::schemas::Schemas;
use super::version::KubeVersion;

/// The life cycle of an API.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct LifeCycle {
    /// The first version of Kubernetes that has it; `None` if it is older than the known versions.
    pub introduced: Option<KubeVersion>,
    /// Whether it is deprecated in the selected version.
    pub deprecated: bool,
    /// The version that deprecated it; the oldest known version stands for earlier ones. `None` for custom resources.
    pub deprecated_since: Option<KubeVersion>,
    /// The first version that does not have it.
    pub removed_in: Option<KubeVersion>,
    /// The replacement: an `apiVersion`, followed by the kind if that differs.
    pub replacement: Option<String>,
}

/// An API that was removed before the oldest version of the pack, from Kubernetes' "Deprecated API Migration Guide".
struct RemovedApi {
    api_version: &'static str,
    kinds: &'static [&'static str],
    removed_in: u8,
    replacement: Option<&'static str>,
}

const fn removed(
    api_version: &'static str,
    kinds: &'static [&'static str],
    removed_in: u8,
    replacement: &'static str,
) -> RemovedApi {
    RemovedApi { api_version, kinds, removed_in, replacement: Some(replacement) }
}

const REMOVED: &[RemovedApi] = &[
    removed("apps/v1beta1", &["Deployment", "ReplicaSet", "StatefulSet"], 16, "apps/v1"),
    removed("apps/v1beta2", &["DaemonSet", "Deployment", "ReplicaSet", "StatefulSet"], 16, "apps/v1"),
    removed("extensions/v1beta1", &["DaemonSet", "Deployment", "ReplicaSet"], 16, "apps/v1"),
    removed("extensions/v1beta1", &["NetworkPolicy"], 16, "networking.k8s.io/v1"),
    RemovedApi {
        api_version: "extensions/v1beta1",
        kinds: &["PodSecurityPolicy"],
        removed_in: 16,
        replacement: None,
    },
    removed(
        "admissionregistration.k8s.io/v1beta1",
        &["MutatingWebhookConfiguration", "ValidatingWebhookConfiguration"],
        22,
        "admissionregistration.k8s.io/v1",
    ),
    removed("apiextensions.k8s.io/v1beta1", &["CustomResourceDefinition"], 22, "apiextensions.k8s.io/v1"),
    removed("apiregistration.k8s.io/v1beta1", &["APIService"], 22, "apiregistration.k8s.io/v1"),
    removed("authentication.k8s.io/v1beta1", &["TokenReview"], 22, "authentication.k8s.io/v1"),
    removed(
        "authorization.k8s.io/v1beta1",
        &[
            "LocalSubjectAccessReview",
            "SelfSubjectAccessReview",
            "SelfSubjectRulesReview",
            "SubjectAccessReview",
        ],
        22,
        "authorization.k8s.io/v1",
    ),
    removed("certificates.k8s.io/v1beta1", &["CertificateSigningRequest"], 22, "certificates.k8s.io/v1"),
    removed("coordination.k8s.io/v1beta1", &["Lease"], 22, "coordination.k8s.io/v1"),
    removed("extensions/v1beta1", &["Ingress"], 22, "networking.k8s.io/v1"),
    removed("networking.k8s.io/v1beta1", &["Ingress", "IngressClass"], 22, "networking.k8s.io/v1"),
    removed(
        "rbac.authorization.k8s.io/v1beta1",
        &["ClusterRole", "ClusterRoleBinding", "Role", "RoleBinding"],
        22,
        "rbac.authorization.k8s.io/v1",
    ),
    removed("scheduling.k8s.io/v1beta1", &["PriorityClass"], 22, "scheduling.k8s.io/v1"),
    removed(
        "storage.k8s.io/v1beta1",
        &["CSIDriver", "CSINode", "StorageClass", "VolumeAttachment"],
        22,
        "storage.k8s.io/v1",
    ),
    removed("autoscaling/v2beta1", &["HorizontalPodAutoscaler"], 25, "autoscaling/v2"),
    removed("batch/v1beta1", &["CronJob"], 25, "batch/v1"),
    removed("discovery.k8s.io/v1beta1", &["EndpointSlice"], 25, "discovery.k8s.io/v1"),
    removed("events.k8s.io/v1beta1", &["Event"], 25, "events.k8s.io/v1"),
    removed("node.k8s.io/v1beta1", &["RuntimeClass"], 25, "node.k8s.io/v1"),
    removed("policy/v1beta1", &["PodDisruptionBudget"], 25, "policy/v1"),
    RemovedApi {
        api_version: "policy/v1beta1",
        kinds: &["PodSecurityPolicy"],
        removed_in: 25,
        replacement: None,
    },
];

/// Deprecations that the pack does not show: group, version, kind, since, replacement.
const DEPRECATED: &[(&str, &str, &str, u8, Option<&str>)] = &[
    ("", "v1", "ComponentStatus", 19, None),
    ("", "v1", "Endpoints", 33, Some("discovery.k8s.io/v1 EndpointSlice")),
    ("autoscaling", "v2beta2", "HorizontalPodAutoscaler", 23, Some("autoscaling/v2")),
    (
        "flowcontrol.apiserver.k8s.io",
        "v1beta1",
        "FlowSchema",
        23,
        Some("flowcontrol.apiserver.k8s.io/v1beta3"),
    ),
    (
        "flowcontrol.apiserver.k8s.io",
        "v1beta1",
        "PriorityLevelConfiguration",
        23,
        Some("flowcontrol.apiserver.k8s.io/v1beta3"),
    ),
    ("storage.k8s.io", "v1beta1", "CSIStorageCapacity", 24, Some("storage.k8s.io/v1")),
];

/// Returns the kinds that some version of Kubernetes has or had; may contain duplicates.
pub fn kinds() -> impl Iterator<Item = &'static str> {
    built_in_kinds().map(|(_, kind)| kind)
}

/// Returns group and kind of all that some version of Kubernetes has or had; may contain duplicates.
pub fn built_in_kinds() -> impl Iterator<Item = (&'static str, &'static str)> {
    let removed = REMOVED.iter().flat_map(|gone| {
        let (group, _) = split(gone.api_version);
        gone.kinds.iter().map(move |kind| (group, *kind))
    });
    pack::EMBEDDED.kinds().map(|entry| (entry.group, entry.kind)).chain(removed)
}

impl Schemas {
    /// Returns the life cycle of an API, as of this version of Kubernetes, or `None` if it is not known.
    #[must_use]
    pub fn life_cycle(&self, group: &str, version: &str, kind: &str) -> Option<LifeCycle> {
        built_in(group, version, kind, self.version)
            .or_else(|| removed_life_cycle(group, version, kind))
            .or_else(|| custom(self.crds.kind(group, kind)?, group, version))
    }
}

/// Reports whether a version of a kind was removed before the oldest version of the pack.
pub(super) fn is_removed_api(group: &str, kind: &str) -> bool {
    REMOVED.iter().any(|gone| split(gone.api_version).0 == group && gone.kinds.contains(&kind))
}

fn built_in(group: &str, version: &str, kind: &str, at: KubeVersion) -> Option<LifeCycle> {
    let own = pack::EMBEDDED.versions(group, kind).find(|entry| entry.version == version)?;
    let introduced = first_minor(&own).filter(|first| *first > KubeVersion::OLDEST);
    let removed_in = removed_in(&own);
    let more_stable =
        || pack::EMBEDDED.versions(group, kind).filter(|entry| is_stabler(entry.version, version));
    let listed = DEPRECATED.iter().find(|entry| (entry.0, entry.1, entry.2) == (group, version, kind));
    let since = match listed {
        Some(entry) => Some(KubeVersion::from_minor(entry.3)),
        None => more_stable()
            .filter_map(|entry| first_minor(&entry))
            .min()
            .max(first_minor(&own).filter(|_| more_stable().next().is_some())),
    };
    // A removed version is replaced by what existed when it was removed, or exists now.
    let last = removed_in.map_or(at, |removed| removed.min(at).max(KubeVersion::OLDEST));
    let most_stable = || {
        let there = more_stable().filter(|entry| entry.minors & (last.bit() | at.bit()) != 0);
        there.max_by_key(|entry| rank(entry.version)).map(|entry| api_version(group, entry.version))
    };
    let replacement = listed.map_or_else(most_stable, |entry| entry.4.map(str::to_owned));
    Some(LifeCycle {
        introduced,
        deprecated: since.is_some_and(|since| since <= at),
        deprecated_since: since,
        removed_in,
        replacement,
    })
}

fn removed_life_cycle(group: &str, version: &str, kind: &str) -> Option<LifeCycle> {
    let gone = REMOVED
        .iter()
        .find(|gone| split(gone.api_version) == (group, version) && gone.kinds.contains(&kind))?;
    Some(LifeCycle {
        deprecated: true,
        removed_in: Some(KubeVersion::from_minor(gone.removed_in)),
        replacement: gone.replacement.map(str::to_owned),
        ..LifeCycle::default()
    })
}

fn custom(kind: &CrdKind, group: &str, version: &str) -> Option<LifeCycle> {
    let own = kind.served(version)?;
    let current_versions = kind.versions.iter().filter(|other| other.served && !other.deprecated);
    let replacement_version = current_versions.max_by_key(|other| rank(&other.name));
    let replacement =
        replacement_version.filter(|_| own.deprecated).map(|other| api_version(group, &other.name));
    Some(LifeCycle { deprecated: own.deprecated, replacement, ..LifeCycle::default() })
}

fn first_minor(entry: &KindEntry) -> Option<KubeVersion> {
    KubeVersion::all().find(|version| entry.minors & version.bit() != 0)
}

/// Returns the first version that no longer has an entry.
pub(super) fn removed_in(entry: &KindEntry) -> Option<KubeVersion> {
    let last = KubeVersion::all().rfind(|version| entry.minors & version.bit() != 0)?;
    (last < KubeVersion::NEWEST).then(|| KubeVersion::from_minor(last.minor() + 1))
}

/// Returns how stable a version is: `v2` ranks above `v1`, `v1beta2` and `v1alpha3`, in that order.
pub(super) fn rank(version: &str) -> (u8, u32, u32) {
    let parts = || {
        let rest = version.strip_prefix('v')?;
        let split = rest.find(|c: char| !c.is_ascii_digit()).unwrap_or(rest.len());
        let (major, rest) = rest.split_at_checked(split)?;
        let major = major.parse().ok()?;
        Some(match (rest, rest.strip_prefix("beta"), rest.strip_prefix("alpha")) {
            ("", _, _) => (3, major, 0),
            (_, Some(beta), _) => (2, major, beta.parse().ok()?),
            (_, _, Some(alpha)) => (1, major, alpha.parse().ok()?),
            _ => return None,
        })
    };
    parts().unwrap_or_default()
}

/// Reports whether a version supersedes another; stable versions do not supersede each other.
fn is_stabler(version: &str, than: &str) -> bool {
    let (version, than) = (rank(version), rank(than));
    than.0 < 3 && version > than
}

pub(super) fn api_version(group: &str, version: &str) -> String {
    if group.is_empty() { version.to_owned() } else { format!("{group}/{version}") }
}

fn split(api_version: &str) -> (&str, &str) {
    api_version.split_once('/').unwrap_or(("", api_version))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn minor(minor: u8) -> KubeVersion {
        KubeVersion::from_minor(minor)
    }

    #[test]
    fn life_cycles_come_from_the_pack_and_the_tables() {
        let life = |version: &str, group, api, kind| {
            Schemas::new(version.parse().expect("a version")).life_cycle(group, api, kind).expect("known")
        };
        assert_eq!(life("1.37", "apps", "v1", "Deployment"), LifeCycle::default());
        assert_eq!(life("1.37", "autoscaling", "v1", "HorizontalPodAutoscaler"), LifeCycle::default());
        let flow = life("1.28", "flowcontrol.apiserver.k8s.io", "v1beta3", "FlowSchema");
        assert_eq!(
            (flow.introduced, flow.deprecated, flow.deprecated_since),
            (Some(minor(26)), false, Some(minor(29)))
        );
        assert_eq!(flow.removed_in, Some(minor(32)));
        let flow = life("1.30", "flowcontrol.apiserver.k8s.io", "v1beta3", "FlowSchema");
        assert!(flow.deprecated);
        assert_eq!(flow.replacement.as_deref(), Some("flowcontrol.apiserver.k8s.io/v1"));
        let endpoints = life("1.33", "", "v1", "Endpoints");
        assert!(endpoints.deprecated && endpoints.removed_in.is_none());
        assert_eq!(endpoints.replacement.as_deref(), Some("discovery.k8s.io/v1 EndpointSlice"));
        assert!(!life("1.32", "", "v1", "Endpoints").deprecated);
        let cron = life("1.37", "batch", "v1beta1", "CronJob");
        assert_eq!((cron.removed_in, cron.replacement.as_deref()), (Some(minor(25)), Some("batch/v1")));
        assert_eq!(Schemas::new(KubeVersion::NEWEST).life_cycle("example.com", "v1", "Widget"), None);
    }

    #[test]
    fn versions_are_ranked_by_stability() {
        let ranked = ["foo", "v1alpha1", "v1alpha2", "v1beta1", "v1beta2", "v2beta1", "v1", "v2", "v10"];
        assert!(ranked.is_sorted_by(|a, b| rank(a) < rank(b)));
        assert!(is_stabler("v1", "v2beta2") && !is_stabler("v2", "v1") && !is_stabler("v1beta1", "v1"));
    }
}
