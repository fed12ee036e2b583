//! Reports, baselines and the summary of a step: written where the user named, and nowhere else.
//!
//! A file is there whole or not at all: it is written beside its place and put into it in one step, several of them once
//! all are written beside. What is there and is no regular file (a device, a pipe) is written to, never replaced; behind
//! a link, the file that it leads to is replaced. Reports are no secrets: others may read them, unless a file that was
//! there says otherwise.

use std::fs::Permissions;
use std::io::{self, Read as _, Write as _};
use std::path::{Path, PathBuf};

use crate::{Baseline, BaselineError};
use sealwave_core::diagnostic::{Explain, io_reason};

/// Larger baselines are not read.
const MAX_BASELINE_BYTES: u64 = 64 << 20;
/// Names that are tried for the file beside.
const ATTEMPTS: u32 = 16;
/// Links that are followed to a file that is not there yet.
const MAX_LINKS: u32 = 40;
/// How much of a file tells what it is.
const HEAD: u64 = 4 << 10;

/// Why a report or a baseline cannot be written or read.
#[derive(Debug, thiserror::Error)]
pub enum ReportFileError {
    /// It is no baseline.
    #[error("`{}`: {error}", path.display())]
    Baseline {
        /// The file.
        path: PathBuf,
        /// Why.
        error: BaselineError,
    },
    /// Its place is a directory.
    #[error("`{}` is a directory", .0.display())]
    Directory(PathBuf),
    /// One of several cannot be written.
    #[error("{error}; {}", of_the_others(.written))]
    Several {
        /// Why.
        error: Box<Self>,
        /// Those that were written.
        written: Vec<PathBuf>,
    },
    /// It is larger than any baseline.
    #[error("baseline `{}` is larger than {} MiB", .0.display(), MAX_BASELINE_BYTES >> 20)]
    TooLarge(PathBuf),
    /// It cannot be read.
    #[error("`{}` cannot be read: {}", path.display(), io_reason(*.reason))]
    Unreadable {
        /// The file.
        path: PathBuf,
        /// What the system says.
        reason: io::ErrorKind,
    },
    /// It cannot be written.
    #[error("`{}` cannot be written: {}", path.display(), not_written(*.reason))]
    Unwritable {
        /// The file.
        path: PathBuf,
        /// What the system says.
        reason: io::ErrorKind,
    },
}

impl Explain for ReportFileError {
    fn hint(&self) -> Option<String> {
        match self {
            Self::Baseline { error, .. } => error.hint(),
            Self::Several { error, .. } => error.hint(),
            Self::Directory(_) => Some("name a file".to_owned()),
            Self::TooLarge(_) => Some("`--write-baseline` writes one".to_owned()),
            Self::Unreadable { reason: io::ErrorKind::NotFound, .. } => {
                Some("`--write-baseline` writes one".to_owned())
            }
            Self::Unwritable { reason: io::ErrorKind::NotFound, .. } => {
                Some("make its directory first".to_owned())
            }
            Self::Unreadable { .. } | Self::Unwritable { .. } => None,
        }
    }
}

fn not_written(reason: io::ErrorKind) -> String {
    match reason {
        io::ErrorKind::NotFound => "there is no such directory".to_owned(),
        reason => io_reason(reason),
    }
}

fn of_the_others(written: &[PathBuf]) -> String {
    if written.is_empty() {
        return "no report was written".to_owned();
    }
    let names: Vec<String> = written.iter().map(|path| format!("`{}`", path.display())).collect();
    format!("written before: {}", names.join(", "))
}

/// Writes a report, in place of what was there.
///
/// # Errors
/// It cannot be written; what was there is as it was.
pub fn write_report(path: &Path, bytes: &[u8]) -> Result<(), ReportFileError> {
    Prepared::new(path, bytes)?.put()
}

/// Writes several reports, each in place of what was there.
///
/// # Errors
/// One cannot be written; the message says which were. Unless something happens between two steps, none was.
pub fn write_reports(reports: &[(PathBuf, Vec<u8>)]) -> Result<(), ReportFileError> {
    let several = |error: ReportFileError, written: &[(PathBuf, Vec<u8>)]| match reports {
        [_] => error,
        _ => ReportFileError::Several {
            error: Box::new(error),
            written: written.iter().map(|(path, _)| path.clone()).collect(),
        },
    };
    let prepared: Result<Vec<Prepared<'_>>, _> =
        reports.iter().map(|(path, bytes)| Prepared::new(path, bytes)).collect();
    for (index, prepared) in prepared.map_err(|error| several(error, &[]))?.into_iter().enumerate() {
        prepared.put().map_err(|error| several(error, reports.get(..index).unwrap_or_default()))?;
    }
    Ok(())
}

/// Where what is written to a path ends up: behind links, and in one spelling, whether there is a file yet or not.
#[must_use]
pub fn destination(path: &Path) -> PathBuf {
    let mut path = path.to_owned();
    for _ in 0..MAX_LINKS {
        if let Ok(real) = fs_err::canonicalize(&path) {
            return real;
        }
        let Ok(target) = fs_err::read_link(&path) else { break };
        path = directory_of(&path).join(target);
    }
    let real = fs_err::canonicalize(directory_of(&path)).ok();
    real.and_then(|directory| Some(directory.join(path.file_name()?))).unwrap_or(path)
}

/// Whether a file holds nothing, or a report or baseline as a run writes it, so that another may take its place.
#[must_use]
pub fn is_report(path: &Path) -> bool {
    let mut head = Vec::new();
    let read = fs_err::File::open(path).and_then(|file| file.take(HEAD).read_to_end(&mut head));
    let head = String::from_utf8_lossy(&head);
    let text = head.trim_start();
    let has = |word: &str| text.contains(word);
    let is_own = has("sealwave.dev/") && (has("\"ValidationReport\"") || has("\"ValidationBaseline\""));
    let is_sarif = has("\"$schema\"") && has("sarif");
    // GitLab's is a list, which no manifest is; JUnit's is XML.
    let is_foreign = text.starts_with('[') || text.starts_with("<?xml");
    read.is_ok() && (text.is_empty() || is_foreign || text.starts_with('{') && (is_own || is_sarif))
}

fn directory_of(path: &Path) -> &Path {
    path.parent().filter(|parent| !parent.as_os_str().is_empty()).unwrap_or(Path::new("."))
}

/// Adds to the file that a CI system reads as the summary of a step; other commands of the step add to it as well.
///
/// # Errors
/// It cannot be written.
pub fn append_summary(path: &Path, bytes: &[u8]) -> Result<(), ReportFileError> {
    let opened = fs_err::OpenOptions::new().append(true).create(true).open(path);
    opened.and_then(|mut file| file.write_all(bytes)).map_err(|error| unwritable(path, &error))
}

/// Reads a baseline.
///
/// # Errors
/// It cannot be read, or is none.
pub fn read_baseline(path: &Path) -> Result<Baseline, ReportFileError> {
    let mut bytes = Vec::new();
    let read =
        fs_err::File::open(path).and_then(|file| file.take(MAX_BASELINE_BYTES + 1).read_to_end(&mut bytes));
    read.map_err(|error| ReportFileError::Unreadable { path: path.to_owned(), reason: error.kind() })?;
    if bytes.len() as u64 > MAX_BASELINE_BYTES {
        return Err(ReportFileError::TooLarge(path.to_owned()));
    }
    Baseline::parse(&bytes).map_err(|error| ReportFileError::Baseline { path: path.to_owned(), error })
}

/// A report that only has to be put into its place.
struct Prepared<'a> {
    path: &'a Path,
    how: How<'a>,
}

enum How<'a> {
    /// To be written to as it is.
    Device(&'a [u8]),
    /// The file beside, and where it goes.
    Replace(Beside, PathBuf),
}

impl<'a> Prepared<'a> {
    fn new(path: &'a Path, bytes: &'a [u8]) -> Result<Self, ReportFileError> {
        let failed = |error: io::Error| unwritable(path, &error);
        let permissions = match fs_err::metadata(path) {
            Ok(about) if about.is_dir() => return Err(ReportFileError::Directory(path.to_owned())),
            Ok(about) if about.is_file() => Some(about.permissions()),
            Ok(_) => return Ok(Self { path, how: How::Device(bytes) }),
            Err(error) if error.kind() == io::ErrorKind::NotFound => None,
            Err(error) => return Err(failed(error)),
        };
        let real = destination(path);
        let beside = Beside::write(&real, bytes, permissions).map_err(failed)?;
        Ok(Self { path, how: How::Replace(beside, real) })
    }

    fn put(self) -> Result<(), ReportFileError> {
        let done = match self.how {
            How::Device(bytes) => fs_err::OpenOptions::new()
                .write(true)
                .open(self.path)
                .and_then(|mut device| device.write_all(bytes)),
            // Where it was renamed, there is nothing left to remove.
            How::Replace(beside, real) => fs_err::rename(&beside.0, real),
        };
        done.map_err(|error| unwritable(self.path, &error))
    }
}

/// A file in the same directory, so that it can be renamed; what is left of it is removed.
struct Beside(PathBuf);

impl Drop for Beside {
    fn drop(&mut self) {
        // It helps nobody; the error that counts was before.
        let _ = fs_err::remove_file(&self.0);
    }
}

impl Beside {
    fn write(path: &Path, bytes: &[u8], permissions: Option<Permissions>) -> io::Result<Self> {
        let (beside, mut file) = Self::create(path)?;
        file.write_all(bytes)?;
        if let Some(permissions) = permissions {
            file.set_permissions(permissions)?;
        }
        file.sync_all()?;
        Ok(beside)
    }

    fn create(path: &Path) -> io::Result<(Self, fs_err::File)> {
        let name = path.file_name().ok_or(io::ErrorKind::InvalidInput)?.to_string_lossy();
        let mut options = fs_err::OpenOptions::new();
        options.write(true).create_new(true);
        #[cfg(unix)]
        {
            use fs_err::os::unix::fs::OpenOptionsExt as _;
            options.mode(0o644);
        }
        for attempt in 0..ATTEMPTS {
            let beside = path.with_file_name(format!(".{name}.{}-{attempt}.tmp", std::process::id()));
            match options.open(&beside) {
                Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {}
                opened => return opened.map(|file| (Self(beside), file)),
            }
        }
        Err(io::ErrorKind::AlreadyExists.into())
    }
}

fn unwritable(path: &Path, error: &io::Error) -> ReportFileError {
    ReportFileError::Unwritable { path: path.to_owned(), reason: error.kind() }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(dir: &Path) -> Vec<String> {
        let mut names: Vec<String> = fs_err::read_dir(dir)
            .unwrap()
            .map(|entry| entry.unwrap().file_name().into_string().unwrap())
            .collect();
        names.sort();
        names
    }

    #[test]
    fn a_report_replaces_what_was_there_and_leaves_nothing_else() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("out.sarif");
        write_report(&path, b"old and longer").unwrap();
        write_report(&path, b"new").unwrap();
        assert_eq!(fs_err::read(&path).unwrap(), b"new");
        assert_eq!(names(dir.path()), ["out.sarif"]);
    }

    #[cfg(unix)]
    #[test]
    fn others_may_read_it_and_a_link_stays_a_link() {
        use std::os::unix::fs::PermissionsExt as _;
        let dir = tempfile::tempdir().unwrap();
        let (path, link) = (dir.path().join("a"), dir.path().join("b"));
        write_report(&path, b"old").unwrap();
        assert_eq!(fs_err::metadata(&path).unwrap().permissions().mode() & 0o644, 0o644);
        fs_err::os::unix::fs::symlink("a", &link).unwrap();
        write_report(&link, b"new").unwrap();
        assert_eq!(fs_err::read(&path).unwrap(), b"new");
        assert!(fs_err::symlink_metadata(&link).unwrap().is_symlink());
    }

    #[cfg(unix)]
    #[test]
    fn a_device_is_written_to_and_not_replaced() {
        use std::os::unix::fs::FileTypeExt as _;
        let null = Path::new("/dev/null");
        write_report(null, b"x").unwrap();
        assert!(fs_err::metadata(null).unwrap().file_type().is_char_device());
    }

    #[test]
    fn what_cannot_be_written_is_an_error_and_leaves_nothing() {
        let dir = tempfile::tempdir().unwrap();
        let error = write_report(dir.path(), b"x").unwrap_err();
        assert_eq!(error.to_string(), format!("`{}` is a directory", dir.path().display()));
        let error = write_report(&dir.path().join("none/out"), b"x").unwrap_err();
        assert!(
            error.to_string().ends_with("none/out` cannot be written: there is no such directory"),
            "{error}"
        );
        assert_eq!(error.hint().unwrap(), "make its directory first");
        assert!(names(dir.path()).is_empty());
    }

    #[test]
    fn a_summary_is_added_to() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("summary");
        append_summary(&path, b"a\n").unwrap();
        append_summary(&path, b"b\n").unwrap();
        assert_eq!(fs_err::read(&path).unwrap(), b"a\nb\n");
    }

    #[test]
    fn a_baseline_is_read_as_it_was_written() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("baseline.json");
        assert!(matches!(read_baseline(&path), Err(ReportFileError::Unreadable { .. })));
        let baseline = Baseline::of(&crate::report::samples::report());
        write_report(&path, &baseline.to_json()).unwrap();
        assert_eq!(read_baseline(&path).unwrap(), baseline);
        fs_err::write(&path, "{}").unwrap();
        assert!(
            read_baseline(&path).unwrap_err().to_string().contains("baseline is not one that sealwave wrote")
        );
    }
}
