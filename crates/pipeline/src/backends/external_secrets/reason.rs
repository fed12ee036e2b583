//! Reasons for which an `ExternalSecret` cannot express a Secret or an item.

use crate::backends::refusal::{Advice, CommonReason, RefusalReason, STORE_FINAL_FORM};

/// A reason of this backend.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub(super) enum ExternalSecretReason {
    #[error(transparent)]
    Common(#[from] CommonReason),
    #[error(
        "it selects keys of `{reference}` by pattern, but an ExternalSecret supports only all keys or named keys"
    )]
    KeyPatterns { reference: String },
    #[error("the backend supports modifier `{name}` only on the fetched value, not after `{after}`")]
    ModifierOrder { name: &'static str, after: &'static str },
    #[error("`{reference}` is not in mount `{mount}` of the store")]
    OutsideMount { reference: String, mount: String },
    #[error("an item next to all keys of a secret cannot have its own text or modifiers")]
    TextBesideAllKeys,
    #[error("the External Secrets Operator refuses type `{0}`")]
    Type(String),
}

impl RefusalReason for ExternalSecretReason {
    fn advice(&self) -> Advice {
        Advice::FixOrSeal(match self {
            Self::Common(reason) => return reason.advice(),
            Self::KeyPatterns { .. } => "name each key in `stringData`, or take all keys",
            Self::ModifierOrder { .. } => STORE_FINAL_FORM,
            Self::OutsideMount { .. } => "start the path with the mount, or add a store for the other mount",
            Self::TextBesideAllKeys => "put it into a Secret of its own",
            Self::Type(_) => "let Kubernetes create such Secrets",
        })
    }
}
