//! `checksum/config` and `checksum/secret` on pod templates, which restart pods exactly when the items that they read
//! change.
//!
//! - Each digest covers exactly the items that a workload reads, in a canonical order. The order of objects and changes
//!   of other items have no effect.
//! - A workload that reads nothing from this output gets no annotation.
//! - Jobs are not annotated, since Kubernetes refuses a changed template; nor are Knative Services whose template names
//!   its revision. Bare Pods are: their annotations may change, although nothing restarts them.
//! - Hooks are not annotated: Argo CD runs them again at each sync.
//! - sealwave owns these names: it replaces an author's annotation of the same name and reports it.

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

/// Returns the annotations for all workloads.
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
        let items_read = items_read(workload, object, &mut digests);
        if items_read.iter().all(|(_, items)| items.is_empty()) {
            continue;
        }
        if !may_change(workload, object, notes) {
            continue;
        }
        for (annotation, items) in items_read.into_iter().filter(|(_, items)| !items.is_empty()) {
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

/// Reports whether the pod template may get annotations, and adds a note if it may not.
fn may_change(workload: &Workload<'_>, object: &Object<'_>, notes: &mut Vec<Note>) -> bool {
    let id = object.manifest.id();
    let remark = match workload.template.change {
        Change::Allowed => return true,
        // A Job with a generated name is a new one each time, so no note is needed.
        Change::Immutable if object.name.is_empty() => return false,
        Change::Immutable => Remark::JobIsImmutable(id),
        Change::NamedRevision => Remark::NamedRevision(id),
    };
    notes.push(Note::remark(Problem::at(object.manifest.origin(), &remark)));
    false
}

/// Returns the items that a workload reads, by annotation.
fn items_read<'a>(
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
