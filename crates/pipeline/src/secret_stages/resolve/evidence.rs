//! Adds the Git contents behind an item's values to the unresolved text from which the item is derived.
//!
//! Without this, anyone who can commit could replace an encrypted file by a guess under the same placeholder, and see
//! from the sealed text or the checksum whether it is the deployed value.

use std::collections::BTreeMap;

use sealwave_providers::{Evidence, FetchResult, evidence_of};
use sealwave_secrets::placeholder::SecretReference;
use sealwave_secrets::values::SecretValue;

/// Returns the unresolved text of an item with the evidence of its references, or the text unchanged if no evidence
/// exists.
///
/// The text is followed by a zero byte and, for each reference in order, 0, or 1 and the evidence.
pub(super) fn with_evidence<'r>(
    unresolved: SecretValue,
    references: impl Iterator<Item = &'r SecretReference>,
    fetched: &BTreeMap<&SecretReference, FetchResult>,
) -> SecretValue {
    let find_evidence = |reference| fetched.get(reference).and_then(evidence_of);
    let all: Vec<Option<Evidence>> = references.map(find_evidence).collect();
    if all.iter().all(Option::is_none) {
        return unresolved;
    }
    let text = unresolved.expose();
    let mut bytes = Vec::with_capacity(text.len() + 1 + all.len() * (1 + Evidence::LENGTH));
    bytes.extend_from_slice(text);
    bytes.push(0);
    for evidence in &all {
        bytes.push(u8::from(evidence.is_some()));
        bytes.extend(evidence.iter().flat_map(Evidence::bytes));
    }
    SecretValue::new(bytes)
}
