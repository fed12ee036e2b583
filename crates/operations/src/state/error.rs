//! Errors of journals and their directory.

use std::io;
use std::path::{Path, PathBuf};

use sealwave_core::diagnostic::{Explain, write_error_reason};
use sealwave_core::output_path::LinkedOutput;
use sealwave_core::text::shell_quoted;

/// An error of a journal or of the state directory.
#[derive(Debug, thiserror::Error)]
pub enum StateError {
    /// A commit may have brought the journal.
    #[error("journal `{}` is in a repository, and a commit may have brought it", .0.display())]
    Committed(PathBuf),
    /// The state directory cannot be used.
    #[error("state directory `{}` cannot be used: {}", .path.display(), write_error_reason(*.reason))]
    Directory {
        /// The directory.
        path: PathBuf,
        /// The error of the operating system.
        reason: io::ErrorKind,
    },
    /// Another run of the same operation is in progress.
    #[error("another run has the journal `{}` open", .0.display())]
    InUse(PathBuf),
    /// A journal cannot be read or written.
    #[error("journal `{}` cannot be used: {}", .path.display(), write_error_reason(*.reason))]
    Journal {
        /// The journal.
        path: PathBuf,
        /// The error of the operating system.
        reason: io::ErrorKind,
    },
    /// A link of a repository decides where the directory is.
    #[error("state directory: {0}")]
    Linked(#[from] LinkedOutput),
    /// The journal is of another operation.
    #[error("journal `{}` belongs to another operation", .0.display())]
    OtherOperation(PathBuf),
    /// Another version of sealwave wrote the journal.
    #[error("journal `{}` has another version of the format", .0.display())]
    OtherVersion(PathBuf),
    /// Others could change journals.
    #[error("state directory `{}` can be written by other users", .0.display())]
    OthersCanWrite(PathBuf),
    /// The journal is damaged.
    #[error("journal `{}` is damaged", .0.display())]
    Unreadable(PathBuf),
}

impl StateError {
    pub(super) fn directory(path: &Path, error: &io::Error) -> Self {
        Self::Directory { path: path.to_owned(), reason: error.kind() }
    }

    pub(super) fn journal(path: &Path, error: &io::Error) -> Self {
        Self::Journal { path: path.to_owned(), reason: error.kind() }
    }
}

impl Explain for StateError {
    fn hint(&self) -> Option<String> {
        match self {
            Self::Committed(_) => Some(
                "remove it from the repository, and choose a directory outside of it with `--state-dir`"
                    .to_owned(),
            ),
            Self::Directory { .. } => Some("choose another directory with `--state-dir`".to_owned()),
            Self::InUse(_) => Some("wait until it ends".to_owned()),
            Self::Journal { .. } => None,
            Self::Linked(error) => error.hint(),
            Self::OtherOperation(_) | Self::Unreadable(_) => {
                Some("move it away to start again; check first what the interrupted run did".to_owned())
            }
            Self::OtherVersion(_) => {
                Some("finish the operation with the version of sealwave that began it".to_owned())
            }
            Self::OthersCanWrite(path) => {
                Some(format!("`chmod 700 {}`", shell_quoted(&path.to_string_lossy())))
            }
        }
    }
}
