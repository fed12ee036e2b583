//! Decryption of sealed items with a controller's private key, for tests that check what was sealed.
//!
//! Nothing in the pipeline may call this: a private key must not be present where manifests are rendered. This crate is
//! a dev-dependency only, so no release contains the module. The private operation and its OAEP are the `rsa` crate's own,
//! so that they check ours. Without the feature `getrandom` of `rsa`, the operation is not blinded, so its timing must
//! never be observable.

use aes_gcm::aead::AeadInOut;
use aes_gcm::{Aes256Gcm, KeyInit, Nonce};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use rsa::pkcs1::DecodeRsaPrivateKey;
use rsa::pkcs8::DecodePrivateKey;
use rsa::{Oaep, PrivateKey};
use sha2::Sha256;
use zeroize::Zeroizing;

use sealwave_secrets::values::SecretValue;

/// A controller's private key.
pub struct DangerPrivateKey(PrivateKey);

/// A reason why something could not be opened. It is vague on purpose.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum DangerError {
    /// The file is not an RSA private key in PEM.
    #[error("file holds no RSA private key (PKCS#1 or PKCS#8 in PEM)")]
    NoPrivateKey,
    /// The item was sealed for another key or label, or it is damaged.
    #[error("item cannot be opened: sealed for another key, name, namespace or scope, or damaged")]
    NotOpened,
}

impl DangerPrivateKey {
    /// Parses PKCS#1 or PKCS#8 in PEM.
    ///
    /// # Errors
    /// Fails if the file contains no such key.
    pub fn from_pem(file: &str) -> Result<Self, DangerError> {
        PrivateKey::from_pkcs8_pem(file)
            .ok()
            .or_else(|| PrivateKey::from_pkcs1_pem(file).ok())
            .map(Self)
            .ok_or(DangerError::NoPrivateKey)
    }
}

/// Opens one item of `encryptedData`. `label` is `SealingScope::label` of the object that holds it.
///
/// # Errors
/// Returns [`DangerError::NotOpened`] for every failure.
pub fn danger_unseal(key: &DangerPrivateKey, label: &[u8], item: &str) -> Result<SecretValue, DangerError> {
    open(key, label, item).ok_or(DangerError::NotOpened)
}

fn open(key: &DangerPrivateKey, label: &[u8], item: &str) -> Option<SecretValue> {
    let bytes = STANDARD.decode(item.trim_end()).ok()?;
    let (length, rest) = bytes.split_first_chunk::<2>()?;
    let (wrapped, sealed) = rest.split_at_checked(usize::from(u16::from_be_bytes(*length)))?;
    let (body, tag) = sealed.split_last_chunk::<16>()?;
    let session_key = Zeroizing::new(key.0.decrypt(Oaep::<Sha256>::new_with_label(label), wrapped).ok()?);
    let mut plaintext = Zeroizing::new(body.to_vec());
    Aes256Gcm::new_from_slice(&session_key)
        .ok()?
        .decrypt_inout_detached(&Nonce::default(), b"", plaintext.as_mut_slice().into(), tag.into())
        .ok()?;
    Some(SecretValue::new(std::mem::take(&mut *plaintext)))
}
