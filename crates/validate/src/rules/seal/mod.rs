//! Rules about committed sealed values that the controller may not be able to open.

pub(super) mod duplicate_target;
pub(crate) mod foreign_certificate;
pub(super) mod renamed;
pub(super) mod same_ciphertext;
pub(super) mod scope_mismatch;
pub(super) mod template;
pub(super) mod undecodable;

use super::Object;
use sealwave_core::document::Node;
use sealwave_kube::catalogue::SEALED;
use sealwave_secrets::Scope;

fn is_sealed_secret(object: &Object<'_>) -> bool {
    object.is(SEALED, "SealedSecret")
}

/// Returns the sealed items of a SealedSecret.
fn items<'a>(object: &Object<'a>) -> &'a [sealwave_core::document::Entry] {
    let items = object.manifest.root().at(&["spec", "encryptedData"]).and_then(Node::as_mapping);
    items.map_or(&[][..], |items| items.entries())
}
