//! `rbac/wildcard`.

use crate::facts::checked_object::CheckedObject;
use crate::facts::grants::{find_wildcard, role_rules};
use crate::facts::rule_context::RuleContext;
use crate::reporter::{FindingDraft, Reporter};
use crate::rule::{Rule, RuleCheck};
use crate::{RuleKind, RulePage, RuleTopic};
use sealwave_core::diagnostic::Severity;

pub(crate) static RULE: Rule = Rule::new(
    RuleKind::Object,
    RulePage {
        id: "rbac/wildcard",
        severity: Severity::Warning,
        summary: "a role grants all permissions on all resources",
        text: include_str!("wildcard.md"),
    },
    RuleCheck::Object(check),
)
.about(RuleTopic::Security)
.off_by_default();

fn check(object: &CheckedObject<'_>, _: &RuleContext<'_>, reporter: &mut Reporter) {
    for rule in role_rules(object) {
        let Some(at) = find_wildcard(rule, "resources") else { continue };
        let fields: Vec<&str> =
            ["apiGroups", "verbs"].into_iter().filter(|field| find_wildcard(rule, field).is_some()).collect();
        if fields.is_empty() {
            continue;
        }
        let message = match fields.as_slice() {
            [_, _] => "rule grants every verb on every resource",
            ["verbs"] => "rule grants every verb on every resource of its groups",
            _ => "rule grants access to every resource of every group",
        };
        let draft = FindingDraft::new(&RULE, at, message);
        reporter.report(draft.hint("name the groups, resources and verbs that are needed"));
    }
}
