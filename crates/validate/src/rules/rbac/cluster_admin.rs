//! `rbac/cluster-admin`.

use crate::rules::fields::text;
use crate::rules::{CheckedObject, FindingDraft, Reporter, Rule, RuleCheck, RuleContext};
use crate::{ApiRefusal, RuleInfo};
use sealwave_core::diagnostic::Severity;
use sealwave_kube::catalog::RBAC_GROUP;

pub(crate) static RULE: Rule = Rule {
    info: RuleInfo {
        id: "rbac/cluster-admin",
        severity: Severity::Warning,
        enabled: false,
        refusal: ApiRefusal::Never,
        summary: "a binding grants all permissions",
        page: include_str!("cluster_admin.md"),
    },
    check: RuleCheck::Object(check),
};

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
