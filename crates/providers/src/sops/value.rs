//! An encrypted value: `ENC[AES256_GCM,data:…,iv:…,tag:…,type:…]`.
//!
//! The type label is not authenticated. The file's MAC verifies its effect, except for `comment`, which excludes a value
//! from both the file and the MAC.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use zeroize::Zeroizing;

use sealwave_core::yaml::{CoreScalar, resolve_core};
use sealwave_secrets::crypto::{DataKey, NONCE_BYTES, TAG_BYTES};

/// The type of a value before encryption.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum ValueType {
    Bool,
    Bytes,
    Comment,
    Float,
    Int,
    Str,
    Time,
}

/// A decrypted value.
pub(super) enum PlainValue {
    /// A comment that SOPS encrypted as an item of a list.
    Comment,
    /// A boolean, a number or a date.
    Literal(ScalarLiteral),
    /// Text, or bytes if SOPS encrypted bytes.
    Text(Zeroizing<Vec<u8>>),
}

/// A boolean, a number or a date.
pub(super) struct ScalarLiteral {
    /// The form that the MAC covers.
    authenticated: Zeroizing<String>,
    /// The spelling in the file, or the one that SOPS writes if the file contains it encrypted.
    pub(super) written: Zeroizing<String>,
}

/// The reason why a value cannot be decrypted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum DecryptionError {
    /// It is malformed.
    Form,
    /// It is not encrypted.
    InClear,
    /// Key, path and ciphertext do not match.
    Mismatch,
}

struct EncryptedValue {
    data: Vec<u8>,
    nonce: [u8; NONCE_BYTES],
    tag: [u8; TAG_BYTES],
    kind: ValueType,
}

/// Reports whether a text starts like an encrypted value.
pub(super) fn looks_encrypted(text: &str) -> bool {
    text.starts_with("ENC[")
}

/// Decrypts the value at `path` (keys, each followed by `:`). SOPS does not encrypt empty strings.
pub(super) fn decrypt(text: &str, key: &DataKey, path: &str) -> Result<PlainValue, DecryptionError> {
    if text.is_empty() {
        return Ok(PlainValue::Text(Zeroizing::default()));
    }
    if !looks_encrypted(text) {
        return Err(DecryptionError::InClear);
    }
    let sealed = parse(text).ok_or(DecryptionError::Form)?;
    let plain = key
        .decrypt(&sealed.nonce, path.as_bytes(), &sealed.data, &sealed.tag)
        .ok_or(DecryptionError::Mismatch)?;
    parse_plaintext(plain, sealed.kind).ok_or(DecryptionError::Form)
}

fn parse(text: &str) -> Option<EncryptedValue> {
    let text = text.strip_prefix("ENC[AES256_GCM,data:")?.strip_suffix(']')?;
    let (data, text) = text.split_once(",iv:")?;
    let (nonce, text) = text.split_once(",tag:")?;
    let (tag, kind) = text.split_once(",type:")?;
    let data = STANDARD.decode(data).ok().filter(|data| !data.is_empty())?;
    let nonce = STANDARD.decode(nonce).ok()?.try_into().ok()?;
    let tag = STANDARD.decode(tag).ok()?.try_into().ok()?;
    let kind = match kind {
        "bool" => ValueType::Bool,
        "bytes" => ValueType::Bytes,
        "comment" => ValueType::Comment,
        "float" => ValueType::Float,
        "int" => ValueType::Int,
        "str" => ValueType::Str,
        "time" => ValueType::Time,
        _ => return None,
    };
    Some(EncryptedValue { data, nonce, tag, kind })
}

fn parse_plaintext(plain: Zeroizing<Vec<u8>>, kind: ValueType) -> Option<PlainValue> {
    let text = || std::str::from_utf8(&plain).ok();
    match kind {
        ValueType::Bool => match text()? {
            "1" | "t" | "T" | "true" | "True" | "TRUE" => Some(PlainValue::literal(boolean(true), "true")),
            "0" | "f" | "F" | "false" | "False" | "FALSE" => {
                Some(PlainValue::literal(boolean(false), "false"))
            }
            _ => None,
        },
        ValueType::Bytes | ValueType::Str => Some(PlainValue::Text(plain)),
        ValueType::Time => {
            let is_time = matches!(resolve_core(text()?), Some(CoreScalar::Timestamp(_)));
            is_time.then_some(PlainValue::Text(plain))
        }
        ValueType::Comment => Some(PlainValue::Comment),
        ValueType::Float => Some(PlainValue::number(float(text()?.parse().ok()?))),
        ValueType::Int => Some(PlainValue::number(text()?.parse::<i64>().ok()?.to_string())),
    }
}

/// Parses an unencrypted plain scalar like SOPS.
pub(super) fn plain_scalar(written: &str) -> PlainValue {
    let authenticated = match resolve_core(written) {
        None => return PlainValue::Text(Zeroizing::new(written.as_bytes().to_vec())),
        Some(CoreScalar::Bool(flag)) => boolean(flag).to_owned(),
        Some(CoreScalar::Float(number)) => float(number),
        Some(CoreScalar::Int(int)) => int.to_string(),
        Some(CoreScalar::Timestamp(time)) => return PlainValue::literal(&time, written),
        // SOPS reads it as a float in JSON and rejects it in YAML.
        #[expect(clippy::cast_precision_loss, reason = "as SOPS does")]
        Some(CoreScalar::Uint(uint)) => float(uint as f64),
    };
    PlainValue::literal(&authenticated, written)
}

const fn boolean(flag: bool) -> &'static str {
    if flag { "True" } else { "False" }
}

/// Formats the shortest decimal of a float without an exponent, like Go's `'f'` format with precision -1.
fn float(float: f64) -> String {
    if float.is_finite() {
        float.to_string()
    } else if float.is_nan() {
        "NaN".to_owned()
    } else if float.is_sign_negative() {
        "-Inf".to_owned()
    } else {
        "+Inf".to_owned()
    }
}

impl PlainValue {
    fn literal(authenticated: &str, written: &str) -> Self {
        let copy = |text: &str| Zeroizing::new(text.to_owned());
        Self::Literal(ScalarLiteral { authenticated: copy(authenticated), written: copy(written) })
    }

    fn number(digits: String) -> Self {
        let digits = Zeroizing::new(digits);
        Self::Literal(ScalarLiteral { authenticated: digits.clone(), written: digits })
    }

    /// Returns the bytes that the MAC covers; `None` for a comment.
    pub(super) fn authenticated(&self) -> Option<&[u8]> {
        match self {
            Self::Comment => None,
            Self::Literal(literal) => Some(literal.authenticated.as_bytes()),
            Self::Text(bytes) => Some(bytes),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn key() -> DataKey {
        DataKey::new(&[7; 32]).expect("32 bytes")
    }

    fn sealed(plain: &str, path: &str, kind: &str) -> String {
        let mut data = plain.as_bytes().to_vec();
        let tag = sealwave_testkit::sops_encrypt(&[7; 32], &[3; 32], path.as_bytes(), &mut data);
        let (data, tag) = (STANDARD.encode(data), STANDARD.encode(tag));
        format!("ENC[AES256_GCM,data:{data},iv:{},tag:{tag},type:{kind}]", STANDARD.encode([3; 32]))
    }

    fn opened(text: &str, path: &str) -> Result<Option<String>, DecryptionError> {
        let plain = decrypt(text, &key(), path)?;
        Ok(plain.authenticated().map(|bytes| String::from_utf8_lossy(bytes).into_owned()))
    }

    #[test]
    fn types_are_read_like_sops_writes_them() {
        for (plain, kind, expected) in [
            ("CANARY", "str", Some("CANARY")),
            ("CANARY", "bytes", Some("CANARY")),
            ("2001-12-14T00:00:00Z", "time", Some("2001-12-14T00:00:00Z")),
            ("-42", "int", Some("-42")),
            ("1.50", "float", Some("1.5")),
            ("1e-7", "float", Some("0.0000001")),
            ("1e21", "float", Some("1000000000000000000000")),
            ("True", "bool", Some("True")),
            ("false", "bool", Some("False")),
            ("CANARY", "comment", None),
        ] {
            let found = opened(&sealed(plain, "a:b:", kind), "a:b:");
            assert_eq!(found, Ok(expected.map(str::to_owned)), "{plain} {kind}");
        }
        assert_eq!(opened("", "a:"), Ok(Some(String::new())));
    }

    #[test]
    fn wrong_types_are_rejected() {
        for (plain, kind) in [
            ("CANARY", "int"),
            ("CANARY", "float"),
            ("CANARY", "bool"),
            ("1.5", "int"),
            ("99999999999999999999", "int"),
            ("CANARY", "time"),
            ("83", "time"),
            ("2001-13-01T00:00:00Z", "time"),
            ("CANARY", "list"),
            ("CANARY", ""),
            ("", "str"),
        ] {
            assert_eq!(
                opened(&sealed(plain, "a:", kind), "a:"),
                Err(DecryptionError::Form),
                "{plain} {kind}"
            );
        }
    }

    #[test]
    fn modified_values_are_not_decrypted() {
        let good = sealed("CANARY", "a:", "str");
        assert_eq!(opened(&good, "b:"), Err(DecryptionError::Mismatch));
        let other_data = good.replacen("data:", "data:AAAA", 1);
        assert_eq!(opened(&other_data, "a:"), Err(DecryptionError::Mismatch));
        assert_eq!(
            decrypt(&good, &DataKey::new(&[8; 32]).expect("32 bytes"), "a:").err(),
            Some(DecryptionError::Mismatch)
        );
        for (bad, why) in [
            ("CANARY".to_owned(), DecryptionError::InClear),
            ("enc[AES256_GCM,".to_owned(), DecryptionError::InClear),
            (good.replace("AES256_GCM", "AES128_GCM"), DecryptionError::Form),
            (good.replace(",iv:", ",iv:AAAA"), DecryptionError::Form),
            (good.replace(&STANDARD.encode([3; 32]), &STANDARD.encode([3; 12])), DecryptionError::Form),
            (good.replace(",tag:", ",tag:AAAA"), DecryptionError::Form),
            (good.replace("data:", "data:!"), DecryptionError::Form),
            (format!("{good} "), DecryptionError::Form),
            ("ENC[]".to_owned(), DecryptionError::Form),
            ("ENC[AES256_GCM,data:,iv:,tag:,type:str]".to_owned(), DecryptionError::Form),
        ] {
            assert_eq!(opened(&bad, "a:"), Err(why), "{bad}");
        }
    }

    proptest::proptest! {
        #[test]
        fn decryption_never_panics(
            text in "(ENC\\[AES256_GCM,)?(data:|iv:|tag:|type:|,|\\]|[A-Za-z0-9+/=]{1,44}|str|int|ä|\u{0}){0,12}\\]?",
        ) {
            let _ = decrypt(&text, &key(), "a:");
        }

        #[test]
        fn every_plaintext_round_trips(plain in "\\PC{1,80}", path in "[a-z:]{0,12}") {
            proptest::prop_assert_eq!(opened(&sealed(&plain, &path, "str"), &path), Ok(Some(plain)));
        }
    }
}
