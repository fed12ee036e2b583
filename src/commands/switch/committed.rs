//! `switch` for committed SealedSecrets and plain Secrets: the changes of their files, and the Secrets that replace them.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::path::{Path, PathBuf};

use serde::Serialize;
use serde_json::json;

use crate::cli::SwitchArgs;
use crate::commands::session::EnvironmentSession;
use sealwave_core::bounded_file::read_regular_file;
use sealwave_core::diagnostic::{Explain, Failure, Problem, io_reason, printable};
use sealwave_operations::file_changes::{ChangeSet, FileChange, FileChangeError};
use sealwave_operations::plan::Plan;
use sealwave_operations::switch::{
    CommittedSecret, ReleaseEdit, Switch, SwitchError, SwitchRequest, SwitchStep, find_committed,
    find_values, release_file,
};
use sealwave_operations::work_tree::{AllowedPaths, WorkTree};
use sealwave_pipeline::CollectedRender;
use sealwave_secrets::settings::{BackendKind, ChecksumText};

/// Size limit of a file that is changed.
const MAX_FILE: u64 = 4 << 20;

#[derive(Debug, thiserror::Error)]
enum CommittedError {
    #[error("`--write` needs a Git checkout, which `{0}` is not")]
    NoCheckout(String),
}

impl Explain for CommittedError {
    fn hint(&self) -> Option<String> {
        Some("without `--write`, the changes are printed".to_owned())
    }
}

/// A change that a person has to make.
#[derive(Debug, Serialize)]
struct ManualChange {
    #[serde(skip)]
    kind: &'static str,
    secret: String,
    file: String,
    line: u32,
    reason: String,
    edits: Vec<ReleaseEdit>,
}

/// The committed SealedSecrets, or plain Secrets, of a change.
pub(super) struct CommittedSwitch {
    secrets: Vec<CommittedSecret>,
    changes: Option<ChangeSet>,
    manual: Vec<ManualChange>,
    written: Vec<String>,
}

/// Returns the committed SealedSecrets of an environment.
pub(super) fn find(session: &EnvironmentSession<'_>) -> Result<Vec<CommittedSecret>, Failure> {
    let Some((CollectedRender { attempt, .. }, sources)) = session.collected()? else {
        return Ok(Vec::new());
    };
    let workloads = &session.discovery.app().workloads;
    Ok(find_committed(&attempt.objects, workloads, &sources))
}

/// Returns the Secrets of a request that have their values in the manifests.
pub(super) fn values(
    session: &EnvironmentSession<'_>,
    request: &SwitchRequest,
) -> Result<Vec<String>, Failure> {
    let rendered = session.collected()?;
    Ok(rendered.map(|(render, _)| find_values(&render.attempt.objects, request)).unwrap_or_default())
}

impl CommittedSwitch {
    /// Decides what comes next, and prepares the changes of files for the first commit.
    pub(super) fn new(
        request: SwitchRequest,
        secrets: Vec<CommittedSecret>,
        directory: &Path,
    ) -> Result<(Self, Switch), Failure> {
        let to = request.to;
        let edits: Vec<Vec<ReleaseEdit>> = secrets.iter().map(|secret| secret.release_edits(to)).collect();
        let names = secrets.iter().map(|secret| secret.secret.clone()).collect();
        let is_released = edits.iter().all(Vec::is_empty);
        let switch = if secrets.iter().any(|secret| secret.is_plain) {
            Switch::of_plain(request, names, is_released)
        } else {
            Switch::of_committed(request, names, is_released)
                .map_err(|error: SwitchError| Problem::new(&error))?
        };
        let mut found = Self { secrets, changes: None, manual: Vec::new(), written: Vec::new() };
        if switch.step == SwitchStep::Release {
            found.prepare(edits, directory)?;
        }
        Ok((found, switch))
    }

    /// Prepares the changes, file by file. What cannot be changed exactly is left to a person.
    fn prepare(&mut self, edits: Vec<Vec<ReleaseEdit>>, directory: &Path) -> Result<(), Failure> {
        let root = match WorkTree::find(directory).map_err(|error| Problem::new(&error))? {
            Some(tree) => tree.top().to_owned(),
            None => fs_err::canonicalize(directory).unwrap_or_else(|_| directory.to_owned()),
        };
        let mut files: BTreeMap<&str, Vec<(&CommittedSecret, Vec<ReleaseEdit>)>> = BTreeMap::new();
        for (secret, edits) in self.secrets.iter().zip(edits).filter(|(_, edits)| !edits.is_empty()) {
            files.entry(&secret.file).or_default().push((secret, edits));
        }
        let (mut changes, mut manual) = (Vec::new(), Vec::new());
        for (file, secrets) in files {
            match change(&root, file, &secrets) {
                Ok(change) => changes.push(change),
                Err(reason) => manual.extend(secrets.into_iter().map(|(secret, edits)| ManualChange {
                    kind: secret.kind(),
                    secret: secret.id(),
                    file: file.to_owned(),
                    line: secret.line,
                    reason: reason.clone(),
                    edits,
                })),
            }
        }
        let set = ChangeSet::new(&root, changes).map_err(|error| Problem::new(&error))?;
        (self.changes, self.manual) = (Some(set), manual);
        Ok(())
    }

    /// Adds the differences of files to a plan.
    pub(super) fn complete(&self, plan: &mut Plan) {
        plan.files = self.changes.as_ref().map(ChangeSet::planned).unwrap_or_default();
    }

    /// Reports whether files change.
    pub(super) fn has_changes(&self) -> bool {
        self.changes.as_ref().is_some_and(|changes| !changes.is_empty())
    }

    /// Checks that the files are committed as they are and may change.
    pub(super) fn check(&self, args: &SwitchArgs, environment: &str) -> Result<(), Failure> {
        let Some(changes) = self.changes.as_ref().filter(|changes| !changes.is_empty()) else {
            return Ok(());
        };
        let root = changes.root();
        let tree = WorkTree::find(root).map_err(|error| Problem::new(&error))?;
        let no_checkout = || Problem::new(&CommittedError::NoCheckout(root.display().to_string()));
        let tree = tree.ok_or_else(no_checkout)?;
        let allowed = AllowedPaths::new(Some(environment), &args.files.allow_path);
        let allowed = allowed.and_then(|allowed| allowed.require(changes.paths()));
        allowed.map_err(|error| Problem::new(&error))?;
        Ok(tree.require_clean(changes.paths(), None).map_err(|error| Problem::new(&error))?)
    }

    /// Changes the files.
    pub(super) fn write(&mut self) -> Result<(), Failure> {
        let Some(changes) = &self.changes else { return Ok(()) };
        // Each file is complete by itself: after an interruption, the next run changes the others.
        changes.apply(|_| Ok::<(), FileChangeError>(())).map_err(|error| Problem::new(&error))?;
        self.written = changes.paths().map(|path| path.display().to_string()).collect();
        Ok(())
    }

    /// Returns the checksums that the workloads of the Secrets have now.
    pub(super) fn checksums(
        &self,
        mut present: BTreeMap<String, ChecksumText>,
    ) -> BTreeMap<String, ChecksumText> {
        let users: BTreeSet<&String> = self.secrets.iter().flat_map(|secret| &secret.users).collect();
        present.retain(|workload, _| users.contains(workload));
        present
    }

    /// Returns the Secrets whose values stay in the history of Git.
    pub(super) fn with_values(&self) -> Vec<String> {
        self.secrets.iter().filter(|secret| secret.has_values).map(CommittedSecret::id).collect()
    }

    /// Returns what the next commit does with the files, for people.
    pub(super) fn human(&self, step: SwitchStep, to: BackendKind) -> String {
        let mut text = String::new();
        if !self.manual.is_empty() {
            text.push_str("\nNext commit, by hand\n");
        }
        for ManualChange { kind, secret, file, line, reason, edits } in &self.manual {
            let place = format!("{file}:{line}");
            line_to(
                &mut text,
                format_args!("  {}: {kind} {}: {}", printable(place), printable(secret), printable(reason)),
            );
            for ReleaseEdit { path, name, text: value, .. } in edits {
                line_to(&mut text, format_args!("    {path}: {name}: \"{}\"", printable(value)));
            }
        }
        if step == SwitchStep::TakeOver {
            for secret in &self.secrets {
                let (place, id) = (format!("{}:{}", secret.file, secret.line), secret.id());
                line_to(
                    &mut text,
                    format_args!(
                        "\nNext commit, instead of {} {} in {}",
                        secret.kind(),
                        printable(id),
                        printable(place)
                    ),
                );
                for line in secret.skeleton(to).lines() {
                    line_to(&mut text, format_args!("  {}", printable(line)));
                }
            }
        }
        // Last: the rest is printed before anything is written.
        if !self.written.is_empty() {
            text.push_str("\nWritten: commit these files\n");
        }
        for path in &self.written {
            line_to(&mut text, format_args!("  {}", printable(path)));
        }
        text
    }

    /// Returns the same for scripts.
    pub(super) fn json(&self, step: SwitchStep, to: BackendKind) -> serde_json::Value {
        let replacements: Vec<serde_json::Value> = match step {
            SwitchStep::TakeOver => {
                let one = |secret: &CommittedSecret| {
                    json!({
                        "secret": secret.id(), "file": secret.file, "line": secret.line, "manifest": secret.skeleton(to),
                    })
                };
                self.secrets.iter().map(one).collect()
            }
            SwitchStep::Cancel | SwitchStep::Complete | SwitchStep::Release => Vec::new(),
        };
        json!({"written": self.written, "manual": self.manual, "replacements": replacements})
    }
}

fn line_to(text: &mut String, line: std::fmt::Arguments<'_>) {
    // Writing to a string cannot fail.
    let _ = writeln!(text, "{line}");
}

/// Returns the change of a file, or the reason why a person has to make it.
fn change(
    root: &Path,
    file: &str,
    secrets: &[(&CommittedSecret, Vec<ReleaseEdit>)],
) -> Result<FileChange, String> {
    let path = fs_err::canonicalize(file).map_err(|error| io_reason(error.kind()))?;
    let relative: PathBuf =
        path.strip_prefix(root).map_err(|_| "its file is outside of the repository".to_owned())?.to_owned();
    let before = read_regular_file(&path, MAX_FILE).map_err(|error| io_reason(error.kind()))?;
    let after = release_file(file, &before, secrets).map_err(|failure| {
        failure.problems().first().map_or_else(String::new, |problem| problem.message.clone())
    })?;
    let after = after.ok_or_else(|| "its file is not a manifest that has it".to_owned())?;
    Ok(FileChange::new(relative, before.to_vec(), after))
}
