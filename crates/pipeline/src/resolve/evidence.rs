//! What Git holds of the values of an item becomes part of what the item is made from, beside the item's own text.
//!
//! Else whoever can commit could put a guess in the place of an encrypted file, under the same placeholder, and see from
//! the sealed text or from the checksum whether it is the value that is deployed.

use std::collections::BTreeMap;

use sealwave_providers::{Evidence, FetchResult, evidence_of};
use sealwave_secrets::placeholder::Reference;
use sealwave_secrets::values::SecretValue;

/// Returns the unresolved text of an item with the evidence of its references; without any, the text as it is.
///
/// Behind the text: a zero byte, and for each reference in its order 0, or 1 and the evidence.
pub(super) fn with_evidence<'r>(
    unresolved: SecretValue,
    references: impl Iterator<Item = &'r Reference>,
    fetched: &BTreeMap<&Reference, FetchResult>,
) -> SecretValue {
    let evidence = |reference| fetched.get(reference).and_then(evidence_of);
    let all: Vec<Option<Evidence>> = references.map(evidence).collect();
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
