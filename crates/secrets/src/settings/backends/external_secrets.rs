//! The settings of the backend `external-secrets`.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::Deserialize;

use super::section::{BackendSection, SettingError, merged};
use super::service::SecretService;
use crate::settings::KvVersion;
use sealwave_core::time::duration;

/// `externalSecrets` of the app file.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema)]
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
#[derive(Clone, Copy, Debug, Default, Deserialize, JsonSchema, PartialEq, Eq)]
#[serde(rename_all = "lowercase")]
pub enum ExternalSecretVersion {
    /// `external-secrets.io/v1`.
    #[default]
    V1,
    /// `external-secrets.io/v1beta1`, for releases before 0.16.
    V1beta1,
}

/// A store of the External Secrets Operator.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
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
#[derive(Clone, Copy, Debug, Default, Deserialize, JsonSchema, PartialEq, Eq)]
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

/// The settings of the External Secrets Operator as decided.
#[derive(Clone, Debug)]
pub struct ExternalSecrets {
    /// The API version of the objects.
    pub version: ExternalSecretVersion,
    /// In Go's canonical form.
    pub refresh_interval: String,
    /// The stores, by the names of providers.
    pub stores: BTreeMap<String, ExternalStore>,
}

/// A store as decided.
#[derive(Clone, Debug)]
pub struct ExternalStore {
    /// The name of the store.
    pub name: String,
    /// The kind of the store.
    pub kind: StoreKind,
    /// The service behind the store.
    pub service: SecretService,
    /// The mount of the KV engine, for Vault.
    pub mount: Option<String>,
    /// The version of the KV engine; only for Vault.
    pub kv_version: KvVersion,
}

impl Default for ExternalSecrets {
    fn default() -> Self {
        Self {
            version: ExternalSecretVersion::default(),
            refresh_interval: "1h0m0s".to_owned(),
            stores: BTreeMap::new(),
        }
    }
}

impl BackendSection for ExternalSecretsSettings {
    type Decided = ExternalSecrets;

    fn decide(app: &Self, environment: &Self, problems: &mut Vec<SettingError>) -> ExternalSecrets {
        let mut decided = ExternalSecrets {
            version: environment.api_version.or(app.api_version).unwrap_or_default(),
            ..ExternalSecrets::default()
        };
        if let Some(interval) = environment.refresh_interval.as_ref().or(app.refresh_interval.as_ref()) {
            match duration::canonical(interval) {
                Some(canonical) => decided.refresh_interval = canonical,
                None => problems.push(SettingError::RefreshInterval),
            }
        }
        for (provider, store) in merged(&app.stores, &environment.stores) {
            let section = format!("externalSecrets.stores.{provider}");
            if store.name.is_empty() {
                problems.push(SettingError::Empty(format!("{section}.name")));
            }
            let Some(service) = store.provider.or_else(|| SecretService::from_name(provider)) else {
                problems.push(SettingError::UnknownService(section));
                continue;
            };
            if let Some(field) = vault_field(store).filter(|_| service != SecretService::Vault) {
                problems.push(SettingError::Foreign { section, field, whose: "vault" });
                continue;
            }
            let mount = store.mount.as_ref().map(|mount| mount.trim_matches('/').to_owned());
            let kv_version = store.kv_version.unwrap_or(KvVersion::Two);
            let decided_store =
                ExternalStore { name: store.name.clone(), kind: store.kind, service, mount, kv_version };
            decided.stores.insert(provider.to_owned(), decided_store);
        }
        decided
    }
}

/// Returns the first setting of a store that is for Vault only.
const fn vault_field(store: &StoreSettings) -> Option<&'static str> {
    match (&store.mount, store.kv_version) {
        (Some(_), _) => Some("mount"),
        (None, Some(_)) => Some("kvVersion"),
        (None, None) => None,
    }
}
