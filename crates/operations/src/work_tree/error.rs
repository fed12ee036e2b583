//! Errors of Git checkouts.

use std::io;
use std::path::{Path, PathBuf};

use sealwave_core::diagnostic::{Explain, io_reason};
use sealwave_programs::GitAccess;

/// An error of a Git checkout.
#[derive(Debug, thiserror::Error)]
pub enum WorkTreeError {
    /// The directory cannot be read.
    #[error("`{}` cannot be read: {}", .path.display(), io_reason(*.reason))]
    Directory {
        /// The directory.
        path: PathBuf,
        /// The error of the operating system.
        reason: io::ErrorKind,
    },
    /// Git failed.
    #[error("`git {title}` failed: {message}")]
    Git {
        /// The subcommand.
        title: &'static str,
        /// The first line of its messages.
        message: String,
    },
    /// Git reached a limit.
    #[error("`git {title}` {outcome}, and was stopped")]
    GitLimit {
        /// The subcommand.
        title: &'static str,
        /// The limit.
        outcome: String,
        /// The operations that the call may do.
        access: GitAccess,
    },
    /// A commit is checked out without a branch.
    #[error("no branch is checked out, so nothing can be pushed")]
    NoBranch,
    /// A commit would be on no branch.
    #[error("no branch is checked out, so the commit would be on none")]
    NoBranchForCommit,
    /// The remote lacks the branch that Argo CD follows.
    #[error("remote `{remote}` has no branch `{branch}`")]
    NoTarget {
        /// The remote.
        remote: String,
        /// The branch.
        branch: String,
    },
    /// Files that may not change.
    #[error("{} may not be changed", listed(.0))]
    NotAllowed(Vec<PathBuf>),
    /// Files outside of a checkout that may not change.
    #[error("{} may not be changed, and {} not in a Git checkout", listed(.0), if .0.len() == 1 { "is" } else { "are" })]
    NotAllowedOutside(Vec<PathBuf>),
    /// There is no Git.
    #[error("`git` is not installed")]
    NotInstalled,
    /// The branch was pushed, but its files have other contents.
    #[error("branch `{0}` does not have the changed files")]
    NotOnBranch(String),
    /// A pattern is not valid.
    #[error("`{0}` is not a valid pattern of paths")]
    Pattern(String),
    /// The remote refused the push.
    #[error("branch `{branch}` was not pushed: {reason}")]
    PushRefused {
        /// The branch.
        branch: String,
        /// The message of Git.
        reason: String,
    },
    /// An attribute has Git store something other than the file.
    #[error("attribute `{attribute}` of `{}` makes Git store something other than the file", .path.display())]
    Transformed {
        /// The file.
        path: PathBuf,
        /// The attribute with its value.
        attribute: String,
    },
    /// Files that are not committed as they are.
    #[error("{} {} not committed", listed(.0), if .0.len() == 1 { "is" } else { "are" })]
    Unclean(Vec<PathBuf>),
}

/// Lists the first paths.
fn listed(paths: &[PathBuf]) -> String {
    const SHOWN: usize = 5;
    let mut quoted: Vec<String> =
        paths.iter().take(SHOWN).map(|path| format!("`{}`", path.display())).collect();
    if paths.len() > SHOWN {
        quoted.push(format!("{} more", paths.len() - SHOWN));
    }
    quoted.join(", ")
}

impl WorkTreeError {
    pub(super) fn directory(path: &Path, error: &io::Error) -> Self {
        Self::Directory { path: path.to_owned(), reason: error.kind() }
    }
}

impl Explain for WorkTreeError {
    fn hint(&self) -> Option<String> {
        let hint = match self {
            Self::Directory { .. } => return None,
            Self::Git { message, .. } => return git_hint(message),
            Self::GitLimit { access: GitAccess::Remote, .. } => {
                "check that the remote answers and that Git can log in without asking, for example with \
                 `GIT_TERMINAL_PROMPT=0 git fetch`; then run the command again"
            }
            Self::GitLimit { .. } => {
                "run `git status` to see whether Git works in this checkout; a pipe instead of a file, a filter or a slow \
                 file system makes it wait"
            }
            Self::NoBranch => "check out a branch, or omit `--push`",
            Self::NoBranchForCommit => "check out a branch with `git switch`, or omit `--commit`",
            Self::NoTarget { .. } => "name the branch that Argo CD follows with `--target-branch`",
            Self::NotAllowed(_) => {
                "allow further files with `--allow-path`, for example `--allow-path 'base/*.yaml'`"
            }
            Self::NotAllowedOutside(_) => {
                "name files below `envs/<env>/sealed-secrets`, or allow further ones with `--allow-path`, for example \
                 `--allow-path '**/base/*.yaml'`"
            }
            Self::NotInstalled => "install Git",
            Self::NotOnBranch(_) => "pull the branch, and run the command again",
            Self::Pattern(_) => "write a glob such as `base/**` or `envs/dev/*.yaml`",
            Self::PushRefused { .. } => {
                "if the branch is protected, check out another one, run the command again with `--push`, and merge it; it \
                 continues after the merge"
            }
            Self::Transformed { .. } => {
                "exempt the file in `.gitattributes`, for example `envs/*/sealed-secrets/** !filter !working-tree-encoding`; \
                 ciphertexts need no other encryption or storage"
            }
            Self::Unclean(_) => "commit or stash your changes first",
        };
        Some(hint.to_owned())
    }
}

fn git_hint(message: &str) -> Option<String> {
    let hint = if message.contains("dubious ownership") {
        "if you trust the repository, add it to Git's setting `safe.directory`"
    } else if message.contains("tell me who you are") || message.contains("empty ident") {
        "set `user.name` and `user.email` with `git config`"
    } else if message.contains("does not appear to be a git repository") {
        "name the remote with `--remote`; `git remote --verbose` lists them"
    } else if message.contains("partial commit during a") {
        "finish the merge, rebase or cherry-pick that is in progress"
    } else {
        return None;
    };
    Some(hint.to_owned())
}
