//! Keyed digests of configuration, for the checksums on pod templates.
//!
//! The key is never the seal key itself but derived under a label of its own, or from a file of its own; so checksums can
//! outlive a change of the seal key. Nothing here knows of certificates or ciphertexts, and nothing must.

use std::fmt;

use hkdf::Hkdf;
use hmac::Mac;
use sha2::Sha512;
use zeroize::Zeroizing;

use super::encoding::{hex, hmac_sha256, update_prefixed};
use super::key::{KeyError, read_key_file};

const SALT: &[u8] = b"sealwave/checksum/v1";
const REFERENCES: &[u8] = b"sealwave: the checksum key of references is public";
const PREVIEW: &[u8] = b"sealwave: the checksum key of local previews is public";

/// A keyed digest (HMAC-SHA-256, truncated to 16 bytes); it tells nothing to who lacks the key.
///
/// Its text is lower-case hexadecimal.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Digest([u8; 16]);

impl Digest {
    /// The bytes.
    #[must_use]
    pub const fn bytes(&self) -> &[u8; 16] {
        &self.0
    }
}

impl fmt::Display for Digest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&hex(&self.0))
    }
}

/// The key of checksums.
///
/// ```compile_fail
/// println!("{:?}", sealwave::crypto::ChecksumKey::preview());
/// ```
pub struct ChecksumKey {
    key: Zeroizing<[u8; 32]>,
    public: bool,
}

impl ChecksumKey {
    /// The key in a file of its own, in any of the forms that a seal key may have.
    ///
    /// The same file as a seal key gives the same checksums as that seal key: who must change the seal key and wants no pod
    /// to restart keeps the old one as checksum key.
    ///
    /// # Errors
    /// As [`super::SealKey::from_file`].
    pub fn from_key_file(bytes: &[u8]) -> Result<Self, KeyError> {
        Ok(Self::from_secret(&read_key_file(bytes)?))
    }

    /// The key of local previews, known to everybody: what it digests must not be secret.
    #[must_use]
    pub fn preview() -> Self {
        Self { public: true, ..Self::from_secret(PREVIEW) }
    }

    /// The key of checksums over references and committed configuration alone, known to everybody: for apps all of whose
    /// Secrets go to backends that store references, where no operator gives a key.
    #[must_use]
    pub fn references() -> Self {
        Self { public: true, ..Self::from_secret(REFERENCES) }
    }

    /// Whether everybody knows this key.
    #[must_use]
    pub const fn is_public(&self) -> bool {
        self.public
    }

    /// The digest of a sequence of parts, each length-prefixed, so that no two sequences read alike.
    ///
    /// `label` separates the uses of the key.
    #[must_use]
    pub fn digest(&self, label: &str, parts: &[&[u8]]) -> Digest {
        let mut mac = hmac_sha256(self.key.as_slice());
        update_prefixed(&mut mac, label.as_bytes());
        for part in parts {
            update_prefixed(&mut mac, part);
        }
        let full: [u8; 32] = mac.finalize().into_bytes().into();
        let mut short = [0; 16];
        short.copy_from_slice(full.split_at(16).0);
        Digest(short)
    }

    /// A second owner of the key; not `Clone`, so that copies are made on purpose.
    pub(super) fn duplicate(&self) -> Self {
        Self { key: self.key.clone(), public: self.public }
    }

    pub(super) fn from_secret(secret: &[u8]) -> Self {
        let mut key = Zeroizing::new([0; 32]);
        Hkdf::<Sha512>::new(Some(SALT), secret)
            .expand(b"checksum", key.as_mut_slice())
            .expect("32 bytes are within what HKDF-SHA-512 gives");
        Self { key, public: false }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_two_sequences_read_alike() {
        let key = ChecksumKey::preview();
        let all: [Digest; 6] = [
            key.digest("l", &[b"a", b"bc"]),
            key.digest("l", &[b"ab", b"c"]),
            key.digest("l", &[b"abc"]),
            key.digest("l", &[b"abc", b""]),
            key.digest("la", &[b"bc"]),
            key.digest("l", &[]),
        ];
        for (index, one) in all.iter().enumerate() {
            assert!(all[index + 1..].iter().all(|other| other != one), "{index}");
        }
    }

    #[test]
    fn the_text_is_sixteen_bytes_of_hexadecimal() {
        let text = ChecksumKey::preview().digest("l", &[b"x"]).to_string();
        assert_eq!(text.len(), 32);
        assert!(text.bytes().all(|byte| byte.is_ascii_digit() || (b'a'..=b'f').contains(&byte)));
    }

    /// Computed by another implementation. It must hold for ever: a change restarts every pod of every user.
    #[test]
    fn the_published_answer_holds() {
        let key = b"sealwave-seal-key-v1:47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=\n";
        let digest = ChecksumKey::from_key_file(key).unwrap().digest("secret item", &[b"shop", b"db"]);
        assert_eq!(digest.to_string(), "84e0802b30c572c4ecb79c6115ef8125");
    }

    #[test]
    fn only_keys_that_everybody_knows_are_public() {
        assert!(ChecksumKey::preview().is_public());
        assert!(ChecksumKey::references().is_public());
        let of = |key: ChecksumKey| key.digest("l", &[b"x"]);
        assert_ne!(of(ChecksumKey::references()), of(ChecksumKey::preview()));
        assert!(!ChecksumKey::from_secret(b"x").is_public());
        assert_ne!(
            ChecksumKey::preview().digest("l", &[b"x"]),
            ChecksumKey::from_secret(b"x").digest("l", &[b"x"])
        );
    }
}
