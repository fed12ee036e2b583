//! The certificate of a sealed-secrets controller: the public key to seal for, and its validity period.
//!
//! The certificate is only parsed. There is no chain to verify: the controller signs its own certificates, with an
//! empty subject. An attacker who can change the certificate file can read everything that is sealed from then on, so
//! the file belongs to the operator.

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

/// Time before a certificate's end at which warnings start.
pub const EXPIRY_WARNING: Duration = Duration::from_hours(30 * 24);

const KEY_BITS: std::ops::RangeInclusive<u32> = 2048..=4096;
const SECONDS_OF_DAY: u64 = 24 * 60 * 60;
const MAX_FILE_BYTES: usize = 1 << 20;
pub(super) const RSA_ENCRYPTION: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.113549.1.1.1");

/// A certificate to seal for.
#[derive(Clone)]
pub struct Certificate {
    pub(super) key: PublicKey,
    spki_sha256: [u8; 32],
    not_before: SystemTime,
    not_after: SystemTime,
    details: CertificateDetails,
    der: Box<[u8]>,
}

/// The printable details of a certificate; none of them is secret.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CertificateDetails {
    /// SHA-256 of the certificate, in hexadecimal.
    pub certificate_sha256: String,
    /// The issuer, as in RFC 4514; empty in the controller's own certificates.
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
    /// The subject, as in RFC 4514; empty in the controller's own certificates.
    pub subject: String,
}

/// The position of a point in time relative to a certificate's validity period.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CertificateValidity {
    /// After the end.
    Expired,
    /// Less than [`EXPIRY_WARNING`] before the end, with this many whole days left.
    ExpiresSoon(u64),
    /// Before the start.
    NotYetValid,
    /// Within the period and not near its end.
    Valid,
}

/// A reason why a file cannot be used as a sealing certificate.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum CertificateError {
    /// The certificate is past its end.
    #[error("certificate expired at {0}")]
    Expired(String),
    /// The file holds a public key that is not in a certificate.
    #[error("certificate file holds a bare public key")]
    BarePublicKey,
    /// The file is DER instead of PEM.
    #[error("certificate file is binary (DER), not PEM")]
    Binary,
    /// The size of the RSA key is not supported.
    #[error("certificate has an RSA key of {0} bits; {min} to {max} are supported", min = KEY_BITS.start(), max = KEY_BITS.end())]
    KeySize(u32),
    /// The certificate cannot be parsed.
    #[error("certificate cannot be parsed: {0}")]
    Malformed(&'static str),
    /// The file holds no certificate.
    #[error("certificate file holds no certificate")]
    NoCertificate,
    /// The key is of another type.
    #[error("certificate has {0}, not an RSA key")]
    NotRsa(&'static str),
    /// The file holds a private key.
    #[error("certificate file holds a private key")]
    PrivateKey,
    /// The file is too large.
    #[error("certificate file is larger than {MAX_FILE_BYTES} bytes")]
    TooLong,
    /// The file is UTF-16.
    #[error("certificate file is UTF-16, not UTF-8")]
    Utf16,
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
            Self::Utf16 => "save it as UTF-8",
            Self::Binary => "`openssl x509 -inform DER` converts it to PEM",
            Self::KeySize(_) | Self::NotRsa(_) => {
                "the sealed-secrets controller generates RSA keys of 4096 bits by default"
            }
            Self::PrivateKey => {
                "sealing needs only the certificate; keep the controller's private key out of this file"
            }
        };
        Some(hint.to_owned())
    }
}

/// A problem of a certificate that does not prevent its use.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum CertificateWarning {
    /// The certificate is past its end, and the operator allows that.
    #[error("certificate expired at {0}; it is used because the operator file allows it")]
    ExpiredButAllowed(String),
    /// The certificate is near its end.
    #[error("certificate expires at {not_after}; whole days left: {days}")]
    ExpiresSoon {
        /// Whole days left.
        days: u64,
        /// End of validity.
        not_after: String,
    },
    /// The certificate is not valid yet.
    #[error("certificate is not valid before {0}; the controller accepts it, but a clock may be wrong")]
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
    /// Parses the first certificate of a PEM file and ignores the others, like kubeseal.
    ///
    /// # Errors
    /// Fails if the file contains no certificate with an RSA key of 2048 to 4096 bits, or contains a private key.
    pub fn from_pem(file: &[u8]) -> Result<Self, CertificateError> {
        if file.len() > MAX_FILE_BYTES {
            return Err(CertificateError::TooLong);
        }
        if file.starts_with(&[0x30, 0x82]) {
            return Err(CertificateError::Binary);
        }
        if pem::is_utf16(file) {
            return Err(CertificateError::Utf16);
        }
        let text = String::from_utf8_lossy(file);
        let blocks = pem::blocks(pem::without_mark(&text));
        if blocks.iter().any(|block| block.label.ends_with("PRIVATE KEY")) {
            return Err(CertificateError::PrivateKey);
        }
        match blocks.iter().find(|block| block.label == "CERTIFICATE") {
            Some(block) => Self::from_der(
                block.der.as_ref().ok_or(CertificateError::Malformed("its PEM armor is damaged"))?,
            ),
            None if blocks.iter().any(|block| block.label.ends_with("PUBLIC KEY")) => {
                Err(CertificateError::BarePublicKey)
            }
            None => Err(CertificateError::NoCertificate),
        }
    }

    /// Reports whether a file holds certificates in PEM and comments, and nothing else.
    #[must_use]
    pub fn is_file_of_certificates(file: &[u8]) -> bool {
        std::str::from_utf8(file).is_ok_and(|text| pem::has_only(pem::without_mark(text), "CERTIFICATE"))
    }

    pub(super) fn from_der(der: &[u8]) -> Result<Self, CertificateError> {
        let parsed = x509_cert::Certificate::from_der(der)
            .map_err(|_| CertificateError::Malformed("it is not an X.509 certificate"))?;
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
            der: der.into(),
        })
    }

    /// Returns the printable details.
    #[must_use]
    pub const fn details(&self) -> &CertificateDetails {
        &self.details
    }

    /// Returns the certificate alone in PEM, without anything else of its file.
    #[must_use]
    pub fn to_pem(&self) -> String {
        pem::encode("CERTIFICATE", &self.der)
    }

    /// Returns the start of validity: of several keys, a controller seals with the one that has the latest.
    #[must_use]
    pub const fn not_before(&self) -> SystemTime {
        self.not_before
    }

    /// Returns the SHA-256 of the public key (its SPKI): the same for each certificate of that key.
    #[must_use]
    pub const fn public_key_sha256(&self) -> &[u8; 32] {
        &self.spki_sha256
    }

    /// Returns where `now` lies in the validity period.
    #[must_use]
    pub fn validity(&self, now: SystemTime) -> CertificateValidity {
        if now < self.not_before {
            return CertificateValidity::NotYetValid;
        }
        match self.not_after.duration_since(now) {
            Err(_) => CertificateValidity::Expired,
            Ok(left) if left < EXPIRY_WARNING => {
                CertificateValidity::ExpiresSoon(left.as_secs() / SECONDS_OF_DAY)
            }
            Ok(_) => CertificateValidity::Valid,
        }
    }

    /// Returns the whole days until the end of validity; `None` if it has passed.
    #[must_use]
    pub fn days_left(&self, now: SystemTime) -> Option<u64> {
        self.not_after.duration_since(now).ok().map(|left| left.as_secs() / SECONDS_OF_DAY)
    }

    /// Checks that the certificate may be used `now`; adds a note about anything unusual that is allowed.
    ///
    /// A certificate from the future causes only a warning: the controller itself never checks validity, and a key that
    /// it generated a moment ago must not stop a sync because two clocks differ.
    ///
    /// # Errors
    /// Fails if the certificate has expired, unless that is allowed.
    pub fn check_validity(
        &self,
        now: SystemTime,
        allow_expired: bool,
        notes: &mut Vec<Note>,
    ) -> Result<(), CertificateError> {
        let not_after = || self.details.not_after.clone();
        let warning = match self.validity(now) {
            CertificateValidity::Valid => return Ok(()),
            CertificateValidity::Expired if !allow_expired => {
                return Err(CertificateError::Expired(not_after()));
            }
            CertificateValidity::Expired => CertificateWarning::ExpiredButAllowed(not_after()),
            CertificateValidity::ExpiresSoon(days) => {
                CertificateWarning::ExpiresSoon { days, not_after: not_after() }
            }
            CertificateValidity::NotYetValid => {
                CertificateWarning::NotYetValid(self.details.not_before.clone())
            }
        };
        notes.push(Note::warning(Problem::new(&warning)));
        Ok(())
    }
}

fn public_key(body: &x509_cert::TbsCertificate, spki: &[u8]) -> Result<PublicKey, CertificateError> {
    const BAD: CertificateError = CertificateError::Malformed("its RSA key is invalid");
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

pub(super) fn bit_length(modulus: &UintRef<'_>) -> u32 {
    let bytes = modulus.as_bytes();
    let leading = bytes.first().map_or(0, |byte| byte.leading_zeros());
    u32::try_from(bytes.len()).unwrap_or(u32::MAX / 8).saturating_mul(8).saturating_sub(leading)
}

pub(super) fn algorithm_name(oid: ObjectIdentifier) -> &'static str {
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
    fn the_first_certificate_is_read_from_every_pem_layout() {
        let plain = read(RSA2048);
        for variant in [
            RSA2048.replace('\n', "\r\n"),
            format!("\n\n# the dev cluster\nsubject=CN=x\n{RSA2048}"),
            format!("{RSA2048}{RSA3072}"),
            RSA2048.replace('\n', "\n    "),
            RSA2048.trim_end().to_owned(),
            format!("\u{feff}\n{RSA2048}"),
            format!("\u{feff}{RSA2048}"),
        ] {
            assert_eq!(read(&variant).details(), plain.details());
        }
        assert_ne!(read(&format!("{RSA3072}{RSA2048}")).details(), plain.details());
    }

    #[test]
    fn only_the_certificate_itself_is_written() {
        let file = format!("# a comment\n{RSA2048}{RSA3072}");
        assert_eq!(read(&file).to_pem(), RSA2048);
    }

    #[test]
    fn a_file_of_certificates_has_nothing_else() {
        let is_only = |text: &str| Certificate::is_file_of_certificates(text.as_bytes());
        for text in [RSA2048.to_owned(), format!("\u{feff}# dev\r\nsubject=CN=x\n\n{RSA2048}{RSA3072}")] {
            assert!(is_only(&text), "{text}");
        }
        let indented =
            format!("kind: Secret\nstringData:\n  ca.crt: |\n    {}", RSA2048.replace('\n', "\n    "));
        for text in [indented, format!("{RSA2048}PASSWORD=x\n"), RSA2048_KEY.to_owned()] {
            assert!(!is_only(&text), "{text}");
        }
    }

    #[test]
    fn the_details_match_openssl() {
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
    fn unusable_certificate_files_are_refused() {
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
        for (mark, byte) in [(&[0xff, 0xfe][..], 0), (&[], 0), (&[0xfe, 0xff], 1)] {
            let encode = |unit: u16| if byte == 0 { unit.to_le_bytes() } else { unit.to_be_bytes() };
            let file = [mark.to_vec(), RSA2048.encode_utf16().flat_map(encode).collect()].concat();
            assert_eq!(Certificate::from_pem(&file).unwrap_err(), CertificateError::Utf16);
        }
        let cut = &RSA2048[..RSA2048.len() / 2];
        assert!(matches!(error(cut), CertificateError::Malformed(_)));
        let other_bytes = "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n";
        assert!(matches!(error(other_bytes), CertificateError::Malformed(_)));
    }

    #[test]
    fn validity_depends_on_the_given_time() {
        let certificate = read(RSA2048);
        let (start, end) = (certificate.not_before, certificate.not_after);
        let second = Duration::from_secs(1);
        assert_eq!(certificate.validity(start - second), CertificateValidity::NotYetValid);
        assert_eq!(certificate.validity(start), CertificateValidity::Valid);
        assert_eq!(certificate.validity(end - EXPIRY_WARNING), CertificateValidity::Valid);
        assert_eq!(certificate.validity(end - EXPIRY_WARNING + second), CertificateValidity::ExpiresSoon(29));
        assert_eq!(certificate.validity(end), CertificateValidity::ExpiresSoon(0));
        assert_eq!(certificate.validity(end + second), CertificateValidity::Expired);
    }

    #[test]
    fn expiry_is_an_error_unless_allowed_and_other_problems_are_warnings() {
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
