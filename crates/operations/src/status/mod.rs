//! `status`: each secret of an app with its sources, users, age, policy and dates, and what is overdue.
//!
//! Works offline, from Git alone. Nothing here sees a value: the dates of values come from the stages that hold them.

mod access_keys;
mod history;
mod human;
mod inventory;
mod report;

#[cfg(test)]
mod tests;

pub use self::access_keys::{ActiveKey, UserKeysStatus};
pub use self::history::{CommittedAge, CommittedFile, CommittedItem, HistoryLimits, committed_ages};
pub use self::inventory::{FoundSecret, find_secrets};
pub use self::report::{
    ActiveKeys, BrokenApp, CertificateStatus, ChangeSource, ExpiryStatus, KnownChange, LastChange,
    PolicyStatus, RotationState, SecretStatus, StatusReport,
};
