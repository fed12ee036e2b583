//! New contents beside the file that they will replace.

use std::ffi::OsString;
use std::io::{self, Write as _};
use std::path::{Component, Path, PathBuf};

use fs_err as fs;

use super::FileChangeError;
use crate::private_file::sync_directory_of;

/// The largest file that is changed.
pub(crate) const MAX_FILE: u64 = 16 << 20;

/// A file that is written but does not have its name yet. It is removed when dropped, unless it replaced the file.
#[derive(Debug)]
pub(super) struct StagedFile {
    staged: PathBuf,
    target: PathBuf,
    shown: PathBuf,
    is_replaced: bool,
}

impl StagedFile {
    /// Writes the new contents. Until they replace the file, only the owner can read them: they may be those of a private file.
    pub(super) fn write(root: &Path, path: &Path, contents: &[u8]) -> Result<Self, FileChangeError> {
        let target = check_path(root, path)?;
        let staged = staged_path(&target);
        let failed = |error: io::Error| FileChangeError::io(path, &error);
        // An interrupted run may have left one. A link is removed, not followed.
        match fs::remove_file(&staged) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(failed(error)),
            _ => {}
        }
        let mut options = fs::OpenOptions::new();
        options.write(true).create_new(true);
        #[cfg(unix)]
        {
            use fs_err::os::unix::fs::OpenOptionsExt as _;
            options.mode(0o600);
        }
        let mut file = options.open(&staged).map_err(failed)?;
        let staged = Self { staged, target, shown: path.to_owned(), is_replaced: false };
        file.write_all(contents).map_err(failed)?;
        file.sync_all().map_err(failed)?;
        Ok(staged)
    }

    /// Replaces the file.
    pub(super) fn replace(mut self) -> Result<(), FileChangeError> {
        replace_with(&self.staged, &self.target).map_err(|error| FileChangeError::io(&self.shown, &error))?;
        self.is_replaced = true;
        Ok(())
    }
}

impl Drop for StagedFile {
    fn drop(&mut self) {
        if !self.is_replaced {
            // The error that led here is reported instead.
            let _ = fs::remove_file(&self.staged);
        }
    }
}

/// Replaces a file by its new contents, which get its permissions.
pub(super) fn replace_with(staged: &Path, target: &Path) -> io::Result<()> {
    fs::set_permissions(staged, fs::symlink_metadata(target)?.permissions())?;
    fs::rename(staged, target)
}

/// Returns the path of the new contents of a file. The next run has to find it, so it has no random part.
pub(super) fn staged_path(target: &Path) -> PathBuf {
    let mut name = OsString::from(".");
    name.push(target.file_name().unwrap_or_default());
    name.push(".sealwave-new");
    target.with_file_name(name)
}

/// Returns the full path of an existing regular file, none of whose parents below the root is a link.
pub(super) fn check_path(root: &Path, path: &Path) -> Result<PathBuf, FileChangeError> {
    let mut full = root.to_owned();
    for part in path.components() {
        let Component::Normal(name) = part else { return Err(FileChangeError::Outside(path.to_owned())) };
        full.push(name);
        let metadata = fs::symlink_metadata(&full).map_err(|error| FileChangeError::io(path, &error))?;
        if metadata.is_symlink() {
            return Err(FileChangeError::NotRegular(path.to_owned()));
        }
    }
    if fs::symlink_metadata(&full).is_ok_and(|metadata| metadata.is_file()) {
        Ok(full)
    } else {
        Err(FileChangeError::NotRegular(path.to_owned()))
    }
}

/// Waits until the new names are on the disk.
pub(super) fn sync_directories<'a>(
    root: &Path,
    paths: impl Iterator<Item = &'a Path>,
) -> Result<(), FileChangeError> {
    let mut last = None;
    for path in paths {
        if last == Some(path.parent()) {
            continue;
        }
        sync_directory_of(&root.join(path)).map_err(|error| FileChangeError::io(path, &error))?;
        last = Some(path.parent());
    }
    Ok(())
}
