//! A note about references whose key seems to be part of the path.

use std::collections::BTreeMap;

use super::problem::ReferencePlaces;
use sealwave_core::diagnostic::{Explain, Note, Problem};
use sealwave_secrets::placeholder::SecretReference;

#[derive(Debug, thiserror::Error)]
#[error("reference `{reference}` has no key: `:` is part of its path")]
struct ColonKey {
    reference: SecretReference,
    meant: SecretReference,
}

impl Explain for ColonKey {
    fn hint(&self) -> Option<String> {
        Some(format!("write `<{}>`", self.meant))
    }
}

/// Returns a warning for each reference that has a `:` where a key usually starts with `#`.
pub(super) fn notes(
    references: &BTreeMap<SecretReference, ReferencePlaces>,
) -> impl Iterator<Item = Note> + '_ {
    references.iter().filter_map(|(reference, places)| {
        let meant = reference.with_key_after_colon()?;
        Some(Note::warning(Problem::at(places.first(), &ColonKey { reference: reference.clone(), meant })))
    })
}
