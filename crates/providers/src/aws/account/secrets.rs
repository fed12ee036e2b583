//! Reading, writing and rotating secrets of Secrets Manager.

use std::time::SystemTime;

use aws_sdk_secretsmanager::Client;
use aws_smithy_types::Blob;

use super::error::AwsError;
use super::names::is_requested;
use super::session::{AwsAccount, time};
use crate::aws::failure::{AwsCall, AwsFailure};
use crate::aws::target::is_region;
use sealwave_secrets::values::SecretValue;

/// A version of a secret with its value.
pub struct StoredSecret {
    /// The value.
    pub value: SecretValue,
    /// Whether it was stored as bytes.
    pub binary: bool,
    /// The id of the version.
    pub version: String,
}

/// A version of a secret, by its stage.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum VersionStage {
    /// The version that readers get.
    Current,
    /// The version before.
    Previous,
}

/// The description of a secret, without its value.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct SecretDescription {
    /// The current version.
    pub current: Option<String>,
    /// The version that a rotation prepares.
    pub pending: Option<String>,
    /// Whether a rotation is set up.
    pub rotates: bool,
    /// The time of the last completed rotation.
    pub last_rotated: Option<SystemTime>,
    /// Whether it is marked for deletion.
    pub deleted: bool,
    /// The service that manages it, and rotates it itself.
    pub managed_by: Option<String>,
}

impl AwsAccount {
    fn secrets(&self, id: &str) -> Result<Client, AwsError> {
        let region =
            id.starts_with("arn:").then(|| id.split(':').nth(3)).flatten().filter(|name| is_region(name));
        let config = self.session.config(region).map_err(|error| AwsError::of_login(&error))?;
        Ok(Client::new(&config))
    }

    /// Reads a version of a secret.
    ///
    /// # Errors
    /// There is no such secret or version, or the call fails.
    pub fn secret(&self, id: &str, stage: VersionStage) -> Result<StoredSecret, AwsError> {
        let explain = self.explain(AwsCall::GetSecretValue);
        let request = self.secrets(id)?.get_secret_value().secret_id(id).version_stage(match stage {
            VersionStage::Current => "AWSCURRENT",
            VersionStage::Previous => "AWSPREVIOUS",
        });
        let answer = self.runtime.block_on(request.send());
        let answer =
            answer.map_err(|error| explain(AwsFailure::from_sdk_error(&error)).about("secret", id))?;
        if !is_requested(id, answer.name.as_deref(), answer.arn.as_deref()) {
            return Err(explain(AwsFailure::malformed()));
        }
        let version = answer.version_id.filter(|version| is_version(version));
        let value = match (answer.secret_string, answer.secret_binary) {
            (Some(text), _) => Some((text.into_bytes(), false)),
            (None, Some(bytes)) => Some((bytes.into_inner(), true)),
            (None, None) => None,
        };
        let stored = value.zip(version).map(|((bytes, binary), version)| StoredSecret {
            value: SecretValue::new(bytes),
            binary,
            version,
        });
        stored.ok_or_else(|| explain(AwsFailure::malformed()))
    }

    /// Describes a secret.
    ///
    /// # Errors
    /// There is no such secret, or the call fails.
    pub fn describe_secret(&self, id: &str) -> Result<SecretDescription, AwsError> {
        let explain = self.explain(AwsCall::DescribeSecret);
        let answer = self.runtime.block_on(self.secrets(id)?.describe_secret().secret_id(id).send());
        let answer =
            answer.map_err(|error| explain(AwsFailure::from_sdk_error(&error)).about("secret", id))?;
        if !is_requested(id, answer.name.as_deref(), answer.arn.as_deref()) {
            return Err(explain(AwsFailure::malformed()));
        }
        let mut found = SecretDescription {
            rotates: answer.rotation_enabled.unwrap_or(false),
            last_rotated: time(answer.last_rotated_date),
            deleted: answer.deleted_date.is_some(),
            managed_by: answer.owning_service.filter(|name| is_version(name)),
            ..SecretDescription::default()
        };
        let mut stages: Vec<_> = answer.version_ids_to_stages.unwrap_or_default().into_iter().collect();
        stages.sort();
        for (version, stages) in stages.into_iter().filter(|(version, _)| is_version(version)) {
            if stages.iter().any(|stage| stage == "AWSCURRENT") {
                found.current = Some(version);
            } else if stages.iter().any(|stage| stage == "AWSPENDING") {
                found.pending = Some(version);
            }
        }
        Ok(found)
    }

    /// Writes a new version of a secret, and returns its id. The same token with the same value writes nothing new.
    ///
    /// # Errors
    /// The call fails.
    pub fn put_secret(
        &self,
        id: &str,
        value: &SecretValue,
        binary: bool,
        token: Option<&str>,
    ) -> Result<String, AwsError> {
        let explain = self.explain(AwsCall::PutSecretValue);
        let request = self
            .secrets(id)?
            .put_secret_value()
            .secret_id(id)
            .set_client_request_token(token.map(str::to_owned));
        let request = match stored_form(value, binary) {
            StoredForm::Text(text) => request.secret_string(text),
            StoredForm::Binary(bytes) => request.secret_binary(bytes),
        };
        let answer = self.runtime.block_on(request.send());
        let answer =
            answer.map_err(|error| explain(AwsFailure::from_sdk_error(&error)).about("secret", id))?;
        answer.version_id.filter(|id| is_version(id)).ok_or_else(|| explain(AwsFailure::malformed()))
    }

    /// Creates a secret, and returns the id of its version.
    ///
    /// # Errors
    /// It exists, or the call fails.
    pub fn create_secret(
        &self,
        name: &str,
        value: &SecretValue,
        binary: bool,
        token: Option<&str>,
    ) -> Result<String, AwsError> {
        let explain = self.explain(AwsCall::CreateSecret);
        let request =
            self.secrets(name)?.create_secret().name(name).set_client_request_token(token.map(str::to_owned));
        let request = match stored_form(value, binary) {
            StoredForm::Text(text) => request.secret_string(text),
            StoredForm::Binary(bytes) => request.secret_binary(bytes),
        };
        let answer = self.runtime.block_on(request.send());
        let answer = answer.map_err(|error| explain(AwsFailure::from_sdk_error(&error)))?;
        answer.version_id.filter(|id| is_version(id)).ok_or_else(|| explain(AwsFailure::malformed()))
    }

    /// Starts the rotation that is set up for a secret, and returns the id of the version that it prepares.
    ///
    /// # Errors
    /// No rotation is set up, or the call fails.
    pub fn rotate_secret(&self, id: &str) -> Result<Option<String>, AwsError> {
        let explain = self.explain(AwsCall::RotateSecret);
        let request = self.secrets(id)?.rotate_secret().secret_id(id);
        let answer = self.runtime.block_on(request.send());
        let answer =
            answer.map_err(|error| explain(AwsFailure::from_sdk_error(&error)).about("secret", id))?;
        Ok(answer.version_id.filter(|id| is_version(id)))
    }
}

/// A value in the form in which it is sent.
enum StoredForm {
    Text(String),
    Binary(Blob),
}

fn stored_form(value: &SecretValue, binary: bool) -> StoredForm {
    match value.expose_str() {
        Some(text) if !binary => StoredForm::Text(text.to_owned()),
        _ => StoredForm::Binary(Blob::new(value.expose())),
    }
}

/// Reports whether a text has the form of a version's id, so that it can be shown.
fn is_version(text: &str) -> bool {
    (1..=64).contains(&text.len())
        && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-_".contains(&byte))
}
