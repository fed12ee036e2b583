//! The digests of changed files, with which the next run recognizes and finishes an interrupted change.

use std::io;
use std::path::{Path, PathBuf};

use fs_err as fs;
use serde::{Deserialize, Serialize};

use sealwave_core::bounded_file::{BoundedReadError, read_regular_file};
use sealwave_core::sha256_hex;

use super::FileChangeError;
use super::stage::{self, MAX_FILE};

/// The digests of all files of a change, before and after it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ChangeRecord {
    root: PathBuf,
    files: Vec<ChangedFile>,
}

/// A changed file.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ChangedFile {
    /// The path, relative to the root.
    pub path: PathBuf,
    /// The SHA-256 of its contents before the change, in hexadecimal.
    pub before: String,
    /// The SHA-256 of its contents after the change, in hexadecimal.
    pub after: String,
    /// The id of the contents that Git stores for it after the change, once it is committed. Attributes can make them differ
    /// from the file, for example in their line endings.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub blob: Option<String>,
}

/// The state in which an interrupted run left a file.
enum FoundFile {
    Replaced,
    Staged { staged: PathBuf, target: PathBuf },
    Untouched,
}

impl ChangeRecord {
    pub(super) const fn new(root: PathBuf, files: Vec<ChangedFile>) -> Self {
        Self { root, files }
    }

    /// Returns the root.
    #[must_use]
    pub fn root(&self) -> &Path {
        &self.root
    }

    /// Returns the files, in the order of their paths.
    #[must_use]
    pub fn files(&self) -> &[ChangedFile] {
        &self.files
    }

    /// Returns the record of this change and a later one together.
    #[must_use]
    pub fn followed_by(mut self, later: Self) -> Self {
        for file in later.files {
            match self.files.iter_mut().find(|known| known.path == file.path) {
                Some(known) => (known.after, known.blob) = (file.after, file.blob),
                None => self.files.push(file),
            }
        }
        self.files.sort_by(|a, b| a.path.cmp(&b.path));
        self
    }

    /// Sets the ids of the contents that Git stores. `blob` returns that of a file, if it is known.
    pub(crate) fn set_blobs(&mut self, mut blob: impl FnMut(&ChangedFile) -> Option<String>) {
        for file in &mut self.files {
            file.blob = blob(file).or_else(|| file.blob.take());
        }
    }

    /// Reports whether a file has the contents that the change gave it.
    #[must_use]
    pub fn has_after(&self, path: &Path, contents: &[u8]) -> bool {
        self.files.iter().any(|file| file.path == path && file.after == sha256_hex(contents))
    }

    /// Finishes an interrupted change: replaces the files that are staged. Returns whether all files have their new contents
    /// now. If not, no file has, and the change is planned again.
    ///
    /// # Errors
    /// A file was changed since, or cannot be written.
    pub fn finish(&self) -> Result<bool, FileChangeError> {
        let found = self.files.iter().map(|file| self.find(file)).collect::<Result<Vec<_>, _>>()?;
        if let Some(index) = found.iter().position(|file| matches!(file, FoundFile::Untouched)) {
            if found.iter().any(|file| matches!(file, FoundFile::Replaced)) {
                let path = self.files.get(index).map(|file| file.path.clone());
                return Err(FileChangeError::ChangedSince(path.unwrap_or_default()));
            }
            return Ok(false);
        }
        for (file, found) in self.files.iter().zip(found) {
            if let FoundFile::Staged { staged, target } = found {
                stage::replace_with(&staged, &target)
                    .map_err(|error| FileChangeError::io(&file.path, &error))?;
            }
        }
        stage::sync_directories(&self.root, self.files.iter().map(|file| file.path.as_path()))?;
        Ok(true)
    }

    fn find(&self, file: &ChangedFile) -> Result<FoundFile, FileChangeError> {
        let target = stage::check_path(&self.root, &file.path)?;
        let digest = |path: &Path| match read_regular_file(path, MAX_FILE) {
            Ok(contents) => Ok(Some(sha256_hex(&contents))),
            Err(BoundedReadError::Io(error)) if error.kind() == io::ErrorKind::NotFound => Ok(None),
            Err(error) => Err(FileChangeError::io(&file.path, &error.kind().into())),
        };
        let now = digest(&target)?;
        if now.as_ref() == Some(&file.after) {
            return Ok(FoundFile::Replaced);
        }
        if now.as_ref() != Some(&file.before) {
            return Err(FileChangeError::ChangedSince(file.path.clone()));
        }
        let staged = stage::staged_path(&target);
        let is_link = fs::symlink_metadata(&staged).is_ok_and(|metadata| metadata.is_symlink());
        if !is_link && digest(&staged)?.as_ref() == Some(&file.after) {
            return Ok(FoundFile::Staged { staged, target });
        }
        Ok(FoundFile::Untouched)
    }
}
