//! The audit log: one JSON line for each reference and destination of a run, if the operator enables it.
//!
//! A line holds the requester, the reference and the outcome, never a value. It is the only output of sealwave with a
//! timestamp. Text from a repository is JSON-escaped, so that it cannot end a line and forge another. Each line is one
//! append, so that lines of concurrent runs do not mix. If the audit log cannot be written, the run stops without
//! output.

use std::io::{self, Write as _};
use std::path::{Path, PathBuf};
use std::time::SystemTime;

use serde::Serialize;
// `DateTime` formats as RFC 3339; the crate is a dependency for certificates anyway.
use x509_cert::der::DateTime;

use sealwave_core::diagnostic::{Explain, NOT_REGULAR_FILE, Problem, write_error_reason};
use sealwave_core::reach::directory_of;
use sealwave_pipeline::{AuditRecord, AuditSink};
use sealwave_secrets::policy::PolicySubject;

/// An open audit log.
pub struct AuditLog {
    file: Option<(PathBuf, fs_err::File)>,
    stderr: bool,
    subject: PolicySubject,
}

/// An error of the audit log.
#[derive(Debug, thiserror::Error)]
pub enum AuditError {
    /// The operator file sets no destination.
    #[error("`audit` in the operator file sets neither `file` nor `stderr: true`")]
    NoDestination,
    /// The app's repository could hold or replace the file.
    #[error("audit file `{}` is within the app's repository", .0.display())]
    InRepository(PathBuf),
    /// The path is a device, a pipe or a directory.
    #[error("audit file `{}` {NOT_REGULAR_FILE}", .0.display())]
    NotAFile(PathBuf),
    /// The log cannot be opened or written.
    #[error("audit cannot be written to `{place}`: {}", write_error_reason(*.reason))]
    Unwritable {
        /// The file, or `stderr`.
        place: String,
        /// The error of the operating system.
        reason: io::ErrorKind,
    },
}

impl Explain for AuditError {
    fn hint(&self) -> Option<String> {
        Some(
            match self {
                Self::NoDestination => "write `audit: {file: audit.jsonl}` or `audit: {stderr: true}`",
                Self::InRepository(_) | Self::NotAFile(_) => {
                    "choose a file on an operator's volume; its path is relative to the operator file"
                }
                Self::Unwritable { .. } => "no output is written unless the audit can be written",
            }
            .to_owned(),
        )
    }
}

/// A line of the log, with fields in output order.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct AuditLine<'a> {
    time: &'a str,
    project: Option<&'a str>,
    app: Option<&'a str>,
    namespace: Option<&'a str>,
    repository: Option<&'a str>,
    environment: Option<&'a str>,
    reference: String,
    cluster: &'a str,
    secret_namespace: Option<&'a str>,
    scope: &'static str,
    rule: Option<&'a str>,
    version: Option<&'a str>,
    fetched_version: Option<&'a str>,
    outcome: &'static str,
}

impl AuditLog {
    /// Opens the audit log of an app, before anything is fetched.
    ///
    /// # Errors
    /// Returns an error if no destination is set, or the file is in the app's `repository` or cannot be written.
    pub fn open(
        file: Option<&Path>,
        stderr: bool,
        repository: &Path,
        subject: PolicySubject,
    ) -> Result<Self, AuditError> {
        if file.is_none() && !stderr {
            return Err(AuditError::NoDestination);
        }
        let file = file.map(|path| open(path, repository)).transpose()?;
        Ok(Self { file, stderr, subject })
    }

    fn line(&self, time: &str, record: &AuditRecord<'_>) -> Vec<u8> {
        let subject = &self.subject;
        let line = AuditLine {
            time,
            project: non_empty(&subject.project),
            app: non_empty(&subject.app),
            namespace: non_empty(&subject.namespace),
            repository: non_empty(&subject.repository),
            environment: non_empty(&subject.environment),
            reference: record.reference.to_string(),
            cluster: record.destination.cluster,
            secret_namespace: record.destination.namespace,
            scope: record.destination.scope.as_str(),
            rule: record.rule,
            version: record.reference.version.as_deref(),
            fetched_version: record.fetched_version,
            outcome: record.outcome.name(),
        };
        let mut bytes = serde_json::to_vec(&line).expect("strings are always JSON");
        bytes.push(b'\n');
        bytes
    }

    fn append(&self, line: &[u8]) -> Result<(), AuditError> {
        if let Some((path, file)) = &self.file {
            // `write`, not `write_all`: a partial write could mix with the line of another run.
            let written = (&*file).write(line);
            let whole = written.and_then(|count| {
                if count == line.len() { Ok(()) } else { Err(io::ErrorKind::WriteZero.into()) }
            });
            whole.map_err(|error| unwritable(path, &error))?;
        }
        if self.stderr {
            let written = io::stderr().lock().write_all(line);
            written.map_err(|error| AuditError::Unwritable {
                place: "stderr".to_owned(),
                reason: error.kind(),
            })?;
        }
        Ok(())
    }
}

impl AuditSink for AuditLog {
    fn write(&self, records: &[AuditRecord<'_>]) -> Result<(), Problem> {
        let time = DateTime::from_system_time(SystemTime::now())
            .map_or_else(|_| "1970-01-01T00:00:00Z".to_owned(), |time| time.to_string());
        for record in records {
            self.append(&self.line(&time, record)).map_err(|error| Problem::new(&error))?;
        }
        Ok(())
    }
}

fn open(path: &Path, repository: &Path) -> Result<(PathBuf, fs_err::File), AuditError> {
    let failed = |error: io::Error| unwritable(path, &error);
    // Checked before it is opened: opening a FIFO would wait for a reader.
    let real = match fs_err::canonicalize(path) {
        Ok(real) => {
            if !fs_err::metadata(&real).map_err(failed)?.is_file() {
                return Err(AuditError::NotAFile(path.to_owned()));
            }
            real
        }
        Err(error) if error.kind() == io::ErrorKind::NotFound => new_file(path).map_err(failed)?,
        Err(error) => return Err(failed(error)),
    };
    if real.starts_with(repository) {
        return Err(AuditError::InRepository(path.to_owned()));
    }
    let mut options = fs_err::OpenOptions::new();
    options.append(true).create(true);
    #[cfg(unix)]
    {
        use fs_err::os::unix::fs::OpenOptionsExt as _;
        options.mode(0o600);
    }
    let file = options.open(&real).map_err(failed)?;
    Ok((path.to_owned(), file))
}

/// Returns the absolute path of a new file in an existing directory.
fn new_file(path: &Path) -> io::Result<PathBuf> {
    let name = path.file_name().ok_or(io::ErrorKind::InvalidInput)?;
    if path.is_symlink() {
        return Err(io::ErrorKind::NotFound.into());
    }
    Ok(fs_err::canonicalize(directory_of(path))?.join(name))
}

/// Returns `None` for an empty text.
fn non_empty(text: &str) -> Option<&str> {
    Some(text).filter(|text| !text.is_empty())
}

fn unwritable(path: &Path, error: &io::Error) -> AuditError {
    AuditError::Unwritable { place: path.display().to_string(), reason: error.kind() }
}
