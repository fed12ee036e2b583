//! What a SOPS file is encrypted with: AES-256-GCM under nonces of 32 bytes, and a SHA-512 over the values.

use std::fmt::Write as _;

use aes_gcm::aead::AeadInOut;
use aes_gcm::aead::consts::U32;
use aes_gcm::aes::Aes256;
use aes_gcm::{AesGcm, KeyInit, Nonce, Tag};
use sha2::{Digest as _, Sha512};
use zeroize::Zeroizing;

/// Bytes of a nonce; twenty more than GCM asks for.
pub const NONCE_BYTES: usize = 32;

/// Bytes of a tag.
pub const TAG_BYTES: usize = 16;

/// The key of one file's values.
pub struct DataKey(AesGcm<Aes256, U32>);

impl DataKey {
    /// `None` where these are not 32 bytes.
    pub fn new(bytes: &[u8]) -> Option<Self> {
        AesGcm::new_from_slice(bytes).ok().map(Self)
    }

    /// The plaintext; `None` where data, tag, nonce, associated data and key do not belong together.
    pub fn open(
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

/// The digest over a file's values that its MAC is made of.
#[derive(Default)]
pub struct ValuesDigest(Sha512);

impl ValuesDigest {
    /// Takes the next value in.
    pub fn update(&mut self, bytes: &[u8]) {
        self.0.update(bytes);
    }

    /// In upper-case hex, as it stands in the file.
    pub fn finish(self) -> String {
        let mut hex = String::with_capacity(128);
        for byte in self.0.finalize() {
            let _ = write!(hex, "{byte:02X}");
        }
        hex
    }
}
