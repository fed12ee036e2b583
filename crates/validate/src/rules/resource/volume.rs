//! `resource/volume`.

use super::claim::access_modes;
use crate::rules::field_checks::forms::{ABSOLUTE_PATH, DRIVER, NO_BACKSTEPS, SUBDOMAIN};
use crate::rules::field_checks::{Field, FieldChecker, Section};
use crate::rules::fields::{entries, items, key_at, set, start, value};
use crate::rules::{Check, Object, Reporter, Rule, Scene};
use crate::{ApiRefusal, RuleInfo};
use sealwave_core::diagnostic::Severity;
use sealwave_core::document::Node;
use sealwave_kube::Quantity;

pub(crate) static RULE: Rule = Rule {
    info: RuleInfo {
        id: "resource/volume",
        severity: Severity::Error,
        enabled: true,
        refusal: ApiRefusal::BuiltInKinds,
        summary: "a PersistentVolume has an invalid or missing capacity, access mode or source",
        page: include_str!("volume.md"),
    },
    check: Check::Object(check),
};

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
const SECTIONS: &[Section] = &[
    Section {
        at: "",
        fields: &[
            Field::present("accessModes"),
            Field::present("capacity"),
            Field::form("storageClassName", &SUBDOMAIN),
        ],
    },
    Section {
        at: "csi",
        fields: &[
            Field::not_empty("driver"),
            Field::form("driver", &DRIVER),
            Field::not_empty("volumeHandle"),
        ],
    },
    Section { at: "hostPath", fields: &[Field::not_empty("path"), Field::form("path", &NO_BACKSTEPS)] },
    Section { at: "local", fields: &[Field::not_empty("path"), Field::form("path", &NO_BACKSTEPS)] },
    Section {
        at: "nfs",
        fields: &[Field::not_empty("server"), Field::not_empty("path"), Field::form("path", &ABSOLUTE_PATH)],
    },
    Section { at: "nodeAffinity.required", fields: &[Field::not_empty("nodeSelectorTerms")] },
];

fn check(object: &Object<'_>, context: &Scene<'_>, reporter: &mut Reporter) {
    if !object.is("", "PersistentVolume") {
        return;
    }
    let Some(spec) = object.manifest.root().get("spec").filter(|spec| spec.as_mapping().is_some()) else {
        return;
    };
    let mut checker = FieldChecker::new(&RULE, object, context, reporter);
    checker.table(spec, SECTIONS);
    access_modes(spec, &mut checker);
    check_capacity(spec, &mut checker);
    check_sources(spec, &mut checker);
    let terms = spec.at(&["nodeAffinity", "required"]);
    for term in terms.map_or(&[][..], |required| items(required, "nodeSelectorTerms")) {
        checker.expressions(term, "matchExpressions");
    }
}

fn check_capacity(spec: &Node, checker: &mut FieldChecker<'_>) {
    for entry in entries(spec, "capacity") {
        if entry.key != "storage" {
            let message = "`capacity` of a volume has a resource other than `storage`";
            checker.report(entry.key_origin, message, "write `storage`");
        } else if Quantity::of(&entry.value).is_some_and(|amount| !amount.is_positive()) {
            checker.report(entry.value.origin, "the volume has no capacity", "write how much, like `10Gi`");
        }
    }
}

fn check_sources(spec: &Node, checker: &mut FieldChecker<'_>) {
    match set(spec, SOURCES).as_slice() {
        [] => checker.report(start(spec), "the volume has no source", "add one, like `csi` or `nfs`"),
        [_] => {}
        [first, second, ..] => {
            let message = format!("the volume is both `{}` and `{}`", first.key, second.key);
            let draft = checker.begin(second.key_origin, message).hint("split it into two volumes");
            checker.draft(draft.related(first.key_origin, "the other is here"));
        }
    }
    if value(spec, "local").is_some() && spec.at(&["nodeAffinity", "required"]).is_none() {
        let message = "a `local` volume has no `nodeAffinity`";
        checker.report(key_at(spec, "local"), message, "add the node that has the disk");
    }
    let is_root = spec.at(&["hostPath", "path"]).and_then(Node::as_str) == Some("/");
    if is_root && spec.get("persistentVolumeReclaimPolicy").and_then(Node::as_str) == Some("Recycle") {
        let message = "a volume of the root directory cannot be recycled";
        checker.report(key_at(spec, "persistentVolumeReclaimPolicy"), message, "write `Retain`");
    }
}
