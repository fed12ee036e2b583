//! The app file, `sealwave.yaml`: an author's settings for an app. It comes from Git and is not trusted.

use std::collections::BTreeMap;
use std::path::PathBuf;

use schemars::JsonSchema;
use serde::Deserialize;

use super::format::API_VERSION;
use super::{
    BackendChoice, ConfigMapEntry, ExternalSecretsSettings, KeptChecksum, ObjectPattern, Requirements,
    RotationPolicy, SecretEntry, SecretsStoreCsiSettings, SourceEntry, ValidationSettings, schema,
};
use sealwave_core::document::Manifest;
use sealwave_kube::pods::WorkloadKind;
use sealwave_kube::sync::WaveSettings;

/// Name of the app file.
pub const APP_FILE: &str = "sealwave.yaml";

/// An app file.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct App {
    /// Version of the format.
    #[schemars(extend("const" = API_VERSION))]
    pub api_version: String,
    /// Kind of the file.
    #[schemars(extend("const" = "App"))]
    pub kind: String,
    /// Namespace of objects without one; by default the destination's namespace.
    #[serde(default)]
    pub namespace: Option<String>,
    /// The backend of placeholder Secrets, unless the environment sets another one.
    #[serde(default)]
    pub backend: BackendChoice,
    /// The tool whose placeholders are accepted besides sealwave's own.
    #[serde(default)]
    pub compatibility: Option<Compatibility>,
    /// ConfigMaps by name that are made from literals and files.
    #[serde(default)]
    pub config_maps: BTreeMap<String, ConfigMapEntry>,
    /// Secrets by name that are made from literals and files.
    #[serde(default)]
    pub secrets: BTreeMap<String, SecretEntry>,
    /// Settings of the backend `external-secrets`.
    #[serde(default)]
    pub external_secrets: ExternalSecretsSettings,
    /// Settings of the backend `secrets-store-csi`.
    #[serde(default)]
    pub secrets_store_csi: SecretsStoreCsiSettings,
    /// The provider of `<path:…>`.
    #[serde(default)]
    pub provider: Option<String>,
    /// Environments by name; by default each directory under `envs/`.
    #[serde(default)]
    #[schemars(extend("propertyNames" = schema::environment_names()))]
    pub environments: BTreeMap<String, EnvironmentSettings>,
    /// Objects whose texts are literal although they look like placeholders; never Secrets.
    #[serde(default)]
    pub literals: Vec<ObjectPattern>,
    /// The versions that the app can be rendered with.
    #[serde(default)]
    pub requires: Requirements,
    /// The way in which each secret is rotated, for `sealwave status`. For each Secret, the first entry that matches it applies.
    #[serde(default)]
    pub rotation: RotationPolicy,
    /// The sources of the app's objects, in order. By default the chart beside the app file, the overlays beside it, or the
    /// files in `base/` and `envs/`.
    #[serde(default)]
    pub sources: Option<Vec<SourceEntry>>,
    /// Settings of `validate`.
    #[serde(default)]
    pub validate: ValidationSettings,
    /// Waves by kind.
    #[serde(default)]
    pub waves: WaveSettings,
    /// Workload kinds beyond the built-in ones.
    #[serde(default)]
    pub workloads: Vec<WorkloadKind>,
}

impl App {
    /// Returns the settings for reading the texts of objects.
    #[must_use]
    pub fn placeholder_settings(&self) -> PlaceholderSettings<'_> {
        PlaceholderSettings { compatibility: self.compatibility, literals: &self.literals }
    }
}

/// Settings for reading the texts of an app's objects.
#[derive(Clone, Copy, Debug, Default)]
pub struct PlaceholderSettings<'a> {
    /// The tool whose placeholders are accepted as well.
    pub compatibility: Option<Compatibility>,
    /// Objects other than Secrets whose texts are literal.
    pub literals: &'a [ObjectPattern],
}

impl PlaceholderSettings<'_> {
    /// Reports whether the texts of an object are literal.
    #[must_use]
    pub fn is_literal(&self, object: &Manifest) -> bool {
        let id = || format!("{}/{}/{}", object.kind(), object.namespace(), object.name());
        !self.literals.is_empty() && self.literals.iter().any(|pattern| pattern.matches(&id()))
    }
}

/// One environment of an app.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct EnvironmentSettings {
    /// Whether the environment may have no objects.
    #[serde(default)]
    pub allow_empty: bool,
    /// API versions of the cluster that charts can ask for, for example `monitoring.coreos.com/v1`. In Argo CD, those of the
    /// destination take precedence.
    #[serde(default)]
    pub api_versions: Vec<String>,
    /// A cluster from the operator file; by default the environment's own name.
    #[serde(default)]
    pub cluster: Option<String>,
    /// Overrides the app's backend.
    #[serde(default)]
    pub backend: Option<BackendChoice>,
    /// Kubernetes version of the cluster that charts can ask for, for example `1.34`. In Argo CD, that of the destination
    /// takes precedence.
    #[serde(default)]
    pub kube_version: Option<String>,
    /// Backends of single Secrets, by name or by `namespace/name`; the latter takes precedence. Each entry must match a
    /// Secret.
    #[serde(default)]
    pub secret_backends: BTreeMap<String, BackendChoice>,
    /// Checksums of Secrets that workloads keep after a change of the backend, by `Kind/namespace/name`; written by
    /// `sealwave switch`.
    #[serde(default)]
    pub kept_checksums: BTreeMap<String, KeptChecksum>,
    /// Adds to the app's ConfigMaps of the same names, or replaces their keys; other names are further ConfigMaps.
    #[serde(default)]
    pub config_maps: BTreeMap<String, ConfigMapEntry>,
    /// Adds to the app's Secrets of the same names, or replaces their keys; other names are further Secrets.
    #[serde(default)]
    pub secrets: BTreeMap<String, SecretEntry>,
    /// Overrides the app's settings, store by store.
    #[serde(default)]
    pub external_secrets: ExternalSecretsSettings,
    /// Overrides the app's settings, provider by provider.
    #[serde(default)]
    pub secrets_store_csi: SecretsStoreCsiSettings,
    /// Overrides the app's namespace.
    #[serde(default)]
    pub namespace: Option<String>,
    /// Overrides the app's provider.
    #[serde(default)]
    pub provider: Option<String>,
    /// Changes to objects, in order.
    #[serde(default)]
    pub patches: Vec<PatchEntry>,
}

/// A change to the objects that match.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[schemars(extend("required" = ["target"], "oneOf" = [{"required": ["file"]}, {"required": ["patch"]}]))]
pub struct PatchEntry {
    /// Selects the objects; at least one must match.
    // Required, but its absence is reported with the patch.
    #[serde(default)]
    #[schemars(with = "PatchTarget")]
    pub target: Option<PatchTarget>,
    /// The type of the patch. Without it a sequence is a JSON Patch, and a mapping a JSON Merge Patch unless it touches a list
    /// that Kubernetes merges.
    #[serde(default, rename = "type")]
    pub patch_type: Option<PatchType>,
    /// A file with the patch.
    #[serde(default)]
    pub file: Option<PathBuf>,
    /// The inline patch, instead of a file.
    #[serde(default)]
    pub patch: Option<serde_json::Value>,
}

/// The type of a patch.
#[derive(Clone, Copy, Debug, Deserialize, JsonSchema, PartialEq, Eq)]
#[serde(rename_all = "lowercase")]
pub enum PatchType {
    /// A list of operations: JSON Patch (RFC 6902).
    Json,
    /// Maps are merged, and lists are replaced: JSON Merge Patch (RFC 7386).
    Merge,
    /// Maps are merged, and lists by Kubernetes' merge keys: strategic merge patch.
    Strategic,
}

/// Selects the objects of a patch: all given fields must match.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct PatchTarget {
    /// API group; `""` is the core group.
    #[serde(default)]
    pub group: Option<String>,
    /// Kind of the object.
    #[serde(default)]
    pub kind: Option<String>,
    /// Name of the object.
    #[serde(default)]
    pub name: Option<String>,
    /// Namespace of the object.
    #[serde(default)]
    pub namespace: Option<String>,
}

/// A tool whose placeholders are accepted besides sealwave's own.
#[derive(Clone, Copy, Debug, Deserialize, JsonSchema, PartialEq, Eq)]
#[serde(rename_all = "kebab-case")]
pub enum Compatibility {
    /// argocd-vault-plugin: `<key>` in Secrets whose annotation `avp.kubernetes.io/path` names a path.
    Avp,
}
