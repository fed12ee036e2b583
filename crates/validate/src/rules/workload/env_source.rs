//! `workload/env-source`.

use super::plain_pod::plain_pod;
use crate::facts::checked_object::CheckedObject;
use crate::facts::fields::{items, key_origin, quoted_list, set_entries, start_origin, text, value};
use crate::facts::rule_context::RuleContext;
use crate::field_checks::forms::{CONFIG_KEY, ENV_NAME, LABEL, NO_BACKSTEPS, SUBDOMAIN};
use crate::field_checks::pod_fields::{check_pod_field, check_resource_field};
use crate::field_checks::{FieldCheck, FieldChecker, FieldSection};
use crate::reporter::Reporter;
use crate::rule::{Rule, RuleCheck};
use crate::{ApiRefusal, RuleKind, RulePage};
use sealwave_core::diagnostic::Severity;
use sealwave_core::document::{Node, Origin};
use sealwave_kube::pods::containers;

pub(crate) static RULE: Rule = Rule::new(
    RuleKind::Object,
    RulePage {
        id: "workload/env-source",
        severity: Severity::Error,
        summary: "an environment variable has an invalid name or not exactly one valid source",
        text: include_str!("env_source.md"),
    },
    RuleCheck::AnyPod(check),
)
.refused(ApiRefusal::BuiltInKinds);

const SOURCES: &[&str] = &["configMapKeyRef", "secretKeyRef", "fieldRef", "resourceFieldRef", "fileKeyRef"];
const SETS: &[&str] = &["configMapRef", "secretRef"];
/// Sources that refer to another object.
const REFERENCES: &[&str] = &["configMapKeyRef", "secretKeyRef", "configMapRef", "secretRef"];
/// Pod fields that are available to variables; `spec.host` is an old name.
const POD_FIELDS: &[&str] = &[
    "metadata.name",
    "metadata.namespace",
    "metadata.uid",
    "spec.host",
    "spec.nodeName",
    "spec.serviceAccountName",
    "status.hostIP",
    "status.hostIPs",
    "status.podIP",
    "status.podIPs",
];

const REFERENCE: &[FieldCheck] = &[FieldCheck::form("name", &SUBDOMAIN)];
const KEY_REFERENCE: &[FieldCheck] = &[
    FieldCheck::form("name", &SUBDOMAIN),
    FieldCheck::not_empty("key"),
    FieldCheck::form("key", &CONFIG_KEY),
];

/// Fields of a container.
const SECTIONS: &[FieldSection] = &[
    FieldSection {
        at: "env[]",
        fields: &[FieldCheck::not_empty("name"), FieldCheck::form("name", &ENV_NAME)],
    },
    FieldSection { at: "env[].valueFrom.configMapKeyRef", fields: KEY_REFERENCE },
    FieldSection { at: "env[].valueFrom.secretKeyRef", fields: KEY_REFERENCE },
    FieldSection {
        at: "env[].valueFrom.fileKeyRef",
        fields: &[
            FieldCheck::not_empty("key"),
            FieldCheck::form("key", &ENV_NAME),
            FieldCheck::not_empty("path"),
            FieldCheck::form("path", &NO_BACKSTEPS),
            FieldCheck::not_empty("volumeName"),
            FieldCheck::form("volumeName", &LABEL),
        ],
    },
    FieldSection { at: "envFrom[]", fields: &[FieldCheck::form("prefix", &ENV_NAME)] },
    FieldSection { at: "envFrom[].configMapRef", fields: REFERENCE },
    FieldSection { at: "envFrom[].secretRef", fields: REFERENCE },
];

fn check(object: &CheckedObject<'_>, context: &RuleContext<'_>, reporter: &mut Reporter) {
    let Some(spec) = plain_pod(object) else { return };
    let mut checker = FieldChecker::new(&RULE, object, context, reporter);
    for (_, container) in containers(spec) {
        if container.get("env").is_none() && container.get("envFrom").is_none() {
            continue;
        }
        checker.check_table(container, SECTIONS);
        for variable in items(container, "env") {
            check_variable(variable, &mut checker);
        }
        for from in items(container, "envFrom").iter().filter(|from| from.as_mapping().is_some()) {
            check_one_source(from, SETS, "an item of `envFrom`", start_origin(from), &mut checker);
        }
    }
}

fn check_variable(variable: &Node, checker: &mut FieldChecker<'_>) {
    let Some(from) = value(variable, "valueFrom").filter(|from| from.as_mapping().is_some()) else { return };
    let at = key_origin(variable, "valueFrom");
    if text(variable, "value").is_some() {
        let draft = checker.new_draft(at, "an environment variable has both `value` and `valueFrom`");
        checker.report_draft(
            draft.related(key_origin(variable, "value"), "`value` is here").hint("remove one of them"),
        );
    }
    check_one_source(from, SOURCES, "`valueFrom`", at, checker);
    if let Some(source) = value(from, "fieldRef") {
        check_pod_field(source, POD_FIELDS, checker);
    }
    if let Some(source) = value(from, "resourceFieldRef") {
        check_resource_field(source, checker);
    }
}

fn check_one_source(from: &Node, known: &[&str], noun: &str, at: Origin, checker: &mut FieldChecker<'_>) {
    let found = set_entries(from, known);
    match found.as_slice() {
        [] => {
            checker.report(at, format!("{noun} has no source"), format!("add one of {}", quoted_list(known)));
        }
        [_] => {}
        [first, second, ..] => {
            let message =
                format!("{noun} has both `{}` and `{}`, but can have only one", first.key, second.key);
            let draft = checker.new_draft(second.key_origin, message).hint("remove one of them");
            checker.report_draft(draft.related(first.key_origin, "the other is here"));
        }
    }
    for source in found
        .iter()
        .filter(|source| REFERENCES.contains(&source.key.as_str()) && source.value.as_mapping().is_some())
    {
        let name = value(&source.value, "name");
        if name.is_none_or(|name| name.as_str() == Some("")) {
            let message = format!("`{}` has no `name`", source.key);
            checker.report(source.key_origin, message, "add the name of the object");
        }
    }
}
