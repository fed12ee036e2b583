//! `checksum/config` and `checksum/secret` on pod templates, which restart pods exactly when the items that they read
//! change.
//!
//! - Each digest covers exactly the items that a workload reads, in a canonical order. The order of objects and changes
//!   of other items have no effect.
//! - A workload that reads nothing from this output gets no annotation.
//! - Jobs are not annotated, since Kubernetes refuses a changed template; nor are Knative Services whose template names
//!   its revision. Bare Pods are: their annotations may change, although nothing restarts them.
//! - Hooks are not annotated: Argo CD runs them again at each sync.
//! - After a change of the backend, a workload keeps its checksum of Secrets while the app file lists it and nothing that it
//!   reads changes.
//! - sealwave owns these names: it replaces an author's annotation of the same name and reports it.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write;

use super::digests::{DigestCache, DigestedItem, combine_digests};
use super::edit::AnnotationEdit;
use super::notes::AnnotateRemark;
use super::workload::Workload;
use crate::secret_stages::SecretDigests;
use sealwave_core::diagnostic::{Note, Problem};
use sealwave_kube::catalog::{CatalogObject, ObjectCatalog};
use sealwave_kube::pods::{ReferencedKind, TemplateMutability};
use sealwave_secrets::crypto::{ChecksumKey, KeyedDigest};
use sealwave_secrets::settings::KeptChecksum;

const CONFIG: &str = "checksum/config";
const SECRET: &str = "checksum/secret";

/// Returns the annotations for all workloads.
pub(super) fn plan(
    catalog: &ObjectCatalog<'_>,
    workloads: &[Workload<'_>],
    secrets: &SecretDigests,
    key: &ChecksumKey,
    kept: &BTreeMap<String, KeptChecksum>,
    notes: &mut Vec<Note>,
) -> Vec<AnnotationEdit> {
    let mut kept = KeptChecksums { entries: kept, in_use: BTreeSet::new() };
    let mut digests = DigestCache::new(catalog, secrets, key);
    let mut edits = Vec::new();
    for workload in workloads.iter().filter(|workload| !workload.placement.phases.is_hook) {
        let Some(object) = catalog.object(workload.object) else { continue };
        let items_read = items_read(workload, object, &mut digests);
        if items_read.iter().all(|(_, items)| items.is_empty()) {
            continue;
        }
        if !may_change(workload, object, notes) {
            continue;
        }
        for (annotation, items) in items_read.into_iter().filter(|(_, items)| !items.is_empty()) {
            edits.push(AnnotationEdit {
                object: workload.object,
                path: workload.template.path.iter().map(|key| (*key).to_owned()).collect(),
                annotation,
                text: kept.text(annotation, object, hex(combine_digests(key, annotation, &items))),
                extends: false,
            });
        }
    }
    // A preview does not know the checksums of the run that deploys.
    if !key.is_public() {
        notes.extend(
            kept.unused().map(|entry| Note::info(Problem::new(&AnnotateRemark::KeptChecksum(entry)))),
        );
    }
    edits
}

/// The checksums that the app file keeps, and those that have an effect.
struct KeptChecksums<'a> {
    entries: &'a BTreeMap<String, KeptChecksum>,
    in_use: BTreeSet<String>,
}

impl KeptChecksums<'_> {
    /// Returns the text of an annotation: the kept one while the computed one is the recorded one.
    fn text(&mut self, annotation: &str, object: &CatalogObject<'_>, computed: String) -> String {
        if annotation != SECRET || self.entries.is_empty() {
            return computed;
        }
        let id = format!("{}/{}/{}", object.kind, object.namespace, object.name);
        match self.entries.get(&id).filter(|entry| entry.computed.as_str() == computed) {
            None => computed,
            Some(entry) => {
                self.in_use.insert(id);
                entry.kept.as_str().to_owned()
            }
        }
    }

    fn unused(&self) -> impl Iterator<Item = String> {
        self.entries.keys().filter(|entry| !self.in_use.contains(*entry)).cloned()
    }
}

/// Reports whether the pod template may get annotations, and adds a note if it may not.
fn may_change(workload: &Workload<'_>, object: &CatalogObject<'_>, notes: &mut Vec<Note>) -> bool {
    let id = object.manifest.id();
    let remark = match workload.template.mutability {
        TemplateMutability::Allowed => return true,
        // A Job with a generated name is a new one each time, so no note is needed.
        TemplateMutability::Immutable if object.name.is_empty() => return false,
        TemplateMutability::Immutable => AnnotateRemark::JobIsImmutable(id),
        TemplateMutability::NamedRevision => AnnotateRemark::NamedRevision(id),
    };
    notes.push(Note::info(Problem::at(object.manifest.origin(), &remark)));
    false
}

/// Returns the items that a workload reads, by annotation.
fn items_read<'a>(
    workload: &Workload<'a>,
    object: &CatalogObject<'a>,
    digests: &mut DigestCache<'a>,
) -> [(&'static str, BTreeSet<DigestedItem<'a>>); 2] {
    let (mut config, mut secret) = (BTreeSet::new(), BTreeSet::new());
    for reference in &workload.references {
        let into = if reference.kind == ReferencedKind::ConfigMap { &mut config } else { &mut secret };
        digests.collect(object.namespace, reference, into);
    }
    [(CONFIG, config), (SECRET, secret)]
}

fn hex(digest: KeyedDigest) -> String {
    digest.bytes().iter().fold(String::with_capacity(32), |mut text, byte| {
        // Writing to a string cannot fail.
        let _ = write!(text, "{byte:02x}");
        text
    })
}
