//! Names of cert-manager.

/// API group of cert-manager.
pub(super) const GROUP: &str = "cert-manager.io";
