//! Plain SHA-256: for the placeholder modifier of that name, for files in Git, and for finding fingerprints. Not for
//! checksums or keys, which are keyed.

use std::fmt::Write as _;

use sha2::{Digest as _, Sha256};

/// Returns the digest.
#[must_use]
pub fn sha256(bytes: &[u8]) -> [u8; 32] {
    Sha256::digest(bytes).into()
}

/// Returns the digest in lower-case hexadecimal.
#[must_use]
pub fn sha256_hex(bytes: &[u8]) -> String {
    let mut hex = String::with_capacity(64);
    for byte in Sha256::digest(bytes) {
        let _ = write!(hex, "{byte:02x}");
    }
    hex
}
