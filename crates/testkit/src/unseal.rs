//! The way back: opening sealed items with a controller's private key. For tests and for proving what was sealed.
//!
//! Nothing in the pipeline may call this; a private key has no place where manifests are rendered. It exists only in tests and
//! with the feature `danger`, which the integration tests turn on and no release has. The private operation is the `rsa`
//! crate's own, with its own OAEP, so that it checks ours; without the crate's `getrandom` it is not blinded, so it must never
//! answer a caller that can measure it.

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

/// Why something could not be opened. It does not say more, on purpose.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum DangerError {
    /// The file holds no RSA private key in PEM.
    #[error("file holds no RSA private key (PKCS#1 or PKCS#8 in PEM)")]
    NoPrivateKey,
    /// Another key, another label, or damaged.
    #[error("item cannot be opened: sealed for another key, name, namespace or scope, or damaged")]
    NotOpened,
}

impl DangerPrivateKey {
    /// Reads PKCS#1 or PKCS#8 in PEM.
    ///
    /// # Errors
    /// Where there is no such key.
    pub fn from_pem(file: &str) -> Result<Self, DangerError> {
        PrivateKey::from_pkcs8_pem(file)
            .ok()
            .or_else(|| PrivateKey::from_pkcs1_pem(file).ok())
            .map(Self)
            .ok_or(DangerError::NoPrivateKey)
    }
}

/// Opens one item of `encryptedData`. `label` is `Scope::label` of the object that holds it.
///
/// # Errors
/// [`DangerError::NotOpened`], whatever the reason.
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
