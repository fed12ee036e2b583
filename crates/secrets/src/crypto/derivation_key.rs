//! Derived secrets: text that the operator's derivation key and the owner of the secret determine.
//!
//! ```text
//! PRK    = HKDF-SHA-512-Extract(salt = "sealwave/derive/v1", ikm = derivation key)
//! info   = LP("sealwave.dev/derive/v1") LP(project) LP(namespace) LP(app) LP(environment)
//!             LP(path) LP(alphabet) LP(length) LP(epoch)     LP(x) = u64be(length of x) || x
//! stream = HKDF-SHA-512-Expand(PRK, info, …)                 length and epoch are decimal text
//! ```
//!
//! The characters come from the bytes of the stream, in order. With an alphabet of n characters, a byte that is not less
//! than the greatest multiple of n up to 256 is skipped; any other byte b selects character b mod n. So all characters
//! are equally likely.
//!
//! Rules that must always hold: no field is ever omitted; every field is length-prefixed, so that no other owner and no
//! other path has the same input; the key is never the seal key. Any change here replaces the secrets of all users, so it
//! needs a new version.

use hkdf::Hkdf;
use sha2::Sha512;
use zeroize::Zeroizing;

use super::alphabet::Alphabet;
use super::checksum::ChecksumKey;
use super::encoding::length_prefixed;
use super::key::{self, DERIVATION_KEY_PREFIX, KeyError, KeyUse, read_key_file};
use crate::values::SecretValue;

const SALT: &[u8] = b"sealwave/derive/v1";
const VERSION: &[u8] = b"sealwave.dev/derive/v1";

/// The bytes of the stream for each character, and for every secret. An alphabet skips at most three bytes of ten, so less
/// than one secret in 10^40 needs more.
const BYTES_PER_CHARACTER: usize = 4;
const SPARE_BYTES: usize = 64;

/// The derivation key, which only the operator holds and from which secrets are derived.
///
/// ```
/// fn take(_: &sealwave_secrets::crypto::DerivationKey) {}
/// ```
///
/// ```compile_fail,E0277
/// fn print(key: &sealwave_secrets::crypto::DerivationKey) {
///     println!("{key:?}");
/// }
/// ```
pub struct DerivationKey {
    secrets: Hkdf<Sha512>,
    checksum: ChecksumKey,
}

/// The inputs of a derived secret other than the key.
#[derive(Clone, Copy)]
pub struct DerivedSecret<'a> {
    /// The Argo CD project.
    pub project: &'a str,
    /// The app's destination namespace in Argo CD.
    pub namespace: &'a str,
    /// The name of the app in Argo CD.
    pub app: &'a str,
    /// The environment that is rendered.
    pub environment: &'a str,
    /// The path of the reference.
    pub path: &'a str,
    /// The alphabet.
    pub alphabet: Alphabet,
    /// The number of characters, at most [`DerivedSecret::MAX_LENGTH`].
    pub length: u16,
    /// The operator's epoch for the path.
    pub epoch: u32,
}

impl DerivedSecret<'_> {
    /// The least number of characters.
    pub const MIN_LENGTH: u16 = 8;

    /// The greatest number of characters.
    pub const MAX_LENGTH: u16 = 1024;
}

impl DerivationKey {
    /// Parses a key file: the line of `sealwave key generate`, or at least 32 random bytes, raw, in base64 or in
    /// hexadecimal.
    ///
    /// # Errors
    /// Fails if the key is too short, looks like something that a person chose, or was generated for another use.
    pub fn from_file(bytes: &[u8]) -> Result<Self, KeyError> {
        let secret = read_key_file(bytes, KeyUse::Derivation)?;
        Ok(Self {
            secrets: Hkdf::<Sha512>::new(Some(SALT), &secret),
            checksum: ChecksumKey::from_secret(&secret),
        })
    }

    /// Generates a new key and returns it as the line of its file (without a line break).
    ///
    /// # Errors
    /// Fails if the system returns no random bytes.
    pub fn generate() -> Result<Zeroizing<String>, KeyError> {
        key::generate(DERIVATION_KEY_PREFIX)
    }

    /// Reports whether a file holds the same random bytes as this key, in any form and for any use.
    #[must_use]
    pub fn is_in_file(&self, bytes: &[u8]) -> bool {
        ChecksumKey::from_key_file(bytes).is_ok_and(|other| self.checksum.is_same(&other))
    }

    /// Derives a secret; equal input gives equal output.
    ///
    /// # Panics
    /// The length is greater than [`DerivedSecret::MAX_LENGTH`].
    #[must_use]
    pub fn derive(&self, secret: &DerivedSecret<'_>) -> SecretValue {
        let length = usize::from(secret.length);
        let mut stream = Zeroizing::new(vec![0; BYTES_PER_CHARACTER * length + SPARE_BYTES]);
        self.secrets
            .expand(&info(secret), &mut stream)
            .expect("the length is within the limit of HKDF-SHA-512");
        let mut text = Vec::with_capacity(length);
        text.extend(stream.iter().filter_map(|byte| secret.alphabet.character(*byte)).take(length));
        assert_eq!(text.len(), length, "the stream has enough bytes");
        SecretValue::new(text)
    }
}

/// Returns the unambiguous encoding of all inputs but the key.
fn info(secret: &DerivedSecret<'_>) -> Vec<u8> {
    let DerivedSecret { project, namespace, app, environment, path, alphabet, length, epoch } = secret;
    let (length, epoch) = (length.to_string(), epoch.to_string());
    let texts = [project, namespace, app, environment, path, alphabet.name(), &length, &epoch];
    let mut parts = vec![VERSION];
    parts.extend(texts.map(str::as_bytes));
    length_prefixed(&parts)
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    const KEY: &[u8] = b"sealwave-derivation-key-v1:47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=";
    const OTHER_KEY: &[u8] = b"sealwave-derivation-key-v1:R8L4aVvT0oX3mZ1q9pYc5wJ7bKdE2fHnU6sGiQrAtWk=";
    const BASE: DerivedSecret<'static> = DerivedSecret {
        project: "shop",
        namespace: "shop-ns",
        app: "shop-dev",
        environment: "dev",
        path: "db/password",
        alphabet: Alphabet::Alnum,
        length: 32,
        epoch: 0,
    };

    fn text(key: &[u8], secret: &DerivedSecret<'_>) -> String {
        let value = DerivationKey::from_file(key).unwrap().derive(secret);
        String::from_utf8(value.expose().to_vec()).unwrap()
    }

    /// The vectors come from another implementation of the scheme above (`scripts/derivation_vectors.py`). Each lists all
    /// of its inputs. They must never change: a change replaces the secrets of every user.
    #[test]
    fn the_published_vectors_are_stable() {
        let mut seen = 0;
        for line in include_str!("../../../../testdata/sealing/derived-secrets.jsonl").lines() {
            let vector: serde_json::Value = serde_json::from_str(line).unwrap();
            let field = |name: &str| vector[name].as_str().unwrap();
            let number = |name: &str| u32::try_from(vector[name].as_u64().unwrap()).unwrap();
            let secret = DerivedSecret {
                project: field("project"),
                namespace: field("namespace"),
                app: field("app"),
                environment: field("environment"),
                path: field("path"),
                alphabet: Alphabet::from_name(field("alphabet")).unwrap(),
                length: u16::try_from(number("length")).unwrap(),
                epoch: number("epoch"),
            };
            assert_eq!(text(field("derivationKey").as_bytes(), &secret), field("value"), "{}", field("id"));
            seen += 1;
        }
        assert_eq!(seen, 22);
    }

    #[test]
    fn each_input_alone_changes_the_secret() {
        let mut all: Vec<String> = [
            BASE,
            DerivedSecret { project: "payments", ..BASE },
            DerivedSecret { namespace: "shop", ..BASE },
            DerivedSecret { app: "shop-prod", ..BASE },
            DerivedSecret { environment: "prod", ..BASE },
            DerivedSecret { path: "db/user", ..BASE },
            DerivedSecret { path: "db//password", ..BASE },
            DerivedSecret { path: "DB/password", ..BASE },
            DerivedSecret { alphabet: Alphabet::Base64Url, ..BASE },
            DerivedSecret { epoch: 1, ..BASE },
            DerivedSecret { project: "shopshop", namespace: "-ns", ..BASE },
            DerivedSecret { app: "shop-devdev", environment: "", ..BASE },
            DerivedSecret { environment: "devdb", path: "/password", ..BASE },
            DerivedSecret { app: "", ..BASE },
        ]
        .iter()
        .map(|secret| text(KEY, secret))
        .collect();
        all.push(text(OTHER_KEY, &BASE));
        let distinct: BTreeSet<&String> = all.iter().collect();
        assert_eq!(distinct.len(), all.len());
        assert_eq!(text(KEY, &BASE), all[0]);
    }

    /// Otherwise a short secret, which may be guessed, would be the start of a long one.
    #[test]
    fn a_short_secret_is_not_the_start_of_a_longer_one() {
        let (short, long) = (text(KEY, &DerivedSecret { length: 8, ..BASE }), text(KEY, &BASE));
        assert!(!long.starts_with(&short));
    }

    #[test]
    fn every_length_and_alphabet_is_derived_in_full() {
        for alphabet in Alphabet::ALL {
            for length in [DerivedSecret::MIN_LENGTH, 9, 31, 64, DerivedSecret::MAX_LENGTH] {
                let value = text(KEY, &DerivedSecret { alphabet, length, ..BASE });
                assert_eq!(value.len(), usize::from(length), "{alphabet:?}");
                assert!(value.bytes().all(|byte| (0..=255).any(|b| alphabet.character(b) == Some(byte))));
            }
        }
    }

    #[test]
    fn the_same_bytes_are_recognized_in_any_form() {
        let key = DerivationKey::from_file(KEY).unwrap();
        let encoded = KEY.strip_prefix(DERIVATION_KEY_PREFIX.as_bytes()).unwrap();
        for prefix in ["", super::key::KEY_PREFIX, super::key::CHECKSUM_KEY_PREFIX] {
            assert!(key.is_in_file(&[prefix.as_bytes(), encoded].concat()), "{prefix}");
        }
        assert!(!key.is_in_file(&OTHER_KEY[DERIVATION_KEY_PREFIX.len()..]));
        assert!(!key.is_in_file(b"apiVersion: v1"));
    }
}
