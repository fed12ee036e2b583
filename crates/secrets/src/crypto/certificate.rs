//! The certificate of a sealed-secrets controller: the public key to seal for, and how long it says that it is valid.
//!
//! It is only parsed. There is no chain to check: the controller signs its own, with an empty subject. Whoever can change the
//! certificate file can read what is sealed from then on, so the file belongs to the operator.

use std::fmt;
use std::time::{Duration, SystemTime};

use rsa::PublicKey;
use rsa::pkcs1::{RsaPublicKeyRef, UintRef};
use rsa::pkcs8::{DecodePublicKey, ObjectIdentifier};
use rsa::traits::PublicKeyParts;
use sha2::{Digest, Sha256};
use x509_cert::der::{Decode, Encode};

use super::encoding::hex;
use super::pem;
use sealwave_core::diagnostic::{Explain, Note, Problem};

/// How long before its end a certificate is warned of.
pub const EXPIRY_WARNING: Duration = Duration::from_hours(30 * 24);

const KEY_BITS: std::ops::RangeInclusive<u32> = 2048..=4096;
const MAX_FILE_BYTES: usize = 1 << 20;
const RSA_ENCRYPTION: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.113549.1.1.1");

/// A certificate to seal for.
#[derive(Clone)]
pub struct Certificate {
    pub(super) key: PublicKey,
    spki_sha256: [u8; 32],
    not_before: SystemTime,
    not_after: SystemTime,
    details: CertificateDetails,
}

/// What there is to show of a certificate; nothing of it is secret.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CertificateDetails {
    /// SHA-256 of the certificate, in hexadecimal.
    pub certificate_sha256: String,
    /// Who signed it, in the form of RFC 4514; the controller's own have an empty one.
    pub issuer: String,
    /// Size of the RSA key.
    pub key_bits: u32,
    /// End of validity (UTC, RFC 3339).
    pub not_after: String,
    /// Start of validity (UTC, RFC 3339).
    pub not_before: String,
    /// SHA-256 of the public key (its SPKI), in hexadecimal: the same for each certificate of that key.
    pub public_key_sha256: String,
    /// Serial number, in hexadecimal.
    pub serial: String,
    /// Whom it names, in the form of RFC 4514; the controller's own have an empty one.
    pub subject: String,
}

/// Where a moment lies in a certificate's validity.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Validity {
    /// After its end.
    Expired,
    /// Less than [`EXPIRY_WARNING`] before its end; so many whole days are left.
    ExpiresSoon(u64),
    /// Before its start.
    NotYetValid,
    /// Well within.
    Valid,
}

/// Why a file holds no certificate that can be sealed for.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum CertificateError {
    /// Past its end.
    #[error("certificate expired at {0}")]
    Expired(String),
    /// A public key without a certificate around it.
    #[error("certificate file holds a bare public key")]
    BarePublicKey,
    /// DER where PEM is expected.
    #[error("certificate file is binary (DER), not PEM")]
    Binary,
    /// The RSA key has another size than is supported.
    #[error("certificate has an RSA key of {0} bits; {min} to {max} are supported", min = KEY_BITS.start(), max = KEY_BITS.end())]
    KeySize(u32),
    /// It cannot be parsed.
    #[error("certificate cannot be parsed: {0}")]
    Malformed(&'static str),
    /// Nothing in the file.
    #[error("certificate file holds no certificate")]
    NoCertificate,
    /// Another kind of key.
    #[error("certificate has {0}, not an RSA key")]
    NotRsa(&'static str),
    /// A private key.
    #[error("certificate file holds a private key")]
    PrivateKey,
    /// Too big a file.
    #[error("certificate file has more than {MAX_FILE_BYTES} bytes")]
    TooLong,
}

impl Explain for CertificateError {
    fn hint(&self) -> Option<String> {
        let hint = match self {
            Self::Expired(_) => {
                "fetch the controller's current certificate (`kubeseal --fetch-cert`), \
                 or set `allowExpired: true` beside it in the operator file"
            }
            Self::BarePublicKey | Self::Malformed(_) | Self::NoCertificate | Self::TooLong => {
                "`kubeseal --fetch-cert` prints the file that is expected: one block `BEGIN CERTIFICATE`"
            }
            Self::Binary => "`openssl x509 -inform DER` makes PEM of it",
            Self::KeySize(_) | Self::NotRsa(_) => {
                "the sealed-secrets controller makes RSA keys of 4096 bits by default"
            }
            Self::PrivateKey => {
                "sealing needs only the certificate; keep the controller's private key out of here"
            }
        };
        Some(hint.to_owned())
    }
}

/// What is odd about a certificate that is used nevertheless.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum CertificateWarning {
    /// Past its end, as the operator allows.
    #[error("certificate expired at {0}; it is used because the operator file allows it")]
    ExpiredButAllowed(String),
    /// Near its end.
    #[error("certificate expires at {not_after}; whole days left: {days}")]
    ExpiresSoon {
        /// Whole days that are left.
        days: u64,
        /// Its end.
        not_after: String,
    },
    /// Before its start.
    #[error("certificate is not valid before {0}; the controller does not mind, but a clock may be wrong")]
    NotYetValid(String),
}

impl Explain for CertificateWarning {
    fn hint(&self) -> Option<String> {
        match self {
            Self::ExpiredButAllowed(_) | Self::ExpiresSoon { .. } => {
                Some("fetch the controller's current certificate (`kubeseal --fetch-cert`)".to_owned())
            }
            Self::NotYetValid(_) => None,
        }
    }
}

impl fmt::Debug for Certificate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "certificate of key {}", self.details.public_key_sha256)
    }
}

impl Certificate {
    /// Reads the first certificate of a PEM file; like kubeseal, it leaves the others aside.
    ///
    /// # Errors
    /// Where there is none, or not one of an RSA key of 2048 to 4096 bits; also where the file holds a private key.
    pub fn from_pem(file: &[u8]) -> Result<Self, CertificateError> {
        if file.len() > MAX_FILE_BYTES {
            return Err(CertificateError::TooLong);
        }
        if file.starts_with(&[0x30, 0x82]) {
            return Err(CertificateError::Binary);
        }
        let text = String::from_utf8_lossy(file);
        let blocks = pem::blocks(&text);
        if blocks.iter().any(|block| block.label.ends_with("PRIVATE KEY")) {
            return Err(CertificateError::PrivateKey);
        }
        match blocks.iter().find(|block| block.label == "CERTIFICATE") {
            Some(block) => Self::from_der(
                block.der.as_ref().ok_or(CertificateError::Malformed("its PEM armour is damaged"))?,
            ),
            None if blocks.iter().any(|block| block.label.ends_with("PUBLIC KEY")) => {
                Err(CertificateError::BarePublicKey)
            }
            None => Err(CertificateError::NoCertificate),
        }
    }

    fn from_der(der: &[u8]) -> Result<Self, CertificateError> {
        let parsed = x509_cert::Certificate::from_der(der)
            .map_err(|_| CertificateError::Malformed("it is no X.509 certificate"))?;
        let body = parsed.tbs_certificate();
        let spki = body
            .subject_public_key_info()
            .to_der()
            .map_err(|_| CertificateError::Malformed("its public key cannot be encoded"))?;
        let key = public_key(body, &spki)?;
        let spki_sha256: [u8; 32] = Sha256::digest(&spki).into();
        let validity = body.validity();
        let details = CertificateDetails {
            certificate_sha256: hex(&Sha256::digest(der)),
            issuer: body.issuer().to_string(),
            key_bits: key.n().bit_width(),
            not_after: validity.not_after.to_string(),
            not_before: validity.not_before.to_string(),
            public_key_sha256: hex(&spki_sha256),
            serial: hex(body.serial_number().as_bytes()),
            subject: body.subject().to_string(),
        };
        Ok(Self {
            key,
            spki_sha256,
            not_before: validity.not_before.to_system_time(),
            not_after: validity.not_after.to_system_time(),
            details,
        })
    }

    /// What there is to show.
    #[must_use]
    pub const fn details(&self) -> &CertificateDetails {
        &self.details
    }

    /// SHA-256 of the public key (its SPKI): the same for each certificate of that key.
    #[must_use]
    pub const fn public_key_sha256(&self) -> &[u8; 32] {
        &self.spki_sha256
    }

    /// Where `now` lies in its validity.
    #[must_use]
    pub fn validity(&self, now: SystemTime) -> Validity {
        if now < self.not_before {
            return Validity::NotYetValid;
        }
        match self.not_after.duration_since(now) {
            Err(_) => Validity::Expired,
            Ok(left) if left < EXPIRY_WARNING => Validity::ExpiresSoon(left.as_secs() / (24 * 60 * 60)),
            Ok(_) => Validity::Valid,
        }
    }

    /// Whether it may be used `now`; what is odd but allowed becomes a note.
    ///
    /// A certificate from the future is only warned of: the controller itself never looks at validity, and a key that it made a
    /// moment ago must not stop a sync because two clocks differ.
    ///
    /// # Errors
    /// Where it has expired, unless that is allowed.
    pub fn check_validity(
        &self,
        now: SystemTime,
        allow_expired: bool,
        notes: &mut Vec<Note>,
    ) -> Result<(), CertificateError> {
        let not_after = || self.details.not_after.clone();
        let warning = match self.validity(now) {
            Validity::Valid => return Ok(()),
            Validity::Expired if !allow_expired => return Err(CertificateError::Expired(not_after())),
            Validity::Expired => CertificateWarning::ExpiredButAllowed(not_after()),
            Validity::ExpiresSoon(days) => CertificateWarning::ExpiresSoon { days, not_after: not_after() },
            Validity::NotYetValid => CertificateWarning::NotYetValid(self.details.not_before.clone()),
        };
        notes.push(Note::warning(Problem::new(&warning)));
        Ok(())
    }
}

fn public_key(body: &x509_cert::TbsCertificate, spki: &[u8]) -> Result<PublicKey, CertificateError> {
    const BAD: CertificateError = CertificateError::Malformed("its RSA key is not sound");
    let info = body.subject_public_key_info();
    if info.algorithm.oid != RSA_ENCRYPTION {
        return Err(CertificateError::NotRsa(algorithm_name(info.algorithm.oid)));
    }
    let raw = info.subject_public_key.as_bytes().ok_or(BAD)?;
    let bits = bit_length(&RsaPublicKeyRef::from_der(raw).map_err(|_| BAD)?.modulus);
    if !KEY_BITS.contains(&bits) {
        return Err(CertificateError::KeySize(bits));
    }
    PublicKey::from_public_key_der(spki).map_err(|_| BAD)
}

fn bit_length(modulus: &UintRef<'_>) -> u32 {
    let bytes = modulus.as_bytes();
    let leading = bytes.first().map_or(0, |byte| byte.leading_zeros());
    u32::try_from(bytes.len()).unwrap_or(u32::MAX / 8).saturating_mul(8).saturating_sub(leading)
}

fn algorithm_name(oid: ObjectIdentifier) -> &'static str {
    match oid.to_string().as_str() {
        "1.2.840.10045.2.1" => "an elliptic-curve key",
        "1.2.840.113549.1.1.10" => "a key for RSA-PSS signatures",
        "1.3.101.112" | "1.3.101.113" => "an EdDSA key",
        _ => "a key of another algorithm",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const RSA2048: &str = include_str!("../../../../testdata/sealed-secrets/rsa2048.crt");
    const REISSUED: &str = include_str!("../../../../testdata/sealed-secrets/rsa2048-reissued.crt");
    const RSA2048_KEY: &str = include_str!("../../../../testdata/sealed-secrets/rsa2048.key");
    const RSA3072: &str = include_str!("../../../../testdata/sealed-secrets/rsa3072.crt");

    fn read(pem: &str) -> Certificate {
        Certificate::from_pem(pem.as_bytes()).unwrap()
    }

    fn error(pem: &str) -> CertificateError {
        Certificate::from_pem(pem.as_bytes()).unwrap_err()
    }

    #[test]
    fn the_first_certificate_counts_however_the_file_is_written() {
        let plain = read(RSA2048);
        for variant in [
            RSA2048.replace('\n', "\r\n"),
            format!("\n\n# the dev cluster\nsubject=CN=x\n{RSA2048}"),
            format!("{RSA2048}{RSA3072}"),
            RSA2048.replace('\n', "\n    "),
            RSA2048.trim_end().to_owned(),
            format!("\u{feff}\n{RSA2048}"),
        ] {
            assert_eq!(read(&variant).details(), plain.details());
        }
        assert_ne!(read(&format!("{RSA3072}{RSA2048}")).details(), plain.details());
    }

    #[test]
    fn the_details_are_what_openssl_shows() {
        let details = read(REISSUED).details().clone();
        assert_eq!(details.serial, "2a");
        assert_eq!(details.key_bits, 2048);
        assert_eq!(details.subject, "O=sealed-secret-vectors,CN=re-issued");
        assert_eq!(details.issuer, details.subject);
        assert_eq!(details.not_before, REISSUED_NOT_BEFORE);
        assert_eq!(details.certificate_sha256, REISSUED_SHA256);
        assert_eq!(details.public_key_sha256, RSA2048_SPKI_SHA256);
        assert_eq!(read(RSA3072).details().subject, "");
    }

    #[test]
    fn a_reissued_certificate_has_the_same_public_key() {
        let (first, second) = (read(RSA2048), read(REISSUED));
        assert_eq!(first.public_key_sha256(), second.public_key_sha256());
        assert_ne!(first.details().certificate_sha256, second.details().certificate_sha256);
        assert_ne!(first.public_key_sha256(), read(RSA3072).public_key_sha256());
    }

    #[test]
    fn what_cannot_be_sealed_for_is_refused() {
        macro_rules! refused {
            ($name:literal) => {
                error(include_str!(concat!("../../../../testdata/sealed-secrets/refused/", $name)))
            };
        }
        assert_eq!(refused!("ec.crt"), CertificateError::NotRsa("an elliptic-curve key"));
        assert_eq!(refused!("rsa1024.crt"), CertificateError::KeySize(1024));
        assert_eq!(refused!("rsa5120.crt"), CertificateError::KeySize(5120));
        assert_eq!(refused!("public-key.pem"), CertificateError::BarePublicKey);
        assert_eq!(error(RSA2048_KEY), CertificateError::PrivateKey);
        assert_eq!(error(&format!("{RSA2048}{RSA2048_KEY}")), CertificateError::PrivateKey);
        assert_eq!(error(""), CertificateError::NoCertificate);
        assert_eq!(
            error("-----BEGIN CERTIFICATE REQUEST-----\n-----END CERTIFICATE REQUEST-----"),
            CertificateError::NoCertificate
        );
        assert_eq!(Certificate::from_pem(&[0x30, 0x82, 1, 2]).unwrap_err(), CertificateError::Binary);
        assert_eq!(
            Certificate::from_pem(&vec![b'x'; MAX_FILE_BYTES + 1]).unwrap_err(),
            CertificateError::TooLong
        );
        let cut = &RSA2048[..RSA2048.len() / 2];
        assert!(matches!(error(cut), CertificateError::Malformed(_)));
        let other_bytes = "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n";
        assert!(matches!(error(other_bytes), CertificateError::Malformed(_)));
    }

    #[test]
    fn validity_depends_on_the_moment_that_is_passed_in() {
        let certificate = read(RSA2048);
        let (start, end) = (certificate.not_before, certificate.not_after);
        let second = Duration::from_secs(1);
        assert_eq!(certificate.validity(start - second), Validity::NotYetValid);
        assert_eq!(certificate.validity(start), Validity::Valid);
        assert_eq!(certificate.validity(end - EXPIRY_WARNING), Validity::Valid);
        assert_eq!(certificate.validity(end - EXPIRY_WARNING + second), Validity::ExpiresSoon(29));
        assert_eq!(certificate.validity(end), Validity::ExpiresSoon(0));
        assert_eq!(certificate.validity(end + second), Validity::Expired);
    }

    #[test]
    fn expiry_is_an_error_unless_allowed_and_the_rest_is_a_warning() {
        let certificate = read(RSA2048);
        let notes_at = |now, allow| {
            let mut notes = Vec::new();
            certificate.check_validity(now, allow, &mut notes).map(|()| notes.len())
        };
        let second = Duration::from_secs(1);
        let (start, end) = (certificate.not_before, certificate.not_after);
        assert_eq!(notes_at(start, false), Ok(0));
        assert_eq!(notes_at(start - second, false), Ok(1));
        assert_eq!(notes_at(end - second, false), Ok(1));
        assert_eq!(
            notes_at(end + second, false),
            Err(CertificateError::Expired("2126-10-28T20:23:46Z".to_owned()))
        );
        assert_eq!(notes_at(end + second, true), Ok(1));
    }

    const REISSUED_NOT_BEFORE: &str = "2026-11-21T21:31:06Z";
    const REISSUED_SHA256: &str = "269bffc973ae508fc97314bc2683cd7aac640ff3b1beacbbda3400761650b9b6";
    const RSA2048_SPKI_SHA256: &str = "41dc2e7f1ec8c736f1edd6555c5ba235ab48a59887d52da6d453aea18d56a20a";
}
