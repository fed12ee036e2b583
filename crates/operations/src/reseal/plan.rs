//! The changes of all files, planned before any of them changes.

use std::collections::BTreeMap;

use base64::Engine as _;

use sealwave_core::diagnostic::{Failure, Problem, ProblemPlace};
use sealwave_core::document::display_path;
use sealwave_core::encoding::GO_BASE64;
use sealwave_core::names::{RESEALED, SEALED_FOR};
use sealwave_core::text::counted;
use sealwave_core::workers;
use sealwave_secrets::crypto::Certificate;
use sealwave_secrets::resealed::MAX_RECORD;

use super::engine::{EngineFailure, ResealEngine, ResealedItem, ResealedItems, SealedItems};
use super::error::ResealError;
use super::find::{FoundFile, SealedTree};
use super::origins::OpenedItems;
use super::status::{BoundObject, ItemState};
use crate::file_changes::{ChangeSet, FileChange};
use crate::plan::{Plan, PlanFact, StepUndo};
use crate::progress::Progress;
use crate::sealed_files::{SealedFileEditor, compact_ciphertext};

/// Everything that a plan is made from.
pub struct PlanInput<'a> {
    /// The files.
    pub tree: &'a SealedTree,
    /// The certificate to seal for.
    pub certificate: &'a Certificate,
    /// The engine that seals the items.
    pub engine: &'a dyn ResealEngine,
    /// The namespace of objects that have none.
    pub namespace: Option<&'a str>,
    /// The progress of the work.
    pub progress: &'a dyn Progress,
}

/// The planned changes.
pub struct ResealPlan {
    /// The plan for people, with the differences of files.
    pub plan: Plan,
    /// The changes.
    pub changes: ChangeSet,
    /// The number of items that get a new ciphertext.
    pub resealed: usize,
    /// Warnings about what was not planned.
    pub warnings: Vec<Problem>,
}

/// An object with items to seal again.
struct PendingObject<'t> {
    bound: BoundObject<'t>,
    sealed: SealedItems,
}

/// The objects of a file with their new items.
struct PlannedObjects<'t> {
    found: &'t FoundFile,
    objects: Vec<(BoundObject<'t>, ResealedItems)>,
}

#[derive(Debug, thiserror::Error)]
#[error("SealedSecret `{0}` was rendered by sealwave, so it was left as it is")]
struct RenderedNote(String);

impl sealwave_core::diagnostic::Explain for RenderedNote {
    fn hint(&self) -> Option<String> {
        Some("set the new certificate in the operator file, and render the app again".to_owned())
    }
}

impl ResealPlan {
    /// Plans the changes. The engine seals and verifies every item; if one fails, there is no plan.
    ///
    /// # Errors
    /// The problems of all files and items.
    pub fn new(input: &PlanInput<'_>) -> Result<Self, Failure> {
        input.tree.require_readable()?;
        let mut warnings = input.tree.warnings();
        let mut items = 0;
        let (mut pending, mut problems) = (Vec::new(), Vec::new());
        for bound in BoundObject::all(input.tree, input.namespace) {
            items += bound.object.items.len();
            if bound.is_rendered() {
                let at = ProblemPlace::Place(bound.place());
                warnings.push(Problem { at, ..Problem::new(&RenderedNote(bound.shown())) });
                continue;
            }
            match PendingObject::new(bound, input.certificate) {
                Ok(found) => pending.extend(found),
                Err(found) => problems.extend(found),
            }
        }
        Failure::unless_empty(problems)?;
        let planned = reseal(pending, input)?;
        let resealed = planned.iter().map(PlannedObjects::resealed).sum();
        let opened = opened_items(&planned);
        let (doubts, facts) = input.engine.judge(&opened)?;
        warnings.extend(doubts);
        let changes = edit_all(&planned, input.certificate)?;
        let root = &input.tree.root;
        let changes = ChangeSet::new(root, changes).map_err(|error| Problem::new(&error))?;
        let plan = describe(input, &changes, items, resealed, (&opened, facts));
        Ok(Self { plan, changes, resealed, warnings })
    }
}

impl<'t> PendingObject<'t> {
    /// Returns the object if it has items to seal again.
    fn new(bound: BoundObject<'t>, certificate: &Certificate) -> Result<Option<Self>, Vec<Problem>> {
        let stale = bound
            .object
            .items
            .iter()
            .filter(|item| bound.recorded_state(item, certificate) != ItemState::Current);
        let items: BTreeMap<String, String> =
            stale.map(|item| (item.key.clone(), compact_ciphertext(&item.ciphertext).into_owned())).collect();
        if items.is_empty() && !bound.object.has_blob {
            return Ok(None);
        }
        bound.require_label().map_err(|problem| vec![problem])?;
        let malformed = items.iter().filter(|(_, ciphertext)| GO_BASE64.decode(ciphertext).is_err());
        let problems: Vec<Problem> = malformed.map(|(key, _)| not_base64(&bound, key)).collect();
        if !problems.is_empty() {
            return Err(problems);
        }
        let sealed = SealedItems {
            namespace: bound.namespace.to_owned(),
            name: bound.object.name.clone(),
            scope: bound.object.scope,
            items,
        };
        Ok(Some(Self { bound, sealed }))
    }
}

fn not_base64(bound: &BoundObject<'_>, key: &str) -> Problem {
    let error = ResealError::NotBase64 { object: bound.shown(), key: key.to_owned() };
    bound.located(EngineFailure { key: Some(key.to_owned()), problem: Box::new(Problem::new(&error)) })
}

/// Seals all items, and groups the objects by file. Reports every object that fails.
fn reseal<'t>(
    pending: Vec<PendingObject<'t>>,
    input: &PlanInput<'_>,
) -> Result<Vec<PlannedObjects<'t>>, Failure> {
    let (bound, sealed): (Vec<BoundObject<'t>>, Vec<SealedItems>) =
        pending.into_iter().map(|object| (object.bound, object.sealed)).unzip();
    if sealed.is_empty() {
        return Ok(Vec::new());
    }
    input.progress.phase("preparing the plan");
    let results = input.engine.reseal_all(&sealed, input.progress);
    let mut planned: Vec<PlannedObjects<'t>> = Vec::new();
    let mut problems = Vec::new();
    for (bound, result) in bound.into_iter().zip(results) {
        match result {
            Ok(items) => match planned.last_mut() {
                Some(last) if std::ptr::eq(last.found, bound.found) => last.objects.push((bound, items)),
                _ => planned.push(PlannedObjects { found: bound.found, objects: vec![(bound, items)] }),
            },
            Err(failure) => problems.push(bound.located(failure)),
        }
    }
    Failure::unless_empty(problems).map(|()| planned)
}

fn edit_all(planned: &[PlannedObjects<'_>], certificate: &Certificate) -> Result<Vec<FileChange>, Failure> {
    let edited = workers::parallel_map(planned, |file| file.edit(certificate));
    let edited = edited.map_err(|error| Problem::new(&error))?;
    let (mut changes, mut problems) = (Vec::new(), Vec::new());
    for result in edited {
        match result {
            Ok(change) => changes.push(change),
            Err(problem) => problems.push(problem),
        }
    }
    Failure::unless_empty(problems).map(|()| changes)
}

impl PlannedObjects<'_> {
    fn resealed(&self) -> usize {
        let items = self.objects.iter().flat_map(|(_, items)| items.values());
        items.filter(|item| matches!(item, ResealedItem::Sealed { .. })).count()
    }

    /// Edits the file.
    fn edit(&self, certificate: &Certificate) -> Result<FileChange, Problem> {
        let file = &self.found.file;
        let mut editor = SealedFileEditor::new(file);
        for (bound, items) in &self.objects {
            edit_object(&mut editor, bound, items, certificate)?;
        }
        let after = editor.finish().map_err(Problem::from)?;
        Ok(FileChange::new(&self.found.path, file.bytes(), after))
    }
}

/// Replaces the items of an object, and records them.
fn edit_object(
    editor: &mut SealedFileEditor<'_>,
    bound: &BoundObject<'_>,
    items: &ResealedItems,
    certificate: &Certificate,
) -> Result<(), Problem> {
    let public_key = &certificate.details().public_key_sha256;
    let mut record = bound.record.clone();
    let is_changed = bound.object.has_blob || items.values().any(|item| *item != ResealedItem::Current);
    if !is_changed {
        return Ok(());
    }
    for item in &bound.object.items {
        let (id, old) = (bound.id(&item.key), item.ciphertext.as_str());
        let original = bound.record.original(&id, old);
        match items.get(&item.key) {
            Some(ResealedItem::Sealed { ciphertext: new, .. }) => {
                editor.replace_item(bound.index, &item.key, new).map_err(Problem::from)?;
                record.insert(&id, &original, public_key, new);
            }
            Some(ResealedItem::Current) => record.insert(&id, &original, public_key, old),
            // Its record says that it is current.
            None => {}
        }
    }
    record.retain(|key| bound.object.item(key).is_some());
    let text = record.to_text();
    if text.len() > MAX_RECORD / 2 {
        let error = ResealError::RecordTooLarge(bound.shown());
        return Err(Problem { at: ProblemPlace::Place(bound.place()), ..Problem::new(&error) });
    }
    editor.set_annotation(bound.index, RESEALED, &text).map_err(Problem::from)?;
    editor.set_annotation(bound.index, SEALED_FOR, &format!("sha256:{public_key}")).map_err(Problem::from)
}

/// Returns the keys that opened the items, by file.
fn opened_items(planned: &[PlannedObjects<'_>]) -> OpenedItems {
    let mut opened = OpenedItems::default();
    for file in planned {
        for item in file.objects.iter().flat_map(|(_, items)| items.values()) {
            match item {
                ResealedItem::Current => opened.has_current = true,
                ResealedItem::Sealed { opened_by: Some(key), .. } => {
                    let keys = opened.by_file.entry(display_path(&file.found.path)).or_default();
                    *keys.entry(key.clone()).or_default() += 1;
                }
                ResealedItem::Sealed { opened_by: None, .. } => {}
            }
        }
    }
    opened
}

fn describe(
    input: &PlanInput<'_>,
    changes: &ChangeSet,
    items: usize,
    resealed: usize,
    (opened, key_facts): (&OpenedItems, Vec<PlanFact>),
) -> Plan {
    let details = input.certificate.details();
    let mut plan = Plan::new("reseal")
        .with_fact("public key SHA-256", &details.public_key_sha256)
        .with_fact("certificate SHA-256", &details.certificate_sha256)
        .with_fact("valid", format!("{} to {}", details.not_before, details.not_after));
    plan.facts.extend(input.engine.facts());
    plan.facts.extend(key_facts);
    let left = items.saturating_sub(resealed);
    plan.facts.push(PlanFact {
        name: "items".to_owned(),
        value: format!("{} found: {resealed} to seal again, {left} left as they are", counted(items, "item")),
    });
    plan = plan.with_fact("restarts", "none: the checksums of workloads stay as they are");
    if changes.is_empty() {
        return plan;
    }
    plan.files = changes.planned();
    for file in &mut plan.files {
        let keys = opened.by_file.get(&file.path).into_iter().flat_map(BTreeMap::keys);
        file.opened_with = keys.cloned().collect();
    }
    let files = counted(plan.files.len(), "file");
    let undo = StepUndo::By("restore the files with Git, while the controller has the old keys".to_owned());
    plan.with_step("replace-files", format!("replace {} in {files}", counted(resealed, "ciphertext")), undo)
}
