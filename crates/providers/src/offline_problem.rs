//! Problems of a provider that only show when it is used, found before a rollout. Messages name files, never their content.

use std::io::ErrorKind;
use std::path::{Path, PathBuf};

use sealwave_core::bounded_file::{BoundedReadError, open_regular_file};
use sealwave_core::diagnostic::{DIRECTORY_NOT_FOUND, Explain, NOT_REGULAR_FILE, Severity, io_reason};

/// A problem that only shows when a provider is used.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum OfflineProblem {
    /// The file with CA certificates is not usable.
    #[error("{reason}")]
    #[cfg_attr(not(feature = "remote"), expect(dead_code, reason = "only remote sources have one"))]
    CaFile { reason: String, hint: Option<String> },
    /// A directory cannot be opened.
    #[error("`{}` cannot be read: {reason}", .path.display())]
    Directory { path: PathBuf, reason: String },
    /// A file with a credential cannot be opened.
    #[error("`{}` cannot be read: {reason}", .path.display())]
    File { path: PathBuf, reason: String },
    /// No variable has an allowed name.
    #[error("`names` is empty, so no variable can be read")]
    NoNames,
    /// The kind is not part of this build.
    #[error("this build of sealwave has no `{kind}` provider")]
    NotBuilt { kind: &'static str, feature: &'static str },
    /// A glob over names that cannot be read.
    #[error("`{pattern}` in `names` matches only variables that can never be read")]
    ReservedNames { pattern: String },
}

impl OfflineProblem {
    pub(crate) const fn severity(&self) -> Severity {
        match self {
            Self::CaFile { .. } | Self::Directory { .. } | Self::File { .. } => Severity::Error,
            Self::NoNames | Self::NotBuilt { .. } | Self::ReservedNames { .. } => Severity::Warning,
        }
    }

    /// Returns the problem of a directory that cannot be opened, if any.
    pub(crate) fn of_directory(path: &Path) -> Option<Self> {
        let reason = match fs_err::read_dir(path).err()?.kind() {
            ErrorKind::NotFound => DIRECTORY_NOT_FOUND.to_owned(),
            kind => kind.to_string(),
        };
        Some(Self::Directory { path: path.to_owned(), reason })
    }

    /// Returns the problem of a file that cannot be opened, if any.
    pub(crate) fn of_file(path: PathBuf) -> Option<Self> {
        let reason = match open_regular_file(&path).err()? {
            BoundedReadError::Io(error) => io_reason(error.kind()),
            BoundedReadError::NotRegular => format!("it {NOT_REGULAR_FILE}"),
            BoundedReadError::TooLarge => return None,
        };
        Some(Self::File { path, reason })
    }
}

impl Explain for OfflineProblem {
    fn hint(&self) -> Option<String> {
        Some(match self {
            Self::CaFile { hint, .. } => return hint.clone(),
            Self::Directory { .. } => {
                "mount the secrets at `root`; paths in the operator file are relative to its directory".to_owned()
            }
            Self::File { .. } => {
                "mount it at this path, readable by the user that runs sealwave; paths in the operator file are relative to its directory"
                    .to_owned()
            }
            Self::NoNames => "list the variables that are meant for apps, for example `SHOP_*`".to_owned(),
            Self::NotBuilt { feature, .. } => format!(
                "apps that use it fail with this build: use a release, or build with `--features {feature}`"
            ),
            Self::ReservedNames { .. } => {
                "variables of Argo CD, Kubernetes, Git and sealwave are reserved: give yours another name".to_owned()
            }
        })
    }
}
