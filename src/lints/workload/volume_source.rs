//! `workload/volume-source`.

use super::plain_pod;
use crate::diagnostic::{RuleInfo, Severity};
use crate::lints::fields::{items, set, text, value};
use crate::lints::metadata::syntax::{is_label, is_unfinished};
use crate::lints::{Check, Draft, Object, Reporter, Rule, Scene};
use crate::model::{Entry, Node};

pub(crate) static RULE: Rule = Rule {
    info: RuleInfo {
        id: "workload/volume-source",
        severity: Severity::Error,
        enabled: true,
        refused_by_api_server: false,
        summary: "a volume has two sources, one without a name, or a name that Kubernetes does not take",
        explanation: "A volume is of one type; without any it is an `emptyDir`. A ConfigMap in it has a `name`, a Secret a \
                      `secretName`. The volume's own name is a DNS label. The API server refuses the object.",
        example: "volumes:\n- name: cache\n  emptyDir: {}\n  persistentVolumeClaim: {claimName: cache}\n- name: config\n  \
                  configMap: {defaultMode: 0444}\n",
        remedy: "Keep one source of each volume, and name what it is made of.",
    },
    check: Check::Pod(check),
};

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

fn check(object: &Object<'_>, _: &Scene<'_>, reporter: &mut Reporter) {
    let Some(spec) = plain_pod(object) else { return };
    for volume in items(spec, "volumes") {
        let name = volume.get("name");
        let name = name.and_then(|name| Some((name, name.as_str()?)));
        if let Some((node, _)) = name.filter(|(_, text)| !is_label(text) && !is_unfinished(text)) {
            let draft = Draft::new(&RULE, node.origin, "the name of a volume is not valid");
            reporter.report(draft.hint(
                "use at most 63 lower-case letters, digits and `-`, with a letter or digit at both ends",
            ));
        }
        sources(volume, SOURCES, "the volume", "secretName", reporter);
        let projected = volume.get("projected").map_or(&[][..], |projected| items(projected, "sources"));
        for source in projected {
            sources(source, PROJECTED, "a projected source", "name", reporter);
        }
    }
}

fn sources(node: &Node, known: &[&str], what: &str, name_of_secret: &str, reporter: &mut Reporter) {
    let found = set(node, known);
    if let [first, second, ..] = found.as_slice() {
        let message = format!("{what} is both `{}` and `{}`", first.key, second.key);
        let draft =
            Draft::new(&RULE, second.key_origin, message).hint("remove one of them, or make two volumes");
        reporter.report(draft.related(first.key_origin, "the other is here"));
    }
    for source in found {
        match source.key.as_str() {
            "configMap" => named(source, "name", reporter),
            // A `name` here is a slip of which the schema speaks.
            "secret" if value(&source.value, "name").is_none() || name_of_secret == "name" => {
                named(source, name_of_secret, reporter);
            }
            _ => {}
        }
    }
}

fn named(source: &Entry, field: &str, reporter: &mut Reporter) {
    let is_named = value(&source.value, field).is_some_and(|name| name.as_str().is_none())
        || text(&source.value, field).is_some();
    if source.value.as_mapping().is_some() && !is_named {
        let draft = Draft::new(&RULE, source.key_origin, format!("`{}` has no `{field}`", source.key));
        reporter.report(draft.hint("name the object that the files come from"));
    }
}
