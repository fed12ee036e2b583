//! Parts of SealedSecrets.

use crate::facts::checked_object::CheckedObject;
use sealwave_core::document::Node;
use sealwave_kube::catalog::SEALED_SECRETS_GROUP;

pub(super) fn is_sealed_secret(object: &CheckedObject<'_>) -> bool {
    object.is(SEALED_SECRETS_GROUP, "SealedSecret")
}

/// Returns the sealed items of a SealedSecret.
pub(super) fn items<'a>(object: &CheckedObject<'a>) -> &'a [sealwave_core::document::MappingEntry] {
    let items = object.manifest.root().at(&["spec", "encryptedData"]).and_then(Node::as_mapping);
    items.map_or(&[][..], |items| items.entries())
}
