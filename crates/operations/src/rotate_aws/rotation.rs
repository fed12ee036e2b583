//! A rotation: its settings, account, places and checks.

use std::path::PathBuf;
use std::time::Duration;

use sealwave_providers::aws_account::BucketProbe;

use super::account::KeyAccount;
use super::error::RotationError;
use super::facts::UserKeys;
use super::outcome::FailPoint;
use super::rollout::RolloutCheck;
use super::sink::CredentialSink;
use super::store_sink::is_key_id;
use crate::backup::BackupTarget;
use crate::clock::Clock;
use crate::progress::Progress;

/// The settings of a rotation.
#[derive(Clone, Debug)]
pub struct RotationSettings {
    /// The name of the user, without path.
    pub user: String,
    /// The environment whose workloads use the key.
    pub environment: String,
    /// The backup of the new key.
    pub backup: BackupTarget,
    /// A bucket that the new key must be able to list.
    pub probe: Option<BucketProbe>,
    /// The time in which the new key must work.
    pub wait: Duration,
    /// The time for which the old key must be unused before it is deactivated.
    pub grace_period: Duration,
    /// The time for which the old key stays inactive before it is deleted.
    pub delete_after: Duration,
    /// The key that may be deleted.
    pub delete_key: Option<String>,
    /// Whether it may be deleted although it was used recently.
    pub delete_used_key: bool,
    /// Whether the key may be sealed for objects that appeared since the rotation began.
    pub accept_new_objects: bool,
    /// Makes the old key active again.
    pub reactivate: bool,
    /// The decrypted backup of the new key, to continue an interrupted run.
    pub key_file: Option<PathBuf>,
}

/// A rotation of one user in one environment.
pub struct KeyRotation<'a> {
    /// The settings.
    pub settings: &'a RotationSettings,
    /// The account.
    pub account: &'a dyn KeyAccount,
    /// The places that hold the key.
    pub sinks: &'a [Box<dyn CredentialSink>],
    /// The check of the rollout.
    pub rollout: &'a dyn RolloutCheck,
    /// The clock.
    pub clock: &'a dyn Clock,
    /// The receiver of progress.
    pub progress: &'a dyn Progress,
    /// The points at which tests interrupt a run.
    pub fail_point: &'a dyn FailPoint,
}

/// Reports whether a text is the name of an IAM user.
#[must_use]
pub fn is_user_name(text: &str) -> bool {
    sealwave_secrets::settings::IamUserName::parse(text).is_some()
}

impl RotationSettings {
    /// Checks everything that needs no account.
    ///
    /// # Errors
    /// A name or an id is malformed, or the backup cannot be made.
    pub fn check(&self) -> Result<(), RotationError> {
        if !is_user_name(&self.user) {
            return Err(RotationError::BadUser(self.user.clone()));
        }
        // It is not shown: it may be a secret in the wrong place.
        if self.delete_key.as_ref().is_some_and(|id| !is_key_id(id)) {
            return Err(RotationError::BadKeyId);
        }
        Ok(self.backup.check()?)
    }
}

impl KeyRotation<'_> {
    /// Returns the objects that the key is sealed for, as the repository has them now.
    pub(super) fn destinations(&self) -> Vec<String> {
        self.sinks.iter().flat_map(|sink| sink.destinations()).collect()
    }

    /// Asks for the keys of the user. AWS may not list a `new` one yet.
    pub(super) fn user_keys(&self, new: Option<&str>) -> Result<UserKeys, RotationError> {
        UserKeys::read(&self.settings.user, self.account, self.sinks, self.clock.now(), new)
    }

    /// Returns the file for a backup of the key of a rotation that started at this time.
    pub(super) fn backup_file(&self, started: u64) -> Option<PathBuf> {
        self.settings.backup.file(&format!("aws-access-key-{}-{started}", self.settings.user))
    }

    /// Returns the key to delete first, so that there is room for a new one.
    ///
    /// # Errors
    /// The user has two keys, and none may be deleted.
    pub(super) fn key_in_the_way(&self, keys: &UserKeys) -> Result<Option<String>, RotationError> {
        match &self.settings.delete_key {
            Some(id) => {
                keys.check_deletion(id, self.settings.delete_used_key)?;
                Ok(Some(id.clone()))
            }
            None if keys.keys.len() >= 2 => Err(keys.two_keys()),
            None => Ok(None),
        }
    }
}
