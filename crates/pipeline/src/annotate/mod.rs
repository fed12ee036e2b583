//! The sixth stage: sync waves on objects, checksums on pod templates.
//!
//! ```text
//! objects → catalog (objects by name) → references (by workload) ─┬→ checksums (over digests)
//!                                                                 └→ uses → waves
//! ```
//!
//! Everything is planned on unchanged objects and written at the end. Only annotations are written. This stage never
//! sees a secret value: it knows only keyed digests of Secrets. The order of objects does not affect the annotations.

mod checksums;
mod digests;
mod edit;
mod notes;
mod waves;
mod workload;

use std::collections::BTreeMap;

use edit::AnnotationEdit;
use notes::{AnnotateRemark, SettingProblem};
use sealwave_kube::catalog::{ObjectCatalog, ObjectIndex};

use crate::secret_stages::{SealedApp, SecretDigests};
use sealwave_core::diagnostic::{Failure, Note, Problem, ProblemPlace};
use sealwave_core::document::{Manifest, Node};
use sealwave_kube::pods::{self, WorkloadKind};
use sealwave_kube::sync::{SyncPlacement, WaveSettings, dependency_edges};
use sealwave_secrets::crypto::ChecksumKey;
use sealwave_secrets::settings::KeptChecksum;
use workload::Workload;

/// The settings of the app file for this stage.
#[derive(Clone, Copy)]
pub(crate) struct AnnotateSettings<'a> {
    /// The waves by kind.
    pub(crate) waves: &'a WaveSettings,
    /// Workload kinds beyond the built-in ones.
    pub(crate) workloads: &'a [WorkloadKind],
    /// The checksums that workloads keep, by `Kind/namespace/name`.
    pub(crate) kept_checksums: &'a BTreeMap<String, KeptChecksum>,
    /// Returns the location of a setting in the app file.
    pub(crate) setting_place: &'a dyn Fn(&[&str]) -> ProblemPlace,
}

/// Adds a sync wave to each object and, to each workload, the checksums of the configuration that it reads.
///
/// # Errors
/// The settings of the app file are not valid.
pub(crate) fn annotate(
    mut sealed: SealedApp,
    checksums: &ChecksumKey,
    settings: &AnnotateSettings<'_>,
    notes: &mut Vec<Note>,
) -> Result<SealedApp, Failure> {
    let edits = plan(sealed.objects(), sealed.secrets(), checksums, settings, notes)?;
    write(&edits, sealed.objects_mut(), notes);
    Ok(sealed)
}

fn plan(
    objects: &[Manifest],
    secrets: &SecretDigests,
    key: &ChecksumKey,
    settings: &AnnotateSettings<'_>,
    notes: &mut Vec<Note>,
) -> Result<Vec<AnnotationEdit>, Failure> {
    check_settings(settings)?;
    let catalog = ObjectCatalog::new(objects);
    let placements: Vec<SyncPlacement> =
        objects.iter().map(|object| placement_of(object, settings.waves, notes)).collect();
    let workloads = workloads_of(objects, &placements, settings, notes);
    let references = workloads.iter().map(|workload| (workload.object, workload.references.as_slice()));
    let mut edits = waves::plan(&catalog, &placements, &dependency_edges(&catalog, references), notes);
    edits.extend(checksums::plan(&catalog, &workloads, secrets, key, settings.kept_checksums, notes));
    Ok(edits)
}

fn placement_of(object: &Manifest, waves: &WaveSettings, notes: &mut Vec<Note>) -> SyncPlacement {
    SyncPlacement::from_manifest(object, waves, &mut |annotation, at| {
        let remark = AnnotateRemark::UnreadableWave { object: object.id(), annotation };
        notes.push(Note::warning(Problem::at(at, &remark)));
    })
}

/// Checks the settings.
///
/// # Errors
/// The settings that are not valid.
fn check_settings(settings: &AnnotateSettings<'_>) -> Result<(), Failure> {
    let place = settings.setting_place;
    let is_malformed =
        |text: &str, separator| text.split(separator).any(|part| part.trim() != part || part.is_empty());
    let kinds =
        settings.waves.kinds.keys().filter(|kind| is_malformed(kind, '/') || kind.matches('/').count() > 1);
    let paths = settings.workloads.iter().filter(|workload| is_malformed(&workload.pod_template, '.'));
    let kinds = kinds.map(|kind| (SettingProblem::Kind(kind.clone()), place(&["waves", "kinds", kind])));
    let paths = paths.map(|workload| (SettingProblem::Path(workload.kind.clone()), place(&["workloads"])));
    let problems = kinds.chain(paths).map(|(setting, at)| Problem { at, ..Problem::new(&setting) });
    Failure::unless_empty(problems.collect())
}

fn workloads_of<'a>(
    objects: &'a [Manifest],
    placements: &[SyncPlacement],
    settings: &AnnotateSettings<'a>,
    notes: &mut Vec<Note>,
) -> Vec<Workload<'a>> {
    let mut found = Vec::new();
    for ((object, manifest), placement) in ObjectIndex::enumerate(objects).zip(placements) {
        match pods::pod_template(manifest, settings.workloads) {
            Ok(None) => {}
            Ok(Some(template)) => {
                let references = pods::references(template.spec);
                found.push(Workload { object, template, references, placement: *placement });
            }
            Err(missing) => {
                let remark =
                    AnnotateRemark::NoTemplate { object: manifest.id(), path: missing.path.to_owned() };
                notes.push(Note::warning(Problem::at(manifest.origin(), &remark)));
            }
        }
    }
    found
}

fn write(edits: &[AnnotationEdit], objects: &mut [Manifest], notes: &mut Vec<Note>) {
    for edit in edits {
        let Some(object) = edit.object.of_mut(objects) else { continue };
        let origin = object.origin();
        let mut path: Vec<&str> = edit.path.iter().map(String::as_str).collect();
        path.extend(["metadata", "annotations"]);
        let annotations = object.mapping_at_mut(&path);
        let old = annotations
            .map(|annotations| annotations.insert(edit.annotation, origin, Node::string(&edit.text, origin)));
        let id = || object.id();
        let annotation = edit.annotation;
        notes.extend(match old {
            None => Some(Note::warning(Problem::at(
                origin,
                &AnnotateRemark::AnnotationsMalformed { object: id(), annotation },
            ))),
            Some(Some(old)) if !edit.extends && old.as_str() != Some(&edit.text) => Some(Note::info(
                Problem::at(old.origin, &AnnotateRemark::Replaced { object: id(), annotation }),
            )),
            Some(_) => None,
        });
    }
}

#[cfg(test)]
mod tests;
