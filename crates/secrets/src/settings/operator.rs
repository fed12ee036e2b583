//! The operator file: the settings of the people who run sealwave. It is trusted; nothing from Git can change it.

mod aws;
mod bounds;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use serde::Deserialize;

use super::remote::{K8sSettings, VaultSettings};
use crate::SealingScope;

pub use aws::{AssumeRole, AwsSettings};
pub use bounds::{Concurrency, MAX_OUTPUT_MIB, MemoryLimit, SidecarMemory};

/// An operator file. Relative paths in it are relative to the directory that holds it.
#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct OperatorConfig {
    /// Always [`super::API_VERSION`].
    pub api_version: String,
    /// Always `Operator`.
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
    #[serde(default)]
    pub providers: BTreeMap<String, ProviderConfig>,
    /// Rules for which apps may use which secrets.
    #[serde(default)]
    pub policy: Vec<PolicyRule>,
    /// Settings of the audit log, which records each use of a secret.
    #[serde(default)]
    pub audit: Option<AuditConfig>,
}

/// Returns `v1`: operator files without a version keep the output that they had when only one version existed.
const fn default_derivation() -> DerivationVersion {
    DerivationVersion::V1
}

const fn default_deadline() -> u64 {
    50
}

/// Version of the scheme that derives sealed texts and checksums. Upgrading sealwave never changes it.
#[derive(Clone, Copy, Debug, Deserialize, PartialEq, Eq)]
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
#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct ClusterConfig {
    /// The certificate of its sealed-secrets controller.
    pub certificate: CertificateSource,
    /// The Kubernetes version, for `generate --validate` if Argo CD does not provide it.
    #[serde(default)]
    pub kube_version: Option<String>,
}

/// The location of a certificate.
#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct CertificateSource {
    /// A PEM file.
    pub file: PathBuf,
    /// Allows sealing for an expired certificate.
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
        /// Globs over the variable names that placeholders may use.
        names: Vec<String>,
    },
    /// Files under one directory.
    File {
        /// The directory; nothing outside it can be read.
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
    /// Returns other paths with the same meaning for this source, which a policy must deny along with the written one.
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

    /// Returns the credential files of this source, which no other source may hand out.
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

/// The AWS KMS keys that a file of an app may name, and the identity that uses them.
#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct AwsKms {
    /// Globs over the keys' ARNs; a file that names another key is refused.
    pub keys: Vec<String>,
    /// Pairs that the encryption context of a file must contain. KMS authenticates the context, so it separates the
    /// files of teams that share a key.
    #[serde(default)]
    pub context: BTreeMap<String, String>,
    /// The region to call, and in which a role is assumed; by default the key's region for calls and the sidecar's for
    /// the role.
    #[serde(default)]
    pub region: Option<String>,
    /// A profile of the sidecar's AWS configuration.
    #[serde(default)]
    pub profile: Option<String>,
    /// A role to assume with those credentials.
    #[serde(default)]
    pub assume_role: Option<AssumeRole>,
    /// Another endpoint of KMS, such as a VPC endpoint.
    #[serde(default)]
    pub endpoint_url: Option<String>,
    /// PEM certificates to trust for AWS, instead of those of the system.
    #[serde(default)]
    pub ca_file: Option<PathBuf>,
    /// An HTTP proxy for requests to AWS.
    #[serde(default)]
    pub proxy: Option<String>,
}

impl AwsKms {
    /// Returns the settings of the KMS client, in the form shared by other AWS services.
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

/// Settings of the audit log; at least one output must be set.
#[derive(Clone, Debug, Deserialize)]
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
#[derive(Clone, Debug, Default, Deserialize)]
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
