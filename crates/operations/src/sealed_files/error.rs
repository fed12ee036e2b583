//! Reasons why a file with SealedSecrets cannot be read or edited.

use sealwave_core::diagnostic::{BUG_HINT, Explain, Failure, Problem, ProblemPlace};
use sealwave_core::document::SourceLocation;
use sealwave_core::names::item_label;

/// The remedy for the form of before 2018, which the controller reads only with a flag.
pub(crate) const OLD_FORM_HINT: &str = "seal the Secret of the cluster again: `kubectl get secret NAME --namespace NAMESPACE --output yaml | sealwave seal`, which writes `spec.encryptedData`";

/// A reason, with its place.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{fault}")]
pub struct SealedFileError {
    /// The reason.
    pub fault: SealedFileFault,
    /// The place.
    pub at: SourceLocation,
}

/// A reason why a file with SealedSecrets cannot be read or edited.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SealedFileFault {
    /// A node on the way to the change is an alias, or has an anchor that aliases refer to.
    #[error("{0} is shared through an alias, so it cannot be changed in one place only")]
    Aliased(String),
    /// All items are in one ciphertext.
    #[error("SealedSecret has `spec.data`, the old form with one ciphertext for all items")]
    Blob,
    /// A new ciphertext is not base64.
    #[error("new ciphertext of {0} is not base64")]
    Ciphertext(String),
    /// A field is not a mapping.
    #[error("`{0}` of the SealedSecret is not a mapping")]
    FieldNotMapping(&'static str),
    /// The bytes of the change cannot be determined.
    #[error("{0} cannot be changed without changing the layout around it")]
    Layout(String),
    /// A node on the way to the change comes from a merge key.
    #[error("{0} comes from a merge key (`<<`)")]
    Merged(String),
    /// The ciphertext of an item is not a string.
    #[error("{0} of the SealedSecret is not a string")]
    NotString(String),
    /// The object has no such item.
    #[error("SealedSecret has no {0}")]
    NoSuchItem(String),
    /// Reading the result does not give what was wanted.
    #[error("edit would change something else in the file, so nothing was changed")]
    Unproven,
}

impl SealedFileFault {
    /// Creates a fault about an item.
    pub(super) fn about_item(fault: impl FnOnce(String) -> Self, key: &str) -> Self {
        fault(item_label(key))
    }

    /// Adds the place.
    pub(super) const fn at(self, at: SourceLocation) -> SealedFileError {
        SealedFileError { fault: self, at }
    }
}

impl Explain for SealedFileFault {
    fn hint(&self) -> Option<String> {
        let hint = match self {
            Self::Aliased(_) | Self::Merged(_) => {
                "write the ciphertexts of this SealedSecret out in `spec.encryptedData`, without `&`, `*` and `<<`"
            }
            Self::Blob => OLD_FORM_HINT,
            Self::Ciphertext(_) => BUG_HINT,
            Self::FieldNotMapping(_) | Self::NotString(_) => {
                "write `spec.encryptedData` as a mapping of keys to ciphertexts, as `kubeseal` does"
            }
            Self::Layout(_) | Self::Unproven => {
                "write the object in block style, with one `key: value` per line, and try again"
            }
            Self::NoSuchItem(_) => return None,
        };
        Some(hint.to_owned())
    }
}

impl Explain for SealedFileError {
    fn hint(&self) -> Option<String> {
        self.fault.hint()
    }
}

impl From<SealedFileError> for Problem {
    fn from(error: SealedFileError) -> Self {
        let at = ProblemPlace::Place(error.at.clone());
        Self { at, ..Self::new(&error) }
    }
}

impl From<SealedFileError> for Failure {
    fn from(error: SealedFileError) -> Self {
        Self::from(Problem::from(error))
    }
}
