//! `rbac/escalation`.

use crate::facts::checked_object::CheckedObject;
use crate::facts::fields::items;
use crate::facts::grants::{is_limited, role_rules};
use crate::facts::rule_context::RuleContext;
use crate::reporter::{FindingDraft, Reporter};
use crate::rule::{Rule, RuleCheck};
use crate::{RuleKind, RulePage, RuleTopic};
use sealwave_core::diagnostic::Severity;
use sealwave_core::document::Node;
use sealwave_kube::catalog::RBAC_GROUP;

pub(crate) static RULE: Rule = Rule::new(
    RuleKind::Object,
    RulePage {
        id: "rbac/escalation",
        severity: Severity::Warning,
        summary: "a role allows privilege escalation or impersonation",
        text: include_str!("escalation.md"),
    },
    RuleCheck::Object(check),
)
.about(RuleTopic::Security)
.off_by_default();

/// Dangerous verbs, with their groups, resources and what they allow.
const DANGEROUS: &[(&str, &[&str], &[&str], &str)] = &[
    ("bind", &[RBAC_GROUP], &["clusterroles", "roles"], "bind any role"),
    ("create", &[""], &["serviceaccounts/token"], "create tokens for any service account"),
    ("escalate", &[RBAC_GROUP], &["clusterroles", "roles"], "grant rights that it does not have"),
    (
        "impersonate",
        &["", "authentication.k8s.io"],
        &["groups", "serviceaccounts", "uids", "userextras", "users"],
        "act as others",
    ),
];

fn check(object: &CheckedObject<'_>, _: &RuleContext<'_>, reporter: &mut Reporter) {
    for rule in role_rules(object).iter().filter(|rule| !is_limited(rule)) {
        for (verb, groups, resources, action) in DANGEROUS {
            // Another rule reports wildcards.
            let Some(at) = items(rule, "verbs").iter().find(|node| node.as_str() == Some(verb)) else {
                continue;
            };
            if has(rule, "apiGroups", groups) && has(rule, "resources", resources) {
                let draft = FindingDraft::new(&RULE, at.origin, format!("`{verb}` lets its holder {action}"));
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
