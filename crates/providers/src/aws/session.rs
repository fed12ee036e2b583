//! Login to AWS: region, credentials, role and client settings, all from the operator file and the sidecar.
//!
//! Credentials come from the SDK's default chain: environment, profile, web identity (IRSA), Pod Identity and ECS,
//! instance metadata. A profile that the operator sets is the only source.
//! Credentials stay in the SDK's own types. Error texts of the SDK are not passed on: they may quote responses.

use std::time::{Duration, Instant};

use aws_config::profile::ProfileFileCredentialsProvider;
#[expect(deprecated, reason = "the crate that it moved to is not part of the SDK's public API")]
use aws_config::profile::profile_file::ProfileFiles;
use aws_config::provider_config::ProviderConfig as SdkProviderConfig;
use aws_config::retry::RetryConfig;
use aws_config::timeout::TimeoutConfig;
use aws_config::{BehaviorVersion, Region, SdkConfig};
use aws_credential_types::Credentials;
use aws_credential_types::provider::error::CredentialsError;
use aws_credential_types::provider::{ProvideCredentials as _, SharedCredentialsProvider};
use aws_smithy_runtime_api::client::http::SharedHttpClient;

use super::client;
use super::failure::{AwsCall, AwsFailure};
use super::profile_files::profile_files;
use super::settings::{AssumeRole, AwsSettings};
use crate::{EnvLookup, ProviderError};

/// Attempts of one call; usually the run's deadline comes first.
const MAX_ATTEMPTS: u32 = 8;

/// Upper bounds of the random waits between attempts.
const FIRST_BACKOFF: Duration = Duration::from_millis(300);
const MAX_BACKOFF: Duration = Duration::from_secs(5);

const MAX_CONNECT: Duration = Duration::from_secs(5);

const DEFAULT_SESSION_NAME: &str = "sealwave";

/// The place where a session runs, for messages.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum LoginPlace {
    /// A command of an operator at a desk.
    Desk,
    /// The sidecar of Argo CD, or a local run in its place.
    Sidecar,
}

impl LoginPlace {
    /// Describes the identity of the default chain.
    const fn own_identity(self) -> &'static str {
        match self {
            Self::Desk => "your AWS identity",
            Self::Sidecar => "the sidecar's identity",
        }
    }

    /// Returns the hint for a login without result.
    const fn hint(self, sidecar: &'static str) -> &'static str {
        match self {
            Self::Desk => {
                "pass `--profile NAME`, or set `AWS_PROFILE` or the `AWS_*` variables; `aws sts get-caller-identity` shows the identity that they give"
            }
            Self::Sidecar => sidecar,
        }
    }
}

/// A logged-in identity and the configuration of its clients.
pub(crate) struct AwsSession {
    config: SdkConfig,
    /// The identity of the caller, for messages.
    pub(crate) caller: String,
    place: LoginPlace,
}

impl AwsSession {
    /// Logs in. `fixed` are credentials to use instead of the default chain.
    pub(crate) async fn open(
        settings: &AwsSettings,
        environment: &EnvLookup,
        fixed: Option<&Credentials>,
        end: Instant,
    ) -> Result<Self, ProviderError> {
        Self::open_at(LoginPlace::Sidecar, settings, environment, fixed, end).await
    }

    /// Logs in at a place.
    pub(super) async fn open_at(
        place: LoginPlace,
        settings: &AwsSettings,
        environment: &EnvLookup,
        fixed: Option<&Credentials>,
        end: Instant,
    ) -> Result<Self, ProviderError> {
        let (files, _) = profile_files(environment);
        let client = client::new(settings.ca_file.as_deref(), settings.proxy.as_deref())?;
        let config = load_config(settings, files.clone(), client.clone(), end).await;
        let caller = caller(settings, place);
        let credentials = match fixed {
            Some(credentials) => credentials.clone(),
            None => credentials(settings, files, client, &config)
                .await
                .map_err(|error| no_credentials(&error, place))?,
        };
        let mut config = with_credentials(config, credentials);
        if let Some(role) = &settings.assume_role {
            config.region().ok_or_else(|| no_region(place))?;
            let credentials = assume_role(role, &config, place).await?;
            config = with_credentials(config, credentials);
        }
        if let Some(url) = &settings.endpoint_url {
            config = config.into_builder().endpoint_url(url).build();
        }
        Ok(Self { config, caller, place })
    }

    /// Returns the client configuration for the operator's region, or for the region of an ARN.
    pub(crate) fn config(&self, region: Option<&str>) -> Result<SdkConfig, ProviderError> {
        match region {
            Some(name) => Ok(self.config.to_builder().region(Region::new(name.to_owned())).build()),
            None if self.config.region().is_some() => Ok(self.config.clone()),
            None => Err(no_region(self.place)),
        }
    }
}

#[expect(deprecated, reason = "see the import")]
async fn load_config(
    settings: &AwsSettings,
    files: ProfileFiles,
    client: SharedHttpClient,
    end: Instant,
) -> SdkConfig {
    let retries = RetryConfig::standard()
        .with_max_attempts(MAX_ATTEMPTS)
        .with_initial_backoff(FIRST_BACKOFF)
        .with_max_backoff(MAX_BACKOFF);
    let mut loader = aws_config::defaults(BehaviorVersion::v2026_01_12())
        .http_client(client)
        .profile_files(files)
        .retry_config(retries)
        .timeout_config(timeouts(end.saturating_duration_since(Instant::now())));
    if let Some(region) = &settings.region {
        loader = loader.region(Region::new(region.clone()));
    }
    if let Some(profile) = &settings.profile {
        loader = loader.profile_name(profile);
    }
    loader.load().await
}

/// Returns timeouts: an attempt may take a third of the remaining time, so that a hanging one can be retried.
fn timeouts(left: Duration) -> TimeoutConfig {
    let attempt = left / 3;
    TimeoutConfig::builder()
        .connect_timeout(attempt.min(MAX_CONNECT))
        .operation_attempt_timeout(attempt)
        .operation_timeout(left)
        .build()
}

#[expect(deprecated, reason = "see the import")]
/// Returns the configured credentials if they can be sent.
///
/// The SDK panics on a key with a line break, with which environment variables from files often end.
async fn credentials(
    settings: &AwsSettings,
    files: ProfileFiles,
    client: SharedHttpClient,
    config: &SdkConfig,
) -> Result<Credentials, CredentialsError> {
    let found = find_credentials(settings, files, client, config).await?;
    let parts = [found.access_key_id(), found.secret_access_key(), found.session_token().unwrap_or("")];
    if parts.iter().all(|part| part.bytes().all(|byte| byte.is_ascii_graphic())) {
        Ok(found)
    } else {
        Err(CredentialsError::invalid_configuration(
            "a key or token contains a character that is not allowed",
        ))
    }
}

#[expect(deprecated, reason = "see the import")]
async fn find_credentials(
    settings: &AwsSettings,
    files: ProfileFiles,
    client: SharedHttpClient,
    config: &SdkConfig,
) -> Result<Credentials, CredentialsError> {
    if let Some(profile) = &settings.profile {
        let context = SdkProviderConfig::without_region()
            .with_region(config.region().cloned())
            .with_http_client(client);
        let provider = ProfileFileCredentialsProvider::builder()
            .configure(&context)
            .profile_files(files)
            .profile_name(profile)
            .build();
        return provider.provide_credentials().await;
    }
    match config.credentials_provider() {
        Some(provider) => provider.provide_credentials().await,
        None => Err(CredentialsError::not_loaded_no_source()),
    }
}

fn with_credentials(config: SdkConfig, credentials: Credentials) -> SdkConfig {
    config.into_builder().credentials_provider(SharedCredentialsProvider::new(credentials)).build()
}

async fn assume_role(
    role: &AssumeRole,
    config: &SdkConfig,
    place: LoginPlace,
) -> Result<Credentials, ProviderError> {
    let mut config = config.clone();
    if let Some(url) = &role.endpoint_url {
        config = config.into_builder().endpoint_url(url).build();
    }
    let answer = aws_sdk_sts::Client::new(&config)
        .assume_role()
        .role_arn(&role.role_arn)
        .role_session_name(role.session_name.as_deref().unwrap_or(DEFAULT_SESSION_NAME))
        .set_external_id(role.external_id.clone())
        .send()
        .await
        .map_err(|error| {
            AwsFailure::from_sdk_error(&error).to_provider_error(AwsCall::AssumeRole, place.own_identity())
        })?;
    let malformed = || AwsFailure::malformed().to_provider_error(AwsCall::AssumeRole, place.own_identity());
    let given = answer.credentials.ok_or_else(malformed)?;
    Ok(Credentials::new(
        given.access_key_id,
        given.secret_access_key,
        Some(given.session_token),
        None,
        "AssumeRole",
    ))
}

/// Describes the identity of the caller.
fn caller(settings: &AwsSettings, place: LoginPlace) -> String {
    match (&settings.assume_role, &settings.profile) {
        (Some(role), _) => format!("role `{}`", role.role_arn),
        (None, Some(profile)) => format!("the identity of profile `{profile}`"),
        (None, None) => place.own_identity().to_owned(),
    }
}

fn no_region(place: LoginPlace) -> ProviderError {
    let hint = match place {
        LoginPlace::Desk => {
            "pass `--region NAME`, or set `AWS_REGION`, or `region` of the provider in the operator file"
        }
        LoginPlace::Sidecar => {
            "set `region` of this provider in the operator file, or `AWS_REGION` of the sidecar"
        }
    };
    ProviderError::denied("no AWS region is set", hint)
}

fn no_credentials(error: &CredentialsError, place: LoginPlace) -> ProviderError {
    match error {
        CredentialsError::CredentialsNotLoaded(_) => ProviderError::denied(
            "no AWS credentials were found",
            place.hint(
                "give the sidecar's ServiceAccount a role (IRSA or Pod Identity), or set `profile` in the operator file",
            ),
        ),
        CredentialsError::InvalidConfiguration(_) => ProviderError::denied(
            "the configuration of the AWS credentials is not valid",
            place.hint("check the profile and the `AWS_*` variables of the sidecar"),
        ),
        CredentialsError::ProviderTimedOut(_) => ProviderError::unreachable(
            "the source of the AWS credentials did not respond in time",
            place.hint("check that the sidecar can reach STS, the Pod Identity agent or the instance metadata"),
        ),
        _ => ProviderError::denied(
            "AWS credentials cannot be obtained",
            place.hint(
                "check that the role trusts the sidecar's ServiceAccount, and that the sidecar can reach STS",
            ),
        ),
    }
}
