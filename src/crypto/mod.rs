//! Keys, certificates, sealing and digests: the only files that touch the crypto crates.

mod checksum;

pub use checksum::{ChecksumKey, Digest};
