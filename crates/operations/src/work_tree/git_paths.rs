//! Paths in the arguments and in the output of Git.

use std::ffi::OsStr;
use std::path::{Path, PathBuf};

pub(super) fn with_paths<'a>(start: &'a [&'a str], paths: &[&'a Path]) -> Vec<&'a OsStr> {
    start.iter().map(OsStr::new).chain(paths.iter().map(|path| path.as_os_str())).collect()
}

#[cfg(unix)]
pub(super) fn path_from_git(bytes: &[u8]) -> PathBuf {
    use std::os::unix::ffi::OsStrExt as _;
    PathBuf::from(OsStr::from_bytes(bytes))
}

#[cfg(not(unix))]
pub(super) fn path_from_git(bytes: &[u8]) -> PathBuf {
    PathBuf::from(String::from_utf8_lossy(bytes).into_owned())
}

#[cfg(unix)]
pub(super) fn path_bytes(path: &Path) -> Vec<u8> {
    use std::os::unix::ffi::OsStrExt as _;
    path.as_os_str().as_bytes().to_owned()
}

#[cfg(not(unix))]
pub(super) fn path_bytes(path: &Path) -> Vec<u8> {
    path.to_string_lossy().into_owned().into_bytes()
}
