//! Helpers that several files share: keyed hashes with length prefixes, and hexadecimal text.

use hmac::{Hmac, KeyInit, Mac};
use sha2::{Sha256, Sha512};

/// Returns an HMAC-SHA-256 with this key.
pub(super) fn hmac_sha256(key: &[u8]) -> Hmac<Sha256> {
    Hmac::new_from_slice(key).expect("HMAC accepts keys of any length")
}

/// Returns an HMAC-SHA-512 with this key.
pub(super) fn hmac_sha512(key: &[u8]) -> Hmac<Sha512> {
    Hmac::new_from_slice(key).expect("HMAC accepts keys of any length")
}

/// Adds one part to a keyed hash, after its length as eight big-endian bytes.
///
/// The encoding of a sequence is unambiguous: `a`, `bc` never hashes like `ab`, `c`.
pub(super) fn update_prefixed(mac: &mut impl Mac, part: &[u8]) {
    mac.update(&(part.len() as u64).to_be_bytes());
    mac.update(part);
}

/// Returns the same encoding of a sequence as bytes.
pub(super) fn length_prefixed(parts: &[&[u8]]) -> Vec<u8> {
    let prefixed = |part: &&[u8]| [&(part.len() as u64).to_be_bytes(), *part].concat();
    parts.iter().flat_map(prefixed).collect()
}

/// Returns lower-case hexadecimal text.
pub(super) fn hex(bytes: &[u8]) -> String {
    bytes.iter().flat_map(|byte| [byte >> 4, byte & 15]).map(hex_digit).collect()
}

fn hex_digit(nibble: u8) -> char {
    char::from_digit(u32::from(nibble), 16).unwrap_or('0')
}
