//! Reports, baselines and the summary of a step: written where the user named, and nowhere else.
//!
//! A file is there whole or not at all: it is written beside its place and put into it in one step. What is there and is
//! no regular file (a device, a pipe) is written to, never replaced. Reports are no secrets: others may read them.

use std::io::{self, Read as _, Write as _};
use std::path::{Path, PathBuf};

use crate::diagnostic::{Baseline, BaselineError, Explain};

/// Larger baselines are not read.
const MAX_BASELINE_BYTES: u64 = 64 << 20;
/// Names that are tried for the file beside.
const ATTEMPTS: u32 = 16;

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
    /// It is larger than any baseline.
    #[error("baseline `{}` is larger than {} MiB", .0.display(), MAX_BASELINE_BYTES >> 20)]
    TooLarge(PathBuf),
    /// It cannot be read.
    #[error("`{}` cannot be read: {reason}", path.display())]
    Unreadable {
        /// The file.
        path: PathBuf,
        /// What the system says.
        reason: io::ErrorKind,
    },
    /// It cannot be written.
    #[error("`{}` cannot be written: {reason}", path.display())]
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

/// Writes a report, in place of what was there.
///
/// # Errors
/// It cannot be written; what was there is as it was.
pub fn write_report(path: &Path, bytes: &[u8]) -> Result<(), ReportFileError> {
    let failed = |error: io::Error| unwritable(path, &error);
    match fs_err::metadata(path) {
        Ok(about) if about.is_dir() => Err(ReportFileError::Directory(path.to_owned())),
        Ok(about) if about.is_file() => {
            // Behind a link, the file it leads to is replaced, not the link.
            let real = fs_err::canonicalize(path).map_err(failed)?;
            replace(&real, bytes).map_err(failed)
        }
        Ok(_) => fs_err::OpenOptions::new()
            .write(true)
            .open(path)
            .and_then(|mut device| device.write_all(bytes))
            .map_err(failed),
        Err(error) if error.kind() == io::ErrorKind::NotFound => replace(path, bytes).map_err(failed),
        Err(error) => Err(failed(error)),
    }
}

/// Adds to the file that a CI system reads as the summary of a step; other commands of the step add to it as well.
///
/// # Errors
/// It cannot be written.
pub fn append_summary(path: &Path, bytes: &[u8]) -> Result<(), ReportFileError> {
    let opened = fs_err::OpenOptions::new().append(true).create(true).open(path);
    opened.and_then(|mut file| file.write_all(bytes)).map_err(|error| unwritable(path, &error))
}

/// Writes a baseline, in place of what was there.
///
/// # Errors
/// It cannot be written; what was there is as it was.
pub fn write_baseline(path: &Path, baseline: &Baseline) -> Result<(), ReportFileError> {
    write_report(path, &baseline.to_json())
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

fn replace(path: &Path, bytes: &[u8]) -> io::Result<()> {
    let (beside, mut file) = new_beside(path)?;
    let written = file.write_all(bytes).and_then(|()| file.sync_all());
    drop(file);
    written.and_then(|()| fs_err::rename(&beside, path)).inspect_err(|_| {
        // What is left of it helps nobody; the error that counts is the first.
        let _ = fs_err::remove_file(&beside);
    })
}

/// A new file in the same directory, so that it can be renamed.
fn new_beside(path: &Path) -> io::Result<(PathBuf, fs_err::File)> {
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
            opened => return opened.map(|file| (beside, file)),
        }
    }
    Err(io::ErrorKind::AlreadyExists.into())
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
        assert!(error.to_string().ends_with("none/out` cannot be written: entity not found"), "{error}");
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
        let baseline = Baseline::of(&crate::diagnostic::report::samples::report());
        write_baseline(&path, &baseline).unwrap();
        assert_eq!(read_baseline(&path).unwrap(), baseline);
        fs_err::write(&path, "{}").unwrap();
        assert!(
            read_baseline(&path).unwrap_err().to_string().contains("baseline is not one that sealwave wrote")
        );
    }
}
