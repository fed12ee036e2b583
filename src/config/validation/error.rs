//! The errors in flags and settings of `validate`.

use sealwave_core::diagnostic::{Explain, Failure, Problem, io_reason};
use sealwave_secrets::settings::API_VERSION;

/// Maximum number of entries of `validate.external` or `validate.ignore`, which are compared with many objects.
pub(super) const MAX_ENTRIES: usize = 1_000;

/// An error in flags or settings.
#[derive(Debug, thiserror::Error)]
pub(crate) enum ValidationError {
    #[error("`{0}` is not a valid namespace name")]
    Namespace(String),
    #[error("`{0}` does not start with `apiVersion: {API_VERSION}` and `kind: Validation`")]
    NotValidation(String),
    #[error("variable `{0}` is not a number of seconds since 1970")]
    Epoch(&'static str),
    #[error("set has no paths")]
    EmptySet,
    #[error("severity of rule `{0}` cannot be changed")]
    Fixed(&'static str),
    #[error("object pattern is malformed: `{0}`")]
    Pattern(String),
    #[error("path of a set is not a valid glob: `{0}`")]
    SetGlob(String),
    #[error("`--rule {0}` is not `RULE=off`, `=note`, `=warning` or `=error`")]
    RuleFlag(String),
    #[error("{} `{name}` {}", if name.contains('*') { "glob" } else { "rule" }, if name.contains('*') { "matches no rule" } else { "does not exist" })]
    UnknownRule { name: String, closest: Option<String> },
    #[error("timeout is not a duration of at least a second: `{0}`")]
    Timeout(String),
    #[error("`{0}` has more than {MAX_ENTRIES} entries")]
    TooMany(&'static str),
    #[error("`{path}` cannot be read: {}", io_reason(*.reason))]
    Unreadable { path: String, reason: std::io::ErrorKind },
}

impl Explain for ValidationError {
    fn hint(&self) -> Option<String> {
        match self {
            Self::Namespace(_) => Some(
                "use up to 63 lower-case letters, digits and `-`, and do not start or end with `-`"
                    .to_owned(),
            ),
            Self::Epoch(_) => Some("unset it, or set it to the output of `date +%s`".to_owned()),
            Self::EmptySet | Self::SetGlob(_) => {
                Some("write globs relative to the settings file, for example `clusters/dev/**`".to_owned())
            }
            Self::Fixed(_) => Some("input that cannot be read or rendered is always an error".to_owned()),
            Self::Pattern(_) => {
                Some("write `Kind/namespace/name`, for example `Secret/shop/registry-*`".to_owned())
            }
            Self::Timeout(_) => Some("write `90s`, `5m` or `1h30m`".to_owned()),
            Self::TooMany("exclude" | "sets") => {
                Some("one glob can match many files: `**/testdata/`".to_owned())
            }
            Self::TooMany(_) => Some("one pattern can match many objects: `Secret/*/registry-*`".to_owned()),
            Self::UnknownRule { closest: Some(closest), .. } => Some(format!("did you mean `{closest}`?")),
            Self::UnknownRule { .. } => Some("`sealwave validate --explain all` lists them".to_owned()),
            _ => None,
        }
    }
}

/// Returns an error as the failure of a command.
pub(super) fn problem(error: &ValidationError) -> Failure {
    Problem::new(error).into()
}
