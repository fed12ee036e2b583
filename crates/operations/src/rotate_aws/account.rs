//! The calls of a rotation, so that tests can replace the account.

use sealwave_providers::aws_account::{
    AccessKey, AwsAccount, AwsError, BucketProbe, CallerIdentity, KeyStatus, LastUse, NewAccessKey,
};
use sealwave_secrets::values::SecretValue;

/// An account with the access keys of users. Each method is one call, as in [`AwsAccount`].
#[expect(clippy::missing_errors_doc, reason = "each call fails as that of the account does")]
pub trait KeyAccount {
    /// Returns the id of the access key that the session uses.
    fn session_key(&self) -> Option<String>;

    /// Returns the ARN of a user.
    fn user_arn(&self, user: &str) -> Result<String, AwsError>;

    /// Returns the keys of a user, the oldest first.
    fn access_keys(&self, user: &str) -> Result<Vec<AccessKey>, AwsError>;

    /// Returns the last use of a key that AWS knows.
    fn last_use(&self, id: &str) -> Result<Option<LastUse>, AwsError>;

    /// Creates a key, and never two.
    fn create_access_key(&self, user: &str) -> Result<NewAccessKey, AwsError>;

    /// Makes a key active or inactive.
    fn set_key_status(&self, user: &str, id: &str, status: KeyStatus) -> Result<(), AwsError>;

    /// Deletes a key.
    fn delete_access_key(&self, user: &str, id: &str) -> Result<(), AwsError>;

    /// Asks for the identity of another access key.
    fn identity_of_key(&self, id: &str, secret: &SecretValue) -> Result<CallerIdentity, AwsError>;

    /// Lists a bucket with another access key.
    fn probe_bucket(&self, probe: &BucketProbe, id: &str, secret: &SecretValue) -> Result<(), AwsError>;
}

impl KeyAccount for AwsAccount {
    fn session_key(&self) -> Option<String> {
        self.session_key()
    }

    fn user_arn(&self, user: &str) -> Result<String, AwsError> {
        self.user_arn(user)
    }

    fn access_keys(&self, user: &str) -> Result<Vec<AccessKey>, AwsError> {
        self.access_keys(user)
    }

    fn last_use(&self, id: &str) -> Result<Option<LastUse>, AwsError> {
        self.last_use(id)
    }

    fn create_access_key(&self, user: &str) -> Result<NewAccessKey, AwsError> {
        self.create_access_key(user)
    }

    fn set_key_status(&self, user: &str, id: &str, status: KeyStatus) -> Result<(), AwsError> {
        self.set_key_status(user, id, status)
    }

    fn delete_access_key(&self, user: &str, id: &str) -> Result<(), AwsError> {
        self.delete_access_key(user, id)
    }

    fn identity_of_key(&self, id: &str, secret: &SecretValue) -> Result<CallerIdentity, AwsError> {
        self.identity_of_key(id, secret)
    }

    fn probe_bucket(&self, probe: &BucketProbe, id: &str, secret: &SecretValue) -> Result<(), AwsError> {
        self.probe_bucket(probe, id, secret)
    }
}
