//! Errors of discovery.

use std::path::{Path, PathBuf};

use super::nearby::ENVIRONMENTS;
use crate::boundary::CheckoutExtent;
use sealwave_core::diagnostic::{
    BROKEN_LINK, DIRECTORY_NOT_FOUND, Explain, Failure, LEAVES_REPOSITORY, Problem, ProblemPlace, io_reason,
};
use sealwave_core::document::{SourceLocation, display_path};
use sealwave_core::names::dns;
use sealwave_core::text::shell_quoted;
use sealwave_secrets::settings::{API_VERSION, APP_FILE, ChartLocationError};

/// The size limit of an app file. It is written by hand, so a larger file is a mistake or an attack.
pub(super) const MAX_APP_FILE: u64 = 1 << 20;

/// A reason why an app is not usable.
#[derive(Debug, thiserror::Error)]
pub(super) enum Error {
    #[error("app file does not state which sources belong to the app")]
    AmbiguousSources(Vec<String>),
    #[error("app file does not state which values belong to the environments")]
    AmbiguousValueFiles(Vec<String>),
    #[error("`apiVersion` must be `{API_VERSION}`")]
    ApiVersion,
    #[error("app file {BROKEN_LINK}")]
    BrokenLink,
    #[error("`{0}` is a Helm chart, not an app")]
    Chart(String),
    #[error("{}", location_fault(*.0))]
    ChartLocation(ChartLocationError),
    #[error("app file is empty")]
    Empty,
    #[error("app file holds {0} documents, not one")]
    Documents(usize),
    #[error("environment name is not valid; it must match `[a-z0-9]([-a-z0-9._]*[a-z0-9])?`")]
    EnvironmentName { valid: Option<String> },
    #[error("environments directory {LEAVES_REPOSITORY}")]
    EnvironmentsOutside(CheckoutExtent),
    #[error("`{directory}` is a part of the app `{app}`, not an app")]
    InsideApp { directory: String, app: String, environment: Option<String> },
    #[error("sources contain `files` twice")]
    FilesTwice,
    #[error("{0}")]
    Io(std::io::Error),
    #[error("`kind` must be `App`")]
    Kind,
    #[error("`{setting}`: wrong value, expected a namespace name")]
    Namespace { setting: String },
    #[error("`{0}` is a directory of Kustomize, not an app")]
    Kustomization(String),
    #[error("`{0}` is not read: the name of the app file is `{APP_FILE}`")]
    Misnamed(String),
    #[error("`{APP_FILE}` cannot be read: {}", io_reason(std::io::ErrorKind::NotFound))]
    Missing,
    #[error("`{}` cannot be read: {DIRECTORY_NOT_FOUND}", display_path(.0))]
    MissingDirectory(PathBuf),
    #[error("`{APP_FILE}` cannot be read: {}", io_reason(std::io::ErrorKind::NotFound))]
    MissingHere { example: Option<String> },
    #[error("app has no environments")]
    NoEnvironments { misnamed: Option<String> },
    #[error("no environment is given")]
    NoEnvironmentName,
    #[error("`sources` is empty")]
    NoSources,
    #[error("`{}` is not a directory", display_path(.0))]
    NotADirectory(PathBuf),
    #[error("app file {LEAVES_REPOSITORY}")]
    Outside(CheckoutExtent),
    #[error("source must have exactly one of `files`, `helm`, `kustomize`")]
    SourceKinds,
    #[error("app file is larger than {MAX_APP_FILE} bytes")]
    TooLarge,
    #[error("environment `{name}` does not exist; known environments: {known}")]
    UnknownEnvironment { name: String, known: String, closest: Option<String> },
}

impl Explain for Error {
    fn hint(&self) -> Option<String> {
        let hint = match self {
            Self::AmbiguousSources(lines) => {
                format!("keep those that belong to it: `sources: [{}]`", braced(lines))
            }
            Self::AmbiguousValueFiles(patterns) => format!(
                "keep those that belong to them: `sources: [{{helm: {{chart: ., valueFiles: [{}]}}}}]`",
                patterns.iter().map(|pattern| format!("\"{pattern}\"")).collect::<Vec<_>>().join(", ")
            ),
            Self::FilesTwice => "remove one; it stands for `base/` and `envs/`".to_owned(),
            Self::NoEnvironmentName => {
                format!("name one with `--env`; without `{APP_FILE}`, its name is also that of the cluster")
            }
            Self::NoSources => {
                "add a source, for example `sources: [{files: {}}]`, or remove the field".to_owned()
            }
            Self::SourceKinds => {
                "start a list item for each source; one without fields is written `helm: {}`".to_owned()
            }
            Self::ApiVersion | Self::Empty | Self::Kind => {
                format!("start the file with `apiVersion: {API_VERSION}` and `kind: App`")
            }
            Self::BrokenLink => "correct the target of the link, or replace it with the file".to_owned(),
            Self::Chart(directory) | Self::Kustomization(directory) => {
                format!("run `sealwave init {}`, which writes a `{APP_FILE}` for it", shell_quoted(directory))
            }
            Self::ChartLocation(error) => location_hint(*error).to_owned(),

            Self::Documents(_) => format!("keep only the app in `{APP_FILE}`"),
            Self::EnvironmentName { valid: Some(valid) } => format!("rename it to `{valid}`"),
            Self::EnvironmentsOutside(extent) | Self::Outside(extent) => extent.hint().to_owned(),
            Self::InsideApp { app, environment: Some(environment), .. } => {
                format!("pass the app and the environment: `{app} --env {environment}`")
            }
            Self::InsideApp { app, environment: None, .. } => format!("pass the app: `{app}`"),
            Self::Misnamed(_) => format!("rename it to `{APP_FILE}`"),
            Self::Namespace { .. } => dns::LABEL_HINT.to_owned(),
            Self::MissingDirectory(_) => format!(
                "an app is a directory with a `{APP_FILE}`; paths are relative to the working directory"
            ),
            Self::MissingHere { example: Some(app) } => {
                format!("the directory contains apps: pass one of them, for example `{app}`")
            }
            Self::Missing | Self::MissingHere { example: None } | Self::NotADirectory(_) => {
                format!("an app is a directory with a `{APP_FILE}`")
            }
            Self::NoEnvironments { misnamed: Some(misnamed) } => {
                format!("rename `{misnamed}/` to `{ENVIRONMENTS}/`")
            }
            Self::NoEnvironments { misnamed: None } => format!(
                "create a file in `{ENVIRONMENTS}/dev/`, for example `values.yaml`, or write `environments: {{dev: {{}}}}` in `{APP_FILE}`"
            ),
            Self::UnknownEnvironment { name, .. } if name.contains(',') => {
                "write one name: the command prints one environment".to_owned()
            }
            Self::UnknownEnvironment { closest: Some(name), .. } => format!("did you mean `{name}`?"),
            Self::UnknownEnvironment { .. } => format!(
                "an environment is a directory under `{ENVIRONMENTS}/` or an entry of `environments` in `{APP_FILE}`"
            ),
            Self::EnvironmentName { valid: None } | Self::Io(_) | Self::TooLarge => return None,
        };
        Some(hint)
    }
}

/// Returns what is wrong with the place of a chart.
fn location_fault(error: ChartLocationError) -> &'static str {
    match error {
        ChartLocationError::NoRepository("digest") => "`digest` is given without `repository`",
        ChartLocationError::NoRepository(_) => "`version` is given without `repository`",
        ChartLocationError::NoVersion => "`repository` is given without `version`",
        ChartLocationError::NotAName => "`chart` is not the name of a chart",
    }
}

const fn location_hint(error: ChartLocationError) -> &'static str {
    match error {
        ChartLocationError::NoRepository(_) => {
            "add the `repository` of the chart, or remove the field: a chart beside the app file has no version to choose"
        }
        ChartLocationError::NoVersion => "add the exact version, for example `version: 1.2.3`",
        ChartLocationError::NotAName => {
            "with `repository`, write the name only, for example `chart: redis`; directories belong to the URL"
        }
    }
}

/// Writes sources as items of a flow sequence.
fn braced(lines: &[String]) -> String {
    lines.iter().map(|line| format!("{{{line}}}")).collect::<Vec<_>>().join(", ")
}

/// Returns the problem of a path.
pub(super) fn at_path(path: &Path, error: &Error) -> Problem {
    let place = SourceLocation { path: display_path(path), line: 0, column: 0, rendered: None };
    Problem { at: ProblemPlace::Place(place), ..Problem::new(error) }
}

/// Returns the failure of a file as a whole.
pub(super) fn whole(name: &str, error: &Error) -> Failure {
    let place = SourceLocation { path: name.to_owned(), line: 0, column: 0, rendered: None };
    Problem { at: ProblemPlace::Place(place), ..Problem::new(error) }.into()
}
