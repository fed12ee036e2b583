//! Reads files up to a size limit. Content may be a secret: it is zeroed on drop, and no copies of it are left behind.

use std::io::{self, ErrorKind, Read};
use std::path::Path;

use fs_err as fs;
use zeroize::Zeroizing;

/// The bytes that are allocated for a source of unknown size.
const USUAL_SIZE: u64 = 8192;

/// A reason why a file is not read.
#[derive(Debug)]
pub enum BoundedReadError {
    /// The system refuses access, or the path is a directory.
    Io(io::Error),
    /// The path is a pipe or a device.
    NotRegular,
    /// The file is larger than the limit.
    TooLarge,
}

impl BoundedReadError {
    /// Returns the kind of the error, for messages that do not distinguish more.
    #[must_use]
    pub fn kind(&self) -> ErrorKind {
        match self {
            Self::Io(error) => error.kind(),
            Self::NotRegular => ErrorKind::InvalidInput,
            Self::TooLarge => ErrorKind::FileTooLarge,
        }
    }
}

impl From<io::Error> for BoundedReadError {
    fn from(error: io::Error) -> Self {
        Self::Io(error)
    }
}

/// Reads a regular file of at most `limit` bytes.
///
/// # Errors
/// The file cannot be read, is not a regular file, or is too large.
pub fn read_regular_file(path: &Path, limit: u64) -> Result<Zeroizing<Vec<u8>>, BoundedReadError> {
    read_file(open_regular_file(path)?, limit)
}

/// Opens a regular file.
///
/// # Errors
/// The file cannot be opened, or is not a regular file.
pub fn open_regular_file(path: &Path) -> Result<fs::File, BoundedReadError> {
    // Checked before opening: opening a pipe would wait for a writer.
    let metadata = fs::metadata(path)?;
    if metadata.is_dir() {
        return Err(io::Error::from(ErrorKind::IsADirectory).into());
    }
    if !metadata.is_file() {
        return Err(BoundedReadError::NotRegular);
    }
    Ok(fs::File::open(path)?)
}

/// Reads an open file of at most `limit` bytes. Nothing is read of a regular file that is larger.
///
/// # Errors
/// The file cannot be read, or is too large.
pub fn read_file(file: fs::File, limit: u64) -> Result<Zeroizing<Vec<u8>>, BoundedReadError> {
    let metadata = file.metadata().ok();
    let size = metadata.as_ref().map_or(0, std::fs::Metadata::len);
    if size > limit && metadata.is_some_and(|metadata| metadata.is_file()) {
        return Err(BoundedReadError::TooLarge);
    }
    read_sized(file, size, limit)
}

/// Reads a source of unknown size, at most `limit` bytes.
///
/// # Errors
/// The source cannot be read, or is too large.
pub fn read_stream(source: impl Read, limit: u64) -> Result<Zeroizing<Vec<u8>>, BoundedReadError> {
    read_sized(source, USUAL_SIZE, limit)
}

/// Reads a source that probably has `size` bytes; they are allocated at once, since a growing buffer would leave copies
/// behind.
fn read_sized(source: impl Read, size: u64, limit: u64) -> Result<Zeroizing<Vec<u8>>, BoundedReadError> {
    let capacity = usize::try_from(size.min(limit)).unwrap_or(0);
    let mut bytes = Zeroizing::new(Vec::with_capacity(capacity.saturating_add(1)));
    source.take(limit.saturating_add(1)).read_to_end(&mut bytes)?;
    if bytes.len() as u64 > limit { Err(BoundedReadError::TooLarge) } else { Ok(bytes) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_is_read_up_to_the_limit() {
        let directory = tempfile::TempDir::new().unwrap();
        let path = directory.path().join("file");
        fs::write(&path, "12345").unwrap();
        assert_eq!(read_regular_file(&path, 5).unwrap().as_slice(), b"12345");
        assert!(matches!(read_regular_file(&path, 4), Err(BoundedReadError::TooLarge)));
        assert!(matches!(read_stream(&b"12345"[..], 4), Err(BoundedReadError::TooLarge)));
        assert_eq!(read_stream(&b""[..], 0).unwrap().as_slice(), b"");
    }

    #[test]
    fn only_regular_files_are_opened() {
        let directory = tempfile::TempDir::new().unwrap();
        let kind = |path: &Path| match read_regular_file(path, 5) {
            Err(BoundedReadError::Io(error)) => Some(error.kind()),
            _ => None,
        };
        assert_eq!(kind(directory.path()), Some(ErrorKind::IsADirectory));
        assert_eq!(kind(&directory.path().join("missing")), Some(ErrorKind::NotFound));
        #[cfg(unix)]
        assert!(matches!(read_regular_file(Path::new("/dev/zero"), 5), Err(BoundedReadError::NotRegular)));
    }
}
