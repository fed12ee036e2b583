//! The files that differ from a Git revision: committed since the merge base, staged, changed, or untracked.
//!
//! No filter runs: files are compared by the size and time in the index, and otherwise without filters. In doubt, a file
//! counts as changed: one too many costs a moment, one too few hides a fault.

use std::collections::{BTreeMap, BTreeSet};
use std::ffi::OsString;
use std::path::{Path, PathBuf};

use super::git::{GitError, git, merge_base};
use super::paths::full_path;
use sealwave_core::diagnostic::{Failure, Problem};
use sealwave_core::reach::is_repository;
use sealwave_programs::git_line;

/// The mode of a submodule in an index entry.
const GITLINK: &[u8] = b"160000 ";

/// The files that differ, and the directories that count as changed as a whole; as canonical paths.
#[derive(Debug, Default)]
pub(super) struct ChangedFiles(BTreeSet<PathBuf>);

impl ChangedFiles {
    /// Queries the repositories of the `given` directories, their superprojects, and the repositories between them and
    /// the `found` paths. A repository without the revision counts as changed if it is inside one that has it.
    pub(super) fn since<'a>(
        revision: &str,
        given: &BTreeSet<PathBuf>,
        found: impl Iterator<Item = &'a Path>,
    ) -> Result<Self, Failure> {
        if revision.starts_with('-') {
            return Err(Problem::new(&GitError::Revision).into());
        }
        let failed = |error: GitError| Failure::from(Problem::new(&error));
        let mut query = RevisionQuery { revision, has_revision: BTreeMap::new(), changed: BTreeSet::new() };
        for directory in given {
            query.query_superprojects(directory).map_err(failed)?;
        }
        for directory in found {
            query.query_between(directory).map_err(failed)?;
        }
        Ok(Self(query.changed))
    }

    /// Reports whether a file changed, or a symbolic link in its path.
    pub(super) fn contains_file(&self, file: &Path) -> bool {
        let real = fs_err::canonicalize(file).ok();
        let link = full_path(file);
        real.iter().chain(&link).any(|path| self.covers(path))
    }

    /// Reports whether anything changed in a directory, or in the targets of its symbolic links.
    pub(super) fn touches_directory(&self, directory: &Path) -> bool {
        let links = walkdir::WalkDir::new(directory).into_iter().flatten();
        let links = links.filter(walkdir::DirEntry::path_is_symlink).map(walkdir::DirEntry::into_path);
        let roots = std::iter::once(directory.to_owned()).chain(links);
        roots.filter_map(|root| fs_err::canonicalize(root).ok()).any(|root| {
            let below = self.0.range(root.clone()..).next().is_some_and(|path| path.starts_with(&root));
            below || self.covers(&root)
        })
    }

    fn covers(&self, path: &Path) -> bool {
        path.ancestors().any(|path| self.0.contains(path))
    }
}

/// The repositories queried so far, and their changes.
struct RevisionQuery<'a> {
    revision: &'a str,
    /// Whether each repository has the revision.
    has_revision: BTreeMap<PathBuf, bool>,
    changed: BTreeSet<PathBuf>,
}

impl RevisionQuery<'_> {
    /// Queries the repository of a directory and its superprojects; one of them must have the revision.
    fn query_superprojects(&mut self, directory: &Path) -> Result<(), GitError> {
        let mut without = Vec::new();
        let mut refused = None;
        let mut is_known = false;
        let mut next = Some(top_level(directory)?);
        while let Some(top) = next {
            match self.query_repository(&top) {
                Ok(()) => is_known = true,
                // A superproject does not need to have the revision.
                Err(_) if is_known => {}
                Err(error) => {
                    refused.get_or_insert(error);
                    without.push(top.clone());
                }
            }
            next = superproject(&top)?;
        }
        match refused {
            Some(error) if !is_known => Err(error),
            _ => {
                self.changed.extend(without);
                Ok(())
            }
        }
    }

    /// Queries the repositories between a directory and one that was queried already.
    fn query_between(&mut self, directory: &Path) -> Result<(), GitError> {
        let Ok(real) = fs_err::canonicalize(directory) else { return Ok(()) };
        for root in real.ancestors().filter(|directory| is_repository(directory)) {
            if self.has_revision.contains_key(root) {
                return Ok(());
            }
            // A directory that only looks like a repository belongs to the next one above it.
            let is_own = top_level(root)? == root;
            if is_own && self.query_repository(root).is_err() {
                self.changed.insert(root.to_owned());
            }
        }
        Ok(())
    }

    fn query_repository(&mut self, top: &Path) -> Result<(), GitError> {
        if self.has_revision.get(top) == Some(&true) {
            return Ok(());
        }
        let changed = changed_in(top, self.revision);
        self.has_revision.insert(top.to_owned(), changed.is_ok());
        self.changed.extend(changed?);
        Ok(())
    }
}

pub(super) fn top_level(directory: &Path) -> Result<PathBuf, GitError> {
    let top = git(directory, "rev-parse", &["rev-parse", "--show-toplevel"], &[])
        .map_err(|error| error.in_directory(directory))?;
    let top = path_from_git(git_line(&top));
    Ok(fs_err::canonicalize(&top).unwrap_or(top))
}

/// Returns the superproject of a submodule. Git can report it, but starts a second Git that ignores our settings.
fn superproject(top: &Path) -> Result<Option<PathBuf>, GitError> {
    let Some(parent) = top.parent().filter(|parent| parent.ancestors().any(is_repository)) else {
        return Ok(None);
    };
    // A repository that cannot be queried, such as another user's, is not the superproject.
    let Ok(outer) = top_level(parent) else { return Ok(None) };
    let entries = git(parent, "ls-files", &["ls-files", "--stage", "-z"], &[])?;
    let mut entries = entries.split(|byte| *byte == 0).filter(|entry| entry.starts_with(GITLINK));
    let is_own = entries.any(|entry| {
        let name = entry.iter().position(|byte| *byte == b'\t').and_then(|tab| entry.get(tab + 1..));
        name.is_some_and(|name| parent.join(path_from_git(name)) == top)
    });
    Ok(is_own.then_some(outer))
}

fn changed_in(top: &Path, revision: &str) -> Result<Vec<PathBuf>, GitError> {
    let base = merge_base(top, revision)?;
    let filters = filters(top)?;
    // For submodules, compare the checked-out commit only: each is queried itself.
    let diff_options = [
        "-z",
        "--no-renames",
        "--no-relative",
        "--no-ext-diff",
        "--no-textconv",
        "--ignore-submodules=dirty",
    ];
    let staged = [&["diff-index", "--cached", "--name-only"], &diff_options[..], &[&base, "--"]].concat();
    // `--numstat` makes Git compare contents, so that files that were only touched are not listed.
    let changed = [&["diff-files", "--numstat"], &diff_options[..], &["--"]].concat();
    let new = ["ls-files", "--others", "--exclude-per-directory=.gitignore", "-z"];
    let mut names = git(top, "diff-index", &staged, &filters)?;
    names.extend(numstat_names(&git(top, "diff-files", &changed, &filters)?));
    names.extend(git(top, "ls-files", &new, &filters)?);
    let names = names.split(|byte| *byte == 0).filter(|name| !name.is_empty());
    let mut changed: Vec<PathBuf> = names.map(|name| top.join(path_from_git(name))).collect();
    changed.extend(ignored_by_index(top)?);
    Ok(changed)
}

/// Returns the names in `--numstat -z` output (`1<tab>0<tab>name` and a zero byte each), as a zero-terminated list.
fn numstat_names(counts: &[u8]) -> Vec<u8> {
    let names =
        counts.split_inclusive(|byte| *byte == 0).filter_map(|one| one.splitn(3, |b| *b == b'\t').nth(2));
    names.collect::<Vec<_>>().concat()
}

/// Returns the files that Git was told to ignore changes of, except those that a sparse checkout leaves out.
fn ignored_by_index(top: &Path) -> Result<Vec<PathBuf>, GitError> {
    let all = git(top, "ls-files", &["ls-files", "-v", "-z"], &[])?;
    let tagged = all.split(|byte| *byte == 0).filter_map(|entry| match entry {
        [tag, b' ', name @ ..] if *tag == b'S' || tag.is_ascii_lowercase() => {
            Some(top.join(path_from_git(name)))
        }
        _ => None,
    });
    Ok(tagged.filter(|file| file.symlink_metadata().is_ok()).collect())
}

/// Returns settings that disable every filter by emptying its commands.
fn filters(top: &Path) -> Result<Vec<String>, GitError> {
    let list = git(top, "config", &["config", "--list", "--name-only", "-z"], &[])?;
    let list = String::from_utf8_lossy(&list).into_owned();
    let filters = list.split('\0').filter_map(|key| key.strip_prefix("filter.")?.rsplit_once('.'));
    let names: BTreeSet<&str> = filters.map(|(name, _)| name).collect();
    let mut settings = Vec::new();
    for name in names {
        if name.contains('=') || name.contains(char::REPLACEMENT_CHARACTER) {
            return Err(GitError::Filter(name.to_owned()));
        }
        let disable = |key, value| format!("filter.{name}.{key}={value}");
        settings.extend([
            disable("clean", ""),
            disable("process", ""),
            disable("smudge", ""),
            disable("required", "false"),
        ]);
    }
    Ok(settings)
}

/// Returns a path from Git's bytes.
pub(super) fn path_from_git(bytes: &[u8]) -> PathBuf {
    #[cfg(unix)]
    let name: OsString = std::os::unix::ffi::OsStringExt::from_vec(bytes.to_owned());
    #[cfg(not(unix))]
    let name = OsString::from(String::from_utf8_lossy(bytes).into_owned());
    PathBuf::from(name)
}
