//! `reference/dangling-role`.

use crate::facts::presence::PresenceIndex;
use crate::facts::scene::CheckedEnvironment;
use crate::reporter::{FindingDraft, Reporter};
use crate::rule::{Rule, RuleCheck};
use crate::{RuleKind, RulePage, RuleTopic};
use sealwave_core::diagnostic::Severity;
use sealwave_core::document::Node;
use sealwave_kube::catalog::RBAC_GROUP;

pub(crate) static RULE: Rule = Rule::new(
    RuleKind::Object,
    RulePage {
        id: "reference/dangling-role",
        severity: Severity::Warning,
        summary: "a RoleBinding binds a Role that does not exist in its namespace",
        text: include_str!("dangling_role.md"),
    },
    RuleCheck::Environment(check),
)
.about(RuleTopic::Absence);

fn check(environment: &CheckedEnvironment<'_>, reporter: &mut Reporter) {
    let mut presence = None;
    for (number, object) in environment.indexed_objects() {
        if !object.is(RBAC_GROUP, "RoleBinding") {
            continue;
        }
        let Some(role) = object.manifest.root().get("roleRef") else { continue };
        let Some(name) = role.get("name").filter(|_| role.get("kind").and_then(Node::as_str) == Some("Role"))
        else {
            continue;
        };
        let presence = presence.get_or_insert_with(|| PresenceIndex::new(environment));
        let text = name.as_str().unwrap_or_default();
        let has = || presence.has_object(RBAC_GROUP, "Role", object.namespace, text);
        if text.is_empty() || comes_with_kubernetes(object.namespace, text) || has() {
            continue;
        }
        reporter.report(
            FindingDraft::new(
                &RULE,
                name.origin,
                format!("Role `{text}` does not exist in the namespace of the binding"),
            )
            .about_object(number)
            .severity(presence.severity_of_missing((RBAC_GROUP, "Role"), object.namespace, Severity::Warning))
            .hint("correct the name, or add the Role; built-in roles are ClusterRoles"),
        );
    }
}

/// Returns whether every API server creates this Role when it starts.
fn comes_with_kubernetes(namespace: &str, name: &str) -> bool {
    match namespace {
        "kube-public" => name == "system:controller:bootstrap-signer",
        "kube-system" => {
            name == "extension-apiserver-authentication-reader"
                || name.starts_with("system::leader-locking-kube-")
                || name.starts_with("system:controller:")
        }
        _ => false,
    }
}
