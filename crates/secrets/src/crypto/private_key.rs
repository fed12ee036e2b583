//! The private key of a sealed-secrets controller, which opens sealed items.
//!
//! Only operations on committed files may use it: a private key must not be present where manifests are rendered. An item
//! opens here exactly if it opens in the controller, whose Go code accepts more than a first look at the format shows:
//! lines broken within the base64, session keys for AES-128 and AES-192, and a short C1.

use rsa::PrivateKey;
use rsa::pkcs1::{DecodeRsaPrivateKey, RsaPrivateKeyRef};
use rsa::pkcs8::{EncodePublicKey, PrivateKeyInfoRef};
use sha2::{Digest, Sha256};
use x509_cert::der::Decode;

use super::certificate::{RSA_ENCRYPTION, algorithm_name, bit_length};
use super::encoding::hex;
use super::pem::{self, PemBlock};
use super::{hybrid, oaep};
use crate::values::SecretValue;
use sealwave_core::diagnostic::Explain;

/// The sizes that Go's RSA and the `rsa` crate have in common.
const KEY_BITS: std::ops::RangeInclusive<u32> = 1024..=8192;

/// A controller's private key. It cannot be printed, and is zeroed on drop.
pub struct UnsealKey {
    key: PrivateKey,
    spki_sha256: [u8; 32],
}

/// A reason why a file cannot be used as a private key. It never quotes the file.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum UnsealKeyError {
    /// The file is DER instead of PEM.
    #[error("private key is binary (DER), not PEM")]
    Binary,
    /// The key is encrypted with a passphrase.
    #[error("private key is encrypted with a passphrase")]
    Encrypted,
    /// The size of the key is not supported.
    #[error("private key has {0} bits; {min} to {max} are supported", min = KEY_BITS.start(), max = KEY_BITS.end())]
    KeySize(u32),
    /// The key cannot be parsed.
    #[error("private key cannot be parsed: {0}")]
    Malformed(&'static str),
    /// The file holds no private key.
    #[error("file holds no private key")]
    NoPrivateKey,
    /// The key is of another type.
    #[error("private key is {0}, not an RSA key")]
    NotRsa(&'static str),
    /// The file holds the public half only.
    #[error("file holds a certificate or a public key, but no private key")]
    PublicHalf,
    /// The file is UTF-16.
    #[error("file is UTF-16, not UTF-8")]
    Utf16,
}

impl Explain for UnsealKeyError {
    fn hint(&self) -> Option<String> {
        let hint = match self {
            Self::Utf16 => "save it as UTF-8",
            Self::Binary => "`openssl pkey -inform DER` converts it to PEM",
            Self::Encrypted => {
                "`openssl pkey -in FILE` decrypts it; to protect a key file, encrypt it with `age`"
            }
            Self::KeySize(_) | Self::NotRsa(_) => {
                "the sealed-secrets controller generates RSA keys of 4096 bits by default"
            }
            Self::Malformed(_) | Self::NoPrivateKey | Self::PublicHalf => {
                "expected a key in PEM (`BEGIN PRIVATE KEY` or `BEGIN RSA PRIVATE KEY`), or the Secrets that \
                 `kubectl get secret -n NAMESPACE -l sealedsecrets.bitnami.com/sealed-secrets-key -o yaml` prints"
            }
        };
        Some(hint.to_owned())
    }
}

impl UnsealKey {
    /// Parses every private key of a PEM file, in order; other blocks, such as certificates, are ignored.
    ///
    /// # Errors
    /// Fails if the file contains no private key, or one that cannot be used.
    pub fn all_from_pem(file: &[u8]) -> Result<Vec<Self>, UnsealKeyError> {
        if file.starts_with(&[0x30, 0x82]) {
            return Err(UnsealKeyError::Binary);
        }
        if pem::is_utf16(file) {
            return Err(UnsealKeyError::Utf16);
        }
        let text = std::str::from_utf8(file).map_err(|_| UnsealKeyError::NoPrivateKey)?;
        let blocks = pem::blocks(pem::without_mark(text));
        let mut keys = Vec::new();
        for block in blocks.iter().filter(|block| block.label.ends_with("PRIVATE KEY")) {
            keys.push(Self::from_block(block)?);
        }
        if !keys.is_empty() {
            return Ok(keys);
        }
        let is_public =
            |block: &PemBlock<'_>| matches!(block.label, "CERTIFICATE" | "PUBLIC KEY" | "RSA PUBLIC KEY");
        Err(if blocks.iter().any(is_public) {
            UnsealKeyError::PublicHalf
        } else {
            UnsealKeyError::NoPrivateKey
        })
    }

    fn from_block(block: &PemBlock<'_>) -> Result<Self, UnsealKeyError> {
        if block.is_encrypted {
            return Err(UnsealKeyError::Encrypted);
        }
        let der = block.der.as_ref().ok_or(UnsealKeyError::Malformed("its PEM armor is damaged"))?;
        match block.label {
            "RSA PRIVATE KEY" => Self::from_pkcs1(der),
            "PRIVATE KEY" => Self::from_pkcs8(der),
            "EC PRIVATE KEY" => Err(UnsealKeyError::NotRsa("an elliptic-curve key")),
            "OPENSSH PRIVATE KEY" => Err(UnsealKeyError::Malformed("it has the format of OpenSSH")),
            _ => Err(UnsealKeyError::Malformed("its PEM label is unknown")),
        }
    }

    fn from_pkcs8(der: &[u8]) -> Result<Self, UnsealKeyError> {
        let info =
            PrivateKeyInfoRef::try_from(der).map_err(|_| UnsealKeyError::Malformed("it is not PKCS#8"))?;
        if info.algorithm.oid != RSA_ENCRYPTION {
            return Err(UnsealKeyError::NotRsa(algorithm_name(info.algorithm.oid)));
        }
        Self::from_pkcs1(info.private_key.as_bytes())
    }

    fn from_pkcs1(der: &[u8]) -> Result<Self, UnsealKeyError> {
        const BAD: UnsealKeyError = UnsealKeyError::Malformed("its RSA numbers are invalid");
        let parts =
            RsaPrivateKeyRef::from_der(der).map_err(|_| UnsealKeyError::Malformed("it is not PKCS#1"))?;
        // Checked first: the arithmetic below takes minutes for a key of a megabyte.
        let bits = bit_length(&parts.modulus);
        if !KEY_BITS.contains(&bits) {
            return Err(UnsealKeyError::KeySize(bits));
        }
        let key = PrivateKey::from_pkcs1_der(der).map_err(|_| BAD)?;
        let spki = key.to_public_key().to_public_key_der().map_err(|_| BAD)?;
        Ok(Self { key, spki_sha256: Sha256::digest(spki.as_bytes()).into() })
    }

    /// Returns the SHA-256 of the public key (its SPKI): the same as that of its certificates.
    #[must_use]
    pub const fn public_key_sha256(&self) -> &[u8; 32] {
        &self.spki_sha256
    }

    /// Returns the same in hexadecimal, as certificates show it.
    #[must_use]
    pub fn public_key_sha256_hex(&self) -> String {
        hex(&self.spki_sha256)
    }

    /// Opens one item of `encryptedData`; `label` is `SealingScope::label` of the object that holds it.
    ///
    /// Returns `None` if the item was sealed for another key or label, or is damaged: nothing more can be known.
    #[must_use]
    pub fn open(&self, label: &[u8], item: &str) -> Option<SecretValue> {
        let sealed = hybrid::decode(item)?;
        let (wrapped, body) = hybrid::split(&sealed)?;
        let session_key = oaep::decrypt(&self.key, label, wrapped)?;
        hybrid::open(&session_key, body)
    }
}

#[cfg(test)]
mod tests {
    use base64::Engine;
    use base64::engine::general_purpose::STANDARD;
    use serde_json::Value;

    use super::*;
    use crate::SealingScope;
    use crate::crypto::Certificate;

    macro_rules! testdata {
        ($name:literal) => {
            include_str!(concat!("../../../../testdata/sealed-secrets/", $name))
        };
    }

    const VECTORS: &str = testdata!("hybrid-encrypt.jsonl");
    /// Made with the packages of Go that the controller uses, and opened as it opens items.
    const LENIENT: &str = testdata!("lenient.jsonl");

    fn key(pem: &str) -> UnsealKey {
        UnsealKey::all_from_pem(pem.as_bytes()).unwrap().remove(0)
    }

    fn error(pem: &str) -> UnsealKeyError {
        UnsealKey::all_from_pem(pem.as_bytes()).err().unwrap()
    }

    fn lines(text: &str) -> impl Iterator<Item = Value> {
        text.lines().map(|line| serde_json::from_str(line).unwrap())
    }

    #[test]
    fn the_controllers_vectors_are_opened() {
        let mut seen = 0;
        for vector in lines(VECTORS) {
            let text = |field: &str| vector[field].as_str().unwrap();
            let key = key(if text("key") == "rsa2048" {
                testdata!("rsa2048.key")
            } else {
                testdata!("rsa4096.key")
            });
            let scope = match text("scope") {
                "strict" => SealingScope::Strict,
                "namespace-wide" => SealingScope::NamespaceWide,
                _ => SealingScope::ClusterWide,
            };
            let label = scope.label(text("namespace"), text("name"));
            let value = key.open(&label, text("ciphertextBase64")).unwrap();
            assert_eq!(value.expose(), STANDARD.decode(text("plaintextBase64")).unwrap(), "{}", text("id"));
            assert!(key.open(b"other/label", text("ciphertextBase64")).is_none());
            seen += 1;
        }
        assert_eq!(seen, 30);
    }

    #[test]
    fn an_item_opens_exactly_if_go_opens_it() {
        let key = key(testdata!("rsa2048.key"));
        let mut seen = (0, 0);
        for vector in lines(LENIENT) {
            let id = vector["id"].as_str().unwrap();
            let opened =
                key.open(vector["label"].as_str().unwrap().as_bytes(), vector["item"].as_str().unwrap());
            let expected = vector["opens"].as_str();
            assert_eq!(opened.as_ref().and_then(SecretValue::expose_str), expected, "{id}");
            *(if expected.is_some() { &mut seen.0 } else { &mut seen.1 }) += 1;
        }
        assert!(seen.0 >= 6 && seen.1 >= 8, "{seen:?}");
    }

    #[test]
    fn keys_are_read_from_both_formats_and_belong_to_their_certificates() {
        for (pem, certificate) in [
            (testdata!("rsa2048.key"), testdata!("rsa2048.crt")),
            (testdata!("rsa2050-pkcs1.key"), testdata!("rsa2050.crt")),
            (testdata!("rsa3072.key"), testdata!("rsa3072.crt")),
            (testdata!("rsa4096.key"), testdata!("rsa4096.crt")),
        ] {
            let certificate = Certificate::from_pem(certificate.as_bytes()).unwrap();
            let key = key(&pem.replace('\n', "\r\n"));
            assert_eq!(key.public_key_sha256(), certificate.public_key_sha256());
            assert_eq!(key.public_key_sha256_hex(), certificate.details().public_key_sha256);
            let value = SecretValue::new(b"value".to_vec());
            let item = certificate.seal_randomly(b"ns/name", &value).unwrap();
            assert_eq!(key.open(b"ns/name", &item).unwrap().expose(), b"value");
            assert!(key.open(b"ns/other", &item).is_none());
        }
        let both = format!(
            "{}\n{}\n{}",
            testdata!("rsa2048.crt"),
            testdata!("rsa2048.key"),
            testdata!("rsa3072.key")
        );
        assert_eq!(UnsealKey::all_from_pem(both.as_bytes()).unwrap().len(), 2);
    }

    #[test]
    fn unusable_key_files_are_refused() {
        assert_eq!(error(""), UnsealKeyError::NoPrivateKey);
        assert_eq!(error("password: hunter2"), UnsealKeyError::NoPrivateKey);
        assert_eq!(error(testdata!("rsa2048.crt")), UnsealKeyError::PublicHalf);
        assert_eq!(error(testdata!("refused/public-key.pem")), UnsealKeyError::PublicHalf);
        assert_eq!(UnsealKey::all_from_pem(&[0x30, 0x82, 1]).err(), Some(UnsealKeyError::Binary));
        assert_eq!(UnsealKey::all_from_pem(&[0xff]).err(), Some(UnsealKeyError::NoPrivateKey));
        let block =
            |label: &str, body: &str| format!("-----BEGIN {label}-----\n{body}\n-----END {label}-----\n");
        assert_eq!(error(&block("ENCRYPTED PRIVATE KEY", "AAAA")), UnsealKeyError::Encrypted);
        let legacy = block("RSA PRIVATE KEY", "Proc-Type: 4,ENCRYPTED\nDEK-Info: AES-256-CBC,00\n\nAAAA");
        assert_eq!(error(&legacy), UnsealKeyError::Encrypted);
        assert!(matches!(error(&block("EC PRIVATE KEY", "AAAA")), UnsealKeyError::NotRsa(_)));
        for malformed in [
            block("OPENSSH PRIVATE KEY", "AAAA"),
            block("RSA PRIVATE KEY", "AAAA"),
            block("PRIVATE KEY", "AAAA"),
            block("PRIVATE KEY", "not base64!"),
            testdata!("rsa2048.key")[..900].to_owned(),
        ] {
            assert!(matches!(error(&malformed), UnsealKeyError::Malformed(_)), "{malformed}");
        }
        // A second key that cannot be used is an error, not ignored.
        let second = format!("{}{}", testdata!("rsa2048.key"), block("PRIVATE KEY", "AAAA"));
        assert!(matches!(error(&second), UnsealKeyError::Malformed(_)));
    }
}
