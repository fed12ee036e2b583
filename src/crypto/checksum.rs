//! Keyed digests of configuration, for the checksums on pod templates.

use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;

/// A keyed digest (HMAC-SHA-256, truncated to 16 bytes); it tells nothing to who lacks the key.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Digest([u8; 16]);

impl Digest {
    /// The bytes.
    #[must_use]
    pub const fn bytes(&self) -> &[u8; 16] {
        &self.0
    }
}

/// The key of checksums.
pub struct ChecksumKey {
    mac: Hmac<Sha256>,
}

impl ChecksumKey {
    /// The digest of a sequence of parts, each length-prefixed, so that no two sequences read alike.
    ///
    /// `label` separates the uses of the key.
    #[must_use]
    pub fn digest(&self, label: &str, parts: &[&[u8]]) -> Digest {
        let mut mac = self.mac.clone();
        for part in std::iter::once(&label.as_bytes()).chain(parts) {
            mac.update(&(part.len() as u64).to_be_bytes());
            mac.update(part);
        }
        let mut digest = [0; 16];
        for (to, from) in digest.iter_mut().zip(mac.finalize().into_bytes()) {
            *to = from;
        }
        Digest(digest)
    }

    /// The key of local previews, known to everybody: what it digests must not be secret.
    #[must_use]
    pub fn preview() -> Self {
        Self { mac: Hmac::new_from_slice(b"preview").expect("HMAC takes keys of every length") }
    }
}
