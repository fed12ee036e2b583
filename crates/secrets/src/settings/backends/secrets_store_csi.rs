//! The settings of the backend `secrets-store-csi`.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::Deserialize;

use super::kv_mounts::KvMounts;
use super::section::{BackendSection, SettingError, merged};
use super::service::SecretService;
use crate::settings::KvVersion;

/// `secretsStoreCsi` of the app file.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct SecretsStoreCsiSettings {
    /// Parameters of the driver's provider, by the provider name that placeholders use.
    #[serde(default)]
    pub providers: BTreeMap<String, CsiProviderSettings>,
}

/// Settings of a provider of the Secrets Store CSI driver.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema)]
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

/// A provider of the CSI driver as decided.
#[derive(Clone, Debug)]
pub struct CsiProvider {
    /// The service behind the provider.
    pub service: SecretService,
    /// The parameters besides `objects`.
    pub parameters: BTreeMap<&'static str, String>,
    /// Only for Vault.
    pub mounts: KvMounts,
}

impl BackendSection for SecretsStoreCsiSettings {
    type Decided = BTreeMap<String, CsiProvider>;

    fn decide(app: &Self, environment: &Self, problems: &mut Vec<SettingError>) -> Self::Decided {
        let mut decided = BTreeMap::new();
        for (name, settings) in merged(&app.providers, &environment.providers) {
            let section = format!("secretsStoreCsi.providers.{name}");
            let Some(service) = settings.provider.or_else(|| SecretService::from_name(name)) else {
                problems.push(SettingError::UnknownService(section));
                continue;
            };
            let parameters = parameters(&section, service, settings, problems);
            let mounts = KvMounts::new(&settings.mounts, settings.kv_version).unwrap_or_else(|mount| {
                problems.push(SettingError::Mount { section, mount });
                KvMounts::default()
            });
            decided.insert(name.to_owned(), CsiProvider { service, parameters, mounts });
        }
        decided
    }
}

fn parameters(
    section: &str,
    service: SecretService,
    settings: &CsiProviderSettings,
    problems: &mut Vec<SettingError>,
) -> BTreeMap<&'static str, String> {
    let identity = settings.use_pod_identity.then(|| "true".to_owned());
    let aws = [("region", settings.region.clone()), ("usePodIdentity", identity)];
    let vault = [
        ("roleName", settings.role_name.clone()),
        ("vaultAddress", settings.vault_address.clone()),
        ("vaultAuthMountPath", settings.vault_auth_mount_path.clone()),
        ("vaultNamespace", settings.vault_namespace.clone()),
    ];
    let (own, required, foreign, whose) = if service == SecretService::Vault {
        (vault.to_vec(), "roleName", aws.to_vec(), "AWS")
    } else {
        (aws.to_vec(), "region", vault.to_vec(), "vault")
    };
    for (field, value) in &own {
        if value.as_ref().is_some_and(String::is_empty) {
            problems.push(SettingError::Empty(format!("{section}.{field}")));
        }
    }
    let section = || section.to_owned();
    let has_mounts = service != SecretService::Vault && !settings.mounts.is_empty();
    let has_version = service != SecretService::Vault && settings.kv_version.is_some();
    let foreign = foreign.iter().filter(|(_, value)| value.is_some()).map(|(field, _)| *field);
    let foreign = foreign.chain(has_version.then_some("kvVersion")).chain(has_mounts.then_some("mounts"));
    for field in foreign {
        problems.push(SettingError::Foreign { section: section(), field, whose });
    }
    if own.iter().any(|(field, value)| *field == required && value.is_none()) {
        problems.push(SettingError::Missing { section: section(), field: required });
    }
    own.into_iter().filter_map(|(field, value)| Some((field, value?))).collect()
}
