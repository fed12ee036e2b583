//! Turns all keys of fetched secrets into items of a Secret. Pure; values are copied as bytes and not inspected.
//!
//! Invalid item keys, two sources of one item, and patterns without a match are errors: the Secret would lack an
//! expected item or hold an unexpected value.

use std::collections::{BTreeMap, BTreeSet};

use compact_str::CompactString;

use super::problem::printable_key;
use sealwave_core::diagnostic::Explain;
use sealwave_core::names::{MAX_ITEM_KEY, is_item_key};
use sealwave_secrets::placeholder::{KeySource, SecretReference};
use sealwave_secrets::values::{SecretEntries, SecretValue};

/// The maximum number of items from all secrets of a run. Each is sealed, however short it is.
pub(super) const MAX_ITEMS: usize = 20_000;

/// An item from a key of a secret.
pub(super) struct ExpandedItem<'f> {
    /// The item key: the prefix and the key of the secret.
    pub(super) key: CompactString,
    /// The key of the secret.
    pub(super) source_key: &'f str,
    /// The value.
    pub(super) value: &'f SecretValue,
}

/// Returns the items of a secret in the order of its keys. `taken` holds the existing items of the Secret with their
/// sources; the new ones are added.
///
/// # Errors
/// All problems of its keys.
pub(super) fn expand<'f>(
    source: &KeySource,
    entries: &'f SecretEntries,
    taken: &mut BTreeMap<CompactString, ItemSource>,
) -> Result<Vec<ExpandedItem<'f>>, Vec<ExpandError>> {
    let reference = || source.reference.clone();
    let mut errors: Vec<ExpandError> = source
        .include
        .unmatched(entries.iter().map(|(key, _)| key))
        .map(|pattern| ExpandError::NoMatch { reference: reference(), pattern: printable_key(pattern) })
        .collect();
    let mut items = Vec::new();
    for (key, value) in entries.iter().filter(|(key, _)| source.selects(key)) {
        let item_key = CompactString::from(format!("{}{key}", source.prefix));
        if !is_item_key(&item_key) {
            errors.push(ExpandError::Key { reference: reference(), key: printable_key(&item_key) });
        } else if let Some(other) = taken.get(&item_key) {
            errors.push(ExpandError::Twice {
                reference: reference(),
                key: item_key.to_string(),
                other: other.clone(),
            });
        } else {
            taken.insert(item_key.clone(), ItemSource::Secret(source.reference.clone()));
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
pub(super) enum ItemSource {
    /// An entry of `data` or `stringData`.
    Entry,
    /// A secret whose keys are all taken.
    Secret(SecretReference),
}

/// Returns the items that a Secret defines itself.
pub(super) fn own_items<'a>(
    keys: impl Iterator<Item = &'a CompactString>,
) -> BTreeMap<CompactString, ItemSource> {
    let keys: BTreeSet<&CompactString> = keys.collect();
    keys.into_iter().map(|key| (key.clone(), ItemSource::Entry)).collect()
}

/// A reason why the keys of a secret cannot become items.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub(super) enum ExpandError {
    #[error("`{reference}` has a key that is not a valid item key: `{key}`")]
    Key { reference: SecretReference, key: String },
    #[error("`include` has `{pattern}`, which matches no key of `{reference}`")]
    NoMatch { reference: SecretReference, pattern: String },
    #[error("`{reference}` has no matching key, so the Secret would be empty")]
    Nothing { reference: SecretReference },
    #[error("Secrets of this run have more than {MAX_ITEMS} items")]
    TooMany,
    #[error("item `{key}` comes from `{reference}` and {}", describe_supplier(.other))]
    Twice { reference: SecretReference, key: String, other: ItemSource },
}

fn describe_supplier(supplier: &ItemSource) -> String {
    match supplier {
        ItemSource::Entry => "is also defined in the Secret".to_owned(),
        ItemSource::Secret(reference) => format!("from `{reference}`"),
    }
}

impl Explain for ExpandError {
    fn hint(&self) -> Option<String> {
        Some(match self {
            Self::Key { .. } => format!(
                "exclude it with `exclude`, or select keys with `include`; an item key has letters, digits, `-`, `_` and `.`, at most {MAX_ITEM_KEY}"
            ),
            Self::NoMatch { .. } => "correct the pattern, or remove it; case matters".to_owned(),
            Self::Nothing { .. } => "check the keys of the secret, and `include` and `exclude`".to_owned(),
            Self::TooMany => "select fewer keys with `include`, or split the app".to_owned(),
            Self::Twice { .. } => "exclude it with `exclude`, or set a `prefix`".to_owned(),
        })
    }
}
