//! The identity behind a session, which STS tells to everyone about their own credentials.

use aws_config::SdkConfig;

use super::check::is_local;
use super::failure::{AwsCall, AwsFailure};
use super::session::AwsSession;
use super::settings::AwsSettings;
use crate::{Login, ProviderError};

impl AwsSession {
    /// Asks STS for the identity of the session, in the provider's own region or in `region`.
    ///
    /// # Errors
    /// STS rejects the credentials or cannot be reached.
    pub(crate) async fn identify(
        &self,
        settings: &AwsSettings,
        region: Option<&str>,
    ) -> Result<Login, ProviderError> {
        let config = sts_config(self.config(region)?, settings);
        let answer = aws_sdk_sts::Client::new(&config).get_caller_identity().send().await;
        let answer = answer.map_err(|error| {
            AwsFailure::from_sdk_error(&error).to_provider_error(AwsCall::GetCallerIdentity, &self.caller)
        })?;
        Ok(Login::with_identity(answer.arn()))
    }
}

/// Returns the configuration of STS. An emulator on this machine has all services at one address; the endpoint of another
/// service has only that.
pub(super) fn sts_config(config: SdkConfig, settings: &AwsSettings) -> SdkConfig {
    let role = settings.assume_role.as_ref().and_then(|role| role.endpoint_url.clone());
    let mut builder = config.into_builder();
    builder.set_endpoint_url(role.or_else(|| emulator(settings).map(str::to_owned)));
    builder.build()
}

/// Returns the address of an emulator on this machine, which has all services.
pub(super) fn emulator(settings: &AwsSettings) -> Option<&str> {
    settings.endpoint_url.as_deref().filter(|url| is_local(url))
}
