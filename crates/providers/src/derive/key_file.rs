//! The file with the derivation key. Errors name the file, never its content.

use std::path::{Path, PathBuf};

use crate::{ProtectedFiles, ProviderError};
use sealwave_core::bounded_file::{BoundedReadError, read_regular_file};
use sealwave_core::diagnostic::{Explain, NOT_REGULAR_FILE, io_reason};
use sealwave_secrets::crypto::{DerivationKey, KeyError};

/// More than the largest key file; the key itself reports what is too large.
const MAX_KEY_FILE: u64 = 1 << 16;

/// The advice for creating a key.
const NEW_KEY: &str = "`sealwave key generate --derivation-output FILE` creates one";

/// A reason why the key cannot be used.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub(super) enum KeyFileError {
    /// The content is not a derivation key.
    #[error("`{}`: {error}", .path.display())]
    Content { path: PathBuf, error: KeyError },
    /// Another setting names the same key.
    #[error("`{}` holds the key of `{setting}`", .path.display())]
    SameKey { path: PathBuf, setting: &'static str },
    /// The file cannot be read.
    #[error("`{}` cannot be read: {reason}", .path.display())]
    Unreadable { path: PathBuf, reason: String },
}

impl Explain for KeyFileError {
    fn hint(&self) -> Option<String> {
        match self {
            Self::Content { error: error @ KeyError::WrongUse { .. }, .. } => error.hint(),
            Self::Content { .. } => Some(NEW_KEY.to_owned()),
            Self::SameKey { .. } => Some(format!("a derivation key has no other use: {NEW_KEY}")),
            Self::Unreadable { .. } => Some(
                "mount it at `keyFile` of the provider, readable by the user that runs sealwave".to_owned(),
            ),
        }
    }
}

impl From<&KeyFileError> for ProviderError {
    fn from(error: &KeyFileError) -> Self {
        Self::Unreachable { reason: format!("derivation key {error}"), hint: error.hint() }
    }
}

/// Reads the derivation key. `file` is relative to the directory of the operator file.
pub(super) fn read_key(
    operator_dir: &Path,
    file: &Path,
    protected: &ProtectedFiles,
) -> Result<DerivationKey, KeyFileError> {
    let path = || file.to_owned();
    let bytes = read_regular_file(&operator_dir.join(file), MAX_KEY_FILE).map_err(|error| {
        let reason = match error {
            BoundedReadError::Io(error) => io_reason(error.kind()),
            BoundedReadError::NotRegular => format!("it {NOT_REGULAR_FILE}"),
            BoundedReadError::TooLarge => format!("it is larger than {MAX_KEY_FILE} bytes"),
        };
        KeyFileError::Unreadable { path: path(), reason }
    })?;
    let key =
        DerivationKey::from_file(&bytes).map_err(|error| KeyFileError::Content { path: path(), error })?;
    match same_key(&key, protected) {
        None => Ok(key),
        Some(setting) => Err(KeyFileError::SameKey { path: path(), setting }),
    }
}

/// Returns the setting of the operator file that names a file with the same key. A run reads these files as well, and
/// fails if it cannot.
fn same_key(key: &DerivationKey, protected: &ProtectedFiles) -> Option<&'static str> {
    let named = [("sealKeyFile", &protected.seal_key), ("checksumKeyFile", &protected.checksum_key)];
    let holds_key =
        |file: &PathBuf| read_regular_file(file, MAX_KEY_FILE).is_ok_and(|bytes| key.is_in_file(&bytes));
    named.into_iter().find(|(_, file)| file.as_ref().is_some_and(holds_key)).map(|(setting, _)| setting)
}
