//! The login to an account, and what all calls share.

use std::time::{Duration, Instant, SystemTime};

use aws_config::SdkConfig;
use aws_credential_types::Credentials;
use aws_credential_types::provider::ProvideCredentials as _;

use super::error::AwsError;
use crate::EnvLookup;
use crate::aws::check;
use crate::aws::failure::{AwsCall, AwsFailure};
use crate::aws::identity::sts_config;
use crate::aws::session::{AwsSession, LoginPlace};
use crate::aws::settings::AwsSettings;
use crate::config_error::BadSetting;
use sealwave_secrets::values::SecretValue;

/// The time for one call with its retries.
const CALL_TIME: Duration = Duration::from_mins(1);

/// The address and the identity of an account: settings of a provider, or flags.
#[derive(Clone, Debug, Default)]
pub struct AwsLogin(AwsSettings);

impl AwsLogin {
    /// Creates the login of a provider. Its paths are absolute.
    pub(crate) const fn of_settings(settings: AwsSettings) -> Self {
        Self(settings)
    }

    /// Uses the credentials of a profile, and no role of the provider.
    #[must_use]
    pub fn with_profile(mut self, profile: &str) -> Self {
        self.0.profile = Some(profile.to_owned());
        self.0.assume_role = None;
        self
    }

    /// Uses another region.
    #[must_use]
    pub fn with_region(mut self, region: &str) -> Self {
        self.0.region = Some(region.to_owned());
        self
    }

    /// Uses another endpoint, for example an emulator.
    #[must_use]
    pub fn with_endpoint(mut self, url: &str) -> Self {
        self.0.endpoint_url = Some(url.to_owned());
        self
    }

    /// Returns the region of the settings, if they have one.
    #[must_use]
    pub fn region(&self) -> Option<&str> {
        self.0.region.as_deref()
    }

    /// Checks the form of the settings, without a request.
    ///
    /// # Errors
    /// A setting is malformed.
    pub fn check(&self) -> Result<(), AwsError> {
        check::check(&self.0).map_err(|BadSetting { field, wanted }| AwsError::bad_setting(field, wanted))
    }

    /// Logs in, and asks STS who that is.
    ///
    /// # Errors
    /// A setting is malformed, there are no credentials, or AWS rejects them.
    pub fn open(&self, environment: &EnvLookup) -> Result<AwsAccount, AwsError> {
        self.check()?;
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()
            .map_err(|error| AwsError::no_runtime(error.kind()))?;
        let end = Instant::now() + CALL_TIME;
        let session = runtime
            .block_on(async { AwsSession::open_at(LoginPlace::Desk, &self.0, environment, None, end).await });
        let mut session = session.map_err(|error| AwsError::of_login(&error))?;
        let config = sts_config(session.config(None).map_err(|error| AwsError::of_login(&error))?, &self.0);
        let caller = runtime.block_on(ask_identity(&config, &session.caller))?;
        session.caller = format!("`{}`", caller.arn);
        Ok(AwsAccount { runtime, session, settings: self.0.clone(), caller })
    }
}

/// An identity as STS knows it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CallerIdentity {
    /// The ARN of the user or of the session of a role.
    pub arn: String,
    /// The number of the account.
    pub account: String,
}

/// A logged-in account.
///
/// Each method is one API call, which blocks.
pub struct AwsAccount {
    pub(super) runtime: tokio::runtime::Runtime,
    pub(super) session: AwsSession,
    pub(super) settings: AwsSettings,
    pub(super) caller: CallerIdentity,
}

impl AwsAccount {
    /// Returns the identity of the session.
    #[must_use]
    pub const fn caller(&self) -> &CallerIdentity {
        &self.caller
    }

    /// Returns the region.
    ///
    /// # Errors
    /// No region is set.
    pub fn region(&self) -> Result<String, AwsError> {
        Ok(self.config()?.region().map(|region| region.as_ref().to_owned()).unwrap_or_default())
    }

    /// Returns the id of the access key that the session uses. A temporary one is none of a user.
    #[must_use]
    pub fn session_key(&self) -> Option<String> {
        let provider = self.session.config(None).ok()?.credentials_provider()?;
        let credentials = self.runtime.block_on(provider.provide_credentials()).ok()?;
        Some(credentials.access_key_id().to_owned())
    }

    /// Asks STS for the identity of another access key.
    ///
    /// # Errors
    /// AWS does not know the key (yet), or cannot be reached.
    pub fn identity_of_key(&self, id: &str, secret: &SecretValue) -> Result<CallerIdentity, AwsError> {
        let credentials = key_credentials(id, secret)?;
        let config = sts_config(self.config()?, &self.settings)
            .into_builder()
            .credentials_provider(aws_credential_types::provider::SharedCredentialsProvider::new(credentials))
            .build();
        self.runtime.block_on(ask_identity(&config, &format!("access key `{id}`")))
    }

    pub(super) fn config(&self) -> Result<SdkConfig, AwsError> {
        self.session.config(None).map_err(|error| AwsError::of_login(&error))
    }

    /// Returns a function that explains the failure of a call.
    pub(super) fn explain(&self, call: AwsCall) -> impl Fn(AwsFailure) -> AwsError + '_ {
        move |failure| AwsError::new(&failure, call, &self.session.caller)
    }
}

async fn ask_identity(config: &SdkConfig, caller: &str) -> Result<CallerIdentity, AwsError> {
    let explain = |failure: AwsFailure| AwsError::new(&failure, AwsCall::GetCallerIdentity, caller);
    let answer = aws_sdk_sts::Client::new(config).get_caller_identity().send().await;
    let answer = answer.map_err(|error| explain(AwsFailure::from_sdk_error(&error)))?;
    let is_safe = |text: &String| {
        text.len() <= 2048 && text.bytes().all(|byte| byte.is_ascii_graphic() && byte != b'`')
    };
    match (answer.arn.filter(is_safe), answer.account.filter(is_safe)) {
        (Some(arn), Some(account)) => Ok(CallerIdentity { arn, account }),
        _ => Err(explain(AwsFailure::malformed())),
    }
}

/// Returns a key as credentials. The SDK panics on a key that no header can have.
pub(super) fn key_credentials(id: &str, secret: &SecretValue) -> Result<Credentials, AwsError> {
    let is_sendable = |text: &&str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_graphic());
    match (Some(id).filter(is_sendable), secret.expose_str().filter(is_sendable)) {
        (Some(id), Some(secret)) => Ok(Credentials::new(id, secret, None, None, "sealwave")),
        _ => Err(AwsError::unusable_key()),
    }
}

/// The end of the year 9999. Arithmetic with later times could overflow.
const LATEST: u64 = 253_402_300_799;

/// Converts a time of the SDK. A time before 1970 or after the year 9999 is `None`.
pub(super) fn time(time: Option<aws_smithy_types::DateTime>) -> Option<SystemTime> {
    let seconds = u64::try_from(time?.secs()).ok().filter(|seconds| *seconds <= LATEST)?;
    SystemTime::UNIX_EPOCH.checked_add(Duration::from_secs(seconds))
}
