//! Errors of sources that other tools render.

use sealwave_core::diagnostic::{Explain, LEAVES_REPOSITORY, NOT_UTF8, io_reason};

use crate::boundary::CheckoutExtent;

/// A reason why a source cannot be rendered. Paths are those of the app file, or as messages name files.
#[derive(Debug, thiserror::Error)]
pub(super) enum Error {
    #[error("path `{0}` is absolute")]
    AbsolutePath(String),
    #[error("`{path}` cannot be read: {}", io_reason(*.reason))]
    Io { path: String, reason: std::io::ErrorKind },
    #[error("`{path}` cannot be read: {}", io_reason(std::io::ErrorKind::NotFound))]
    MissingValues { path: String },
    #[error("`{0}` is not a directory")]
    NotADirectory(String),
    #[error("`{0}` is not a chart: it has no `Chart.yaml`")]
    NotAChart(String),
    #[error("`{0}` has no `kustomization.yaml`")]
    NotKustomized(String),
    #[error("`{0}` is not a regular file")]
    NotAFile(String),
    #[error("output of `{program}` {NOT_UTF8}")]
    Output { program: &'static str },
    #[error("kustomization asks for Helm, which the operator does not allow")]
    ChartsInKustomization,
    #[error("`{0}` is remote")]
    Remote(String),
    #[error("directory includes more than {0} kustomizations")]
    TooManyKustomizations(usize),
    #[error("`{path}` cannot be read as a file of at most {limit} bytes")]
    UnreadableKustomization { path: String, limit: u64 },
    #[error("`{path}` {LEAVES_REPOSITORY}")]
    Outside { path: String, extent: CheckoutExtent },
}

impl Explain for Error {
    fn needs_commit(&self) -> bool {
        match self {
            // The machine may refuse to read a file, and the operator may allow charts.
            Self::Io { reason, .. } => *reason == std::io::ErrorKind::NotFound,
            Self::ChartsInKustomization => false,
            _ => true,
        }
    }

    fn hint(&self) -> Option<String> {
        match self {
            Self::AbsolutePath(_) => Some("give the path relative to the app file".to_owned()),
            Self::MissingValues { path } => Some(format!(
                "create `{path}`, or set `ignoreMissingValueFiles: true` if not all environments have one"
            )),
            Self::NotADirectory(_) | Self::NotAChart(_) | Self::NotKustomized(_) => {
                Some("paths are relative to the app file; `{{env}}` stands for the environment".to_owned())
            }
            Self::Outside { extent, .. } => Some(extent.hint().to_owned()),
            Self::ChartsInKustomization => Some(
                "use a source `helm` for the chart; or, for the operator: `tools: {kustomizeHelmCharts: true}`"
                    .to_owned(),
            ),
            Self::Remote(_) => Some(
                "nothing is fetched while rendering: copy it into the repository, and give its path".to_owned(),
            ),
            Self::Io { .. }
            | Self::NotAFile(_)
            | Self::Output { .. }
            | Self::TooManyKustomizations(_)
            | Self::UnreadableKustomization { .. } => None,
        }
    }
}
