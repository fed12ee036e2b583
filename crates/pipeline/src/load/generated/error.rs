//! Errors of ConfigMaps and Secrets that the app file makes.

use sealwave_core::diagnostic::Explain;

/// The maximum size of the values of a ConfigMap or Secret in bytes, as in Kubernetes.
pub(super) const MAX_DATA: usize = 1 << 20;

#[derive(Debug, thiserror::Error)]
pub(super) enum Error {
    #[error("`files` gives a key to a directory")]
    DirectoryKey,
    #[error("{0} has no keys")]
    Empty(String),
    #[error("directory has no files")]
    EmptyDirectory,
    #[error("name of the variable is not valid; it is not shown, since it may be a value")]
    EnvKey,
    #[error("line is not `KEY=VALUE`; it is not shown, since it may be a value")]
    EnvLine,
    #[error("entry of `files` is neither `PATH` nor `KEY=PATH`")]
    FileEntry,
    #[error("name of the file is not a valid key")]
    FileName,
    #[error("key is not valid; it is not shown, since it may be a value")]
    Key,
    #[error("key `{key}` is already set at {first}")]
    KeyTwice { key: String, first: String },
    #[error("name of the {0} is empty")]
    Name(&'static str),
    #[error("value is missing, expected a string")]
    NoValue,
    #[error("{0} has more than {MAX_DATA} bytes of data")]
    TooLarge(String),
}

impl Explain for Error {
    fn hint(&self) -> Option<String> {
        let text = match self {
            Self::DirectoryKey => "write the path alone: the keys are the names of the files",
            Self::Empty(_) => "add `literals`, `files` or `envFiles`, or remove the entry",
            Self::EmptyDirectory => "name a directory with files whose names do not start with a dot",
            Self::EnvKey => {
                "a name has letters, digits, `-`, `_` and `.`, and does not start with a digit; `export` is not allowed"
            }
            Self::EnvLine => "write `KEY=VALUE`, or start the line with `#`",
            Self::FileEntry => "write a path without `=`, or one `=` between the key and the path",
            Self::FileName => "write `KEY=PATH`: a key has letters, digits, `-`, `_` and `.`, at most 253",
            Self::Key => "a key has letters, digits, `-`, `_` and `.`, at most 253",
            Self::KeyTwice { .. } => {
                "remove one; to replace a key in one environment, set it under `environments`"
            }
            Self::NoValue => {
                "write a text, `\"\"` if it is empty; a patch can remove a key from one environment"
            }
            Self::Name(_) => "write a name",
            Self::TooLarge(_) => {
                "Kubernetes accepts at most 1 MiB: split it, or put large files in an image or a volume"
            }
        };
        Some(text.to_owned())
    }
}
