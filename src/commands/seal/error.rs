//! Errors of the command; those of the Secrets are beside the code that reads them.

use sealwave_core::diagnostic::{Explain, NOT_UTF8};

/// An error of `seal`.
#[derive(Debug, thiserror::Error)]
pub(super) enum SealError {
    /// The operator file has several clusters.
    #[error("no cluster is given; the operator file has {0}")]
    AmbiguousCluster(String),
    /// A cluster of no operator file.
    #[error("`--cluster {0}` needs an operator file")]
    ClusterWithoutOperator(String),
    /// The certificate has expired.
    #[error("certificate of `{origin}` expired at {not_after}")]
    Expired { origin: String, not_after: String },
    /// Neither a file nor a cluster is given.
    #[error("no certificate is given")]
    NoCertificate,
    /// Standard input is a terminal.
    #[error("no Secret is given")]
    NoInput,
    /// The path of a value is not UTF-8.
    #[error("path of the value {NOT_UTF8}")]
    PathNotText,
    /// A value of the operator's providers would be sealed for any certificate.
    #[error("a Secret has a placeholder, but the certificate is not from the operator file")]
    PlaceholderForOtherCertificate,
    /// `--raw` prints one text.
    #[error("`--raw` needs exactly one value, not {0}")]
    RawNeedsOneValue(usize),
    /// The operator file does not have the cluster.
    #[error("cluster `{name}` is not in the operator file, which has {known}")]
    UnknownCluster { name: String, similar: Option<String>, known: String },
}

impl Explain for SealError {
    fn hint(&self) -> Option<String> {
        Some(match self {
            Self::AmbiguousCluster(_) => "select one with `--cluster NAME`".to_owned(),
            Self::ClusterWithoutOperator(_) => {
                "pass `--operator FILE`; `--context NAME` selects a context of your kubeconfig".to_owned()
            }
            Self::Expired { .. } => {
                "fetch the current certificate (`sealwave cert fetch`), or pass `--allow-expired`: the controller does not look at the date"
                    .to_owned()
            }
            Self::NoCertificate => {
                "pass `--cert FILE`, or `--operator FILE` and `--cluster NAME`; `sealwave cert fetch` writes the certificate of a cluster to a file"
                    .to_owned()
            }
            Self::NoInput => {
                "pass a file, pipe a Secret to standard input, or give values with `--name NAME --from-file KEY=PATH`".to_owned()
            }
            Self::PlaceholderForOtherCertificate => {
                "select it with `--cluster NAME` instead: the policy of the operator file decides for which clusters a value may be sealed"
                    .to_owned()
            }
            Self::RawNeedsOneValue(_) => "give one `--from-file` or `--from-literal`, or one FILE".to_owned(),
            Self::UnknownCluster { similar: Some(similar), .. } => format!("did you mean `{similar}`?"),
            Self::PathNotText | Self::UnknownCluster { similar: None, .. } => return None,
        })
    }
}

/// The note about a policy that does not apply.
#[derive(Debug, thiserror::Error)]
#[error("the policy was waived with `--no-policy`")]
pub(super) struct PolicyWaived;

impl Explain for PolicyWaived {}
