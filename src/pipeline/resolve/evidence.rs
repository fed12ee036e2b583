//! What values stand on that Git holds becomes part of what their items are made from, beside the items' own text.
//!
//! Else whoever can commit could put a guess in the place of an encrypted file, under the same placeholder, and see from
//! the sealed text or from the checksum whether it is the value that is deployed.

use super::{ItemValue, ResolvedObject};
use crate::model::{Reference, SecretValue};
use crate::providers::Evidence;

/// Adds the evidence of all references to the unresolved text of the items that have any; others stay as they are.
///
/// Behind the text: a zero byte, and for each reference in its order 0, or 1 and the evidence.
pub(super) fn add(objects: &mut [ResolvedObject], evidence: impl Fn(&Reference) -> Option<Evidence>) {
    let secrets = objects.iter_mut().filter_map(|object| match object {
        ResolvedObject::Plain(_) => None,
        ResolvedObject::Secret(secret) => Some(secret),
    });
    for item in secrets.flat_map(|secret| &mut secret.items) {
        let all: Vec<Option<Evidence>> = item.references.iter().map(&evidence).collect();
        if matches!(item.value, ItemValue::Withheld) || all.iter().all(Option::is_none) {
            continue;
        }
        let text = item.unresolved.expose();
        let mut bytes = Vec::with_capacity(text.len() + 1 + all.len() * (1 + size_of::<Evidence>()));
        bytes.extend_from_slice(text);
        bytes.push(0);
        for evidence in all {
            bytes.push(u8::from(evidence.is_some()));
            bytes.extend(evidence.into_iter().flatten());
        }
        item.unresolved = SecretValue::new(bytes);
    }
}
