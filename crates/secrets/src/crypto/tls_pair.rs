//! The key pair of a TLS Secret: whether the private key belongs to the certificate, and whether servers can read both.
//!
//! Only public keys are compared: signatures, chains and names are not checked. A key of an unknown type, or without
//! its public half in the file, is not reported. No text of either file leaves this module.

use rsa::pkcs1::RsaPrivateKeyRef;
use rsa::pkcs8::{ObjectIdentifier, PrivateKeyInfoRef};
use x509_cert::der::asn1::{AnyRef, BitStringRef, ContextSpecific, OctetStringRef};
use x509_cert::der::{Decode, Encode, Reader, SliceReader, TagNumber};

use super::pem::{self, PemBlock};

/// Maximum number of certificates read per file; chains have a handful.
pub(super) const MAX_CHAIN: usize = 20;

const EC_PUBLIC_KEY: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.10045.2.1");
const ED25519: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.3.101.112");
const RSA_ENCRYPTION: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.113549.1.1.1");

/// The result of comparing a private key with certificates.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum TlsPair {
    /// The key belongs to the first certificate, which servers present.
    Matches,
    /// The key belongs to no certificate.
    Mismatch,
    /// The key belongs to a later certificate of the file.
    NotFirst,
    /// The comparison is not possible.
    Unknown,
}

impl TlsPair {
    /// Returns a message about the Secret's items, and a hint; `None` if servers may use them.
    pub(super) const fn message(self) -> Option<(&'static str, &'static str)> {
        match self {
            Self::Matches | Self::Unknown => None,
            Self::Mismatch => Some((
                "`tls.key` is not the private key of the certificate in `tls.crt`",
                "take both items from the same version of the same pair",
            )),
            Self::NotFirst => Some((
                "`tls.key` belongs to a later certificate of `tls.crt`, and servers present the first one",
                "put the certificate of `tls.key` first, followed by those that signed it",
            )),
        }
    }
}

/// A reason why a server cannot use a file of a TLS Secret.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TlsFault {
    /// An item has no text.
    Empty(TlsItem),
    /// An item is not plain text.
    Form(TlsItem, TlsForm),
    /// The certificate file holds a private key, and the key file holds a certificate.
    Swapped,
    /// The certificate file holds no certificate.
    NoCertificate,
    /// The key file holds no private key.
    NoKey,
    /// The key is encrypted, and servers have no password for it.
    EncryptedKey,
    /// The file of the authority holds no certificate.
    NoAuthority,
    /// The file of the authority holds a private key.
    KeyInAuthority,
}

/// An item of a TLS Secret.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TlsItem {
    /// `ca.crt`, which is optional.
    Authority,
    /// `tls.crt`.
    Certificate,
    /// `tls.key`.
    Key,
}

impl TlsItem {
    /// Returns the key of the item.
    #[must_use]
    pub const fn key(self) -> &'static str {
        match self {
            Self::Authority => "ca.crt",
            Self::Certificate => "tls.crt",
            Self::Key => "tls.key",
        }
    }
}

/// A form of a file that servers do not read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TlsForm {
    /// Text after a byte order mark: servers look for the armor at the start of a line.
    Marked,
    /// UTF-16.
    Utf16,
    /// Bytes in DER.
    Binary,
}

impl TlsForm {
    fn of(file: &[u8]) -> Option<Self> {
        if file.starts_with(b"\xef\xbb\xbf") {
            Some(Self::Marked)
        } else if pem::is_utf16(file) {
            Some(Self::Utf16)
        } else {
            matches!(file, [0x30, 0x80..=0xff, ..]).then_some(Self::Binary)
        }
    }

    const fn text(self) -> &'static str {
        match self {
            Self::Marked => "starts with a byte order mark, so servers do not find its first block",
            Self::Utf16 => "is UTF-16, not UTF-8",
            Self::Binary => "is binary (DER), not PEM",
        }
    }

    const fn hint(self, item: TlsItem) -> &'static str {
        match (self, item) {
            (Self::Marked, _) => "save the file as UTF-8 without a byte order mark",
            (Self::Utf16, _) => "save the file as UTF-8",
            (Self::Binary, TlsItem::Key) => "`openssl pkey -inform DER` converts it to PEM",
            (Self::Binary, _) => "`openssl x509 -inform DER` converts it to PEM",
        }
    }
}

/// The algorithm of a key.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum KeyKind {
    Ec,
    Ed25519,
    Rsa,
}

/// The public half of a key: its algorithm, and its bytes if the file contains them.
struct PublicHalf {
    kind: KeyKind,
    bytes: Option<Vec<u8>>,
}

/// Compares the private key of one PEM file with the certificates of another.
pub(super) fn tls_pair(certificates: &[u8], key: &[u8]) -> TlsPair {
    let key =
        blocks(key).iter().find(|block| block.label.ends_with("PRIVATE KEY")).and_then(public_half_of_key);
    let chain = certificate_blocks(certificates);
    let halves: Vec<Option<PublicHalf>> =
        chain.iter().map(|block| public_half_of_certificate(block)).collect();
    match (key, &halves[..]) {
        (Some(key), [Some(first), rest @ ..]) => compare(&key, first, rest),
        _ => TlsPair::Unknown,
    }
}

/// Returns the problem with the form of an item: it is empty, or no plain text. `ca.crt` may be empty.
pub(super) fn form_fault(item: TlsItem, file: &[u8]) -> Option<TlsFault> {
    if item != TlsItem::Authority && file.trim_ascii().is_empty() {
        return Some(TlsFault::Empty(item));
    }
    TlsForm::of(file).map(|form| TlsFault::Form(item, form))
}

/// Returns the problem with the format of `ca.crt`, which may be empty.
pub(super) fn authority_fault(file: &[u8]) -> Option<TlsFault> {
    let has = |label: &str| blocks(file).iter().any(|block| block.label.ends_with(label));
    if has("PRIVATE KEY") {
        Some(TlsFault::KeyInAuthority)
    } else {
        (!file.trim_ascii().is_empty() && !has("CERTIFICATE")).then_some(TlsFault::NoAuthority)
    }
}

/// Returns the problem with the format of the two files, which may be empty if something fills them later.
pub(super) fn tls_fault(certificates: &[u8], key: &[u8]) -> Option<TlsFault> {
    let is_blank = |file: &[u8]| file.trim_ascii().is_empty();
    let has = |file: &[u8], label: &str| blocks(file).iter().any(|block| block.label.ends_with(label));
    let (certificate, private) = ("CERTIFICATE", "PRIVATE KEY");
    if has(certificates, private) && !has(certificates, certificate) && has(key, certificate) {
        Some(TlsFault::Swapped)
    } else if !is_blank(certificates) && !has(certificates, certificate) {
        Some(TlsFault::NoCertificate)
    } else if is_blank(key) {
        None
    } else if !has(key, private) {
        Some(TlsFault::NoKey)
    } else {
        let is_marked = memchr::memmem::find(key, b"Proc-Type: 4,ENCRYPTED").is_some();
        (has(key, "ENCRYPTED PRIVATE KEY") || is_marked).then_some(TlsFault::EncryptedKey)
    }
}

impl TlsFault {
    /// Returns the item with the problem.
    #[must_use]
    pub const fn item(self) -> TlsItem {
        match self {
            Self::Empty(item) | Self::Form(item, _) => item,
            Self::Swapped | Self::NoCertificate => TlsItem::Certificate,
            Self::NoKey | Self::EncryptedKey => TlsItem::Key,
            Self::NoAuthority | Self::KeyInAuthority => TlsItem::Authority,
        }
    }

    /// Returns a message about the Secret's items, and a hint.
    #[must_use]
    pub fn message(self) -> (String, &'static str) {
        let (message, hint) = match self {
            Self::Empty(item) => {
                return (
                    format!("`{}` is empty", item.key()),
                    "set both items; a Secret that a controller fills in the cluster does not belong in Git",
                );
            }
            Self::Form(item, form) => {
                return (format!("`{}` {}", item.key(), form.text()), form.hint(item));
            }
            Self::Swapped => {
                ("`tls.crt` holds a private key, and `tls.key` a certificate", "swap the two items")
            }
            Self::NoCertificate => (
                "`tls.crt` does not contain a PEM certificate",
                "check the value at its source; it starts with `-----BEGIN CERTIFICATE-----`, and its line breaks must not be written as `\\n`",
            ),
            Self::NoKey => (
                "`tls.key` does not contain a PEM private key",
                "check the value at its source; it has a line `-----BEGIN PRIVATE KEY-----`, and its line breaks must not be written as `\\n`",
            ),
            Self::EncryptedKey => (
                "the private key in `tls.key` is encrypted, and servers have no password for it",
                "store the key without a password, for example with `openssl pkey`",
            ),
            Self::NoAuthority => (
                "`ca.crt` does not contain a PEM certificate",
                "check the value at its source, which starts with `-----BEGIN CERTIFICATE-----`, or remove the item",
            ),
            Self::KeyInAuthority => (
                "`ca.crt` holds a private key",
                "remove the key: programs treat this item as public, and hand it out to clients",
            ),
        };
        (message.to_owned(), hint)
    }
}

fn compare(key: &PublicHalf, first: &PublicHalf, rest: &[Option<PublicHalf>]) -> TlsPair {
    let Some(bytes) = &key.bytes else {
        let may_fit = |half: &PublicHalf| half.kind == key.kind;
        let any = may_fit(first) || rest.iter().any(|half| half.as_ref().is_none_or(may_fit));
        return if any { TlsPair::Unknown } else { TlsPair::Mismatch };
    };
    let fits = |half: &PublicHalf| half.kind == key.kind && half.bytes.as_ref() == Some(bytes);
    if fits(first) {
        TlsPair::Matches
    } else if rest.iter().flatten().any(fits) {
        TlsPair::NotFirst
    } else {
        TlsPair::Mismatch
    }
}

pub(super) fn blocks(file: &[u8]) -> Vec<PemBlock<'_>> {
    std::str::from_utf8(file).map(pem::blocks).unwrap_or_default()
}

pub(super) fn certificate_blocks(file: &[u8]) -> Vec<PemBlock<'_>> {
    blocks(file).into_iter().filter(|block| block.label == "CERTIFICATE").take(MAX_CHAIN).collect()
}

fn public_half_of_certificate(block: &PemBlock<'_>) -> Option<PublicHalf> {
    let certificate = x509_cert::Certificate::from_der(block.der.as_deref()?).ok()?;
    let info = certificate.tbs_certificate().subject_public_key_info();
    let kind = kind(info.algorithm.oid)?;
    let bytes = info.subject_public_key.as_bytes()?;
    (kind != KeyKind::Ec || is_uncompressed(bytes)).then(|| PublicHalf { kind, bytes: Some(bytes.to_vec()) })
}

fn public_half_of_key(block: &PemBlock<'_>) -> Option<PublicHalf> {
    let der = block.der.as_deref()?;
    match block.label {
        "EC PRIVATE KEY" => Some(PublicHalf { kind: KeyKind::Ec, bytes: ec_public_key(der) }),
        "PRIVATE KEY" => {
            let info = PrivateKeyInfoRef::from_der(der).ok()?;
            let inner = info.private_key.as_bytes();
            let kind = kind(info.algorithm.oid)?;
            let bytes = match kind {
                KeyKind::Ec => ec_public_key(inner),
                KeyKind::Ed25519 => info.public_key.and_then(|key| key.as_bytes().map(<[u8]>::to_vec)),
                KeyKind::Rsa => Some(rsa_public_key(inner)?),
            };
            Some(PublicHalf { kind, bytes })
        }
        "RSA PRIVATE KEY" => Some(PublicHalf { kind: KeyKind::Rsa, bytes: Some(rsa_public_key(der)?) }),
        _ => None,
    }
}

fn kind(algorithm: ObjectIdentifier) -> Option<KeyKind> {
    match algorithm {
        EC_PUBLIC_KEY => Some(KeyKind::Ec),
        ED25519 => Some(KeyKind::Ed25519),
        RSA_ENCRYPTION => Some(KeyKind::Rsa),
        _ => None,
    }
}

/// Returns the public key of a PKCS #1 private key, in the form used in certificates.
fn rsa_public_key(der: &[u8]) -> Option<Vec<u8>> {
    RsaPrivateKeyRef::from_der(der).ok()?.public_key().to_der().ok()
}

/// Returns the public key in an `ECPrivateKey` (RFC 5915), which is optional there.
fn ec_public_key(der: &[u8]) -> Option<Vec<u8>> {
    let mut reader = SliceReader::new(der).ok()?;
    let read = reader.sequence(|fields| {
        u8::decode(fields)?;
        <&OctetStringRef>::decode(fields)?;
        ContextSpecific::<AnyRef<'_>>::decode_explicit(fields, TagNumber(0))?;
        ContextSpecific::<BitStringRef<'_>>::decode_explicit(fields, TagNumber(1))
    });
    let bytes = read.ok()??.value.as_bytes()?;
    is_uncompressed(bytes).then(|| bytes.to_vec())
}

/// Reports whether a point is uncompressed; only this form, which nearly all files use, can be compared byte by byte.
fn is_uncompressed(point: &[u8]) -> bool {
    point.first() == Some(&4)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn file(name: &str) -> Vec<u8> {
        fs_err::read(sealwave_testkit::repository_root().join("testdata/tls-pairs").join(name)).unwrap()
    }

    fn pair(certificates: &[&str], key: &str) -> TlsPair {
        let chain: Vec<u8> = certificates.iter().flat_map(|name| file(name)).collect();
        tls_pair(&chain, &file(key))
    }

    #[test]
    fn p05_keys_of_every_algorithm_and_format() {
        use TlsPair::{Matches, Mismatch, NotFirst, Unknown};
        for (certificates, key, expected) in [
            (&["rsa.crt"][..], "rsa.key", Matches),
            (&["rsa.crt"], "rsa-pkcs1.key", Matches),
            (&["expired.crt"], "rsa.key", Matches),
            (&["p256.crt"], "p256.key", Matches),
            (&["p256.crt"], "p256-sec1.key", Matches),
            (&["p256.crt"], "p256-parameters.key", Matches),
            (&["p384.crt"], "p384.key", Matches),
            (&["p521.crt"], "p521.key", Matches),
            (&["rsa.crt", "other-rsa.crt"], "rsa.key", Matches),
            (&["other-rsa.crt"], "rsa.key", Mismatch),
            (&["other-rsa.crt"], "rsa-pkcs1.key", Mismatch),
            (&["other-p256.crt"], "p256.key", Mismatch),
            (&["p384.crt"], "p256.key", Mismatch),
            (&["rsa.crt"], "p256.key", Mismatch),
            (&["p256.crt"], "rsa.key", Mismatch),
            (&["ed25519.crt"], "rsa.key", Mismatch),
            (&["rsa.crt"], "ed25519.key", Mismatch),
            (&["rsa.crt"], "p256-no-public.key", Mismatch),
            (&["other-rsa.crt", "rsa.crt"], "rsa.key", NotFirst),
            (&["other-p256.crt", "rsa.crt", "p256.crt"], "p256-sec1.key", NotFirst),
            // The comparison is not possible.
            (&["p256.crt"], "p256-no-public.key", Unknown),
            (&["other-p256.crt"], "p256-no-public.key", Unknown),
            (&["ed25519.crt"], "ed25519.key", Unknown),
            (&["rsa.crt"], "rsa-encrypted.key", Unknown),
            (&["rsa.crt"], "rsa.crt", Unknown),
            (&["rsa.key"], "rsa.key", Unknown),
            (&[], "rsa.key", Unknown),
        ] {
            assert_eq!(pair(certificates, key), expected, "{certificates:?} {key}");
        }
    }

    #[test]
    fn p05_damaged_and_hostile_files_are_ignored() {
        let (certificate, key) = (file("rsa.crt"), file("rsa.key"));
        for (certificates, key) in [
            (&b""[..], &b""[..]),
            (b"not PEM", b"not PEM"),
            (&certificate, b""),
            (b"", &key),
            (&certificate[..400], &key),
            (&certificate, &key[..400]),
            (b"-----BEGIN CERTIFICATE-----\nMAA=\n-----END CERTIFICATE-----\n", &key),
            (&certificate, b"-----BEGIN PRIVATE KEY-----\nMAA=\n-----END PRIVATE KEY-----\n"),
            (&certificate, b"-----BEGIN EC PRIVATE KEY-----\n\xff\n-----END EC PRIVATE KEY-----\n"),
            (b"\xff\xfe", &key),
        ] {
            assert_eq!(tls_pair(certificates, key), TlsPair::Unknown);
        }
        // Many blocks: only the first few are read.
        let many = file("other-rsa.crt").repeat(500);
        assert_eq!(tls_pair(&many, &key), TlsPair::Mismatch);
        // Text around the blocks and other line breaks are ignored.
        let windows = String::from_utf8(certificate).unwrap().replace('\n', "\r\n");
        let noted = [b"subject=x\n".as_slice(), windows.as_bytes()].concat();
        assert_eq!(tls_pair(&noted, &key), TlsPair::Matches);
    }

    #[test]
    fn p05_files_that_servers_cannot_use() {
        use TlsFault::{EncryptedKey, NoCertificate, NoKey, Swapped};
        let escaped = |name: &str| String::from_utf8(file(name)).unwrap().replace('\n', "\\n").into_bytes();
        let marked = b"-----BEGIN RSA PRIVATE KEY-----\nProc-Type: 4,ENCRYPTED\nDEK-Info: AES-128-CBC,00\n\nMAA=\n-----END RSA PRIVATE KEY-----\n";
        for (certificates, key, expected) in [
            (file("rsa.crt"), file("rsa.key"), None),
            (file("rsa.crt"), file("p256-parameters.key"), None),
            (file("ed25519.crt"), file("ed25519.key"), None),
            (file("rsa.key"), file("rsa.crt"), Some(Swapped)),
            (file("rsa.key"), file("rsa.key"), Some(NoCertificate)),
            (file("rsa.crt"), file("rsa.crt"), Some(NoKey)),
            (escaped("rsa.crt"), file("rsa.key"), Some(NoCertificate)),
            (file("rsa.crt"), escaped("rsa.key"), Some(NoKey)),
            (file("rsa.crt"), file("rsa-encrypted.key"), Some(EncryptedKey)),
            (file("rsa.crt"), marked.to_vec(), Some(EncryptedKey)),
            (b"text".to_vec(), b"text".to_vec(), Some(NoCertificate)),
            // A Secret that waits for its values, as for cert-manager.
            (Vec::new(), Vec::new(), None),
            (b"\n".to_vec(), b" ".to_vec(), None),
            (file("rsa.crt"), Vec::new(), None),
        ] {
            assert_eq!(tls_fault(&certificates, &key), expected);
        }
    }
}
