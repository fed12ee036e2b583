//! Plain scalars by the rules of Go's yaml.v3, which SOPS uses. They are those of [`super::scalar`], except that only
//! `true` and `false` are booleans, and dates are values.

use zeroize::Zeroizing;

use super::scalar::{ResolvedScalar, resolve_plain};

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
pub fn resolve_core(text: &str) -> Option<CoreScalar> {
    if let Some(time) = timestamp(text) {
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

/// Parses a date, or a date and time, in the four layouts of Go's YAML packages.
pub(super) fn timestamp(text: &str) -> Option<String> {
    let mut reader = TimestampParser(text);
    let year = reader.digits(4, 4)?;
    let month = reader.after('-')?.digits(1, 2)?;
    let day = reader.after('-')?.digits(1, 2)?;
    if !(1..=12).contains(&month) || !(1..=days(year, month)).contains(&day) {
        return None;
    }
    let date = format!("{year:04}-{month:02}-{day:02}");
    if reader.0.is_empty() {
        return Some(format!("{date}T00:00:00Z"));
    }
    let zoned = reader.0.starts_with(['T', 't']);
    reader.0 = if zoned { &reader.0[1..] } else { reader.after(' ')?.0.trim_start_matches(' ') };
    let clock = reader.clock()?;
    let zone = if zoned { reader.zone()? } else { "Z".to_owned() };
    reader.0.is_empty().then(|| format!("{date}T{clock}{zone}"))
}

fn days(year: u32, month: u32) -> u32 {
    let leap = year.is_multiple_of(4) && (!year.is_multiple_of(100) || year.is_multiple_of(400));
    match month {
        2 if leap => 29,
        2 => 28,
        4 | 6 | 9 | 11 => 30,
        _ => 31,
    }
}

/// The unparsed rest of a timestamp.
struct TimestampParser<'a>(&'a str);

impl TimestampParser<'_> {
    fn after(&mut self, expected: char) -> Option<&mut Self> {
        self.0 = self.0.strip_prefix(expected)?;
        Some(self)
    }

    fn digits(&mut self, least: usize, most: usize) -> Option<u32> {
        let count = self.0.bytes().take(most).take_while(u8::is_ascii_digit).count();
        let (digits, rest) = self.0.split_at_checked(count)?;
        self.0 = rest;
        (count >= least).then(|| digits.parse().ok())?
    }

    /// Parses `15:4:5` with an optional fraction.
    fn clock(&mut self) -> Option<String> {
        let hour = self.digits(1, 2)?;
        let minute = self.after(':')?.digits(1, 2)?;
        let second = self.after(':')?.digits(1, 2)?;
        if hour > 23 || minute > 59 || second > 59 {
            return None;
        }
        let mut clock = format!("{hour:02}:{minute:02}:{second:02}");
        if let Some(rest) = self.0.strip_prefix(['.', ',']) {
            let count = rest.bytes().take_while(u8::is_ascii_digit).count();
            let (digits, rest) = rest.split_at_checked(count).filter(|(digits, _)| !digits.is_empty())?;
            self.0 = rest;
            let digits = digits.get(..9).unwrap_or(digits).trim_end_matches('0');
            if !digits.is_empty() {
                clock.push('.');
                clock.push_str(digits);
            }
        }
        Some(clock)
    }

    /// Parses `Z` or an offset.
    fn zone(&mut self) -> Option<String> {
        if let Some(rest) = self.0.strip_prefix('Z') {
            self.0 = rest;
            return Some("Z".to_owned());
        }
        let sign = self.0.chars().next().filter(|c| matches!(c, '+' | '-'))?;
        let hours = self.after(sign)?.digits(2, 2)?;
        let minutes = self.after(':')?.digits(2, 2)?;
        if hours > 24 || minutes > 60 {
            return None;
        }
        match hours * 60 + minutes {
            0 => Some("Z".to_owned()),
            offset => Some(format!("{sign}{:02}:{:02}", offset / 60, offset % 60)),
        }
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
            assert_eq!(timestamp(text).as_deref(), Some(expected), "{text}");
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
            assert_eq!(timestamp(text), None, "{text}");
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
