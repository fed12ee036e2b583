//! `key generate`: a new seal key.

use std::io::Write as _;
use std::path::Path;

use super::Outcome;
use crate::cli::KeyGenerateArgs;
use crate::crypto::SealKey;
use crate::diagnostic::{Explain, Failure, Problem};

#[derive(Debug, thiserror::Error)]
enum KeyFileError {
    #[error("`{0}` exists already")]
    Exists(String),
    #[error("`{path}` cannot be written: {reason}")]
    Unwritable { path: String, reason: String },
}

impl Explain for KeyFileError {
    fn hint(&self) -> Option<String> {
        match self {
            Self::Exists(_) => Some(
                "a new seal key re-seals every item once; move the old one away first if that is what you want".to_owned(),
            ),
            Self::Unwritable { .. } => None,
        }
    }
}

pub(super) fn generate(args: &KeyGenerateArgs) -> Result<Outcome, Failure> {
    let text = SealKey::generate().map_err(|error| Problem::new(&error))?;
    match &args.output {
        None => Ok(Outcome::text(text.as_bytes())),
        Some(path) => write_new(path, text.as_bytes()).map(|()| Outcome::default()),
    }
}

fn write_new(path: &Path, bytes: &[u8]) -> Result<(), Failure> {
    let mut options = fs_err::OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    {
        use fs_err::os::unix::fs::OpenOptionsExt as _;
        options.mode(0o600);
    }
    let written = options.open(path).and_then(|mut file| {
        file.write_all(bytes)?;
        file.sync_all()
    });
    written.map_err(|error| {
        let path = path.display().to_string();
        let error = match error.kind() {
            std::io::ErrorKind::AlreadyExists => KeyFileError::Exists(path),
            kind => KeyFileError::Unwritable { path, reason: kind.to_string() },
        };
        Problem::new(&error).into()
    })
}
