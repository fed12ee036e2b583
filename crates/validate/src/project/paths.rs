//! Full paths of the files and directories of a run.

use std::path::{Path, PathBuf};

use sealwave_core::reach::directory_of;

/// Returns the path with the directory above it resolved, but not the last part, which may be a link.
pub(super) fn full_path(path: &Path) -> Option<PathBuf> {
    let Some(name) = path.file_name() else { return fs_err::canonicalize(path).ok() };
    Some(fs_err::canonicalize(directory_of(path)).ok()?.join(name))
}

/// Returns the canonical path of the directory of a settings file, or the path itself if it has none.
pub(super) fn full_directory(directory: &Path) -> PathBuf {
    let directory = if directory.as_os_str().is_empty() { Path::new(".") } else { directory };
    canonical(directory)
}

/// Returns the canonical path, or the path itself if it has none.
pub(super) fn canonical(path: &Path) -> PathBuf {
    fs_err::canonicalize(path).unwrap_or_else(|_| path.to_owned())
}
