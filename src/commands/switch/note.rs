//! Remarks of `switch` about a plan.

use std::collections::BTreeSet;

use sealwave_core::diagnostic::{Explain, Note, Problem};
use sealwave_core::text::quoted_list;
use sealwave_secrets::settings::BackendKind;

/// A remark about a plan.
#[derive(Debug, thiserror::Error)]
pub(super) enum SwitchNote {
    #[error("cluster was not checked")]
    NotChecked,
    #[error("checksums were not compared: no operator file was given")]
    NoChecksums,
    #[error("provider {providers} is not configured for the backend `{to}`", providers = quoted_list(.providers))]
    MissingProviders { providers: Vec<String>, to: BackendKind },
    #[error("committed SealedSecrets stay as they are: {0}")]
    Committed(String),
    #[error("nothing was written: {0}")]
    NothingWritten(&'static str),
    #[error("{file} was not read: {reason}")]
    NotRead { file: String, reason: String },
    #[error("values of these Secrets are in Git's history and stay there: {0}")]
    InHistory(String),
}

impl SwitchNote {
    /// Returns the warning about providers without settings, if there are any.
    pub(super) fn missing(providers: BTreeSet<String>, to: BackendKind) -> Option<Note> {
        let providers: Vec<String> = providers.into_iter().collect();
        (!providers.is_empty())
            .then(|| Note::warning(Problem::new(&Self::MissingProviders { providers, to })))
    }
}

impl Explain for SwitchNote {
    fn hint(&self) -> Option<String> {
        let hint = match self {
            Self::NotChecked => {
                "before the next commit, `sealwave switch --context NAME` shows whether the last one has its effect"
            }
            Self::NoChecksums => {
                "without `keptChecksums`, pods that read these Secrets restart once; set `--operator`, and `--project`, `--app` and `--namespace` as in the Application"
            }
            Self::MissingProviders { .. } => {
                "add the printed lines in the same commit, with the names in the cluster instead of the words in capitals; then run the command again to compare checksums"
            }
            Self::Committed(_) => "`sealwave switch --secret NAME` plans the change of one",
            Self::NothingWritten(_) => return None,
            Self::NotRead { .. } => {
                "if it has one of the Secrets, release that by hand: docs/backends/switching.md"
            }
            Self::InHistory(_) => {
                "after the second commit, change each of them where the placeholder reads it; everyone who can read the repository has the old ones"
            }
        };
        Some(hint.to_owned())
    }
}
