//! `rbac/read-secrets`.

use crate::facts::checked_object::CheckedObject;
use crate::facts::fields::items;
use crate::facts::grants::{find_value, find_wildcard, is_limited, role_rules};
use crate::facts::rule_context::RuleContext;
use crate::reporter::{FindingDraft, Reporter};
use crate::rule::{Rule, RuleCheck};
use crate::{RuleKind, RulePage, RuleTopic};
use sealwave_core::diagnostic::Severity;
use sealwave_core::document::{Node, Origin};

pub(crate) static RULE: Rule = Rule::new(
    RuleKind::Object,
    RulePage {
        id: "rbac/read-secrets",
        severity: Severity::Warning,
        summary: "a role can read all Secrets",
        text: include_str!("read_secrets.md"),
    },
    RuleCheck::Object(check),
)
.about(RuleTopic::Security)
.off_by_default();

fn check(object: &CheckedObject<'_>, _: &RuleContext<'_>, reporter: &mut Reporter) {
    for rule in role_rules(object) {
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
            find_value(rule, "verbs", verbs).map(|_| resource)
        };
        if let Some(at) = at {
            reporter.report(FindingDraft::new(&RULE, at, message).hint(hint));
        }
    }
}

/// Returns the position of Secrets of the core group in a rule.
fn secrets(rule: &Node) -> Option<Origin> {
    find_value(rule, "apiGroups", &[""])?;
    find_value(rule, "resources", &["secrets", "secrets/*", "*/*"])
        .or_else(|| find_wildcard(rule, "resources"))
}

/// Returns the position of one of these verbs, `*` excluded.
fn explicit_verb(rule: &Node, verbs: &[&str]) -> Option<Origin> {
    let mut all = items(rule, "verbs").iter();
    all.find(|node| node.as_str().is_some_and(|verb| verbs.contains(&verb))).map(|node| node.origin)
}
