//! The cipher of SOPS files, for tests that make hostile ones.

use aes_gcm::aead::AeadInOut;
use aes_gcm::aead::consts::U32;
use aes_gcm::aes::Aes256;
use aes_gcm::{AesGcm, KeyInit, Nonce};

/// Encrypts in place with AES-256-GCM under a nonce of 32 bytes, as SOPS does, and returns the tag.
///
/// # Panics
/// The data is longer than GCM permits.
#[must_use]
pub fn sops_encrypt(key: &[u8; 32], nonce: &[u8; 32], associated: &[u8], data: &mut [u8]) -> Vec<u8> {
    let cipher: AesGcm<Aes256, U32> = AesGcm::new(key.into());
    cipher
        .encrypt_inout_detached(&Nonce::from(*nonce), associated, data.into())
        .expect("small enough")
        .to_vec()
}
