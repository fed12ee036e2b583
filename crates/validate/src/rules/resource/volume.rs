//! `resource/volume`.

use super::access_modes::check_access_modes;
use crate::facts::checked_object::CheckedObject;
use crate::facts::fields::{entries, items, key_origin, set_entries, start_origin, value};
use crate::facts::rule_context::RuleContext;
use crate::field_checks::forms::{ABSOLUTE_PATH, DRIVER, NO_BACKSTEPS, SUBDOMAIN};
use crate::field_checks::{FieldCheck, FieldChecker, FieldSection};
use crate::reporter::Reporter;
use crate::rule::{Rule, RuleCheck};
use crate::{ApiRefusal, RuleKind, RulePage};
use sealwave_core::diagnostic::Severity;
use sealwave_core::document::Node;
use sealwave_kube::Quantity;

pub(crate) static RULE: Rule = Rule::new(
    RuleKind::Object,
    RulePage {
        id: "resource/volume",
        severity: Severity::Error,
        summary: "a PersistentVolume has an invalid or missing capacity, access mode or source",
        text: include_str!("volume.md"),
    },
    RuleCheck::Object(check),
)
.refused(ApiRefusal::BuiltInKinds);

const SOURCES: &[&str] = &[
    "awsElasticBlockStore",
    "azureDisk",
    "azureFile",
    "cephfs",
    "cinder",
    "csi",
    "fc",
    "flexVolume",
    "flocker",
    "gcePersistentDisk",
    "glusterfs",
    "hostPath",
    "iscsi",
    "local",
    "nfs",
    "photonPersistentDisk",
    "portworxVolume",
    "quobyte",
    "rbd",
    "scaleIO",
    "storageos",
    "vsphereVolume",
];

/// Fields of a volume's spec.
const SECTIONS: &[FieldSection] = &[
    FieldSection {
        at: "",
        fields: &[
            FieldCheck::present("accessModes"),
            FieldCheck::present("capacity"),
            FieldCheck::form("storageClassName", &SUBDOMAIN),
        ],
    },
    FieldSection {
        at: "csi",
        fields: &[
            FieldCheck::not_empty("driver"),
            FieldCheck::form("driver", &DRIVER),
            FieldCheck::not_empty("volumeHandle"),
        ],
    },
    FieldSection {
        at: "hostPath",
        fields: &[FieldCheck::not_empty("path"), FieldCheck::form("path", &NO_BACKSTEPS)],
    },
    FieldSection {
        at: "local",
        fields: &[FieldCheck::not_empty("path"), FieldCheck::form("path", &NO_BACKSTEPS)],
    },
    FieldSection {
        at: "nfs",
        fields: &[
            FieldCheck::not_empty("server"),
            FieldCheck::not_empty("path"),
            FieldCheck::form("path", &ABSOLUTE_PATH),
        ],
    },
    FieldSection { at: "nodeAffinity.required", fields: &[FieldCheck::not_empty("nodeSelectorTerms")] },
];

fn check(object: &CheckedObject<'_>, context: &RuleContext<'_>, reporter: &mut Reporter) {
    if !object.is("", "PersistentVolume") {
        return;
    }
    let Some(spec) = object.manifest.root().get("spec").filter(|spec| spec.as_mapping().is_some()) else {
        return;
    };
    let mut checker = FieldChecker::new(&RULE, object, context, reporter);
    checker.check_table(spec, SECTIONS);
    check_access_modes(spec, &mut checker);
    check_capacity(spec, &mut checker);
    check_sources(spec, &mut checker);
    let terms = spec.at(&["nodeAffinity", "required"]);
    for term in terms.map_or(&[][..], |required| items(required, "nodeSelectorTerms")) {
        checker.check_expressions(term, "matchExpressions");
    }
}

fn check_capacity(spec: &Node, checker: &mut FieldChecker<'_>) {
    for entry in entries(spec, "capacity") {
        if entry.key != "storage" {
            let message = "`capacity` of a volume has a resource other than `storage`";
            checker.report(entry.key_origin, message, "write `storage`");
        } else if Quantity::from_node(&entry.value).is_some_and(|amount| !amount.is_positive()) {
            checker.report(entry.value.origin, "the volume has no capacity", "write how much, like `10Gi`");
        }
    }
}

fn check_sources(spec: &Node, checker: &mut FieldChecker<'_>) {
    match set_entries(spec, SOURCES).as_slice() {
        [] => checker.report(start_origin(spec), "the volume has no source", "add one, like `csi` or `nfs`"),
        [_] => {}
        [first, second, ..] => {
            let message = format!("the volume is both `{}` and `{}`", first.key, second.key);
            let draft = checker.new_draft(second.key_origin, message).hint("split it into two volumes");
            checker.report_draft(draft.related(first.key_origin, "the other is here"));
        }
    }
    if value(spec, "local").is_some() && spec.at(&["nodeAffinity", "required"]).is_none() {
        let message = "a `local` volume has no `nodeAffinity`";
        checker.report(key_origin(spec, "local"), message, "add the node that has the disk");
    }
    let is_root = spec.at(&["hostPath", "path"]).and_then(Node::as_str) == Some("/");
    if is_root && spec.get("persistentVolumeReclaimPolicy").and_then(Node::as_str) == Some("Recycle") {
        let message = "a volume of the root directory cannot be recycled";
        checker.report(key_origin(spec, "persistentVolumeReclaimPolicy"), message, "write `Retain`");
    }
}
