//! `workload/mount`.

use std::collections::HashSet;

use super::plain_pod::plain_pod;
use crate::facts::checked_object::CheckedObject;
use crate::facts::fields::{items, key_origin, text, value};
use crate::facts::rule_context::RuleContext;
use crate::field_checks::forms::{DESCENDING_PATH, NO_BACKSTEPS};
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
        id: "workload/mount",
        severity: Severity::Error,
        summary: "a volume mount has an invalid path or setting",
        text: include_str!("mount.md"),
    },
    RuleCheck::Pod(check),
)
.refused(ApiRefusal::BuiltInKinds);

/// Fields of a container.
const SECTIONS: &[FieldSection] = &[
    FieldSection {
        at: "volumeMounts[]",
        fields: &[
            FieldCheck::not_empty("name"),
            FieldCheck::not_empty("mountPath"),
            FieldCheck::form("subPath", &DESCENDING_PATH),
            FieldCheck::form("subPathExpr", &DESCENDING_PATH),
        ],
    },
    FieldSection {
        at: "volumeDevices[]",
        fields: &[
            FieldCheck::not_empty("name"),
            FieldCheck::not_empty("devicePath"),
            FieldCheck::form("devicePath", &NO_BACKSTEPS),
        ],
    },
];

fn check(object: &CheckedObject<'_>, context: &RuleContext<'_>, reporter: &mut Reporter) {
    let Some(spec) = plain_pod(object) else { return };
    let mut checker = FieldChecker::new(&RULE, object, context, reporter);
    for (_, container) in containers(spec) {
        checker.check_table(container, SECTIONS);
        let is_privileged = is_true(container.at(&["securityContext", "privileged"]));
        for mount in items(container, "volumeMounts") {
            check_mount(mount, is_privileged, &mut checker);
        }
        let devices = items(container, "volumeDevices");
        if !devices.is_empty() {
            check_devices(devices, container, spec, &mut checker);
        }
    }
}

fn check_mount(mount: &Node, is_privileged: bool, checker: &mut FieldChecker<'_>) {
    if text(mount, "subPath").is_some() && text(mount, "subPathExpr").is_some() {
        let message = "a mount has both `subPath` and `subPathExpr`";
        checker.report(key_origin(mount, "subPathExpr"), message, "remove one of them");
    }
    let propagation = text(mount, "mountPropagation");
    if propagation == Some("Bidirectional") && !is_privileged {
        let message = "`mountPropagation` is `Bidirectional` in a container that is not privileged";
        checker.report(
            key_origin(mount, "mountPropagation"),
            message,
            "use `HostToContainer`, or set `privileged: true`",
        );
    }
    if matches!(text(mount, "recursiveReadOnly"), Some("Enabled" | "IfPossible")) {
        let at = key_origin(mount, "recursiveReadOnly");
        if !is_true(mount.get("readOnly")) {
            checker.report(at, "`recursiveReadOnly` needs `readOnly: true`", "set `readOnly: true`");
        } else if propagation.is_some_and(|propagation| propagation != "None") {
            checker.report(
                at,
                "`recursiveReadOnly` excludes `mountPropagation`",
                "remove `mountPropagation`",
            );
        }
    }
}

fn check_devices(devices: &[Node], container: &Node, spec: &Node, checker: &mut FieldChecker<'_>) {
    let mounted: HashSet<&str> =
        items(container, "volumeMounts").iter().filter_map(|mount| text(mount, "name")).collect();
    let mut seen = HashSet::new();
    let is_claim = |volume: &Node| {
        value(volume, "persistentVolumeClaim").is_some() || value(volume, "ephemeral").is_some()
    };
    let others: HashSet<&str> = items(spec, "volumes")
        .iter()
        .filter(|volume| !is_claim(volume))
        .filter_map(|volume| text(volume, "name"))
        .collect();
    for device in devices {
        let Some(name) = text(device, "name") else { continue };
        let at = key_origin(device, "name");
        if mounted.contains(name) {
            checker.report(at, "a volume is both mounted and used as a device", "remove one of them");
        } else if !seen.insert(name) {
            checker.report(at, "a volume is used as two devices", "remove one of them");
        } else if others.contains(name) {
            let message = "a volume that is not a claim is used as a device";
            checker.report(at, message, "mount it, or use a `persistentVolumeClaim`");
        }
    }
}

fn is_true(node: Option<&Node>) -> bool {
    matches!(node.map(|node| &node.value), Some(NodeValue::Bool(true)))
}
