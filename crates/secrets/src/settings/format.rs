//! The names by which sealwave's own files are recognized.

/// `apiVersion` of all files.
pub const API_VERSION: &str = "sealwave.dev/v1alpha1";

/// API group of all files.
pub const API_GROUP: &str = "sealwave.dev";
