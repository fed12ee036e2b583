//! Committed SealedSecrets that hold the access key: every one below the given paths that has both items.
//!
//! Their items cannot be read, so the key that they hold is known only from the journal: the digests of the files that were
//! written. The values of the items change, so pods with a checksum restart, which they must.

use std::cell::RefCell;
use std::path::PathBuf;

use serde::{Deserialize, Serialize};

use sealwave_core::bounded_file::read_regular_file;
use sealwave_core::diagnostic::{Failure, Problem, ProblemPlace};
use sealwave_core::names::{SEAL_KEY_ID, SEALED_FOR};
use sealwave_core::sha256_hex;
use sealwave_core::text::counted;
use sealwave_providers::aws_account::NewAccessKey;
use sealwave_secrets::SealingScope;
use sealwave_secrets::crypto::Certificate;
use sealwave_secrets::values::SecretValue;

use super::sealed_error::SealedSinkError;
use super::sealed_template::SealedTemplate;
use super::sink::{CredentialSink, PresentKey, SinkDelivery, SinkError};
use crate::file_changes::{ChangeRecord, ChangeSet, FileChange, FileChangeError, MAX_FILE};
use crate::reseal::{FoundFile, ResealError, SealedTree, named_cluster};
use crate::seal::new_claim;
use crate::sealed_files::{SealedFileEditor, SealedObject};
use crate::state::{Journal, StateError};
use crate::work_tree::{AllowedPaths, Delivery, PushTarget, WorkTree};

/// The settings of sealed files.
pub struct SealedFilesSettings {
    /// Files and directories of one repository.
    pub paths: Vec<PathBuf>,
    /// The items with the id and the secret.
    pub items: [String; 2],
    /// Items whose value is a text with both parts.
    pub templates: Vec<SealedTemplate>,
    /// The namespace of objects without one.
    pub namespace: Option<String>,
    /// The certificate to seal for.
    pub certificate: Certificate,
    /// The files that may change.
    pub allowed: AllowedPaths,
    /// Whether the files are committed.
    pub commit: bool,
    /// The target of the push, if any.
    pub push: Option<PushTarget>,
}

/// The progress of the files. It holds digests, never a value.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "phase", rename_all = "kebab-case")]
pub enum SealedFilesState {
    /// No file was changed.
    Unchanged,
    /// The files are being replaced.
    Changing {
        /// The id of the new key.
        key: String,
        /// The files.
        record: ChangeRecord,
    },
    /// All files hold the new key.
    Changed {
        /// The id of the new key.
        key: String,
        /// The files.
        record: ChangeRecord,
        /// Whether they were pushed.
        pushed: bool,
    },
}

/// Committed SealedSecrets that hold the access key.
pub struct SealedFilesSink {
    settings: SealedFilesSettings,
    work_tree: Option<WorkTree>,
    journal: RefCell<Option<Journal<SealedFilesState>>>,
}

/// An error of replacing files, or of the journal before it.
#[derive(Debug, thiserror::Error)]
enum ReplaceError {
    #[error(transparent)]
    Change(#[from] FileChangeError),
    #[error(transparent)]
    State(#[from] StateError),
}

/// An object that holds the key.
struct SealedTarget<'t> {
    found: &'t FoundFile,
    index: usize,
    object: &'t SealedObject,
    label: Vec<u8>,
}

impl SealedFilesSink {
    /// Creates a sink with the journal of its files.
    ///
    /// # Errors
    /// The paths are not in one repository, or its checkout cannot be used.
    pub fn new(
        settings: SealedFilesSettings,
        journal: Option<Journal<SealedFilesState>>,
    ) -> Result<Self, SinkError> {
        let tree =
            SealedTree::find(&settings.paths, &[]).map_err(|failure| SinkError::of_failure(&failure))?;
        let work_tree = WorkTree::find(&tree.root).map_err(|error| SinkError::new(&error))?;
        if let Some(work_tree) = &work_tree {
            let possible = work_tree.require_delivery(settings.commit, settings.push.as_ref());
            possible.map_err(|error| SinkError::new(&error))?;
        }
        if (settings.commit || settings.push.is_some()) && work_tree.is_none() {
            return Err(SinkError::new(&SealedSinkError::NoCheckout));
        }
        let sink = Self { settings, work_tree, journal: RefCell::new(journal) };
        sink.finish_change()?;
        Ok(sink)
    }

    fn state(&self) -> SealedFilesState {
        let journal = self.journal.borrow();
        journal.as_ref().and_then(|journal| journal.state().cloned()).unwrap_or(SealedFilesState::Unchanged)
    }

    fn record(&self, state: SealedFilesState) -> Result<(), StateError> {
        // Without a journal, there is only a plan.
        self.journal.borrow_mut().as_mut().map_or(Ok(()), |journal| journal.record(state))
    }

    /// Finishes a change of files that an earlier run began.
    fn finish_change(&self) -> Result<(), SinkError> {
        let SealedFilesState::Changing { key, record } = self.state() else { return Ok(()) };
        let is_finished = record.finish().map_err(|error| SinkError::new(&error))?;
        let state = if is_finished {
            SealedFilesState::Changed { key, record, pushed: false }
        } else {
            SealedFilesState::Unchanged
        };
        self.record(state).map_err(|error| SinkError::new(&error))
    }

    fn tree(&self) -> Result<SealedTree, SinkError> {
        let tree = SealedTree::find(&self.settings.paths, &[])
            .and_then(|tree| tree.require_readable().map(|()| tree));
        tree.map_err(|failure| SinkError::of_failure(&failure))
    }

    /// Returns the objects that hold the key, and checks that they can be changed.
    fn targets<'t>(&self, tree: &'t SealedTree) -> Result<Vec<SealedTarget<'t>>, SinkError> {
        let (mut targets, mut problems) = (Vec::new(), Vec::new());
        for found in &tree.files {
            for (index, object) in found.file.objects().iter().enumerate() {
                match self.target(found, index, object) {
                    Ok(target) => targets.extend(target),
                    Err(problem) => {
                        problems.push(Problem {
                            at: ProblemPlace::Place(found.file.place(object.line)),
                            ..problem
                        });
                    }
                }
            }
        }
        Failure::unless_empty(problems).map_err(|failure| SinkError::of_failure(&failure))?;
        if targets.is_empty() {
            return Err(SinkError::new(&SealedSinkError::NoObject(self.settings.items.clone())));
        }
        let mut paths: Vec<_> = targets.iter().map(|target| target.found.path.as_path()).collect();
        paths.dedup();
        let work_tree = self.work_tree.as_ref();
        let allowed = self.settings.allowed.require_in(&tree.root, work_tree, paths.iter().copied());
        allowed.map_err(|error| SinkError::new(&error))?;
        // All of them are sealed for one certificate.
        named_cluster(&tree.root, paths.iter().copied(), &[])
            .map_err(|failure| SinkError::of_failure(&failure))?;
        if let Some(work_tree) = &self.work_tree {
            work_tree.require_clean(paths, None).map_err(|error| SinkError::new(&error))?;
        }
        Ok(targets)
    }

    fn target<'t>(
        &self,
        found: &'t FoundFile,
        index: usize,
        object: &'t SealedObject,
    ) -> Result<Option<SealedTarget<'t>>, Problem> {
        let [id, secret] = &self.settings.items;
        let has_template =
            self.settings.templates.iter().any(|template| object.item(&template.key).is_some());
        let shown = || object.name.clone();
        let half = |found: &String, missing: &String| {
            let (found, missing) = (found.clone(), missing.clone());
            Problem::new(&SealedSinkError::HalfAKey { object: shown(), found, missing })
        };
        match (object.item(id), object.item(secret)) {
            (Some(_), None) => return Err(half(id, secret)),
            (None, Some(_)) => return Err(half(secret, id)),
            (None, None) if !has_template => return Ok(None),
            _ => {}
        }
        if object.annotation(SEAL_KEY_ID).is_some() {
            return Err(Problem::new(&SealedSinkError::Rendered(shown())));
        }
        let own = Some(object.namespace.as_str()).filter(|own| !own.is_empty());
        let namespace = own.or(self.settings.namespace.as_deref()).unwrap_or("");
        if namespace.is_empty() && object.scope != SealingScope::ClusterWide {
            return Err(Problem::new(&ResealError::NoNamespace(shown(), object.scope.as_str())));
        }
        let label = object.scope.label(namespace, &object.name);
        Ok(Some(SealedTarget { found, index, object, label }))
    }

    /// Returns the new values of an object's items.
    fn values(&self, object: &SealedObject, key: &NewAccessKey) -> Vec<(String, SecretValue)> {
        let [id, secret] = &self.settings.items;
        let parts = [(id, SecretValue::new(key.id.clone().into_bytes())), (secret, key.secret.clone())];
        let parts = parts.into_iter().map(|(item, value)| (item.clone(), value));
        let templates =
            self.settings.templates.iter().map(|template| (template.key.clone(), template.value(key)));
        parts.chain(templates).filter(|(item, _)| object.item(item).is_some()).collect()
    }

    /// Seals the items of an object and puts them into its file.
    fn edit(
        &self,
        editor: &mut SealedFileEditor<'_>,
        target: &SealedTarget<'_>,
        key: &NewAccessKey,
    ) -> Result<(), Problem> {
        let certificate = &self.settings.certificate;
        let mut sealed = Vec::new();
        for (item, value) in self.values(target.object, key) {
            let not_sealed = || {
                let error =
                    SealedSinkError::NotSealed { object: target.object.name.clone(), key: item.clone() };
                Problem::new(&error)
            };
            let new = certificate.seal_randomly(&target.label, &value).map_err(|_| not_sealed())?;
            if !certificate.fits(&new, value.len()) {
                return Err(not_sealed());
            }
            editor.replace_item(target.index, &item, &new).map_err(Problem::from)?;
            sealed.push((item, new));
        }
        let fingerprint = format!("sha256:{}", certificate.details().public_key_sha256);
        let items: Vec<(&str, &str)> =
            sealed.iter().map(|(item, new)| (item.as_str(), new.as_str())).collect();
        if let Some(claim) = new_claim(target.object, &items, &fingerprint) {
            editor.set_annotation(target.index, SEALED_FOR, claim).map_err(Problem::from)?;
        }
        Ok(())
    }

    fn changes(
        &self,
        tree: &SealedTree,
        targets: &[SealedTarget<'_>],
        key: &NewAccessKey,
    ) -> Result<ChangeSet, SinkError> {
        let mut changes = Vec::new();
        for found in &tree.files {
            let mut editor = SealedFileEditor::new(&found.file);
            for target in targets.iter().filter(|target| target.found.path == found.path) {
                self.edit(&mut editor, target, key)
                    .map_err(|problem| SinkError::of_failure(&problem.into()))?;
            }
            let after =
                editor.finish().map_err(|error| SinkError::of_failure(&Problem::from(error).into()))?;
            changes.push(FileChange::new(&found.path, found.file.bytes(), after));
        }
        ChangeSet::new(&tree.root, changes).map_err(|error| SinkError::new(&error))
    }

    /// Names what the items of an object are bound to: everyone who can use that can read them.
    fn destination(&self, object: &SealedObject) -> String {
        let own = Some(object.namespace.as_str()).filter(|own| !own.is_empty());
        let namespace = own.or(self.settings.namespace.as_deref()).unwrap_or_default();
        object.scope.destination(namespace, &object.name)
    }

    fn shown_paths(&self) -> String {
        let paths = self.settings.paths.iter().map(|path| format!("`{}`", path.display()));
        paths.collect::<Vec<_>>().join(", ")
    }
}

impl CredentialSink for SealedFilesSink {
    fn name(&self) -> String {
        format!("the SealedSecrets in {}", self.shown_paths())
    }

    fn destinations(&self) -> Vec<String> {
        // Errors are reported where the files are used.
        let Ok(tree) = self.tree() else { return Vec::new() };
        let mut destinations = Vec::new();
        for found in &tree.files {
            for (index, object) in found.file.objects().iter().enumerate() {
                if let Ok(Some(_)) = self.target(found, index, object) {
                    destinations.push(format!("{} ({})", self.destination(object), found.file.path()));
                }
            }
        }
        destinations
    }

    fn undo(&self) -> String {
        "restore the files from Git".to_owned()
    }

    fn present_key(&self) -> Result<PresentKey, SinkError> {
        match self.state() {
            SealedFilesState::Changed { key, record, .. } if is_as_written(&record) => {
                Ok(PresentKey::Id(key))
            }
            SealedFilesState::Unchanged => {
                // They must be usable before a key is created.
                self.targets(&self.tree()?)?;
                Ok(PresentKey::Unreadable)
            }
            // Re-sealed since, for example.
            _ => Ok(PresentKey::Unreadable),
        }
    }

    fn secret_of(&self, _: &str) -> Option<SecretValue> {
        None
    }

    fn write(&self, key: &NewAccessKey) -> Result<String, SinkError> {
        let tree = self.tree()?;
        let targets = self.targets(&tree)?;
        let changes = self.changes(&tree, &targets, key)?;
        let announce = |record| {
            let key = key.id.clone();
            self.record(SealedFilesState::Changing { key, record }).map_err(ReplaceError::from)
        };
        changes.apply(announce).map_err(|error| match error {
            ReplaceError::Change(error) => SinkError::new(&error),
            ReplaceError::State(error) => SinkError::new(&error),
        })?;
        let state =
            SealedFilesState::Changed { key: key.id.clone(), record: changes.record(), pushed: false };
        self.record(state).map_err(|error| SinkError::new(&error))?;
        let (objects, files) = (targets.len(), changes.paths().count());
        Ok(format!("renewed {} in {}", counted(objects, "SealedSecret"), counted(files, "file")))
    }

    fn deliver(&self) -> Result<SinkDelivery, SinkError> {
        let SealedFilesState::Changed { key, mut record, pushed } = self.state() else {
            return Ok(SinkDelivery::Delivered);
        };
        let Some(work_tree) = &self.work_tree else { return Ok(SinkDelivery::Delivered) };
        let failed = |error: crate::work_tree::WorkTreeError| SinkError::new(&error);
        if self.settings.commit || self.settings.push.is_some() {
            let paths = record.files().iter().map(|file| file.path.as_path());
            let files = counted(record.files().len(), "file");
            let message = format!("Renew the sealed AWS access key in {files}");
            work_tree.commit(paths, &message).map_err(failed)?;
            work_tree.note_committed(&mut record).map_err(failed)?;
        }
        let Some(target) = &self.settings.push else { return Ok(SinkDelivery::Delivered) };
        if pushed && work_tree.is_delivered(target, &record).map_err(failed)? {
            return Ok(SinkDelivery::Delivered);
        }
        match work_tree.push(target, &record).map_err(failed)? {
            Delivery::Delivered => Ok(SinkDelivery::Delivered),
            Delivery::WaitingForMerge { pushed } => {
                let state = SealedFilesState::Changed { key, record, pushed: true };
                self.record(state).map_err(|error| SinkError::new(&error))?;
                let branch = pushed.unwrap_or_else(|| "the branch".to_owned());
                Ok(SinkDelivery::Waiting(format!("the merge of `{branch}` into `{}`", target.branch)))
            }
        }
    }

    fn finish(&self) -> Result<(), SinkError> {
        let journal = self.journal.borrow_mut().take();
        journal.map_or(Ok(()), Journal::finish).map_err(|error| SinkError::new(&error))
    }
}

/// Reports whether all files have what was written.
fn is_as_written(record: &ChangeRecord) -> bool {
    record.files().iter().all(|file| {
        let now = read_regular_file(&record.root().join(&file.path), MAX_FILE);
        now.is_ok_and(|now| sha256_hex(&now) == file.after)
    })
}
