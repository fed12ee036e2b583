//! What can be wrong with an encrypted file, told apart: not encrypted, no key of ours, damaged, changed.

use crate::ProviderError;
use sealwave_core::diagnostic::Explain;
use sealwave_secrets::values::{KEY_HINT, KeyPathError, MissingStep};

/// Keys of a hostile file are shown up to this many characters.
const MAX_SHOWN: usize = 120;

/// Why a file, or what stands under a key of it, cannot be had. Names keys, recipients and ARNs; never a value.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub(super) enum SopsError {
    #[error("its {what} cannot be read: {why}")]
    AgeKeyFile { what: String, why: String },
    #[error("{0}")]
    Aws(ProviderError),
    #[error("the file's data key is damaged: `{0}` is a key of ours, but does not open it")]
    DataKey(String),
    #[error("the file is split among key groups (Shamir)")]
    KeyGroups,
    #[error("its key {0}")]
    Key(KeyPathError),
    #[error("{}", .0.clone().unwrap_or_default().message("the file"))]
    KeyMissing(Option<MissingStep>),
    #[cfg(feature = "aws")]
    #[error(
        "the KMS encryption context that the file has for `{arn}` lacks what the provider asks of `{names}`"
    )]
    KmsContext { arn: String, names: String },
    #[error("the key leads to bytes that are no text, inside an object or a list")]
    KeyNotText,
    #[error("the file's MAC does not match: it was changed after it had been encrypted")]
    Mac,
    #[error("the file's `sops` metadata is not valid: {0}")]
    Metadata(&'static str),
    #[error("a binary file has no keys")]
    NoKeysInBinary,
    #[error(
        "none of the provider's keys opens the file; it is encrypted to {file}, and the provider has {ours}"
    )]
    NoUsableKey { file: String, ours: String, skipped: String },
    #[error("the file is not encrypted: it has no `sops` metadata")]
    NotEncrypted,
    #[error("the file holds several YAML documents")]
    SeveralDocuments,
    #[error("the file cannot be parsed: {0}")]
    Syntax(String),
    #[error("the value at `{0}` should be encrypted, but is not")]
    ValueInClear(String),
    #[error("the value at `{0}` does not belong there: it was changed, moved, or taken from another file")]
    Value(String),
    #[error("the value at `{0}` is encrypted in a way that SOPS does not use")]
    ValueForm(String),
    #[error("a whole file can only be taken where SOPS holds it as binary")]
    WholeFile,
}

impl Explain for SopsError {
    fn hint(&self) -> Option<String> {
        let hint = match self {
            Self::AgeKeyFile { .. } => {
                "an age key file holds one `AGE-SECRET-KEY-1…` (X25519) on a line; its path is relative to the operator file"
            }
            Self::Aws(error) => return error.hint(),
            Self::DataKey(_) => "take the file from a commit where `sops decrypt` works, or encrypt it again",
            Self::KeyGroups => "encrypt it with one key group: `sops updatekeys` after removing `key_groups`",
            Self::Key(_) | Self::KeyMissing(_) => KEY_HINT,
            #[cfg(feature = "aws")]
            Self::KmsContext { .. } => {
                "encrypt the file with `--encryption-context` as the provider's `context` says"
            }
            Self::KeyNotText => "name the key of one value",
            Self::Mac | Self::Value(_) => {
                "change files with `sops edit` only; a merge or an edit by hand breaks them, and so does an attack"
            }
            Self::Metadata(_) => "the `sops` part of a file is written by `sops` and nothing else",
            Self::NoKeysInBinary => {
                "for the whole file, put the placeholder without a key into an item of `stringData`; otherwise name the file by what it holds"
            }
            Self::NoUsableKey { skipped, .. } => {
                return Some(format!(
                    "add a recipient of the provider with `sops rotate --add-age`, or give the provider the key{skipped}"
                ));
            }
            Self::NotEncrypted => "encrypt it with `sops encrypt`, and treat what was committed as known",
            Self::SeveralDocuments => "put each document into a file of its own",
            Self::Syntax(_) => {
                "`sops edit` writes the file anew in its usual form; what it cannot read either, `sops decrypt` explains"
            }
            Self::ValueInClear(_) => "encrypt it with `sops edit`, and treat what was committed as known",
            Self::ValueForm(_) => "encrypt the file again with a current `sops`",
            Self::WholeFile => "add `#key`; to take a whole file, encrypt it with `--input-type binary`",
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

/// A key path of a hostile file as a message can bear it.
pub(super) fn shown(path: &str) -> String {
    let mut text: String = path.chars().flat_map(char::escape_debug).take(MAX_SHOWN).collect();
    if text.len() < path.len() {
        text.push('…');
    }
    text
}
