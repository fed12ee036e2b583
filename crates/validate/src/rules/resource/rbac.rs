//! `resource/rbac`.

use crate::rules::field_checks::forms::{PATH_SEGMENT, SUBDOMAIN};
use crate::rules::field_checks::{Field, FieldChecker};
use crate::rules::fields::{items, key_at, set, start, text, value};
use crate::rules::{Check, Draft, LaterStage, Object, Reporter, Rule, Scene};
use crate::{ApiRefusal, RuleInfo};
use sealwave_core::diagnostic::Severity;
use sealwave_core::document::{Node, Origin};
use sealwave_kube::catalogue::RBAC;

pub(crate) static RULE: Rule = Rule {
    info: RuleInfo {
        id: "resource/rbac",
        severity: Severity::Error,
        enabled: true,
        refusal: ApiRefusal::BuiltInKinds,
        summary: "a role or a binding is incomplete or invalid",
        page: include_str!("rbac.md"),
    },
    check: Check::Object(check),
};

fn check(object: &Object<'_>, scene: &Scene<'_>, reporter: &mut Reporter) {
    if object.group != RBAC {
        return;
    }
    let stage = LaterStage::of(object, scene);
    names(object, scene, reporter);
    let root = object.manifest.root();
    match object.kind {
        "ClusterRole" | "Role" => {
            for rule in items(root, "rules").iter().filter(|rule| rule.as_mapping().is_some()) {
                of_rule(rule, object.kind, reporter);
            }
        }
        "ClusterRoleBinding" | "RoleBinding" => {
            if let Some(reference) = value(root, "roleRef") {
                role(reference, object.kind, stage, reporter);
            }
            for subject in items(root, "subjects").iter().filter(|subject| subject.as_mapping().is_some()) {
                of_subject(subject, object.kind, stage, reporter);
            }
        }
        _ => {}
    }
}

/// Checks names, and the selectors of an aggregated role.
fn names(object: &Object<'_>, scene: &Scene<'_>, reporter: &mut Reporter) {
    let root = object.manifest.root();
    let mut checker = FieldChecker::new(&RULE, object, scene, reporter);
    if let Some(reference) = value(root, "roleRef") {
        checker.field(reference, &Field::not_empty("name"));
        checker.field(reference, &Field::form("name", &PATH_SEGMENT));
    }
    for subject in items(root, "subjects") {
        checker.field(subject, &Field::not_empty("name"));
        if text(subject, "kind") == Some("ServiceAccount") {
            checker.field(subject, &Field::form("name", &SUBDOMAIN));
        }
    }
    let Some(aggregation) = value(root, "aggregationRule") else { return };
    checker.field(aggregation, &Field::present("clusterRoleSelectors"));
    for selector in items(aggregation, "clusterRoleSelectors") {
        checker.selector(selector);
    }
}

fn of_rule(rule: &Node, kind: &str, reporter: &mut Reporter) {
    let has = |field: &str| !items(rule, field).is_empty();
    let mut report = |at: Origin, message: String, hint: &'static str| {
        reporter.report(Draft::new(&RULE, at, message).hint(hint));
    };
    if !has("verbs") {
        report(
            key_at(rule, "verbs"),
            "the rule has no `verbs`".to_owned(),
            "say what may be done, like `[get, list]`",
        );
    }
    if has("nonResourceURLs") {
        let at = key_at(rule, "nonResourceURLs");
        if kind == "Role" {
            report(at, "a Role cannot have `nonResourceURLs`".to_owned(), "move the rule into a ClusterRole");
        } else if has("apiGroups") || has("resources") || has("resourceNames") {
            report(at, "a rule has either resources or `nonResourceURLs`".to_owned(), "make two rules of it");
        }
        return;
    }
    for (field, hint) in [
        ("apiGroups", "name the group; `\"\"` is that of Pods, Services and Secrets"),
        ("resources", "name the resources, in the plural and in lower case"),
    ] {
        if !has(field) {
            report(key_at(rule, field), format!("the rule has no `{field}`"), hint);
        }
    }
}

fn role(reference: &Node, kind: &str, stage: LaterStage, reporter: &mut Reporter) {
    for entry in set(reference, &["apiGroup", "kind"]) {
        let node = &entry.value;
        let Some(said) = node.as_str().filter(|text| !stage.may_fill(text)) else { continue };
        let (message, hint) = match (entry.key.as_str(), kind, said) {
            ("apiGroup", _, "" | RBAC) | ("kind", _, "ClusterRole") | ("kind", "RoleBinding", "Role") => {
                continue;
            }
            ("apiGroup", ..) => ("the group of the role is another one", "write `rbac.authorization.k8s.io`"),
            (_, "ClusterRoleBinding", "Role") => {
                ("a ClusterRoleBinding cannot bind a Role", "bind a ClusterRole, or make a RoleBinding")
            }
            _ => ("this is no kind of role", "write `ClusterRole` or `Role`; case counts"),
        };
        reporter.report(Draft::new(&RULE, node.origin, message).hint(hint));
    }
}

fn of_subject(subject: &Node, kind: &str, stage: LaterStage, reporter: &mut Reporter) {
    let group = subject.get("apiGroup");
    let said = group.and_then(Node::as_str).unwrap_or_default();
    let mut report = |at: Origin, message: &'static str, hint: &'static str| {
        reporter.report(Draft::new(&RULE, at, message).hint(hint));
    };
    match text(subject, "kind") {
        Some("ServiceAccount") => {
            if let Some(group) = group.filter(|_| !said.is_empty() && !stage.may_fill(said)) {
                report(group.origin, "the group of a ServiceAccount is empty", "remove `apiGroup`");
            }
            if kind == "ClusterRoleBinding"
                && value(subject, "namespace").is_none_or(|it| it.as_str() == Some(""))
            {
                report(
                    start(subject),
                    "the ServiceAccount has no `namespace`",
                    "add the namespace of the account",
                );
            }
        }
        Some("Group" | "User") => {
            if let Some(group) = group.filter(|_| !matches!(said, "" | RBAC) && !stage.may_fill(said)) {
                report(
                    group.origin,
                    "the group of the subject is another one",
                    "write `rbac.authorization.k8s.io`",
                );
            }
        }
        Some(other) if !stage.may_fill(other) => {
            let at = subject.get("kind").map_or(subject.origin, |kind| kind.origin);
            report(
                at,
                "this is no kind of subject",
                "write `Group`, `ServiceAccount` or `User`; case counts",
            );
        }
        _ => {}
    }
}
