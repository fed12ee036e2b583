//! All keys of fetched secrets become items of a Secret. Pure; values go in as bytes and are not looked at.
//!
//! A key that cannot be an item, two sources of one item, and a pattern that finds nothing are errors: the Secret would lack
//! something that its author counts on, or hold another value than the author means.

use std::collections::{BTreeMap, BTreeSet};

use compact_str::CompactString;

use super::problem::shown;
use sealwave_core::diagnostic::Explain;
use sealwave_core::names::{MAX_ITEM_KEY, is_item_key};
use sealwave_secrets::placeholder::Reference;
use sealwave_secrets::values::{KeySource, SecretEntries, SecretValue};

/// Items that all secrets of a run together may become: each is sealed, however short it is.
pub(super) const MAX_ITEMS: usize = 20_000;

/// An item to be.
pub(super) struct ExpandedItem<'f> {
    /// Its key: the prefix and the key of the secret.
    pub(super) key: CompactString,
    /// The key of the secret.
    pub(super) source_key: &'f str,
    /// Its value.
    pub(super) value: &'f SecretValue,
}

/// Returns the items that a secret becomes, in the order of its keys. `taken` are the items that the Secret has already, and
/// what each comes from; the new ones are added.
///
/// # Errors
/// Everything that is wrong with its keys.
pub(super) fn expand<'f>(
    source: &KeySource,
    entries: &'f SecretEntries,
    taken: &mut BTreeMap<CompactString, Supplier>,
) -> Result<Vec<ExpandedItem<'f>>, Vec<ExpandError>> {
    let reference = || source.reference.clone();
    let mut errors: Vec<ExpandError> = source
        .include
        .unmatched(entries.iter().map(|(key, _)| key))
        .map(|pattern| ExpandError::NoMatch { reference: reference(), pattern: shown(pattern) })
        .collect();
    let mut items = Vec::new();
    for (key, value) in entries.iter().filter(|(key, _)| source.takes(key)) {
        let item_key = CompactString::from(format!("{}{key}", source.prefix));
        if !is_item_key(&item_key) {
            errors.push(ExpandError::Key { reference: reference(), key: shown(&item_key) });
        } else if let Some(other) = taken.get(&item_key) {
            errors.push(ExpandError::Twice {
                reference: reference(),
                key: item_key.to_string(),
                other: other.clone(),
            });
        } else {
            taken.insert(item_key.clone(), Supplier::Secret(source.reference.clone()));
            items.push(ExpandedItem { key: item_key, source_key: key, value });
        }
    }
    if items.is_empty() && errors.is_empty() {
        errors.push(ExpandError::Nothing { reference: reference() });
    }
    if errors.is_empty() { Ok(items) } else { Err(errors) }
}

/// The source of an item.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Supplier {
    /// An entry of `data` or `stringData`.
    Entry,
    /// A secret of which all keys are taken.
    Secret(Reference),
}

/// Returns the items that a Secret has of its own.
pub(super) fn own_items<'a>(
    keys: impl Iterator<Item = &'a CompactString>,
) -> BTreeMap<CompactString, Supplier> {
    let keys: BTreeSet<&CompactString> = keys.collect();
    keys.into_iter().map(|key| (key.clone(), Supplier::Entry)).collect()
}

/// Why the keys of a secret cannot become items.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub(super) enum ExpandError {
    #[error("`{reference}` has a key of which no item can be made: `{key}`")]
    Key { reference: Reference, key: String },
    #[error("`include` has `{pattern}`, which matches no key of `{reference}`")]
    NoMatch { reference: Reference, pattern: String },
    #[error("`{reference}` has no key that is taken, so that the Secret would be empty")]
    Nothing { reference: Reference },
    #[error("the secrets of this run have more than {MAX_ITEMS} keys that become items")]
    TooMany,
    #[error("item `{key}` comes from `{reference}` and {}", said(.other))]
    Twice { reference: Reference, key: String, other: Supplier },
}

fn said(supplier: &Supplier) -> String {
    match supplier {
        Supplier::Entry => "stands in the Secret as well".to_owned(),
        Supplier::Secret(reference) => format!("from `{reference}`"),
    }
}

impl Explain for ExpandError {
    fn hint(&self) -> Option<String> {
        Some(match self {
            Self::Key { .. } => format!(
                "leave it out with `exclude`, or name the keys with `include`; a key of an item holds letters, digits, `-`, `_` and `.`, at most {MAX_ITEM_KEY}"
            ),
            Self::NoMatch { .. } => "correct the pattern, which counts case, or remove it".to_owned(),
            Self::Nothing { .. } => {
                "look at what the secret holds, and at `include` and `exclude`".to_owned()
            }
            Self::TooMany => "take fewer keys with `include`, or split the app".to_owned(),
            Self::Twice { .. } => "leave it out with `exclude`, or set a `prefix`".to_owned(),
        })
    }
}
