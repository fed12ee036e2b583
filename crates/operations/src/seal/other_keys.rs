//! The keys of items that stay in a SealedSecret when others are added.

use std::collections::BTreeSet;

use sealwave_core::diagnostic::{Explain, printable};
use sealwave_core::names::{RESEALED, SEALED_FOR};
use sealwave_core::text::counted;
use sealwave_secrets::crypto::Certificate;
use sealwave_secrets::resealed::{ResealRecord, SealedItemId};

use crate::certificates::short_fingerprint;
use crate::sealed_files::SealedObject;

/// The annotation of an object whose items are sealed for several certificates.
pub(super) const MIXED: &str = "mixed";

/// Items that stay in an object and are sealed for other keys than the new ones: one controller may not have all of them.
#[derive(Debug, thiserror::Error)]
#[error("{} of SealedSecret `{}` {} sealed for {}, not for this certificate", counted(*.items, "other item"), printable(.name), if *.items == 1 { "is" } else { "are" }, other_keys(.keys))]
pub(super) struct OtherKeys {
    name: String,
    items: usize,
    /// The starts of the fingerprints that are known.
    keys: BTreeSet<String>,
}

impl Explain for OtherKeys {
    fn hint(&self) -> Option<String> {
        Some("check the certificate; `sealwave reseal` seals all items of a file for one key".to_owned())
    }
}

fn other_keys(keys: &BTreeSet<String>) -> String {
    if keys.is_empty() {
        return "another key".to_owned();
    }
    let keys: Vec<String> = keys.iter().map(|key| format!("key sha256:{key}")).collect();
    keys.join(" or ")
}

impl OtherKeys {
    /// Looks for the keys of the items that are not replaced: in the record of `reseal`, in our annotation, or in the ciphertexts,
    /// which can only rule out a key. `None` if nothing speaks for another key.
    pub(super) fn of_kept_items(
        object: &SealedObject,
        namespace: &str,
        new: &[(&str, &str)],
        certificate: &Certificate,
    ) -> Option<Self> {
        let own = certificate.details().public_key_sha256.as_str();
        let record = object.annotation(RESEALED).and_then(|text| ResealRecord::parse(text).ok());
        let claim = object.annotation(SEALED_FOR);
        let claimed = claim.and_then(|claim| claim.strip_prefix("sha256:"));
        let claimed =
            claimed.filter(|key| key.len() == own.len() && key.bytes().all(|byte| byte.is_ascii_hexdigit()));
        let mut others = Self { name: object.name.clone(), items: 0, keys: BTreeSet::new() };
        for item in object.items.iter().filter(|item| new.iter().all(|(key, _)| *key != item.key)) {
            let id = SealedItemId { namespace, name: &object.name, scope: object.scope, key: &item.key };
            let recorded = record.as_ref().and_then(|record| record.bound(&id, &item.ciphertext));
            let key = recorded.map(|bound| bound.public_key_sha256).or(claimed);
            let is_other = match key {
                Some(key) => key != own,
                None => claim == Some(MIXED) || certificate.rules_out(&item.ciphertext),
            };
            if is_other {
                others.items += 1;
                others.keys.extend(key.map(short_fingerprint));
            }
        }
        (others.items > 0).then_some(others)
    }
}
