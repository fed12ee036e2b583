//! Distributes labels and annotations of a Secret between its replacement (a `SealedSecret`, an `ExternalSecret`, …) and the
//! Secret's template; some are dropped.

use sealwave_core::document::{Manifest, Mapping, MappingEntry, Node, NodeValue, Origin};
use sealwave_core::names;
use sealwave_kube::sync;
use sealwave_secrets::SealingScope;
use sealwave_secrets::settings::{BackendKind, DerivationVersion};

/// Metadata of a generated object: only these fields are ever copied.
pub(super) struct ObjectMetadata {
    annotations: Mapping,
    generate_name: Option<Node>,
    labels: Mapping,
    name: Option<Node>,
    namespace: Option<Node>,
}

/// Returns the metadata of the object that replaces the Secret.
pub(super) fn for_argocd(secret: &Manifest, scope: SealingScope) -> ObjectMetadata {
    let mut metadata = ObjectMetadata {
        annotations: filtered(secret.annotations(), |name| is_for_argocd(name) && !is_generated(name)),
        labels: filtered(secret.labels(), is_outer_label),
        ..names_only(secret)
    };
    metadata.set_scope(scope, secret.origin());
    metadata
}

/// Returns the metadata of the Secret that the controller creates.
pub(super) fn for_template(secret: &Manifest, scope: SealingScope) -> ObjectMetadata {
    let mut metadata = ObjectMetadata {
        annotations: filtered(secret.annotations(), |name| {
            !is_for_argocd(name) && !is_last_applied(name) && !is_scope(name)
        }),
        generate_name: None,
        labels: filtered(secret.labels(), |name| !is_outer_label(name)),
        ..names_only(secret)
    };
    metadata.set_scope(scope, secret.origin());
    metadata
}

fn names_only(secret: &Manifest) -> ObjectMetadata {
    let field = |name: &str| secret.root().at(&["metadata", name]).filter(|node| !is_empty(node)).cloned();
    let name = field("name");
    ObjectMetadata {
        annotations: Mapping::default(),
        generate_name: field("generateName").filter(|_| name.is_none()),
        labels: Mapping::default(),
        name,
        namespace: field("namespace"),
    }
}

fn filtered(all: Option<&Mapping>, is_wanted: impl Fn(&str) -> bool) -> Mapping {
    let mut entries = all.cloned().unwrap_or_default();
    entries.retain(|entry| is_wanted(&entry.key));
    entries
}

/// Reports whether an annotation is for Argo CD (including Helm's hooks and resource policy) or for sealwave.
fn is_for_argocd(name: &str) -> bool {
    in_domain(name, names::ARGOCD_DOMAIN)
        || in_domain(name, names::HELM_DOMAIN)
        || in_domain(name, names::SEALWAVE_DOMAIN)
}

/// Reports whether Argo CD or sealwave writes an annotation, so that the author's value is dropped.
fn is_generated(name: &str) -> bool {
    matches!(
        name,
        names::ARGOCD_TRACKING_ID
            | names::DERIVATION
            | names::RESEALED
            | names::SEALED_FOR
            | names::SEAL_KEY_ID
    )
}

/// Reports whether a label is only for the `SealedSecret`: Argo CD may use it for tracking. Its other labels, such as
/// `argocd.argoproj.io/secret-type` of a repository's Secret, are for the Secret.
fn is_outer_label(name: &str) -> bool {
    matches!(name, names::INSTANCE_LABEL | names::ARGOCD_INSTANCE_LABEL)
}

fn is_scope(name: &str) -> bool {
    matches!(name, names::CLUSTER_WIDE | names::NAMESPACE_WIDE)
}

/// Adds `option=true` unless the author set that option or requested a replacement.
pub(super) fn add_sync_option(metadata: &mut ObjectMetadata, option: &str, at: Origin) {
    let old = metadata.annotations.get(names::ARGOCD_SYNC_OPTIONS).and_then(Node::as_str).unwrap_or("");
    if option == "ServerSideApply" && sync::has_entry(old, "Replace=true") {
        return;
    }
    if let Some(merged) = sync::with_option(old, option) {
        metadata.annotations.insert(names::ARGOCD_SYNC_OPTIONS, at, Node::string(merged, at));
    }
}

/// Adds annotations with the seal key and the destination's key.
pub(super) fn add_seal_annotations(metadata: &mut ObjectMetadata, stamp: &SealStamp, at: Origin) {
    let fingerprint = format!("sha256:{}", stamp.public_key_sha256);
    metadata.annotations.insert(names::SEALED_FOR, at, Node::string(fingerprint, at));
    let Some(SealKeyStamp { id, derivation }) = &stamp.seal_key else { return };
    metadata.annotations.insert(names::SEAL_KEY_ID, at, Node::string(id.as_str(), at));
    // Objects of `v1` predate this annotation and must not change.
    if *derivation != DerivationVersion::V1 {
        metadata.annotations.insert(names::DERIVATION, at, Node::string(derivation.as_str(), at));
    }
}

/// Lets Argo CD prune a released object only after the new supplier is healthy.
pub(super) fn keep_until_taken_over(metadata: &mut ObjectMetadata, at: Origin) {
    add_sync_option(metadata, "PruneLast", at);
}

/// Adds the annotations with which the sealed-secrets controller keeps a Secret current but no longer owns it.
pub(super) fn release_from_sealed_secrets(metadata: &mut ObjectMetadata, to: BackendKind, at: Origin) {
    for annotation in [names::MANAGED_BY_SEALED_SECRETS, names::SKIP_OWNER_REFERENCES] {
        metadata.annotations.insert(annotation, at, Node::string("true", at));
    }
    admit(metadata, to, at);
}

/// Adds to a Secret what the next backend needs to take it over.
pub(super) fn admit(metadata: &mut ObjectMetadata, to: BackendKind, at: Origin) {
    let is_true = Node::string("true", at);
    match to {
        BackendKind::ExternalSecrets => {}
        BackendKind::SealedSecrets => {
            drop(metadata.annotations.insert(names::MANAGED_BY_SEALED_SECRETS, at, is_true));
        }
        // The driver ignores Secrets without this label.
        BackendKind::SecretsStoreCsi => {
            drop(metadata.labels.insert(names::MANAGED_BY_CSI_DRIVER, at, is_true));
        }
    }
}

impl ObjectMetadata {
    fn set_scope(&mut self, scope: SealingScope, at: Origin) {
        if let Some(annotation) = scope.annotation() {
            self.annotations.insert(annotation, at, Node::string("true", at));
        }
    }

    /// Returns labels and annotations, each sorted by name.
    pub(super) fn into_maps(self) -> (Mapping, Mapping) {
        (sorted(self.labels), sorted(self.annotations))
    }

    pub(super) fn into_node(self, at: Origin) -> Node {
        let sorted = |entries: Mapping| {
            let mapping = sorted(entries);
            (!mapping.is_empty()).then(|| Node::new(NodeValue::Mapping(mapping), at))
        };
        mapping(
            at,
            [
                ("annotations", sorted(self.annotations)),
                ("generateName", self.generate_name),
                ("labels", sorted(self.labels)),
                ("name", self.name),
                ("namespace", self.namespace),
            ],
        )
    }
}

fn sorted(mut mapping: Mapping) -> Mapping {
    mapping.sort_keys();
    mapping
}

/// The destination's key, and the seal key if there is one, for annotations. Neither is secret.
pub(crate) struct SealStamp {
    /// The fingerprint of the destination's public key.
    pub(crate) public_key_sha256: String,
    /// The seal key; `None` for a committed file, whose items are sealed with fresh randomness.
    pub(crate) seal_key: Option<SealKeyStamp>,
}

/// The seal key of a rendered object.
pub(crate) struct SealKeyStamp {
    /// Its id.
    pub(crate) id: String,
    /// The derivation of the operator file.
    pub(crate) derivation: DerivationVersion,
}

/// Reports whether a field is null or an empty string.
pub(super) fn is_empty(node: &Node) -> bool {
    matches!(&node.value, NodeValue::Null) || node.as_str() == Some("")
}

/// Builds a mapping of the fields that are set.
pub(super) fn mapping<const N: usize>(at: Origin, fields: [(&str, Option<Node>); N]) -> Node {
    let entry = |(key, value): (&str, Option<Node>)| {
        value.map(|value| MappingEntry { key: key.into(), key_origin: at, value })
    };
    Node::new(NodeValue::Mapping(fields.into_iter().filter_map(entry).collect()), at)
}

/// Reports whether an annotation or label belongs to a domain or a subdomain of it (`link.argocd.argoproj.io/…`).
pub(super) fn in_domain(name: &str, domain: &str) -> bool {
    name.split_once('/')
        .and_then(|(prefix, _)| prefix.strip_suffix(domain))
        .is_some_and(|rest| rest.is_empty() || rest.ends_with('.'))
}

/// Reports whether an annotation is a copy of the whole object, including its values.
pub(super) fn is_last_applied(name: &str) -> bool {
    matches!(name, names::KUBECTL_LAST_APPLIED | names::KUBECFG_LAST_APPLIED)
}
