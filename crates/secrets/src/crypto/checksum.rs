//! Keyed digests of configuration, for checksum annotations on pod templates.
//!
//! The key is never the seal key itself: it is derived under a separate label, or comes from a separate file, so that
//! checksums can outlive a change of the seal key. This module must not use certificates or ciphertexts.

use std::fmt;

use hkdf::Hkdf;
use hmac::Mac;
use sha2::Sha512;
use zeroize::Zeroizing;

use super::encoding::{hex, hmac_sha256, update_prefixed};
use super::key::{self, CHECKSUM_KEY_PREFIX, KeyError, KeyUse, read_key_file};
use super::owner::ItemBinding;

const SALT: &[u8] = b"sealwave/checksum/v1";
const REFERENCES: &[u8] = b"sealwave: the checksum key of references is public";
const PREVIEW: &[u8] = b"sealwave: the checksum key of local previews is public";

/// A keyed digest (HMAC-SHA-256, truncated to 16 bytes). Without the key, it reveals nothing about its input.
///
/// Displays as lower-case hexadecimal.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct KeyedDigest([u8; 16]);

impl KeyedDigest {
    /// Returns the raw bytes.
    #[must_use]
    pub const fn bytes(&self) -> &[u8; 16] {
        &self.0
    }
}

impl fmt::Display for KeyedDigest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&hex(&self.0))
    }
}

/// The parts of a sealed item that determine its checksum.
#[derive(Clone, Copy)]
pub struct ItemParts<'a> {
    /// The object's namespace.
    pub namespace: &'a str,
    /// The object's name.
    pub name: &'a str,
    /// The item's key.
    pub item_key: &'a str,
    /// The value before placeholders were resolved.
    pub unresolved: &'a [u8],
    /// The value.
    pub value: &'a [u8],
}

/// The key of checksums.
///
/// ```
/// let key = sealwave_secrets::crypto::ChecksumKey::preview();
/// ```
///
/// ```compile_fail,E0277
/// println!("{:?}", sealwave_secrets::crypto::ChecksumKey::preview());
/// ```
pub struct ChecksumKey {
    key: Zeroizing<[u8; 32]>,
    public: bool,
}

impl ChecksumKey {
    /// Reads the key from a separate file, in any form that a seal key may have.
    ///
    /// A file that holds a seal key gives the same checksums as that seal key, so an old seal key can remain in use as
    /// the checksum key.
    ///
    /// # Errors
    /// The errors of [`super::SealKey::from_file`].
    pub fn from_key_file(bytes: &[u8]) -> Result<Self, KeyError> {
        Ok(Self::from_secret(&read_key_file(bytes, KeyUse::Checksums)?))
    }

    /// Generates a new key and returns it as the line of its file (without a line break).
    ///
    /// # Errors
    /// Fails if the system returns no random bytes.
    pub fn generate() -> Result<Zeroizing<String>, KeyError> {
        key::generate(CHECKSUM_KEY_PREFIX)
    }

    /// Returns the key of local previews. It is public, so it must never be used on secret input.
    #[must_use]
    pub fn preview() -> Self {
        Self { public: true, ..Self::from_secret(PREVIEW) }
    }

    /// Returns the key of checksums over references and committed configuration alone. It is public, and used for apps
    /// that store only references, when the operator gives no key.
    #[must_use]
    pub fn references() -> Self {
        Self { public: true, ..Self::from_secret(REFERENCES) }
    }

    /// Reports whether both are the same key.
    #[must_use]
    pub fn is_same(&self, other: &Self) -> bool {
        let digest = |key: &Self| key.digest("sealwave/same-key", &[]);
        digest(self) == digest(other)
    }

    /// Reports whether this key is public.
    #[must_use]
    pub const fn is_public(&self) -> bool {
        self.public
    }

    /// Returns the digest of a sequence of parts, each length-prefixed, so that different sequences never collide.
    ///
    /// `label` separates the uses of the key.
    #[must_use]
    pub fn digest(&self, label: &str, parts: &[&[u8]]) -> KeyedDigest {
        let mut mac = hmac_sha256(self.key.as_slice());
        update_prefixed(&mut mac, label.as_bytes());
        for part in parts {
            update_prefixed(&mut mac, part);
        }
        let full: [u8; 32] = mac.finalize().into_bytes().into();
        let mut short = [0; 16];
        short.copy_from_slice(full.split_at(16).0);
        KeyedDigest(short)
    }

    /// Returns the digest of a sealed item's value and of the text that it was made from, but not of how it was sealed.
    ///
    /// ```text
    /// bound to the project   "secret item"      namespace, name, item key, unresolved text, value
    /// bound to the app       "secret item/v2"   project, app, namespace, name, item key, unresolved text, value
    /// ```
    ///
    /// The first form omits the project, as `v1` did: the checksum of a bare placeholder cannot confirm a guess.
    #[must_use]
    pub fn sealed_item(&self, binding: ItemBinding<'_>, item: &ItemParts<'_>) -> KeyedDigest {
        let ItemParts { namespace, name, item_key, unresolved, value } = *item;
        let [namespace, name, item_key] = [namespace, name, item_key].map(str::as_bytes);
        match binding {
            ItemBinding::App { project, app } => {
                let [project, app] = [project, app].map(str::as_bytes);
                let parts = [project, app, namespace, name, item_key, unresolved, value];
                self.digest("secret item/v2", &parts)
            }
            ItemBinding::Project(_) => {
                self.digest("secret item", &[namespace, name, item_key, unresolved, value])
            }
        }
    }

    /// Copies the key; not `Clone`, so that copies are made on purpose.
    pub(super) fn duplicate(&self) -> Self {
        Self { key: self.key.clone(), public: self.public }
    }

    pub(super) fn from_secret(secret: &[u8]) -> Self {
        let mut key = Zeroizing::new([0; 32]);
        Hkdf::<Sha512>::new(Some(SALT), secret)
            .expand(b"checksum", key.as_mut_slice())
            .expect("32 bytes are within the limit of HKDF-SHA-512");
        Self { key, public: false }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn different_sequences_have_different_digests() {
        let key = ChecksumKey::preview();
        let all: [KeyedDigest; 6] = [
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

    /// Computed by another implementation. It must never change: a change restarts every pod of every user.
    #[test]
    fn the_published_digest_is_stable() {
        let key = b"sealwave-seal-key-v1:47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=\n";
        let digest = ChecksumKey::from_key_file(key).unwrap().digest("secret item", &[b"shop", b"db"]);
        assert_eq!(digest.to_string(), "84e0802b30c572c4ecb79c6115ef8125");
    }

    /// The same for items that are bound to the app (`scripts/derivation_vectors.py`).
    #[test]
    fn the_published_digests_of_sealed_items_are_stable() {
        let unhex = |text: &str| -> Vec<u8> {
            (0..text.len()).step_by(2).map(|at| u8::from_str_radix(&text[at..at + 2], 16).unwrap()).collect()
        };
        let mut seen = 0;
        for line in include_str!("../../../../testdata/sealing/derivation-v2.jsonl").lines() {
            let vector: serde_json::Value = serde_json::from_str(line).unwrap();
            let text = |field: &str| vector[field].as_str().unwrap();
            let (unresolved, value) = (unhex(text("unresolvedHex")), unhex(text("plaintextHex")));
            let item = ItemParts {
                namespace: text("namespace"),
                name: text("name"),
                item_key: text("itemKey"),
                unresolved: &unresolved,
                value: &value,
            };
            let key = ChecksumKey::from_key_file(text("sealKey").as_bytes()).unwrap();
            let digest =
                key.sealed_item(ItemBinding::App { project: text("project"), app: text("app") }, &item);
            assert_eq!(digest.to_string(), text("checksumHex"), "{}", text("id"));
            seen += 1;
        }
        assert_eq!(seen, 18);
    }

    #[test]
    fn each_part_of_a_sealed_item_changes_its_digest() {
        let base =
            ItemParts { namespace: "ns", name: "db", item_key: "pin", unresolved: b"1234", value: b"1234" };
        let app = |project, app| ItemBinding::App { project, app };
        let key = ChecksumKey::from_secret(b"x");
        let mut all = Vec::new();
        for binding in [ItemBinding::Project("p"), app("p", "a")] {
            for item in [
                base,
                ItemParts { namespace: "n", ..base },
                ItemParts { name: "cache", ..base },
                ItemParts { item_key: "pi", ..base },
                ItemParts { unresolved: b"<env:PIN>", ..base },
                ItemParts { value: b"1235", ..base },
                ItemParts { namespace: "nsd", name: "b", ..base },
            ] {
                all.push(key.sealed_item(binding, &item));
            }
        }
        for binding in [app("p2", "a"), app("p", "a2"), app("pa", ""), app("", "pa")] {
            all.push(key.sealed_item(binding, &base));
        }
        let distinct: std::collections::BTreeSet<_> = all.iter().collect();
        assert_eq!(distinct.len(), all.len());
        // Version 1 omits the project from checksums.
        assert_eq!(
            key.sealed_item(ItemBinding::Project("p"), &base),
            key.sealed_item(ItemBinding::Project("q"), &base)
        );
    }

    #[test]
    fn only_the_built_in_keys_are_public() {
        assert!(ChecksumKey::preview().is_public());
        assert!(ChecksumKey::references().is_public());
        let digest = |key: ChecksumKey| key.digest("l", &[b"x"]);
        assert_ne!(digest(ChecksumKey::references()), digest(ChecksumKey::preview()));
        assert!(!ChecksumKey::from_secret(b"x").is_public());
        assert_ne!(
            ChecksumKey::preview().digest("l", &[b"x"]),
            ChecksumKey::from_secret(b"x").digest("l", &[b"x"])
        );
    }
}
