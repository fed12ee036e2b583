//! Helpers for tests of the two backends that store references.

use serde_json::{Value as Json, json};

use super::UnresolvedItem;
use sealwave_core::diagnostic::Problem;
use sealwave_core::document::Manifest;
use sealwave_secrets::placeholder::PlaceholderText;
use sealwave_testkit::manifest;

/// Returns a Secret without items.
pub(super) fn plain_secret() -> Json {
    json!({"apiVersion": "v1", "kind": "Secret", "metadata": {"name": "app-db", "namespace": "app"}})
}

/// Builds the object for a Secret and the texts of its items.
pub(super) fn build_json(
    secret: &Json,
    items: &[(&str, &str)],
    build: impl FnOnce(Manifest, &[UnresolvedItem<'_>]) -> Result<Manifest, Vec<Problem>>,
) -> Result<Json, Vec<Problem>> {
    let secret = manifest(secret);
    let texts: Vec<PlaceholderText> =
        items.iter().map(|(_, text)| PlaceholderText::parse(text).unwrap()).collect();
    let items: Vec<UnresolvedItem<'_>> = items
        .iter()
        .zip(&texts)
        .map(|((key, _), text)| UnresolvedItem { key, origin: secret.origin(), text: Some(text) })
        .collect();
    build(secret.clone(), &items).map(|built| built.root().to_json())
}
