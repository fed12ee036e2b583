//! `workload/selector-mismatch`.

use crate::diagnostic::{RuleInfo, Severity};
use crate::lints::selectors::labels;
use crate::lints::{Check, Draft, Object, Reporter, Rule, Scene};
use crate::model::Mapping;

pub(crate) static RULE: Rule = Rule {
    info: RuleInfo {
        id: "workload/selector-mismatch",
        severity: Severity::Error,
        enabled: true,
        summary: "a workload does not select the pods of its own template",
        explanation: "Every label of `spec.selector.matchLabels` must be on `spec.template.metadata.labels` with the same value. \
                      The API server refuses the object otherwise (`selector does not match template labels`), and the sync \
                      fails.",
        example: "spec:\n  selector: {matchLabels: {app: web}}\n  template:\n    metadata: {labels: {app: wbe}}\n",
        remedy: "Give both the same labels. A selector cannot be changed once the workload exists, so correct the template \
                 where that is so.",
    },
    check: Check::Object(check),
};

/// How many labels are compared.
const LABELS: usize = 1_000;

fn check(object: &Object<'_>, _: &Scene<'_>, reporter: &mut Reporter) {
    let path: &[&str] = match (object.group, object.kind) {
        ("apps", "DaemonSet" | "Deployment" | "ReplicaSet" | "StatefulSet") | ("argoproj.io", "Rollout") => {
            &["spec", "selector", "matchLabels"]
        }
        ("", "ReplicationController") => &["spec", "selector"],
        _ => return,
    };
    let Some(selector) = object.manifest.root().at(path).and_then(|selector| selector.as_mapping()) else {
        return;
    };
    if object.pod.is_none() {
        return;
    }
    let empty = Mapping::default();
    let labels = labels(object).unwrap_or(&empty);
    if labels.len().max(selector.len()) > LABELS {
        return;
    }
    for wanted in selector.entries() {
        let found = labels.entry(&wanted.key);
        // What is no string is another rule's.
        if wanted.value.as_str().is_none() || found.is_some_and(|label| label.value.as_str().is_none()) {
            continue;
        }
        let (at, message) = match found {
            Some(label) if label.value == wanted.value => continue,
            Some(_) => (
                wanted.value.origin,
                format!("the template has another value for the selected label `{}`", wanted.key),
            ),
            None => {
                (wanted.key_origin, format!("the template does not have the selected label `{}`", wanted.key))
            }
        };
        let draft = Draft::new(&RULE, at, message).hint("give selector and pod template the same labels");
        reporter.report(match found.or_else(|| labels.entries().first()) {
            Some(label) => draft.related(label.key_origin, "the labels of the template are here"),
            None => draft,
        });
    }
}
