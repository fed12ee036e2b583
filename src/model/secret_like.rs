//! Whether an object is, or is meant to be, a Secret; and what of it may be named.

use super::{Manifest, Node, is_item_key};

/// The fields that every Secret has; what else stands at its top may be a value that slipped out of its place.
const FIELDS: &[&str] = &["apiVersion", "kind", "metadata", "data", "stringData", "type", "immutable"];

/// The fields of its metadata.
const METADATA: &[&str] = &[
    "annotations",
    "creationTimestamp",
    "deletionGracePeriodSeconds",
    "deletionTimestamp",
    "finalizers",
    "generateName",
    "generation",
    "labels",
    "managedFields",
    "name",
    "namespace",
    "ownerReferences",
    "resourceVersion",
    "selfLink",
    "uid",
];

/// Whether a tree is a Secret, or what is left of one after a slip: whoever reads a message about it must not see a value.
pub(crate) fn is_secret_like(root: &Node) -> bool {
    let kind = root.get("kind").and_then(Node::as_str).unwrap_or_default();
    let known = matches!(kind, "ConfigMap" | "SealedSecret" | "ExternalSecret" | "SecretProviderClass");
    kind.eq_ignore_ascii_case("secret")
        || root.get("stringData").is_some()
        || (root.get("data").is_some_and(|data| data.as_mapping().is_some()) && !known && !kind.is_empty())
}

/// Whether the key of a Secret's field may be named in a message.
pub(crate) fn may_name(path: &[&str], key: &str, value: &Node) -> bool {
    match path {
        [] => FIELDS.contains(&key),
        ["data" | "stringData"] => is_item_key(key) && value.as_str().is_some(),
        ["metadata"] => METADATA.contains(&key),
        ["metadata", ..] => true,
        _ => false,
    }
}

impl Manifest {
    /// Whether it is a Secret, or what is left of one after a slip.
    pub(crate) fn is_secret_like(&self) -> bool {
        is_secret_like(self.root())
    }
}
