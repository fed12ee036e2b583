//! `rbac/escalation`.

use super::grants::{is_limited, rules};
use crate::rules::fields::items;
use crate::rules::{Check, Draft, Object, Reporter, Rule, Scene};
use crate::{ApiRefusal, RuleInfo};
use sealwave_core::diagnostic::Severity;
use sealwave_core::document::Node;
use sealwave_kube::catalogue::RBAC;

pub(crate) static RULE: Rule = Rule {
    info: RuleInfo {
        id: "rbac/escalation",
        severity: Severity::Warning,
        enabled: false,
        refusal: ApiRefusal::Never,
        summary: "a role allows privilege escalation or impersonation",
        page: include_str!("escalation.md"),
    },
    check: Check::Object(check),
};

/// Dangerous verbs, with their groups, resources and what they allow.
const DANGEROUS: &[(&str, &[&str], &[&str], &str)] = &[
    ("bind", &[RBAC], &["clusterroles", "roles"], "bind any role"),
    ("create", &[""], &["serviceaccounts/token"], "create tokens for any service account"),
    ("escalate", &[RBAC], &["clusterroles", "roles"], "grant rights that it does not have"),
    (
        "impersonate",
        &["", "authentication.k8s.io"],
        &["groups", "serviceaccounts", "uids", "userextras", "users"],
        "act as others",
    ),
];

fn check(object: &Object<'_>, _: &Scene<'_>, reporter: &mut Reporter) {
    for rule in rules(object).iter().filter(|rule| !is_limited(rule)) {
        for (verb, groups, resources, action) in DANGEROUS {
            // Another rule reports wildcards.
            let Some(at) = items(rule, "verbs").iter().find(|node| node.as_str() == Some(verb)) else {
                continue;
            };
            if has(rule, "apiGroups", groups) && has(rule, "resources", resources) {
                let draft = Draft::new(&RULE, at.origin, format!("`{verb}` lets its holder {action}"));
                reporter.report(draft.hint("remove it, or add `resourceNames`"));
            }
        }
    }
}

fn has(rule: &Node, field: &str, any: &[&str]) -> bool {
    // A subresource of `userextras` is the key of an extra field.
    let is_known = |text: &str| any.contains(&text.split_once("extras/").map_or(text, |_| "userextras"));
    items(rule, field).iter().filter_map(Node::as_str).any(|text| text == "*" || is_known(text))
}
