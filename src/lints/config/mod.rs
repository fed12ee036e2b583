//! Configuration that does not arrive as its author thinks.

pub(super) mod env_duplicate;
pub(super) mod too_large;
