//! Queries of a Git checkout. Its errors say what the checkout lacks.

use std::path::Path;

use super::names::path_text;
use sealwave_core::diagnostic::Explain;
use sealwave_core::text::{closest_name, shell_quoted};
use sealwave_programs::{GitAccess, GitRunError, NO_GIT_MESSAGE, git_line, run_git};

/// The most names of branches and tags that are compared with an unknown revision.
const MAX_REFERENCES: usize = 10_000;

/// An error of a Git query.
#[derive(Debug, thiserror::Error)]
pub(super) enum GitError {
    #[error("Git filter `{0}` cannot be disabled because of its name")]
    Filter(String),
    #[error("`git {0}` failed: {1}")]
    Git(&'static str, String),
    #[error("`{revision}` and the checked-out commit have no common ancestor{}", if *.is_shallow { ": the clone is shallow" } else { "" })]
    NoCommonAncestor { revision: String, is_shallow: bool },
    #[error("`git {0}` {1}")]
    Limit(&'static str, String),
    #[error("repository has no commits")]
    NoCommits,
    #[error("`git` is not installed")]
    NotInstalled,
    #[error("`{0}` is not in a Git repository")]
    NotRepository(String),
    #[error("Git does not trust the repository of `{0}`: another user owns it")]
    OtherOwner(String),
    #[error("revision starts with `-`")]
    Revision,
    #[error("revision `{revision}` does not exist{}", if *.is_shallow { ": the clone is shallow" } else { "" })]
    UnknownRevision { revision: String, is_shallow: bool, meant: Option<String> },
}

impl Explain for GitError {
    fn hint(&self) -> Option<String> {
        const SHALLOW: &str = "fetch the history: `fetch-depth: 0` for `actions/checkout` on GitHub, `GIT_DEPTH: 0` on GitLab, \
                               `git fetch --unshallow` elsewhere";
        let hint = match self {
            Self::Filter(_) => "no check may run a filter; rename it in Git's configuration",
            Self::Git(..) => "`--changed-since` needs a Git checkout that contains the revision",
            Self::NoCommonAncestor { is_shallow: true, .. }
            | Self::UnknownRevision { is_shallow: true, .. } => SHALLOW,
            Self::NoCommonAncestor { .. } => {
                "name a revision that the branch comes from, such as `origin/main`"
            }
            Self::Limit(..) => {
                "check that the checkout is readable and has no pipes; omit `--changed-since` to check everything"
            }
            Self::NoCommits => "commit something first, or omit `--changed-since`",
            Self::NotInstalled => "install Git, or omit `--changed-since` to check everything",
            Self::NotRepository(_) => {
                "run it in a Git checkout, or omit `--changed-since` to check everything"
            }
            Self::OtherOwner(directory) => {
                return Some(format!(
                    "if you trust it: `git config --global --add safe.directory {}`",
                    shell_quoted(directory)
                ));
            }
            Self::Revision => return None,
            Self::UnknownRevision { meant: Some(meant), .. } => {
                return Some(format!("did you mean `{meant}`?"));
            }
            Self::UnknownRevision { revision, .. } => match revision.strip_prefix("origin/") {
                Some(branch) => {
                    return Some(format!(
                        "fetch it: `git fetch origin {}`",
                        shell_quoted(&format!("{branch}:{revision}"))
                    ));
                }
                None => "`git branch --all` lists the branches, `git fetch` gets those of the remote",
            },
        };
        Some(hint.to_owned())
    }
}

impl GitError {
    /// Explains why a directory has no repository.
    pub(super) fn in_directory(self, directory: &Path) -> Self {
        let Self::Git(_, text) = &self else { return self };
        if text.contains("not a git repository") {
            return Self::NotRepository(path_text(directory));
        }
        if text.contains("dubious ownership") {
            return Self::OtherOwner(path_text(directory));
        }
        self
    }
}

/// Returns the last common commit of a revision and the checked-out commit.
pub(super) fn merge_base(top: &Path, revision: &str) -> Result<String, GitError> {
    let verify = |name: &str| {
        let commit = format!("{name}^{{commit}}");
        git(top, "rev-parse", &["rev-parse", "--quiet", "--verify", &commit], &[])
    };
    let is_shallow = || {
        let answer = git(top, "rev-parse", &["rev-parse", "--is-shallow-repository"], &[]);
        answer.is_ok_and(|answer| git_line(&answer) == b"true")
    };
    if let Err(error) = verify(revision) {
        if matches!(error, GitError::NotInstalled) {
            return Err(error);
        }
        if verify("HEAD").is_err() {
            return Err(GitError::NoCommits);
        }
        let on_remote = format!("origin/{revision}");
        let meant =
            if verify(&on_remote).is_ok() { Some(on_remote) } else { similar_reference(top, revision) };
        let is_shallow = meant.is_none() && is_shallow();
        return Err(GitError::UnknownRevision { revision: revision.to_owned(), is_shallow, meant });
    }
    match git(top, "merge-base", &["merge-base", revision, "HEAD"], &[]) {
        Ok(base) => Ok(String::from_utf8_lossy(git_line(&base)).into_owned()),
        // Git prints nothing if they have none.
        Err(GitError::Git(_, text)) if text == NO_GIT_MESSAGE => {
            Err(GitError::NoCommonAncestor { revision: revision.to_owned(), is_shallow: is_shallow() })
        }
        Err(error) => Err(error),
    }
}

/// Returns the branch or tag with a name similar to a revision.
fn similar_reference(top: &Path, revision: &str) -> Option<String> {
    let list = git(top, "for-each-ref", &["for-each-ref", "--format=%(refname:short)"], &[]).ok()?;
    let list = String::from_utf8_lossy(&list);
    closest_name(revision, list.lines().take(MAX_REFERENCES)).map(str::to_owned)
}

/// Runs Git so that it starts no other program, and writes and fetches nothing.
pub(super) fn git(
    directory: &Path,
    title: &'static str,
    args: &[&str],
    settings: &[String],
) -> Result<Vec<u8>, GitError> {
    run_git(directory, GitAccess::Read, args, settings).map_err(|error| match error {
        GitRunError::Failed(message) => GitError::Git(title, message),
        GitRunError::NotInstalled => GitError::NotInstalled,
        limit @ (GitRunError::TimedOut(_) | GitRunError::TooMuchOutput(_)) => {
            GitError::Limit(title, limit.outcome())
        }
    })
}
