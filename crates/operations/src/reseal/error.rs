//! Errors of re-sealing.

use std::path::PathBuf;

use sealwave_core::diagnostic::{Explain, io_reason};
use sealwave_core::names::item_label;
use sealwave_core::text::quoted_list;

/// An error of re-sealing.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ResealError {
    /// The item is not one that the controller could open.
    #[error("{} of SealedSecret `{object}` is not standard base64, so the controller cannot open it either", item_label(.key))]
    NotBase64 {
        /// The namespace and name of the object.
        object: String,
        /// The key of the item.
        key: String,
    },
    /// No key file opens an item.
    #[error("{} of SealedSecret `{object}` cannot be opened with {}", item_label(.key), any_of(*.keys))]
    NotOpened {
        /// The namespace and name of the object.
        object: String,
        /// The key of the item.
        key: String,
        /// The number of keys that were tried.
        keys: usize,
    },
    /// An object has no namespace, but its scope depends on it.
    #[error("SealedSecret `{0}` has no namespace, which is a part of its {1} scope")]
    NoNamespace(String, &'static str),
    /// No paths were given, or nothing is there.
    #[error("no SealedSecrets were found")]
    NothingFound,
    /// A new item does not open to the value of the old one.
    #[error("new {} of SealedSecret `{object}` could not be verified, so nothing was changed", item_label(.key))]
    NotVerified {
        /// The namespace and name of the object.
        object: String,
        /// The key of the item.
        key: String,
    },
    /// The record would be larger than the annotations of an object may be.
    #[error("SealedSecret `{0}` has too many items to record them in its annotations")]
    RecordTooLarge(String),
    /// Files of several environments would be sealed for one certificate.
    #[error("files of several environments would be sealed for one certificate: {}", quoted_list(.0))]
    SeveralEnvironments(Vec<String>),
    /// Files belong to other environments than those that are named.
    #[error("files belong to environments that `--env` does not name: {}", quoted_list(.0))]
    OtherEnvironments(Vec<String>),
    /// The paths belong to several repositories.
    #[error("paths are in several repositories: {}", listed(.0))]
    SeveralRepositories(Vec<PathBuf>),
    /// A file or directory cannot be read.
    #[error("`{path}` cannot be read: {reason}")]
    Unreadable {
        /// The path.
        path: String,
        /// The reason.
        reason: String,
    },
}

fn any_of(count: usize) -> String {
    if count == 1 { "the given key".to_owned() } else { format!("any of the {count} given keys") }
}

fn listed(paths: &[PathBuf]) -> String {
    let shown: Vec<String> = paths.iter().map(|path| format!("`{}`", path.display())).collect();
    shown.join(", ")
}

impl ResealError {
    pub(super) fn unreadable(path: String, kind: std::io::ErrorKind) -> Self {
        Self::Unreadable { path, reason: io_reason(kind) }
    }
}

impl Explain for ResealError {
    fn hint(&self) -> Option<String> {
        let hint = match self {
            Self::NoNamespace(..) => "write `metadata.namespace`, or name it with `--namespace`",
            Self::NotBase64 { .. } => {
                "restore the ciphertext from Git: it is on one line, or in a block scalar that starts with `|`"
            }
            Self::NotOpened { .. } => {
                "add the key file that it was sealed for with `--key`; an item also stays closed if its object was renamed, \
                 moved to another namespace or given another scope"
            }
            Self::NothingFound => "name the directory or the files that hold them",
            Self::NotVerified { .. } => {
                "run the command again; if it fails again, seal the value again with `sealwave seal`"
            }
            Self::RecordTooLarge(_) => "split the Secret into several ones",
            Self::SeveralEnvironments(_) => {
                "choose one with `--env`, or repeat `--env` for each that the cluster of this certificate runs"
            }
            Self::OtherEnvironments(_) => {
                "correct `--env`, or name only the directories of these environments: `envs/<name>`"
            }
            Self::SeveralRepositories(_) => "run the command once for each repository",
            Self::Unreadable { .. } => return None,
        };
        Some(hint.to_owned())
    }
}
