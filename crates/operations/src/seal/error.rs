//! Reasons why an input cannot be sealed. None of them quotes a value.

use sealwave_core::diagnostic::Explain;
use sealwave_core::document::ManifestError;
use sealwave_secrets::SealingScope;

/// A reason why an input cannot be sealed.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SealInputError {
    /// A Secret is in another namespace.
    #[error("Secret `{secret}` is in namespace `{found}`, but `--namespace {given}` was given")]
    Namespace {
        /// The Secret.
        secret: String,
        /// Its namespace.
        found: String,
        /// The namespace of the flag.
        given: String,
    },
    /// A Secret of flags has no name.
    #[error("Secret has no name, which scope {scope} needs")]
    NoName {
        /// Its scope.
        scope: SealingScope,
        /// Whether it is made from values of flags.
        is_from_values: bool,
    },
    /// A Secret has no namespace.
    #[error("Secret `{secret}` has no namespace, which scope {scope} needs")]
    NoNamespace {
        /// The Secret.
        secret: String,
        /// Its scope.
        scope: SealingScope,
        /// Whether it is made from values of flags.
        is_from_values: bool,
    },
    /// A document is not an object.
    #[error("document is not a Kubernetes object: {0}")]
    NotAManifest(ManifestError),
    /// A name was given for several Secrets.
    #[error("`--name` was given, but the input holds {0} Secrets")]
    OneNameForSeveral(usize),
}

impl Explain for SealInputError {
    fn hint(&self) -> Option<String> {
        let hint = match self {
            Self::Namespace { .. } => "remove the flag or `metadata.namespace`",
            Self::NoName { is_from_values: true, .. } => "pass `--name NAME`",
            Self::NoName { .. } => "set `metadata.name`, or pass `--name NAME`",
            Self::NoNamespace { is_from_values: true, .. } => {
                "pass `--namespace NAME`: the controller opens the items in this namespace only"
            }
            Self::NoNamespace { .. } => {
                "set `metadata.namespace`, or pass `--namespace NAME`: the controller opens the items in this namespace only"
            }
            Self::NotAManifest(error) => error.hint(),
            Self::OneNameForSeveral(_) => "set `metadata.name` of each Secret instead",
        };
        Some(hint.to_owned())
    }
}
