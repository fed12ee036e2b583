//! Whether the branch that Argo CD follows has the changed files.

use std::ffi::OsString;
use std::path::Path;

use sealwave_core::sha256_hex;
use sealwave_programs::{GitAccess, git_line};

use super::{WorkTree, WorkTreeError};
use crate::file_changes::ChangeRecord;

/// A branch of a remote, such as `main` of `origin`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PushTarget {
    /// The name of the remote.
    pub remote: String,
    /// The name of the branch that Argo CD follows.
    pub branch: String,
}

/// The state of the changed files on the branch that Argo CD follows.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Delivery {
    /// The branch has all of them.
    Delivered,
    /// They were pushed to another branch, or the branch does not take pushes: a merge must come first.
    WaitingForMerge {
        /// The branch that was pushed, if any.
        pushed: Option<String>,
    },
}

impl WorkTree {
    /// Checks, before anything changes, that a push is possible: a branch is checked out, and the remote has the target.
    ///
    /// # Errors
    /// No branch is checked out, or the remote cannot be reached, or it lacks the branch.
    pub fn require_target(&self, target: &PushTarget) -> Result<(), WorkTreeError> {
        self.branch()?;
        let reference = format!("refs/heads/{}", target.branch);
        let found =
            self.git(GitAccess::Remote, "ls-remote", &["ls-remote", "--quiet", &target.remote, &reference])?;
        if git_line(&found).is_empty() {
            return Err(WorkTreeError::NoTarget {
                remote: target.remote.clone(),
                branch: target.branch.clone(),
            });
        }
        Ok(())
    }

    /// Pushes the checked-out branch, and says whether the target has the files.
    ///
    /// A protected branch refuses the push; then a merge must come first, as on another branch.
    ///
    /// # Errors
    /// No branch is checked out, or the remote cannot be reached.
    pub fn push(&self, target: &PushTarget, record: &ChangeRecord) -> Result<Delivery, WorkTreeError> {
        let branch = self.branch()?;
        let reference = format!("HEAD:refs/heads/{branch}");
        let pushed = self.git(
            GitAccess::Remote,
            "push",
            &["push", "--quiet", "--no-verify", &target.remote, &reference],
        );
        if self.is_delivered(target, record)? {
            return Ok(Delivery::Delivered);
        }
        match pushed {
            Ok(_) if branch != target.branch => Ok(Delivery::WaitingForMerge { pushed: Some(branch) }),
            Ok(_) => Err(WorkTreeError::NotOnBranch(target.branch.clone())),
            Err(error @ WorkTreeError::Git { .. }) => {
                Err(WorkTreeError::PushRefused { branch, reason: error.to_string() })
            }
            Err(error) => Err(error),
        }
    }

    /// Fetches the target, and reports whether it has all files as the change made them. Merges may squash or rebase commits, so
    /// contents are compared, not commits.
    ///
    /// # Errors
    /// The remote cannot be reached, or lacks the branch.
    pub fn is_delivered(&self, target: &PushTarget, record: &ChangeRecord) -> Result<bool, WorkTreeError> {
        let reference = format!("refs/heads/{}", target.branch);
        self.git(GitAccess::Remote, "fetch", &["fetch", "--quiet", "--no-tags", &target.remote, &reference])?;
        let fetched =
            self.git(GitAccess::Read, "rev-parse", &["rev-parse", "--verify", "FETCH_HEAD^{commit}"])?;
        let commit = String::from_utf8_lossy(git_line(&fetched)).into_owned();
        for file in record.files() {
            let full = record.root().join(&file.path);
            let Ok(path) = full.strip_prefix(&self.top) else { return Ok(false) };
            if self.blob(&commit, path)?.is_none_or(|contents| sha256_hex(&contents) != file.after) {
                return Ok(false);
            }
        }
        Ok(true)
    }

    /// Returns the contents of a file in a commit, if it has the file.
    fn blob(&self, commit: &str, path: &Path) -> Result<Option<Vec<u8>>, WorkTreeError> {
        let mut name = OsString::from(format!("{commit}:"));
        name.push(path);
        match self.git(GitAccess::Read, "cat-file", &[OsString::from("cat-file"), "blob".into(), name]) {
            Ok(contents) => Ok(Some(contents)),
            Err(WorkTreeError::Git { .. }) => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// Returns the checked-out branch.
    ///
    /// # Errors
    /// A commit is checked out without a branch.
    pub fn branch(&self) -> Result<String, WorkTreeError> {
        let branch =
            self.git(GitAccess::Read, "symbolic-ref", &["symbolic-ref", "--quiet", "--short", "HEAD"]);
        match branch {
            Ok(branch) => Ok(String::from_utf8_lossy(git_line(&branch)).into_owned()),
            Err(WorkTreeError::Git { .. }) => Err(WorkTreeError::NoBranch),
            Err(error) => Err(error),
        }
    }
}
