//! Helpers for tests of the two backends that store references.

use serde_json::{Value as Json, json};

use super::ReferredItem;
use sealwave_core::diagnostic::Problem;
use sealwave_core::document::Manifest;
use sealwave_secrets::placeholder::Text;
use sealwave_testkit::manifest;

/// Returns a Secret without items.
pub(super) fn plain() -> Json {
    json!({"apiVersion": "v1", "kind": "Secret", "metadata": {"name": "app-db", "namespace": "app"}})
}

/// Builds the object for a Secret and the texts of its items.
pub(super) fn built_of(
    secret: &Json,
    items: &[(&str, &str)],
    build: impl FnOnce(Manifest, &[ReferredItem<'_>]) -> Result<Manifest, Vec<Problem>>,
) -> Result<Json, Vec<Problem>> {
    let secret = manifest(secret);
    let texts: Vec<Text> = items.iter().map(|(_, text)| Text::parse(text).unwrap()).collect();
    let items: Vec<ReferredItem<'_>> = items
        .iter()
        .zip(&texts)
        .map(|((key, _), text)| ReferredItem { key, origin: secret.origin(), text: Some(text) })
        .collect();
    build(secret.clone(), &items).map(|built| built.root().to_json())
}
