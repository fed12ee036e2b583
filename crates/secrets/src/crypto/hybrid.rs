//! The format of one sealed item, as the sealed-secrets controller reads it:
//! `base64( u16be(length of C1) || C1 || C2 )`, with C1 = RSAES-OAEP of a session key, and C2 = AES-256-GCM of the item under
//! that key, with a nonce of zeros and no associated data. The controller also opens items with AES-128 and AES-192.
//!
//! The zero nonce is safe as long as no session key is used for two plaintexts, which `derive` ensures.

use aes_gcm::aead::AeadInOut;
use aes_gcm::aead::consts::U12;
use aes_gcm::aes::Aes192;
use aes_gcm::{Aes128Gcm, Aes256Gcm, AesGcm, KeyInit, Nonce};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use rsa::PublicKey;
use zeroize::Zeroizing;

use super::oaep;
use crate::values::SecretValue;
use sealwave_core::encoding::GO_BASE64;

/// The size of the tag of AES-GCM.
pub(super) const TAG: usize = 16;

/// The session key and the OAEP seed of one item.
pub(super) struct SessionSecrets {
    pub(super) session_key: Zeroizing<[u8; 32]>,
    pub(super) oaep_seed: Zeroizing<[u8; 32]>,
}

/// Seals one item; `None` only if RSA or AES-GCM does not support its size.
pub(super) fn seal(
    key: &PublicKey,
    label: &[u8],
    secrets: &SessionSecrets,
    plaintext: &[u8],
) -> Option<String> {
    let wrapped = oaep::encrypt(key, label, &secrets.oaep_seed, secrets.session_key.as_slice())?;
    let mut out = Zeroizing::new(Vec::with_capacity(wrapped.len() + plaintext.len() + 2 + 16));
    out.extend_from_slice(&u16::try_from(wrapped.len()).ok()?.to_be_bytes());
    out.extend_from_slice(&wrapped);
    let start = out.len();
    // The plaintext is encrypted in place, in a buffer that never grows, so no copy remains in memory.
    out.extend_from_slice(plaintext);
    let cipher = Aes256Gcm::new_from_slice(secrets.session_key.as_slice()).ok()?;
    let body = out.get_mut(start..)?;
    let tag = cipher.encrypt_inout_detached(&Nonce::default(), b"", body.into()).ok()?;
    out.extend_from_slice(&tag);
    Some(STANDARD.encode(out.as_slice()))
}

/// Decodes the text of an item; line breaks within it are ignored, as in Go.
pub(super) fn decode(item: &str) -> Option<Vec<u8>> {
    if !item.contains(['\r', '\n']) {
        return GO_BASE64.decode(item).ok();
    }
    GO_BASE64.decode(item.replace(['\r', '\n'], "")).ok()
}

/// Returns the two parts of a decoded item: C1, and C2 with its tag.
pub(super) fn split(item: &[u8]) -> Option<(&[u8], &[u8])> {
    let (length, rest) = item.split_first_chunk::<2>()?;
    rest.split_at_checked(usize::from(u16::from_be_bytes(*length)))
}

/// Opens C2 with a session key of any size that AES has.
pub(super) fn open(session_key: &[u8], sealed: &[u8]) -> Option<SecretValue> {
    match session_key.len() {
        16 => open_with(&Aes128Gcm::new_from_slice(session_key).ok()?, sealed),
        24 => open_with(&AesGcm::<Aes192, U12>::new_from_slice(session_key).ok()?, sealed),
        _ => open_with(&Aes256Gcm::new_from_slice(session_key).ok()?, sealed),
    }
}

fn open_with(cipher: &impl AeadInOut<NonceSize = U12>, sealed: &[u8]) -> Option<SecretValue> {
    let (body, tag) = sealed.split_at_checked(sealed.len().checked_sub(TAG)?)?;
    let mut value = Zeroizing::new(body.to_vec());
    cipher
        .decrypt_inout_detached(&Nonce::default(), b"", value.as_mut_slice().into(), tag.try_into().ok()?)
        .ok()?;
    Some(SecretValue::new(std::mem::take(&mut *value)))
}

#[cfg(test)]
mod tests {
    use serde_json::Value;

    use super::*;
    use crate::crypto::Certificate;

    /// Created by the controller's own code with a fixed source of randomness.
    const VECTORS: &str = include_str!("../../../../testdata/sealed-secrets/hybrid-encrypt.jsonl");

    #[test]
    fn the_output_equals_the_controllers_vectors() {
        let mut seen = 0;
        for line in VECTORS.lines() {
            let vector: Value = serde_json::from_str(line).unwrap();
            let text = |field: &str| vector[field].as_str().unwrap();
            let pem = match text("key") {
                "rsa2048" => include_str!("../../../../testdata/sealed-secrets/rsa2048.crt"),
                "rsa4096" => include_str!("../../../../testdata/sealed-secrets/rsa4096.crt"),
                other => panic!("key {other}"),
            };
            let certificate = Certificate::from_pem(pem.as_bytes()).unwrap();
            let secrets = SessionSecrets {
                session_key: Zeroizing::new(unhex(text("sessionKeyHex")).try_into().unwrap()),
                oaep_seed: Zeroizing::new(unhex(text("oaepSeedHex")).try_into().unwrap()),
            };
            let scope = match text("scope") {
                "strict" => crate::SealingScope::Strict,
                "namespace-wide" => crate::SealingScope::NamespaceWide,
                "cluster-wide" => crate::SealingScope::ClusterWide,
                other => panic!("scope {other}"),
            };
            let label = scope.label(text("namespace"), text("name"));
            assert_eq!(label, unhex(text("labelHex")), "{}", text("id"));
            let plaintext = STANDARD.decode(text("plaintextBase64")).unwrap();
            let sealed = seal(&certificate.key, &label, &secrets, &plaintext).unwrap();
            assert_eq!(sealed, text("ciphertextBase64"), "{}", text("id"));
            seen += 1;
        }
        assert_eq!(seen, 30);
    }

    fn unhex(text: &str) -> Vec<u8> {
        (0..text.len()).step_by(2).map(|at| u8::from_str_radix(&text[at..at + 2], 16).unwrap()).collect()
    }
}
