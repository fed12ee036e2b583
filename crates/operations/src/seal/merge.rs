//! Items that are added to a committed SealedSecret, or replace those of the same keys.
//!
//! Only ciphertexts change, and our annotation if it would be wrong. Name, namespace and scope are those of the file: an item that
//! was sealed for others could not be opened.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use sealwave_core::bounded_file::{BoundedReadError, read_file};
use sealwave_core::diagnostic::{
    Explain, Failure, NOT_REGULAR_FILE, Note, Problem, ProblemCollector, ProblemPlace, io_reason, printable,
};
use sealwave_core::document::{Manifest, Node, display_path};
use sealwave_core::names::{LITERAL, RESEALED, SEALED_FOR, STRING_DATA_FROM, item_label};
use sealwave_core::reach::{directory_of, leaves_repository, repository_root};
use sealwave_pipeline::SealedApp;
use sealwave_secrets::SealingScope;
use sealwave_secrets::crypto::{Certificate, sealed_size};
use sealwave_secrets::resealed::{ResealRecord, SealedItemId, ciphertext_digest};

use super::naming::secret_name;
use super::other_keys::{MIXED, OtherKeys};
use super::target::{SealTarget, SecretOrigin};
use crate::file_changes::{ChangeSet, FileChange};
use crate::plan::{Plan, StepUndo};
use crate::sealed_files::{SealedFile, SealedFileEditor, SealedItem, SealedObject};

/// The largest file that is read.
const MAX_FILE: u64 = 16 << 20;

/// The total size of a Secret's values.
const MAX_DATA: usize = 1 << 20;

/// The annotations of a Secret that say how its items are read.
const READING_ANNOTATIONS: [&str; 2] = [LITERAL, STRING_DATA_FROM];

/// A file that gets items.
pub struct MergeTarget {
    file: SealedFile,
}

/// A file with its new items.
pub struct MergedFile {
    /// The changes, for people.
    pub plan: Plan,
    /// The change.
    pub changes: ChangeSet,
    /// Warnings about the items that stay.
    pub notes: Vec<Note>,
}

/// A reason why items cannot be merged.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
enum MergeError {
    #[error("`{path}` has several SealedSecrets that fit{}", shown_name(.name.as_deref()))]
    Ambiguous { path: String, name: Option<String> },
    #[error("`{0}` is a symbolic link")]
    Link(String),
    #[error("a symbolic link on the way to `{0}` leads out of the repository")]
    LinkedDirectory(String),
    #[error("SealedSecret `{name}` has no namespace, which scope {scope} needs")]
    NoNamespace { name: String, scope: SealingScope },
    #[error("`{path}` has no SealedSecret{}{}", shown_name(.name.as_deref()), shown_namespace(.namespace.as_deref()))]
    NotFound { path: String, name: Option<String>, namespace: Option<String> },
    #[error("`{0}` has no SealedSecret")]
    NoSealedSecret(String),
    #[error("SealedSecret `{name}` has scope {found}, but `--scope {given}` was given")]
    Scope { name: String, found: SealingScope, given: SealingScope },
    #[error("SealedSecret `{name}` would have {bytes} bytes of data; Kubernetes allows at most {MAX_DATA}")]
    TooBig { name: String, bytes: usize },
    #[error("`{path}` cannot be read: {reason}")]
    Unreadable { path: String, reason: String },
}

impl Explain for MergeError {
    fn hint(&self) -> Option<String> {
        let hint = match self {
            Self::Ambiguous { .. } => "select one with `--name NAME` and `--namespace NAME`",
            Self::Link(_) | Self::LinkedDirectory(_) => "pass the file that it refers to",
            Self::NoNamespace { .. } => {
                "pass `--namespace NAME`: the namespace where Argo CD or Kustomize puts it"
            }
            Self::NotFound { .. } => {
                "compare `metadata.name` and `metadata.namespace`; without `--merge-into`, a new SealedSecret is written"
            }
            Self::NoSealedSecret(_) => {
                "name a file with a SealedSecret; without `--merge-into`, a new SealedSecret is written"
            }
            Self::Scope { .. } => {
                "remove the flag: the items keep the scope of the file; to change it, unseal and seal the whole Secret"
            }
            Self::TooBig { .. } => "put the item into another Secret",
            Self::Unreadable { .. } => return None,
        };
        Some(hint.to_owned())
    }
}

fn shown_namespace(namespace: Option<&str>) -> String {
    namespace.map(|namespace| format!(" in namespace `{}`", printable(namespace))).unwrap_or_default()
}

fn shown_name(name: Option<&str>) -> String {
    name.map(|name| format!(" `{}`", printable(name))).unwrap_or_default()
}

/// A note about parts of a Secret that are not merged.
#[derive(Debug, thiserror::Error)]
#[error("only the items of Secret `{0}` are merged; labels, annotations and type stay those of the file")]
struct OnlyItems(String);

impl Explain for OnlyItems {}

impl MergeTarget {
    /// Reads the file.
    ///
    /// # Errors
    /// The file is a link or cannot be read, or its SealedSecrets are not valid.
    pub fn read(path: &Path) -> Result<Self, Failure> {
        let shown = display_path(path);
        let bytes = read_own_file(path).map_err(|error| Problem::new(&error))?;
        Ok(Self { file: SealedFile::read(&shown, bytes)? })
    }

    /// Returns the target for values of flags: the only SealedSecret that fits the name and namespace of `flags`.
    ///
    /// # Errors
    /// None or several fit, or the scope differs.
    pub fn select(&self, flags: &SealTarget) -> Result<SelectedObject<'_>, Failure> {
        self.find(flags.name.as_deref(), flags.namespace.as_deref(), flags)
    }

    /// Selects the SealedSecret of each Secret, and gives the Secret its name, namespace and scope.
    pub(super) fn fit_all(
        &self,
        roots: Vec<Node>,
        flags: &SealTarget,
        notes: &mut Vec<Note>,
    ) -> Result<(Vec<Manifest>, Vec<SelectedObject<'_>>), Failure> {
        let (mut objects, mut selected) = (Vec::new(), Vec::new());
        let mut problems = ProblemCollector::default();
        flags.require_one_name(&roots)?;
        for mut root in roots {
            let at = ProblemPlace::Origin(root.display_origin());
            // Other objects are refused later.
            let fitted = self.select_for(&root, flags).and_then(|found| {
                SelectedObject::keep_items_only(&mut root, notes);
                found.target.apply_to_all(vec![root], SecretOrigin::Input).map(|fitted| (fitted, found))
            });
            match fitted {
                Ok((fitted, found)) => {
                    objects.extend(fitted);
                    selected.push(found);
                }
                Err(failure) => problems.absorb(failure.or_with_place(&at)),
            }
        }
        problems.check().map(|()| (objects, selected))
    }

    /// Returns the target for a Secret: the SealedSecret of its name and namespace. Flags take precedence.
    fn select_for(&self, secret: &Node, flags: &SealTarget) -> Result<SelectedObject<'_>, Failure> {
        let text = |field| {
            let text = secret.at(&["metadata", field]).and_then(Node::as_str);
            text.filter(|text| !text.is_empty())
        };
        let name = flags.name.as_deref().or_else(|| text("name"));
        let namespace = flags.namespace.as_deref().or_else(|| text("namespace"));
        self.find(name, namespace, flags)
    }

    fn find(
        &self,
        name: Option<&str>,
        namespace: Option<&str>,
        flags: &SealTarget,
    ) -> Result<SelectedObject<'_>, Failure> {
        let fits = |object: &SealedObject| {
            let is_same = |wanted: Option<&str>, found: &str| wanted.is_none_or(|wanted| wanted == found);
            is_same(name, &object.name)
                && (object.namespace.is_empty() || is_same(namespace, &object.namespace))
        };
        let mut found = self.file.objects().iter().enumerate().filter(|(_, object)| fits(object));
        let (path, shown) = (self.file.path().to_owned(), name.map(str::to_owned));
        if self.file.objects().is_empty() {
            return Err(Problem::new(&MergeError::NoSealedSecret(path)).into());
        }
        let Some((index, object)) = found.next() else {
            return Err(Problem::new(&MergeError::NotFound {
                path,
                name: shown,
                namespace: namespace.map(str::to_owned),
            })
            .into());
        };
        if found.next().is_some() {
            return Err(self.problem(object, &MergeError::Ambiguous { path, name: shown }));
        }
        let (name, scope) = (object.name.clone(), object.scope);
        if let Some(given) = flags.scope.filter(|given| *given != scope) {
            return Err(self.problem(object, &MergeError::Scope { name, found: scope, given }));
        }
        let namespace = Some(object.namespace.as_str()).filter(|own| !own.is_empty()).or(namespace);
        if scope != SealingScope::ClusterWide && namespace.is_none() {
            return Err(self.problem(object, &MergeError::NoNamespace { name, scope }));
        }
        let target = SealTarget {
            name: Some(name),
            namespace: namespace.map(str::to_owned),
            scope: Some(scope),
            literal: flags.literal,
            secret_type: None,
        };
        Ok(SelectedObject { index, object, target })
    }

    /// Writes the items of sealed objects into the selected ones, in the same order. `certificate` is the one that they were
    /// sealed for.
    ///
    /// # Errors
    /// The file has a layout that cannot be edited exactly.
    pub fn merge(
        &self,
        path: &Path,
        selected: &[SelectedObject<'_>],
        sealed: &SealedApp,
        certificate: &Certificate,
    ) -> Result<MergedFile, Failure> {
        let public_key_sha256 = certificate.details().public_key_sha256.as_str();
        let mut notes = Vec::new();
        let fingerprint = format!("sha256:{public_key_sha256}");
        let mut editor = SealedFileEditor::new(&self.file);
        let mut plan = Plan::new("seal --merge-into").with_fact("certificate", fingerprint.as_str());
        for (selected, object) in selected.iter().zip(sealed.objects()) {
            let items = items_of(object);
            let SealedObject { name, scope, .. } = selected.object;
            let namespace = selected.target.namespace.as_deref().unwrap_or_default();
            plan = plan.with_fact("sealed for", scope.destination(namespace, name));
            self.require_size(selected.object, &items)?;
            notes.extend(OtherKeys::of_kept_items(selected.object, namespace, &items, certificate).map(
                |others| {
                    let at = ProblemPlace::Place(self.file.place(selected.object.line));
                    Note::warning(Problem { at, ..Problem::new(&others) })
                },
            ));
            for (key, ciphertext) in &items {
                editor.insert_item(selected.index, key, ciphertext)?;
                let verb = if selected.object.item(key).is_some() { "replace" } else { "add" };
                let summary =
                    format!("{verb} {} of SealedSecret `{}`", item_label(key), selected.object.name);
                plan = plan.with_step(
                    "merge-item",
                    summary,
                    StepUndo::By("restore the file from Git".to_owned()),
                );
            }
            if let Some(record) = new_record(selected, &items, public_key_sha256) {
                editor.set_annotation(selected.index, RESEALED, &record)?;
            }
            if let Some(claim) = new_claim(selected.object, &items, &fingerprint) {
                editor.set_annotation(selected.index, SEALED_FOR, claim)?;
            }
        }
        let after = editor.finish()?;
        let (root, relative) = rooted(path);
        let change = FileChange::new(relative, self.file.bytes(), after);
        let changes = ChangeSet::new(&root, vec![change]).map_err(|error| Problem::new(&error))?;
        plan.files = changes.planned();
        Ok(MergedFile { plan, changes, notes })
    }

    /// Checks the size of the Secret that the controller would write.
    fn require_size(&self, object: &SealedObject, new: &[(&str, &str)]) -> Result<(), Failure> {
        let is_kept = |item: &&SealedItem| new.iter().all(|(key, _)| *key != item.key);
        let kept = object.items.iter().filter(is_kept).map(|item| item.ciphertext.as_str());
        let sizes = kept.chain(new.iter().map(|(_, item)| *item)).filter_map(sealed_size);
        let bytes = sizes.fold(0, usize::saturating_add);
        if bytes <= MAX_DATA {
            return Ok(());
        }
        Err(self.problem(object, &MergeError::TooBig { name: object.name.clone(), bytes }))
    }

    fn problem(&self, object: &SealedObject, error: &MergeError) -> Failure {
        let at = ProblemPlace::Place(self.file.place(object.line));
        Problem { at, ..Problem::new(error) }.into()
    }
}

/// A SealedSecret that gets items.
pub struct SelectedObject<'f> {
    index: usize,
    object: &'f SealedObject,
    /// Name, namespace and scope for sealing.
    pub target: SealTarget,
}

impl SelectedObject<'_> {
    /// Removes what is not merged from a Secret, so that it is neither checked nor sealed.
    fn keep_items_only(secret: &mut Node, notes: &mut Vec<Note>) {
        let name = secret_name(secret);
        let Some(fields) = secret.as_mapping_mut() else { return };
        let mut has_more = fields.remove("type").is_some_and(|node| node.as_str() != Some("Opaque"));
        has_more |= fields.remove("immutable").is_some();
        if let Some(metadata) = secret.mapping_at_mut(&["metadata"]) {
            has_more |= metadata.remove("labels").is_some();
            metadata.remove("namespace");
            if let Some(annotations) = metadata.get_mut("annotations").and_then(Node::as_mapping_mut) {
                let before = annotations.len();
                annotations.retain(|entry| READING_ANNOTATIONS.contains(&entry.key.as_str()));
                has_more |= annotations.len() < before;
            }
        }
        if has_more {
            notes.push(Note::info(Problem::new(&OnlyItems(name))));
        }
    }
}

fn items_of(object: &Manifest) -> Vec<(&str, &str)> {
    let entries = object.root().entries_at(&["spec", "encryptedData"]);
    entries.iter().filter_map(|entry| Some((entry.key.as_str(), entry.value.as_str()?))).collect()
}

/// Returns the new record of an object that was re-sealed: it has the new items too, so that `reseal --check` knows their
/// certificate. `None` leaves it as it is.
fn new_record(
    selected: &SelectedObject<'_>,
    new: &[(&str, &str)],
    public_key_sha256: &str,
) -> Option<String> {
    let mut record = ResealRecord::parse(selected.object.annotation(RESEALED)?).ok()?;
    let namespace = selected.target.namespace.as_deref().unwrap_or_default();
    let SealedObject { name, scope, .. } = selected.object;
    for (key, ciphertext) in new {
        let id = SealedItemId { namespace, name, scope: *scope, key };
        record.insert(&id, &ciphertext_digest(ciphertext), public_key_sha256, ciphertext);
    }
    Some(record.to_text())
}

/// Returns the new text of our annotation, which names the certificate of all items; `None` leaves it as it is.
pub(crate) fn new_claim<'a>(
    object: &SealedObject,
    new: &[(&str, &str)],
    fingerprint: &'a str,
) -> Option<&'a str> {
    let replaced: BTreeSet<&str> = new.iter().map(|(key, _)| *key).collect();
    if object.items.iter().all(|item| replaced.contains(item.key.as_str())) {
        return Some(fingerprint);
    }
    object.annotation(SEALED_FOR).filter(|claim| *claim != fingerprint).map(|_| MIXED)
}

/// Returns the top of the repository with a file, else the working directory, else the directory of the file; and the path of the
/// file from there.
fn rooted(path: &Path) -> (PathBuf, PathBuf) {
    let directory = directory_of(path);
    let directory = fs_err::canonicalize(directory).unwrap_or_else(|_| directory.to_owned());
    let file = directory.join(path.file_name().unwrap_or_default());
    let working_directory = fs_err::canonicalize(".").ok().filter(|start| file.starts_with(start));
    let root = repository_root(&directory).map(Path::to_owned).or(working_directory).unwrap_or(directory);
    let relative = file.strip_prefix(&root).map_or_else(|_| file.clone(), Path::to_owned);
    (root, relative)
}

/// Reads a file that is changed later: a link would be replaced by a file.
fn read_own_file(path: &Path) -> Result<Vec<u8>, MergeError> {
    let shown = display_path(path);
    let unreadable = |reason: String| MergeError::Unreadable { path: shown.clone(), reason };
    if leaves_repository(path) {
        return Err(MergeError::LinkedDirectory(shown));
    }
    let metadata = fs_err::symlink_metadata(path).map_err(|error| unreadable(io_reason(error.kind())))?;
    if metadata.is_symlink() {
        return Err(MergeError::Link(shown));
    }
    if !metadata.is_file() {
        return Err(unreadable(format!("it {NOT_REGULAR_FILE}")));
    }
    let file = fs_err::File::open(path).map_err(|error| unreadable(io_reason(error.kind())))?;
    let mut bytes = read_file(file, MAX_FILE).map_err(|error| match error {
        BoundedReadError::TooLarge => unreadable(format!("it is larger than {MAX_FILE} bytes")),
        error => unreadable(io_reason(error.kind())),
    })?;
    Ok(std::mem::take(&mut *bytes))
}
