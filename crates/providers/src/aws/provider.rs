//! The providers of both services.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Instant;

use aws_credential_types::Credentials;

use super::secret::FetchedSecret;
use super::session::AwsSession;
use super::settings::{AwsSettings, ParameterStoreSettings, SecretsManagerSettings};
use super::target::{AwsService, AwsTarget};
use super::{check, exchange};
use crate::remote::{RemoteSource, TargetResults};
use crate::{
    CreateProvider, EnvLookup, FetchResult, Login, Provider, ProviderContext, ProviderError, SettingsError,
};
use sealwave_secrets::placeholder::SecretReference;

impl CreateProvider for SecretsManagerSettings {
    fn create(&self, _name: &str, context: &ProviderContext<'_>) -> Result<Box<dyn Provider>, SettingsError> {
        create(AwsService::SecretsManager, &self.0, context)
    }
}

impl CreateProvider for ParameterStoreSettings {
    fn create(&self, _name: &str, context: &ProviderContext<'_>) -> Result<Box<dyn Provider>, SettingsError> {
        create(AwsService::ParameterStore, &self.0, context)
    }
}

/// Creates a provider for one of the services.
///
/// # Errors
/// Returns the first malformed setting.
fn create(
    service: AwsService,
    settings: &AwsSettings,
    context: &ProviderContext<'_>,
) -> Result<Box<dyn Provider>, SettingsError> {
    check::check(settings)?;
    Ok(Box::new(AwsProvider {
        service,
        settings: settings.with_absolute_paths(context.operator_dir),
        environment: Arc::clone(context.environment),
        fixed: None,
    }))
}

struct AwsProvider {
    service: AwsService,
    settings: AwsSettings,
    environment: EnvLookup,
    /// Credentials for tests, instead of those that the SDK finds.
    fixed: Option<Credentials>,
}

impl RemoteSource for AwsProvider {
    type Target<'r> = AwsTarget;
    type Secret = FetchedSecret;

    fn parse(&self, reference: &SecretReference) -> Result<AwsTarget, ProviderError> {
        AwsTarget::new(self.service, reference)
    }

    async fn fetch_all(
        &self,
        targets: BTreeSet<AwsTarget>,
        end: Instant,
    ) -> Result<TargetResults<'_, Self>, ProviderError> {
        let session = AwsSession::open(&self.settings, &self.environment, self.fixed.as_ref(), end).await?;
        Ok(exchange::fetch_targets(self.service, &session, &targets, end).await)
    }

    async fn try_login(&self, end: Instant) -> Result<Login, ProviderError> {
        let session = AwsSession::open(&self.settings, &self.environment, self.fixed.as_ref(), end).await?;
        session.identify(&self.settings, None).await
    }

    fn select(secret: &FetchedSecret, reference: &SecretReference) -> FetchResult {
        secret.select(reference)
    }

    fn cut_off() -> ProviderError {
        ProviderError::unreachable(
            "no AWS credentials were received before the run's deadline",
            "check that the sidecar can reach STS, the Pod Identity agent or the instance metadata",
        )
    }
}

#[cfg(test)]
mod tests;
