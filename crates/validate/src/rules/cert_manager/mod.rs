//! Objects of cert-manager that get no certificate, or overwrite one another's.

pub(super) mod duplicate_secret;
pub(super) mod missing_issuer;

/// API group of cert-manager.
const GROUP: &str = "cert-manager.io";
