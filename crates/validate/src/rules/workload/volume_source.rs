//! `workload/volume-source`.

use std::collections::HashSet;

use super::plain_pod::plain_pod;
use crate::facts::checked_object::CheckedObject;
use crate::facts::fields::{integer, items, key_origin, set_entries, start_origin, text, value};
use crate::facts::rule_context::RuleContext;
use crate::field_checks::forms::{
    ABSOLUTE_PATH, DESCENDING_PATH, DRIVER, LABEL, LOCAL_PATH, NO_BACKSTEPS, SUBDOMAIN,
};
use crate::field_checks::pod_fields::{check_pod_field, check_resource_field};
use crate::field_checks::{Demand, FieldCheck, FieldChecker, FieldSection, for_each_at};
use crate::reporter::Reporter;
use crate::rule::{Rule, RuleCheck};
use crate::{ApiRefusal, RuleKind, RulePage};
use sealwave_core::diagnostic::Severity;
use sealwave_core::document::{MappingEntry, Node};

pub(crate) static RULE: Rule = Rule::new(
    RuleKind::Object,
    RulePage {
        id: "workload/volume-source",
        severity: Severity::Error,
        summary: "a volume has two sources, an incomplete source, or an invalid value",
        text: include_str!("volume_source.md"),
    },
    RuleCheck::AnyPod(check),
)
.refused(ApiRefusal::BuiltInKinds);

const SOURCES: &[&str] = &[
    "awsElasticBlockStore",
    "azureDisk",
    "azureFile",
    "cephfs",
    "cinder",
    "configMap",
    "csi",
    "downwardAPI",
    "emptyDir",
    "ephemeral",
    "fc",
    "flexVolume",
    "flocker",
    "gcePersistentDisk",
    "gitRepo",
    "glusterfs",
    "hostPath",
    "image",
    "iscsi",
    "nfs",
    "persistentVolumeClaim",
    "photonPersistentDisk",
    "portworxVolume",
    "projected",
    "quobyte",
    "rbd",
    "scaleIO",
    "secret",
    "storageos",
    "vsphereVolume",
];
const PROJECTED: &[&str] =
    &["clusterTrustBundle", "configMap", "downwardAPI", "podCertificate", "secret", "serviceAccountToken"];
/// Pod fields that are available to files.
const POD_FIELDS: &[&str] =
    &["metadata.annotations", "metadata.labels", "metadata.name", "metadata.namespace", "metadata.uid"];
/// The largest file mode, 0777.
const MOST_MODE: i64 = 0o777;

/// Files of a ConfigMap, a Secret or the pod itself.
const FILES: &[FieldCheck] =
    &[FieldCheck::not_empty("key"), FieldCheck::not_empty("path"), FieldCheck::form("path", &LOCAL_PATH)];

/// Fields of a volume.
const SECTIONS: &[FieldSection] = &[
    FieldSection { at: "", fields: &[FieldCheck::not_empty("name"), FieldCheck::form("name", &LABEL)] },
    FieldSection {
        at: "azureDisk",
        fields: &[FieldCheck::not_empty("diskName"), FieldCheck::not_empty("diskURI")],
    },
    FieldSection {
        at: "azureFile",
        fields: &[FieldCheck::not_empty("secretName"), FieldCheck::not_empty("shareName")],
    },
    FieldSection { at: "cephfs", fields: &[FieldCheck::not_empty("monitors")] },
    FieldSection { at: "configMap.items[]", fields: FILES },
    FieldSection {
        at: "csi",
        fields: &[FieldCheck::not_empty("driver"), FieldCheck::form("driver", &DRIVER)],
    },
    FieldSection {
        at: "csi.nodePublishSecretRef",
        fields: &[FieldCheck::present("name"), FieldCheck::form("name", &SUBDOMAIN)],
    },
    FieldSection { at: "downwardAPI.items[]", fields: FILES },
    FieldSection { at: "emptyDir", fields: &[FieldCheck { name: "sizeLimit", demand: Demand::NotNegative }] },
    FieldSection { at: "ephemeral", fields: &[FieldCheck::present("volumeClaimTemplate")] },
    FieldSection { at: "flexVolume", fields: &[FieldCheck::not_empty("driver")] },
    FieldSection { at: "gcePersistentDisk", fields: &[FieldCheck::not_empty("pdName")] },
    FieldSection {
        at: "gitRepo",
        fields: &[FieldCheck::not_empty("repository"), FieldCheck::form("directory", &DESCENDING_PATH)],
    },
    FieldSection {
        at: "glusterfs",
        fields: &[FieldCheck::not_empty("endpoints"), FieldCheck::not_empty("path")],
    },
    FieldSection {
        at: "hostPath",
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
    FieldSection { at: "persistentVolumeClaim", fields: &[FieldCheck::not_empty("claimName")] },
    FieldSection { at: "projected.sources[].configMap.items[]", fields: FILES },
    FieldSection { at: "projected.sources[].downwardAPI.items[]", fields: FILES },
    FieldSection { at: "projected.sources[].secret.items[]", fields: FILES },
    FieldSection {
        at: "projected.sources[].serviceAccountToken",
        fields: &[
            FieldCheck::between("expirationSeconds", 600, 1 << 32),
            FieldCheck::not_empty("path"),
            FieldCheck::form("path", &LOCAL_PATH),
        ],
    },
    FieldSection {
        at: "projected.sources[].clusterTrustBundle",
        fields: &[FieldCheck::not_empty("path"), FieldCheck::form("path", &LOCAL_PATH)],
    },
    FieldSection { at: "rbd", fields: &[FieldCheck::not_empty("monitors"), FieldCheck::not_empty("image")] },
    FieldSection { at: "secret.items[]", fields: FILES },
];

/// Paths and names of file mode fields.
const MODES: &[(&str, &str)] = &[
    ("configMap", "defaultMode"),
    ("configMap.items[]", "mode"),
    ("downwardAPI", "defaultMode"),
    ("downwardAPI.items[]", "mode"),
    ("projected", "defaultMode"),
    ("projected.sources[].configMap.items[]", "mode"),
    ("projected.sources[].downwardAPI.items[]", "mode"),
    ("projected.sources[].secret.items[]", "mode"),
    ("secret", "defaultMode"),
    ("secret.items[]", "mode"),
];

fn check(object: &CheckedObject<'_>, context: &RuleContext<'_>, reporter: &mut Reporter) {
    let Some(spec) = plain_pod(object) else { return };
    let mut checker = FieldChecker::new(&RULE, object, context, reporter);
    for volume in items(spec, "volumes") {
        checker.check_table(volume, SECTIONS);
        // A controller may fill in the reference of a template.
        if object.is("", "Pod")
            && let Some(image) = value(volume, "image")
        {
            checker.check_field(image, &FieldCheck::present("reference"));
        }
        for (at, name) in MODES {
            for_each_at(volume, at, &mut |parent| check_mode(parent, name, &mut checker));
        }
        check_sources(volume, SOURCES, "the volume", "secretName", &mut checker);
        if let Some(own) = value(volume, "downwardAPI") {
            for file in items(own, "items") {
                check_pod_file(file, &mut checker);
            }
        }
        if let Some(projected) = value(volume, "projected") {
            check_projected(projected, &mut checker);
        }
        if let Some(template) = volume.at(&["ephemeral", "volumeClaimTemplate"]) {
            check_template_metadata(template, &mut checker);
        }
    }
}

fn check_mode(parent: &Node, name: &str, checker: &mut FieldChecker<'_>) {
    let Some(node) = value(parent, name) else { return };
    if integer(node).is_some_and(|mode| !(0..=MOST_MODE).contains(&mode)) {
        let message = format!("`{name}` is not between 0 and 0777 in octal");
        checker.report(node.origin, message, "write an octal mode with a leading zero, like `0644`");
    }
}

fn check_projected(projected: &Node, checker: &mut FieldChecker<'_>) {
    let mut paths = HashSet::new();
    for source in items(projected, "sources") {
        check_sources(source, PROJECTED, "a projected source", "name", checker);
        if let Some(own) = value(source, "downwardAPI") {
            for file in items(own, "items") {
                check_pod_file(file, checker);
            }
        }
        for kind in ["configMap", "downwardAPI", "secret"] {
            let files = source.get(kind).map_or(&[][..], |source| items(source, "items"));
            for file in files {
                if text(file, "path").is_some_and(|path| !paths.insert(path)) {
                    let message = "two files of the volume have the same path";
                    checker.report(key_origin(file, "path"), message, "give each file its own path");
                }
            }
        }
    }
}

/// Checks a file with a pod field.
fn check_pod_file(file: &Node, checker: &mut FieldChecker<'_>) {
    match set_entries(file, &["fieldRef", "resourceFieldRef"]).as_slice() {
        [] if file.as_mapping().is_some() => {
            let message = "a downward API file has neither `fieldRef` nor `resourceFieldRef`";
            checker.report(start_origin(file), message, "add one of them");
        }
        [first, second] => {
            let message = "a downward API file has both `fieldRef` and `resourceFieldRef`";
            let draft = checker.new_draft(second.key_origin, message).hint("remove one of them");
            checker.report_draft(draft.related(first.key_origin, "the other is here"));
        }
        _ => {}
    }
    if let Some(source) = value(file, "fieldRef") {
        check_pod_field(source, POD_FIELDS, checker);
    }
    if let Some(source) = value(file, "resourceFieldRef") {
        checker.check_field(source, &FieldCheck::present("containerName"));
        check_resource_field(source, checker);
    }
}

/// Checks that a claim template only has labels and annotations as metadata.
fn check_template_metadata(template: &Node, checker: &mut FieldChecker<'_>) {
    let Some(metadata) = value(template, "metadata") else { return };
    for name in ["name", "generateName", "namespace", "finalizers"] {
        if value(metadata, name).is_some_and(|value| value.as_str() != Some("")) {
            let message = format!("the template of an ephemeral claim cannot have `{name}`");
            checker.report(
                key_origin(metadata, name),
                message,
                "remove it: the claim is named after the pod",
            );
        }
    }
}

fn check_sources(
    node: &Node,
    known: &[&str],
    noun: &str,
    name_of_secret: &str,
    checker: &mut FieldChecker<'_>,
) {
    let found = set_entries(node, known);
    if let [first, second, ..] = found.as_slice() {
        let message = format!("{noun} is both `{}` and `{}`", first.key, second.key);
        let draft = checker.new_draft(second.key_origin, message);
        let draft = draft.hint("remove one of them, or make two volumes");
        checker.report_draft(draft.related(first.key_origin, "the other is here"));
    }
    for source in found {
        match source.key.as_str() {
            "configMap" => check_name(source, "name", checker),
            // The schema reports `name`, which is not a field here.
            "secret" if value(&source.value, "name").is_none() || name_of_secret == "name" => {
                check_name(source, name_of_secret, checker);
            }
            _ => {}
        }
    }
}

fn check_name(source: &MappingEntry, field: &str, checker: &mut FieldChecker<'_>) {
    let is_named = value(&source.value, field).is_some_and(|name| name.as_str().is_none())
        || text(&source.value, field).is_some();
    if source.value.as_mapping().is_some() && !is_named {
        let message = format!("`{}` has no `{field}`", source.key);
        checker.report(source.key_origin, message, "add the name of the object with the files");
    }
}
