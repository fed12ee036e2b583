//! Who gets which label and annotation: the object that stands for a Secret (a `SealedSecret`, an `ExternalSecret`, …), the
//! template of the Secret, or nobody.

use super::sealed_secrets::{Stamp, in_domain, is_empty, is_last_applied, mapping};
use sealwave_core::document::{Manifest, Mapping, Node, Origin, Value};
use sealwave_core::names;
use sealwave_kube::sync;
use sealwave_secrets::Scope;
use sealwave_secrets::settings::Derivation;

/// Metadata in the making: only these fields are ever taken over.
pub(super) struct Metadata {
    annotations: Mapping,
    generate_name: Option<Node>,
    labels: Mapping,
    name: Option<Node>,
    namespace: Option<Node>,
}

/// The metadata of the object that stands for the Secret.
pub(super) fn for_argocd(secret: &Manifest, scope: Scope) -> Metadata {
    let mut metadata = Metadata {
        annotations: picked(secret.annotations(), |name| is_for_argocd(name) && !is_ours_to_write(name)),
        labels: picked(secret.labels(), is_outer_label),
        ..named(secret)
    };
    metadata.set_scope(scope, secret.origin());
    metadata
}

/// The metadata of the Secret that the controller makes.
pub(super) fn for_template(secret: &Manifest, scope: Scope) -> Metadata {
    let mut metadata = Metadata {
        annotations: picked(secret.annotations(), |name| {
            !is_for_argocd(name) && !is_last_applied(name) && !is_scope(name)
        }),
        generate_name: None,
        labels: picked(secret.labels(), |name| !is_outer_label(name)),
        ..named(secret)
    };
    metadata.set_scope(scope, secret.origin());
    metadata
}

fn named(secret: &Manifest) -> Metadata {
    let field = |name: &str| secret.root().at(&["metadata", name]).filter(|node| !is_empty(node)).cloned();
    let name = field("name");
    Metadata {
        annotations: Mapping::default(),
        generate_name: field("generateName").filter(|_| name.is_none()),
        labels: Mapping::default(),
        name,
        namespace: field("namespace"),
    }
}

fn picked(all: Option<&Mapping>, wanted: impl Fn(&str) -> bool) -> Mapping {
    let mut some = all.cloned().unwrap_or_default();
    some.retain(|entry| wanted(&entry.key));
    some
}

/// Whether an annotation is for Argo CD (Helm's hooks and resource policy included) or for sealwave.
fn is_for_argocd(name: &str) -> bool {
    in_domain(name, names::ARGOCD_DOMAIN)
        || in_domain(name, names::HELM_DOMAIN)
        || in_domain(name, names::SEALWAVE_DOMAIN)
}

/// Whether an annotation is Argo CD's or sealwave's to write, whatever the author wrote.
fn is_ours_to_write(name: &str) -> bool {
    matches!(name, names::ARGOCD_TRACKING_ID | names::DERIVATION | names::SEALED_FOR | names::SEAL_KEY_ID)
}

/// Whether a label is for the `SealedSecret` alone: those that Argo CD may track by. Its other labels are for the Secret, such as
/// `argocd.argoproj.io/secret-type` on the Secret of a repository.
fn is_outer_label(name: &str) -> bool {
    matches!(name, names::INSTANCE_LABEL | names::ARGOCD_INSTANCE_LABEL)
}

fn is_scope(name: &str) -> bool {
    matches!(name, names::CLUSTER_WIDE | names::NAMESPACE_WIDE)
}

/// Adds `option=true` unless the author decided about that option, or asked for a replacement.
pub(super) fn add_sync_option(metadata: &mut Metadata, option: &str, at: Origin) {
    let old = metadata.annotations.get(names::ARGOCD_SYNC_OPTIONS).and_then(Node::as_str).unwrap_or("");
    if option == "ServerSideApply" && sync::has_entry(old, "Replace=true") {
        return;
    }
    if let Some(merged) = sync::with_option(old, option) {
        metadata.annotations.insert(names::ARGOCD_SYNC_OPTIONS, at, Node::string(merged, at));
    }
}

/// Says by which key and for which key the items were sealed.
pub(super) fn stamp(metadata: &mut Metadata, stamp: Option<&Stamp>, at: Origin) {
    let Some(stamp) = stamp else { return };
    let fingerprint = format!("sha256:{}", stamp.public_key_sha256);
    metadata.annotations.insert(names::SEALED_FOR, at, Node::string(fingerprint, at));
    metadata.annotations.insert(names::SEAL_KEY_ID, at, Node::string(stamp.seal_key_id.as_str(), at));
    // The objects of `v1` are older than this annotation, and must not change.
    if stamp.derivation != Derivation::V1 {
        metadata.annotations.insert(names::DERIVATION, at, Node::string(stamp.derivation.as_str(), at));
    }
}

impl Metadata {
    fn set_scope(&mut self, scope: Scope, at: Origin) {
        if let Some(annotation) = scope.annotation() {
            self.annotations.insert(annotation, at, Node::string("true", at));
        }
    }

    /// Labels and annotations, each in the order of their names.
    pub(super) fn into_maps(self) -> (Mapping, Mapping) {
        (sorted(self.labels), sorted(self.annotations))
    }

    pub(super) fn into_node(self, at: Origin) -> Node {
        let sorted = |entries: Mapping| {
            let mapping = sorted(entries);
            (!mapping.is_empty()).then(|| Node::new(Value::Mapping(mapping), at))
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

fn sorted(entries: Mapping) -> Mapping {
    let mut entries = entries.into_entries();
    entries.sort_by(|a, b| a.key.cmp(&b.key));
    let mut mapping = Mapping::with_capacity(entries.len());
    for entry in entries {
        mapping.push_new(entry);
    }
    mapping
}
