//! Changes of files, from one `git log` that is read while Git goes on.

use std::ffi::OsStr;
use std::path::Path;

use sealwave_core::time::Date;
use sealwave_programs::{GitLimits, GitRecords, GitRunError};

/// The arguments of each log: names are literal, and signatures are not verified, which would start a program.
const LOG: [&str; 9] = [
    "--literal-pathspecs",
    "log",
    "-z",
    "--raw",
    "--no-abbrev",
    "--no-show-signature",
    "--no-color",
    "--diff-merges=first-parent",
    "--format=commit %ct %H %P",
];

/// A commit in the log.
pub(super) struct LogCommit {
    pub(super) date: Date,
    pub(super) id: String,
    pub(super) has_parents: bool,
}

/// A change of a file in a commit.
pub(super) struct LogChange {
    /// Whether the commit created the file.
    pub(super) is_new: bool,
    /// The id of the content; `None` if the commit deletes the file.
    pub(super) blob: Option<String>,
    /// The path, relative to the top; the earlier one, if the file was renamed or copied.
    pub(super) path: Vec<u8>,
    /// The path of a renamed or copied file after it.
    pub(super) new_path: Option<Vec<u8>>,
}

/// The order of the changes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum LogOrder {
    OldestFirst,
    NewestFirst,
}

/// Reads the changes of files, until the end or until `each` returns false.
///
/// # Errors
/// Git fails or reaches a limit.
pub(super) fn read_changes(
    top: &Path,
    paths: &[&Path],
    order: LogOrder,
    limits: GitLimits,
    each: impl FnMut(&LogCommit, LogChange) -> bool,
) -> Result<(), GitRunError> {
    let mut args: Vec<&OsStr> = LOG.iter().map(OsStr::new).collect();
    if order == LogOrder::OldestFirst {
        args.push(OsStr::new("--reverse"));
    }
    args.extend(["--no-renames", "--"].map(OsStr::new));
    args.extend(paths.iter().map(|path| path.as_os_str()));
    read_log(top, &args, limits, each)
}

/// Reads the renamed and copied files of a commit.
///
/// # Errors
/// Git fails or reaches a limit.
pub(super) fn read_renames(
    top: &Path,
    commit: &str,
    limits: GitLimits,
    mut each: impl FnMut(LogChange),
) -> Result<(), GitRunError> {
    let mut args: Vec<&OsStr> = LOG.iter().map(OsStr::new).collect();
    args.extend(["--max-count=1", "--find-renames", "--find-copies-harder", commit, "--"].map(OsStr::new));
    read_log(top, &args, limits, |_, change| {
        each(change);
        true
    })
}

fn read_log(
    top: &Path,
    args: &[&OsStr],
    limits: GitLimits,
    mut each: impl FnMut(&LogCommit, LogChange) -> bool,
) -> Result<(), GitRunError> {
    let mut records = GitRecords::open(top, args, 0, limits)?;
    let mut commit = None;
    while let Some(record) = records.next_record()? {
        if let Some(text) = record.strip_prefix(b"commit ") {
            commit = LogCommit::parse(&String::from_utf8_lossy(text));
            continue;
        }
        // A commit's first change is behind a line break.
        let raw = record.strip_prefix(b"\n").unwrap_or(&record).strip_prefix(b":");
        let Some(raw) = raw.map(String::from_utf8_lossy) else { continue };
        let Some(path) = records.next_record()? else { break };
        let has_two_paths = change_kind(&raw).is_some_and(|kind| matches!(kind, 'R' | 'C'));
        let new_path = if has_two_paths { records.next_record()? } else { None };
        if let Some(commit) = &commit
            && !each(commit, LogChange::parse(&raw, path, new_path))
        {
            return Ok(());
        }
    }
    records.finish()
}

/// Returns the letter at the end of modes and ids.
fn change_kind(raw: &str) -> Option<char> {
    raw.split(' ').nth(4)?.chars().next()
}

impl LogCommit {
    fn parse(text: &str) -> Option<Self> {
        let mut words = text.split(' ').filter(|word| !word.is_empty());
        let date = Date::from_unix_seconds(words.next()?.parse().ok()?)?;
        Some(Self { date, id: words.next()?.to_owned(), has_parents: words.next().is_some() })
    }
}

impl LogChange {
    fn parse(raw: &str, path: Vec<u8>, new_path: Option<Vec<u8>>) -> Self {
        let blob = raw.split(' ').nth(3).filter(|id| id.bytes().any(|byte| byte != b'0'));
        Self { is_new: change_kind(raw) == Some('A'), blob: blob.map(str::to_owned), path, new_path }
    }
}
