//! Committed items, and their age.

use sealwave_core::time::Date;

/// An item of a committed SealedSecret.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CommittedItem {
    /// Its key.
    pub key: String,
    /// The digest of its first ciphertext.
    pub digest: String,
    /// Its present ciphertext.
    pub ciphertext: String,
}

/// The age of committed items.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct CommittedAge {
    /// The day of the oldest item; `None` if no item is committed.
    pub date: Option<Date>,
    /// Whether it may be older: the clone lacks the commits before, or they were not read.
    pub is_minimum: bool,
    /// The oldest item, if others are younger.
    pub item: Option<String>,
    /// The items whose ciphertexts are not committed.
    pub uncommitted: Vec<String>,
}
