//! Errors of patches.
//!
//! Messages name an operation, a field or a directive. They must never quote a value, since a patch may contain a
//! secret.

use super::bounds::{MAX_ADDED, MAX_OPERATIONS, PatchLimit};
use sealwave_core::diagnostic::Explain;
use sealwave_core::document::{ManifestError, Origin};
use sealwave_kube::schema::ListMerge;

pub(super) const MISSING: &str = "the path does not exist";

/// An error of a patch, with its place in the patch.
pub(super) type LocatedError = (Error, Origin);

#[derive(Debug, thiserror::Error)]
pub(super) enum Error {
    #[error("patches add more than {MAX_ADDED} bytes in total, or too many values")]
    Added,
    #[error("patch without a type sets the list `{path}`, which Kubernetes merges {}", describe_merge(*.list))]
    Ambiguous { path: String, list: ListMerge },
    #[error("`{0}` is a directive of strategic merge patches")]
    Directive(&'static str),
    #[error("`{directive}` must be {wanted}")]
    DirectiveValue { directive: &'static str, wanted: &'static str },
    #[error("operation {index} at `{pointer}` failed: {reason}")]
    Failed { index: usize, pointer: String, reason: &'static str },
    #[error("item is of type {found}, but Kubernetes merges this list {}", describe_merge(*.list))]
    ItemType { found: &'static str, list: ListMerge },
    #[error("patch turns {0} into a list")]
    List(String),
    #[error("item does not have the merge key `{0}`")]
    MergeKey(&'static str),
    #[error("kind {0} has no merge keys, so it does not support strategic merge patches")]
    NoMergeKeys(String),
    #[error("operation {0} is not a JSON Patch operation")]
    NotAnOperation(usize),
    #[error("result of the patch is not a Kubernetes object: {0}")]
    NotAManifest(ManifestError),
    #[error("`$setElementOrder` is set for a list that Kubernetes does not merge")]
    NotMerged,
    #[error("patch does not match any object ({target})")]
    NoTarget { target: String, meant: Option<String> },
    #[error("items of the patch are not in the order of `$setElementOrder`, or not in it")]
    Order,
    #[error("`$patch: delete` has a different `{field}` than {object}, which the target matches")]
    OtherObject { field: &'static str, object: String },
    #[error("patch sets a field that `$retainKeys` does not name")]
    Retained,
    #[error("patch makes the object too large or too deep")]
    TooLarge,
    #[error("patch has more than {MAX_OPERATIONS} operations")]
    TooMany,
    #[error("patch is of type {found}; it must be {wanted}")]
    Type { found: &'static str, wanted: &'static str },
    #[error("patches take too many steps: too many operations on too many or too large objects")]
    Work,
}

fn describe_merge(list: ListMerge) -> String {
    match list {
        ListMerge::ByKey(key) => format!("by `{key}`"),
        ListMerge::ByValue | ListMerge::Replace => "by value".to_owned(),
    }
}

impl From<PatchLimit> for Error {
    fn from(exceeded: PatchLimit) -> Self {
        match exceeded {
            PatchLimit::Added => Self::Added,
            PatchLimit::Object => Self::TooLarge,
            PatchLimit::Work => Self::Work,
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
                    describe_merge(*list)
                ));
            }
            Self::Directive(_) => {
                "add `type: strategic` to the entry in `sealwave.yaml`; to add a field of this name, use a patch of type `json`"
            }
            Self::Failed { reason: MISSING, .. } => {
                "`add` creates only the last part of a path; `/` in a key is written `~1`, `~` is written `~0`"
            }
            Self::NotAnOperation(_) => {
                "an operation has `op` (add, copy, move, remove, replace, test), `path`, and `value` or `from`; paths start with `/`"
            }
            Self::Added => "put large texts in manifests, not in patches of many objects",
            Self::List(_) => {
                "Argo CD treats the `items` of any object as separate objects; write these as manifests"
            }
            Self::MergeKey(_) => "the merge key identifies the item of the object",
            Self::NoMergeKeys(_) => {
                "`type: merge` replaces whole lists, `type: json` changes single items; only built-in kinds have merge keys"
            }
            Self::NotMerged => "write the whole list in its order",
            Self::Order => "list the same items in both, in the same order",
            Self::OtherObject { .. } => "change the target so that it matches only the object to delete",
            Self::Retained => "`$retainKeys` must name all fields to keep, including those of the patch",
            Self::Type { found: "string", .. } => {
                "write the patch as YAML, without `|` or quotes that make it a text"
            }
            Self::Work => {
                "set `kind` and `name` of the target, or write one merge patch instead of many operations"
            }
            Self::NoTarget { meant: Some(meant), .. } => return Some(meant.clone()),
            Self::NoTarget { meant: None, .. } => {
                "`group`, `kind`, `name` and `namespace` must all equal those of the object, without patterns; \"\" is the core group"
            }
            _ => return None,
        };
        Some(hint.to_owned())
    }
}
