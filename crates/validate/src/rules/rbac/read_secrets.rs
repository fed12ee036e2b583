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
        summary: "a role may read all Secrets",
        explanation: "`get` without `resourceNames` opens every Secret of the namespace, of a ClusterRole that is bound \
                      cluster-wide those of all namespaces. `list` and `watch` return whole Secrets, too. `resourceNames` \
                      limits them to single objects only for requests that select by that name, so a program that lists as \
                      usual is refused. `*` in `resources` includes Secrets. Off by default.",
        example: "kind: Role\nrules:\n- {apiGroups: [\"\"], resources: [secrets], verbs: [get, list, watch]}\n",
        remedy: "Name the Secrets, and allow `get` alone:\n\n```yaml\nrules:\n- {apiGroups: [\"\"], resources: [secrets], \
                 resourceNames: [db], verbs: [get]}\n```\n\nA pod that mounts a Secret needs no role for that.",
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
                "`list` and `watch` of Secrets are not made for `resourceNames`",
                "allow `get` alone for these names",
            )
        } else {
            (
                &["get", "list", "watch"],
                "rule allows reading all Secrets",
                "add `resourceNames`, and allow `get` alone",
            )
        };
        let at = if is_limited { named(rule, verbs) } else { grants(rule, "verbs", verbs).map(|_| resource) };
        if let Some(at) = at {
            reporter.report(Draft::new(&RULE, at, message).hint(hint));
        }
    }
}

/// Where a rule names Secrets, of the core group.
fn secrets(rule: &Node) -> Option<Origin> {
    grants(rule, "apiGroups", &[""])?;
    grants(rule, "resources", &["secrets", "secrets/*", "*/*"]).or_else(|| wildcard(rule, "resources"))
}

/// Where one of these verbs is named itself.
fn named(rule: &Node, verbs: &[&str]) -> Option<Origin> {
    let mut all = items(rule, "verbs").iter();
    all.find(|node| node.as_str().is_some_and(|verb| verbs.contains(&verb))).map(|node| node.origin)
}
