//! The date after which a value is not valid any more, as the value itself tells it: a certificate or a JSON web token.
//!
//! Only the date leaves this module. Nothing is verified: a signature would need a key, and the date is for a report.

use std::time::Duration;

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde::Deserialize;
use zeroize::Zeroizing;

use super::tls_chain::chain;
use sealwave_core::time::Date;

/// The longest token that is read; longer ones do not fit into a header.
const MAX_TOKEN: usize = 16 * 1024;

/// The kind of a value with a date.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum ExpiringValue {
    /// The first certificate of a PEM file.
    Certificate,
    /// A JSON web token with `exp`.
    JsonWebToken,
}

/// The last day on which a value is valid.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ValueExpiry {
    /// The kind of the value.
    pub kind: ExpiringValue,
    /// The last day, in UTC.
    pub date: Date,
}

/// Returns the last day on which a value is valid, if the value tells it.
#[must_use]
pub fn value_expiry(value: &[u8]) -> Option<ValueExpiry> {
    if let Some(date) = certificate_date(value) {
        return Some(ValueExpiry { kind: ExpiringValue::Certificate, date });
    }
    token_date(value).map(|date| ValueExpiry { kind: ExpiringValue::JsonWebToken, date })
}

fn certificate_date(value: &[u8]) -> Option<Date> {
    memchr::memmem::find(value, b"-----BEGIN CERTIFICATE-----")?;
    chain(value)?.first().map(super::tls_chain::ChainCertificate::last_day)
}

/// The claims of a token that are read.
#[derive(Deserialize)]
struct Claims {
    exp: serde_json::Number,
}

/// The fields of a header of a token that are read.
#[derive(Deserialize)]
struct Header {
    #[serde(rename = "alg")]
    _algorithm: serde::de::IgnoredAny,
}

fn token_date(value: &[u8]) -> Option<Date> {
    let token = value.trim_ascii();
    if token.len() > MAX_TOKEN || !token.starts_with(b"eyJ") {
        return None;
    }
    let mut parts = token.split(|byte| *byte == b'.');
    let (header, claims, signature) = (parts.next()?, parts.next()?, parts.next()?);
    if parts.next().is_some() || !signature.iter().all(|byte| is_base64url(*byte)) {
        return None;
    }
    let decoded = |part: &[u8]| URL_SAFE_NO_PAD.decode(part).ok().map(Zeroizing::new);
    serde_json::from_slice::<Header>(&decoded(header)?).ok()?;
    let Claims { exp } = serde_json::from_slice(&decoded(claims)?).ok()?;
    let seconds = exp.as_u64().or_else(|| exp.as_f64().and_then(whole_seconds))?;
    Date::from_unix_seconds(seconds)
}

/// Returns the whole seconds of a time with a fraction, which tokens may have.
fn whole_seconds(seconds: f64) -> Option<u64> {
    // Beyond this, no date has four digits of a year.
    (0.0..3e11).contains(&seconds).then(|| Duration::from_secs_f64(seconds).as_secs())
}

const fn is_base64url(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_')
}

#[cfg(test)]
mod tests {
    use super::*;

    fn token(header: &str, claims: &str) -> String {
        format!("{}.{}.c2ln", URL_SAFE_NO_PAD.encode(header), URL_SAFE_NO_PAD.encode(claims))
    }

    fn found(value: &[u8]) -> Option<(ExpiringValue, String)> {
        value_expiry(value).map(|expiry| (expiry.kind, expiry.date.to_string()))
    }

    #[test]
    fn certificates_and_tokens_have_a_last_day() {
        let file = sealwave_testkit::repository_root().join("testdata/tls-pairs/soon.crt");
        let certificate = fs_err::read(file).unwrap();
        assert_eq!(found(&certificate), Some((ExpiringValue::Certificate, "2026-01-20".to_owned())));
        let header = r#"{"alg":"HS256","typ":"JWT"}"#;
        for (claims, date) in [
            (r#"{"sub":"CANARY","exp":1767225600}"#, "2026-01-01"),
            (r#"{"exp":1767225600.75}"#, "2026-01-01"),
            (r#"{"exp":0}"#, "1970-01-01"),
        ] {
            let token = format!("{}\n", token(header, claims));
            assert_eq!(found(token.as_bytes()), Some((ExpiringValue::JsonWebToken, date.to_owned())));
        }
    }

    /// Claims that are not read are skipped without recursion.
    #[test]
    fn deep_claims_need_no_stack() {
        let claims = format!(r#"{{"a":{}1{},"exp":1767225600}}"#, "[".repeat(5000), "]".repeat(5000));
        let date = found(token(r#"{"alg":"none"}"#, &claims).as_bytes());
        assert_eq!(date, Some((ExpiringValue::JsonWebToken, "2026-01-01".to_owned())));
    }

    #[test]
    fn other_values_have_none() {
        let header = r#"{"alg":"none"}"#;
        let many = format!("{}.x", token(header, r#"{"exp":1767225600}"#));
        for value in [
            "",
            "password",
            "eyJ",
            "eyJ.eyJ.",
            "-----BEGIN CERTIFICATE-----\nMAA=\n-----END CERTIFICATE-----\n",
            &many,
            &token(header, "{}"),
            &token(header, r#"{"exp":"1767225600"}"#),
            &token(header, r#"{"exp":-1}"#),
            &token(header, r#"{"exp":1e300}"#),
            &token(header, r#"{"exp":18446744073709551615}"#),
            &token("{}", r#"{"exp":1767225600}"#),
            &token(header, &format!(r#"{{"exp":1767225600,"a":"{}"}}"#, "a".repeat(20_000))),
        ] {
            assert_eq!(found(value.as_bytes()), None, "{}", &value[..value.len().min(60)]);
        }
        assert_eq!(found(&[0xff; 64]), None);
    }
}
