//! Runs the `git` binary of the user on the user's own checkout, and keeps it from running anything that a repository
//! configures: hooks, monitors, other directories.
//!
//! A bare repository within the tree is not used either: its settings would be those of a committer.
//!
//! It never asks a question, and ends within a deadline, or is ended with its children.
//!
//! Unlike programs that render sources, it is not confined: it needs the user's settings, and to push, their credentials.

mod call;
mod process;
mod run;
mod stream;

pub use self::call::{GitAccess, GitLimits, GitRunError, NO_GIT_MESSAGE};
pub use self::run::{git_line, git_path, run_git, run_git_with_input};
pub use self::stream::{GitObjects, GitRecords};

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_bare_repository_in_the_tree_is_not_used() {
        let directory = tempfile::tempdir().expect("a directory");
        let inner = directory.path().join("inner");
        for (at, bare) in [(directory.path(), "--no-bare"), (&inner, "--bare")] {
            fs_err::create_dir_all(at).expect("created");
            run_git(at, GitAccess::Write, &["init", "--quiet", bare], &[]).expect("initialized");
        }
        assert!(run_git(directory.path(), GitAccess::Read, &["rev-parse", "--git-dir"], &[]).is_ok());
        let refused = run_git(&inner, GitAccess::Read, &["rev-parse", "--git-dir"], &[]);
        assert!(matches!(refused, Err(GitRunError::Failed(text)) if text.contains("bare repository")));
    }
}
