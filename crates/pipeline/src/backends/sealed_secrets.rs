//! The `SealedSecret` of a Secret, as the sealed-secrets controller needs it and as kubeseal would make it.
//!
//! What goes where: the controller gives the Secret that it makes the labels and annotations of `spec.template` only, and
//! Argo CD looks at the `SealedSecret` only. So the author's metadata goes into the template, except what is meant for Argo CD
//! (waves, hooks, sync options, tracking), which goes on the `SealedSecret`: in the template it would make Argo CD take the
//! unsealed Secret for one of its own and prune it. Only what is named here is taken over; what the server writes
//! (`uid`, `resourceVersion`, `managedFields`, …) is left behind.
//!
//! Of the values of the Secret only the sizes count here.

mod checks;

use compact_str::CompactString;

use super::metadata;
use sealwave_core::diagnostic::{Note, Problem};
use sealwave_core::document::{Entry, Manifest, Mapping, Node, Origin, Value};
use sealwave_core::names;
use sealwave_secrets::Scope;
use sealwave_secrets::settings::Derivation;
use sealwave_secrets::values::SecretValue;

const API_VERSION: &str = "bitnami.com/v1alpha1";

/// Above this much sealed text, a client-side apply may not fit its copy of the object into an annotation (256 KiB in all).
const SERVER_SIDE_APPLY_ABOVE: usize = 240 * 1024;

/// What is known of an item before it is sealed.
#[derive(Clone, Copy)]
pub(crate) struct ItemShape<'a> {
    /// Its key.
    pub(crate) key: &'a str,
    /// Where its value stands.
    pub(crate) origin: Origin,
    /// Its value, where it is known.
    pub(crate) value: Option<&'a SecretValue>,
}

/// By whom and for whom items are sealed, for annotations; neither is secret.
pub(crate) struct Stamp {
    /// Id of the seal key.
    pub(crate) seal_key_id: String,
    /// Fingerprint of the destination's public key.
    pub(crate) public_key_sha256: String,
    /// The derivation of the operator file.
    pub(crate) derivation: Derivation,
}

/// An item that is ready to be written.
pub(crate) struct EncryptedItem {
    /// Its key.
    pub(crate) key: CompactString,
    /// Where its value stands.
    pub(crate) origin: Origin,
    /// The sealed text.
    pub(crate) text: String,
}

/// A Secret that was found fit to be sealed.
pub(crate) struct Blueprint {
    secret: Manifest,
    scope: Scope,
}

impl Blueprint {
    /// Checks a Secret and its items.
    ///
    /// # Errors
    /// Everything that the controller or the API server would refuse later, or that would be sealed otherwise than its author
    /// meant.
    pub(crate) fn new(
        secret: Manifest,
        items: &[ItemShape<'_>],
        notes: &mut Vec<Note>,
    ) -> Result<Self, Vec<Problem>> {
        let scope = checks::check(&secret, items, notes)?;
        Ok(Self { secret, scope })
    }

    /// Where the items may be opened.
    pub(crate) const fn scope(&self) -> Scope {
        self.scope
    }

    /// The namespace; may be empty for cluster-wide scope.
    pub(crate) fn namespace(&self) -> &str {
        self.secret.namespace()
    }

    /// The name; empty where the API server is to make one.
    pub(crate) fn name(&self) -> &str {
        self.secret.name()
    }

    /// What stands for the name in the derivation. A generated name is not known, so its prefix stands in for it, in a form
    /// that no name can have.
    pub(crate) fn sealing_name(&self) -> CompactString {
        if self.name().is_empty() {
            let prefix = self.secret.root().at(&["metadata", "generateName"]).and_then(Node::as_str);
            compact_str::format_compact!("generateName:{}", prefix.unwrap_or(""))
        } else {
            self.name().into()
        }
    }

    /// The `SealedSecret`. Without a stamp it is a preview, and says nothing of keys.
    pub(crate) fn build(self, stamp: Option<&Stamp>, mut items: Vec<EncryptedItem>) -> Manifest {
        items.sort_by(|a, b| a.key.cmp(&b.key));
        items.dedup_by(|later, earlier| later.key == earlier.key);
        let size: usize = items.iter().map(|item| item.key.len() + item.text.len()).sum();
        let Self { mut secret, scope } = self;
        let at = secret.origin();
        let mut outer = metadata::for_argocd(&secret, scope);
        metadata::add_sync_option(&mut outer, "SkipDryRunOnMissingResource", at);
        if size > SERVER_SIDE_APPLY_ABOVE {
            metadata::add_sync_option(&mut outer, "ServerSideApply", at);
        }
        metadata::stamp(&mut outer, stamp, at);
        let root = mapping(
            at,
            [
                ("apiVersion", Some(Node::string(API_VERSION, at))),
                ("kind", Some(Node::string("SealedSecret", at))),
                ("metadata", Some(outer.into_node(at))),
                ("spec", Some(spec(&secret, scope, items))),
            ],
        );
        // In place: it has a kind, a version and the same name as before, so it still is a manifest.
        *secret.root_mut() = root;
        secret
    }
}

fn spec(secret: &Manifest, scope: Scope, items: Vec<EncryptedItem>) -> Node {
    let at = secret.origin();
    let mut encrypted = Mapping::with_capacity(items.len());
    for item in items {
        let value = Node::string(item.text, item.origin);
        encrypted.push_new(Entry { key: item.key, key_origin: item.origin, value });
    }
    let field = |name: &str| secret.root().get(name).filter(|node| !is_empty(node)).cloned();
    let template = mapping(
        at,
        [
            ("immutable", field("immutable")),
            ("metadata", Some(metadata::for_template(secret, scope).into_node(at))),
            ("type", field("type")),
        ],
    );
    mapping(
        at,
        [("encryptedData", Some(Node::new(Value::Mapping(encrypted), at))), ("template", Some(template))],
    )
}

/// Whether a field says nothing: null, or an empty text.
pub(super) fn is_empty(node: &Node) -> bool {
    matches!(&node.value, Value::Null) || node.as_str() == Some("")
}

/// A mapping of those fields that are there.
pub(super) fn mapping<const N: usize>(at: Origin, fields: [(&str, Option<Node>); N]) -> Node {
    let mut mapping = Mapping::with_capacity(N);
    for (key, value) in fields {
        if let Some(value) = value {
            mapping.push_new(Entry { key: key.into(), key_origin: at, value });
        }
    }
    Node::new(Value::Mapping(mapping), at)
}

/// Whether an annotation or a label belongs to a domain or to one below it (`link.argocd.argoproj.io/…`).
pub(super) fn in_domain(name: &str, domain: &str) -> bool {
    name.split_once('/')
        .and_then(|(prefix, _)| prefix.strip_suffix(domain))
        .is_some_and(|rest| rest.is_empty() || rest.ends_with('.'))
}

/// Whether an annotation is a copy of the whole object, values included.
pub(super) fn is_last_applied(name: &str) -> bool {
    matches!(name, names::KUBECTL_LAST_APPLIED | names::KUBECFG_LAST_APPLIED)
}
