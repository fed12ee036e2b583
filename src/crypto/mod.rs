//! Keys, certificates, sealing and digests: the only files that touch the crypto crates.

mod checksum;
mod sha256;

pub use checksum::{ChecksumKey, Digest};
pub(crate) use sha256::sha256_hex;
