//! The seal key, which only the operator holds and from which everything deterministic derives.
//!
//! The key is dropped (and zeroed) as soon as its subkeys are derived. Nothing here prints a key.

use hkdf::Hkdf;
use hmac::Mac;
use sha2::Sha512;
use zeroize::Zeroizing;

use super::checksum::ChecksumKey;
use super::encoding::{hex, hmac_sha512};
use super::key::{self, KEY_PREFIX, KeyError, KeyUse, read_key_file};

const SALT: &[u8] = b"sealwave/seal/v1";

/// The seal key, held as the keys derived from it.
///
/// ```
/// fn take(_: &sealwave_secrets::crypto::SealKey) {}
/// ```
///
/// ```compile_fail,E0277
/// fn print(key: &sealwave_secrets::crypto::SealKey) {
///     println!("{key:?}");
/// }
/// ```
pub struct SealKey {
    derive: Zeroizing<[u8; 64]>,
    checksum: ChecksumKey,
    id: [u8; 8],
}

impl SealKey {
    /// Parses a key file: the line of `sealwave key generate`, or at least 32 random bytes, raw, in base64 or in
    /// hexadecimal.
    ///
    /// Whitespace around text (and line breaks within base64) is ignored; every byte of binary input counts.
    ///
    /// # Errors
    /// Fails if the key is too short, or looks like something that a person chose.
    pub fn from_file(bytes: &[u8]) -> Result<Self, KeyError> {
        Ok(Self::from_secret(&read_key_file(bytes, KeyUse::Seal)?))
    }

    /// Generates a new key and returns it as the line of its file (without a line break).
    ///
    /// # Errors
    /// Fails if the system returns no random bytes.
    pub fn generate() -> Result<Zeroizing<String>, KeyError> {
        key::generate(KEY_PREFIX)
    }

    /// Returns a short id that shows whether two files hold the same key; it is not secret.
    #[must_use]
    pub fn id(&self) -> String {
        hex(&self.id)
    }

    /// Returns the checksum key that belongs to this key.
    #[must_use]
    pub fn checksum_key(&self) -> ChecksumKey {
        self.checksum.duplicate()
    }

    /// Returns the key for the derivation in `derive`.
    pub(super) fn derivation_key(&self) -> &[u8; 64] {
        &self.derive
    }

    fn from_secret(secret: &[u8]) -> Self {
        let keys = Hkdf::<Sha512>::new(Some(SALT), secret);
        let mut derive = Zeroizing::new([0; 64]);
        expand(&keys, b"derive", derive.as_mut_slice());
        let mut id_key = Zeroizing::new([0; 64]);
        expand(&keys, b"id", id_key.as_mut_slice());
        let mut mac = hmac_sha512(id_key.as_slice());
        mac.update(b"seal-key-id");
        let mut id = [0; 8];
        id.copy_from_slice(mac.finalize().into_bytes().split_at(8).0);
        Self { derive, checksum: ChecksumKey::from_secret(secret), id }
    }
}

fn expand(keys: &Hkdf<Sha512>, label: &[u8], out: &mut [u8]) {
    keys.expand(label, out).expect("64 bytes are within the limit of HKDF-SHA-512");
}
