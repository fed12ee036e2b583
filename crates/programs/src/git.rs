//! Runs the `git` binary of the user on the user's own checkout, and keeps it from running anything that a repository
//! configures: hooks, monitors, other directories.
//!
//! A bare repository within the tree is not used either: its settings would be those of a committer.
//!
//! Unlike programs that render sources, it is not confined: it needs the user's settings, and to push, their credentials.

use std::ffi::OsStr;
use std::io::{self, Write as _};
use std::path::Path;
use std::process::{Command, Output, Stdio};

use sealwave_core::diagnostic::io_reason;

/// Environment variables that point Git to another directory, as in a hook, or have it run a program.
const VARIABLES: [&str; 6] =
    ["GIT_COMMON_DIR", "GIT_DIR", "GIT_EXTERNAL_DIFF", "GIT_INDEX_FILE", "GIT_PREFIX", "GIT_WORK_TREE"];

/// The message of a Git that failed without one.
pub const NO_GIT_MESSAGE: &str = "no error message";

/// Size limit of the standard input: pipes hold more.
pub const MAX_GIT_INPUT: usize = 32 << 10;

/// The operations that Git may do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum GitAccess {
    /// Read what the clone has. Git writes and fetches nothing, not even objects that a partial clone lacks.
    Read,
    /// Change the clone: its index and its commits.
    Write,
    /// Also contact remotes, as the user's settings say.
    Remote,
}

/// The reason why Git returned nothing.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum GitRunError {
    /// Git failed with this first line of its messages, or [`NO_GIT_MESSAGE`].
    Failed(String),
    /// There is no `git`.
    NotInstalled,
}

/// Runs Git in a directory, with further settings, and returns its output.
///
/// # Errors
/// Git is not installed, or fails.
pub fn run_git<A: AsRef<OsStr>>(
    directory: &Path,
    access: GitAccess,
    args: &[A],
    settings: &[String],
) -> Result<Vec<u8>, GitRunError> {
    run_git_with_input(directory, access, args, settings, &[])
}

/// Runs Git as [`run_git`] does, with a standard input of at most [`MAX_GIT_INPUT`] bytes.
///
/// # Errors
/// Git is not installed, or fails; the input is too large.
pub fn run_git_with_input<A: AsRef<OsStr>>(
    directory: &Path,
    access: GitAccess,
    args: &[A],
    settings: &[String],
    input: &[u8],
) -> Result<Vec<u8>, GitRunError> {
    let mut command = Command::new("git");
    command.current_dir(directory);
    for variable in VARIABLES {
        command.env_remove(variable);
    }
    if access == GitAccess::Read {
        command.env("GIT_OPTIONAL_LOCKS", "0").env("GIT_NO_LAZY_FETCH", "1");
    }
    if access == GitAccess::Remote {
        // A question would wait indefinitely.
        command.env("GIT_TERMINAL_PROMPT", "0");
    } else {
        command.env("GIT_ALLOW_PROTOCOL", "none");
    }
    // Its messages are compared.
    command.env("LC_ALL", "C");
    // A directory of the tree that looks like a bare repository would bring its own settings, which may name programs.
    for setting in ["core.fsmonitor=false", "core.hooksPath=/dev/null", "safe.bareRepository=explicit"]
        .into_iter()
        .chain(settings.iter().map(String::as_str))
    {
        command.args(["-c", setting]);
    }
    let output = output_of(command.args(args), input).map_err(|error| match error.kind() {
        io::ErrorKind::NotFound if directory.is_dir() => GitRunError::NotInstalled,
        kind => GitRunError::Failed(io_reason(kind)),
    })?;
    if output.status.success() {
        return Ok(output.stdout);
    }
    let stderr = String::from_utf8_lossy(&output.stderr);
    Err(GitRunError::Failed(stderr.lines().next().unwrap_or(NO_GIT_MESSAGE).to_owned()))
}

/// Runs a command with an input that its pipe can hold, so that writing it does not wait for its output to be read.
fn output_of(command: &mut Command, input: &[u8]) -> io::Result<Output> {
    if input.is_empty() {
        return command.output();
    }
    if input.len() > MAX_GIT_INPUT {
        return Err(io::ErrorKind::FileTooLarge.into());
    }
    command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = command.spawn()?;
    if let Some(mut stdin) = child.stdin.take() {
        // A Git that ends before it reads everything says why.
        let _ = stdin.write_all(input);
    }
    child.wait_with_output()
}

/// Strips one line break: a path may end with spaces or further line breaks.
#[must_use]
pub fn git_line(bytes: &[u8]) -> &[u8] {
    bytes.strip_suffix(b"\n").unwrap_or(bytes)
}

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
