//! The app file, `sealwave.yaml`: what an author says about an app. It comes from Git and is not trusted.

use std::collections::BTreeMap;
use std::path::PathBuf;

use serde::Deserialize;

use super::{Backend, ExternalSecretsSettings, ObjectPattern, SecretsStoreCsiSettings, ValidationSettings};
use sealwave_core::document::Manifest;
use sealwave_kube::pods::WorkloadKind;
use sealwave_kube::sync::Waves;

/// `apiVersion` of both files.
pub const API_VERSION: &str = "sealwave.dev/v1alpha1";

/// The group of it.
pub const API_GROUP: &str = "sealwave.dev";

/// Name of the app file.
pub const APP_FILE: &str = "sealwave.yaml";

/// An app file.
#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct App {
    /// Always [`API_VERSION`].
    pub api_version: String,
    /// Always `App`.
    pub kind: String,
    /// For objects without a namespace; else the destination's namespace.
    #[serde(default)]
    pub namespace: Option<String>,
    /// What a placeholder Secret becomes, unless the environment says otherwise.
    #[serde(default)]
    pub backend: Backend,
    /// The tool whose placeholders this app's Secrets were written for, besides sealwave's own.
    #[serde(default)]
    pub compatibility: Option<Compatibility>,
    /// What the backend `external-secrets` needs to know.
    #[serde(default)]
    pub external_secrets: ExternalSecretsSettings,
    /// What the backend `secrets-store-csi` needs to know.
    #[serde(default)]
    pub secrets_store_csi: SecretsStoreCsiSettings,
    /// The provider that `<path:…>` means.
    #[serde(default)]
    pub provider: Option<String>,
    /// Environments by name; by default each directory under `envs/`.
    #[serde(default)]
    pub environments: BTreeMap<String, Environment>,
    /// Objects whose texts are meant as they are, although they look like placeholders; never Secrets.
    #[serde(default)]
    pub literals: Vec<ObjectPattern>,
    /// What `validate` should know.
    #[serde(default)]
    pub validate: ValidationSettings,
    /// Waves by kind.
    #[serde(default)]
    pub waves: Waves,
    /// Workload kinds beyond the built-in ones.
    #[serde(default)]
    pub workloads: Vec<WorkloadKind>,
}

impl App {
    /// Returns how the texts of its objects are read.
    #[must_use]
    pub fn reading(&self) -> Reading<'_> {
        Reading { compatibility: self.compatibility, literals: &self.literals }
    }
}

/// How the texts of an app's objects are read.
#[derive(Clone, Copy, Debug, Default)]
pub struct Reading<'a> {
    /// The tool whose placeholders count as well.
    pub compatibility: Option<Compatibility>,
    /// Objects other than Secrets whose texts stand for themselves.
    pub literals: &'a [ObjectPattern],
}

impl Reading<'_> {
    /// Whether the texts of an object stand for themselves.
    pub fn is_literal(&self, object: &Manifest) -> bool {
        let id = || format!("{}/{}/{}", object.kind(), object.namespace(), object.name());
        !self.literals.is_empty() && self.literals.iter().any(|pattern| pattern.matches(&id()))
    }
}

/// One environment of an app.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Environment {
    /// A cluster that the operator file knows; by default the environment's own name.
    #[serde(default)]
    pub cluster: Option<String>,
    /// Instead of the app's.
    #[serde(default)]
    pub backend: Option<Backend>,
    /// Secrets with another backend than the environment's, by name, or by `namespace/name`, which stands before a name.
    /// Each entry must be about some Secret.
    #[serde(default)]
    pub secret_backends: BTreeMap<String, Backend>,
    /// Before the app's, store by store.
    #[serde(default)]
    pub external_secrets: ExternalSecretsSettings,
    /// Before the app's, provider by provider.
    #[serde(default)]
    pub secrets_store_csi: SecretsStoreCsiSettings,
    /// Instead of the app's.
    #[serde(default)]
    pub namespace: Option<String>,
    /// Instead of the app's.
    #[serde(default)]
    pub provider: Option<String>,
    /// Changes to objects, in order.
    #[serde(default)]
    pub patches: Vec<PatchEntry>,
}

/// A change to the objects that match.
#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct PatchEntry {
    /// Which objects; at least one must match.
    pub target: Target,
    /// The type of the patch. Without it a sequence is a JSON Patch, and a mapping a JSON Merge Patch unless it touches a list
    /// that Kubernetes merges.
    #[serde(default, rename = "type")]
    pub patch_type: Option<PatchType>,
    /// A file with the patch.
    #[serde(default)]
    pub file: Option<PathBuf>,
    /// The patch itself, instead of a file.
    #[serde(default)]
    pub patch: Option<serde_json::Value>,
}

/// How a patch changes an object.
#[derive(Clone, Copy, Debug, Deserialize, PartialEq, Eq)]
#[serde(rename_all = "lowercase")]
pub enum PatchType {
    /// A list of operations: JSON Patch (RFC 6902).
    Json,
    /// Maps are merged, and lists are replaced: JSON Merge Patch (RFC 7386).
    Merge,
    /// Maps are merged, and lists by Kubernetes' merge keys: strategic merge patch.
    Strategic,
}

/// Which objects a patch is for: those that have all that is given.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Target {
    /// API group; `""` is the core group.
    #[serde(default)]
    pub group: Option<String>,
    /// Kind.
    #[serde(default)]
    pub kind: Option<String>,
    /// Name.
    #[serde(default)]
    pub name: Option<String>,
    /// Namespace.
    #[serde(default)]
    pub namespace: Option<String>,
}

/// A tool whose placeholders are understood besides sealwave's own.
#[derive(Clone, Copy, Debug, Deserialize, PartialEq, Eq)]
#[serde(rename_all = "kebab-case")]
pub enum Compatibility {
    /// argocd-vault-plugin: `<key>` in Secrets whose annotation `avp.kubernetes.io/path` names a path.
    Avp,
}
