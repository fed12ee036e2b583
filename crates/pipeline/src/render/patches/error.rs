//! Reasons why a patch is refused.
//!
//! Messages name an operation, a field or a directive. They must never quote a value: a patch may hold a secret.

use super::bounds::{Exceeded, MAX_ADDED};
use super::operations::MAX_OPERATIONS;
use sealwave_core::diagnostic::Explain;
use sealwave_core::document::NotAManifest;
use sealwave_kube::schema::ListMerge;

pub(super) const MISSING: &str = "the path does not exist";

#[derive(Debug, thiserror::Error)]
pub(super) enum Error {
    #[error("patches add more than {MAX_ADDED} bytes to the objects together, or too many values")]
    Added,
    #[error("patch sets the list `{path}`, which Kubernetes merges {}, without stating its type", merged(*.list))]
    Ambiguous { path: String, list: ListMerge },
    #[error("`{0}` is a directive of strategic merge patches")]
    Directive(&'static str),
    #[error("`{directive}` must be {wanted}")]
    DirectiveValue { directive: &'static str, wanted: &'static str },
    #[error("operation {index} at `{pointer}` fails: {reason}")]
    Failed { index: usize, pointer: String, reason: &'static str },
    #[error("item is of type {found}, but Kubernetes merges this list {}", merged(*.list))]
    ItemType { found: &'static str, list: ListMerge },
    #[error("patch turns {0} into a list")]
    List(String),
    #[error("item does not have the merge key `{0}`")]
    MergeKey(&'static str),
    #[error("kind {0} has no merge keys, so it takes no strategic merge patch")]
    NoMergeKeys(String),
    #[error("operation {0} is not a JSON Patch operation")]
    NotAnOperation(usize),
    #[error("patch leaves no Kubernetes object: {0}")]
    NotAManifest(NotAManifest),
    #[error("`$setElementOrder` is given for a list that Kubernetes does not merge")]
    NotMerged,
    #[error("patch matches no object ({0})")]
    NoTarget(String),
    #[error("patch lists its items in another order than `$setElementOrder`, or items that are not in it")]
    Order,
    #[error(
        "`$patch: delete` is for an object with another `{field}` than {object}, which the target matches"
    )]
    OtherObject { field: &'static str, object: String },
    #[error("patch sets a field that `$retainKeys` does not name")]
    Retained,
    #[error("patch makes the object too large or too deep")]
    TooLarge,
    #[error("patch has more than {MAX_OPERATIONS} operations")]
    TooMany,
    #[error("patch is of type {found}; it must be {wanted}")]
    Type { found: &'static str, wanted: &'static str },
    #[error("patches do too much work: too many operations on too many or too large objects")]
    Work,
}

fn merged(list: ListMerge) -> String {
    match list {
        ListMerge::ByKey(key) => format!("by `{key}`"),
        ListMerge::ByValue | ListMerge::Replace => "by value".to_owned(),
    }
}

impl From<Exceeded> for Error {
    fn from(exceeded: Exceeded) -> Self {
        match exceeded {
            Exceeded::Added => Self::Added,
            Exceeded::Object => Self::TooLarge,
            Exceeded::Work => Self::Work,
        }
    }
}

impl Explain for Error {
    fn hint(&self) -> Option<String> {
        let hint = match self {
            Self::Ambiguous { list, .. } => {
                return Some(format!(
                    "to replace the whole list, add `type: merge` to the entry in `sealwave.yaml`; to merge it {}, \
                     add `type: strategic`",
                    merged(*list)
                ));
            }
            Self::Directive(_) => {
                "add `type: strategic` to the entry in `sealwave.yaml`; a field of this name is added by a patch of type `json`"
            }
            Self::Failed { reason: MISSING, .. } => {
                "`add` makes the last part of a path only; `/` in a key is written `~1`, `~` is written `~0`"
            }
            Self::NotAnOperation(_) => {
                "an operation has `op` (add, copy, move, remove, replace, test), `path`, and `value` or `from`; paths start with `/`"
            }
            Self::Added => "put large texts into manifests, not into patches of many objects",
            Self::List(_) => {
                "Argo CD takes the `items` of any object for objects of their own; write these as manifests"
            }
            Self::MergeKey(_) => "the merge key tells which item of the object is meant",
            Self::NoMergeKeys(_) => {
                "`type: merge` replaces whole lists, `type: json` changes single items; only Kubernetes' own kinds have merge keys"
            }
            Self::NotMerged => "write the whole list in its order",
            Self::Order => "list the same items in both, in the same order",
            Self::OtherObject { .. } => "let the target match only the object to delete",
            Self::Retained => "`$retainKeys` names all fields that stay, those of the patch included",
            Self::Work => {
                "give a target `kind` and `name`, or write one merge patch instead of many operations"
            }
            Self::NoTarget(_) => {
                "`group`, `kind`, `name` and `namespace` must all be those of the object, without patterns; \"\" is the core group"
            }
            _ => return None,
        };
        Some(hint.to_owned())
    }
}
