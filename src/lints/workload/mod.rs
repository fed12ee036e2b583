//! Workloads that do not run as their author thinks.

pub(super) mod automount_token;
pub(super) mod selector_mismatch;
