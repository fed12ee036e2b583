//! Problems of a provider that only show when it is used, found before a rollout. Messages name files, never their content.

use std::io::ErrorKind;
use std::path::{Path, PathBuf};

#[cfg(feature = "remote")]
use crate::ProviderError;
use sealwave_core::bounded_file::{BoundedReadError, open_regular_file};
use sealwave_core::diagnostic::{DIRECTORY_NOT_FOUND, Explain, NOT_REGULAR_FILE, Severity, io_reason};

/// A problem that only shows when a provider is used.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum OfflineProblem {
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
    /// The selected profile is in none of the AWS configuration files.
    #[error("profile `{profile}` is in none of the files that AWS profiles are read from: {files}")]
    #[cfg_attr(not(feature = "aws"), expect(dead_code, reason = "only AWS has profiles"))]
    NoProfile { profile: String, files: String },
    /// A glob over names that cannot be read.
    #[error("`{pattern}` in `names` matches only variables that can never be read")]
    ReservedNames { pattern: String },
    /// The program of a login is part of a text for the shell.
    #[error("the command of {named_by} is not checked: only a shell can tell which program it starts")]
    #[cfg_attr(not(feature = "aws"), expect(dead_code, reason = "only AWS has such commands"))]
    ShellCommand { named_by: String },
    /// The login needs a person.
    #[error("profile `{profile}` logs in with a session that a person must renew in a browser")]
    #[cfg_attr(not(feature = "aws"), expect(dead_code, reason = "only AWS has profiles"))]
    BrowserSession { profile: String },
    /// A file with certificates, a key or a login cannot be used.
    #[error("{reason}")]
    Unusable { reason: String, hint: Option<String> },
}

impl OfflineProblem {
    pub(crate) const fn severity(&self) -> Severity {
        match self {
            Self::Directory { .. } | Self::File { .. } | Self::Unusable { .. } => Severity::Error,
            Self::BrowserSession { .. }
            | Self::NoNames
            | Self::NoProfile { .. }
            | Self::NotBuilt { .. }
            | Self::ReservedNames { .. }
            | Self::ShellCommand { .. } => Severity::Warning,
        }
    }

    /// Returns the problem of a file that a run could not use.
    #[cfg(feature = "remote")]
    pub(crate) fn unusable(error: &ProviderError) -> Self {
        Self::Unusable { reason: error.reason(), hint: error.hint() }
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
            Self::BrowserSession { .. } => {
                "give the sidecar's ServiceAccount a role (IRSA or Pod Identity) instead".to_owned()
            }
            Self::Directory { .. } => {
                "mount the secrets at `root`; paths in the operator file are relative to its directory".to_owned()
            }
            Self::File { .. } => {
                "mount it at this path, readable by the user that runs sealwave; paths in the operator file are relative to its directory"
                    .to_owned()
            }
            Self::NoProfile { .. } => {
                "mount the AWS configuration, and set `AWS_CONFIG_FILE` of the sidecar to its absolute path".to_owned()
            }
            Self::NoNames => "list the variables that are meant for apps, for example `SHOP_*`".to_owned(),
            Self::NotBuilt { feature, .. } => format!(
                "apps that use it fail with this build: use a release, or build with `--features {feature}`"
            ),
            Self::ReservedNames { .. } => {
                "variables of Argo CD, Kubernetes, Git and sealwave are reserved: give yours another name".to_owned()
            }
            Self::ShellCommand { .. } => {
                "put the command into a script, and write the absolute path of the script".to_owned()
            }
            Self::Unusable { hint, .. } => return hint.clone(),
        })
    }
}
