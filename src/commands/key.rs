//! `key generate`: creates a seal key, a separate checksum key and a derivation key.

use std::io::Write as _;
use std::path::Path;

use super::CommandOutput;
use crate::cli::KeyGenerateArgs;
use sealwave_core::diagnostic::{Explain, Failure, Problem, write_error_reason};
use sealwave_core::output_path::check_output_path;
use sealwave_secrets::crypto::{ChecksumKey, DerivationKey, KeyError, SealKey};

/// The reason why a key file cannot be written.
#[derive(Debug, thiserror::Error)]
enum KeyFileError {
    #[error("`{0}` is a directory")]
    Directory(String),
    #[error("`{0}` already exists")]
    Exists(String),
    #[error("`{path}` cannot be written: {reason}")]
    Unwritable { path: String, reason: String },
}

impl Explain for KeyFileError {
    fn hint(&self) -> Option<String> {
        match self {
            Self::Directory(_) => Some("choose a file".to_owned()),
            Self::Exists(_) => Some(
                "keys are never overwritten, since a new one re-seals items, restarts pods or replaces secrets; choose another name, or move the old file away".to_owned(),
            ),
            Self::Unwritable { .. } => None,
        }
    }
}

pub(super) fn generate(args: &KeyGenerateArgs) -> Result<CommandOutput, Failure> {
    let check_generated = |key: Result<_, KeyError>| key.map_err(|error| Failure::from(Problem::new(&error)));
    let wanted = [
        (&args.output, SealKey::generate as fn() -> Result<_, _>),
        (&args.checksum_output, ChecksumKey::generate),
        (&args.derivation_output, DerivationKey::generate),
    ];
    let wanted = wanted.into_iter().filter_map(|(path, generate)| Some((path.as_deref()?, generate)));
    let create = |(path, generate)| Ok((NewFile::create(path)?, generate));
    let files = wanted.map(create).collect::<Result<Vec<_>, Failure>>()?;
    if files.is_empty() {
        return Ok(CommandOutput::text(check_generated(SealKey::generate())?.as_bytes()));
    }
    let mut written = Vec::with_capacity(files.len());
    for (mut file, generate) in files {
        file.write(check_generated(generate())?.as_bytes())?;
        written.push(file);
    }
    written.into_iter().for_each(NewFile::keep);
    Ok(CommandOutput::default())
}

/// A new file. It is removed unless it is kept, so that either all keys are written or none.
struct NewFile<'a> {
    path: &'a Path,
    file: fs_err::File,
    is_kept: bool,
}

impl<'a> NewFile<'a> {
    /// Creates the file, readable only by its owner.
    fn create(path: &'a Path) -> Result<Self, Failure> {
        check_output_path(path).map_err(|error| Problem::new(&error))?;
        let mut options = fs_err::OpenOptions::new();
        options.write(true).create_new(true);
        #[cfg(unix)]
        {
            use fs_err::os::unix::fs::OpenOptionsExt as _;
            options.mode(0o600);
        }
        let file = options.open(path).map_err(|error| failure(path, &error))?;
        Ok(Self { path, file, is_kept: false })
    }

    fn write(&mut self, bytes: &[u8]) -> Result<(), Failure> {
        let written = self.file.write_all(bytes).and_then(|()| self.file.sync_all());
        written.map_err(|error| failure(self.path, &error))
    }

    fn keep(mut self) {
        self.is_kept = true;
    }
}

impl Drop for NewFile<'_> {
    fn drop(&mut self) {
        if !self.is_kept {
            // Report the original error instead.
            let _ = fs_err::remove_file(self.path);
        }
    }
}

fn failure(path: &Path, error: &std::io::Error) -> Failure {
    let path = path.display().to_string();
    let error = match error.kind() {
        std::io::ErrorKind::AlreadyExists if Path::new(&path).is_dir() => KeyFileError::Directory(path),
        std::io::ErrorKind::AlreadyExists => KeyFileError::Exists(path),
        kind => KeyFileError::Unwritable { path, reason: write_error_reason(kind) },
    };
    Problem::new(&error).into()
}
