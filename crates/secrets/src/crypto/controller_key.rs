//! A new key for a sealed-secrets controller: an RSA key, and the certificate that it signs itself.
//!
//! Both are as the controller makes them: 4096 bits by default, an empty subject, valid for ten years. The private key leaves this module
//! only inside the Secret for the cluster.

use std::time::{Duration, SystemTime};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use getrandom::SysRng;
use rsa::PrivateKey;
use rsa::pkcs1::EncodeRsaPrivateKey as _;
use rsa::pkcs1v15::SigningKey;
use rsa::pkcs8::{EncodePublicKey as _, LineEnding};
use rsa::signature::{SignatureEncoding as _, Signer as _};
use sha2::Sha256;
use x509_cert::der::Encode as _;
use x509_cert::time::Time;
use zeroize::Zeroizing;

use super::certificate::{Certificate, CertificateError};
use super::key::KeyError;

/// The sizes of a key that the controller can be given.
pub const CONTROLLER_KEY_BITS: [u32; 3] = [2048, 3072, 4096];

const VALIDITY: Duration = Duration::from_hours(10 * 365 * 24);

/// The label that makes a Secret a key of the controller. Only the value `active` makes it usable.
pub const CONTROLLER_KEY_LABEL: &str = "sealedsecrets.bitnami.com/sealed-secrets-key";

const BOOLEAN_TRUE: &[u8] = &[0x01, 0x01, 0xff];
const SHA256_WITH_RSA: &[u8] =
    &[0x30, 0x0d, 0x06, 0x09, 0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x01, 0x0b, 0x05, 0x00];
const KEY_USAGE: &[u8] = &[0x06, 0x03, 0x55, 0x1d, 0x0f];
const ENCIPHER_ONLY: &[u8] = &[0x04, 0x04, 0x03, 0x02, 0x00, 0x01];
const BASIC_CONSTRAINTS: &[u8] = &[0x06, 0x03, 0x55, 0x1d, 0x13];
const IS_CA: &[u8] = &[0x04, 0x05, 0x30, 0x03, 0x01, 0x01, 0xff];
const EMPTY_NAME: &[u8] = &[0x30, 0x00];
const VERSION_3: &[u8] = &[0xa0, 0x03, 0x02, 0x01, 0x02];

const SEQUENCE: u8 = 0x30;
const INTEGER: u8 = 0x02;
const BIT_STRING: u8 = 0x03;
const EXTENSIONS: u8 = 0xa3;

/// A new key pair of a controller.
pub struct ControllerKeyPair {
    certificate: Certificate,
    private_pem: Zeroizing<String>,
}

impl ControllerKeyPair {
    /// Generates a key of this size, whose certificate is valid from this time on. This takes seconds.
    ///
    /// # Errors
    /// The size is not supported, the system has no randomness, or the time cannot be written.
    pub fn generate(not_before: SystemTime, bits: u32) -> Result<Self, KeyError> {
        let bits =
            CONTROLLER_KEY_BITS.into_iter().find(|known| *known == bits).ok_or(KeyError::NoRandomness)?;
        let bits = usize::try_from(bits).map_err(|_| KeyError::NoRandomness)?;
        let key = PrivateKey::new(&mut SysRng, bits).map_err(|_| KeyError::NoRandomness)?;
        let private_pem = key.to_pkcs1_pem(LineEnding::LF).map_err(|_| KeyError::NoRandomness)?;
        let certificate = self_signed(key, not_before).ok_or(KeyError::NoRandomness)?;
        Ok(Self { certificate, private_pem })
    }

    /// Returns the certificate.
    #[must_use]
    pub const fn certificate(&self) -> &Certificate {
        &self.certificate
    }

    /// Returns the Secret that gives the key to a controller, as JSON. This holds the private key.
    #[must_use]
    pub fn to_secret(&self, namespace: &str, name: &str) -> Zeroizing<Vec<u8>> {
        let head = serde_json::json!({
            "apiVersion": "v1", "kind": "Secret", "type": "kubernetes.io/tls",
            "metadata": {"name": name, "namespace": namespace, "labels": {CONTROLLER_KEY_LABEL: "active"}},
        })
        .to_string();
        let certificate = STANDARD.encode(self.certificate.to_pem());
        let mut private = Zeroizing::new(String::with_capacity(2 * self.private_pem.len()));
        STANDARD.encode_string(self.private_pem.as_bytes(), &mut private);
        let parts = [
            head.trim_end_matches('}'),
            "}},\"data\":{\"tls.crt\":\"",
            &certificate,
            "\",\"tls.key\":\"",
            &private,
            "\"}}",
        ];
        let mut json = Zeroizing::new(Vec::with_capacity(parts.iter().map(|part| part.len()).sum()));
        for part in parts {
            json.extend_from_slice(part.as_bytes());
        }
        json
    }
}

fn self_signed(key: PrivateKey, not_before: SystemTime) -> Option<Certificate> {
    let public = key.to_public_key().to_public_key_der().ok()?;
    let time = |at: SystemTime| Time::try_from(at).ok()?.to_der().ok();
    let validity = element(SEQUENCE, &[&time(not_before)?, &time(not_before.checked_add(VALIDITY)?)?]);
    let mut serial = [0; 16];
    getrandom::fill(&mut serial).ok()?;
    // Positive and not zero.
    serial[0] = serial[0] & 0x7f | 0x40;
    let extensions = element(
        SEQUENCE,
        &[
            &element(SEQUENCE, &[KEY_USAGE, BOOLEAN_TRUE, ENCIPHER_ONLY]),
            &element(SEQUENCE, &[BASIC_CONSTRAINTS, BOOLEAN_TRUE, IS_CA]),
        ],
    );
    let body = element(
        SEQUENCE,
        &[
            VERSION_3,
            &element(INTEGER, &[&serial]),
            SHA256_WITH_RSA,
            EMPTY_NAME,
            &validity,
            EMPTY_NAME,
            public.as_bytes(),
            &element(EXTENSIONS, &[&extensions]),
        ],
    );
    let signature = SigningKey::<Sha256>::new(key).try_sign(&body).ok()?.to_vec();
    let whole = element(SEQUENCE, &[&body, SHA256_WITH_RSA, &element(BIT_STRING, &[&[0], &signature])]);
    Certificate::from_der(&whole).ok()
}

/// Returns an element of DER: its tag, its length and its contents.
fn element(tag: u8, contents: &[&[u8]]) -> Vec<u8> {
    let contents = contents.concat();
    let length = contents.len().to_be_bytes();
    let significant: Vec<u8> = length.iter().copied().skip_while(|byte| *byte == 0).collect();
    let mut out = vec![tag];
    match significant[..] {
        [] => out.push(0),
        [short] if short < 0x80 => out.push(short),
        _ => {
            // At most eight bytes.
            out.push(0x80 | significant.len().to_le_bytes()[0]);
            out.extend(significant);
        }
    }
    out.extend(contents);
    out
}

/// Reads the certificate of a key Secret.
///
/// # Errors
/// The text is not base64 of a certificate that can be sealed for.
pub fn certificate_of_key_secret(base64: &str) -> Result<Certificate, CertificateError> {
    let pem = STANDARD.decode(base64).map_err(|_| CertificateError::NoCertificate)?;
    Certificate::from_pem(&pem)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::crypto::CertificateValidity;
    use crate::crypto::{TlsFiles, tls_problems};

    #[test]
    fn a_new_key_and_its_certificate_belong_together() {
        let start = SystemTime::UNIX_EPOCH + Duration::from_hours(500_000);
        let pair = ControllerKeyPair::generate(start, 2048).expect("a key");
        let details = pair.certificate().details();
        assert_eq!((details.subject.as_str(), details.issuer.as_str()), ("", ""));
        assert_eq!(details.not_before, "2027-01-15T08:00:00Z");
        assert_eq!(details.not_after, "2037-01-12T08:00:00Z");
        assert_eq!(pair.certificate().validity(start), CertificateValidity::Valid);
        let secret: serde_json::Value =
            serde_json::from_slice(&pair.to_secret("kube-system", "key-1")).expect("JSON");
        assert_eq!(secret["metadata"]["labels"][CONTROLLER_KEY_LABEL], "active");
        assert_eq!(secret["metadata"]["namespace"], "kube-system");
        let item =
            |key: &str| STANDARD.decode(secret["data"][key].as_str().expect("an item")).expect("base64");
        let (certificate, key) = (item("tls.crt"), item("tls.key"));
        let files = TlsFiles { certificate: Some(&certificate), key: Some(&key), authority: None };
        assert_eq!(tls_problems(files, None).len(), 0);
        let read = certificate_of_key_secret(secret["data"]["tls.crt"].as_str().expect("an item"));
        assert_eq!(read.expect("a certificate").details(), details);
    }

    #[test]
    fn lengths_are_encoded_as_der_requires() {
        let length = |bytes: usize| element(SEQUENCE, &[&vec![0; bytes]])[1..].to_vec();
        assert_eq!(length(0), [0]);
        assert_eq!(length(0x7f)[..1], [0x7f]);
        assert_eq!(length(0x80)[..2], [0x81, 0x80]);
        assert_eq!(length(0x1234)[..3], [0x82, 0x12, 0x34]);
    }
}
