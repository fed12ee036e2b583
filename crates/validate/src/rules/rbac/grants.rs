//! Access to the rules of a role, with support for `*`.

use crate::rules::CheckedObject;
use crate::rules::fields::items;
use sealwave_core::document::{Node, Origin};
use sealwave_kube::catalog::RBAC_GROUP;

/// Maximum number of rules checked per role.
const MOST: usize = 1_000;

/// Returns the rules of a `ClusterRole` or Role, or none for other kinds.
pub(super) fn role_rules<'a>(object: &CheckedObject<'a>) -> &'a [Node] {
    let is_role = object.group == RBAC_GROUP && matches!(object.kind, "ClusterRole" | "Role");
    let rules = if is_role { items(object.manifest.root(), "rules") } else { &[] };
    rules.get(..rules.len().min(MOST)).unwrap_or_default()
}

/// Returns the position of one of some values, or `*`, in a list.
pub(super) fn find_value(rule: &Node, field: &str, any: &[&str]) -> Option<Origin> {
    let matches = |node: &&Node| node.as_str().is_some_and(|text| text == "*" || any.contains(&text));
    items(rule, field).iter().find(matches).map(|node| node.origin)
}

/// Returns the position of `*` in a list.
pub(super) fn find_wildcard(rule: &Node, field: &str) -> Option<Origin> {
    find_value(rule, field, &[])
}

/// Returns whether a rule is limited to certain object names.
pub(super) fn is_limited(rule: &Node) -> bool {
    !items(rule, "resourceNames").is_empty()
}
