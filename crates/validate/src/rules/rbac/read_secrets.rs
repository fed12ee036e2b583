//! `rbac/read-secrets`.

use super::grants::{grants, is_limited, rules, wildcard};
use crate::rules::fields::items;
use crate::rules::{Check, Draft, Object, Reporter, Rule, Scene};
use crate::{ApiRefusal, RuleInfo};
use sealwave_core::diagnostic::Severity;
use sealwave_core::document::{Node, Origin};

pub(crate) static RULE: Rule = Rule {
    info: RuleInfo {
        id: "rbac/read-secrets",
        severity: Severity::Warning,
        enabled: false,
        refusal: ApiRefusal::Never,
        summary: "a role can read all Secrets",
        page: include_str!("read_secrets.md"),
    },
    check: Check::Object(check),
};

fn check(object: &Object<'_>, _: &Scene<'_>, reporter: &mut Reporter) {
    for rule in rules(object) {
        let Some(resource) = secrets(rule) else { continue };
        let is_limited = is_limited(rule);
        let (verbs, message, hint): (&[&str], _, _) = if is_limited {
            (
                &["list", "watch"],
                "`list` and `watch` of Secrets do not work with `resourceNames`",
                "allow only `get` for these names",
            )
        } else {
            (
                &["get", "list", "watch"],
                "rule allows reading all Secrets",
                "add `resourceNames`, and allow only `get`",
            )
        };
        let at = if is_limited {
            explicit_verb(rule, verbs)
        } else {
            grants(rule, "verbs", verbs).map(|_| resource)
        };
        if let Some(at) = at {
            reporter.report(Draft::new(&RULE, at, message).hint(hint));
        }
    }
}

/// Returns the position of Secrets of the core group in a rule.
fn secrets(rule: &Node) -> Option<Origin> {
    grants(rule, "apiGroups", &[""])?;
    grants(rule, "resources", &["secrets", "secrets/*", "*/*"]).or_else(|| wildcard(rule, "resources"))
}

/// Returns the position of one of these verbs, `*` excluded.
fn explicit_verb(rule: &Node, verbs: &[&str]) -> Option<Origin> {
    let mut all = items(rule, "verbs").iter();
    all.find(|node| node.as_str().is_some_and(|verb| verbs.contains(&verb))).map(|node| node.origin)
}
