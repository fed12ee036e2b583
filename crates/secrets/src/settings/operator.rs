//! The operator file: what the people who run sealwave say. It is trusted; nothing from Git reaches it.

mod aws;
mod bounds;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use serde::Deserialize;

use super::remote::{K8sSettings, VaultSettings};
use crate::Scope;

pub use aws::{AssumeRole, AwsSettings};
pub use bounds::{Concurrency, MAX_OUTPUT_MIB, MemoryLimit, SidecarMemory};

/// An operator file. Relative paths in it are relative to the directory that holds it.
#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Operator {
    /// Always [`super::API_VERSION`].
    pub api_version: String,
    /// Always `Operator`.
    pub kind: String,
    /// The file that holds the seal key.
    #[serde(default)]
    pub seal_key_file: Option<PathBuf>,
    /// A key for checksums of its own; without it, it is derived from the seal key.
    #[serde(default)]
    pub checksum_key_file: Option<PathBuf>,
    /// The version of the scheme by which sealed texts and checksums are derived.
    #[serde(default = "default_derivation")]
    pub derivation: Derivation,
    /// Changing it re-seals everything once.
    #[serde(default)]
    pub epoch: String,
    /// Seconds that one run may take.
    #[serde(default = "default_deadline")]
    pub deadline_seconds: u64,
    /// MiB of memory that one run may take.
    #[serde(default, rename = "memoryLimitMiB")]
    pub memory_limit: MemoryLimit,
    /// Runs of `generate` that work at once in one sidecar; the others wait.
    #[serde(default)]
    pub concurrency: Concurrency,
    /// Destination clusters by name.
    #[serde(default)]
    pub clusters: BTreeMap<String, Cluster>,
    /// Secret sources by the name that placeholders use.
    #[serde(default)]
    pub providers: BTreeMap<String, ProviderConfig>,
    /// Who may read what.
    #[serde(default)]
    pub policy: Vec<PolicyRule>,
    /// Where each use of a secret is written down.
    #[serde(default)]
    pub audit: Option<AuditConfig>,
}

/// Operator files that name no version keep the bytes that they had when there was only one.
const fn default_derivation() -> Derivation {
    Derivation::V1
}

const fn default_deadline() -> u64 {
    50
}

/// Version of the scheme by which sealed texts and checksums are derived. Upgrading sealwave never changes it.
#[derive(Clone, Copy, Debug, Deserialize, PartialEq, Eq)]
#[serde(rename_all = "lowercase")]
pub enum Derivation {
    /// Binds sealed texts to the Argo CD project.
    V1,
    /// Also binds what holds literal text to the Argo CD app, and its checksums to both.
    V2,
}

impl Derivation {
    /// Returns its name, as operator files and annotations write it.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::V1 => "v1",
            Self::V2 => "v2",
        }
    }
}

/// A destination cluster.
#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Cluster {
    /// The certificate of its sealed-secrets controller.
    pub certificate: CertificateSource,
    /// Its version of Kubernetes, for `generate --validate` where Argo CD does not tell it.
    #[serde(default)]
    pub kube_version: Option<String>,
}

/// Where a certificate is.
#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct CertificateSource {
    /// A PEM file.
    pub file: PathBuf,
    /// Seal under it although it has expired.
    #[serde(default)]
    pub allow_expired: bool,
}

/// A secret source.
#[derive(Clone, Debug, Deserialize)]
#[serde(tag = "kind", rename_all = "kebab-case", rename_all_fields = "camelCase", deny_unknown_fields)]
pub enum ProviderConfig {
    /// AWS Secrets Manager.
    AwsSm(AwsSettings),
    /// AWS Systems Manager Parameter Store.
    AwsSsm(AwsSettings),
    /// Environment variables of the sidecar.
    Env {
        /// The names (globs) that placeholders may use.
        names: Vec<String>,
    },
    /// Files under one directory.
    File {
        /// The directory; nothing outside of it can be read.
        root: PathBuf,
    },
    /// Secrets of a Kubernetes cluster.
    K8s(K8sSettings),
    /// Files of the app's repository, encrypted with SOPS.
    Sops {
        /// Files with age identities.
        #[serde(default)]
        age_key_files: Vec<PathBuf>,
        /// Keys in AWS KMS that files may be decrypted with.
        #[serde(default)]
        aws_kms: Option<AwsKms>,
    },
    /// A Vault or OpenBao server.
    Vault(VaultSettings),
}

impl ProviderConfig {
    /// Other paths that mean the same to this source, and that a policy has to deny along with the one that is written.
    #[must_use]
    pub fn other_spellings(&self, path: &str) -> Vec<String> {
        match self {
            Self::AwsSm(_)
            | Self::AwsSsm(_)
            | Self::Env { .. }
            | Self::File { .. }
            | Self::K8s(_)
            | Self::Sops { .. } => Vec::new(),
            Self::Vault(settings) => settings.other_spellings(path),
        }
    }

    /// The files that this source lives on, and that no other source may hand out.
    pub fn credential_files(&self) -> impl Iterator<Item = &Path> {
        let files: Vec<&PathBuf> = match self {
            Self::AwsSm(settings) | Self::AwsSsm(settings) => settings.ca_file.iter().collect(),
            Self::Env { .. } | Self::File { .. } => Vec::new(),
            Self::K8s(settings) => settings.kubeconfig.iter().collect(),
            Self::Sops { age_key_files, aws_kms } => {
                age_key_files.iter().chain(aws_kms.iter().filter_map(|kms| kms.ca_file.as_ref())).collect()
            }
            Self::Vault(settings) => settings.auth.file().into_iter().chain(&settings.ca_file).collect(),
        };
        files.into_iter().map(PathBuf::as_path)
    }
}

/// Which keys of AWS KMS a file of an app may name, and as whom they are used.
#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct AwsKms {
    /// Globs over the keys' ARNs; a file that names another key is refused.
    pub keys: Vec<String>,
    /// Pairs that the encryption context in a file must hold. KMS authenticates the context, so they tell apart the
    /// files of teams that share a key.
    #[serde(default)]
    pub context: BTreeMap<String, String>,
    /// The region to call; by default the one in the key's ARN. A role is taken on in this one, or that of the sidecar.
    #[serde(default)]
    pub region: Option<String>,
    /// A profile of the sidecar's AWS configuration.
    #[serde(default)]
    pub profile: Option<String>,
    /// A role to take on with those credentials.
    #[serde(default)]
    pub assume_role: Option<AssumeRole>,
    /// Another address of KMS, such as a VPC endpoint.
    #[serde(default)]
    pub endpoint_url: Option<String>,
    /// PEM certificates that all of AWS' must come from, instead of those that the system trusts.
    #[serde(default)]
    pub ca_file: Option<PathBuf>,
    /// An HTTP proxy that leads to AWS.
    #[serde(default)]
    pub proxy: Option<String>,
}

impl AwsKms {
    /// How to reach KMS, and as whom: the same settings that other services of AWS have.
    #[must_use]
    pub fn service(&self) -> AwsSettings {
        AwsSettings {
            region: self.region.clone(),
            profile: self.profile.clone(),
            endpoint_url: self.endpoint_url.clone(),
            assume_role: self.assume_role.clone(),
            ca_file: self.ca_file.clone(),
            proxy: self.proxy.clone(),
        }
    }
}

/// Where each use of a secret is written down; one of the two at least.
#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct AuditConfig {
    /// A file that lines are appended to; made readable by its owner only.
    #[serde(default)]
    pub file: Option<PathBuf>,
    /// Standard error.
    #[serde(default)]
    pub stderr: bool,
}

/// One rule: the apps that all its criteria match may, or may not, use these references for these destinations.
///
/// A criterion that is left out matches every app. A rule with `allow` must name its `projects`, and its `clusters` where
/// the operator file has more than one. The destinations of `allow` are narrow where the rule leaves them out; those of
/// `deny` are all.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
pub struct PolicyRule {
    /// What messages call it; without one, `policy[0]` and so on.
    pub name: Option<String>,
    /// Globs over Argo CD project names.
    pub projects: Option<Vec<String>>,
    /// Globs over app names, as `ARGOCD_APP_NAME` has them.
    pub apps: Option<Vec<String>>,
    /// Globs over destination namespaces.
    pub namespaces: Option<Vec<String>>,
    /// Globs over URLs of the app's repository.
    pub repositories: Option<Vec<String>>,
    /// Globs over environment names. Authors choose the environment: this narrows, and protects nothing.
    pub environments: Option<Vec<String>>,
    /// Globs over names of clusters of the operator file, for which a value may be sealed.
    pub clusters: Option<Vec<String>>,
    /// Scopes that a value may be sealed with; by default strict alone.
    pub scopes: Option<Vec<Scope>>,
    /// Globs over the namespaces of Secrets; by default the destination namespace that Argo CD gives for the app.
    pub secret_namespaces: Option<Vec<String>>,
    /// Globs over `provider:path` and `provider:path#key` that these apps may use.
    pub allow: Vec<String>,
    /// The same for what they may not use, whatever any rule allows.
    pub deny: Vec<String>,
}
