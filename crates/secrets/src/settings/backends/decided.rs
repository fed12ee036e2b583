//! The settings of backends as decided for one environment; all errors are reported together.

use std::collections::{BTreeMap, BTreeSet};

use super::choice::BackendChoice;
use super::external_secrets::ExternalSecrets;
use super::secrets_store_csi::CsiProvider;
use super::section::{BackendSection, SettingError};
use crate::settings::{App, EnvironmentSettings};
use sealwave_core::diagnostic::{Failure, Problem};

/// The backends of the placeholder Secrets of one environment.
#[derive(Clone, Debug, Default)]
pub struct EnvironmentBackends {
    default: BackendChoice,
    /// By name, or by namespace and name as in `shop/db`.
    by_secret: BTreeMap<String, BackendChoice>,
    external_secrets: ExternalSecrets,
    csi_providers: BTreeMap<String, CsiProvider>,
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
            BackendSection::decide(&app.external_secrets, &environment.external_secrets, &mut problems);
        let csi_providers =
            BackendSection::decide(&app.secrets_store_csi, &environment.secrets_store_csi, &mut problems);
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
    pub fn choice_for(&self, namespace: &str, name: &str) -> BackendChoice {
        let mut entries = entry_names(namespace, name).into_iter().rev();
        entries.find_map(|entry| self.by_secret.get(&entry)).copied().unwrap_or(self.default)
    }

    /// Reports whether a Secret has an entry in `secretBackends`.
    #[must_use]
    pub fn has_own_entry(&self, namespace: &str, name: &str) -> bool {
        entry_names(namespace, name).iter().any(|entry| self.by_secret.contains_key(entry))
    }

    /// Returns these backends with another one for an entry of `secretBackends`, or for all other Secrets.
    #[must_use]
    pub fn with_choice(mut self, entry: Option<&str>, choice: BackendChoice) -> Self {
        match entry {
            Some(entry) => drop(self.by_secret.insert(entry.to_owned(), choice)),
            None => self.default = choice,
        }
        self
    }

    /// Reports whether any Secret may need its values fetched and sealed.
    #[must_use]
    pub fn needs_values(&self) -> bool {
        std::iter::once(&self.default).chain(self.by_secret.values()).any(|choice| choice.kind.needs_values())
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

    /// Returns the settings of the backend `external-secrets`.
    #[must_use]
    pub const fn external_secrets(&self) -> &ExternalSecrets {
        &self.external_secrets
    }

    /// Returns the providers of the driver, by the names of the operator file.
    #[must_use]
    pub const fn csi_providers(&self) -> &BTreeMap<String, CsiProvider> {
        &self.csi_providers
    }
}

/// Returns the keys that `secretBackends` may use for a Secret.
fn entry_names(namespace: &str, name: &str) -> [String; 2] {
    [name.to_owned(), format!("{namespace}/{name}")]
}

fn secret_names(entries: &BTreeMap<String, BackendChoice>) -> impl Iterator<Item = SettingError> {
    let is_valid = |entry: &str| {
        let parts: Vec<&str> = entry.split('/').collect();
        parts.len() <= 2 && parts.iter().all(|part| !part.is_empty())
    };
    entries.keys().filter(move |entry| !is_valid(entry)).map(|entry| SettingError::SecretName(entry.clone()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::settings::{BackendKind, ExternalSecretVersion, SecretService, StoreKind};

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
        assert_eq!(backends.choice_for("shop", "db").kind, BackendKind::ExternalSecrets);
        assert_eq!(backends.choice_for("shop", "legacy").kind, BackendKind::SealedSecrets);
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
        assert_eq!(backends.choice_for("shop", "db").kind, BackendKind::SealedSecrets);
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
        assert_eq!(backends.choice_for("shop", "db").kind, BackendKind::SecretsStoreCsi);
        assert_eq!(backends.choice_for("other", "db").kind, BackendKind::ExternalSecrets);
        assert_eq!(backends.choice_for("other", "cache").kind, BackendKind::ExternalSecrets);
        assert_eq!(backends.choice_for("shop", "cache").kind, BackendKind::SealedSecrets);
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
