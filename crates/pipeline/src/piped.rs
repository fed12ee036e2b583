//! Manifests from standard input, which take the place of an app's sources.
//!
//! Their text comes from another program, such as `helm template`. It is read once, within limits, before any stage.

use std::fmt;
use std::io::Read;
use std::sync::Arc;

use sealwave_core::bounded_file::{BoundedReadError, read_stream};
use sealwave_core::diagnostic::{Explain, Failure, Problem, ProblemPlace, io_reason};
use sealwave_core::document::SourceLocation;
use sealwave_core::excerpts::STDIN;

use crate::text_content::{self, TextError};

/// The maximum size in bytes: that of all files of an environment.
const MAX_INPUT: u64 = 64 << 20;

/// The hint that the command before a pipe may have failed.
pub(crate) const CHECK_PIPE: &str =
    "check the command before the pipe; `set -o pipefail` makes its failure count";

/// The text of manifests. It may hold Secrets, so that it cannot be printed.
#[derive(Clone)]
pub struct PipedManifests {
    text: Arc<str>,
}

#[derive(Debug, thiserror::Error)]
enum Error {
    #[error("standard input holds no manifests")]
    Empty,
    #[error("standard input cannot be read: {}", io_reason(*.0))]
    Io(std::io::ErrorKind),
    #[error("{0}")]
    Text(TextError),
    #[error("standard input is larger than {MAX_INPUT} bytes")]
    TooLarge,
}

impl Explain for Error {
    fn hint(&self) -> Option<String> {
        match self {
            Self::Empty => Some(CHECK_PIPE.to_owned()),
            Self::Text(TextError::NotUtf8 { .. }) => {
                Some("let the command before the pipe write UTF-8".to_owned())
            }
            Self::Text(error) => error.hint(),
            Self::Io(_) | Self::TooLarge => None,
        }
    }
}

impl PipedManifests {
    /// Reads manifests to the end of the input, within limits.
    ///
    /// # Errors
    /// The input is too large, is not UTF-8, cannot be read, or holds no manifest: most likely, the program that should
    /// write it failed.
    pub fn read(source: impl Read) -> Result<Self, Failure> {
        let bytes = read_stream(source, MAX_INPUT).map_err(|error| match error {
            BoundedReadError::TooLarge => problem(&Error::TooLarge),
            error => problem(&Error::Io(error.kind())),
        });
        let text = text_content::decode(std::mem::take(&mut *bytes?));
        let text = text.map_err(|error| problem(&Error::Text(error)))?;
        if holds_no_manifest(&text) {
            return Err(problem(&Error::Empty).into());
        }
        Ok(Self { text: text.into() })
    }

    /// Returns the text.
    pub(crate) fn text(&self) -> &str {
        &self.text
    }
}

impl fmt::Debug for PipedManifests {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "manifests of {} bytes", self.text.len())
    }
}

/// Returns a problem of the input, at the position of the error if it has one.
fn problem(error: &Error) -> Problem {
    let (line, column) = match error {
        Error::Text(error) => error.position(),
        _ => (0, 0),
    };
    let place = SourceLocation { path: STDIN.to_owned(), line, column, rendered: None };
    Problem { at: ProblemPlace::Place(place), ..Problem::new(error) }
}

/// Reports whether a text has only blank lines, comments and separators.
fn holds_no_manifest(text: &str) -> bool {
    text.lines().map(str::trim).all(|line| line.is_empty() || line.starts_with('#') || line == "---")
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Returns the message for an input, or its text.
    fn read(input: impl Read) -> Result<String, String> {
        PipedManifests::read(input)
            .map(|manifests| manifests.text().to_owned())
            .map_err(|failure| failure.to_string())
    }

    #[test]
    fn text_is_read_to_its_end() {
        assert_eq!(read(&b"kind: A"[..]).unwrap(), "kind: A", "without a line break at the end");
        assert_eq!(read("\u{feff}kind: A\n".as_bytes()).unwrap(), "kind: A\n");
    }

    #[test]
    fn input_without_manifests_is_an_error() {
        for input in ["", "\n\n", "---\n# Source: a.yaml\n\n---\n", "\u{feff}", " \t\n"] {
            assert_eq!(read(input.as_bytes()).unwrap_err(), "<stdin>: standard input holds no manifests");
        }
    }

    #[test]
    fn hostile_input_is_an_error() {
        let not_utf8 = read(&b"a: 1\nb: \xff\n"[..]).unwrap_err();
        assert!(not_utf8.starts_with("<stdin>:2:4: text "), "{not_utf8}");
        assert!(read(&b"\xff\xfea\0:\0"[..]).unwrap_err().contains("UTF-16"));
        let endless = read(std::io::repeat(b'#')).unwrap_err();
        assert_eq!(endless, "<stdin>: standard input is larger than 67108864 bytes");
        let refused = read(RefusingReader).unwrap_err();
        assert!(refused.starts_with("<stdin>: standard input cannot be read: "), "{refused}");
    }

    struct RefusingReader;

    impl Read for RefusingReader {
        fn read(&mut self, _: &mut [u8]) -> std::io::Result<usize> {
            Err(std::io::ErrorKind::PermissionDenied.into())
        }
    }

    #[test]
    fn the_text_is_not_printed() {
        let manifests = PipedManifests::read(&b"password: x"[..]).unwrap();
        assert_eq!(format!("{manifests:?}"), "manifests of 11 bytes");
    }
}
