//! `resource/claim`.

use crate::diagnostic::{RuleInfo, Severity};
use crate::lints::fields::{items, key_at, start, text, value};
use crate::lints::{Check, Draft, Object, Reporter, Rule, Scene};
use crate::model::{Node, Value};
use crate::schema::Quantity;

pub(crate) static RULE: Rule = Rule {
    info: RuleInfo {
        id: "resource/claim",
        severity: Severity::Error,
        enabled: true,
        refused_by_api_server: false,
        summary: "a claim does not say how it is accessed or how much storage it wants",
        explanation: "A PersistentVolumeClaim has `accessModes`, at least one, and `resources.requests.storage`, more than \
                      nothing; the API server refuses it otherwise. What a StatefulSet has in `volumeClaimTemplates` it \
                      takes, and then refuses the claims: no pod starts. Those need a name besides.",
        example: "kind: PersistentVolumeClaim\nspec:\n  resources: {requests: {size: 1Gi}}\n",
        remedy: "```yaml\nspec:\n  accessModes: [ReadWriteOnce]\n  resources: {requests: {storage: 1Gi}}\n```",
    },
    check: Check::Object(check),
};

fn check(object: &Object<'_>, _: &Scene<'_>, reporter: &mut Reporter) {
    let root = object.manifest.root();
    if object.is("", "PersistentVolumeClaim") {
        claim(root, reporter);
        return;
    }
    let Some(pod) = &object.pod else { return };
    if object.is("apps", "StatefulSet") {
        for template in root.get("spec").map_or(&[][..], |spec| items(spec, "volumeClaimTemplates")) {
            let is_named = template.get("metadata").is_some_and(|metadata| text(metadata, "name").is_some());
            if template.as_mapping().is_some() && !is_named {
                let draft = Draft::new(&RULE, start(template), "a claim template has no name");
                reporter.report(draft.hint("add `metadata.name`, the name by which containers mount it"));
            }
            claim(template, reporter);
        }
    }
    for volume in items(pod.spec, "volumes") {
        if let Some(template) = volume.at(&["ephemeral", "volumeClaimTemplate"]) {
            claim(template, reporter);
        }
    }
}

fn claim(claim: &Node, reporter: &mut Reporter) {
    let spec = value(claim, "spec");
    if spec.is_some_and(|spec| spec.as_mapping().is_none()) {
        return;
    }
    let at = key_at(claim, "spec");
    let modes = spec.and_then(|spec| value(spec, "accessModes"));
    if modes.is_none_or(|modes| matches!(&modes.value, Value::Sequence(items) if items.is_empty())) {
        let draft = Draft::new(&RULE, at, "the claim has no `accessModes`");
        reporter.report(draft.hint("add `accessModes`, for example `[ReadWriteOnce]`"));
    }
    match spec.and_then(|spec| spec.at(&["resources", "requests", "storage"])) {
        Some(storage) if Quantity::of(storage).is_some_and(|amount| !amount.is_positive()) => {
            let draft = Draft::new(&RULE, storage.origin, "the claim wants no storage");
            reporter.report(draft.hint("write how much, for example `1Gi`"));
        }
        Some(storage) if !matches!(storage.value, Value::Null) => {}
        _ => {
            let draft = Draft::new(&RULE, at, "the claim does not say how much storage it wants");
            reporter.report(draft.hint("add `resources.requests.storage`, for example `1Gi`"));
        }
    }
}
