//! The settings of backends as decided for one environment; all errors are reported together.

use std::collections::{BTreeMap, BTreeSet};

use super::{
    BackendKind, CsiProviderSettings, ExternalSecretVersion, ExternalSecretsSettings, KvMounts,
    SecretService, SecretsStoreCsiSettings, StoreKind, StoreSettings,
};
use crate::settings::{App, EnvironmentSettings, KvVersion};
use sealwave_core::diagnostic::{Explain, Failure, Problem};
use sealwave_core::time::duration;

/// The backends of the placeholder Secrets of one environment.
#[derive(Clone, Debug, Default)]
pub struct EnvironmentBackends {
    default: BackendKind,
    /// By name, or by namespace and name as in `shop/db`.
    by_secret: BTreeMap<String, BackendKind>,
    external_secrets: ExternalSecrets,
    csi_providers: BTreeMap<String, CsiProvider>,
}

/// The settings of the External Secrets Operator as decided.
#[derive(Clone, Debug)]
pub struct ExternalSecrets {
    pub version: ExternalSecretVersion,
    /// In Go's canonical form.
    pub refresh_interval: String,
    pub stores: BTreeMap<String, ExternalStore>,
}

/// A store as decided.
#[derive(Clone, Debug)]
pub struct ExternalStore {
    pub name: String,
    pub kind: StoreKind,
    pub service: SecretService,
    pub mount: Option<String>,
    /// The version of the KV engine; only for Vault.
    pub kv_version: KvVersion,
}

/// A provider of the CSI driver as decided.
#[derive(Clone, Debug)]
pub struct CsiProvider {
    pub service: SecretService,
    /// The parameters besides `objects`.
    pub parameters: BTreeMap<&'static str, String>,
    /// Only for Vault.
    pub mounts: KvMounts,
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

/// An invalid setting.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
enum SettingError {
    #[error("`{0}` is empty")]
    Empty(String),
    #[error("`{section}` has `{field}`, which is for {whose} only")]
    Foreign { section: String, field: &'static str, whose: &'static str },
    #[error("`{section}.mounts` has `{mount}`, which is not a valid mount name")]
    Mount { section: String, mount: String },
    #[error("`{section}.{field}` is required")]
    Missing { section: String, field: &'static str },
    #[error("`externalSecrets.refreshInterval` is neither `0` nor a duration of at least one second")]
    RefreshInterval,
    #[error("`secretBackends` has `{0}`, which is neither `name` nor `namespace/name`")]
    SecretName(String),
    #[error("`{0}` does not name its service")]
    UnknownService(String),
}

impl Explain for SettingError {
    fn hint(&self) -> Option<String> {
        Some(
            match self {
                Self::Empty(_) | Self::Foreign { .. } => "remove it",
                Self::Mount { .. } => "write mounts as in `vault secrets list`, for example `team/kv: 2`",
                Self::Missing { field: "region", .. } => {
                    "write the region of the secrets, for example `region: eu-west-1`"
                }
                Self::Missing { .. } => "the driver's provider cannot work without it",
                Self::RefreshInterval => "write it as `1h`, `90m` or `30s`",
                Self::SecretName(_) => "write the Secret's name, or its namespace, a `/` and its name",
                Self::UnknownService(_) => "add `provider: aws-sm`, `aws-ssm` or `vault`",
            }
            .to_owned(),
        )
    }
}

impl EnvironmentBackends {
    /// Decides the settings of one environment: its own take precedence over the app's, by name for stores and
    /// providers.
    ///
    /// # Errors
    /// Returns all invalid settings.
    pub fn decide(app: &App, environment: &EnvironmentSettings) -> Result<Self, Failure> {
        let mut problems = Vec::new();
        let external_secrets =
            external_secrets(&app.external_secrets, &environment.external_secrets, &mut problems);
        let csi_providers =
            csi_providers(&app.secrets_store_csi, &environment.secrets_store_csi, &mut problems);
        problems.extend(secret_names(&environment.secret_backends));
        let problems = problems.iter().map(Problem::new).collect();
        Failure::unless_empty(problems)?;
        Ok(Self {
            default: environment.backend.unwrap_or(app.backend),
            by_secret: environment.secret_backends.clone(),
            external_secrets,
            csi_providers,
        })
    }

    /// Returns the backend of a Secret. An entry for its namespace and name takes precedence over one for its name.
    #[must_use]
    pub fn backend_for(&self, namespace: &str, name: &str) -> BackendKind {
        let mut entries = entry_names(namespace, name).into_iter().rev();
        entries.find_map(|entry| self.by_secret.get(&entry)).copied().unwrap_or(self.default)
    }

    /// Reports whether any Secret may need its values fetched and sealed.
    #[must_use]
    pub fn needs_values(&self) -> bool {
        self.default.needs_values() || self.by_secret.values().any(|backend| backend.needs_values())
    }

    /// Returns the entries of `secretBackends` that match none of these Secrets, given as namespaces and names.
    pub fn unused_entries<'a>(&self, secrets: impl Iterator<Item = (&'a str, &'a str)>) -> BTreeSet<&str> {
        let mut unused: BTreeSet<&str> = self.by_secret.keys().map(String::as_str).collect();
        for (namespace, name) in secrets {
            for entry in entry_names(namespace, name) {
                unused.remove(entry.as_str());
            }
        }
        unused
    }

    pub const fn external_secrets(&self) -> &ExternalSecrets {
        &self.external_secrets
    }

    pub const fn csi_providers(&self) -> &BTreeMap<String, CsiProvider> {
        &self.csi_providers
    }
}

/// Returns the keys that `secretBackends` may use for a Secret.
fn entry_names(namespace: &str, name: &str) -> [String; 2] {
    [name.to_owned(), format!("{namespace}/{name}")]
}

fn secret_names(entries: &BTreeMap<String, BackendKind>) -> impl Iterator<Item = SettingError> {
    let is_valid = |entry: &str| {
        let parts: Vec<&str> = entry.split('/').collect();
        parts.len() <= 2 && parts.iter().all(|part| !part.is_empty())
    };
    entries.keys().filter(move |entry| !is_valid(entry)).map(|entry| SettingError::SecretName(entry.clone()))
}

fn external_secrets(
    app: &ExternalSecretsSettings,
    environment: &ExternalSecretsSettings,
    problems: &mut Vec<SettingError>,
) -> ExternalSecrets {
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

/// Returns the first setting of a store that is for Vault only.
const fn vault_field(store: &StoreSettings) -> Option<&'static str> {
    match (&store.mount, store.kv_version) {
        (Some(_), _) => Some("mount"),
        (None, Some(_)) => Some("kvVersion"),
        (None, None) => None,
    }
}

fn csi_providers(
    app: &SecretsStoreCsiSettings,
    environment: &SecretsStoreCsiSettings,
    problems: &mut Vec<SettingError>,
) -> BTreeMap<String, CsiProvider> {
    let mut decided = BTreeMap::new();
    for (name, settings) in merged(&app.providers, &environment.providers) {
        let section = format!("secretsStoreCsi.providers.{name}");
        let Some(service) = settings.provider.or_else(|| SecretService::from_name(name)) else {
            problems.push(SettingError::UnknownService(section));
            continue;
        };
        let parameters = csi_parameters(&section, service, settings, problems);
        let mounts = KvMounts::new(&settings.mounts, settings.kv_version).unwrap_or_else(|mount| {
            problems.push(SettingError::Mount { section, mount });
            KvMounts::default()
        });
        decided.insert(name.to_owned(), CsiProvider { service, parameters, mounts });
    }
    decided
}

fn csi_parameters(
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

/// Merges both maps by name; the second takes precedence.
fn merged<'a, T>(
    app: &'a BTreeMap<String, T>,
    environment: &'a BTreeMap<String, T>,
) -> BTreeMap<&'a str, &'a T> {
    app.iter().chain(environment).map(|(name, value)| (name.as_str(), value)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn decided(text: &str) -> Result<EnvironmentBackends, Failure> {
        let app: App =
            yaml_serde::from_str(&format!("apiVersion: a\nkind: App\n{text}")).expect("an app file");
        let environment = app.environments.get("e").cloned().unwrap_or_default();
        EnvironmentBackends::decide(&app, &environment)
    }

    #[test]
    fn an_environment_takes_precedence_over_its_app() {
        let backends = decided(
            "backend: sealed-secrets
externalSecrets:
  refreshInterval: 1h
  stores:
    aws-sm: {name: shared}
    aws-ssm: {name: parameters, kind: ClusterSecretStore}
environments:
  e:
    backend: external-secrets
    secretBackends: {legacy: sealed-secrets}
    externalSecrets: {apiVersion: v1beta1, refreshInterval: 90s, stores: {aws-sm: {name: own}}}
",
        )
        .expect("sound");
        assert_eq!(backends.backend_for("shop", "db"), BackendKind::ExternalSecrets);
        assert_eq!(backends.backend_for("shop", "legacy"), BackendKind::SealedSecrets);
        assert!(backends.needs_values());
        let external = backends.external_secrets();
        assert_eq!(external.version, ExternalSecretVersion::V1beta1);
        assert_eq!(external.refresh_interval, "1m30s");
        assert_eq!(external.stores["aws-sm"].name, "own");
        assert_eq!(external.stores["aws-sm"].kind, StoreKind::SecretStore);
        assert_eq!(external.stores["aws-ssm"].service, SecretService::AwsSsm);
    }

    #[test]
    fn without_settings_the_defaults_apply() {
        let backends = decided("").expect("sound");
        assert_eq!(backends.backend_for("shop", "db"), BackendKind::SealedSecrets);
        assert!(backends.needs_values());
        assert_eq!(backends.external_secrets().refresh_interval, "1h0m0s");
        assert!(!decided("backend: secrets-store-csi").expect("sound").needs_values());
    }

    #[test]
    fn all_errors_are_reported_together() {
        let failure = decided(
            "externalSecrets:
  refreshInterval: hourly
  stores: {prod: {name: a}, aws-sm: {name: '', mount: kv}}
secretsStoreCsi:
  providers:
    eu: {region: eu-west-1}
    aws-sm: {roleName: app, kvVersion: 2, mounts: {a: 1}}
    vault: {mounts: {/: 2}, vaultAddress: '', usePodIdentity: true}
",
        )
        .expect_err("a failure");
        let found: Vec<&str> = failure.problems().iter().map(|problem| problem.message.as_str()).collect();
        assert_eq!(
            found,
            [
                "`externalSecrets.refreshInterval` is neither `0` nor a duration of at least one second",
                "`externalSecrets.stores.aws-sm.name` is empty",
                "`externalSecrets.stores.aws-sm` has `mount`, which is for vault only",
                "`externalSecrets.stores.prod` does not name its service",
                "`secretsStoreCsi.providers.aws-sm` has `roleName`, which is for vault only",
                "`secretsStoreCsi.providers.aws-sm` has `kvVersion`, which is for vault only",
                "`secretsStoreCsi.providers.aws-sm` has `mounts`, which is for vault only",
                "`secretsStoreCsi.providers.aws-sm.region` is required",
                "`secretsStoreCsi.providers.eu` does not name its service",
                "`secretsStoreCsi.providers.vault.vaultAddress` is empty",
                "`secretsStoreCsi.providers.vault` has `usePodIdentity`, which is for AWS only",
                "`secretsStoreCsi.providers.vault.roleName` is required",
                "`secretsStoreCsi.providers.vault.mounts` has `/`, which is not a valid mount name",
            ]
        );
    }

    #[test]
    fn namespace_and_name_take_precedence_over_a_name() {
        let backends = decided(
            "environments:
  e: {secretBackends: {db: external-secrets, shop/db: secrets-store-csi, other/cache: external-secrets}}
",
        )
        .expect("sound");
        assert_eq!(backends.backend_for("shop", "db"), BackendKind::SecretsStoreCsi);
        assert_eq!(backends.backend_for("other", "db"), BackendKind::ExternalSecrets);
        assert_eq!(backends.backend_for("other", "cache"), BackendKind::ExternalSecrets);
        assert_eq!(backends.backend_for("shop", "cache"), BackendKind::SealedSecrets);
        let unused = |secrets: &[(&'static str, &'static str)]| -> Vec<String> {
            backends.unused_entries(secrets.iter().copied()).into_iter().map(str::to_owned).collect()
        };
        assert_eq!(unused(&[("shop", "db"), ("shop", "cache")]), ["other/cache"]);
        assert_eq!(unused(&[("other", "db"), ("other", "cache")]), ["shop/db"]);
        assert_eq!(unused(&[]), ["db", "other/cache", "shop/db"]);
    }

    #[test]
    fn invalid_names_of_secrets_are_refused() {
        let failure = decided(
            "environments: {e: {secretBackends: {'': sealed-secrets, /db: sealed-secrets, shop/: sealed-secrets, a/b/c: sealed-secrets, a/b: sealed-secrets}}}",
        )
        .expect_err("a failure");
        assert_eq!(failure.problems().len(), 4, "{failure}");
    }
}
