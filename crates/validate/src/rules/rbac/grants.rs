//! The grants of a role: the fields of one rule, with `*` and subresources understood.

use crate::rules::Object;
use crate::rules::fields::items;
use sealwave_core::document::{Node, Origin};
use sealwave_kube::catalogue::RBAC;

/// Rules of one role that are looked at.
const MOST: usize = 1_000;

/// The rules of a `ClusterRole` or Role; none of another kind.
pub(super) fn rules<'a>(object: &Object<'a>) -> &'a [Node] {
    let is_role = object.group == RBAC && matches!(object.kind, "ClusterRole" | "Role");
    let rules = if is_role { items(object.manifest.root(), "rules") } else { &[] };
    rules.get(..rules.len().min(MOST)).unwrap_or_default()
}

/// Where a list has one of some texts, or `*`.
pub(super) fn grants(rule: &Node, field: &str, any: &[&str]) -> Option<Origin> {
    let matches = |node: &&Node| node.as_str().is_some_and(|text| text == "*" || any.contains(&text));
    items(rule, field).iter().find(matches).map(|node| node.origin)
}

/// Where a list has `*`.
pub(super) fn wildcard(rule: &Node, field: &str) -> Option<Origin> {
    grants(rule, field, &[])
}

/// Returns whether a rule is for objects of certain names alone.
pub(super) fn is_limited(rule: &Node) -> bool {
    !items(rule, "resourceNames").is_empty()
}
