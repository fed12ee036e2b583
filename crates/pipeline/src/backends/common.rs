//! Code shared by the two backends that store references.

use serde_json::Value as Json;

use super::refusal::{RefusalCollector, RefusalReason};
use super::{metadata, naming};
use sealwave_core::diagnostic::{Explain, Problem};
use sealwave_core::document::{Manifest, ManifestError, Node, NodeValue, Origin};
use sealwave_secrets::SealingScope;
use sealwave_secrets::placeholder::{PlaceholderText, SecretReference};
use sealwave_secrets::settings::BackendKind;
use sealwave_secrets::values::KeySource;

/// An item of a Secret for a backend that stores references.
#[derive(Clone, Copy)]
pub(crate) struct UnresolvedItem<'a> {
    /// The item's key.
    pub(crate) key: &'a str,
    /// The location of its value.
    pub(crate) origin: Origin,
    /// Its text; `None` for literal bytes.
    pub(crate) text: Option<&'a PlaceholderText>,
}

/// A builder of an object that replaces a Secret.
pub(super) trait ObjectBuilder {
    /// The backend.
    const BACKEND: BackendKind;

    /// Rejects Secrets that the object cannot express, in addition to [`check_fields`].
    fn check_secret(secret: &Manifest, refusals: &mut RefusalCollector<'_>);

    /// Adds a secret whose keys all become items; all of these come before the first item.
    fn add_source(&mut self, source: &KeySource) -> Result<(), RefusalReason>;

    /// Adds an item; its text has a placeholder.
    fn add_item(&mut self, key: &str, text: &PlaceholderText) -> Result<(), RefusalReason>;

    /// Returns the object; its `metadata` is null, and [`translate`] fills it in.
    fn finish(self, secret: &Manifest) -> Json;
}

/// Builds the object that replaces a Secret.
pub(super) fn build_object<D: ObjectBuilder>(
    secret: Manifest,
    items: &[UnresolvedItem<'_>],
    sources: &[KeySource],
    mut draft: D,
) -> Result<Manifest, Vec<Problem>> {
    let (namespace, name) = (secret.namespace().to_owned(), secret.name().to_owned());
    let mut refusals = RefusalCollector::new(D::BACKEND, &namespace, &name);
    check_fields(&secret, &mut refusals);
    D::check_secret(&secret, &mut refusals);
    for source in sources {
        if let Err(why) = draft.add_source(source) {
            refusals.refuse_secret(source.origin, why);
        }
    }
    for item in items {
        let text = item.text.filter(|text| !text.is_literal()).ok_or(RefusalReason::Literal);
        if let Err(why) = text.and_then(|text| draft.add_item(item.key, text)) {
            refusals.refuse_item(item.key, item.origin, why);
        }
    }
    refusals.into_result(())?;
    let at = secret.origin();
    let mut outer = metadata::for_argocd(&secret, SealingScope::Strict);
    metadata::add_sync_option(&mut outer, "SkipDryRunOnMissingResource", at);
    let mut root = Node::from_json(&draft.finish(&secret), at);
    if let Some(metadata) = root.at_mut(&["metadata"]) {
        *metadata = outer.into_node(at);
    }
    replaced(secret, root).map_err(|problem| vec![problem])
}

/// An error of a backend that builds a tree that is not an object.
#[derive(Debug, thiserror::Error)]
#[error("Secret `{name}` cannot be replaced: {error}")]
struct ReplacementError {
    name: String,
    error: ManifestError,
}

impl Explain for ReplacementError {
    fn hint(&self) -> Option<String> {
        Some("this is a bug in sealwave; please report it (without the Secret)".to_owned())
    }
}

/// Replaces a Secret by the tree that a backend built for it.
pub(super) fn replaced(secret: Manifest, root: Node) -> Result<Manifest, Problem> {
    let (at, name) = (secret.origin(), secret.name().to_owned());
    secret.replaced(root).map_err(|error| Problem::at(at, &ReplacementError { name, error }))
}

/// Kinds of providers that operators in a cluster cannot read.
const SEALWAVE_ONLY: [&str; 4] = ["env", "file", "k8s", "sops"];

/// Returns the refusal of a provider that is not configured.
pub(super) fn unknown_provider(provider: &str, section: &'static str) -> RefusalReason {
    RefusalReason::UnknownProvider {
        provider: provider.to_owned(),
        section,
        readable: !SEALWAVE_ONLY.contains(&provider),
    }
}

/// Checks the fields of a Secret that are copied unchanged.
fn check_fields(secret: &Manifest, refusals: &mut RefusalCollector<'_>) {
    if secret.name().is_empty() {
        refusals.refuse_secret(secret.origin(), RefusalReason::NoName);
    }
    for (origin, error) in naming::naming_errors(secret) {
        refusals.refuse_secret(origin, RefusalReason::Naming(error));
    }
    let fields: [(&[&str], &'static str, &'static str); 5] = [
        (&["immutable"], "immutable", "boolean"),
        (&["metadata", "annotations"], "metadata.annotations", "object"),
        (&["metadata", "labels"], "metadata.labels", "object"),
        (&["metadata", "namespace"], "metadata.namespace", "string"),
        (&["type"], "type", "string"),
    ];
    for (path, field, expected) in fields {
        if let Some(node) = secret.root().at(path)
            && node.type_name() != expected
            && node.value != NodeValue::Null
        {
            refusals.refuse_secret(
                node.origin,
                RefusalReason::WrongType { field, expected, found: node.type_name() },
            );
        }
    }
}

/// Returns the type of a Secret.
pub(super) fn declared_type(secret: &Manifest) -> &str {
    secret.root().get("type").and_then(Node::as_str).filter(|text| !text.is_empty()).unwrap_or("Opaque")
}

/// Reports whether a Secret is immutable.
pub(super) fn is_immutable(secret: &Manifest) -> bool {
    matches!(secret.root().get("immutable").map(|node| &node.value), Some(NodeValue::Bool(true)))
}

/// Reports whether a version of AWS Secrets Manager is an id (a UUID) and not a staging label.
pub(super) fn is_version_id(version: &str) -> bool {
    let groups: Vec<&str> = version.split('-').collect();
    groups.iter().map(|group| group.len()).eq([8, 4, 4, 4, 12])
        && groups.iter().all(|group| group.bytes().all(|byte| byte.is_ascii_hexdigit()))
}

/// Formats a reference for messages, without its version.
pub(super) fn display_reference(reference: &SecretReference) -> String {
    SecretReference { version: None, ..reference.clone() }.to_string()
}
