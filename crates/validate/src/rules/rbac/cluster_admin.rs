//! `rbac/cluster-admin`.

use crate::facts::checked_object::CheckedObject;
use crate::facts::fields::text;
use crate::facts::rule_context::RuleContext;
use crate::reporter::{FindingDraft, Reporter};
use crate::rule::{Rule, RuleCheck};
use crate::{RuleKind, RulePage, RuleTopic};
use sealwave_core::diagnostic::Severity;
use sealwave_kube::catalog::RBAC_GROUP;

pub(crate) static RULE: Rule = Rule::new(
    RuleKind::Object,
    RulePage {
        id: "rbac/cluster-admin",
        severity: Severity::Warning,
        summary: "a binding grants all permissions",
        text: include_str!("cluster_admin.md"),
    },
    RuleCheck::Object(check),
)
.about(RuleTopic::Security)
.off_by_default();

fn check(object: &CheckedObject<'_>, _: &RuleContext<'_>, reporter: &mut Reporter) {
    if object.group != RBAC_GROUP || !matches!(object.kind, "ClusterRoleBinding" | "RoleBinding") {
        return;
    }
    let Some(role) = object.manifest.root().get("roleRef") else { return };
    if text(role, "kind") == Some("ClusterRole")
        && let Some(name) = role.get("name").filter(|name| name.as_str() == Some("cluster-admin"))
    {
        let message = if object.kind == "RoleBinding" {
            "binding gives all rights in its namespace"
        } else {
            "binding gives all rights in the cluster"
        };
        reporter.report(
            FindingDraft::new(&RULE, name.origin, message).hint("bind a role that names what is needed"),
        );
    }
}
