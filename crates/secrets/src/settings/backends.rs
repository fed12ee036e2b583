//! What a placeholder Secret becomes, and the cluster's objects that take part: as the app file says it, and, in
//! [`decided`], as decided for one environment.
//!
//! These are names of cluster objects and settings of their operators: no address that sealwave asks, and no credential.

mod decided;
mod kv_mounts;

use std::collections::BTreeMap;
use std::fmt;

use serde::Deserialize;

use crate::settings::KvVersion;

pub use self::decided::{Backends, CsiProvider, ExternalSecrets, Store};
pub use self::kv_mounts::KvMounts;

/// What a placeholder Secret becomes.
#[derive(Clone, Copy, Debug, Default, Deserialize, PartialEq, Eq)]
#[serde(rename_all = "kebab-case")]
pub enum Backend {
    /// An `ExternalSecret` for the External Secrets Operator.
    ExternalSecrets,
    /// A `SealedSecret` for the sealed-secrets controller.
    #[default]
    SealedSecrets,
    /// A `SecretProviderClass` for the Secrets Store CSI driver, which makes the Secret while a pod mounts it.
    SecretsStoreCsi,
}

impl Backend {
    /// Whether values are fetched for it; the others store references.
    #[must_use]
    pub const fn needs_values(self) -> bool {
        matches!(self, Self::SealedSecrets)
    }
}

impl fmt::Display for Backend {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::ExternalSecrets => "external-secrets",
            Self::SealedSecrets => "sealed-secrets",
            Self::SecretsStoreCsi => "secrets-store-csi",
        })
    }
}

/// A service that keeps secrets, where the operators in the cluster know it.
#[derive(Clone, Copy, Debug, Deserialize, PartialEq, Eq, PartialOrd, Ord)]
#[serde(rename_all = "kebab-case")]
pub enum Service {
    /// AWS Secrets Manager.
    AwsSm,
    /// Parameter Store of AWS Systems Manager.
    AwsSsm,
    /// The KV engine of Vault or `OpenBao`.
    Vault,
}

impl Service {
    fn named(name: &str) -> Option<Self> {
        Some(match name {
            "aws-sm" => Self::AwsSm,
            "aws-ssm" => Self::AwsSsm,
            "vault" => Self::Vault,
            _ => return None,
        })
    }
}

/// `externalSecrets` of the app file.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct ExternalSecretsSettings {
    /// Which version of `ExternalSecret` the cluster knows; by default `v1`.
    #[serde(default)]
    pub api_version: Option<ExternalSecretVersion>,
    /// How often values are fetched anew, as a Go duration; by default `1h`. With `0`, once.
    #[serde(default)]
    pub refresh_interval: Option<String>,
    /// The stores in the cluster, by the provider name that placeholders use.
    #[serde(default)]
    pub stores: BTreeMap<String, StoreSettings>,
}

/// A version of `external-secrets.io`.
#[derive(Clone, Copy, Debug, Default, Deserialize, PartialEq, Eq)]
#[serde(rename_all = "lowercase")]
pub enum ExternalSecretVersion {
    /// `external-secrets.io/v1`.
    #[default]
    V1,
    /// `external-secrets.io/v1beta1`, for operators before 0.16.
    V1beta1,
}

/// A store of the External Secrets Operator.
#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct StoreSettings {
    /// Name of the store.
    pub name: String,
    /// Its kind.
    #[serde(default)]
    pub kind: StoreKind,
    /// The service that it reads; by default what the provider name says, where that is a service's name.
    #[serde(default)]
    pub provider: Option<Service>,
    /// Vault only: the store's `path`, where the KV engine is mounted. Paths of placeholders lose it, and a `data/` behind it.
    /// By default the first segment of a path whose second one is `data`.
    #[serde(default)]
    pub mount: Option<String>,
    /// Vault only: the store's `version`, that of the KV engine at its mount; by default 2, as there.
    #[serde(default)]
    pub kv_version: Option<KvVersion>,
}

/// Kind of a store.
#[derive(Clone, Copy, Debug, Default, Deserialize, PartialEq, Eq)]
pub enum StoreKind {
    /// For all namespaces.
    ClusterSecretStore,
    /// In the Secret's own namespace.
    #[default]
    SecretStore,
}

impl StoreKind {
    /// As Kubernetes writes it.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::ClusterSecretStore => "ClusterSecretStore",
            Self::SecretStore => "SecretStore",
        }
    }
}

/// `secretsStoreCsi` of the app file.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct SecretsStoreCsiSettings {
    /// Parameters of the driver's provider, by the provider name that placeholders use.
    #[serde(default)]
    pub providers: BTreeMap<String, CsiProviderSettings>,
}

/// What the driver's provider has to be told.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct CsiProviderSettings {
    /// The service; by default what the provider name says, where that is a service's name.
    #[serde(default)]
    pub provider: Option<Service>,
    /// AWS: the region. Required there.
    #[serde(default)]
    pub region: Option<String>,
    /// AWS: take the pod's identity from EKS Pod Identity instead of its service account's role.
    #[serde(default)]
    pub use_pod_identity: bool,
    /// Vault: the role that pods log in to. Required there.
    #[serde(default)]
    pub role_name: Option<String>,
    /// Vault: its address, where it is not the one that the driver's provider was installed with.
    #[serde(default)]
    pub vault_address: Option<String>,
    /// Vault: where its Kubernetes login is mounted, where it is not `kubernetes`.
    #[serde(default)]
    pub vault_auth_mount_path: Option<String>,
    /// Vault: a namespace of it.
    #[serde(default)]
    pub vault_namespace: Option<String>,
    /// Vault: the version of the KV engine at mounts that `mounts` does not list; such a mount is the first segment of a path.
    #[serde(default)]
    pub kv_version: Option<KvVersion>,
    /// Vault: KV mounts and their versions, as in the operator file.
    #[serde(default)]
    pub mounts: BTreeMap<String, KvVersion>,
}
