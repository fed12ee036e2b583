//! The seal key: what only the operator holds, and what everything deterministic derives from.
//!
//! The key itself is dropped (and zeroed) as soon as its subkeys are derived. Nothing here prints: errors name what is wrong
//! with a key, never a part of it.

use base64::Engine;
use base64::engine::general_purpose::{STANDARD, STANDARD_PAD_INDIFFERENT, URL_SAFE_PAD_INDIFFERENT};
use hkdf::Hkdf;
use hmac::Mac;
use sha2::Sha512;
use zeroize::Zeroizing;

use super::checksum::ChecksumKey;
use super::encoding::{hex, hmac_sha512};
use sealwave_core::diagnostic::Explain;

/// Start of a seal key made by `sealwave key generate`.
pub const KEY_PREFIX: &str = "sealwave-seal-key-v1:";

/// Start of a checksum key made by `sealwave key generate`.
pub const CHECKSUM_KEY_PREFIX: &str = "sealwave-checksum-key-v1:";

/// The fewest random bytes that a key may have.
pub const MIN_KEY_BYTES: usize = 32;

/// The largest file that is taken for a key.
const MAX_FILE_BYTES: usize = 4096;
/// Of 32 random bytes, fewer than this many are distinct about once in 10^13 keys.
const MIN_DISTINCT_BYTES: usize = 20;

const SALT: &[u8] = b"sealwave/seal/v1";

/// The seal key, as the keys derived from it.
///
/// ```compile_fail
/// fn print(key: &sealwave::crypto::SealKey) {
///     println!("{key:?}");
/// }
/// ```
pub struct SealKey {
    derive: Zeroizing<[u8; 64]>,
    checksum: ChecksumKey,
    id: [u8; 8],
}

/// Why bytes are no key.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum KeyError {
    /// A checksum key stands where the seal key should.
    #[error("file holds a checksum key, not a seal key")]
    ChecksumKey,
    /// It starts like a generated key, but is not one.
    #[error("key starts with `{0}` but is damaged: what follows is not the base64 of {MIN_KEY_BYTES} bytes")]
    Damaged(&'static str),
    /// The system gives no random bytes.
    #[error("key cannot be made: the system gives no random bytes")]
    NoRandomness,
    /// Text that is no encoding of random bytes.
    #[error("key is plain text, not {MIN_KEY_BYTES} random bytes as they are, in base64 or in hexadecimal")]
    PlainText,
    /// It looks chosen, not drawn.
    #[error("key does not look random: {0}")]
    Predictable(&'static str),
    /// Too big a file.
    #[error("key file has more than {MAX_FILE_BYTES} bytes")]
    TooLong,
    /// Too few bytes.
    #[error("key has {0} bytes, fewer than {MIN_KEY_BYTES}")]
    TooShort(usize),
}

impl Explain for KeyError {
    fn hint(&self) -> Option<String> {
        Some(match self {
            Self::ChecksumKey => "name it as `checksumKeyFile`, and the seal key as `sealKeyFile`".to_owned(),
            Self::NoRandomness => "make it on another machine".to_owned(),
            _ => "`sealwave key generate` prints a new key; keep it in a file that only sealwave can read"
                .to_owned(),
        })
    }
}

impl SealKey {
    /// Reads a key file: the line of `sealwave key generate`; or at least 32 random bytes, as they are, in base64 or in
    /// hexadecimal.
    ///
    /// White space around text (and line breaks within base64) does not count; binary bytes all do.
    ///
    /// # Errors
    /// Where it is too short, or looks like something that a person chose.
    pub fn from_file(bytes: &[u8]) -> Result<Self, KeyError> {
        Ok(Self::from_secret(&read_key_file(bytes, KeyUse::Seal)?))
    }

    /// A new key, as the one line of its file (without line break).
    ///
    /// # Errors
    /// Where the system gives no random bytes.
    pub fn generate() -> Result<Zeroizing<String>, KeyError> {
        generate(KEY_PREFIX)
    }

    /// A short id, to see whether two places hold the same key; it is not secret.
    #[must_use]
    pub fn id(&self) -> String {
        hex(&self.id)
    }

    /// The checksum key that belongs to this key.
    #[must_use]
    pub fn checksum_key(&self) -> ChecksumKey {
        self.checksum.duplicate()
    }

    /// The key of the derivation in `derive`.
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

/// Draws a new key, and returns it as the line of its file.
pub(super) fn generate(prefix: &str) -> Result<Zeroizing<String>, KeyError> {
    let mut secret = Zeroizing::new([0; MIN_KEY_BYTES]);
    getrandom::fill(secret.as_mut_slice()).map_err(|_| KeyError::NoRandomness)?;
    let encoded = encode(&secret);
    // Enough room at once: a string that grows would leave copies behind.
    let mut line = Zeroizing::new(String::with_capacity(prefix.len() + encoded.len()));
    line.push_str(prefix);
    line.extend(encoded.iter().map(|byte| char::from(*byte)));
    Ok(line)
}

fn encode(secret: &[u8; MIN_KEY_BYTES]) -> Zeroizing<[u8; MIN_KEY_BYTES.div_ceil(3) * 4]> {
    let mut encoded = Zeroizing::new([0; MIN_KEY_BYTES.div_ceil(3) * 4]);
    STANDARD.encode_slice(secret, encoded.as_mut_slice()).expect("there is room for all of it");
    encoded
}

fn expand(keys: &Hkdf<Sha512>, label: &[u8], out: &mut [u8]) {
    keys.expand(label, out).expect("64 bytes are within what HKDF-SHA-512 gives");
}

/// The use of a key file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum KeyUse {
    /// Checksums; a seal key serves as well, see [`ChecksumKey::from_key_file`].
    Checksums,
    /// Sealing.
    Seal,
}

/// Returns the random bytes that a key file holds.
pub(super) fn read_key_file(bytes: &[u8], key_use: KeyUse) -> Result<Zeroizing<Vec<u8>>, KeyError> {
    if bytes.len() > MAX_FILE_BYTES {
        return Err(KeyError::TooLong);
    }
    let secret = match text_of(bytes) {
        Some(text) => read_text(text.trim(), key_use)?,
        None => Zeroizing::new(bytes.to_vec()),
    };
    if secret.len() < MIN_KEY_BYTES {
        return Err(KeyError::TooShort(secret.len()));
    }
    judge(&secret)?;
    Ok(secret)
}

/// The text, where it is one; 32 random bytes are valid UTF-8 without control characters less than once in 10^9 keys.
fn text_of(bytes: &[u8]) -> Option<&str> {
    let text = std::str::from_utf8(bytes).ok()?;
    text.chars().all(|c| !c.is_control() || matches!(c, '\n' | '\r' | '\t')).then_some(text)
}

fn read_text(text: &str, key_use: KeyUse) -> Result<Zeroizing<Vec<u8>>, KeyError> {
    for prefix in [CHECKSUM_KEY_PREFIX, KEY_PREFIX] {
        let Some(encoded) = text.strip_prefix(prefix) else { continue };
        if prefix == CHECKSUM_KEY_PREFIX && key_use == KeyUse::Seal {
            return Err(KeyError::ChecksumKey);
        }
        let damaged = KeyError::Damaged(prefix);
        let secret = Zeroizing::new(STANDARD.decode(encoded).map_err(|_| damaged.clone())?);
        return if secret.len() == MIN_KEY_BYTES { Ok(secret) } else { Err(damaged) };
    }
    if text.is_empty() {
        return Err(KeyError::TooShort(0));
    }
    let mut compact = Zeroizing::new(Vec::with_capacity(text.len()));
    compact.extend(text.bytes().filter(|byte| !matches!(byte, b'\n' | b'\r')));
    if let Some(secret) = from_hex(&compact) {
        return Ok(secret);
    }
    let secret = STANDARD_PAD_INDIFFERENT
        .decode(compact.as_slice())
        .or_else(|_| URL_SAFE_PAD_INDIFFERENT.decode(compact.as_slice()))
        .map(Zeroizing::new)
        .map_err(|_| KeyError::PlainText)?;
    if looks_written(&compact) { Err(KeyError::PlainText) } else { Ok(secret) }
}

fn from_hex(text: &[u8]) -> Option<Zeroizing<Vec<u8>>> {
    let (pairs, []) = text.as_chunks::<2>() else { return None };
    let mut bytes = Zeroizing::new(Vec::with_capacity(pairs.len()));
    for &[high, low] in pairs {
        let nibble = |digit: u8| char::from(digit).to_digit(16).and_then(|value| u8::try_from(value).ok());
        bytes.push((nibble(high)? << 4) | nibble(low)?);
    }
    Some(bytes)
}

/// Whether text that happens to be base64 reads like words. Of the base64 of 32 random bytes, fewer than one in a
/// million does.
fn looks_written(text: &[u8]) -> bool {
    let count = |class: fn(&u8) -> bool| text.iter().filter(|byte| class(byte)).count();
    let (upper, lower) = (count(u8::is_ascii_uppercase), count(u8::is_ascii_lowercase));
    let only_letters = count(u8::is_ascii_alphabetic) == text.iter().filter(|byte| **byte != b'=').count();
    upper == 0 || lower == 0 || (only_letters && upper.min(lower) * 4 < text.len())
}

/// Refuses bytes that nobody drew at random: not a measure of entropy, but a net for what people type and copy.
fn judge(secret: &[u8]) -> Result<(), KeyError> {
    let mut seen = [false; 256];
    for byte in secret {
        seen[usize::from(*byte)] = true;
    }
    if seen.iter().filter(|seen| **seen).count() < MIN_DISTINCT_BYTES {
        return Err(KeyError::Predictable("it has too few distinct bytes"));
    }
    let mut steps = secret.windows(2).filter_map(|pair| match pair {
        [a, b] => Some(b.wrapping_sub(*a)),
        _ => None,
    });
    let first = steps.next();
    if steps.all(|step| Some(step) == first) {
        return Err(KeyError::Predictable("its bytes are a plain sequence"));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    /// 32 bytes that look random: the SHA-256 of nothing.
    const BYTES: [u8; 32] = [
        0xe3, 0xb0, 0xc4, 0x42, 0x98, 0xfc, 0x1c, 0x14, 0x9a, 0xfb, 0xf4, 0xc8, 0x99, 0x6f, 0xb9, 0x24, 0x27,
        0xae, 0x41, 0xe4, 0x64, 0x9b, 0x93, 0x4c, 0xa4, 0x95, 0x99, 0x1b, 0x78, 0x52, 0xb8, 0x55,
    ];

    fn id(file: &[u8]) -> String {
        SealKey::from_file(file).map(|key| key.id()).unwrap()
    }

    fn error(file: &[u8]) -> KeyError {
        SealKey::from_file(file).err().unwrap()
    }

    #[test]
    fn every_way_to_write_the_same_bytes_is_the_same_key() {
        let raw = id(&BYTES);
        assert_eq!(raw.len(), 16);
        let base64 = STANDARD.encode(BYTES);
        assert_eq!(id(base64.as_bytes()), raw);
        assert_eq!(id(format!("{base64}\n").as_bytes()), raw);
        assert_eq!(id(format!(" {}\r\n", base64.trim_end_matches('=')).as_bytes()), raw);
        assert_eq!(id(format!("{}\n{}\n", &base64[..20], &base64[20..]).as_bytes()), raw);
        assert_eq!(id(URL_SAFE_PAD_INDIFFERENT.encode(BYTES).as_bytes()), raw);
        assert_eq!(id(format!("{}\n", hex(&BYTES)).as_bytes()), raw);
        assert_eq!(id(hex(&BYTES).to_uppercase().as_bytes()), raw);
        assert_eq!(id(format!("{KEY_PREFIX}{base64}\n").as_bytes()), raw);
    }

    #[test]
    fn raw_bytes_are_never_trimmed() {
        let mut ends_in_line_break = BYTES;
        ends_in_line_break[31] = b'\n';
        assert_ne!(id(&ends_in_line_break), id(&BYTES));
    }

    #[test]
    fn a_generated_key_is_read_back_and_no_two_are_equal() {
        let (one, other) = (SealKey::generate().unwrap(), SealKey::generate().unwrap());
        assert!(one.starts_with(KEY_PREFIX));
        assert_ne!(id(one.as_bytes()), id(other.as_bytes()));
    }

    #[test]
    fn what_is_no_key_is_refused() {
        let base64 = STANDARD.encode(BYTES);
        assert_eq!(error(b""), KeyError::TooShort(0));
        assert_eq!(error(b"\n"), KeyError::TooShort(0));
        assert_eq!(error(&BYTES[..31]), KeyError::TooShort(31));
        assert_eq!(error(STANDARD.encode(&BYTES[..31]).as_bytes()), KeyError::TooShort(31));
        assert_eq!(error(hex(&BYTES[..16]).as_bytes()), KeyError::TooShort(16));
        assert_eq!(error(&[1; 5000]), KeyError::TooLong);
        let damaged = KeyError::Damaged(KEY_PREFIX);
        assert_eq!(error(format!("{KEY_PREFIX}{}", &base64[..40]).as_bytes()), damaged);
        assert_eq!(error(format!("{KEY_PREFIX}?{base64}").as_bytes()), damaged);
        for text in [
            "my very long passphrase that nobody will ever guess",
            "correcthorsebatterystaplecorrecthorsebatterystaple",
            "CorrectHorseBatteryStapleCorrectHorseBatteryStaple",
            "550e8400-e29b-41d4-a716-446655440000-550e8400-e29b-41d4",
            "-----BEGIN PRIVATE KEY-----\nMIIEvAIBADANBgkqhkiG9w0BAQEFAASCBKYwggSiAgEAAoIBAQ\n",
            "ein langer Satz, den niemand errät, mit Umlauten: äöü",
        ] {
            assert_eq!(error(text.as_bytes()), KeyError::PlainText, "{text}");
        }
    }

    #[test]
    fn what_does_not_look_random_is_refused() {
        let few = KeyError::Predictable("it has too few distinct bytes");
        assert_eq!(error(&[0; 32]), few);
        assert_eq!(error(&[0xff; 64]), few);
        assert_eq!(error([&BYTES[..16], &BYTES[..16]].concat().as_slice()), few);
        assert_eq!(error("0123456789abcdef".repeat(4).as_bytes()), few);
        let sequence = KeyError::Predictable("its bytes are a plain sequence");
        assert_eq!(error(&(0..32).map(|n| n * 3).collect::<Vec<u8>>()), sequence);
    }

    #[test]
    fn a_checksum_key_never_seals() {
        let line = ChecksumKey::generate().unwrap();
        assert!(line.starts_with(CHECKSUM_KEY_PREFIX));
        assert_eq!(error(line.as_bytes()), KeyError::ChecksumKey);
        let digest = |file: &[u8]| ChecksumKey::from_key_file(file).unwrap().digest("l", &[b"x"]);
        let encoded = line.strip_prefix(CHECKSUM_KEY_PREFIX).unwrap();
        assert_eq!(digest(line.as_bytes()), digest(encoded.as_bytes()));
        let damaged = ChecksumKey::from_key_file(&line.as_bytes()[..line.len() - 4]).err();
        assert_eq!(damaged, Some(KeyError::Damaged(CHECKSUM_KEY_PREFIX)));
    }

    #[test]
    fn no_error_quotes_the_key() {
        let secret = "hunter2-hunter2-hunter2-hunter2!";
        assert!(!error(secret.as_bytes()).to_string().contains("hunter2"));
    }

    #[test]
    fn the_checksum_key_depends_on_the_key_alone() {
        let digest = |key: &ChecksumKey| key.digest("l", &[b"x"]);
        let key = SealKey::from_file(&BYTES).unwrap();
        assert_eq!(digest(&key.checksum_key()), digest(&ChecksumKey::from_key_file(&BYTES).unwrap()));
        let other = SealKey::generate().unwrap();
        assert_ne!(
            digest(&key.checksum_key()),
            digest(&SealKey::from_file(other.as_bytes()).unwrap().checksum_key())
        );
        assert!(!key.checksum_key().is_public());
    }
}
