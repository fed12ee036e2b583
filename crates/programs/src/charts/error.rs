//! The reasons why a chart of a repository cannot be used. Authors see them; they hold no credentials.

use sealwave_core::diagnostic::{Explain, PROCESS_LIMITS_HINT};
use sealwave_secrets::settings::{ChartDigest, ChartId, RepositoryUrl};

use super::DigestUse;
use super::limits::MAX_ARCHIVE;
use crate::{ProgramError, ToolError};

/// The reason why a chart cannot be used.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ChartError {
    /// The file with the certificates cannot be used.
    #[error("certificates of the repository `{repository}` cannot be read: {reason}")]
    Certificates {
        /// The repository.
        repository: RepositoryUrl,
        /// The reason.
        reason: String,
    },
    /// The files with the credentials cannot be used.
    #[error("credentials of the repository `{repository}` cannot be read: {reason}")]
    Credentials {
        /// The repository.
        repository: RepositoryUrl,
        /// The reason.
        reason: String,
    },
    /// The archive has another digest than the app file states.
    #[error("chart `{}` {} of `{}` has the digest `{found}`, not the one in the app file", .chart.name, .chart.version, .chart.repository)]
    Digest {
        /// The chart.
        chart: Box<ChartId>,
        /// The digest of its archive.
        found: ChartDigest,
    },
    /// The download failed.
    #[error("chart `{}` {} of `{}` cannot be downloaded: {reason}", .chart.name, .chart.version, .chart.repository)]
    Download {
        /// The chart.
        chart: Box<ChartId>,
        /// The reason.
        reason: ProgramError,
    },
    /// The index of a repository cannot be fetched.
    #[error("repository `{repository}` cannot be used: {reason}")]
    Index {
        /// The repository.
        repository: Box<RepositoryUrl>,
        /// The reason.
        reason: ProgramError,
    },
    /// The app file does not state the digest.
    #[error("chart `{}` {} of `{}` is not pinned: it has no `digest`", .chart.name, .chart.version, .chart.repository)]
    NoDigest {
        /// The chart.
        chart: Box<ChartId>,
        /// The digest of its archive, if it was downloaded.
        digest: Option<ChartDigest>,
    },
    /// Neither the operator file nor a flag allows the repository.
    #[error("repository of charts `{repository}` is not allowed")]
    NotAllowed {
        /// The repository.
        repository: RepositoryUrl,
        /// Whether people work here.
        digests: DigestUse,
    },
    /// The download is not one archive.
    #[error("chart `{}` {} of `{}` is not a single regular file of at most {} MiB", .0.name, .0.version, .0.repository, MAX_ARCHIVE >> 20)]
    NotAnArchive(Box<ChartId>),
    /// The directory for the download cannot be used.
    #[error("a directory for the download cannot be created: {0}")]
    Temporary(String),
    /// Helm cannot be used.
    #[error("{0}")]
    Tool(ToolError),
}

impl Explain for ChartError {
    fn hint(&self) -> Option<String> {
        match self {
            Self::Digest { .. } => Some(
                "compare both with the publisher of the chart: the version may have been replaced; for a registry, write the digest of the archive, not of the manifest"
                    .to_owned(),
            ),
            Self::NoDigest { digest: Some(digest), .. } => {
                Some(format!("if this is the chart that you expect, add the line `digest: {digest}`"))
            }
            Self::NoDigest { digest: None, .. } => {
                Some("add the `digest` of the archive; `sealwave render` shows it outside of Argo CD".to_owned())
            }
            Self::NotAllowed { repository, digests } => {
                let line = format!("`charts: {{repositories: [{{url: {repository}}}]}}`");
                Some(match digests {
                    DigestUse::Required => format!("ask the operator to add it to the operator file: {line}"),
                    DigestUse::Shown => format!(
                        "allow it with `--allow-host {}`, or in the operator file: {line}",
                        repository.host()
                    ),
                })
            }
            Self::Download { reason, .. } | Self::Index { reason, .. } => reason.hint(),
            Self::Certificates { .. } => {
                Some("in the operator file, name a file that the user of sealwave can read".to_owned())
            }
            Self::Credentials { .. } => {
                Some("in the operator file, name files with one line that the user of sealwave can read".to_owned())
            }
            Self::Temporary(_) => Some(PROCESS_LIMITS_HINT.to_owned()),
            Self::Tool(error) => error.hint(),
            Self::NotAnArchive(_) => None,
        }
    }
}
