//! Texts of messages and hints that several parts of the program use for the same cause.

use std::io::ErrorKind;

/// The predicate of a message about a symbolic link without a target.
pub const BROKEN_LINK: &str = "is a broken symbolic link";
/// The hint for a broken invariant.
pub const BUG_HINT: &str = "this is a bug in sealwave; please report it";
/// The reason why a directory cannot be used.
pub const DIRECTORY_NOT_FOUND: &str = "directory not found";
/// The reason why a document with a key that is not shown cannot be used. YAML manifests name the key.
pub const DUPLICATE_KEY: &str = "it has a duplicate key";
/// The predicate of a message about a path or a link that leads out of the repository.
pub const LEAVES_REPOSITORY: &str = "leaves the repository";
/// The predicate of a message about a pipe or a device instead of a file or a directory.
pub const NOT_FILE_OR_DIRECTORY: &str = "is neither a file nor a directory";
/// The predicate of a message about a directory, a pipe or a device instead of a file.
pub const NOT_REGULAR_FILE: &str = "is not a regular file";
/// The predicate of a message about bytes that are not a text.
pub const NOT_UTF8: &str = "is not valid UTF-8";
/// The hint for threads or processes that cannot be started.
pub const PROCESS_LIMITS_HINT: &str = "raise the container's limits for processes, memory and open files";

/// Describes why a file cannot be read; all messages use this wording.
#[must_use]
pub fn io_reason(kind: ErrorKind) -> String {
    match kind {
        ErrorKind::IsADirectory => "it is a directory".to_owned(),
        ErrorKind::NotADirectory | ErrorKind::NotFound => "file not found".to_owned(),
        kind => kind.to_string(),
    }
}

/// Describes why a file cannot be written: if something is not found, it is the directory.
#[must_use]
pub fn write_error_reason(kind: ErrorKind) -> String {
    match kind {
        ErrorKind::NotADirectory | ErrorKind::NotFound => DIRECTORY_NOT_FOUND.to_owned(),
        kind => io_reason(kind),
    }
}
