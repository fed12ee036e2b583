//! Plain SHA-256: for the placeholder modifier of that name, for files that Git holds, and to tell findings apart. Never
//! for checksums or keys: those are keyed.

use std::fmt::Write as _;

use sha2::{Digest as _, Sha256};

/// The hash itself.
pub fn sha256(bytes: &[u8]) -> [u8; 32] {
    Sha256::digest(bytes).into()
}

/// The digest in lower-case hex.
pub fn sha256_hex(bytes: &[u8]) -> String {
    let mut hex = String::with_capacity(64);
    for byte in Sha256::digest(bytes) {
        let _ = write!(hex, "{byte:02x}");
    }
    hex
}
