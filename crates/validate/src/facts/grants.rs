//! Access to the rules of a role, with support for `*`.

use crate::facts::checked_object::CheckedObject;
use crate::facts::fields::items;
use sealwave_core::document::{Node, Origin};
use sealwave_kube::catalog::RBAC_GROUP;
use sealwave_kube::pods::ReferencedKind;

/// Maximum number of rules checked per role.
const MOST: usize = 1_000;

/// Returns the rules of a `ClusterRole` or Role, or none for other kinds.
pub(crate) fn role_rules<'a>(object: &CheckedObject<'a>) -> &'a [Node] {
    let is_role = object.group == RBAC_GROUP && matches!(object.kind, "ClusterRole" | "Role");
    let rules = if is_role { items(object.manifest.root(), "rules") } else { &[] };
    rules.get(..rules.len().min(MOST)).unwrap_or_default()
}

/// Returns the position of one of some values, or `*`, in a list.
pub(crate) fn find_value(rule: &Node, field: &str, any: &[&str]) -> Option<Origin> {
    let matches = |node: &&Node| node.as_str().is_some_and(|text| text == "*" || any.contains(&text));
    items(rule, field).iter().find(matches).map(|node| node.origin)
}

/// Returns the position of `*` in a list.
pub(crate) fn find_wildcard(rule: &Node, field: &str) -> Option<Origin> {
    find_value(rule, field, &[])
}

/// Returns whether a rule is limited to certain object names.
pub(crate) fn is_limited(rule: &Node) -> bool {
    !items(rule, "resourceNames").is_empty()
}

/// Returns whether a role in the set allows one of these verbs on all objects of a kind.
pub(crate) fn allows(objects: &[CheckedObject<'_>], kind: ReferencedKind, verbs: &[&str]) -> bool {
    let resource = match kind {
        ReferencedKind::ConfigMap => "configmaps",
        ReferencedKind::PersistentVolumeClaim => "persistentvolumeclaims",
        ReferencedKind::Secret => "secrets",
        ReferencedKind::SecretProviderClass => "secretproviderclasses",
        ReferencedKind::ServiceAccount => "serviceaccounts",
    };
    let has = |rule: &Node, field: &str, any: &[&str]| {
        let items = rule.items_at(&[field]);
        items.iter().filter_map(Node::as_str).any(|text| text == "*" || any.contains(&text))
    };
    let roles = objects.iter().filter(|object| object.group == RBAC_GROUP && object.kind.ends_with("Role"));
    let mut granted = roles.flat_map(|role| role.manifest.root().items_at(&["rules"]));
    granted.any(|rule| {
        has(rule, "resources", &[resource])
            && has(rule, "verbs", verbs)
            && rule.get("resourceNames").is_none_or(|names| names.items().is_empty())
    })
}
