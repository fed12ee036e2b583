//! The access keys of an IAM user.

use std::time::{Duration, SystemTime};

use aws_config::retry::RetryConfig;
use aws_sdk_iam::Client;
use aws_sdk_iam::types::StatusType;

use super::error::{AwsError, AwsErrorKind};
use super::named_response::NamedResponse;
use super::names::is_access_key_id;
use super::session::{AwsAccount, time};
use crate::aws::failure::{AwsCall, AwsFailure};
use crate::aws::identity::emulator;
use sealwave_secrets::values::SecretValue;

/// Attempts to create a key that AWS throttles.
const CREATE_ATTEMPTS: u32 = 6;

/// The time before the second attempt; each following one waits twice as long.
const CREATE_BACKOFF: Duration = Duration::from_millis(500);

/// The most pages of keys. AWS allows two keys for a user.
const MAX_PAGES: usize = 4;

/// An access key, without its secret.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AccessKey {
    /// The id, which is public.
    pub id: String,
    /// Whether it can be used.
    pub status: KeyStatus,
    /// The time of its creation.
    pub created: Option<SystemTime>,
}

/// The status of an access key.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum KeyStatus {
    /// Requests with the key are accepted.
    Active,
    /// Requests with the key are refused, until it is active again.
    Inactive,
}

/// The last use of an access key that AWS knows. It lags by hours, so an old date proves nothing.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LastUse {
    /// The time.
    pub at: SystemTime,
    /// The service, for example `s3`.
    pub service: String,
    /// The region.
    pub region: String,
}

/// A new access key with its secret, which AWS shows once.
pub struct NewAccessKey {
    /// The id.
    pub id: String,
    /// The secret access key.
    pub secret: SecretValue,
}

impl AwsAccount {
    fn iam(&self) -> Result<Client, AwsError> {
        let mut builder = self.config()?.into_builder();
        builder.set_endpoint_url(emulator(&self.settings).map(str::to_owned));
        Ok(Client::new(&builder.build()))
    }

    /// Returns the ARN of a user.
    ///
    /// # Errors
    /// The user does not exist, or the call fails.
    pub fn user_arn(&self, user: &str) -> Result<String, AwsError> {
        let explain = self.explain(AwsCall::GetUser);
        let answer = self.runtime.block_on(self.iam()?.get_user().user_name(user).send());
        let answer =
            answer.map_err(|error| explain(AwsFailure::from_sdk_error(&error)).about("user", user))?;
        let arn = answer.user.map(|user| user.arn).filter(|arn| is_shown(arn));
        let arn = arn.ok_or_else(|| explain(AwsFailure::malformed()))?;
        // Another name could be that of another user, or the same in other case, which would have another journal.
        let mut parts = arn.splitn(6, ':').skip(4);
        let is_same_account = parts.next() == Some(self.caller.account.as_str());
        let resource = parts.next().and_then(|resource| resource.strip_prefix("user/"));
        let is_same_user = resource.is_some_and(|path| path.rsplit('/').next() == Some(user));
        if is_same_account && is_same_user { Ok(arn) } else { Err(other_user(user, &arn)) }
    }

    /// Returns the keys of a user, the oldest first.
    ///
    /// # Errors
    /// The user does not exist, or the call fails.
    pub fn access_keys(&self, user: &str) -> Result<Vec<AccessKey>, AwsError> {
        let explain = self.explain(AwsCall::ListAccessKeys);
        let client = self.iam()?;
        let (mut keys, mut marker) = (Vec::new(), None);
        for _ in 0..MAX_PAGES {
            let request = client.list_access_keys().user_name(user).set_marker(marker.take());
            let page = self.runtime.block_on(request.send());
            let page =
                page.map_err(|error| explain(AwsFailure::from_sdk_error(&error)).about("user", user))?;
            for key in page.access_key_metadata {
                let id = key.access_key_id.filter(|id| is_access_key_id(id));
                let id = id.filter(|id| !keys.iter().any(|known: &AccessKey| known.id == *id));
                let id = id.filter(|_| key.user_name.as_deref().is_none_or(|name| name == user));
                let status = match key.status {
                    Some(StatusType::Active) => KeyStatus::Active,
                    _ => KeyStatus::Inactive,
                };
                let id = id.ok_or_else(|| explain(AwsFailure::malformed()))?;
                keys.push(AccessKey { id, status, created: time(key.create_date) });
            }
            if !page.is_truncated || page.marker.is_none() {
                keys.sort_by(|a, b| (a.created, &a.id).cmp(&(b.created, &b.id)));
                return Ok(keys);
            }
            marker = page.marker;
        }
        // With a part of the keys, one in use could look like none.
        Err(explain(AwsFailure::malformed()))
    }

    /// Returns the last use of a key that AWS knows; `None` if it knows of none.
    ///
    /// # Errors
    /// The call fails.
    pub fn last_use(&self, id: &str) -> Result<Option<LastUse>, AwsError> {
        let explain = self.explain(AwsCall::GetAccessKeyLastUsed);
        let answer = self.runtime.block_on(self.iam()?.get_access_key_last_used().access_key_id(id).send());
        let answer = answer.map_err(|error| explain(AwsFailure::from_sdk_error(&error)))?;
        let Some(used) = answer.access_key_last_used else { return Ok(None) };
        let (service, region) = (word(used.service_name), word(used.region));
        match (used.last_used_date, time(used.last_used_date)) {
            (None, _) => Ok(None),
            // A key with a date was used, whenever that was.
            (Some(_), None) => Err(explain(AwsFailure::malformed())),
            (Some(_), Some(at)) => Ok(Some(LastUse { at, service, region })),
        }
    }

    /// Creates a key. Unlike other calls, a request that may have had its effect is not repeated: that could create
    /// two keys.
    ///
    /// # Errors
    /// The user has two keys, or the call fails. After [`AwsErrorKind::NoResponse`], the key may exist.
    pub fn create_access_key(&self, user: &str) -> Result<NewAccessKey, AwsError> {
        let explain = self.explain(AwsCall::CreateAccessKey);
        let once = aws_sdk_iam::config::Builder::new().retry_config(RetryConfig::disabled());
        let client = self.iam()?;
        let mut wait = CREATE_BACKOFF;
        for attempt in 1.. {
            let request =
                client.create_access_key().user_name(user).customize().config_override(once.clone());
            let error = match self.runtime.block_on(request.send()) {
                Ok(answer) => {
                    let key = answer.access_key.filter(|key| is_access_key_id(&key.access_key_id));
                    let key = key.filter(|key| key.user_name == user);
                    let key = key.ok_or_else(|| explain(AwsFailure::malformed()))?;
                    let secret = SecretValue::new(key.secret_access_key.into_bytes());
                    return Ok(NewAccessKey { id: key.access_key_id, secret });
                }
                Err(error) => explain(AwsFailure::from_sdk_error(&error)),
            };
            if error.kind != AwsErrorKind::Throttled || attempt == CREATE_ATTEMPTS {
                return Err(error);
            }
            self.runtime.block_on(async { tokio::time::sleep(wait).await });
            wait *= 2;
        }
        Err(explain(AwsFailure::malformed()))
    }

    /// Makes a key active or inactive.
    ///
    /// # Errors
    /// The call fails.
    pub fn set_key_status(&self, user: &str, id: &str, status: KeyStatus) -> Result<(), AwsError> {
        let status = match status {
            KeyStatus::Active => StatusType::Active,
            KeyStatus::Inactive => StatusType::Inactive,
        };
        let request = self.iam()?.update_access_key().user_name(user).access_key_id(id).status(status);
        let request = request.customize().interceptor(NamedResponse("<UpdateAccessKeyResponse"));
        let answer = self.runtime.block_on(request.send());
        let explain = self.explain(AwsCall::UpdateAccessKey);
        answer.map(drop).map_err(|error| explain(AwsFailure::from_sdk_error(&error)))
    }

    /// Deletes a key. A key that does not exist any more counts as deleted.
    ///
    /// # Errors
    /// The call fails.
    pub fn delete_access_key(&self, user: &str, id: &str) -> Result<(), AwsError> {
        let request = self.iam()?.delete_access_key().user_name(user).access_key_id(id);
        let request = request.customize().interceptor(NamedResponse("<DeleteAccessKeyResponse"));
        let explain = self.explain(AwsCall::DeleteAccessKey);
        let error = match self.runtime.block_on(request.send()) {
            Ok(_) => return Ok(()),
            Err(error) => explain(AwsFailure::from_sdk_error(&error)),
        };
        if error.kind == AwsErrorKind::NotFound { Ok(()) } else { Err(error) }
    }
}

/// Reports whether an ARN of a response can be shown.
fn is_shown(arn: &str) -> bool {
    arn.len() <= 2048 && arn.bytes().all(|byte| byte.is_ascii_graphic() && byte != b'`')
}

fn other_user(user: &str, arn: &str) -> AwsError {
    AwsError::other(
        format!("AWS returned user `{arn}` for `{user}`"),
        "write the name as AWS has it, also its case; if it is that name, check what serves the endpoint of IAM",
    )
}

/// Returns a short name for messages.
fn word(text: String) -> String {
    let is_word =
        text.len() <= 64 && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-._/".contains(&byte));
    if is_word { text } else { "?".to_owned() }
}
