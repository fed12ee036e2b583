//! The reasons why the operator file, or a file that it names, cannot be used.

use std::io::ErrorKind;
use std::path::Path;

use crate::config::{OPERATOR_VARIABLE, PathSource};
use sealwave_core::bounded_file::BoundedReadError;
use sealwave_core::diagnostic::{Explain, NOT_REGULAR_FILE, io_reason};
use sealwave_secrets::settings::API_VERSION;

/// Maximum size of a key or certificate file.
pub(super) const MAX_FILE_BYTES: u64 = 1 << 20;

/// The reason why the operator file, or a file that it names, cannot be used.
#[derive(Debug, thiserror::Error)]
pub(super) enum OperatorFileError {
    #[error("{}`{path}` cannot be read: {reason}", if .named_by.is_operator_file() { "operator file " } else { "" })]
    Unreadable { path: String, named_by: PathSource, reason: UnreadableReason },
    #[error("`{path}` is larger than {MAX_FILE_BYTES} bytes")]
    TooLarge { path: String },
    #[error("`{path}` has `apiVersion: {found}`, expected `{API_VERSION}`")]
    ApiVersion { path: String, found: String },
    #[error("certificate of cluster `{cluster}`: {error}")]
    Certificate { cluster: String, error: Box<Self> },
    #[error("`usernameFile` is given without `passwordFile`")]
    ChartPassword,
    #[error("the password of `{url}` would be sent without TLS")]
    ChartPlain { url: String },
    #[error("repository of charts `{url}` is listed twice")]
    ChartTwice { url: String },
    #[error("`passwordFile` is given without `usernameFile`")]
    ChartUser,
    #[error("`{path}` has `kind: {found}`, expected `Operator`")]
    Kind { path: String, found: String },
    #[error("`{path}`: {reason}")]
    Content { path: String, reason: String, hint: Option<String> },
    #[error("`clusters.{cluster}.kubeVersion`: {reason}")]
    KubeVersion { cluster: String, reason: String, hint: Option<String> },
}

/// The reason why a file cannot be read.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub(super) enum UnreadableReason {
    #[error("{}", io_reason(*.0))]
    Io(ErrorKind),
    #[error("it {NOT_REGULAR_FILE}")]
    NotRegular,
}

impl From<std::io::Error> for UnreadableReason {
    fn from(error: std::io::Error) -> Self {
        Self::Io(error.kind())
    }
}

impl PathSource {
    const fn is_operator_file(self) -> bool {
        matches!(self, Self::Flag | Self::Variable)
    }

    fn hint(self) -> String {
        match self {
            Self::Argument => "the path is relative to the working directory".to_owned(),
            Self::Flag => "`--operator` takes the path of the file itself, for example `--operator /etc/sealwave/operator.yaml`".to_owned(),
            Self::OperatorFile => "paths in the operator file are relative to its directory".to_owned(),
            Self::Variable => format!(
                "`{OPERATOR_VARIABLE}` takes the path of the file itself, for example `/etc/sealwave/operator.yaml`; `--operator FILE` takes precedence"
            ),
        }
    }
}

impl Explain for OperatorFileError {
    fn hint(&self) -> Option<String> {
        match self {
            Self::Unreadable { reason: UnreadableReason::Io(ErrorKind::PermissionDenied), .. } => {
                Some("the user that runs sealwave needs read permission".to_owned())
            }
            Self::Unreadable { named_by, .. } => Some(named_by.hint()),
            Self::Certificate { error, .. } => match error.as_ref() {
                Self::Unreadable { reason: UnreadableReason::Io(ErrorKind::NotFound), path, .. } => {
                    Some(format!(
                        "fetch it from the cluster's sealed-secrets controller: `kubeseal --fetch-cert > {path}`; {}",
                        PathSource::OperatorFile.hint()
                    ))
                }
                error => error.hint(),
            },
            Self::Content { hint, .. } | Self::KubeVersion { hint, .. } => hint.clone(),
            Self::Kind { found, .. } if found == "ConfigMap" => {
                Some("pass the file itself, not the ConfigMap that holds it".to_owned())
            }
            Self::ApiVersion { .. } | Self::Kind { .. } => {
                Some(format!("an operator file starts with `apiVersion: {API_VERSION}` and `kind: Operator`"))
            }
            Self::ChartPassword => Some("add `passwordFile`, a file with the password or token".to_owned()),
            Self::ChartUser => Some(
                "add `usernameFile`; for a token, the file may hold any name that the server accepts"
                    .to_owned(),
            ),
            Self::ChartPlain { .. } => Some("use `https://`, or remove the credentials".to_owned()),
            Self::ChartTwice { .. } => Some("remove one of the entries".to_owned()),
            Self::TooLarge { .. } => None,
        }
    }
}

impl OperatorFileError {
    pub(super) fn content(path: &Path, error: &dyn Explain) -> Self {
        Self::Content { path: path.display().to_string(), reason: error.to_string(), hint: error.hint() }
    }

    pub(super) fn refused(path: &Path, named_by: PathSource, error: BoundedReadError) -> Self {
        let path = path.display().to_string();
        match error {
            BoundedReadError::Io(error) => Self::Unreadable { path, named_by, reason: error.into() },
            BoundedReadError::NotRegular => {
                Self::Unreadable { path, named_by, reason: UnreadableReason::NotRegular }
            }
            BoundedReadError::TooLarge => Self::TooLarge { path },
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use sealwave_core::diagnostic::Problem;

    #[test]
    fn permission_errors_differ_from_missing_files() {
        let failure = |kind| {
            let error = BoundedReadError::Io(std::io::Error::from(kind));
            Problem::new(&OperatorFileError::refused(Path::new("key"), PathSource::OperatorFile, error))
        };
        let denied = failure(ErrorKind::PermissionDenied);
        assert_eq!(denied.message, "`key` cannot be read: permission denied");
        assert_eq!(denied.hint.as_deref(), Some("the user that runs sealwave needs read permission"));
        let missing = failure(ErrorKind::NotFound);
        assert_eq!(missing.message, "`key` cannot be read: file not found");
        assert_eq!(missing.hint, Some(PathSource::OperatorFile.hint()));
    }
}
