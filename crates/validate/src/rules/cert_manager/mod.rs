//! Rules about cert-manager objects that get no certificate or overwrite each other's Secret.

pub(super) mod duplicate_secret;
pub(super) mod missing_issuer;

/// API group of cert-manager.
const GROUP: &str = "cert-manager.io";
