//! Finds the files of a repository that may be manifests.
//!
//! Hidden files and files that a `.gitignore` names are left out, because they are not committed manifests. No link is followed: a
//! file has one place, where it is found anyway.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use fs_err as fs;
use ignore::{DirEntry, WalkBuilder};

use sealwave_core::diagnostic::{Explain, NOT_REGULAR_FILE, io_reason};
use sealwave_core::document::display_path;
use sealwave_core::reach::{PathReach, ReachError, repository_root};

/// A path in which manifests are searched for cannot be read.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("`{path}` cannot be read: {reason}")]
pub struct ManifestPathError {
    path: String,
    reason: String,
}

impl Explain for ManifestPathError {
    fn hint(&self) -> Option<String> {
        None
    }
}

/// A file that may be a manifest, but is not looked at.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SkippedFile {
    /// The path as people see it.
    pub path: String,
    /// The path, relative to the root.
    pub inside: PathBuf,
    /// The reason.
    pub reason: SkipReason,
}

/// A reason why a file is not looked at.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum SkipReason {
    /// A link that leaves the repository, or a broken one.
    Link,
    /// It cannot be read.
    Unreadable(String),
}

impl SkipReason {
    /// Returns the reason for people.
    #[must_use]
    pub fn text(&self) -> String {
        match self {
            Self::Link => "symbolic link out of the repository".to_owned(),
            Self::Unreadable(reason) => reason.clone(),
        }
    }
}

/// Returns the files at or below a path that may be manifests, relative to `root`, with their paths as people see them, and the
/// files that were skipped.
///
/// # Errors
/// The path cannot be read.
pub fn manifest_files(
    root: &Path,
    path: &Path,
) -> Result<(BTreeMap<PathBuf, String>, Vec<SkippedFile>), ManifestPathError> {
    let failed = |reason: String| ManifestPathError { path: display_path(path), reason };
    let (mut files, mut skipped) = (BTreeMap::new(), Vec::new());
    let full = fs::canonicalize(path).map_err(|error| failed(io_reason(error.kind())))?;
    let shown_below = |inside: &Path| {
        display_path(&if inside.as_os_str().is_empty() { path.to_owned() } else { path.join(inside) })
    };
    if !full.is_dir() {
        if !full.is_file() {
            return Err(failed(format!("it {NOT_REGULAR_FILE}")));
        }
        if let Ok(inside) = full.strip_prefix(root) {
            files.insert(inside.to_owned(), display_path(path));
        }
        return Ok((files, skipped));
    }
    let reach = PathReach::Below(root.to_owned());
    for entry in walk(&full, root) {
        let (at, found) = match &entry {
            Ok(entry) => (Some(entry.path()), entry_type(entry, &reach)),
            Err(error) => {
                let kind = error.io_error().map_or(std::io::ErrorKind::Other, std::io::Error::kind);
                (error_path(error), EntryType::Skipped(SkipReason::Unreadable(io_reason(kind))))
            }
        };
        let at = at.unwrap_or(&full);
        let shown = shown_below(at.strip_prefix(&full).unwrap_or(at));
        match found {
            EntryType::Candidate => {
                let inside = at.strip_prefix(root).map(Path::to_owned);
                files.extend(inside.map(|inside| (inside, shown)));
            }
            EntryType::Other => {}
            EntryType::Skipped(reason) => {
                let inside = at.strip_prefix(root).unwrap_or(at).to_owned();
                skipped.push(SkippedFile { path: shown, inside, reason });
            }
        }
    }
    Ok((files, skipped))
}

fn walk(full: &Path, root: &Path) -> ignore::Walk {
    WalkBuilder::new(full)
        .ignore(false)
        .git_global(false)
        .git_exclude(false)
        .require_git(repository_root(root).is_some())
        .follow_links(false)
        .sort_by_file_name(std::ffi::OsStr::cmp)
        .build()
}

fn error_path(error: &ignore::Error) -> Option<&Path> {
    match error {
        ignore::Error::WithDepth { err, .. } => error_path(err),
        ignore::Error::WithPath { path, .. } => Some(path),
        _ => None,
    }
}

enum EntryType {
    Candidate,
    Other,
    Skipped(SkipReason),
}

fn entry_type(entry: &DirEntry, reach: &PathReach) -> EntryType {
    let path = entry.path();
    let Some(file_type) = entry.file_type() else { return EntryType::Other };
    if file_type.is_dir() || !may_be_manifest(path) {
        return EntryType::Other;
    }
    if file_type.is_symlink() {
        return match reach.resolve(path) {
            // The target has a place of its own.
            Ok(_) => EntryType::Other,
            Err(ReachError::Io(kind)) => EntryType::Skipped(SkipReason::Unreadable(io_reason(kind))),
            Err(_) => EntryType::Skipped(SkipReason::Link),
        };
    }
    if file_type.is_file() {
        EntryType::Candidate
    } else {
        EntryType::Skipped(SkipReason::Unreadable(format!("it {NOT_REGULAR_FILE}")))
    }
}

fn may_be_manifest(path: &Path) -> bool {
    path.extension()
        .is_some_and(|extension| ["yaml", "yml", "json", "hbs"].iter().any(|known| extension == *known))
}
