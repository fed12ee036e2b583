//! The checkout: what must be clean, and commits.

use std::ffi::OsStr;
use std::path::{Path, PathBuf};

use fs_err as fs;

use sealwave_core::bounded_file::read_regular_file;
use sealwave_core::reach::repository_root;
use sealwave_programs::{GitAccess, GitLimits, GitRunError, git_line, run_git_with_input};

use super::WorkTreeError;
use super::attributes;
use super::git_paths::{path_from_git, with_paths};
use crate::file_changes::{ChangeRecord, MAX_FILE};

/// A Git checkout.
#[derive(Clone, Debug)]
pub struct WorkTree {
    pub(super) top: PathBuf,
    /// Other limits for calls of one kind.
    limits: Option<(GitAccess, GitLimits)>,
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
        let tree = Self { top: top.to_owned(), limits: None };
        tree.git(GitAccess::Read, "rev-parse", &["rev-parse", "--is-inside-work-tree"])?;
        Ok(Some(tree))
    }

    /// Returns the top directory: an absolute path without links.
    #[must_use]
    pub fn top(&self) -> &Path {
        &self.top
    }

    /// Sets other limits for each call of Git with this access.
    #[cfg(test)]
    pub(super) fn with_limits(self, access: GitAccess, limits: GitLimits) -> Self {
        Self { limits: Some((access, limits)), ..self }
    }

    /// Requires that files, given relative to the top, are committed as they are, and that Git can store what is written to
    /// them. Files that an interrupted run changed are accepted with the contents that it gave them.
    ///
    /// # Errors
    /// A file is not committed, or differs from its commit or its index, or an attribute has Git store something else.
    pub fn require_clean<'a>(
        &self,
        paths: impl IntoIterator<Item = &'a Path>,
        interrupted: Option<&ChangeRecord>,
    ) -> Result<(), WorkTreeError> {
        let paths: Vec<&Path> = paths.into_iter().collect();
        if paths.is_empty() {
            return Ok(());
        }
        let input = attributes::queried(&paths);
        let answer = self.git_with_input(GitAccess::Read, "check-attr", &attributes::QUERY, &input)?;
        attributes::require_plain(&answer)?;
        let own = |path: &Path| {
            let full = self.top.join(path);
            interrupted.is_some_and(|record| {
                let relative = full.strip_prefix(record.root());
                relative.is_ok_and(|path| {
                    read_regular_file(&full, MAX_FILE).is_ok_and(|now| record.has_after(path, &now))
                })
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
    pub(super) fn unclean(&self, paths: &[&Path]) -> Result<Vec<PathBuf>, WorkTreeError> {
        let start = [
            "--literal-pathspecs",
            "status",
            "--porcelain=v1",
            "-z",
            "--no-renames",
            "--untracked-files=all",
            "--ignored=matching",
            "--ignore-submodules=all",
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
        self.git_with_input(access, title, args, &[])
    }

    pub(super) fn git_with_input<A: AsRef<OsStr>>(
        &self,
        access: GitAccess,
        title: &'static str,
        args: &[A],
        input: &[u8],
    ) -> Result<Vec<u8>, WorkTreeError> {
        let other = self.limits.filter(|(limited, _)| *limited == access);
        let limits = other.map_or_else(|| access.limits(), |(_, limits)| limits);
        run_git_with_input(&self.top, access, args, input, limits).map_err(|error| match error {
            GitRunError::Failed(message) => WorkTreeError::Git { title, message },
            GitRunError::NotInstalled => WorkTreeError::NotInstalled,
            limit @ (GitRunError::TimedOut(_) | GitRunError::TooMuchOutput(_)) => {
                WorkTreeError::GitLimit { title, outcome: limit.outcome(), access }
            }
        })
    }
}
