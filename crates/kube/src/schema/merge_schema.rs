//! The treatment of fields of Kubernetes' own kinds by strategic merge patches.
//!
//! Kubernetes' schemas state which lists are merged, and by which key. Both stay the same for as long as an API version
//! exists, so the newest schema counts, regardless of the cluster's version. Custom resources have no merge keys: the
//! API server refuses strategic merge patches for them. This module ignores the schemas of definitions.

use super::node::{ListKey, ListTopology, NodeId, SchemaNode, ValueType};
use super::pack::{self, DecodedPack};
use super::version::{FIRST_MINOR, KubeVersion};
use sealwave_core::document::{NodeValue, group_and_version};

/// Maps that a patch replaces as a whole, by group and kind. The pack does not hold the patch strategy of map fields.
const REPLACED_MAPS: [(&str, &str, &[&str]); 1] = [("policy", "PodDisruptionBudget", &["spec", "selector"])];

/// A position in the schema of a built-in kind.
#[derive(Clone, Copy, Debug)]
pub struct MergeSchema {
    decoded: &'static DecodedPack,
    /// `None` if the schema does not describe this position.
    id: Option<NodeId>,
    /// The path, from here, of the map that a patch replaces as a whole.
    replaced_map: Option<&'static [&'static str]>,
}

/// The effect of a strategic merge patch on a list.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ListMerge {
    /// Merge items, which are objects, by this key.
    ByKey(&'static str),
    /// Merge items, which are scalars, by value.
    ByValue,
    /// Replace the list.
    Replace,
}

impl MergeSchema {
    /// Returns the schema of a built-in kind, or `None` for any other kind.
    #[must_use]
    pub fn for_kind(api_version: &str, kind: &str) -> Option<Self> {
        let (group, version) = group_and_version(api_version);
        let entry = pack::EMBEDDED.versions(group, kind).find(|entry| entry.version == version)?;
        let newest = u8::try_from(entry.minors.checked_ilog2()?).ok()?;
        let decoded = DecodedPack::for_version(KubeVersion::from_minor(FIRST_MINOR + newest));
        let replaced =
            REPLACED_MAPS.iter().find(|(of_group, of_kind, _)| (*of_group, *of_kind) == (group, kind));
        Some(Self { decoded, id: Some(entry.id), replaced_map: replaced.map(|(_, _, path)| *path) })
    }

    /// Moves to a field of an object.
    #[must_use]
    pub fn field(self, key: &str) -> Self {
        let id = self.node().and_then(|node| match node.fields.find(key) {
            Some(field) => Some(field.id),
            None => node.rest_id(),
        });
        let below = self.replaced_map.and_then(<[_]>::split_first).filter(|(first, _)| **first == key);
        Self { id, replaced_map: below.map(|(_, rest)| rest), ..self }
    }

    /// Moves to the items of a list.
    #[must_use]
    pub fn item(self) -> Self {
        Self { id: self.node().and_then(|node| node.items), replaced_map: None, ..self }
    }

    /// Returns how a patch changes the list at this position.
    #[must_use]
    pub fn list(self) -> ListMerge {
        match self.node().and_then(|node| node.merge_key.filter(|_| node.kind == ValueType::Array)) {
            None => ListMerge::Replace,
            Some("") => ListMerge::ByValue,
            Some(key) => ListMerge::ByKey(key),
        }
    }

    /// Returns whether a patch replaces the map at this position.
    pub fn replaces_map(self) -> bool {
        self.replaced_map.is_some_and(<[_]>::is_empty)
    }

    /// Returns the keys that together identify an item of the list at this position, with their defaults. They may
    /// include more than the merge key, for example `containerPort` and `protocol`.
    pub fn list_keys(self) -> impl Iterator<Item = (&'static str, Option<&'static NodeValue>)> {
        let keys: &[ListKey] = match self.node().map(|node| &node.topology) {
            Some(ListTopology::Map(keys)) => keys,
            _ => &[],
        };
        keys.iter().map(|key| (key.name.as_str(), key.default.as_ref()))
    }

    /// Returns whether a field of the object at this position is required.
    #[must_use]
    pub fn requires(self, key: &str) -> bool {
        self.node().and_then(|node| node.fields.find(key)).is_some_and(|field| field.required)
    }

    fn node(self) -> Option<&'static SchemaNode> {
        self.id.map(|id| self.decoded.node(id))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(api_version: &str, kind: &str, path: &[&str]) -> MergeSchema {
        let root = MergeSchema::for_kind(api_version, kind).expect("a built-in kind");
        path.iter().fold(root, |schema, step| if *step == "[]" { schema.item() } else { schema.field(step) })
    }

    #[test]
    fn lists_are_merged_as_in_kubernetes() {
        let pod = ["spec", "template", "spec"];
        let containers = [&pod[..], &["containers"]].concat();
        for (api_version, kind, path, wanted) in [
            ("apps/v1", "Deployment", containers.clone(), ListMerge::ByKey("name")),
            (
                "apps/v1",
                "Deployment",
                [&containers[..], &["[]", "ports"]].concat(),
                ListMerge::ByKey("containerPort"),
            ),
            (
                "apps/v1",
                "Deployment",
                [&containers[..], &["[]", "volumeMounts"]].concat(),
                ListMerge::ByKey("mountPath"),
            ),
            ("apps/v1", "Deployment", [&containers[..], &["[]", "args"]].concat(), ListMerge::Replace),
            ("apps/v1", "Deployment", [&pod[..], &["tolerations"]].concat(), ListMerge::Replace),
            ("apps/v1", "Deployment", [&pod[..], &["hostAliases"]].concat(), ListMerge::ByKey("ip")),
            ("apps/v1", "Deployment", vec!["metadata", "finalizers"], ListMerge::ByValue),
            ("v1", "Service", vec!["spec", "ports"], ListMerge::ByKey("port")),
            ("v1", "ServiceAccount", vec!["secrets"], ListMerge::ByKey("name")),
            ("v1", "ServiceAccount", vec!["imagePullSecrets"], ListMerge::Replace),
            ("networking.k8s.io/v1", "Ingress", vec!["spec", "rules"], ListMerge::Replace),
            ("v1", "ConfigMap", vec!["data", "containers"], ListMerge::Replace),
            ("v1", "ConfigMap", vec!["nothing", "of", "that"], ListMerge::Replace),
        ] {
            assert_eq!(at(api_version, kind, &path).list(), wanted, "{kind} {path:?}");
        }
        assert!(MergeSchema::for_kind("example.com/v1", "Widget").is_none());
        assert!(MergeSchema::for_kind("apps/v2", "Deployment").is_none());
        let beta = at("autoscaling/v2beta2", "HorizontalPodAutoscaler", &["metadata", "ownerReferences"]);
        assert_eq!(beta.list(), ListMerge::ByKey("uid"), "the newest version that has it counts");
    }

    #[test]
    fn keys_required_fields_and_replaced_maps_are_known() {
        let ports = at("v1", "Service", &["spec", "ports"]);
        let keys: Vec<_> = ports.list_keys().map(|(name, default)| (name, default.is_some())).collect();
        assert_eq!(keys, [("port", false), ("protocol", true)]);
        let container = at("v1", "Pod", &["spec", "containers", "[]"]);
        assert!(container.requires("image") && container.requires("name") && !container.requires("command"));
        assert!(at("policy/v1", "PodDisruptionBudget", &["spec", "selector"]).replaces_map());
        for (api_version, kind, path) in [
            ("policy/v1", "PodDisruptionBudget", &["spec"][..]),
            ("policy/v1", "PodDisruptionBudget", &["spec", "selector", "matchLabels"]),
            ("policy/v1", "PodDisruptionBudget", &["selector"]),
            ("apps/v1", "Deployment", &["spec", "selector"]),
        ] {
            assert!(!at(api_version, kind, path).replaces_map(), "{kind} {path:?}");
        }
    }
}
