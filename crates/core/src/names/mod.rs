//! Names of annotations and labels, each in one place.

pub mod dns;
mod item_key;

pub use item_key::{MAX_ITEM_KEY, UNKNOWN_KEYS, is_item_key, item_label};

/// Domain of annotations for Argo CD; also the suffix of others, such as `link.argocd.argoproj.io/`.
pub const ARGOCD_DOMAIN: &str = "argocd.argoproj.io";
/// Argo CD's tracking annotation, which only Argo CD writes.
pub const ARGOCD_TRACKING_ID: &str = "argocd.argoproj.io/tracking-id";
/// Argo CD's hook annotation.
pub const ARGOCD_HOOK: &str = "argocd.argoproj.io/hook";
/// Argo CD's annotation for when a hook is deleted.
pub const ARGOCD_HOOK_DELETE_POLICY: &str = "argocd.argoproj.io/hook-delete-policy";
/// Argo CD's sync options of an object, separated by commas.
pub const ARGOCD_SYNC_OPTIONS: &str = "argocd.argoproj.io/sync-options";
/// The wave in which Argo CD applies an object.
pub const ARGOCD_SYNC_WAVE: &str = "argocd.argoproj.io/sync-wave";
/// The label that Argo CD tracks by, if configured to track by label.
pub const INSTANCE_LABEL: &str = "app.kubernetes.io/instance";
/// The label that Argo CD's documentation recommends for tracking instead.
pub const ARGOCD_INSTANCE_LABEL: &str = "argocd.argoproj.io/instance";
/// Domain of Helm's hooks and resource policy, which Argo CD also honors.
pub const HELM_DOMAIN: &str = "helm.sh";
/// Helm's annotation for hooks, which Argo CD maps to its own.
pub const HELM_HOOK: &str = "helm.sh/hook";
/// Helm's annotation for when a hook is deleted, which Argo CD also honors.
pub const HELM_HOOK_DELETE_POLICY: &str = "helm.sh/hook-delete-policy";
/// The annotation in which `kubectl apply` stores a copy of the whole object, values included.
pub const KUBECTL_LAST_APPLIED: &str = "kubectl.kubernetes.io/last-applied-configuration";
/// The same for kubecfg.
pub const KUBECFG_LAST_APPLIED: &str = "kubecfg.ksonnet.io/last-applied-configuration";

/// Domain of argocd-vault-plugin's annotations.
pub const AVP_DOMAIN: &str = "avp.kubernetes.io";
/// `true` makes argocd-vault-plugin ignore an object.
pub const AVP_IGNORE: &str = "avp.kubernetes.io/ignore";
/// The KV version of the Vault mount: `1` or `2`.
pub const AVP_KV_VERSION: &str = "avp.kubernetes.io/kv-version";
/// The path that every `<key>` of an object refers to.
pub const AVP_PATH: &str = "avp.kubernetes.io/path";
/// `true` makes argocd-vault-plugin omit keys whose value does not exist.
pub const AVP_REMOVE_MISSING: &str = "avp.kubernetes.io/remove-missing";
/// The version that every `<key>` of an object refers to.
pub const AVP_SECRET_VERSION: &str = "avp.kubernetes.io/secret-version";

/// `true` allows a `SealedSecret` to be unsealed anywhere in its cluster.
pub const CLUSTER_WIDE: &str = "sealedsecrets.bitnami.com/cluster-wide";
/// `true` on a Secret lets the Secrets Store CSI driver watch it, and keep it current.
pub const MANAGED_BY_CSI_DRIVER: &str = "secrets-store.csi.k8s.io/managed";
/// `true` on a Secret allows the sealed-secrets controller to overwrite it, although no `SealedSecret` owns it.
pub const MANAGED_BY_SEALED_SECRETS: &str = "sealedsecrets.bitnami.com/managed";
/// `true` in a template lets the sealed-secrets controller remove its owner reference from the Secret.
pub const SKIP_OWNER_REFERENCES: &str = "sealedsecrets.bitnami.com/skip-set-owner-references";
/// `true` allows a `SealedSecret` to be unsealed under any name in its namespace.
pub const NAMESPACE_WIDE: &str = "sealedsecrets.bitnami.com/namespace-wide";

/// Prefix of the annotations that suppress a rule for one object; the rule's id follows, with a dot for its slash.
pub const IGNORE_PREFIX: &str = "ignore.sealwave.dev/";
/// Domain of our own annotations.
pub const SEALWAVE_DOMAIN: &str = "sealwave.dev";
/// The derivation that an object was sealed with; `v1` is not written.
pub const DERIVATION: &str = "sealwave.dev/derivation";
/// `true` declares text that looks like a placeholder to be literal.
pub const LITERAL: &str = "sealwave.dev/literal";
/// The record of re-sealing a committed `SealedSecret`: the digests of its first ciphertexts, from which checksums are computed.
pub const RESEALED: &str = "sealwave.dev/resealed";
/// Secrets whose keys all become items of a Secret.
pub const STRING_DATA_FROM: &str = "sealwave.dev/string-data-from";
/// Fingerprint of the public key that an object was sealed for: the same for each certificate of that key.
pub const SEALED_FOR: &str = "sealwave.dev/certificate";
/// Id of the seal key that an object was sealed under; not secret.
pub const SEAL_KEY_ID: &str = "sealwave.dev/seal-key-id";
