//! `rotate aws`: replaces the access key of an IAM user without interruption.
//!
//! A user can have two keys. The new one is created, backed up, used until it works, and only then written to where workloads
//! read it. The old one stays active for a grace period, is deactivated if nothing used it, and is deleted with consent.
//! Every step but the last can be undone, and each run continues from the journal.

mod account;
mod consent;
mod create;
mod error;
mod facts;
mod iam_policy;
mod outcome;
mod plan;
mod prove;
mod retire;
mod rollout;
mod rotation;
mod run;
mod sealed_error;
mod sealed_sink;
mod sealed_template;
mod sink;
mod state;
mod store_sink;
mod suggestion;
mod write;

#[cfg(test)]
mod tests;

pub use self::account::KeyAccount;
pub use self::error::RotationError;
pub use self::iam_policy::{PolicyResource, iam_policy};
pub use self::outcome::{FAIL_POINTS, FailPoint, NoFailPoint, RotationOutcome, RotationReport};
pub use self::rollout::{NoRolloutCheck, RolloutCheck, RolloutStatus};
pub use self::rotation::{KeyRotation, RotationSettings, is_user_name};
pub use self::sealed_sink::{SealedFilesSettings, SealedFilesSink, SealedFilesState};
pub use self::sealed_template::SealedTemplate;
pub use self::sink::{CredentialSink, PresentKey, SinkDelivery, SinkError};
pub use self::state::{RotationPhase, RotationState};
pub use self::store_sink::{KeyLocation, StoreSink};
pub use self::suggestion::{ReadReference, suggested_places};
