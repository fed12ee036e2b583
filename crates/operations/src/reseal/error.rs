//! Errors of re-sealing.

use std::path::PathBuf;

use sealwave_core::diagnostic::{Explain, io_reason};
use sealwave_core::names::item_label;
use sealwave_core::text::{closest_choice, quoted_list};

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
    /// A named file belongs to an environment that is not named.
    #[error("`{path}` belongs to environment `{environment}`, which `--env` does not name")]
    OtherEnvironment {
        /// The file.
        path: String,
        /// Its environment.
        environment: String,
    },
    /// No file belongs to a named environment.
    #[error("no file belongs to environment `{name}`; found: {}", quoted_list(.found))]
    NoSuchEnvironment {
        /// The name.
        name: String,
        /// The environments of the files.
        found: Vec<String>,
    },
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
                "choose one with `--env`; if one cluster runs all of them, `sealwave reseal` takes `--env` for each, and \
                 `--cluster NAME`"
            }
            Self::OtherEnvironment { .. } => {
                "correct `--env`, or name the directory of the app: `--env` selects the files below it"
            }
            Self::NoSuchEnvironment { name, found } => {
                let known: Vec<&str> = found.iter().map(String::as_str).collect();
                return Some(match closest_choice(name, &known) {
                    Some(meant) => format!("did you mean `{meant}`?"),
                    None => "correct `--env`, or name a path that has files of this environment".to_owned(),
                });
            }
            Self::SeveralRepositories(_) => "run the command once for each repository",
            Self::Unreadable { .. } => return None,
        };
        Some(hint.to_owned())
    }
}
