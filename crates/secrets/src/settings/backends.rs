//! The backends of placeholder Secrets, and the cluster objects that they use: as written in the app file, and, in
//! [`decided`], as decided for one environment.
//!
//! These are names of cluster objects and settings of their operators. They never contain an address that sealwave
//! connects to, or a credential.

mod decided;
mod kv_mounts;

use std::collections::BTreeMap;
use std::fmt;

use serde::Deserialize;

use crate::settings::KvVersion;

pub use self::decided::{CsiProvider, EnvironmentBackends, ExternalSecrets, ExternalStore};
pub use self::kv_mounts::KvMounts;

/// The kind of object that a placeholder Secret becomes.
#[derive(Clone, Copy, Debug, Default, Deserialize, PartialEq, Eq, PartialOrd, Ord)]
#[serde(rename_all = "kebab-case")]
pub enum BackendKind {
    /// An `ExternalSecret` for the External Secrets Operator.
    ExternalSecrets,
    /// A `SealedSecret` for the sealed-secrets controller.
    #[default]
    SealedSecrets,
    /// A `SecretProviderClass` for the Secrets Store CSI driver, which makes the Secret while a pod mounts it.
    SecretsStoreCsi,
}

/// A row of the table of backends.
struct BackendRow {
    /// The name in the app file.
    name: &'static str,
    /// Whether values are fetched for it.
    needs_values: bool,
}

impl BackendKind {
    /// All backends.
    pub const ALL: [Self; 3] = [Self::ExternalSecrets, Self::SealedSecrets, Self::SecretsStoreCsi];

    const fn row(self) -> BackendRow {
        match self {
            Self::ExternalSecrets => BackendRow { name: "external-secrets", needs_values: false },
            Self::SealedSecrets => BackendRow { name: "sealed-secrets", needs_values: true },
            Self::SecretsStoreCsi => BackendRow { name: "secrets-store-csi", needs_values: false },
        }
    }

    /// Reports whether the backend needs fetched values; the others store references.
    #[must_use]
    pub const fn needs_values(self) -> bool {
        self.row().needs_values
    }
}

impl fmt::Display for BackendKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.row().name)
    }
}

/// A service that stores secrets, as known to the operators in the cluster.
#[derive(Clone, Copy, Debug, Deserialize, PartialEq, Eq, PartialOrd, Ord)]
#[serde(rename_all = "kebab-case")]
pub enum SecretService {
    /// AWS Secrets Manager.
    AwsSm,
    /// Parameter Store of AWS Systems Manager.
    AwsSsm,
    /// The KV engine of Vault or `OpenBao`.
    Vault,
}

impl SecretService {
    fn from_name(name: &str) -> Option<Self> {
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
    /// The version of `ExternalSecret` that the cluster supports; by default `v1`.
    #[serde(default)]
    pub api_version: Option<ExternalSecretVersion>,
    /// The interval at which values are fetched again, as a Go duration; by default `1h`. With `0`, they are fetched
    /// once.
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
    /// Kind of the store.
    #[serde(default)]
    pub kind: StoreKind,
    /// The service that the store reads; by default the provider name, if that is a service's name.
    #[serde(default)]
    pub provider: Option<SecretService>,
    /// Vault only: the store's `path`, where the KV engine is mounted. It is removed from the paths of placeholders,
    /// with a `data/` that follows. By default the first segment of a path whose second one is `data`.
    #[serde(default)]
    pub mount: Option<String>,
    /// Vault only: the store's `version`, that of the KV engine at its mount; by default 2, as in the store.
    #[serde(default)]
    pub kv_version: Option<KvVersion>,
}

/// The kind of a store.
#[derive(Clone, Copy, Debug, Default, Deserialize, PartialEq, Eq)]
pub enum StoreKind {
    /// For all namespaces.
    ClusterSecretStore,
    /// In the Secret's own namespace.
    #[default]
    SecretStore,
}

impl StoreKind {
    /// Returns the kind as Kubernetes spells it.
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

/// Settings of a provider of the Secrets Store CSI driver.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct CsiProviderSettings {
    /// The service; by default the provider name, if that is a service's name.
    #[serde(default)]
    pub provider: Option<SecretService>,
    /// AWS: the region. Required.
    #[serde(default)]
    pub region: Option<String>,
    /// AWS: use EKS Pod Identity instead of the role of the pod's service account.
    #[serde(default)]
    pub use_pod_identity: bool,
    /// Vault: the role that pods log in with. Required.
    #[serde(default)]
    pub role_name: Option<String>,
    /// Vault: its address, if it differs from the one that the driver's provider was installed with.
    #[serde(default)]
    pub vault_address: Option<String>,
    /// Vault: the mount path of its Kubernetes auth method, if it is not `kubernetes`.
    #[serde(default)]
    pub vault_auth_mount_path: Option<String>,
    /// Vault: a namespace.
    #[serde(default)]
    pub vault_namespace: Option<String>,
    /// Vault: the version of the KV engine at mounts that `mounts` does not list; the first path segment is such a
    /// mount.
    #[serde(default)]
    pub kv_version: Option<KvVersion>,
    /// Vault: KV mounts and their versions, as in the operator file.
    #[serde(default)]
    pub mounts: BTreeMap<String, KvVersion>,
}
