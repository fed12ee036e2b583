//! Rules about Secrets that the Secrets Store CSI driver mounts.

mod files;
pub(super) mod missing_class;
pub(super) mod objects;
pub(super) mod unmounted_class;
