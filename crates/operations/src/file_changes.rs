//! Changes of committed files: all of them, or none.
//!
//! ```text
//! stage    the new contents of every file are written beside it, and the originals are compared with what was planned
//! record   the caller writes the digests of all files to its journal
//! replace  each file is replaced by renaming; if one fails, those before it are restored
//! ```
//!
//! So a reader sees a whole old file or a whole new one. A run that is killed while it replaces files leaves a
//! [`ChangeRecord`], with which the next run finishes. A link is never followed, and no path leaves the root.

mod diff;
mod error;
mod record;
mod stage;

use std::path::{Path, PathBuf};

use fs_err as fs;

use sealwave_core::bounded_file::read_regular_file;
use sealwave_core::sha256_hex;

use crate::plan::PlannedFile;
use stage::StagedFile;

pub use error::FileChangeError;
pub use record::{ChangeRecord, ChangedFile};
pub(crate) use stage::MAX_FILE;

/// The new contents of a file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FileChange {
    path: PathBuf,
    before: Vec<u8>,
    after: Vec<u8>,
}

/// Changes of files below one directory.
#[derive(Clone, Debug)]
pub struct ChangeSet {
    root: PathBuf,
    changes: Vec<FileChange>,
}

impl FileChange {
    /// Creates the change of a file from the contents that were read to other contents. `path` is relative to the root of the
    /// set.
    #[must_use]
    pub fn new(path: impl Into<PathBuf>, before: impl Into<Vec<u8>>, after: impl Into<Vec<u8>>) -> Self {
        Self { path: path.into(), before: before.into(), after: after.into() }
    }

    /// Returns the path, relative to the root of the set.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Returns the new contents.
    #[must_use]
    pub fn after(&self) -> &[u8] {
        &self.after
    }
}

impl ChangeSet {
    /// Creates a set from the changes that change something, in the order of their paths.
    ///
    /// # Errors
    /// The root does not exist, a path leaves it, or two changes have the same path.
    pub fn new(root: &Path, changes: Vec<FileChange>) -> Result<Self, FileChangeError> {
        let root = fs::canonicalize(root).map_err(|error| FileChangeError::io(root, &error))?;
        let mut changes: Vec<FileChange> =
            changes.into_iter().filter(|change| change.before != change.after).collect();
        changes.sort_by(|a, b| a.path.cmp(&b.path));
        for change in &changes {
            stage::check_path(&root, &change.path)?;
        }
        let twice = changes.windows(2).find(|pair| matches!(pair, [a, b] if a.path == b.path));
        if let Some([change, _]) = twice {
            return Err(FileChangeError::Twice(change.path.clone()));
        }
        Ok(Self { root, changes })
    }

    /// Reports whether nothing changes.
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.changes.is_empty()
    }

    /// Returns the root: an absolute path without links.
    #[must_use]
    pub fn root(&self) -> &Path {
        &self.root
    }

    /// Returns the changes, in the order of their paths.
    #[must_use]
    pub fn changes(&self) -> &[FileChange] {
        &self.changes
    }

    /// Returns the paths of the changed files, relative to the root.
    pub fn paths(&self) -> impl Iterator<Item = &Path> {
        self.changes.iter().map(FileChange::path)
    }

    /// Returns the files with their differences, for a plan.
    #[must_use]
    pub fn planned(&self) -> Vec<PlannedFile> {
        self.changes
            .iter()
            .map(|change| {
                let path = diff::shown(&change.path);
                let diff = diff::unified(&path, &change.before, &change.after);
                PlannedFile { path, diff, ..PlannedFile::default() }
            })
            .collect()
    }

    /// Returns the digests of all files, before and after.
    #[must_use]
    pub fn record(&self) -> ChangeRecord {
        let files = self.changes.iter().map(|change| ChangedFile {
            path: change.path.clone(),
            before: sha256_hex(&change.before),
            after: sha256_hex(&change.after),
            blob: None,
        });
        ChangeRecord::new(self.root.clone(), files.collect())
    }

    /// Replaces all files. `announce` gets the record after every file is staged, and before any is replaced; if it fails,
    /// nothing is replaced.
    ///
    /// # Errors
    /// A file is not what was planned, cannot be written, or `announce` fails. No file has changed then.
    pub fn apply<E: From<FileChangeError>>(
        &self,
        announce: impl FnOnce(ChangeRecord) -> Result<(), E>,
    ) -> Result<(), E> {
        let staged = self.stage()?;
        self.require_unchanged()?;
        announce(self.record())?;
        Ok(self.replace(staged)?)
    }

    fn stage(&self) -> Result<Vec<StagedFile>, FileChangeError> {
        self.changes.iter().map(|change| StagedFile::write(&self.root, &change.path, &change.after)).collect()
    }

    fn require_unchanged(&self) -> Result<(), FileChangeError> {
        for change in &self.changes {
            let path = stage::check_path(&self.root, &change.path)?;
            let now = read_regular_file(&path, MAX_FILE)
                .map_err(|error| FileChangeError::io(&change.path, &error.kind().into()))?;
            if *now != change.before {
                return Err(FileChangeError::Changed(change.path.clone()));
            }
        }
        Ok(())
    }

    /// Replaces the files. If one cannot be replaced, restores those before it.
    fn replace(&self, staged: Vec<StagedFile>) -> Result<(), FileChangeError> {
        let mut replaced = Vec::new();
        for (change, file) in self.changes.iter().zip(staged) {
            if let Err(error) = file.replace() {
                return Err(self.restore(&replaced, error));
            }
            replaced.push(change);
        }
        stage::sync_directories(&self.root, self.paths())
    }

    /// Restores the files that were replaced, and returns the error to report.
    fn restore(&self, replaced: &[&FileChange], error: FileChangeError) -> FileChangeError {
        let restore = |change: &&&FileChange| {
            StagedFile::write(&self.root, &change.path, &change.before).and_then(StagedFile::replace).is_err()
        };
        let left: Vec<PathBuf> = replaced.iter().filter(restore).map(|change| change.path.clone()).collect();
        if left.is_empty() { error } else { FileChangeError::NotRestored { error: Box::new(error), left } }
    }
}

#[cfg(test)]
mod tests;
