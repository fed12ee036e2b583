//! Workloads that do not run as their author thinks.

pub(super) mod selector_mismatch;
