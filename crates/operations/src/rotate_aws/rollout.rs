//! The check that workloads run with the new key, before the grace period of the old one begins.

/// Checks a rollout.
pub trait RolloutCheck {
    /// Reports how far the rollout is.
    fn check(&self) -> RolloutStatus;

    /// Returns why nothing will be checked, if so, for the plan.
    fn reason_not_to_check(&self) -> Option<String> {
        None
    }
}

/// The progress of a rollout.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum RolloutStatus {
    /// All workloads run with what is committed and stored now.
    Complete,
    /// It is not checked, for this reason.
    NotChecked(String),
    /// It is not complete, for these reasons.
    Pending(Vec<String>),
}

/// No check: the grace period begins when the key is written.
#[derive(Clone, Copy, Debug, Default)]
pub struct NoRolloutCheck;

impl RolloutCheck for NoRolloutCheck {
    fn check(&self) -> RolloutStatus {
        RolloutStatus::NotChecked("no cluster was given".to_owned())
    }

    fn reason_not_to_check(&self) -> Option<String> {
        Some("no cluster was given".to_owned())
    }
}
