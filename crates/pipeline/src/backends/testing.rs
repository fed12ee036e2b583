//! Helpers for tests of the backends that store references.

use serde_json::{Value as Json, json};

use super::backend::{UnresolvedItem, UnresolvedSecret};
use super::registry::ReferenceBackend;
use sealwave_core::diagnostic::Problem;
use sealwave_secrets::placeholder::PlaceholderText;
use sealwave_secrets::settings::{BackendKind, EnvironmentBackends};
use sealwave_testkit::manifest;

/// Returns a Secret without items.
pub(super) fn plain_secret() -> Json {
    json!({"apiVersion": "v1", "kind": "Secret", "metadata": {"name": "app-db", "namespace": "app"}})
}

/// Builds the object for a Secret and the texts of its items.
pub(super) fn build_json(
    secret: &Json,
    items: &[(&str, &str)],
    backend: &ReferenceBackend,
    settings: &EnvironmentBackends,
) -> Result<Json, Vec<Problem>> {
    build_released_json(secret, items, backend, settings, None)
}

/// Builds the object for a Secret that may be released to another backend.
pub(super) fn build_released_json(
    secret: &Json,
    items: &[(&str, &str)],
    backend: &ReferenceBackend,
    settings: &EnvironmentBackends,
    release_to: Option<BackendKind>,
) -> Result<Json, Vec<Problem>> {
    let manifest = manifest(secret);
    let origin = manifest.origin();
    let items = items.iter().map(|(key, text)| UnresolvedItem {
        key: (*key).into(),
        origin,
        text: Some(PlaceholderText::parse(text).unwrap()),
    });
    let secret = UnresolvedSecret { manifest, items: items.collect(), sources: Vec::new(), release_to };
    backend.build(secret, settings, &mut Vec::new()).map(|built| built.root().to_json())
}
