//! Whether the branch that Argo CD follows has the changed files.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use sealwave_core::bounded_file::read_regular_file;
use sealwave_core::sha256_hex;
use sealwave_programs::{GitAccess, git_line};

use super::git_paths::{path_from_git, with_paths};
use super::{WorkTree, WorkTreeError};
use crate::file_changes::{ChangeRecord, ChangedFile, MAX_FILE};

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
    /// Checks, before anything changes, that the changed files can be committed, and pushed to a target if there is one.
    ///
    /// # Errors
    /// No branch is checked out, or the remote cannot be reached, or it lacks the target.
    pub fn require_delivery(&self, commits: bool, target: Option<&PushTarget>) -> Result<(), WorkTreeError> {
        match target {
            Some(target) => self.require_target(target),
            None if commits => self.branch().map(drop).map_err(|error| match error {
                WorkTreeError::NoBranch => WorkTreeError::NoBranchForCommit,
                error => error,
            }),
            None => Ok(()),
        }
    }

    /// Checks, before anything changes, that a push is possible: a branch is checked out, and the remote has the target.
    ///
    /// # Errors
    /// No branch is checked out, or the remote cannot be reached, or it lacks the branch.
    pub fn require_target(&self, target: &PushTarget) -> Result<(), WorkTreeError> {
        self.branch()?;
        let reference = format!("refs/heads/{}", target.branch);
        let found = self.git(
            GitAccess::Remote,
            "ls-remote",
            &["ls-remote", "--quiet", "--", &target.remote, &reference],
        )?;
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
            &["push", "--quiet", "--no-verify", "--recurse-submodules=no", "--", &target.remote, &reference],
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

    /// Notes, in a record, the ids of the contents that the checked-out commit has for the files, where these are as the change
    /// made them.
    ///
    /// # Errors
    /// There is no commit.
    pub fn note_committed(&self, record: &mut ChangeRecord) -> Result<(), WorkTreeError> {
        let paths: Vec<PathBuf> =
            record.files().iter().filter_map(|file| self.path_of(record, file)).collect();
        let stored = self.blobs("HEAD", &paths)?;
        let unclean = self.unclean(&paths.iter().map(PathBuf::as_path).collect::<Vec<_>>())?;
        let root = record.root().to_owned();
        record.set_blobs(|file| {
            let full = root.join(&file.path);
            let path = full.strip_prefix(&self.top).ok()?;
            let now = read_regular_file(&full, MAX_FILE).ok()?;
            let is_ours = sha256_hex(&now) == file.after && !unclean.iter().any(|other| other == path);
            stored.get(path).filter(|_| is_ours).cloned()
        });
        Ok(())
    }

    /// Fetches the target, and reports whether it has all files as the change made them. Merges may squash or rebase commits, so
    /// contents are compared, not commits: as Git stores them, because attributes can change what a checkout has.
    ///
    /// # Errors
    /// The remote cannot be reached, or lacks the branch.
    pub fn is_delivered(&self, target: &PushTarget, record: &ChangeRecord) -> Result<bool, WorkTreeError> {
        let reference = format!("refs/heads/{}", target.branch);
        self.git(
            GitAccess::Remote,
            "fetch",
            &["fetch", "--quiet", "--no-tags", "--no-recurse-submodules", "--", &target.remote, &reference],
        )?;
        let fetched =
            self.git(GitAccess::Read, "rev-parse", &["rev-parse", "--verify", "FETCH_HEAD^{commit}"])?;
        let commit = String::from_utf8_lossy(git_line(&fetched)).into_owned();
        let paths: Vec<PathBuf> =
            record.files().iter().filter_map(|file| self.path_of(record, file)).collect();
        let stored = self.blobs(&commit, &paths)?;
        for file in record.files() {
            let blob = self.path_of(record, file).and_then(|path| stored.get(&path));
            let Some(blob) = blob else { return Ok(false) };
            let has_change = match &file.blob {
                Some(ours) => ours == blob,
                // It was never seen in a commit.
                None => {
                    sha256_hex(&self.git(GitAccess::Read, "cat-file", &["cat-file", "blob", blob])?)
                        == file.after
                }
            };
            if !has_change {
                return Ok(false);
            }
        }
        Ok(true)
    }

    /// Returns the path of a file relative to the top.
    fn path_of(&self, record: &ChangeRecord, file: &ChangedFile) -> Option<PathBuf> {
        record.root().join(&file.path).strip_prefix(&self.top).ok().map(Path::to_owned)
    }

    /// Returns the ids of the contents that a commit has for files. A link has none.
    fn blobs(&self, commit: &str, paths: &[PathBuf]) -> Result<BTreeMap<PathBuf, String>, WorkTreeError> {
        if paths.is_empty() {
            return Ok(BTreeMap::new());
        }
        let start = ["--literal-pathspecs", "ls-tree", "-z", "--full-tree", commit, "--"];
        let paths: Vec<&Path> = paths.iter().map(PathBuf::as_path).collect();
        let entries = self.git(GitAccess::Read, "ls-tree", &with_paths(&start, &paths))?;
        Ok(entries.split(|byte| *byte == 0).filter_map(blob_entry).collect())
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

/// Reads an entry of `git ls-tree`: mode, kind and id, and after a tab the path.
fn blob_entry(entry: &[u8]) -> Option<(PathBuf, String)> {
    let tab = entry.iter().position(|byte| *byte == b'\t')?;
    let (head, path) = (std::str::from_utf8(entry.get(..tab)?).ok()?, entry.get(tab + 1..)?);
    let mut words = head.split(' ');
    let (mode, _, id) = (words.next()?, words.next()?, words.next()?);
    mode.starts_with("100").then(|| (path_from_git(path), id.to_owned()))
}
