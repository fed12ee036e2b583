//! Rules about roles that grant more rights than a program needs.

pub(super) mod cluster_admin;
pub(super) mod escalation;
mod grants;
pub(super) mod read_secrets;
pub(super) mod wildcard;

use super::CheckedObject;
use sealwave_core::document::Node;
use sealwave_kube::catalog::RBAC_GROUP;
use sealwave_kube::pods::ReferencedKind;

/// Returns whether a role in the set allows one of these verbs on all objects of a kind.
pub(super) fn allows(objects: &[CheckedObject<'_>], kind: ReferencedKind, verbs: &[&str]) -> bool {
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
