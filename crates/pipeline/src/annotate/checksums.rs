//! `checksum/config` and `checksum/secret` on pod templates: pods restart when what they read changed, and only then.
//!
//! - Each digest is over exactly the items that a workload reads, in an order of their own: neither the order of
//!   objects nor a change of anything that it does not read shows.
//! - A workload that reads nothing of this output gets no annotation.
//! - A Job is not annotated, since Kubernetes refuses a changed template; nor is a Knative Service whose template
//!   names its revision. A bare Pod is: its annotations may change (that restarts nothing, as nothing could).
//! - A hook is left alone: Argo CD runs it anew at each sync.
//! - The names are ours: an author's annotation of the same name gives way, aloud.

use std::collections::BTreeSet;
use std::fmt::Write;

use super::digests::{Digests, Item, combined};
use super::notes::Remark;
use super::{Edit, Workload};
use crate::seal::SecretDigests;
use sealwave_core::diagnostic::{Note, Problem};
use sealwave_kube::catalogue::{Catalogue, Object};
use sealwave_kube::pods::{Change, What};
use sealwave_secrets::crypto::{ChecksumKey, Digest};

const CONFIG: &str = "checksum/config";
const SECRET: &str = "checksum/secret";

/// The annotations that the workloads get.
pub(super) fn plan(
    catalogue: &Catalogue<'_>,
    workloads: &[Workload<'_>],
    secrets: &SecretDigests,
    key: &ChecksumKey,
    notes: &mut Vec<Note>,
) -> Vec<Edit> {
    let mut digests = Digests::new(catalogue, secrets, key);
    let mut edits = Vec::new();
    for workload in workloads.iter().filter(|workload| !workload.standing.phases.hook) {
        let Some(object) = catalogue.object(workload.object) else { continue };
        let read = read(workload, object, &mut digests);
        if read.iter().all(|(_, items)| items.is_empty()) {
            continue;
        }
        if !may_change(workload, object, notes) {
            continue;
        }
        for (annotation, items) in read.into_iter().filter(|(_, items)| !items.is_empty()) {
            edits.push(Edit {
                object: workload.object,
                path: workload.template.path.iter().map(|key| (*key).to_owned()).collect(),
                annotation,
                text: hex(combined(key, annotation, &items)),
                extends: false,
            });
        }
    }
    edits
}

/// Whether the pod template may get annotations; if not, that is said.
fn may_change(workload: &Workload<'_>, object: &Object<'_>, notes: &mut Vec<Note>) -> bool {
    let id = object.manifest.id();
    let remark = match workload.template.change {
        Change::Allowed => return true,
        // A Job with a generated name is a new one each time: there is nothing to say.
        Change::Immutable if object.name.is_empty() => return false,
        Change::Immutable => Remark::JobIsImmutable(id),
        Change::NamedRevision => Remark::NamedRevision(id),
    };
    notes.push(Note::remark(Problem::at(object.manifest.origin(), &remark)));
    false
}

/// What a workload reads, by the annotation that says so.
fn read<'a>(
    workload: &Workload<'a>,
    object: &Object<'a>,
    digests: &mut Digests<'a>,
) -> [(&'static str, BTreeSet<Item<'a>>); 2] {
    let (mut config, mut secret) = (BTreeSet::new(), BTreeSet::new());
    for reference in &workload.references {
        let into = if reference.what == What::ConfigMap { &mut config } else { &mut secret };
        digests.collect(object.namespace, reference, into);
    }
    [(CONFIG, config), (SECRET, secret)]
}

fn hex(digest: Digest) -> String {
    digest.bytes().iter().fold(String::with_capacity(32), |mut text, byte| {
        // Writing to a string cannot fail.
        let _ = write!(text, "{byte:02x}");
        text
    })
}
