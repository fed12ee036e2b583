//! Writes reports, baselines and step summaries to the paths that the user gave.
//!
//! Writes are atomic: each file is written to a temporary file in the same directory and renamed; several files are
//! renamed only after all are written. Existing devices and pipes are written to, never replaced; for a symbolic link,
//! its target is replaced, except in a repository, whose links are refused. Reports are readable by others, unless an existing file has other permissions.

use std::fs::Permissions;
use std::io::{self, Read as _, Write as _};
use std::path::{Path, PathBuf};

use crate::{Baseline, BaselineError};
use sealwave_core::bounded_file::{BoundedReadError, read_file};
use sealwave_core::diagnostic::{Explain, io_reason, write_error_reason};
use sealwave_core::kept_content::KeptContent;
use sealwave_core::output_path::{LinkedOutput, check_output_path};
use sealwave_core::reach::directory_of;

/// Larger baselines are not read.
const MAX_BASELINE_BYTES: u64 = 64 << 20;
/// The most names tried for a temporary file.
const ATTEMPTS: u32 = 16;
/// The most symbolic links followed to a new file.
const MAX_LINKS: u32 = 40;
/// The most bytes read to recognize a report.
const HEAD: u64 = 4 << 10;

/// An error in reading or writing a report or baseline.
#[derive(Debug, thiserror::Error)]
pub enum ReportFileError {
    /// The file is not a baseline.
    #[error("`{}`: {error}", path.display())]
    Baseline {
        /// The file.
        path: PathBuf,
        /// The cause.
        error: BaselineError,
    },
    /// The path is a directory.
    #[error("`{}` is a directory", .0.display())]
    Directory(PathBuf),
    /// The file holds something that may exist nowhere else.
    #[error("`{}` is not overwritten: it holds {}", path.display(), content.label())]
    Kept {
        /// The file.
        path: PathBuf,
        /// The kind of content.
        content: KeptContent,
    },
    /// A link of a repository decides where the file is.
    #[error(transparent)]
    Linked(#[from] LinkedOutput),
    /// One of several reports cannot be written.
    #[error("{error}; {}", written_files(.written))]
    Several {
        /// The cause.
        error: Box<Self>,
        /// The files already written.
        written: Vec<PathBuf>,
    },
    /// The file exceeds the size limit.
    #[error("baseline `{}` is larger than {} MiB", .0.display(), MAX_BASELINE_BYTES >> 20)]
    TooLarge(PathBuf),
    /// The file cannot be read.
    #[error("`{}` cannot be read: {}", path.display(), io_reason(*.reason))]
    Unreadable {
        /// The file.
        path: PathBuf,
        /// The error of the operating system.
        reason: io::ErrorKind,
    },
    /// The file cannot be written.
    #[error("`{}` cannot be written: {}", path.display(), write_error_reason(*.reason))]
    Unwritable {
        /// The file.
        path: PathBuf,
        /// The error of the operating system.
        reason: io::ErrorKind,
    },
}

impl Explain for ReportFileError {
    fn hint(&self) -> Option<String> {
        match self {
            Self::Baseline { error, .. } => error.hint(),
            Self::Linked(error) => error.hint(),
            Self::Several { error, .. } => error.hint(),
            Self::Kept { .. } => Some("name another file, or remove this one first".to_owned()),
            Self::Directory(_) => Some("choose a file".to_owned()),
            Self::TooLarge(_) => Some("`--write-baseline` creates a baseline".to_owned()),
            Self::Unreadable { reason: io::ErrorKind::NotFound, .. } => {
                Some("`--write-baseline` creates a baseline".to_owned())
            }
            Self::Unwritable { reason: io::ErrorKind::NotFound, .. } => {
                Some("create its directory first".to_owned())
            }
            Self::Unreadable { .. } | Self::Unwritable { .. } => None,
        }
    }
}

fn written_files(written: &[PathBuf]) -> String {
    if written.is_empty() {
        return "no report was written".to_owned();
    }
    let names: Vec<String> = written.iter().map(|path| format!("`{}`", path.display())).collect();
    format!("already written: {}", names.join(", "))
}

/// Writes a report, replacing an existing file.
///
/// # Errors
/// Returns an error if the file cannot be written, or holds a private key or a Secret in plaintext; an existing file is unchanged.
pub fn write_report(path: &Path, bytes: &[u8]) -> Result<(), ReportFileError> {
    PreparedReport::new(path, bytes)?.commit()
}

/// Writes several reports, replacing existing files.
///
/// # Errors
/// Returns an error if one cannot be written; the message lists those already written, usually none.
pub fn write_reports(reports: &[(PathBuf, Vec<u8>)]) -> Result<(), ReportFileError> {
    let several = |error: ReportFileError, written: &[(PathBuf, Vec<u8>)]| match reports {
        [_] => error,
        _ => ReportFileError::Several {
            error: Box::new(error),
            written: written.iter().map(|(path, _)| path.clone()).collect(),
        },
    };
    let prepared: Result<Vec<PreparedReport<'_>>, _> =
        reports.iter().map(|(path, bytes)| PreparedReport::new(path, bytes)).collect();
    for (index, prepared) in prepared.map_err(|error| several(error, &[]))?.into_iter().enumerate() {
        prepared.commit().map_err(|error| several(error, reports.get(..index).unwrap_or_default()))?;
    }
    Ok(())
}

/// Resolves a path to write to: follows symbolic links and normalizes the path, even if the file does not exist.
#[must_use]
pub fn destination(path: &Path) -> PathBuf {
    let mut path = path.to_owned();
    for _ in 0..MAX_LINKS {
        if let Ok(resolved) = fs_err::canonicalize(&path) {
            return resolved;
        }
        let Ok(target) = fs_err::read_link(&path) else { break };
        path = directory_of(&path).join(target);
    }
    let resolved = fs_err::canonicalize(directory_of(&path)).ok();
    resolved.and_then(|directory| Some(directory.join(path.file_name()?))).unwrap_or(path)
}

/// Reports whether a file is empty, or is a report or baseline, so that it may be overwritten.
#[must_use]
pub fn is_report(path: &Path) -> bool {
    let mut head = Vec::new();
    let read = fs_err::File::open(path).and_then(|file| file.take(HEAD).read_to_end(&mut head));
    let head = String::from_utf8_lossy(&head);
    let text = head.trim_start();
    let has = |word: &str| text.contains(word);
    let is_own = has("sealwave.dev/") && (has("\"ValidationReport\"") || has("\"ValidationBaseline\""));
    let is_sarif = has("\"$schema\"") && has("sarif");
    // A GitLab report is a list, unlike any manifest; a JUnit report is XML.
    let is_foreign = text.starts_with('[') || text.starts_with("<?xml");
    read.is_ok() && (text.is_empty() || is_foreign || text.starts_with('{') && (is_own || is_sarif))
}

/// Returns what a file holds that is never replaced. A report quotes neither, but names kinds of objects.
fn kept_content(path: &Path) -> Option<KeptContent> {
    KeptContent::find_in(path).filter(|_| !is_report(path))
}

/// Appends to the step summary file of a CI system; other commands of the step append to it too.
///
/// # Errors
/// Returns an error if the file cannot be written.
pub fn append_summary(path: &Path, bytes: &[u8]) -> Result<(), ReportFileError> {
    check_output_path(path)?;
    let opened = fs_err::OpenOptions::new().append(true).create(true).open(path);
    opened.and_then(|mut file| file.write_all(bytes)).map_err(|error| unwritable(path, &error))
}

/// Reads a baseline.
///
/// # Errors
/// Returns an error if the file cannot be read or is not a baseline.
pub fn read_baseline(path: &Path) -> Result<Baseline, ReportFileError> {
    let file = fs_err::File::open(path).map_err(BoundedReadError::Io);
    let read = file.and_then(|file| read_file(file, MAX_BASELINE_BYTES));
    let bytes = read.map_err(|error| match error {
        BoundedReadError::TooLarge => ReportFileError::TooLarge(path.to_owned()),
        error => ReportFileError::Unreadable { path: path.to_owned(), reason: error.kind() },
    })?;
    Baseline::parse(&bytes).map_err(|error| ReportFileError::Baseline { path: path.to_owned(), error })
}

/// A report that is ready to be written or renamed.
struct PreparedReport<'a> {
    path: &'a Path,
    method: WriteMethod<'a>,
}

enum WriteMethod<'a> {
    /// Write to an existing device or pipe.
    Device(&'a [u8]),
    /// Rename a temporary file to its destination.
    Replace(TempFile, PathBuf),
}

impl<'a> PreparedReport<'a> {
    fn new(path: &'a Path, bytes: &'a [u8]) -> Result<Self, ReportFileError> {
        check_output_path(path)?;
        let failed = |error: io::Error| unwritable(path, &error);
        let permissions = match fs_err::metadata(path) {
            Ok(metadata) if metadata.is_dir() => return Err(ReportFileError::Directory(path.to_owned())),
            Ok(metadata) if metadata.is_file() => Some(metadata.permissions()),
            Ok(_) => return Ok(Self { path, method: WriteMethod::Device(bytes) }),
            Err(error) if error.kind() == io::ErrorKind::NotFound => None,
            Err(error) => return Err(failed(error)),
        };
        if let Some(content) = kept_content(path) {
            return Err(ReportFileError::Kept { path: path.to_owned(), content });
        }
        let resolved = destination(path);
        let temp = TempFile::write(&resolved, bytes, permissions).map_err(failed)?;
        Ok(Self { path, method: WriteMethod::Replace(temp, resolved) })
    }

    fn commit(self) -> Result<(), ReportFileError> {
        let done = match self.method {
            WriteMethod::Device(bytes) => fs_err::OpenOptions::new()
                .write(true)
                .open(self.path)
                .and_then(|mut device| device.write_all(bytes)),
            // After the rename, the temporary file is gone, so dropping it removes nothing.
            WriteMethod::Replace(temp, resolved) => fs_err::rename(&temp.0, resolved),
        };
        done.map_err(|error| unwritable(self.path, &error))
    }
}

/// A temporary file in the destination's directory, removed on drop.
struct TempFile(PathBuf);

impl Drop for TempFile {
    fn drop(&mut self) {
        // An error here does not matter; the relevant one was reported before.
        let _ = fs_err::remove_file(&self.0);
    }
}

impl TempFile {
    fn write(path: &Path, bytes: &[u8], permissions: Option<Permissions>) -> io::Result<Self> {
        let (temp, mut file) = Self::create(path)?;
        file.write_all(bytes)?;
        if let Some(permissions) = permissions {
            file.set_permissions(permissions)?;
        }
        file.sync_all()?;
        Ok(temp)
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
            let temp = path.with_file_name(format!(".{name}.{}-{attempt}.tmp", std::process::id()));
            match options.open(&temp) {
                Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {}
                opened => return opened.map(|file| (Self(temp), file)),
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
    fn a_report_replaces_the_file_and_leaves_no_temporary_files() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("out.sarif");
        write_report(&path, b"old and longer").unwrap();
        write_report(&path, b"new").unwrap();
        assert_eq!(fs_err::read(&path).unwrap(), b"new");
        assert_eq!(names(dir.path()), ["out.sarif"]);
    }

    #[cfg(unix)]
    #[test]
    fn reports_are_world_readable_and_links_are_kept() {
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
    fn keys_and_secrets_are_never_replaced_by_a_report() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("file");
        for (content, label) in [
            ("-----BEGIN RSA PRIVATE KEY-----\nAAAA\n", "a private key"),
            ("kind: Secret\nstringData: {a: b}\n", "a Secret in plaintext"),
        ] {
            fs_err::write(&path, content).unwrap();
            let error = write_report(&path, b"new").unwrap_err();
            assert!(error.to_string().ends_with(&format!("is not overwritten: it holds {label}")), "{error}");
            assert_eq!(fs_err::read_to_string(&path).unwrap(), content);
        }
        let report =
            r#"{"apiVersion":"sealwave.dev/v1","kind":"ValidationReport","object":{"kind":"Secret"}}"#;
        fs_err::write(&path, report).unwrap();
        write_report(&path, b"new").unwrap();
    }

    #[test]
    fn a_failed_write_is_an_error_and_leaves_no_files() {
        let dir = tempfile::tempdir().unwrap();
        let error = write_report(dir.path(), b"x").unwrap_err();
        assert_eq!(error.to_string(), format!("`{}` is a directory", dir.path().display()));
        let error = write_report(&dir.path().join("none/out"), b"x").unwrap_err();
        assert!(error.to_string().ends_with("none/out` cannot be written: directory not found"), "{error}");
        assert_eq!(error.hint().unwrap(), "create its directory first");
        assert!(names(dir.path()).is_empty());
    }

    #[test]
    fn a_summary_is_appended_to() {
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
        let baseline = crate::report::samples::baseline();
        write_report(&path, &baseline.to_json()).unwrap();
        assert_eq!(read_baseline(&path).unwrap(), baseline);
        fs_err::write(&path, "{}").unwrap();
        assert!(
            read_baseline(&path).unwrap_err().to_string().contains("baseline was not written by sealwave")
        );
    }
}
