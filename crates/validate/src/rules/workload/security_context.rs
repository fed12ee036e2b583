//! `workload/security-context`.

use std::collections::HashSet;

use super::plain_pod::plain_pod;
use crate::facts::checked_object::CheckedObject;
use crate::facts::fields::{items, key_origin, text, value};
use crate::facts::rule_context::RuleContext;
use crate::field_checks::forms::{DESCENDING_PATH, SYSCTL};
use crate::field_checks::{FieldCheck, FieldChecker, FieldSection};
use crate::reporter::Reporter;
use crate::rule::{Rule, RuleCheck};
use crate::{ApiRefusal, RuleKind, RulePage};
use sealwave_core::diagnostic::Severity;
use sealwave_core::document::{Node, NodeValue};
use sealwave_kube::pods::containers;

pub(crate) static RULE: Rule = Rule::new(
    RuleKind::Object,
    RulePage {
        id: "workload/security-context",
        severity: Severity::Error,
        summary: "a security context contradicts itself, or has an invalid value",
        text: include_str!("security_context.md"),
    },
    RuleCheck::Pod(check),
)
.refused(ApiRefusal::BuiltInKinds);

/// Maximum id of a user or group.
const MOST_ID: i64 = i32::MAX as i64;

/// Fields of pod and container security contexts.
const IDS: &[FieldSection] = &[
    FieldSection {
        at: "",
        fields: &[
            FieldCheck::between("fsGroup", 0, MOST_ID),
            FieldCheck::between("runAsGroup", 0, MOST_ID),
            FieldCheck::between("runAsUser", 0, MOST_ID),
        ],
    },
    FieldSection { at: "appArmorProfile", fields: &[FieldCheck::not_empty("type")] },
    FieldSection {
        at: "seccompProfile",
        fields: &[FieldCheck::not_empty("type"), FieldCheck::form("localhostProfile", &DESCENDING_PATH)],
    },
];

fn check(object: &CheckedObject<'_>, context: &RuleContext<'_>, reporter: &mut Reporter) {
    let Some(spec) = plain_pod(object) else { return };
    let mut checker = FieldChecker::new(&RULE, object, context, reporter);
    check_host_namespaces(spec, &mut checker);
    if let Some(context) = value(spec, "securityContext") {
        check_context(context, &mut checker);
        check_pod_context(context, &mut checker);
    }
    let has_own_users = has_flag(spec, "hostUsers", false);
    for (_, container) in containers(spec) {
        if let Some(context) = value(container, "securityContext") {
            check_context(context, &mut checker);
            check_container_context(context, has_own_users, &mut checker);
        }
    }
}

fn check_host_namespaces(spec: &Node, checker: &mut FieldChecker<'_>) {
    if has_flag(spec, "hostUsers", false) {
        for field in ["hostNetwork", "hostPID", "hostIPC"] {
            if has_flag(spec, field, true) {
                let message = format!("`{field}` is not allowed with `hostUsers: false`");
                checker.report(key_origin(spec, field), message, "remove one of them");
            }
        }
    }
    if has_flag(spec, "hostPID", true) && has_flag(spec, "shareProcessNamespace", true) {
        let message = "`shareProcessNamespace` is not allowed with `hostPID`";
        checker.report(key_origin(spec, "shareProcessNamespace"), message, "remove one of them");
    }
}

fn check_context(context: &Node, checker: &mut FieldChecker<'_>) {
    checker.check_table(context, IDS);
    for field in ["appArmorProfile", "seccompProfile"] {
        let Some(profile) = value(context, field) else { continue };
        let name = value(profile, "localhostProfile");
        match (text(profile, "type"), name) {
            (Some("Localhost"), None) => {
                let message = format!("a `{field}` of type `Localhost` has no `localhostProfile`");
                checker.report(key_origin(profile, "type"), message, "add the name of a profile on the node");
            }
            (Some("RuntimeDefault" | "Unconfined"), Some(_)) => {
                let message = format!("a `{field}` of this type cannot have `localhostProfile`");
                let at = key_origin(profile, "localhostProfile");
                checker.report(at, message, "remove it, or write `type: Localhost`");
            }
            _ => {}
        }
    }
}

fn check_pod_context(context: &Node, checker: &mut FieldChecker<'_>) {
    for id in items(context, "supplementalGroups") {
        if crate::facts::fields::integer(id).is_some_and(|id| !(0..=MOST_ID).contains(&id)) {
            let message = format!("an id in `supplementalGroups` is not between 0 and {MOST_ID}");
            checker.report(id.origin, message, "write a group id");
        }
    }
    let mut seen = HashSet::new();
    for sysctl in items(context, "sysctls") {
        checker.check_field(sysctl, &FieldCheck::not_empty("name"));
        checker.check_field(sysctl, &FieldCheck::form("name", &SYSCTL));
        if text(sysctl, "name").is_some_and(|name| !seen.insert(name)) {
            checker.report(key_origin(sysctl, "name"), "a sysctl is set twice", "remove one of them");
        }
    }
}

fn check_container_context(context: &Node, has_own_users: bool, checker: &mut FieldChecker<'_>) {
    if has_flag(context, "allowPrivilegeEscalation", false) {
        let at = key_origin(context, "allowPrivilegeEscalation");
        let added = context.items_at(&["capabilities", "add"]);
        if has_flag(context, "privileged", true) {
            let message = "`allowPrivilegeEscalation: false` is not allowed in a privileged container";
            let draft = checker.new_draft(at, message).hint("remove one of them");
            checker.report_draft(draft.related(key_origin(context, "privileged"), "`privileged` is here"));
        } else if added.iter().any(|capability| capability.as_str() == Some("CAP_SYS_ADMIN")) {
            let message = "`allowPrivilegeEscalation: false` is not allowed with `CAP_SYS_ADMIN`";
            checker.report(at, message, "remove one of them");
        }
    }
    if text(context, "procMount") == Some("Unmasked") && !has_own_users {
        let message = "`procMount: Unmasked` needs `hostUsers: false`";
        checker.report(
            key_origin(context, "procMount"),
            message,
            "set `hostUsers: false` in the pod, or remove it",
        );
    }
}

fn has_flag(node: &Node, field: &str, expected: bool) -> bool {
    matches!(node.get(field).map(|node| &node.value), Some(NodeValue::Bool(flag)) if *flag == expected)
}
