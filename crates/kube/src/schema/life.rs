//! Life cycles of APIs: since and until when there is one, and what takes its place.
//!
//! What Kubernetes' own APIs went through is read off the pack: a kind that a minor has and the next has not was removed
//! in the next, and a version is deprecated from the minor on that has a stabler one. Two things it cannot say: whether
//! a version that exists is served (beta APIs that are new since 1.24 are off by default), and what has not happened
//! yet. Tables by hand hold what is older than the pack and what the derivation does not see.

use super::crd::CrdKind;
use super::pack::{self, KindEntry};
use super::{KubeVersion, Schemas};

/// From when until when an API exists.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct LifeCycle {
    /// The first version of Kubernetes that has it; `None` where that is older than what is known.
    pub introduced: Option<KubeVersion>,
    /// Whether it is deprecated in the version at hand.
    pub deprecated: bool,
    /// Since which version; the oldest known one stands for all before it. `None` for custom resources.
    pub deprecated_since: Option<KubeVersion>,
    /// The first version without it.
    pub removed_in: Option<KubeVersion>,
    /// What to write instead: an `apiVersion`, with a kind where that is another one.
    pub replacement: Option<String>,
}

/// An API that went before the oldest version of the pack, from Kubernetes' "Deprecated API Migration Guide".
struct Gone {
    api_version: &'static str,
    kinds: &'static [&'static str],
    removed_in: u8,
    replacement: Option<&'static str>,
}

const fn gone(
    api_version: &'static str,
    kinds: &'static [&'static str],
    removed_in: u8,
    replacement: &'static str,
) -> Gone {
    Gone { api_version, kinds, removed_in, replacement: Some(replacement) }
}

const GONE: &[Gone] = &[
    gone("apps/v1beta1", &["Deployment", "ReplicaSet", "StatefulSet"], 16, "apps/v1"),
    gone("apps/v1beta2", &["DaemonSet", "Deployment", "ReplicaSet", "StatefulSet"], 16, "apps/v1"),
    gone("extensions/v1beta1", &["DaemonSet", "Deployment", "ReplicaSet"], 16, "apps/v1"),
    gone("extensions/v1beta1", &["NetworkPolicy"], 16, "networking.k8s.io/v1"),
    Gone {
        api_version: "extensions/v1beta1",
        kinds: &["PodSecurityPolicy"],
        removed_in: 16,
        replacement: None,
    },
    gone(
        "admissionregistration.k8s.io/v1beta1",
        &["MutatingWebhookConfiguration", "ValidatingWebhookConfiguration"],
        22,
        "admissionregistration.k8s.io/v1",
    ),
    gone("apiextensions.k8s.io/v1beta1", &["CustomResourceDefinition"], 22, "apiextensions.k8s.io/v1"),
    gone("apiregistration.k8s.io/v1beta1", &["APIService"], 22, "apiregistration.k8s.io/v1"),
    gone("authentication.k8s.io/v1beta1", &["TokenReview"], 22, "authentication.k8s.io/v1"),
    gone(
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
    gone("certificates.k8s.io/v1beta1", &["CertificateSigningRequest"], 22, "certificates.k8s.io/v1"),
    gone("coordination.k8s.io/v1beta1", &["Lease"], 22, "coordination.k8s.io/v1"),
    gone("extensions/v1beta1", &["Ingress"], 22, "networking.k8s.io/v1"),
    gone("networking.k8s.io/v1beta1", &["Ingress", "IngressClass"], 22, "networking.k8s.io/v1"),
    gone(
        "rbac.authorization.k8s.io/v1beta1",
        &["ClusterRole", "ClusterRoleBinding", "Role", "RoleBinding"],
        22,
        "rbac.authorization.k8s.io/v1",
    ),
    gone("scheduling.k8s.io/v1beta1", &["PriorityClass"], 22, "scheduling.k8s.io/v1"),
    gone(
        "storage.k8s.io/v1beta1",
        &["CSIDriver", "CSINode", "StorageClass", "VolumeAttachment"],
        22,
        "storage.k8s.io/v1",
    ),
    gone("autoscaling/v2beta1", &["HorizontalPodAutoscaler"], 25, "autoscaling/v2"),
    gone("batch/v1beta1", &["CronJob"], 25, "batch/v1"),
    gone("discovery.k8s.io/v1beta1", &["EndpointSlice"], 25, "discovery.k8s.io/v1"),
    gone("events.k8s.io/v1beta1", &["Event"], 25, "events.k8s.io/v1"),
    gone("node.k8s.io/v1beta1", &["RuntimeClass"], 25, "node.k8s.io/v1"),
    gone("policy/v1beta1", &["PodDisruptionBudget"], 25, "policy/v1"),
    Gone { api_version: "policy/v1beta1", kinds: &["PodSecurityPolicy"], removed_in: 25, replacement: None },
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

/// The kinds that some version of Kubernetes has or had, some of them more than once.
pub fn kinds() -> impl Iterator<Item = &'static str> {
    pack::EMBEDDED.kinds().map(|entry| entry.kind).chain(GONE.iter().flat_map(|gone| gone.kinds).copied())
}

impl Schemas {
    /// From when until when an API exists, seen from this version of Kubernetes.
    ///
    /// `None` where nothing is known of it.
    #[must_use]
    pub fn life_cycle(&self, group: &str, version: &str, kind: &str) -> Option<LifeCycle> {
        built_in(group, version, kind, self.version)
            .or_else(|| gone_api(group, version, kind))
            .or_else(|| custom(self.crds.kind(group, kind)?, group, version))
    }
}

/// Whether some version of a kind went before the oldest version of the pack.
pub(super) fn is_gone(group: &str, kind: &str) -> bool {
    GONE.iter().any(|gone| split(gone.api_version).0 == group && gone.kinds.contains(&kind))
}

fn built_in(group: &str, version: &str, kind: &str, at: KubeVersion) -> Option<LifeCycle> {
    let own = pack::EMBEDDED.versions(group, kind).find(|entry| entry.version == version)?;
    let introduced = first_minor(&own).filter(|first| *first > KubeVersion::OLDEST);
    let removed_in = removed_in(&own);
    let stabler = || pack::EMBEDDED.versions(group, kind).filter(|entry| is_stabler(entry.version, version));
    let listed = DEPRECATED.iter().find(|entry| (entry.0, entry.1, entry.2) == (group, version, kind));
    let since = match listed {
        Some(entry) => Some(KubeVersion::of_minor(entry.3)),
        None => stabler()
            .filter_map(|entry| first_minor(&entry))
            .min()
            .max(first_minor(&own).filter(|_| stabler().next().is_some())),
    };
    // A version that is gone is replaced by what there was when it went, or is now.
    let last = removed_in.map_or(at, |removed| removed.min(at).max(KubeVersion::OLDEST));
    let best = || {
        let there = stabler().filter(|entry| entry.minors & (last.bit() | at.bit()) != 0);
        there.max_by_key(|entry| rank(entry.version)).map(|entry| api_version(group, entry.version))
    };
    let replacement = listed.map_or_else(best, |entry| entry.4.map(str::to_owned));
    Some(LifeCycle {
        introduced,
        deprecated: since.is_some_and(|since| since <= at),
        deprecated_since: since,
        removed_in,
        replacement,
    })
}

fn gone_api(group: &str, version: &str, kind: &str) -> Option<LifeCycle> {
    let gone =
        GONE.iter().find(|gone| split(gone.api_version) == (group, version) && gone.kinds.contains(&kind))?;
    Some(LifeCycle {
        deprecated: true,
        removed_in: Some(KubeVersion::of_minor(gone.removed_in)),
        replacement: gone.replacement.map(str::to_owned),
        ..LifeCycle::default()
    })
}

fn custom(kind: &CrdKind, group: &str, version: &str) -> Option<LifeCycle> {
    let own = kind.served(version)?;
    let fresh = kind.versions.iter().filter(|other| other.served && !other.deprecated);
    let better = fresh.max_by_key(|other| rank(&other.name));
    let replacement = better.filter(|_| own.deprecated).map(|other| api_version(group, &other.name));
    Some(LifeCycle { deprecated: own.deprecated, replacement, ..LifeCycle::default() })
}

fn first_minor(entry: &KindEntry) -> Option<KubeVersion> {
    KubeVersion::all().find(|version| entry.minors & version.bit() != 0)
}

/// The first version without it, after those that have it.
pub(super) fn removed_in(entry: &KindEntry) -> Option<KubeVersion> {
    let last = KubeVersion::all().rfind(|version| entry.minors & version.bit() != 0)?;
    (last < KubeVersion::NEWEST).then(|| KubeVersion::of_minor(last.minor() + 1))
}

/// How stable a version is: `v2` is before `v1`, which is before `v1beta2`, which is before `v1alpha3`.
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

/// Whether a version supersedes another; stable ones do not supersede each other.
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
        KubeVersion::of_minor(minor)
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
