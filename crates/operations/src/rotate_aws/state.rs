//! The progress of a rotation. It never holds a secret.

use std::path::PathBuf;

use serde::{Deserialize, Serialize};

/// The journal of a rotation of one user in one environment.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct RotationState {
    /// The ARN of the user.
    pub user_arn: String,
    /// The time at which it began, in seconds since 1970.
    pub started: u64,
    /// The ids of the keys that the user had before the new one.
    pub keys_before: Vec<String>,
    /// The file of the backup.
    pub backup: Option<PathBuf>,
    /// The objects of the plan that the key may be sealed for.
    #[serde(default)]
    pub destinations: Vec<String>,
    /// Whether the rollout of the new key was verified.
    #[serde(default)]
    pub rollout_verified: bool,
    /// The phase.
    pub phase: RotationPhase,
}

/// A phase of a rotation. Each one is recorded before anything that belongs to it is done.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", tag = "name")]
pub enum RotationPhase {
    /// A key is being created. A crash may leave one that no phase names.
    Creating,
    /// The key exists, but nothing uses it.
    Created {
        /// The id of the new key.
        key: String,
    },
    /// The key works, and is being written.
    Answered {
        /// The id of the new key.
        key: String,
    },
    /// Everything that is to hold the key holds it.
    Written {
        /// The id of the new key.
        key: String,
    },
    /// The old key stays active until nothing uses it.
    Grace {
        /// The id of the new key.
        key: String,
        /// The beginning, in seconds since 1970.
        since: u64,
    },
    /// The old key is inactive, and can be made active again.
    Deactivated {
        /// The id of the new key.
        key: String,
        /// The id of the old key.
        old: String,
        /// The beginning, in seconds since 1970.
        since: u64,
    },
}

impl RotationPhase {
    /// Returns the number of steps of the plan that are done.
    #[must_use]
    pub(super) const fn rank(&self) -> usize {
        match self {
            Self::Creating => 0,
            Self::Created { .. } => 2,
            Self::Answered { .. } => 3,
            Self::Written { .. } => 4,
            Self::Grace { .. } => 5,
            Self::Deactivated { .. } => 6,
        }
    }

    /// Returns the id of the new key.
    #[must_use]
    pub fn new_key(&self) -> Option<&str> {
        match self {
            Self::Creating => None,
            Self::Created { key }
            | Self::Answered { key }
            | Self::Written { key }
            | Self::Grace { key, .. }
            | Self::Deactivated { key, .. } => Some(key),
        }
    }
}
