//! Errors of encrypted files: not encrypted, no matching key, damaged, modified.

use crate::ProviderError;
use sealwave_core::diagnostic::Explain;
use sealwave_secrets::values::{KEY_HINT, KeyPathError, MissingStep};

/// The longest key of a hostile file that is shown, in characters.
const MAX_SHOWN: usize = 120;

/// An error of an encrypted file or of a key in it. Names keys, recipients and ARNs, never a value.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub(super) enum SopsError {
    #[error("{what} cannot be read: {why}")]
    AgeKeyFile { what: String, why: String },
    #[error("{0}")]
    Aws(ProviderError),
    #[error("the file's data key is damaged: the provider's key `{0}` does not decrypt it")]
    DataKey(String),
    #[error("the file is split among key groups (Shamir)")]
    KeyGroups,
    #[error("its key {0}")]
    Key(KeyPathError),
    #[error("{}", .0.clone().unwrap_or_default().message("the file"))]
    KeyMissing(Option<MissingStep>),
    #[cfg(feature = "aws")]
    #[error(
        "the file's KMS encryption context for `{arn}` does not have the values that the provider requires for `{names}`"
    )]
    KmsContext { arn: String, names: String },
    #[error("the object or list at the key contains binary data")]
    KeyNotText,
    #[error("the file's MAC does not match: the file was changed after it was encrypted")]
    Mac,
    #[error("the file's `sops` metadata is not valid: {0}")]
    Metadata(&'static str),
    #[error("a binary file has no keys")]
    NoKeysInBinary,
    #[error(
        "none of the provider's keys decrypts the file: it is encrypted to {file}, but the provider has {ours}"
    )]
    NoUsableKey { file: String, ours: String, skipped: String },
    #[error("the file is not encrypted: it has no `sops` metadata")]
    NotEncrypted,
    #[error("the file contains several YAML documents")]
    SeveralDocuments,
    #[error("the file cannot be parsed: {0}")]
    Syntax(String),
    #[error("the value at `{0}` should be encrypted, but is not")]
    ValueInClear(String),
    #[error("the value at `{0}` cannot be decrypted: it was changed, moved, or copied from another file")]
    Value(String),
    #[error("the value at `{0}` is encrypted in a format that SOPS does not use")]
    ValueForm(String),
    #[error("a whole file can only be used if SOPS stores it as binary")]
    WholeFile,
}

impl Explain for SopsError {
    fn hint(&self) -> Option<String> {
        let hint = match self {
            Self::AgeKeyFile { .. } => {
                "an age key file contains one `AGE-SECRET-KEY-1…` (X25519) per line; its path is relative to the operator file"
            }
            Self::Aws(error) => return error.hint(),
            Self::DataKey(_) => {
                "restore the file from a commit where `sops decrypt` works, or encrypt it again"
            }
            Self::KeyGroups => "encrypt it with one key group: `sops updatekeys` after removing `key_groups`",
            Self::Key(_) | Self::KeyMissing(_) => KEY_HINT,
            #[cfg(feature = "aws")]
            Self::KmsContext { .. } => {
                "encrypt the file with the `--encryption-context` that the provider's `context` requires"
            }
            Self::KeyNotText => "use the key of a single value",
            Self::Mac | Self::Value(_) => {
                "change files only with `sops edit`; a merge, a manual edit or an attack breaks them"
            }
            Self::Metadata(_) => "only `sops` may write the `sops` section of a file",
            Self::NoKeysInBinary => {
                "for the whole file, put the placeholder without a key into an item of `stringData`; otherwise give the file the extension of its format"
            }
            Self::NoUsableKey { skipped, .. } => {
                return Some(format!(
                    "add a recipient of the provider with `sops rotate --add-age`, or give the provider the key{skipped}"
                ));
            }
            Self::NotEncrypted => {
                "encrypt it with `sops encrypt`, and treat the committed values as compromised"
            }
            Self::SeveralDocuments => "put each document into a file of its own",
            Self::Syntax(_) => {
                "`sops edit` rewrites the file in its usual form; if that fails too, `sops decrypt` explains why"
            }
            Self::ValueInClear(_) => {
                "encrypt it with `sops edit`, and treat the committed value as compromised"
            }
            Self::ValueForm(_) => "encrypt the file again with a current `sops`",
            Self::WholeFile => "add `#key`; to use a whole file, encrypt it with `--input-type binary`",
        };
        Some(hint.to_owned())
    }
}

impl From<SopsError> for ProviderError {
    fn from(error: SopsError) -> Self {
        let (reason, hint) = (error.to_string(), error.hint());
        match error {
            SopsError::Aws(error) => error,
            #[cfg(feature = "aws")]
            SopsError::KmsContext { .. } => Self::Denied { reason, hint },
            SopsError::KeyMissing(_) => Self::NotFound { reason, hint, evidence: None },
            SopsError::AgeKeyFile { .. } | SopsError::NoUsableKey { .. } => Self::Denied { reason, hint },
            _ => Self::Invalid { reason, hint },
        }
    }
}

/// Escapes and shortens a key path of a hostile file for messages.
pub(super) fn display_path(path: &str) -> String {
    let mut text: String = path.chars().flat_map(char::escape_debug).take(MAX_SHOWN).collect();
    if text.len() < path.len() {
        text.push('…');
    }
    text
}

/// Returns the error for a file that is not well formed; line 0 stands for an unknown line.
pub(super) fn at_line(line: usize, why: &str) -> SopsError {
    SopsError::Syntax(if line == 0 { why.to_owned() } else { format!("{why} (line {line})") })
}
