//! Durations in Go's notation, in the canonical form that controllers write back.

use std::fmt::Write as _;
use std::time::Duration;

/// Nanoseconds per second.
const NANOS: u128 = 1_000_000_000;

/// The longest duration that Go can hold.
const MAX_NANOS: u128 = i64::MAX as u128;

/// Converts a Go duration (`1h`, `90m`, `1.5h`, `0`) to Go's canonical form (`1h0m0s`); `None` if it is invalid.
///
/// Anything between zero and a second is invalid, because no refresh is that frequent on purpose. The form matters:
/// some controllers rewrite any other form, and Argo CD would see a difference forever.
#[must_use]
pub fn canonical(text: &str) -> Option<String> {
    let nanos = if text == "0" { 0 } else { nanos(text)? };
    if nanos == 0 {
        return Some("0s".to_owned());
    }
    if !(NANOS..=MAX_NANOS).contains(&nanos) {
        return None;
    }
    let (seconds, fraction) = (nanos / NANOS, nanos % NANOS);
    let (hours, minutes, seconds) = (seconds / 3600, seconds / 60 % 60, seconds % 60);
    let mut out = String::new();
    if hours > 0 {
        let _ = write!(out, "{hours}h");
    }
    if hours > 0 || minutes > 0 {
        let _ = write!(out, "{minutes}m");
    }
    out.push_str(&seconds.to_string());
    if fraction > 0 {
        let digits = format!("{fraction:09}");
        out.push('.');
        out.push_str(digits.trim_end_matches('0'));
    }
    out.push('s');
    Some(out)
}

/// Parses a Go duration of at least a second, such as `90s` or `5m`; `None` if it is invalid.
#[must_use]
pub fn parse(text: &str) -> Option<Duration> {
    let nanos = nanos(text).filter(|nanos| (NANOS..=MAX_NANOS).contains(nanos))?;
    Some(Duration::from_nanos(u64::try_from(nanos).ok()?))
}

/// Formats a duration in whole seconds for people: `5m`, `1m30s`, `2h`.
#[must_use]
pub fn format_short(duration: Duration) -> String {
    let seconds = duration.as_secs();
    let parts = [(seconds / 3600, "h"), (seconds / 60 % 60, "m"), (seconds % 60, "s")];
    let mut text = String::new();
    for (count, unit) in parts.iter().filter(|(count, _)| *count > 0) {
        let _ = write!(text, "{count}{unit}");
    }
    if text.is_empty() { "0s".to_owned() } else { text }
}

/// Returns the nanoseconds of an unsigned Go duration; `None` if it is invalid.
#[must_use]
pub fn nanos(text: &str) -> Option<u128> {
    let mut rest = text;
    let mut total: u128 = 0;
    while !rest.is_empty() {
        let end = rest.find(|c: char| !c.is_ascii_digit() && c != '.')?;
        let (number, behind) = rest.split_at(end);
        let unit_end = behind.find(|c: char| c.is_ascii_digit() || c == '.').unwrap_or(behind.len());
        let (unit, behind) = behind.split_at(unit_end);
        total = total.checked_add(scaled(number, unit_nanos(unit)?)?)?;
        rest = behind;
    }
    (!text.is_empty()).then_some(total)
}

fn unit_nanos(unit: &str) -> Option<u128> {
    Some(match unit {
        "h" => 3600 * NANOS,
        "m" => 60 * NANOS,
        "ms" => NANOS / 1000,
        "s" => NANOS,
        _ => return None,
    })
}

/// Multiplies a decimal number by a unit; fractions of a nanosecond are dropped, as in Go.
fn scaled(number: &str, unit: u128) -> Option<u128> {
    let (whole, fraction) = number.split_once('.').unwrap_or((number, ""));
    if whole.len() + fraction.len() == 0 || whole.len() > 18 || fraction.len() > 18 {
        return None;
    }
    let digits = |text: &str| if text.is_empty() { Some(0) } else { text.parse::<u128>().ok() };
    let below = 10_u128.checked_pow(u32::try_from(fraction.len()).ok()?)?;
    digits(whole)?.checked_mul(unit)?.checked_add(digits(fraction)?.checked_mul(unit)? / below)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_get_gos_own_form() {
        for (given, wanted) in [
            ("1h", "1h0m0s"),
            ("90m", "1h30m0s"),
            ("1.5h", "1h30m0s"),
            ("1h0m0s", "1h0m0s"),
            ("30s", "30s"),
            ("5m", "5m0s"),
            ("1m1500ms", "1m1.5s"),
            ("24h", "24h0m0s"),
            ("3600s", "1h0m0s"),
            (".5h", "30m0s"),
            ("0", "0s"),
            ("0s", "0s"),
            ("0h0m", "0s"),
            ("2562047h", "2562047h0m0s"),
        ] {
            assert_eq!(canonical(given).as_deref(), Some(wanted), "{given}");
        }
    }

    #[test]
    fn invalid_durations_are_refused() {
        for text in [
            "",
            "1",
            "h",
            "1d",
            "1 h",
            "-1h",
            "+1h",
            "1h-",
            "1.2.3h",
            ".h",
            "999ms",
            "2562048h",
            "1hm",
            "١h",
            "99999999999999999999h",
            "1H",
        ] {
            assert_eq!(canonical(text), None, "{text}");
        }
    }

    #[test]
    fn a_timeout_is_parsed_and_formatted() {
        for (given, shown) in
            [("90s", "1m30s"), ("5m", "5m"), ("1h", "1h"), ("1.5h", "1h30m"), ("1s", "1s"), ("1h1s", "1h1s")]
        {
            assert_eq!(parse(given).map(format_short).as_deref(), Some(shown), "{given}");
        }
        for text in ["", "0", "0s", "999ms", "5", "5 m", "-1m", "5min", "1d", "9999999999999h"] {
            assert_eq!(parse(text), None, "{text}");
        }
    }
}
