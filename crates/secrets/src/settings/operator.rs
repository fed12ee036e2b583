//! The operator file: the settings of the people who run sealwave. It is trusted; nothing from Git can change it.

mod bounds;
mod tools;

use std::collections::BTreeMap;
use std::path::PathBuf;

use schemars::JsonSchema;
use serde::Deserialize;

use super::format::API_VERSION;
use crate::SealingScope;

pub use bounds::{Concurrency, MAX_OUTPUT_MIB, MemoryLimit, SidecarMemory};
pub use tools::{OperatorTools, ToolSettings};

/// An operator file. Relative paths in it are relative to the directory that holds it.
///
/// `P` is the type of the settings of a provider. Each provider defines its own, above this crate.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct OperatorConfig<P> {
    /// Version of the format.
    #[schemars(extend("const" = API_VERSION))]
    pub api_version: String,
    /// Kind of the file.
    #[schemars(extend("const" = "Operator"))]
    pub kind: String,
    /// The file with the seal key.
    #[serde(default)]
    pub seal_key_file: Option<PathBuf>,
    /// The file with a separate checksum key; without it, the checksum key is derived from the seal key.
    #[serde(default)]
    pub checksum_key_file: Option<PathBuf>,
    /// The version of the scheme that derives sealed texts and checksums.
    #[serde(default = "default_derivation")]
    pub derivation: DerivationVersion,
    /// The epoch: changing it re-seals everything once.
    #[serde(default)]
    pub epoch: String,
    /// Maximum duration of one run, in seconds.
    #[serde(default = "default_deadline")]
    #[schemars(extend("default" = default_deadline()))]
    pub deadline_seconds: u64,
    /// Maximum memory of one run, in MiB.
    #[serde(default, rename = "memoryLimitMiB")]
    pub memory_limit: MemoryLimit,
    /// Maximum number of concurrent `generate` runs in one sidecar; others wait.
    #[serde(default)]
    pub concurrency: Concurrency,
    /// Destination clusters by name.
    #[serde(default)]
    pub clusters: BTreeMap<String, ClusterConfig>,
    /// Secret sources by the name that placeholders use.
    #[serde(default = "BTreeMap::<String, P>::new")]
    pub providers: BTreeMap<String, P>,
    /// Rules for which apps may use which secrets.
    #[serde(default)]
    pub policy: Vec<PolicyRule>,
    /// Settings of the audit log, which records each use of a secret.
    #[serde(default)]
    pub audit: Option<AuditConfig>,
    /// Programs that render Helm charts and Kustomize directories.
    #[serde(default)]
    pub tools: OperatorTools,
}

/// Returns `v1`: operator files without a version keep the output that they had when only one version existed.
const fn default_derivation() -> DerivationVersion {
    DerivationVersion::V1
}

const fn default_deadline() -> u64 {
    50
}

/// Version of the scheme that derives sealed texts and checksums. Upgrading sealwave never changes it.
#[derive(Clone, Copy, Debug, Deserialize, JsonSchema, PartialEq, Eq)]
#[serde(rename_all = "lowercase")]
pub enum DerivationVersion {
    /// Binds sealed texts to the Argo CD project.
    V1,
    /// Also binds literal text to the Argo CD app, and its checksums to both.
    V2,
}

impl DerivationVersion {
    /// Returns the version as written in operator files and annotations.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::V1 => "v1",
            Self::V2 => "v2",
        }
    }
}

/// A destination cluster.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct ClusterConfig {
    /// The certificate of its sealed-secrets controller.
    pub certificate: CertificateSource,
    /// The Kubernetes version, for `generate --validate` if Argo CD does not provide it.
    #[serde(default)]
    pub kube_version: Option<String>,
}

/// The location of a certificate.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct CertificateSource {
    /// A PEM file.
    pub file: PathBuf,
    /// Allows sealing for an expired certificate.
    #[serde(default)]
    pub allow_expired: bool,
}

/// Settings of the audit log; at least one output must be set.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct AuditConfig {
    /// A file that lines are appended to, readable only by its owner.
    #[serde(default)]
    pub file: Option<PathBuf>,
    /// Enables output to standard error.
    #[serde(default)]
    pub stderr: bool,
}

/// A policy rule: apps that match all criteria may, or may not, use these references for these destinations.
///
/// An omitted criterion matches every app. A rule with `allow` must set `projects`, and `clusters` if the operator file
/// has more than one. Omitted destinations of `allow` are narrow; those of `deny` include everything.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
pub struct PolicyRule {
    /// The name in messages; by default `policy[0]` and so on.
    pub name: Option<String>,
    /// Globs over Argo CD project names.
    pub projects: Option<Vec<String>>,
    /// Globs over app names, as in `ARGOCD_APP_NAME`.
    pub apps: Option<Vec<String>>,
    /// Globs over destination namespaces.
    pub namespaces: Option<Vec<String>>,
    /// Globs over URLs of the app's repository.
    pub repositories: Option<Vec<String>>,
    /// Globs over environment names. Authors choose the environment, so this narrows a rule but protects nothing.
    pub environments: Option<Vec<String>>,
    /// Globs over names of clusters in the operator file, for which a value may be sealed.
    pub clusters: Option<Vec<String>>,
    /// Scopes that a value may be sealed with; by default only strict.
    pub scopes: Option<Vec<SealingScope>>,
    /// Globs over the namespaces of Secrets; by default the app's destination namespace from Argo CD.
    pub secret_namespaces: Option<Vec<String>>,
    /// Globs over `provider:path` and `provider:path#key` that these apps may use.
    pub allow: Vec<String>,
    /// The same for references that these apps must not use, regardless of other rules.
    pub deny: Vec<String>,
}
