//! New files that only their owner can read: backups, recovered Secrets, journals.
//!
//! An existing file is never replaced, a link is never followed, and a file that could not be written completely is removed.

use std::io::{self, Write as _};
use std::path::{Path, PathBuf};

use fs_err as fs;
use sealwave_core::diagnostic::{Explain, write_error_reason};
use sealwave_core::output_path::{LinkedOutput, check_output_path};

/// An error of a private file.
#[derive(Debug, thiserror::Error)]
pub enum PrivateFileError {
    /// The path is a directory.
    #[error("`{}` is a directory", .0.display())]
    Directory(PathBuf),
    /// The path is taken.
    #[error("`{}` already exists", .0.display())]
    Exists(PathBuf),
    /// A link of a repository decides where the file is.
    #[error(transparent)]
    Linked(#[from] LinkedOutput),
    /// The system refuses.
    #[error("`{}` cannot be written: {}", .path.display(), write_error_reason(*.reason))]
    Unwritable {
        /// The file.
        path: PathBuf,
        /// The error of the operating system.
        reason: io::ErrorKind,
    },
}

impl Explain for PrivateFileError {
    fn hint(&self) -> Option<String> {
        match self {
            Self::Directory(_) => Some("choose a file".to_owned()),
            Self::Exists(_) => Some("choose another name, or move the old file away".to_owned()),
            Self::Linked(error) => error.hint(),
            Self::Unwritable { .. } => None,
        }
    }
}

/// A new file with mode 0600. It is removed when dropped, unless it is kept.
#[derive(Debug)]
pub struct PrivateFile {
    path: PathBuf,
    file: fs::File,
    is_kept: bool,
}

impl PrivateFile {
    /// Creates the file.
    ///
    /// # Errors
    /// The path exists, also as a broken link, or the system refuses.
    pub fn create(path: &Path) -> Result<Self, PrivateFileError> {
        // A link that is the file itself counts as an existing file.
        let found = path.symlink_metadata();
        if found.as_ref().is_ok_and(std::fs::Metadata::is_dir) {
            return Err(PrivateFileError::Directory(path.to_owned()));
        }
        if found.is_ok() {
            return Err(PrivateFileError::Exists(path.to_owned()));
        }
        check_output_path(path)?;
        let mut options = fs::OpenOptions::new();
        options.write(true).create_new(true);
        #[cfg(unix)]
        {
            use fs_err::os::unix::fs::OpenOptionsExt as _;
            options.mode(0o600);
        }
        let file = options.open(path).map_err(|error| failed(path, &error))?;
        Ok(Self { path: path.to_owned(), file, is_kept: false })
    }

    /// Writes all bytes, and waits until they are on the disk.
    ///
    /// # Errors
    /// The system refuses.
    pub fn write(&mut self, bytes: &[u8]) -> Result<(), PrivateFileError> {
        let written = self.file.write_all(bytes).and_then(|()| self.file.sync_all());
        written.map_err(|error| failed(&self.path, &error))
    }

    /// Keeps the file, and waits until its name is on the disk.
    ///
    /// # Errors
    /// The system refuses; the file is removed.
    pub fn keep(mut self) -> Result<(), PrivateFileError> {
        sync_directory_of(&self.path).map_err(|error| failed(&self.path, &error))?;
        self.is_kept = true;
        Ok(())
    }
}

impl Drop for PrivateFile {
    fn drop(&mut self) {
        if !self.is_kept {
            // The error that led here is reported instead.
            let _ = fs::remove_file(&self.path);
        }
    }
}

/// Waits until the entries of a file's directory are on the disk.
///
/// # Errors
/// The system refuses.
pub(crate) fn sync_directory_of(path: &Path) -> io::Result<()> {
    let directory = sealwave_core::reach::directory_of(path);
    if cfg!(unix) { fs::File::open(directory)?.sync_all() } else { Ok(()) }
}

fn failed(path: &Path, error: &io::Error) -> PrivateFileError {
    match error.kind() {
        io::ErrorKind::AlreadyExists => PrivateFileError::Exists(path.to_owned()),
        reason => PrivateFileError::Unwritable { path: path.to_owned(), reason },
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_that_is_not_kept_is_removed() {
        let directory = tempfile::tempdir().expect("a directory");
        let path = directory.path().join("backup");
        let mut file = PrivateFile::create(&path).expect("new");
        file.write(b"half").expect("written");
        drop(file);
        assert!(!path.exists());
    }

    #[test]
    fn a_kept_file_is_readable_only_by_its_owner() {
        let directory = tempfile::tempdir().expect("a directory");
        let path = directory.path().join("backup");
        let mut file = PrivateFile::create(&path).expect("new");
        file.write(b"whole").expect("written");
        file.keep().expect("kept");
        assert_eq!(fs::read(&path).expect("readable"), b"whole");
        #[cfg(unix)]
        {
            use std::os::unix::fs::PermissionsExt as _;
            assert_eq!(fs::metadata(&path).expect("exists").permissions().mode() & 0o777, 0o600);
        }
    }

    #[test]
    fn an_existing_file_or_link_is_never_replaced() {
        let directory = tempfile::tempdir().expect("a directory");
        assert!(matches!(PrivateFile::create(directory.path()), Err(PrivateFileError::Directory(_))));
        let path = directory.path().join("backup");
        fs::write(&path, "old").expect("written");
        assert!(matches!(PrivateFile::create(&path), Err(PrivateFileError::Exists(_))));
        assert_eq!(fs::read(&path).expect("readable"), b"old");
        #[cfg(unix)]
        {
            let link = directory.path().join("link");
            fs_err::os::unix::fs::symlink(directory.path().join("elsewhere"), &link).expect("a link");
            assert!(matches!(PrivateFile::create(&link), Err(PrivateFileError::Exists(_))));
            assert!(!directory.path().join("elsewhere").exists());
        }
    }
}
