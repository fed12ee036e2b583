//! The journals of operations, in a directory that only its owner can use.
//!
//! A journal says how far an operation got, so that the next run continues it. Each flow has its own type of state, which must
//! never hold a secret value. A journal is replaced as a whole: a reader sees the old state or the new one. While a journal is
//! open, no other run can open it. A journal decides what a run does, so none is read that a commit may have brought.

mod error;

use std::io::{self, Write as _};
use std::path::{Path, PathBuf};
use std::time::Duration;

use fs_err as fs;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

use sealwave_core::bounded_file::read_regular_file;
use sealwave_core::output_path::check_output_path;
use sealwave_core::reach::repository_root;
use sealwave_core::sha256_hex;
use sealwave_programs::{GitAccess, run_git};

use crate::private_file::sync_directory_of;

pub use error::StateError;

/// The format of journals. A run refuses those of another version.
const VERSION: u32 = 1;

/// The largest journal.
const MAX_JOURNAL: u64 = 16 << 20;

/// The number of attempts to take a lock, and the pause after each.
const LOCK_ATTEMPTS: u32 = 20;
const LOCK_PAUSE: Duration = Duration::from_millis(10);

/// The directory of journals.
#[derive(Clone, Debug)]
pub struct StateDirectory(PathBuf);

/// The subject of an operation: its command, and the names that tell its runs apart, such as a user and an environment.
///
/// Two operations with the same id are the same operation.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct OperationId {
    /// The command, such as `rotate-aws`.
    pub command: String,
    /// The names, in a fixed order.
    pub names: Vec<String>,
}

impl OperationId {
    /// Creates an id.
    #[must_use]
    pub fn new<N: Into<String>>(command: &str, names: impl IntoIterator<Item = N>) -> Self {
        Self { command: command.to_owned(), names: names.into_iter().map(Into::into).collect() }
    }

    /// Returns the name of the journal. Names can be of any length and hold any character, so it has their digest.
    fn file_name(&self) -> String {
        let names = serde_json::to_vec(&self.names).unwrap_or_default();
        let digest = sha256_hex(&names);
        format!("{}-{}.json", self.command, digest.get(..16).unwrap_or_default())
    }
}

/// The contents of a journal.
#[derive(Serialize, Deserialize)]
struct JournalEntry<T> {
    version: u32,
    operation: OperationId,
    state: T,
}

/// An open journal.
///
/// The operating system releases its lock when the run ends, however it ends.
#[derive(Debug)]
pub struct Journal<T> {
    id: OperationId,
    path: PathBuf,
    state: Option<T>,
    // Held for its lock.
    _lock: fs::File,
}

impl StateDirectory {
    /// Opens the directory, and creates it if it does not exist.
    ///
    /// # Errors
    /// The directory cannot be created, or others can write to it.
    pub fn open(path: &Path) -> Result<Self, StateError> {
        let failed = |error: io::Error| StateError::directory(path, &error);
        check_output_path(path)?;
        create_private(path).map_err(failed)?;
        let metadata = fs::metadata(path).map_err(failed)?;
        if !metadata.is_dir() {
            return Err(StateError::directory(path, &io::ErrorKind::NotADirectory.into()));
        }
        #[cfg(unix)]
        {
            use std::os::unix::fs::PermissionsExt as _;
            if metadata.permissions().mode() & 0o022 != 0 {
                return Err(StateError::OthersCanWrite(path.to_owned()));
            }
        }
        Ok(Self(path.to_owned()))
    }

    /// Opens the journal of an operation, which may have no state yet.
    ///
    /// # Errors
    /// Another run has it open, or it cannot be read.
    pub fn journal<T: Serialize + DeserializeOwned>(
        &self,
        id: OperationId,
    ) -> Result<Journal<T>, StateError> {
        let path = self.0.join(id.file_name());
        let lock = lock(&path.with_extension("lock"))?;
        let state = read(&path, &id)?;
        Ok(Journal { id, path, state, _lock: lock })
    }
}

impl<T: Serialize> Journal<T> {
    /// Returns the state that the last run left, if any.
    #[must_use]
    pub const fn state(&self) -> Option<&T> {
        self.state.as_ref()
    }

    /// Replaces the state. When this returns, the state is on the disk.
    ///
    /// # Errors
    /// The journal cannot be written. The step that it announces must not start then.
    pub fn record(&mut self, state: T) -> Result<(), StateError> {
        let entry = JournalEntry { version: VERSION, operation: self.id.clone(), state };
        self.write(&entry).map_err(|error| StateError::journal(&self.path, &error))?;
        self.state = Some(entry.state);
        Ok(())
    }

    /// Removes the journal of a finished operation.
    ///
    /// # Errors
    /// The journal cannot be removed.
    pub fn finish(self) -> Result<(), StateError> {
        match fs::remove_file(&self.path) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => {
                Err(StateError::journal(&self.path, &error))
            }
            _ => Ok(()),
        }
    }

    /// Returns the file, for messages.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.path
    }

    fn write(&self, entry: &JournalEntry<T>) -> io::Result<()> {
        let mut bytes = serde_json::to_vec_pretty(entry)?;
        bytes.push(b'\n');
        let directory = sealwave_core::reach::directory_of(&self.path);
        // A temporary file is created with mode 0600.
        let mut file = tempfile::Builder::new().prefix(".journal-").tempfile_in(directory)?;
        file.write_all(&bytes)?;
        file.as_file().sync_all()?;
        file.persist(&self.path).map_err(|error| error.error)?;
        sync_directory_of(&self.path)
    }
}

/// Creates a directory that only its owner can use, with missing parents.
fn create_private(path: &Path) -> io::Result<()> {
    let mut builder = std::fs::DirBuilder::new();
    builder.recursive(true);
    #[cfg(unix)]
    {
        use std::os::unix::fs::DirBuilderExt as _;
        builder.mode(0o700);
    }
    builder.create(path)
}

fn lock(path: &Path) -> Result<fs::File, StateError> {
    check_output_path(path)?;
    let mut options = fs::OpenOptions::new();
    options.write(true).create(true).truncate(false);
    #[cfg(unix)]
    {
        use fs_err::os::unix::fs::OpenOptionsExt as _;
        options.mode(0o600);
    }
    let file = options.open(path).map_err(|error| StateError::journal(path, &error))?;
    // A program that another thread starts shares the lock of a journal that was just closed, until it runs.
    for _ in 0..LOCK_ATTEMPTS {
        match file.file().try_lock() {
            Ok(()) => return Ok(file),
            Err(std::fs::TryLockError::WouldBlock) => std::thread::sleep(LOCK_PAUSE),
            Err(std::fs::TryLockError::Error(error)) => return Err(StateError::journal(path, &error)),
        }
    }
    Err(StateError::InUse(path.to_owned()))
}

fn read<T: DeserializeOwned>(path: &Path, id: &OperationId) -> Result<Option<T>, StateError> {
    let bytes = match read_regular_file(path, MAX_JOURNAL) {
        Ok(bytes) => bytes,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(StateError::journal(path, &error.kind().into())),
    };
    if may_be_committed(path) {
        return Err(StateError::Committed(path.to_owned()));
    }
    let unreadable = || StateError::Unreadable(path.to_owned());
    let version = serde_json::from_slice::<serde_json::Value>(&bytes).map_err(|_| unreadable())?;
    if version.get("version").and_then(serde_json::Value::as_u64) != Some(VERSION.into()) {
        return Err(StateError::OtherVersion(path.to_owned()));
    }
    let entry: JournalEntry<T> = serde_json::from_slice(&bytes).map_err(|_| unreadable())?;
    // Different names with the same digest are not expected; a journal that was moved is.
    if entry.operation != *id {
        return Err(StateError::OtherOperation(path.to_owned()));
    }
    Ok(Some(entry.state))
}

/// Reports whether a file is tracked by a repository, or may be, since Git does not tell.
fn may_be_committed(path: &Path) -> bool {
    let Ok(full) = std::path::absolute(path) else { return true };
    let (Some(directory), Some(name)) = (full.parent(), full.file_name()) else { return true };
    if repository_root(directory).is_none() {
        return false;
    }
    let tracked = run_git(directory, GitAccess::Read, &["ls-files".as_ref(), "--".as_ref(), name], &[]);
    tracked.map_or(true, |tracked| !tracked.is_empty())
}

#[cfg(test)]
mod tests;
