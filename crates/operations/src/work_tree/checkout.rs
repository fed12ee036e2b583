//! The checkout: what must be clean, and commits.

use std::ffi::OsStr;
use std::path::{Path, PathBuf};

use fs_err as fs;

use sealwave_core::reach::repository_root;
use sealwave_programs::{GitAccess, GitRunError, git_line, run_git};

use super::WorkTreeError;
use crate::file_changes::ChangeRecord;

/// A Git checkout.
#[derive(Clone, Debug)]
pub struct WorkTree {
    pub(super) top: PathBuf,
}

impl WorkTree {
    /// Returns the checkout that contains a directory, if any.
    ///
    /// # Errors
    /// The directory does not exist, or Git does not accept the checkout.
    pub fn find(directory: &Path) -> Result<Option<Self>, WorkTreeError> {
        let full =
            fs::canonicalize(directory).map_err(|error| WorkTreeError::directory(directory, &error))?;
        let Some(top) = repository_root(&full) else { return Ok(None) };
        let tree = Self { top: top.to_owned() };
        tree.git(GitAccess::Read, "rev-parse", &["rev-parse", "--is-inside-work-tree"])?;
        Ok(Some(tree))
    }

    /// Returns the top directory: an absolute path without links.
    #[must_use]
    pub fn top(&self) -> &Path {
        &self.top
    }

    /// Requires that files, given relative to the top, are committed as they are. Files that an interrupted run changed are
    /// accepted with the contents that it gave them.
    ///
    /// # Errors
    /// A file is not committed, or differs from its commit or its index.
    pub fn require_clean<'a>(
        &self,
        paths: impl IntoIterator<Item = &'a Path>,
        interrupted: Option<&ChangeRecord>,
    ) -> Result<(), WorkTreeError> {
        let paths: Vec<&Path> = paths.into_iter().collect();
        if paths.is_empty() {
            return Ok(());
        }
        let own = |path: &Path| {
            let full = self.top.join(path);
            interrupted.is_some_and(|record| {
                let relative = full.strip_prefix(record.root());
                relative.is_ok_and(|path| fs::read(&full).is_ok_and(|now| record.has_after(path, &now)))
            })
        };
        let unclean: Vec<PathBuf> = self.unclean(&paths)?.into_iter().filter(|path| !own(path)).collect();
        if unclean.is_empty() { Ok(()) } else { Err(WorkTreeError::Unclean(unclean)) }
    }

    /// Commits files, given relative to the top, and nothing else. Returns the commit, or `None` if they are committed as they
    /// are.
    ///
    /// # Errors
    /// Git refuses, for example during a merge, or without the author's name.
    pub fn commit<'a>(
        &self,
        paths: impl IntoIterator<Item = &'a Path>,
        message: &str,
    ) -> Result<Option<String>, WorkTreeError> {
        let paths: Vec<&Path> = paths.into_iter().collect();
        if paths.is_empty() || self.unclean(&paths)?.is_empty() {
            return Ok(None);
        }
        let start = ["--literal-pathspecs", "commit", "--quiet", "--no-verify", "-m", message, "--"];
        self.git(GitAccess::Write, "commit", &with_paths(&start, &paths))?;
        self.head().map(Some)
    }

    /// Returns the checked-out commit.
    ///
    /// # Errors
    /// The repository has no commits.
    pub fn head(&self) -> Result<String, WorkTreeError> {
        let head = self.git(GitAccess::Read, "rev-parse", &["rev-parse", "--verify", "HEAD"])?;
        Ok(String::from_utf8_lossy(git_line(&head)).into_owned())
    }

    /// Returns those of the files that differ from the checked-out commit, in the work tree or the index, or that it lacks.
    fn unclean(&self, paths: &[&Path]) -> Result<Vec<PathBuf>, WorkTreeError> {
        let start = [
            "--literal-pathspecs",
            "status",
            "--porcelain=v1",
            "-z",
            "--no-renames",
            "--untracked-files=all",
            "--ignored=matching",
            "--",
        ];
        let status = self.git(GitAccess::Read, "status", &with_paths(&start, paths))?;
        let entries = status.split(|byte| *byte == 0).filter_map(|entry| entry.get(3..));
        Ok(entries.map(path_from_git).collect())
    }

    pub(super) fn git<A: AsRef<OsStr>>(
        &self,
        access: GitAccess,
        title: &'static str,
        args: &[A],
    ) -> Result<Vec<u8>, WorkTreeError> {
        run_git(&self.top, access, args, &[]).map_err(|error| match error {
            GitRunError::Failed(message) => WorkTreeError::Git { title, message },
            GitRunError::NotInstalled => WorkTreeError::NotInstalled,
        })
    }
}

fn with_paths<'a>(start: &'a [&'a str], paths: &[&'a Path]) -> Vec<&'a OsStr> {
    start.iter().map(OsStr::new).chain(paths.iter().map(|path| path.as_os_str())).collect()
}

#[cfg(unix)]
fn path_from_git(bytes: &[u8]) -> PathBuf {
    use std::os::unix::ffi::OsStrExt as _;
    PathBuf::from(OsStr::from_bytes(bytes))
}

#[cfg(not(unix))]
fn path_from_git(bytes: &[u8]) -> PathBuf {
    PathBuf::from(String::from_utf8_lossy(bytes).into_owned())
}
