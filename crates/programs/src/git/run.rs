//! Runs of Git whose output is needed as a whole.

use std::ffi::OsStr;
use std::path::{Path, PathBuf};

use super::call::{GitAccess, GitLimits, GitRunError, command, start_error};
use super::process::{GitProcess, write_input};

/// Runs Git in a directory, with further settings and within the usual limits, and returns its output.
///
/// # Errors
/// Git is not installed, fails, or reaches a limit.
pub fn run_git<A: AsRef<OsStr>>(
    directory: &Path,
    access: GitAccess,
    args: &[A],
    settings: &[String],
) -> Result<Vec<u8>, GitRunError> {
    let mut command = command(directory, access, settings);
    let process = GitProcess::start(command.args(args), access.limits());
    collect(process.map_err(|error| start_error(&error, directory))?)
}

/// Runs Git in a directory with a standard input, and returns its output.
///
/// # Errors
/// Git is not installed, fails, or reaches a limit.
pub fn run_git_with_input<A: AsRef<OsStr>>(
    directory: &Path,
    access: GitAccess,
    args: &[A],
    input: &[u8],
    limits: GitLimits,
) -> Result<Vec<u8>, GitRunError> {
    let mut command = command(directory, access, &[]);
    let started = GitProcess::start_with_input(command.args(args), limits);
    let (process, pipe) = started.map_err(|error| start_error(&error, directory))?;
    write_input(input, pipe);
    collect(process)
}

fn collect(mut process: GitProcess) -> Result<Vec<u8>, GitRunError> {
    let mut output = Vec::new();
    while let Some(chunk) = process.chunk()? {
        output.extend(chunk);
    }
    process.finish()?;
    Ok(output)
}

/// Returns a path that Git printed.
#[cfg(unix)]
#[must_use]
pub fn git_path(bytes: Vec<u8>) -> PathBuf {
    use std::os::unix::ffi::OsStringExt as _;
    std::ffi::OsString::from_vec(bytes).into()
}

/// Returns a path that Git printed.
#[cfg(not(unix))]
#[must_use]
pub fn git_path(bytes: Vec<u8>) -> PathBuf {
    String::from_utf8_lossy(&bytes).into_owned().into()
}

/// Strips one line break: a path may end with spaces or further line breaks.
#[must_use]
pub fn git_line(bytes: &[u8]) -> &[u8] {
    bytes.strip_suffix(b"\n").unwrap_or(bytes)
}
