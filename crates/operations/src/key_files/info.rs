//! The details of a private key that may be shown.

use std::path::PathBuf;

/// The details of a key that may be shown.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UnsealKeyInfo {
    /// The file that holds the key; `None` if it was read from the cluster.
    pub file: Option<PathBuf>,
    /// The namespace and name of the Secret that holds it, if the file is a backup, or the key was read from the cluster.
    pub secret: Option<String>,
    /// SHA-256 of the public key, in hexadecimal, as `sealwave cert` shows it.
    pub public_key_sha256: String,
    /// Start of validity of its certificate (UTC, RFC 3339), if the file has that.
    pub not_before: Option<String>,
}
