//! Decisions about a run: flags, the operator file and Argo CD's environment become plain values here, once.
//!
//! This is the only module that reads the process environment. Nothing from Git, `ARGOCD_ENV_*` or parameters may
//! select the operator file, a key, an address or a policy.

mod argocd;
mod caller;
mod identity;
mod kubeconfig;
mod kubeseal;
mod operator_file;
mod programs;
mod run_bounds;
mod source_access;
mod state_directory;
mod validation;

pub use argocd::{ArgoCdContext, PluginParameter, read_checkout};
pub use caller::{Caller, PolicyUse};
pub use identity::AppIdentity;
pub(crate) use kubeconfig::kubeconfigs;
pub(crate) use kubeseal::apply_kubeseal_variables;
pub use operator_file::OperatorFile;
pub(crate) use operator_file::read_certificate;
pub use programs::toolbox;
pub use run_bounds::{RunBounds, SlotRequest};
pub use source_access::SourceAccess;
pub(crate) use state_directory::state_directory;
pub use validation::ValidationPlan;
pub(crate) use validation::{
    check_namespace, destination_version, failing_severity, now, parse_timeout, source_files, step_summary,
    today, unknown_rule,
};

use std::ffi::OsString;
use std::path::PathBuf;

use sealwave_core::diagnostic::{Explain, NOT_UTF8};

/// Reads a variable of the process environment.
pub type VariableReader = fn(&str) -> Option<OsString>;

/// Reads a variable of this process.
#[must_use]
pub fn process_variables(name: &str) -> Option<OsString> {
    #[expect(clippy::disallowed_methods, reason = "the one place that reads the environment")]
    std::env::var_os(name)
}

/// Returns the terminal width of standard output, or `None` if it is not a terminal.
pub(crate) fn terminal_width() -> Option<usize> {
    columns(terminal_size::terminal_size_of(std::io::stdout()))
}

/// Returns the terminal width of standard error, where messages are printed, or `None` if it is not a terminal.
pub(crate) fn message_width() -> Option<usize> {
    columns(terminal_size::terminal_size_of(std::io::stderr()))
}

fn columns(size: Option<(terminal_size::Width, terminal_size::Height)>) -> Option<usize> {
    let (width, _) = size?;
    Some(usize::from(width.0)).filter(|width| *width > 0)
}

/// The variable that names the operator file if no flag does.
pub const OPERATOR_VARIABLE: &str = "SEALWAVE_OPERATOR";

/// The path of an operator file, and its origin.
#[derive(Clone, Debug)]
pub struct OperatorPath {
    path: PathBuf,
    named_by: PathSource,
}

/// The origin of a file's path.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum PathSource {
    /// A command-line argument.
    Argument,
    /// The flag `--operator`.
    Flag,
    /// The operator file.
    OperatorFile,
    /// [`OPERATOR_VARIABLE`].
    Variable,
}

/// Returns the operator file given by a flag or the environment.
#[must_use]
pub fn operator_path(flag: Option<PathBuf>, variables: VariableReader) -> Option<OperatorPath> {
    let flag = flag.map(|path| OperatorPath { path, named_by: PathSource::Flag });
    flag.or_else(|| {
        let path = variables(OPERATOR_VARIABLE).filter(|value| !value.is_empty())?;
        Some(OperatorPath { path: path.into(), named_by: PathSource::Variable })
    })
}

/// A conflict between flags, files and the environment.
#[derive(Debug, thiserror::Error)]
pub enum ConfigError {
    /// No environment is given, and there are several.
    #[error("no environment is given; available: {0}")]
    AmbiguousEnvironment(String),
    /// The operator file does not contain the cluster.
    #[error("cluster `{name}` is not in the operator file")]
    ClusterUnknown {
        /// The name used by the environment.
        name: String,
        /// A cluster with a similar name. Others are not listed: every author can see this message.
        similar: Option<String>,
    },
    /// `--app-file` is given for an app whose directory is given.
    #[error("`--app-file` is for manifests from standard input only")]
    AppFileWithoutPipe,
    /// A flag that only local runs may use, in a run by Argo CD.
    #[error("`{0}` must not be used when Argo CD runs sealwave")]
    FlagInSidecar(&'static str),
    /// Argo CD is the caller, but the app's name is missing.
    #[error("`ARGOCD_APP_NAME` is not set, although `{present}` is")]
    NoAppName {
        /// A present variable that only Argo CD sets.
        present: &'static str,
    },
    /// No certificates are given.
    #[error("no certificate is given")]
    NoCertificate,
    /// No operator file is given.
    #[error("no operator file is given")]
    NoOperatorFile,
    /// A local run neither gives a project nor waives the policy.
    #[error("no project is given, so the operator's policy cannot be applied")]
    NoProject,
    /// A local run gives no project, and must not waive the policy.
    #[error(
        "no project is given, and the policy of an operator file from `{OPERATOR_VARIABLE}` always applies"
    )]
    NoProjectWithVariable,
    /// The operator file has no seal key.
    #[error("operator file does not set `sealKeyFile`")]
    NoSealKey,
    /// The policy must not be waived.
    #[error(
        "`--no-policy` is given, but the policy of an operator file from `{OPERATOR_VARIABLE}` always applies"
    )]
    PolicyWaiverWithVariable,
    /// `ARGOCD_APP_PARAMETERS` is malformed.
    #[error("`ARGOCD_APP_PARAMETERS` is not a JSON array of parameters")]
    Parameters,
    /// Manifests are piped to a run by Argo CD.
    #[error("manifests from standard input must not be used when Argo CD runs sealwave")]
    PipeInSidecar,
    /// A parameter is unknown.
    #[error("parameter `{0}` is unknown; the only one is `env`")]
    ParameterUnknown(String),
    /// A parameter has the wrong type.
    #[error("parameter `{0}` must be a string")]
    ParameterType(String),
    /// A variable is not valid UTF-8.
    #[error("environment variable `{0}` {NOT_UTF8}")]
    NotUnicode(String),
}

impl Explain for ConfigError {
    fn hint(&self) -> Option<String> {
        Some(match self {
            Self::AmbiguousEnvironment(_) => {
                "select one with `--env`; in Argo CD, set the parameter `env` under `spec.source.plugin.parameters`".to_owned()
            }
            Self::ClusterUnknown { similar: Some(similar), .. } => {
                format!("did you mean `{similar}`? it is set by `cluster` of the environment in `sealwave.yaml`")
            }
            Self::ClusterUnknown { similar: None, .. } => {
                "correct `cluster` of the environment in `sealwave.yaml`, or ask the operator to add it under `clusters` with its sealing certificate".to_owned()
            }
            Self::AppFileWithoutPipe => "pass the directory of the app as argument, or `-` to read standard input".to_owned(),
            Self::PipeInSidecar => "run `sealwave generate .`, and let `sources` in `sealwave.yaml` name the chart: the program before a pipe could read the operator's keys, and its failure would go unnoticed".to_owned(),
            Self::FlagInSidecar(_) => "remove the flag from `plugin.yaml`".to_owned(),
            Self::NoAppName { .. } => {
                "Argo CD sets both when it calls a plugin; in a local run, unset all `ARGOCD_APP_*` variables".to_owned()
            }
            Self::NoProject => {
                "set `--project` to get the same output as Argo CD, or `--no-policy` to allow every reference".to_owned()
            }
            Self::NoProjectWithVariable => "set `--project`".to_owned(),
            Self::PolicyWaiverWithVariable => "pass the operator file with `--operator` to waive its policy".to_owned(),
            Self::NoCertificate => format!(
                "pass PEM files, or an operator file with certificates: `--operator FILE` or `{OPERATOR_VARIABLE}`"
            ),
            Self::NoOperatorFile => format!(
                "sealing needs the operator's keys: pass `--operator FILE` or set `{OPERATOR_VARIABLE}`; `sealwave render` shows a preview without them"
            ),
            Self::NoSealKey => "create keys with `sealwave key generate --output seal-key --checksum-output checksum-key` and set them as `sealKeyFile` and `checksumKeyFile`".to_owned(),
            Self::ParameterType(_) => "write it as `- name: env` and `string: prod`".to_owned(),
            Self::Parameters | Self::ParameterUnknown(_) | Self::NotUnicode(_) => return None,
        })
    }
}

/// Formats names for a message: `a`, `b`, `c`; or `none`.
pub(crate) fn name_list<'a>(names: impl IntoIterator<Item = &'a String>) -> String {
    let quoted: Vec<String> = names.into_iter().map(|name| format!("`{name}`")).collect();
    if quoted.is_empty() { "none".to_owned() } else { quoted.join(", ") }
}
