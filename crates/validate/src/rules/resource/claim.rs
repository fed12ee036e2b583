//! `resource/claim`.

use crate::rules::field_checks::forms::SUBDOMAIN;
use crate::rules::field_checks::{Field, FieldChecker, Section};
use crate::rules::fields::{items, key_at, start, text, value};
use crate::rules::{Check, Object, Reporter, Rule, Scene};
use crate::{ApiRefusal, RuleInfo};
use sealwave_core::diagnostic::Severity;
use sealwave_core::document::{Node, Value};
use sealwave_kube::Quantity;

pub(crate) static RULE: Rule = Rule {
    info: RuleInfo {
        id: "resource/claim",
        severity: Severity::Error,
        enabled: true,
        refusal: ApiRefusal::BuiltInKinds,
        summary: "a PersistentVolumeClaim has invalid or missing access modes or storage",
        page: include_str!("claim.md"),
    },
    check: Check::Object(check),
};

/// Fields of a claim's spec.
const SECTIONS: &[Section] = &[
    Section {
        at: "",
        fields: &[
            Field::form("storageClassName", &SUBDOMAIN),
            Field::form("volumeAttributesClassName", &SUBDOMAIN),
        ],
    },
    Section { at: "dataSourceRef", fields: SOURCE },
];
const SOURCE: &[Field] =
    &[Field::form("apiGroup", &SUBDOMAIN), Field::not_empty("kind"), Field::not_empty("name")];

fn check(object: &Object<'_>, context: &Scene<'_>, reporter: &mut Reporter) {
    let root = object.manifest.root();
    let mut checker = FieldChecker::new(&RULE, object, context, reporter);
    if object.is("", "PersistentVolumeClaim") {
        check_claim(root, &mut checker);
        return;
    }
    let Some(pod) = &object.pod else { return };
    if object.is("apps", "StatefulSet") {
        for template in root.get("spec").map_or(&[][..], |spec| items(spec, "volumeClaimTemplates")) {
            let is_named = template.get("metadata").is_some_and(|metadata| text(metadata, "name").is_some());
            if template.as_mapping().is_some() && !is_named {
                let hint = "add `metadata.name`, which containers use to mount it";
                checker.report(start(template), "a claim template has no name", hint);
            }
            check_claim(template, &mut checker);
        }
    }
    for volume in items(pod.spec, "volumes") {
        if let Some(template) = volume.at(&["ephemeral", "volumeClaimTemplate"]) {
            check_claim(template, &mut checker);
        }
    }
}

fn check_claim(claim: &Node, checker: &mut FieldChecker<'_>) {
    let spec = value(claim, "spec");
    if spec.is_some_and(|spec| spec.as_mapping().is_none()) {
        return;
    }
    let at = key_at(claim, "spec");
    let modes = spec.and_then(|spec| value(spec, "accessModes"));
    if modes.is_none_or(|modes| matches!(&modes.value, Value::Sequence(items) if items.is_empty())) {
        checker.report(
            at,
            "the claim has no `accessModes`",
            "add `accessModes`, for example `[ReadWriteOnce]`",
        );
    }
    match spec.and_then(|spec| spec.at(&["resources", "requests", "storage"])) {
        Some(storage) if Quantity::of(storage).is_some_and(|amount| !amount.is_positive()) => {
            checker.report(
                storage.origin,
                "the claim requests no storage",
                "write how much, for example `1Gi`",
            );
        }
        Some(storage) if !matches!(storage.value, Value::Null) => {}
        _ => {
            let hint = "add `resources.requests.storage`, for example `1Gi`";
            checker.report(at, "the claim has no storage request", hint);
        }
    }
    if let Some(spec) = spec {
        checker.table(spec, SECTIONS);
        access_modes(spec, checker);
        check_source_kind(spec, checker);
        if let Some(selector) = value(spec, "selector") {
            checker.selector(selector);
        }
    }
}

/// Checks that `ReadWriteOncePod` is the only access mode.
pub(super) fn access_modes(spec: &Node, checker: &mut FieldChecker<'_>) {
    let is_single = |mode: &&Node| mode.as_str() == Some("ReadWriteOncePod");
    let modes = items(spec, "accessModes");
    if modes.iter().any(|mode| is_single(&mode)) && !modes.iter().all(|mode| is_single(&mode)) {
        let message = "`ReadWriteOncePod` is not allowed with other access modes";
        checker.report(key_at(spec, "accessModes"), message, "keep only `ReadWriteOncePod`");
    }
}

/// Checks the data source of a volume.
fn check_source_kind(spec: &Node, checker: &mut FieldChecker<'_>) {
    let group_and_kind = |source| (text(source, "apiGroup").unwrap_or_default(), text(source, "kind"));
    if let Some(source) = value(spec, "dataSource").filter(|source| source.as_mapping().is_some()) {
        let is_taken = matches!(
            group_and_kind(source),
            ("", Some("PersistentVolumeClaim")) | ("snapshot.storage.k8s.io", Some("VolumeSnapshot"))
        );
        if is_taken {
            checker.field(source, &Field::not_empty("name"));
        } else {
            let message = "`dataSource` is ignored: it is neither a PersistentVolumeClaim nor a VolumeSnapshot of `snapshot.storage.k8s.io`";
            let draft = checker.begin(key_at(spec, "dataSource"), message).severity(Severity::Warning);
            checker
                .draft(draft.hint("correct `apiGroup` and `kind`, or use `dataSourceRef` for other kinds"));
        }
    }
    if let Some(source) = value(spec, "dataSourceRef")
        && let ("", Some(kind)) = group_and_kind(source)
        && kind != "PersistentVolumeClaim"
    {
        let message = "`dataSourceRef` without `apiGroup` is not a PersistentVolumeClaim";
        let hint = "add the `apiGroup`, like `snapshot.storage.k8s.io`";
        checker.report(key_at(source, "kind"), message, hint);
    }
}
