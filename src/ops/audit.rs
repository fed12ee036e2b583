//! The audit: one line of JSON for each reference of a run and each destination, where the operator asks for it.
//!
//! A line names who asked for what, and what came of it; never a value. It is the only thing that sealwave writes with a
//! time in it. Text from a repository is escaped as JSON has it, so that none can end a line and forge another. Each line
//! is one append in one piece, so that lines of many runs at once do not mix. An audit that cannot be kept stops the run
//! before it puts anything out.

use std::io::{self, Write as _};
use std::path::{Path, PathBuf};
use std::time::SystemTime;

use serde::Serialize;
// The calendar of the crate that reads certificates; it writes what RFC 3339 has.
use x509_cert::der::DateTime;

use sealwave_core::diagnostic::{Explain, Problem};
use sealwave_pipeline::{Audit, Record};
use sealwave_secrets::policy::Subject;

/// An audit that is open.
pub struct AuditLog {
    file: Option<(PathBuf, fs_err::File)>,
    stderr: bool,
    subject: Subject,
}

/// Why no audit can be kept.
#[derive(Debug, thiserror::Error)]
pub enum AuditError {
    /// The operator file names no place for it.
    #[error("`audit` in the operator file names neither a `file` nor `stderr: true`")]
    Nowhere,
    /// The app's repository could hold or replace the file.
    #[error("audit file `{}` is within the app's repository", .0.display())]
    InRepository(PathBuf),
    /// A device, a pipe, a directory.
    #[error("audit file `{}` is no regular file", .0.display())]
    NotAFile(PathBuf),
    /// It cannot be opened or written.
    #[error("audit cannot be written to `{place}`: {reason}")]
    Unwritable {
        /// The file, or `stderr`.
        place: String,
        /// What the system says.
        reason: io::ErrorKind,
    },
}

impl Explain for AuditError {
    fn hint(&self) -> Option<String> {
        Some(
            match self {
                Self::Nowhere => "write `audit: {file: audit.jsonl}` or `audit: {stderr: true}`",
                Self::InRepository(_) | Self::NotAFile(_) => {
                    "name a file on a volume of the operator's; its path is relative to the operator file"
                }
                Self::Unwritable { .. } => "nothing is put out while the audit cannot be kept",
            }
            .to_owned(),
        )
    }
}

/// One line. The order of the fields is the order in the line.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Line<'a> {
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
    /// Opens the audit of one app, before anything is fetched.
    ///
    /// # Errors
    /// There is no place for it, or none that can be written and that the `repository` of the app does not reach.
    pub fn open(
        file: Option<&Path>,
        stderr: bool,
        repository: &Path,
        subject: Subject,
    ) -> Result<Self, AuditError> {
        if file.is_none() && !stderr {
            return Err(AuditError::Nowhere);
        }
        let file = file.map(|path| open(path, repository)).transpose()?;
        Ok(Self { file, stderr, subject })
    }

    fn line(&self, time: &str, record: &Record<'_>) -> Vec<u8> {
        let subject = &self.subject;
        let line = Line {
            time,
            project: known(&subject.project),
            app: known(&subject.app),
            namespace: known(&subject.namespace),
            repository: known(&subject.repository),
            environment: known(&subject.environment),
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
            // `write`, not `write_all`: what does not go in one piece could mix with another run's line.
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

impl Audit for AuditLog {
    fn write(&self, records: &[Record<'_>]) -> Result<(), Problem> {
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
    // Looked at before it is opened: opening a FIFO would wait for a reader.
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

/// The absolute path of a file that is not there yet: its directory is.
fn new_file(path: &Path) -> io::Result<PathBuf> {
    let name = path.file_name().ok_or(io::ErrorKind::InvalidInput)?;
    let parent = path.parent().filter(|parent| !parent.as_os_str().is_empty()).unwrap_or(Path::new("."));
    if path.is_symlink() {
        return Err(io::ErrorKind::NotFound.into());
    }
    Ok(fs_err::canonicalize(parent)?.join(name))
}

/// What is empty is not known.
fn known(text: &str) -> Option<&str> {
    Some(text).filter(|text| !text.is_empty())
}

fn unwritable(path: &Path, error: &io::Error) -> AuditError {
    AuditError::Unwritable { place: path.display().to_string(), reason: error.kind() }
}
