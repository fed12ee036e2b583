//! Decryption of SOPS files: AES-256-GCM with 32-byte nonces, and a SHA-512 digest over the values.

use std::fmt::Write as _;

use aes_gcm::aead::AeadInOut;
use aes_gcm::aead::consts::U32;
use aes_gcm::aes::Aes256;
use aes_gcm::{AesGcm, KeyInit, Nonce, Tag};
use sha2::{Digest as _, Sha512};
use zeroize::Zeroizing;

/// Size of a nonce; twenty bytes more than GCM requires.
pub const NONCE_BYTES: usize = 32;

/// Size of a tag.
pub const TAG_BYTES: usize = 16;

/// The key that encrypts the values of one file.
pub struct DataKey(AesGcm<Aes256, U32>);

impl DataKey {
    /// Creates the key; `None` unless the input has 32 bytes.
    pub fn new(bytes: &[u8]) -> Option<Self> {
        AesGcm::new_from_slice(bytes).ok().map(Self)
    }

    /// Decrypts `data`; `None` if data, tag, nonce, associated data and key do not belong together.
    #[must_use]
    pub fn decrypt(
        &self,
        nonce: &[u8; NONCE_BYTES],
        associated: &[u8],
        data: &[u8],
        tag: &[u8; TAG_BYTES],
    ) -> Option<Zeroizing<Vec<u8>>> {
        let mut text = Zeroizing::new(data.to_vec());
        let (nonce, tag) = (Nonce::from(*nonce), Tag::from(*tag));
        self.0.decrypt_inout_detached(&nonce, associated, text.as_mut_slice().into(), &tag).ok()?;
        Some(text)
    }
}

/// The digest over a file's values, from which its MAC is computed.
#[derive(Default)]
pub struct ValuesDigest(Sha512);

impl ValuesDigest {
    /// Adds the next value.
    pub fn update(&mut self, bytes: &[u8]) {
        self.0.update(bytes);
    }

    /// Returns the digest in upper-case hexadecimal, as in the file.
    #[must_use]
    pub fn finish(self) -> String {
        let mut hex = String::with_capacity(128);
        for byte in self.0.finalize() {
            let _ = write!(hex, "{byte:02X}");
        }
        hex
    }
}
