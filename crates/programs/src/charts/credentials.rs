//! The credentials of a repository, read from the files of the operator just before a download.

use std::fmt;
use std::path::Path;

use sealwave_core::bounded_file::read_regular_file;
use sealwave_core::diagnostic::io_reason;
use sealwave_secrets::settings::ChartRepository;

use super::ChartError;

/// Maximum size of a file with a user name or password.
const MAX_FILE: u64 = 64 << 10;

/// A user name and a password.
pub(super) struct Credentials {
    pub(super) username: String,
    pub(super) password: String,
}

/// Shows nothing: a user name may be a part of a token.
impl fmt::Debug for Credentials {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Credentials")
    }
}

impl Credentials {
    /// Reads the files that the operator file names; `None` if it names none.
    pub(super) fn read(repository: &ChartRepository) -> Result<Option<Self>, ChartError> {
        let ChartRepository { username_file, password_file, .. } = repository;
        let read = |file: &Path| {
            read_line(file)
                .map_err(|reason| ChartError::Credentials { repository: repository.url.clone(), reason })
        };
        match (username_file, password_file) {
            (Some(username), Some(password)) => {
                Ok(Some(Self { username: read(username)?, password: read(password)? }))
            }
            _ => Ok(None),
        }
    }
}

/// Reads a file of one line.
fn read_line(file: &Path) -> Result<String, String> {
    let bytes = read_regular_file(file, MAX_FILE).map_err(|error| io_reason(error.kind()))?;
    let text = std::str::from_utf8(&bytes).map_err(|_| "not UTF-8".to_owned())?;
    let line = text.strip_suffix('\n').unwrap_or(text);
    let line = line.strip_suffix('\r').unwrap_or(line);
    if line.is_empty() || line.contains(['\n', '\r', '\0']) {
        return Err("not a single line".to_owned());
    }
    Ok(line.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn files_hold_one_line() {
        let directory = tempfile::tempdir().unwrap();
        let file = directory.path().join("password");
        for (content, line) in [
            ("pass", Some("pass")),
            ("pass\n", Some("pass")),
            ("pass word \r\n", Some("pass word ")),
            ("", None),
            ("\n", None),
            ("a\nb\n", None),
            ("a\0", None),
        ] {
            fs_err::write(&file, content).unwrap();
            assert_eq!(read_line(&file).ok().as_deref(), line, "{content:?}");
        }
        fs_err::write(&file, [0xff]).unwrap();
        assert!(read_line(&file).is_err());
        assert!(read_line(Path::new("/dev/zero")).is_err());
        assert!(read_line(&directory.path().join("missing")).is_err());
    }
}
