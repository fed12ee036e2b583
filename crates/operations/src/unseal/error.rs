//! Reasons why SealedSecrets cannot be opened. None of them quotes a value.

use crate::sealed_files::OLD_FORM_HINT;
use sealwave_core::diagnostic::{BUG_HINT, Explain};
use sealwave_core::names::item_label;
use sealwave_secrets::SealingScope;

/// A reason why SealedSecrets cannot be opened.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub(super) enum UnsealError {
    #[error("SealedSecret has `spec.data`, the old form with one ciphertext for all items")]
    Blob,
    #[error("`{0}` of the SealedSecret is not an object")]
    FieldType(&'static str),
    #[error("key of an item is not valid; it is not shown, since it may be a value")]
    ItemKey,
    #[error("{} of the SealedSecret is not a string", item_label(.0))]
    ItemType(String),
    #[error("SealedSecret has no name")]
    NoName,
    #[error("SealedSecret `{name}` has no namespace, which scope {scope} needs")]
    NoNamespace { name: String, scope: SealingScope },
    #[error("input has no SealedSecret")]
    NoSealedSecret,
    #[error("{} of SealedSecret `{secret}` is not opened by any of the keys", item_label(.item))]
    NotOpened { item: String, secret: String, meant: Option<SealingScope> },
    #[error("internal error while opening items (details withheld)")]
    Panicked,
}

impl Explain for UnsealError {
    fn hint(&self) -> Option<String> {
        let hint = match self {
            Self::Blob => OLD_FORM_HINT,
            Self::FieldType(_) | Self::ItemType(_) | Self::ItemKey | Self::NoName => return None,
            Self::NoNamespace { .. } => {
                "pass `--namespace NAME`: the namespace where Argo CD or Kustomize puts it"
            }
            Self::NoSealedSecret => {
                "pass a file with objects of `apiVersion: bitnami.com/v1alpha1` and `kind: SealedSecret`"
            }
            Self::NotOpened { meant: Some(scope), .. } => {
                return Some(match scope.annotation() {
                    Some(annotation) => format!(
                        "it was sealed with scope {scope}: set the annotation `{annotation}: \"true\"` of the SealedSecret itself"
                    ),
                    None => {
                        "it was sealed with scope strict: remove the scope annotation of the SealedSecret"
                            .to_owned()
                    }
                });
            }
            Self::NotOpened { meant: None, .. } => {
                "it was sealed for another key, name or namespace, or is damaged; pass all keys of the controller with `--key`"
            }
            Self::Panicked => BUG_HINT,
        };
        Some(hint.to_owned())
    }
}

/// The note about an object that is not opened.
#[derive(Debug, thiserror::Error)]
#[error("`{0}` is not a SealedSecret, so it is left out")]
pub(super) struct LeftOut(pub(super) String);

impl Explain for LeftOut {}

/// The note about an item that only the controller can compute.
#[derive(Debug, thiserror::Error)]
#[error("{} of `spec.template.data` is computed by the controller, so it is left out", item_label(.0))]
pub(super) struct TemplateLeftOut(pub(super) String);

impl Explain for TemplateLeftOut {
    fn hint(&self) -> Option<String> {
        Some("the controller renders it as a template with the opened items".to_owned())
    }
}

/// The note about a text that has the key of an item.
#[derive(Debug, thiserror::Error)]
#[error("{} is in `spec.encryptedData` and in `spec.template.data`; the first is used", item_label(.0))]
pub(super) struct TwoSources(pub(super) String);

impl Explain for TwoSources {
    fn hint(&self) -> Option<String> {
        Some("controllers before 0.37 use the second".to_owned())
    }
}
