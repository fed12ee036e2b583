//! Builds the `SealedSecret` for a Secret, as the sealed-secrets controller needs it and as kubeseal would create it.
//!
//! The controller copies only the labels and annotations of `spec.template` to the Secret, and Argo CD reads only the
//! `SealedSecret`. So the author's metadata goes into the template, except for Argo CD's (waves, hooks, sync options,
//! tracking), which goes on the `SealedSecret`: in the template, it would make Argo CD treat the unsealed Secret as its own
//! and prune it. Only the fields named here are copied; fields that the server writes (`uid`, `resourceVersion`,
//! `managedFields`, …) are dropped.
//!
//! Values are never here: only their sizes, and then their ciphertexts.

mod checks;

use compact_str::CompactString;

use super::backend::{Backend, MeasuredSecret};
use super::common::replaced;
use super::metadata::{self, SealStamp, is_empty, mapping};
use sealwave_core::diagnostic::{Note, Problem};
use sealwave_core::document::{Manifest, MappingEntry, Node, NodeValue, Origin};
use sealwave_secrets::SealingScope;
use sealwave_secrets::settings::{BackendKind, EnvironmentBackends};

const API_VERSION: &str = "bitnami.com/v1alpha1";

/// Above this much sealed text, a client-side apply might not fit its copy of the object into an annotation (256 KiB in all).
const SERVER_SIDE_APPLY_ABOVE: usize = 240 * 1024;

/// Builds `SealedSecret` objects, in two steps: the checked Secret, and the object with the ciphertexts.
pub(crate) struct SealedSecretsBackend;

impl Backend for SealedSecretsBackend {
    type Secret = MeasuredSecret;
    type Object = SealableSecret;

    /// Checks a Secret and its items.
    ///
    /// # Errors
    /// Returns everything that the controller or the API server would reject later, or that would not be sealed as
    /// intended.
    fn build(
        &self,
        secret: MeasuredSecret,
        _: &EnvironmentBackends,
        notes: &mut Vec<Note>,
    ) -> Result<SealableSecret, Vec<Problem>> {
        let MeasuredSecret { manifest, items, release_to } = secret;
        let scope = checks::check(&manifest, &items, notes)?;
        Ok(SealableSecret { secret: manifest, scope, release_to })
    }
}

/// A sealed item.
pub(crate) struct EncryptedItem {
    /// The item's key.
    pub(crate) key: CompactString,
    /// The location of its value.
    pub(crate) origin: Origin,
    /// The sealed text.
    pub(crate) text: String,
}

/// A Secret that passed the checks for sealing.
pub(crate) struct SealableSecret {
    secret: Manifest,
    scope: SealingScope,
    /// The backend that the Secret is released to, if the supplier is being changed.
    release_to: Option<BackendKind>,
}

impl SealableSecret {
    /// Returns the scope in which the items can be unsealed.
    pub(crate) const fn scope(&self) -> SealingScope {
        self.scope
    }

    /// Returns the namespace, which may be empty for cluster-wide scope.
    pub(crate) fn namespace(&self) -> &str {
        self.secret.namespace()
    }

    /// Returns the name, which is empty if the API server generates one.
    pub(crate) fn name(&self) -> &str {
        self.secret.name()
    }

    /// Returns the name for the derivation. A generated name is not known, so its prefix is used, in a form that is not a
    /// valid name.
    pub(crate) fn sealing_name(&self) -> CompactString {
        if self.name().is_empty() {
            let prefix = self.secret.root().at(&["metadata", "generateName"]).and_then(Node::as_str);
            compact_str::format_compact!("generateName:{}", prefix.unwrap_or(""))
        } else {
            self.name().into()
        }
    }

    /// Builds the `SealedSecret`. Without a stamp, it is a preview without annotations for keys.
    pub(crate) fn build(
        self,
        stamp: Option<&SealStamp>,
        mut items: Vec<EncryptedItem>,
    ) -> Result<Manifest, Problem> {
        items.sort_by(|a, b| a.key.cmp(&b.key));
        items.dedup_by(|later, earlier| later.key == earlier.key);
        let size: usize = items.iter().map(|item| item.key.len() + item.text.len()).sum();
        let Self { secret, scope, release_to } = self;
        let at = secret.origin();
        let mut outer = metadata::for_argocd(&secret, scope);
        // A committed file is not only for Argo CD.
        if stamp.is_none_or(|stamp| stamp.seal_key.is_some()) {
            metadata::add_sync_option(&mut outer, "SkipDryRunOnMissingResource", at);
        }
        if size > SERVER_SIDE_APPLY_ABOVE {
            metadata::add_sync_option(&mut outer, "ServerSideApply", at);
        }
        if let Some(stamp) = stamp {
            metadata::add_seal_annotations(&mut outer, stamp, at);
        }
        if release_to.is_some() {
            metadata::keep_until_taken_over(&mut outer, at);
        }
        let root = mapping(
            at,
            [
                ("apiVersion", Some(Node::string(API_VERSION, at))),
                ("kind", Some(Node::string("SealedSecret", at))),
                ("metadata", Some(outer.into_node(at))),
                ("spec", Some(spec(&secret, scope, items, release_to))),
            ],
        );
        replaced(secret, root)
    }
}

fn spec(
    secret: &Manifest,
    scope: SealingScope,
    items: Vec<EncryptedItem>,
    release_to: Option<BackendKind>,
) -> Node {
    let at = secret.origin();
    let mut inner = metadata::for_template(secret, scope);
    if let Some(to) = release_to {
        metadata::release_from_sealed_secrets(&mut inner, to, at);
    }
    let encrypted = items.into_iter().map(|EncryptedItem { key, origin, text }| MappingEntry {
        key,
        key_origin: origin,
        value: Node::string(text, origin),
    });
    let field = |name: &str| secret.root().get(name).filter(|node| !is_empty(node)).cloned();
    let template = mapping(
        at,
        [("immutable", field("immutable")), ("metadata", Some(inner.into_node(at))), ("type", field("type"))],
    );
    mapping(
        at,
        [
            ("encryptedData", Some(Node::new(NodeValue::Mapping(encrypted.collect()), at))),
            ("template", Some(template)),
        ],
    )
}
