//! `rbac/cluster-admin`.

use crate::rules::fields::text;
use crate::rules::{Check, Draft, Object, Reporter, Rule, Scene};
use crate::{ApiRefusal, RuleInfo};
use sealwave_core::diagnostic::Severity;
use sealwave_kube::catalogue::RBAC;

pub(crate) static RULE: Rule = Rule {
    info: RuleInfo {
        id: "rbac/cluster-admin",
        severity: Severity::Warning,
        enabled: false,
        refusal: ApiRefusal::Never,
        summary: "a binding grants all permissions",
        page: include_str!("cluster_admin.md"),
    },
    check: Check::Object(check),
};

fn check(object: &Object<'_>, _: &Scene<'_>, reporter: &mut Reporter) {
    if object.group != RBAC || !matches!(object.kind, "ClusterRoleBinding" | "RoleBinding") {
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
        reporter
            .report(Draft::new(&RULE, name.origin, message).hint("bind a role that names what is needed"));
    }
}
