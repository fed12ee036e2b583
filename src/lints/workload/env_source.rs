//! `workload/env-source`.

use super::plain_pod;
use crate::diagnostic::{RuleInfo, Severity};
use crate::lints::fields::{items, key_at, listed, set, start, text, value};
use crate::lints::metadata::syntax::is_unfinished;
use crate::lints::{Check, Draft, Object, Reporter, Rule, Scene};
use crate::model::pods::containers;
use crate::model::{Node, Origin};

pub(crate) static RULE: Rule = Rule {
    info: RuleInfo {
        id: "workload/env-source",
        severity: Severity::Error,
        enabled: true,
        refused_by_api_server: false,
        summary: "an environment variable has no source, two of them, or one that does not exist",
        explanation: "`valueFrom` has exactly one of `configMapKeyRef`, `secretKeyRef`, `fieldRef`, `resourceFieldRef` and \
                      `fileKeyRef`, and no `value` beside it; an item of `envFrom` has one of `configMapRef` and `secretRef`. \
                      What is referred to has a name. A `fieldPath` is one of a few. The API server refuses the object.",
        example: "env:\n- name: POD_IP\n  valueFrom: {fieldRef: {fieldPath: status.podIp}}\n- name: TOKEN\n  value: none\n  \
                  valueFrom: {secretKeyRef: {name: web, key: token}}\n",
        remedy: "```yaml\nenv:\n- name: POD_IP\n  valueFrom: {fieldRef: {fieldPath: status.podIP}}\n- name: TOKEN\n  \
                 valueFrom: {secretKeyRef: {name: web, key: token}}\n```",
    },
    check: Check::Pod(check),
};

const SOURCES: &[&str] = &["configMapKeyRef", "secretKeyRef", "fieldRef", "resourceFieldRef", "fileKeyRef"];
const SETS: &[&str] = &["configMapRef", "secretRef"];
/// Fields of a pod that a variable may have; `spec.host` is an old name.
const FIELDS: &[&str] = &[
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

fn check(object: &Object<'_>, _: &Scene<'_>, reporter: &mut Reporter) {
    let Some(spec) = plain_pod(object) else { return };
    for (_, container) in containers(spec) {
        for variable in items(container, "env") {
            of_variable(variable, reporter);
        }
        for from in items(container, "envFrom").iter().filter(|from| from.as_mapping().is_some()) {
            one_of(from, SETS, "an item of `envFrom`", start(from), reporter);
        }
    }
}

fn of_variable(variable: &Node, reporter: &mut Reporter) {
    let Some(from) = value(variable, "valueFrom").filter(|from| from.as_mapping().is_some()) else { return };
    let at = key_at(variable, "valueFrom");
    if text(variable, "value").is_some() {
        let draft = Draft::new(&RULE, at, "an environment variable has both `value` and `valueFrom`");
        reporter
            .report(draft.related(key_at(variable, "value"), "`value` is here").hint("remove one of them"));
    }
    one_of(from, SOURCES, "`valueFrom`", at, reporter);
    let Some(field) = from.at(&["fieldRef", "fieldPath"]) else { return };
    if let Some(path) = field.as_str()
        && !is_field(path)
        && !is_unfinished(path)
    {
        let draft = Draft::new(&RULE, field.origin, "a variable cannot have this field of the pod");
        reporter.report(draft.hint(match similar(path) {
            Some(other) => format!("did you mean `{other}`?"),
            None => "see `kubectl explain pod.spec.containers.env.valueFrom.fieldRef`; labels and annotations are written \
                     `metadata.labels['key']`"
                .to_owned(),
        }));
    }
}

fn one_of(from: &Node, known: &[&str], what: &str, at: Origin, reporter: &mut Reporter) {
    let found = set(from, known);
    match found.as_slice() {
        [] => {
            let draft = Draft::new(&RULE, at, format!("{what} does not say where from"));
            reporter.report(draft.hint(format!("give it one of {}", listed(known))));
        }
        [_] => {}
        [first, second, ..] => {
            let message =
                format!("{what} has `{}` and `{}`, of which it can have one", first.key, second.key);
            let draft = Draft::new(&RULE, second.key_origin, message).hint("remove one of them");
            reporter.report(draft.related(first.key_origin, "the other is here"));
        }
    }
    let refers = |key: &str| matches!(key, "configMapKeyRef" | "secretKeyRef" | "configMapRef" | "secretRef");
    for source in found.iter().filter(|source| refers(&source.key) && source.value.as_mapping().is_some()) {
        let name = value(&source.value, "name");
        if name.is_none_or(|name| name.as_str() == Some("")) {
            let draft = Draft::new(&RULE, source.key_origin, format!("`{}` has no `name`", source.key));
            reporter.report(draft.hint("name the object that has the value"));
        }
    }
}

/// Whether a path is that of a field which a variable may have.
fn is_field(path: &str) -> bool {
    let subscripted = || {
        let (field, rest) = path.split_once("['")?;
        (rest.ends_with("']") && matches!(field, "metadata.annotations" | "metadata.labels")).then_some(())
    };
    FIELDS.contains(&path) || subscripted().is_some()
}

fn similar(path: &str) -> Option<&'static str> {
    let name = path.rsplit('.').next().unwrap_or_default();
    let ends_so =
        |field: &&&str| field.rsplit('.').next().is_some_and(|last| last.eq_ignore_ascii_case(name));
    FIELDS.iter().find(ends_so).copied()
}
