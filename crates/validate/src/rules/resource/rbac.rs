//! `resource/rbac`.

use crate::facts::checked_object::CheckedObject;
use crate::facts::fields::{items, key_origin, set_entries, start_origin, text, value};
use crate::facts::later_stage::LaterStage;
use crate::facts::rule_context::RuleContext;
use crate::field_checks::forms::{PATH_SEGMENT, SUBDOMAIN};
use crate::field_checks::{FieldCheck, FieldChecker};
use crate::reporter::{FindingDraft, Reporter};
use crate::rule::{Rule, RuleCheck};
use crate::{ApiRefusal, RuleKind, RulePage};
use sealwave_core::diagnostic::Severity;
use sealwave_core::document::{Node, Origin};
use sealwave_kube::catalog::RBAC_GROUP;

pub(crate) static RULE: Rule = Rule::new(
    RuleKind::Object,
    RulePage {
        id: "resource/rbac",
        severity: Severity::Error,
        summary: "a role or a binding is incomplete or invalid",
        text: include_str!("rbac.md"),
    },
    RuleCheck::Object(check),
)
.refused(ApiRefusal::BuiltInKinds);

fn check(object: &CheckedObject<'_>, context: &RuleContext<'_>, reporter: &mut Reporter) {
    if object.group != RBAC_GROUP {
        return;
    }
    let stage = LaterStage::for_object(object, context);
    check_names(object, context, reporter);
    let root = object.manifest.root();
    match object.kind {
        "ClusterRole" | "Role" => {
            for rule in items(root, "rules").iter().filter(|rule| rule.as_mapping().is_some()) {
                check_rule(rule, object.kind, reporter);
            }
        }
        "ClusterRoleBinding" | "RoleBinding" => {
            if let Some(reference) = value(root, "roleRef") {
                check_role(reference, object.kind, stage, reporter);
            }
            for subject in items(root, "subjects").iter().filter(|subject| subject.as_mapping().is_some()) {
                check_subject(subject, object.kind, stage, reporter);
            }
        }
        _ => {}
    }
}

/// Checks names, and the selectors of an aggregated role.
fn check_names(object: &CheckedObject<'_>, context: &RuleContext<'_>, reporter: &mut Reporter) {
    let root = object.manifest.root();
    let mut checker = FieldChecker::new(&RULE, object, context, reporter);
    if let Some(reference) = value(root, "roleRef") {
        checker.check_field(reference, &FieldCheck::not_empty("name"));
        checker.check_field(reference, &FieldCheck::form("name", &PATH_SEGMENT));
    }
    for subject in items(root, "subjects") {
        checker.check_field(subject, &FieldCheck::not_empty("name"));
        if text(subject, "kind") == Some("ServiceAccount") {
            checker.check_field(subject, &FieldCheck::form("name", &SUBDOMAIN));
        }
    }
    let Some(aggregation) = value(root, "aggregationRule") else { return };
    checker.check_field(aggregation, &FieldCheck::present("clusterRoleSelectors"));
    for selector in items(aggregation, "clusterRoleSelectors") {
        checker.check_selector(selector);
    }
}

fn check_rule(rule: &Node, kind: &str, reporter: &mut Reporter) {
    let has_items = |field: &str| !items(rule, field).is_empty();
    let mut report = |at: Origin, message: String, hint: &'static str| {
        reporter.report(FindingDraft::new(&RULE, at, message).hint(hint));
    };
    if !has_items("verbs") {
        report(
            key_origin(rule, "verbs"),
            "the rule has no `verbs`".to_owned(),
            "add the allowed verbs, like `[get, list]`",
        );
    }
    if has_items("nonResourceURLs") {
        let at = key_origin(rule, "nonResourceURLs");
        if kind == "Role" {
            report(at, "a Role cannot have `nonResourceURLs`".to_owned(), "move the rule into a ClusterRole");
        } else if has_items("apiGroups") || has_items("resources") || has_items("resourceNames") {
            report(
                at,
                "a rule cannot have both resources and `nonResourceURLs`".to_owned(),
                "split it into two rules",
            );
        }
        return;
    }
    for (field, hint) in [
        ("apiGroups", "add the group; `\"\"` is the group of Pods, Services and Secrets"),
        ("resources", "add the resources, in plural and lower case"),
    ] {
        if !has_items(field) {
            report(key_origin(rule, field), format!("the rule has no `{field}`"), hint);
        }
    }
}

fn check_role(reference: &Node, kind: &str, stage: LaterStage, reporter: &mut Reporter) {
    for entry in set_entries(reference, &["apiGroup", "kind"]) {
        let node = &entry.value;
        let Some(value_text) = node.as_str().filter(|text| !stage.may_fill(text)) else { continue };
        let (message, hint) = match (entry.key.as_str(), kind, value_text) {
            ("apiGroup", _, "" | RBAC_GROUP)
            | ("kind", _, "ClusterRole")
            | ("kind", "RoleBinding", "Role") => {
                continue;
            }
            ("apiGroup", ..) => ("`apiGroup` of the role is not `rbac.authorization.k8s.io`", "correct it"),
            (_, "ClusterRoleBinding", "Role") => {
                ("a ClusterRoleBinding cannot bind a Role", "bind a ClusterRole, or write a RoleBinding")
            }
            _ => ("`kind` is not a role kind", "write `ClusterRole` or `Role`; case matters"),
        };
        reporter.report(FindingDraft::new(&RULE, node.origin, message).hint(hint));
    }
}

fn check_subject(subject: &Node, kind: &str, stage: LaterStage, reporter: &mut Reporter) {
    let group = subject.get("apiGroup");
    let value_text = group.and_then(Node::as_str).unwrap_or_default();
    let mut report = |at: Origin, message: &'static str, hint: &'static str| {
        reporter.report(FindingDraft::new(&RULE, at, message).hint(hint));
    };
    match text(subject, "kind") {
        Some("ServiceAccount") => {
            if let Some(group) = group.filter(|_| !value_text.is_empty() && !stage.may_fill(value_text)) {
                report(group.origin, "`apiGroup` of a ServiceAccount is not empty", "remove `apiGroup`");
            }
            if kind == "ClusterRoleBinding"
                && value(subject, "namespace").is_none_or(|it| it.as_str() == Some(""))
            {
                reporter.report(
                    FindingDraft::new(&RULE, start_origin(subject), "the ServiceAccount has no `namespace`")
                        .missing_field("namespace")
                        .hint("add the namespace of the account"),
                );
            }
        }
        Some("Group" | "User") => {
            if let Some(group) =
                group.filter(|_| !matches!(value_text, "" | RBAC_GROUP) && !stage.may_fill(value_text))
            {
                report(
                    group.origin,
                    "`apiGroup` of the subject is not `rbac.authorization.k8s.io`",
                    "correct it",
                );
            }
        }
        Some(other) if !stage.may_fill(other) => {
            let at = subject.get("kind").map_or(subject.origin, |kind| kind.origin);
            report(
                at,
                "`kind` is not a subject kind",
                "write `Group`, `ServiceAccount` or `User`; case matters",
            );
        }
        _ => {}
    }
}
