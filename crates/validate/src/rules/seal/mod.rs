//! Rules about committed sealed values that the controller may not be able to open.

pub(super) mod duplicate_target;
pub(crate) mod foreign_certificate;
pub(super) mod renamed;
pub(super) mod same_ciphertext;
pub(super) mod scope_mismatch;
pub(super) mod template;
pub(super) mod undecodable;

use super::CheckedObject;
use sealwave_core::document::Node;
use sealwave_kube::catalog::SEALED_SECRETS_GROUP;
use sealwave_secrets::SealingScope;

fn is_sealed_secret(object: &CheckedObject<'_>) -> bool {
    object.is(SEALED_SECRETS_GROUP, "SealedSecret")
}

/// Returns the sealed items of a SealedSecret.
fn items<'a>(object: &CheckedObject<'a>) -> &'a [sealwave_core::document::MappingEntry] {
    let items = object.manifest.root().at(&["spec", "encryptedData"]).and_then(Node::as_mapping);
    items.map_or(&[][..], |items| items.entries())
}
