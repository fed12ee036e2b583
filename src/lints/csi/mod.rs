//! Secrets that the Secrets Store CSI driver mounts.

pub(super) mod missing_class;
pub(super) mod unmounted_class;
