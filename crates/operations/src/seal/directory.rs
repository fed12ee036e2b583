//! Directories whose files are items: only their regular files are read, and no link is followed.

use std::ffi::{OsStr, OsString};
use std::path::Path;

use zeroize::Zeroizing;

use sealwave_core::bounded_file::{BoundedReadError, open_regular_file, read_file};
use sealwave_core::diagnostic::first_on_line;
use sealwave_core::document::display_path;

/// Returns the names in a directory, and whether each is a regular file, up to a limit.
pub(super) fn regular_entries(directory: &Path, limit: usize) -> std::io::Result<Vec<(OsString, bool)>> {
    let entries = fs_err::read_dir(directory)?.take(limit);
    entries
        .map(|entry| entry.and_then(|entry| Ok((entry.file_name(), entry.file_type()?.is_file()))))
        .collect()
}

/// Returns a name of a directory for a message.
pub(super) fn shown_name(name: &OsStr) -> String {
    first_on_line(display_path(Path::new(name)))
}

/// Reads a regular file that is not a link, also if it became one since the directory was read.
pub(super) fn read_own_file(path: &Path, limit: u64) -> Result<Zeroizing<Vec<u8>>, BoundedReadError> {
    let file = open_regular_file(path)?;
    let same =
        |open: &std::fs::Metadata, named: &std::fs::Metadata| named.is_file() && is_same_file(open, named);
    if !same(&file.metadata()?, &fs_err::symlink_metadata(path)?) {
        return Err(BoundedReadError::NotRegular);
    }
    read_file(file, limit)
}

#[cfg(unix)]
fn is_same_file(one: &std::fs::Metadata, other: &std::fs::Metadata) -> bool {
    use std::os::unix::fs::MetadataExt as _;
    (one.dev(), one.ino()) == (other.dev(), other.ino())
}

#[cfg(not(unix))]
fn is_same_file(_: &std::fs::Metadata, _: &std::fs::Metadata) -> bool {
    true
}
