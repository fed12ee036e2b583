//! Code shared by the backends that store references.

use serde_json::Value as Json;

use super::backend::UnresolvedSecret;
use super::metadata_types::metadata_type_errors;
use super::refusal::{CommonReason, RefusalCollector, RefusalReason};
use super::{metadata, naming};
use sealwave_core::diagnostic::{Explain, Problem};
use sealwave_core::document::{Manifest, ManifestError, Node, NodeValue};
use sealwave_secrets::SealingScope;
use sealwave_secrets::placeholder::{KeySource, PROVIDER_KINDS, PlaceholderText, SecretReference};
use sealwave_secrets::settings::SecretService;

/// A builder of an object that replaces a Secret.
pub(super) trait ObjectBuilder {
    /// The object with its article, for messages.
    const OBJECT: &'static str;

    /// The reasons for which the object cannot express something.
    type Reason: RefusalReason + From<CommonReason>;

    /// Rejects Secrets that the object cannot express, in addition to [`check_fields`].
    fn check_secret(secret: &Manifest, refusals: &mut RefusalCollector<'_>);

    /// Adds a secret whose keys all become items; all of these come before the first item.
    fn add_source(&mut self, source: &KeySource) -> Result<(), Self::Reason>;

    /// Adds an item; its text has a placeholder.
    fn add_item(&mut self, key: &str, text: &PlaceholderText) -> Result<(), Self::Reason>;

    /// Returns the object; its `metadata` is null, and [`build_object`] fills it in.
    fn finish(self, secret: &Manifest) -> Json;
}

/// Builds the object that replaces a Secret.
pub(super) fn build_object<D: ObjectBuilder>(
    secret: UnresolvedSecret,
    mut draft: D,
) -> Result<Manifest, Vec<Problem>> {
    let UnresolvedSecret { manifest: secret, items, sources, release_to } = secret;
    let (namespace, name) = (secret.namespace().to_owned(), secret.name().to_owned());
    let mut refusals = RefusalCollector::new(D::OBJECT, &namespace, &name);
    check_fields(&secret, &mut refusals);
    D::check_secret(&secret, &mut refusals);
    for source in &sources {
        if let Err(reason) = draft.add_source(source) {
            refusals.refuse_secret(source.origin, &reason);
        }
    }
    for item in &items {
        let text = item.text.as_ref().filter(|text| !text.is_literal());
        let text = text.ok_or_else(|| CommonReason::Literal.into());
        if let Err(reason) = text.and_then(|text| draft.add_item(&item.key, text)) {
            refusals.refuse_item(&item.key, item.origin, &reason);
        }
    }
    refusals.into_result(())?;
    let at = secret.origin();
    let mut outer = metadata::for_argocd(&secret, SealingScope::Strict);
    metadata::add_sync_option(&mut outer, "SkipDryRunOnMissingResource", at);
    if release_to.is_some() {
        metadata::keep_until_taken_over(&mut outer, at);
    }
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

/// The kind of providers whose values no controller can fetch, under any settings.
const DERIVED: &str = "derive";

/// Returns the refusal of a provider that is not configured.
pub(super) fn unknown_provider(provider: &str, section: &'static str) -> CommonReason {
    if provider == DERIVED {
        return CommonReason::Derived;
    }
    CommonReason::UnknownProvider {
        provider: provider.to_owned(),
        section,
        readable: !is_sealwave_only(provider),
    }
}

/// Reports whether a provider is of a kind that controllers in a cluster cannot read.
fn is_sealwave_only(provider: &str) -> bool {
    PROVIDER_KINDS.contains(&provider) && SecretService::from_name(provider).is_none()
}

/// Checks the fields of a Secret that are copied unchanged.
fn check_fields(secret: &Manifest, refusals: &mut RefusalCollector<'_>) {
    if secret.name().is_empty() {
        refusals.refuse_secret(secret.origin(), &CommonReason::NoName);
    }
    for (origin, error) in naming::naming_errors(secret) {
        refusals.refuse_secret(origin, &CommonReason::Naming(error));
    }
    for (origin, error) in metadata_type_errors(secret, |_| false) {
        refusals.refuse_secret(origin, &CommonReason::MetadataType(error));
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
                &CommonReason::WrongType { field, expected, found: node.type_name() },
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
