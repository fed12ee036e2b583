//! Plain scalars by the rules of Go's yaml.v3, which SOPS uses. They are those of [`super::scalar`], except that only
//! `true` and `false` are booleans, and dates are values.

use zeroize::Zeroizing;

use super::scalar::{ResolvedScalar, resolve_plain};
use super::timestamp::parse_timestamp;

/// A plain scalar that is not text.
#[derive(Clone, Debug, PartialEq)]
pub enum CoreScalar {
    /// A boolean.
    Bool(bool),
    /// May be infinite or not a number.
    Float(f64),
    /// An integer.
    Int(i64),
    /// In RFC 3339 format, with the shortest fraction.
    Timestamp(Zeroizing<String>),
    /// Above `i64::MAX`.
    Uint(u64),
}

/// Resolves a plain scalar. Returns `None` for text and null.
#[must_use]
pub fn resolve_core(text: &str) -> Option<CoreScalar> {
    if let Some(time) = parse_timestamp(text) {
        return Some(CoreScalar::Timestamp(Zeroizing::new(time)));
    }
    match resolve_plain(text) {
        ResolvedScalar::Bool(flag) => matches!(text, "true" | "True" | "TRUE" | "false" | "False" | "FALSE")
            .then_some(CoreScalar::Bool(flag)),
        ResolvedScalar::Float(float) => Some(CoreScalar::Float(float)),
        ResolvedScalar::Int(int) => Some(CoreScalar::Int(int)),
        ResolvedScalar::Uint(uint) => Some(CoreScalar::Uint(uint)),
        ResolvedScalar::Decoded(_) | ResolvedScalar::Null | ResolvedScalar::Text => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The expected values were written by sops 3.13.2.
    #[test]
    fn timestamps() {
        for (text, expected) in [
            ("2001-12-14", "2001-12-14T00:00:00Z"),
            ("2001-1-2", "2001-01-02T00:00:00Z"),
            ("2004-02-29", "2004-02-29T00:00:00Z"),
            ("0000-01-01", "0000-01-01T00:00:00Z"),
            ("2001-12-14t21:59:43.10-05:00", "2001-12-14T21:59:43.1-05:00"),
            ("2001-12-14T21:59:43.100Z", "2001-12-14T21:59:43.1Z"),
            ("2001-12-14T1:2:3+00:00", "2001-12-14T01:02:03Z"),
            ("2001-12-14T01:02:03+05:30", "2001-12-14T01:02:03+05:30"),
            ("2001-12-14T01:02:03.123456789012Z", "2001-12-14T01:02:03.123456789Z"),
            ("2001-12-14 21:59:43.10", "2001-12-14T21:59:43.1Z"),
            ("2001-12-14T01:02:03,5Z", "2001-12-14T01:02:03.5Z"),
        ] {
            assert_eq!(parse_timestamp(text).as_deref(), Some(expected), "{text}");
        }
        for text in [
            "2001-13-45",
            "2001-02-30",
            "2001-12-14T01:02:03",
            "2001-12-14T25:00:00Z",
            "01-02-03",
            "20011-02-03",
            "2001-12-14 1:2:3Z",
            "2001-12-14T1:2:3.Z",
            "2001-12-14 ",
            "",
            "2001",
            "2001-12",
            "2001-12-14T1:2:3+1:00",
            "2001-12-1\u{e4}",
        ] {
            assert_eq!(parse_timestamp(text), None, "{text}");
        }
    }

    #[test]
    fn words_and_numbers() {
        for text in [
            "yes", "No", "on", "OFF", "y", "nO", "tRue", "~", "", "null", "_1", "1e400", "._5", "0o8", "0x",
            "1e", "<<", "1:30",
        ] {
            assert_eq!(resolve_core(text), None, "{text}");
        }
        for (text, expected) in [
            ("True", CoreScalar::Bool(true)),
            ("0777", CoreScalar::Int(511)),
            ("-0o17", CoreScalar::Int(-15)),
            ("1__0_", CoreScalar::Int(10)),
            ("08", CoreScalar::Float(8.0)),
            (".5_0", CoreScalar::Float(0.5)),
            ("-.Inf", CoreScalar::Float(f64::NEG_INFINITY)),
            ("9223372036854775808", CoreScalar::Uint(9_223_372_036_854_775_808)),
        ] {
            assert_eq!(resolve_core(text), Some(expected), "{text}");
        }
    }
}
