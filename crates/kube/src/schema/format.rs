//! Formats of texts: the formats of `OpenAPI` as the API server checks them, and quantities.
//!
//! Where the API server's behavior is unusual, inputs are accepted rather than refused.

use std::net::Ipv6Addr;

use super::node::ValueFormat;
use crate::quantity::quantity_parts;

impl ValueFormat {
    /// Returns the format of this name, or [`Self::None`] if the API server does not check it either.
    pub(super) fn from_name(name: &str) -> Self {
        match name {
            "byte" => Self::Byte,
            "cidr" => Self::Cidr,
            "date" => Self::Date,
            "date-time" | "datetime" => Self::DateTime,
            "duration" => Self::Duration,
            "int32" => Self::Int32,
            "int64" => Self::Int64,
            "ipv4" => Self::Ipv4,
            "ipv6" => Self::Ipv6,
            "uri" => Self::Uri,
            "uuid" => Self::Uuid,
            _ => Self::None,
        }
    }

    /// Returns the format's name.
    pub(super) const fn name(self) -> &'static str {
        match self {
            Self::Byte => "byte",
            Self::Cidr => "cidr",
            Self::Date => "date",
            Self::DateTime => "date-time",
            Self::Duration => "duration",
            Self::Int32 => "int32",
            Self::Int64 => "int64",
            Self::Ipv4 => "ipv4",
            Self::Ipv6 => "ipv6",
            Self::None => "",
            Self::Uri => "uri",
            Self::Uuid => "uuid",
        }
    }

    /// Reports whether a text has this format.
    pub(super) fn fits(self, text: &str) -> bool {
        match self {
            Self::Byte => is_base64(text),
            Self::Cidr => is_cidr(text),
            Self::Date => is_date(text),
            Self::DateTime => is_date_time(text),
            Self::Duration => is_duration(text),
            Self::Ipv4 => is_ipv4(text),
            Self::Ipv6 => text.parse::<Ipv6Addr>().is_ok(),
            Self::Uri => is_uri(text),
            Self::Uuid => is_uuid(text),
            Self::Int32 | Self::Int64 | Self::None => true,
        }
    }

    /// Reports whether an integer has this format.
    pub(super) fn fits_integer(self, number: i128) -> bool {
        match self {
            Self::Int32 => i32::try_from(number).is_ok(),
            // Larger numbers do not fit into Go's `int64`, regardless of the format.
            _ => i64::try_from(number).is_ok(),
        }
    }
}

/// Returns how to write a value of a format.
pub(super) fn hint(format: &str) -> &'static str {
    match format {
        "byte" => "write it in base64 (standard alphabet, with padding)",
        "cidr" => "write a network, like `10.0.0.0/8`",
        "date" => "write a date, like `2030-01-31`",
        "date-time" => "write an RFC 3339 time, like `2030-01-31T12:00:00Z`",
        "duration" => "write a duration, like `1h30m`",
        "int32" | "int64" => "the number is too large or too small for its field",
        "ipv4" => "write an address, like `10.0.0.1`",
        "ipv6" => "write an address, like `fd00::1`",
        "quantity" => "write a quantity, like `500m`, `128Mi` or `1.5`",
        "uri" => "write an absolute URL, or a path that starts with `/`",
        "uuid" => "write 32 hexadecimal digits in five groups",
        _ => "see the field's documentation",
    }
}

/// Reports whether a text is base64 as Go decodes it: line ends are skipped, padding is required.
fn is_base64(text: &str) -> bool {
    let (mut digits, mut padding) = (0_usize, 0_usize);
    for byte in text.bytes() {
        match byte {
            b'\r' | b'\n' => {}
            b'=' => padding += 1,
            b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' | b'+' | b'/' if padding == 0 => digits += 1,
            _ => return false,
        }
    }
    padding <= 2 && (digits + padding).is_multiple_of(4) && digits % 4 != 1
}

/// Reports whether a text is a network: an address and a prefix length.
#[must_use]
pub fn is_cidr(text: &str) -> bool {
    let Some((address, length)) = text.split_once('/') else { return false };
    let most = match address.parse() {
        Ok(std::net::IpAddr::V4(_)) => 32,
        Ok(std::net::IpAddr::V6(_)) => 128,
        Err(_) => return false,
    };
    let digits = (1..=3).contains(&length.len()) && length.bytes().all(|byte| byte.is_ascii_digit());
    digits && length.parse::<u8>().is_ok_and(|length| length <= most)
}

/// Reports whether a text is an IPv4 address; octets may have leading zeros, as in the API server's format.
fn is_ipv4(text: &str) -> bool {
    let octets = text.split('.').filter(|octet| {
        (1..=16).contains(&octet.len())
            && octet.bytes().all(|byte| byte.is_ascii_digit())
            && octet.trim_start_matches('0').len() <= 3
            && octet.parse::<u64>().is_ok_and(|octet| octet <= 255)
    });
    text.split('.').count() == 4 && octets.count() == 4
}

fn is_date(text: &str) -> bool {
    let bytes = text.as_bytes();
    let [y1, y2, y3, y4, b'-', m1, m2, b'-', d1, d2] = bytes else { return false };
    let (Some(year), Some(month), Some(day)) =
        (decimal(&[*y1, *y2, *y3, *y4]), decimal(&[*m1, *m2]), decimal(&[*d1, *d2]))
    else {
        return false;
    };
    let leap = year.is_multiple_of(4) && (!year.is_multiple_of(100) || year.is_multiple_of(400));
    let days = match month {
        2 => 28 + u32::from(leap),
        4 | 6 | 9 | 11 => 30,
        1..=12 => 31,
        _ => return false,
    };
    (1..=days).contains(&day)
}

/// Reports whether a text is an RFC 3339 time, as Go parses it.
fn is_date_time(text: &str) -> bool {
    let Some((date, rest)) = text.split_at_checked(10) else { return false };
    let Some(time) = rest.strip_prefix(['T', 't']) else { return false };
    let Some((clock, rest)) = time.split_at_checked(8) else { return false };
    if !is_date(date) || !is_clock(clock) {
        return false;
    }
    let zone = match rest.strip_prefix(['.', ',']) {
        Some(fraction) => {
            let zone = fraction.trim_start_matches(|c: char| c.is_ascii_digit());
            if zone.len() == fraction.len() {
                return false;
            }
            zone
        }
        None => rest,
    };
    match zone.as_bytes() {
        [b'Z' | b'z'] => true,
        [b'+' | b'-', h1, h2, b':', m1, m2] => {
            decimal(&[*h1, *h2]).is_some_and(|hours| hours <= 24)
                && decimal(&[*m1, *m2]).is_some_and(|m| m <= 60)
        }
        _ => false,
    }
}

fn is_clock(text: &str) -> bool {
    let [h1, h2, b':', m1, m2, b':', s1, s2] = text.as_bytes() else { return false };
    let is_below = |digits: [u8; 2], limit| decimal(&digits).is_some_and(|value| value < limit);
    is_below([*h1, *h2], 24) && is_below([*m1, *m2], 60) && is_below([*s1, *s2], 60)
}

fn decimal(digits: &[u8]) -> Option<u32> {
    digits
        .iter()
        .try_fold(0, |value, digit| digit.is_ascii_digit().then(|| value * 10 + u32::from(digit - b'0')))
}

/// Reports whether a text is a duration: Go's (`1h30m`, `-1.5s`, `0`), that of Kubernetes' `OpenAPI` (`2 days`, `1w`),
/// or ISO 8601 (`PT5M`).
fn is_duration(text: &str) -> bool {
    is_go_duration(text) || is_iso_duration(text)
}

fn is_go_duration(text: &str) -> bool {
    let mut rest = text.strip_prefix(['+', '-']).unwrap_or(text);
    if rest == "0" {
        return true;
    }
    if rest.is_empty() {
        return false;
    }
    while !rest.is_empty() {
        let unit = rest.trim_start_matches(|c: char| c.is_ascii_digit() || c == '.');
        let Some(number) = rest.get(..rest.len() - unit.len()) else { return false };
        let dots = number.bytes().filter(|byte| *byte == b'.').count();
        if dots > 1 || number.len() == dots {
            return false;
        }
        let unit = unit.trim_start_matches(' ');
        rest = unit.trim_start_matches(|c: char| c.is_alphabetic());
        let Some(unit) = unit.get(..unit.len() - rest.len()) else { return false };
        if !is_unit(unit) {
            return false;
        }
        rest = rest.trim_start_matches(' ');
    }
    true
}

fn is_unit(unit: &str) -> bool {
    const SHORT: [&str; 14] =
        ["ns", "us", "µs", "μs", "ms", "s", "sec", "m", "min", "h", "hr", "d", "w", "wk"];
    const LONG: [&str; 8] = ["nano", "micro", "milli", "sec", "min", "hour", "day", "week"];
    let unit = unit.to_lowercase();
    SHORT.contains(&unit.as_str()) || LONG.iter().any(|long| unit.starts_with(long))
}

fn is_iso_duration(text: &str) -> bool {
    let Some(rest) = text.strip_prefix('P') else { return false };
    let (date, time) = rest.split_once('T').map_or((rest, None), |(date, time)| (date, Some(time)));
    let has_parts = !date.is_empty() || time.is_some();
    has_parts && has_units(date, "YMWD") && time.is_none_or(|time| !time.is_empty() && has_units(time, "HMS"))
}

/// Reports whether a text consists of numbers with these units, each at most once and in this order.
fn has_units(mut text: &str, units: &str) -> bool {
    let mut units = units.chars();
    while !text.is_empty() {
        let rest = text.trim_start_matches(|c: char| c.is_ascii_digit() || c == '.');
        let Some(unit) = rest.chars().next() else { return false };
        if rest.len() == text.len() || !units.any(|known| known == unit) {
            return false;
        }
        text = rest.get(unit.len_utf8()..).unwrap_or("");
    }
    true
}

/// Reports whether Go's `url.ParseRequestURI` accepts a text: a URL with a scheme, or a path.
fn is_uri(text: &str) -> bool {
    if text.bytes().any(|byte| byte < 0x20 || byte == 0x7f) {
        return false;
    }
    let scheme = text.split_once(':').map_or("", |(scheme, _)| scheme);
    let absolute = scheme.starts_with(|c: char| c.is_ascii_alphabetic())
        && scheme.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"+-.".contains(&byte));
    absolute || text.starts_with('/') || text == "*"
}

fn is_uuid(text: &str) -> bool {
    let groups: Vec<&str> = text.split('-').collect();
    let is_hex = |group: &&str| group.bytes().all(|byte| byte.is_ascii_hexdigit());
    let lengths = || groups.iter().map(|group| group.len());
    // The hyphens are optional.
    groups.iter().all(is_hex)
        && lengths().sum::<usize>() == 32
        && (groups.len() == 1 || lengths().eq([8, 4, 4, 4, 12]))
}

/// Reports whether `resource.ParseQuantity` accepts a text: a decimal number and one suffix.
pub(super) fn is_quantity(text: &str) -> bool {
    quantity_parts(text).is_some()
}

#[cfg(test)]
mod tests {
    use super::{ValueFormat, is_quantity};

    #[test]
    fn quantities_are_parsed_as_in_kubernetes() {
        for good in [
            "0",
            "1",
            "-1",
            "+1",
            "1.5",
            ".5",
            "5.",
            "500m",
            "128Mi",
            "1.5Gi",
            "1e3",
            "1E3",
            "1E",
            "1e-3",
            "1E+3",
            "100n",
            "2k",
            "8Ei",
            " 1 ",
            "18446744073709551616",
        ] {
            assert!(is_quantity(good), "{good}");
        }
        for bad in [
            "", ".", "-", "m", "1.2.3", "1mi", "1K", "128MB", "128 Mi", "1e", "1e+", "true", "1,5", "0x10",
            "1kk", "∞",
        ] {
            assert!(!is_quantity(bad), "{bad}");
        }
    }

    #[test]
    fn formats_match_the_api_server() {
        for (format, good, bad) in [
            (
                "byte",
                &["", "YQ==", "YWI=", "YWJj", "YW\nJj\n"][..],
                &["YQ", "YQ=", "a b=", "YQ==YQ==", "YWJj====", "_-8=", "A==="][..],
            ),
            (
                "cidr",
                &["10.0.0.0/8", "fd00::/8", "10.1.2.3/32"],
                &["10.0.0.0", "10.0.0.0/33", "::/129", "10.0/8", "10.0.0.0/+8", "1.1.1.1/"],
            ),
            (
                "date",
                &["2024-02-29", "2030-12-31"],
                &["2023-02-29", "2030-13-01", "2030-1-1", "2030-01-00", "2030-01-32"],
            ),
            (
                "date-time",
                &["2030-01-31T12:00:00Z", "2030-01-31T12:00:00.123456Z", "2030-01-31T12:00:00+01:00"],
                &[
                    "2030-01-31",
                    "2030-01-31 12:00:00Z",
                    "2030-01-31T12:00:00",
                    "2030-01-31T24:00:00Z",
                    "2030-01-31T12:00:00.Z",
                    "x",
                    "2030-01-3é12:00:00Z",
                ],
            ),
            (
                "duration",
                &[
                    "5m", "1h30m", "-1.5s", "0", "100µs", "1w", "2 days", "1h 5min", "PT5M", "P1DT2H", "P2W",
                    "PT0.5S",
                ],
                &["", "5", "1w2x", "m", "1..5s", "5 m x", "P", "PT", "P1H", "PT1D", "hello", "1d2", "-"],
            ),
            (
                "ipv4",
                &["10.0.0.1", "010.0.0.1"],
                &["10.0.0.256", "::1", "10.0.0.1/8", "10.0.0", "10..0.1", "+1.0.0.1"],
            ),
            ("ipv6", &["::1", "fd00::1"], &["10.0.0.1", "fd00::/8"]),
            (
                "uri",
                &["https://example.com/a?b", "/path", "urn:x:y", "s3://bucket"],
                &["", "example.com", "://x", "a b", "1x:y", "a\tb:c"],
            ),
            (
                "uuid",
                &["123e4567-e89b-12d3-a456-426614174000", "123E4567E89B12D3A456426614174000"],
                &[
                    "",
                    "123e4567",
                    "123e4567-e89b-12d3-a456-42661417400g",
                    "123e4567e-89b-12d3-a456-426614174000",
                ],
            ),
        ] {
            for text in good {
                assert!(ValueFormat::from_name(format).fits(text), "{text:?} is a {format}");
            }
            for text in bad {
                assert!(!ValueFormat::from_name(format).fits(text), "{text:?} is not a {format}");
            }
            assert_eq!(ValueFormat::from_name(format).name(), format);
        }
    }

    #[test]
    fn integers_fit_their_width() {
        assert!(
            ValueFormat::Int32.fits_integer(i32::MAX.into())
                && !ValueFormat::Int32.fits_integer(i128::from(i32::MAX) + 1)
        );
        assert!(
            ValueFormat::Int64.fits_integer(i64::MIN.into())
                && !ValueFormat::Int64.fits_integer(u64::MAX.into())
        );
        assert!(!ValueFormat::None.fits_integer(u64::MAX.into()));
    }
}
