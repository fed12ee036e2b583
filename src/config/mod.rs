//! What was decided: flags, the operator file and Argo CD's environment become plain values here, once.
//!
//! This is the only module that reads the process environment. Nothing that comes from Git, from `ARGOCD_ENV_*`
//! or from parameters may choose the operator file, a key, an address or a policy.

mod argocd;
mod caller;
mod identity;
mod kubeconfig;
mod operator_file;
mod run_bounds;
mod validation;

pub use argocd::{ArgoCd, Parameter, checkout};
pub use caller::{Caller, PolicyUse};
pub use identity::Identity;
pub(crate) use kubeconfig::kubeconfigs;
pub use operator_file::OperatorFile;
pub(crate) use operator_file::read_certificate;
pub use run_bounds::{RunBounds, Turn};
pub use validation::Validation;
pub(crate) use validation::{
    check_namespace, destination_version, least_failing, step_summary, timeout, today, unknown_rule,
};

use std::ffi::OsString;
use std::path::PathBuf;

use sealwave_core::diagnostic::Explain;

/// Reads one variable of the process environment.
pub type Variables = fn(&str) -> Option<OsString>;

/// The environment of this process.
#[must_use]
pub fn process_variables(name: &str) -> Option<OsString> {
    #[expect(clippy::disallowed_methods, reason = "the one place that reads the environment")]
    std::env::var_os(name)
}

/// The columns of the terminal that standard output is; none where it is something else.
pub(crate) fn terminal_width() -> Option<usize> {
    let (width, _) = terminal_size::terminal_size_of(std::io::stdout())?;
    Some(usize::from(width.0)).filter(|width| *width > 0)
}

/// The variable that names the operator file where no flag does.
pub const OPERATOR_VARIABLE: &str = "SEALWAVE_OPERATOR";

/// The path of an operator file, and who says so.
#[derive(Clone, Debug)]
pub struct OperatorPath {
    path: PathBuf,
    named_by: NamedBy,
}

/// What names a file to be read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum NamedBy {
    /// An argument of the command.
    Argument,
    /// The flag `--operator`.
    Flag,
    /// The operator file.
    OperatorFile,
    /// [`OPERATOR_VARIABLE`].
    Variable,
}

/// The operator file that a flag or the environment names.
#[must_use]
pub fn operator_path(flag: Option<PathBuf>, variables: Variables) -> Option<OperatorPath> {
    let flag = flag.map(|path| OperatorPath { path, named_by: NamedBy::Flag });
    flag.or_else(|| {
        let path = variables(OPERATOR_VARIABLE).filter(|value| !value.is_empty())?;
        Some(OperatorPath { path: path.into(), named_by: NamedBy::Variable })
    })
}

/// Why flags, files and environment do not add up.
#[derive(Debug, thiserror::Error)]
pub enum ConfigError {
    /// No environment was named and there are several.
    #[error("no environment was named; there are {0}")]
    AmbiguousEnvironment(String),
    /// A cluster that the operator file does not have.
    #[error("cluster `{name}` is not in the operator file")]
    ClusterUnknown {
        /// The name that the environment gives.
        name: String,
        /// A cluster with nearly that name. The others are not listed: every author can see this message.
        similar: Option<String>,
    },
    /// A flag stands in for what Argo CD says, and Argo CD said it.
    #[error("`{0}` was given, but Argo CD runs this and says it itself")]
    FlagInSidecar(&'static str),
    /// Argo CD runs this, but does not name the app.
    #[error("`ARGOCD_APP_NAME` is not set, although `{present}` is")]
    NoAppName {
        /// A variable that only Argo CD sets.
        present: &'static str,
    },
    /// Nothing says which certificates are meant.
    #[error("no certificate was named")]
    NoCertificate,
    /// No operator file.
    #[error("no operator file was given")]
    NoOperatorFile,
    /// A local run names no project and does not waive the policy.
    #[error("no project is given, so the operator's policy cannot be applied")]
    NoProject,
    /// The same, where the policy cannot be waived.
    #[error(
        "no project is given, and the policy of an operator file from `{OPERATOR_VARIABLE}` always applies"
    )]
    NoProjectOfVariable,
    /// The operator file has no seal key.
    #[error("the operator file names no `sealKeyFile`")]
    NoSealKey,
    /// The policy cannot be waived.
    #[error(
        "`--no-policy` is given, but the policy of an operator file from `{OPERATOR_VARIABLE}` always applies"
    )]
    PolicyOfVariable,
    /// `ARGOCD_APP_PARAMETERS` is not what Argo CD writes.
    #[error("`ARGOCD_APP_PARAMETERS` is not a JSON array of parameters")]
    Parameters,
    /// A parameter that does not exist.
    #[error("parameter `{0}` is unknown; the only one is `env`")]
    ParameterUnknown(String),
    /// A parameter has the wrong form.
    #[error("parameter `{0}` must be a string")]
    ParameterType(String),
    /// A variable that should be text is not.
    #[error("environment variable `{0}` is not valid UTF-8")]
    NotUnicode(String),
}

impl Explain for ConfigError {
    fn hint(&self) -> Option<String> {
        Some(match self {
            Self::AmbiguousEnvironment(_) => {
                "name one with `--env`; in Argo CD set the parameter `env` under `spec.source.plugin.parameters`".to_owned()
            }
            Self::ClusterUnknown { similar: Some(similar), .. } => {
                format!("did you mean `{similar}`? `cluster` of the environment in `sealwave.yaml` names it")
            }
            Self::ClusterUnknown { similar: None, .. } => {
                "correct `cluster` of the environment in `sealwave.yaml`, or ask the operator to add it under `clusters` with its sealing certificate".to_owned()
            }
            Self::FlagInSidecar(_) => "remove the flag from `plugin.yaml`".to_owned(),
            Self::NoAppName { .. } => {
                "Argo CD sets both when it calls a plugin; in a local run, unset all `ARGOCD_APP_*` variables".to_owned()
            }
            Self::NoProject => {
                "give `--project` for what Argo CD gets, or `--no-policy` to use every reference".to_owned()
            }
            Self::NoProjectOfVariable => "give `--project`".to_owned(),
            Self::PolicyOfVariable => "name the operator file with `--operator` to waive its policy".to_owned(),
            Self::NoCertificate => format!(
                "give PEM files, or the operator file that names them: `--operator FILE` or `{OPERATOR_VARIABLE}`"
            ),
            Self::NoOperatorFile => format!(
                "sealing needs the operator's keys: give `--operator FILE` or set `{OPERATOR_VARIABLE}`; `sealwave render` previews without"
            ),
            Self::NoSealKey => "make keys with `sealwave key generate --output seal-key --checksum-output checksum-key` and name them as `sealKeyFile` and `checksumKeyFile`".to_owned(),
            Self::ParameterType(_) => "write it as `- name: env` and `string: prod`".to_owned(),
            Self::Parameters | Self::ParameterUnknown(_) | Self::NotUnicode(_) => return None,
        })
    }
}

/// Names for a message: `a`, `b`, `c`; or `none`.
pub(crate) fn name_list<'a>(names: impl IntoIterator<Item = &'a String>) -> String {
    let quoted: Vec<String> = names.into_iter().map(|name| format!("`{name}`")).collect();
    if quoted.is_empty() { "none".to_owned() } else { quoted.join(", ") }
}
