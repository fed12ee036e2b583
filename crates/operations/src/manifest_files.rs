//! Finds the files of a repository that may be manifests.
//!
//! Hidden files and files that a `.gitignore` names are left out, because they are not committed manifests, unless Git tracks
//! them nevertheless. No link is followed: a file has one place, where it is found anyway.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use fs_err as fs;
use ignore::{DirEntry, WalkBuilder};

use sealwave_core::diagnostic::{Explain, NOT_REGULAR_FILE, io_reason};
use sealwave_core::document::display_path;
use sealwave_core::reach::{PathReach, ReachError, repository_root};
use sealwave_programs::{GitAccess, git_path, run_git};

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
    /// Git tracks it, but it is not in the work tree: it was deleted, or a sparse checkout leaves it out.
    Missing,
    /// It cannot be read.
    Unreadable(String),
}

impl SkipReason {
    /// Returns the reason for people.
    #[must_use]
    pub fn text(&self) -> String {
        match self {
            Self::Link => "symbolic link out of the repository".to_owned(),
            Self::Missing => "tracked by Git, but not in the work tree".to_owned(),
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
    let seen: BTreeSet<PathBuf> = skipped.iter().map(|file| file.inside.clone()).collect();
    for tracked in tracked_below(root, &full).map_err(failed)? {
        if files.contains_key(&tracked) || seen.contains(&tracked) {
            continue;
        }
        let at = root.join(&tracked);
        let shown = shown_below(at.strip_prefix(&full).unwrap_or(&at));
        match tracked_type(&at, &reach) {
            EntryType::Candidate => drop(files.insert(tracked, shown)),
            EntryType::Other => {}
            EntryType::Skipped(reason) => skipped.push(SkippedFile { path: shown, inside: tracked, reason }),
        }
    }
    Ok((files, skipped))
}

/// Returns the tracked files below a directory of a repository that may be manifests, relative to its top. A `.gitignore` of a
/// commit could hide them otherwise.
fn tracked_below(root: &Path, directory: &Path) -> Result<Vec<PathBuf>, String> {
    if repository_root(root).is_none() {
        return Ok(Vec::new());
    }
    let listed = run_git(directory, GitAccess::Read, &["ls-files", "-z", "--full-name", "--", "."], &[])
        .map_err(|_| "Git cannot list its tracked files".to_owned())?;
    let names = listed.split(|byte| *byte == 0).filter(|name| !name.is_empty());
    let paths = names.map(|name| git_path(name.to_vec()));
    Ok(paths.filter(|path| may_be_manifest(path)).collect())
}

/// Judges a tracked file that the walk did not find.
fn tracked_type(path: &Path, reach: &PathReach) -> EntryType {
    match fs::symlink_metadata(path).map(|metadata| metadata.file_type()) {
        Ok(file_type) => type_of(path, file_type, reach),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => EntryType::Skipped(SkipReason::Missing),
        Err(error) => EntryType::Skipped(SkipReason::Unreadable(io_reason(error.kind()))),
    }
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
    entry.file_type().map_or(EntryType::Other, |file_type| type_of(entry.path(), file_type, reach))
}

fn type_of(path: &Path, file_type: std::fs::FileType, reach: &PathReach) -> EntryType {
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

#[cfg(test)]
mod tests {
    use sealwave_testkit::git;

    use super::*;

    #[test]
    fn tracked_files_are_found_whatever_a_commit_ignores() {
        let directory = tempfile::tempdir().expect("a directory");
        let root = fs::canonicalize(directory.path()).expect("a directory");
        let names =
            ["a.yaml", "ignored.yaml", ".hidden/b.yaml", "deleted.yaml", "new/untracked.yaml", "note.txt"];
        for name in names {
            let path = root.join("app").join(name);
            fs::create_dir_all(path.parent().expect("a parent")).expect("created");
            fs::write(path, "kind: SealedSecret\n").expect("written");
        }
        git(&root, &["init", "--quiet"]);
        git(&root, &["add", "."]);
        git(&root, &["rm", "--quiet", "--cached", "app/new/untracked.yaml"]);
        fs::write(root.join(".gitignore"), "ignored.yaml\napp/new/\n").expect("written");
        fs::remove_file(root.join("app/deleted.yaml")).expect("removed");
        let (files, skipped) = manifest_files(&root, &root.join("app")).expect("found");
        let found: Vec<&Path> = files.keys().map(PathBuf::as_path).collect();
        assert_eq!(found, ["app/.hidden/b.yaml", "app/a.yaml", "app/ignored.yaml"].map(Path::new));
        let [missing] = &skipped[..] else { panic!("{skipped:?}") };
        assert!(missing.path.ends_with("app/deleted.yaml") && missing.reason == SkipReason::Missing);
        // Outside of a repository, Git is not asked.
        fs::remove_dir_all(root.join(".git")).expect("removed");
        let (files, _) = manifest_files(&root, &root.join("app")).expect("found");
        assert_eq!(files.len(), 1, "{files:?}");
    }
}
