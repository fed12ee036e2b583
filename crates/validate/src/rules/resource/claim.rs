//! `resource/claim`.

use super::access_modes::check_access_modes;
use crate::facts::checked_object::CheckedObject;
use crate::facts::fields::{items, key_origin, start_origin, text, value};
use crate::facts::rule_context::RuleContext;
use crate::field_checks::forms::SUBDOMAIN;
use crate::field_checks::{FieldCheck, FieldChecker, FieldSection};
use crate::reporter::Reporter;
use crate::rule::{Rule, RuleCheck};
use crate::{ApiRefusal, RuleKind, RulePage};
use sealwave_core::diagnostic::Severity;
use sealwave_core::document::{Node, NodeValue};
use sealwave_kube::Quantity;

pub(crate) static RULE: Rule = Rule::new(
    RuleKind::Object,
    RulePage {
        id: "resource/claim",
        severity: Severity::Error,
        summary: "a PersistentVolumeClaim has invalid or missing access modes or storage",
        text: include_str!("claim.md"),
    },
    RuleCheck::Object(check),
)
.refused(ApiRefusal::BuiltInKinds);

/// Fields of a claim's spec.
const SECTIONS: &[FieldSection] = &[
    FieldSection {
        at: "",
        fields: &[
            FieldCheck::form("storageClassName", &SUBDOMAIN),
            FieldCheck::form("volumeAttributesClassName", &SUBDOMAIN),
        ],
    },
    FieldSection { at: "dataSourceRef", fields: SOURCE },
];
const SOURCE: &[FieldCheck] =
    &[FieldCheck::form("apiGroup", &SUBDOMAIN), FieldCheck::not_empty("kind"), FieldCheck::not_empty("name")];

fn check(object: &CheckedObject<'_>, context: &RuleContext<'_>, reporter: &mut Reporter) {
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
                checker.report(start_origin(template), "a claim template has no name", hint);
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
    let at = key_origin(claim, "spec");
    let modes = spec.and_then(|spec| value(spec, "accessModes"));
    if modes.is_none_or(|modes| matches!(&modes.value, NodeValue::Sequence(items) if items.is_empty())) {
        checker.report(
            at,
            "the claim has no `accessModes`",
            "add `accessModes`, for example `[ReadWriteOnce]`",
        );
    }
    match spec.and_then(|spec| spec.at(&["resources", "requests", "storage"])) {
        Some(storage) if Quantity::from_node(storage).is_some_and(|amount| !amount.is_positive()) => {
            checker.report(
                storage.origin,
                "the claim requests no storage",
                "write how much, for example `1Gi`",
            );
        }
        Some(storage) if !matches!(storage.value, NodeValue::Null) => {}
        _ => {
            let hint = "add `resources.requests.storage`, for example `1Gi`";
            checker.report(at, "the claim has no storage request", hint);
        }
    }
    if let Some(spec) = spec {
        checker.check_table(spec, SECTIONS);
        check_access_modes(spec, checker);
        check_source_kind(spec, checker);
        if let Some(selector) = value(spec, "selector") {
            checker.check_selector(selector);
        }
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
            checker.check_field(source, &FieldCheck::not_empty("name"));
        } else {
            let message = "`dataSource` is ignored: it is neither a PersistentVolumeClaim nor a VolumeSnapshot of `snapshot.storage.k8s.io`";
            let draft =
                checker.new_draft(key_origin(spec, "dataSource"), message).severity(Severity::Warning);
            checker.report_draft(
                draft.hint("correct `apiGroup` and `kind`, or use `dataSourceRef` for other kinds"),
            );
        }
    }
    if let Some(source) = value(spec, "dataSourceRef")
        && let ("", Some(kind)) = group_and_kind(source)
        && kind != "PersistentVolumeClaim"
    {
        let message = "`dataSourceRef` without `apiGroup` is not a PersistentVolumeClaim";
        let hint = "add the `apiGroup`, like `snapshot.storage.k8s.io`";
        checker.report(key_origin(source, "kind"), message, hint);
    }
}
