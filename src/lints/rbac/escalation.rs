//! `rbac/escalation`.

use super::grants::{is_limited, rules};
use crate::diagnostic::{ApiRefusal, RuleInfo, Severity};
use crate::lints::fields::items;
use crate::lints::{Check, Draft, Object, Reporter, Rule, Scene};
use crate::model::Node;
use crate::model::catalogue::RBAC;

pub(crate) static RULE: Rule = Rule {
    info: RuleInfo {
        id: "rbac/escalation",
        severity: Severity::Warning,
        enabled: false,
        refusal: ApiRefusal::Never,
        summary: "a role may give itself more rights, or act as others",
        explanation: "`escalate` on roles writes rights that its holder does not have, `bind` binds any role, `impersonate` acts \
                      as any user, group or account, and `create` on `serviceaccounts/token` makes tokens of any account. \
                      Whoever has one of them without `resourceNames` has in effect all rights of those. Off by default.",
        example: "kind: ClusterRole\nrules:\n- {apiGroups: [rbac.authorization.k8s.io], resources: [clusterroles], verbs: \
                  [bind, escalate]}\n",
        remedy: "Remove the verb, or limit it to the objects that are meant:\n\n```yaml\nrules:\n- apiGroups: \
                 [rbac.authorization.k8s.io]\n  resources: [clusterroles]\n  resourceNames: [view]\n  verbs: [bind]\n```",
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
