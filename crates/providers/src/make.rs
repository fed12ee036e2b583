//! Creates a provider from its settings.

use std::path::{Path, PathBuf};
use std::sync::Arc;

#[cfg(feature = "aws")]
use super::aws;
#[cfg(feature = "k8s")]
use super::k8s;
#[cfg(feature = "sops")]
use super::sops;
#[cfg(feature = "vault")]
use super::vault;
use super::{AppFiles, EnvLookup, Provider, ProviderConfigError, env, file};
use sealwave_secrets::placeholder::{DEFAULT_PROVIDER, provider_name};
use sealwave_secrets::settings::ProviderConfig;

/// The inputs of a provider besides its settings.
pub(super) struct ProviderContext<'a> {
    pub(super) operator_dir: &'a Path,
    pub(super) protected: &'a [PathBuf],
    pub(super) app: &'a AppFiles,
    pub(super) environment: &'a EnvLookup,
}

/// Evaluates to `$made`, or to a [`NotBuilt`](super::not_built::NotBuilt) provider if the feature is disabled.
macro_rules! if_built {
    ($feature:literal, $kind:literal, $made:expr) => {{
        #[cfg(feature = $feature)]
        let made = $made;
        #[cfg(not(feature = $feature))]
        let made = {
            let what = concat!("`", $kind, "` provider");
            Ok(boxed(super::not_built::NotBuilt { what, feature: $feature }))
        };
        made
    }};
}

/// Creates a provider.
///
/// # Errors
/// Returns the first setting that is not valid.
#[cfg_attr(
    not(all(feature = "aws", feature = "k8s", feature = "sops", feature = "vault")),
    expect(unused_variables, reason = "disabled features do not read their settings")
)]
pub(super) fn create_provider(
    name: &str,
    config: &ProviderConfig,
    around: &ProviderContext<'_>,
) -> Result<Box<dyn Provider>, ProviderConfigError> {
    let ProviderContext { operator_dir, protected, app, environment } = *around;
    match config {
        ProviderConfig::AwsSm(settings) => {
            if_built!(
                "aws",
                "aws-sm",
                aws::provider(name, aws::AwsService::SecretsManager, settings, operator_dir, environment)
            )
        }
        ProviderConfig::AwsSsm(settings) => {
            if_built!(
                "aws",
                "aws-ssm",
                aws::provider(name, aws::AwsService::ParameterStore, settings, operator_dir, environment)
            )
        }
        ProviderConfig::Env { names } => {
            env::EnvProvider::new(name, names, Arc::clone(environment)).map(boxed)
        }
        ProviderConfig::File { root } => {
            file::FileProvider::new(name, root, operator_dir, protected).map(boxed)
        }
        ProviderConfig::K8s(settings) => {
            if_built!("k8s", "k8s", k8s::K8sProvider::new(name, settings, operator_dir).map(boxed))
        }
        ProviderConfig::Sops { age_key_files, aws_kms } => {
            if_built!(
                "sops",
                "sops",
                sops::SopsProvider::new(
                    name,
                    age_key_files,
                    aws_kms.as_ref(),
                    operator_dir,
                    app,
                    environment
                )
                .map(boxed)
            )
        }
        ProviderConfig::Vault(settings) => {
            if_built!("vault", "vault", vault::VaultProvider::new(name, settings, operator_dir).map(boxed))
        }
    }
}

fn boxed(provider: impl Provider + 'static) -> Box<dyn Provider> {
    Box::new(provider)
}

/// Checks that placeholders can use a provider name.
///
/// # Errors
/// The name is reserved or not valid.
pub(super) fn check_name(name: &str) -> Result<(), ProviderConfigError> {
    if name == DEFAULT_PROVIDER {
        Err(ProviderConfigError::ReservedName)
    } else if provider_name(&format!("{name}:")) != Some(name) {
        Err(ProviderConfigError::BadName(name.to_owned()))
    } else {
        Ok(())
    }
}
