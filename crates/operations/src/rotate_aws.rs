//! `rotate aws`: replaces the access key of an IAM user without interruption.
//!
//! A user can have two keys. The new one is created, backed up, used until it works, and only then written to where workloads
//! read it. The old one stays active for a grace period, is deactivated if nothing used it, and is deleted with consent.
//! Every step but the last can be undone, and each run continues from the journal.

mod account;
mod error;
mod facts;
mod iam_policy;
mod plan;
mod rollout;
mod run;
mod sealed_sink;
mod sink;
mod state;
mod store_sink;

#[cfg(test)]
mod fake;
#[cfg(test)]
mod tests;

use std::path::PathBuf;
use std::time::Duration;

use sealwave_providers::aws_account::BucketProbe;

pub use self::account::KeyAccount;
pub use self::error::RotationError;
pub use self::iam_policy::iam_policy;
pub use self::rollout::{NoRolloutCheck, RolloutCheck, RolloutStatus};
pub use self::run::{FAIL_POINTS, FailPoint, NoFailPoint, RotationOutcome, RotationReport};
pub use self::sealed_sink::{SealedFilesSettings, SealedFilesSink, SealedFilesState, SealedTemplate};
pub use self::sink::{CredentialSink, PresentKey, SinkDelivery, SinkError};
pub use self::state::{RotationPhase, RotationState};
pub use self::store_sink::{KeyLocation, StoreSink};

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
    (1..=64).contains(&text.len())
        && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"+=,.@_-".contains(&byte))
        && text.bytes().any(|byte| byte != b'.')
}
