//! Durations and timestamps.

use super::super::budget::{EvalError, EvalStop};
use super::super::value::{CelValue, EvalResult};

const SECOND: i64 = 1_000_000_000;

/// Calls a function of a duration.
pub(crate) fn member(name: &str, span: i64, rest: &[CelValue]) -> EvalResult {
    let unit = match (name, rest) {
        ("getHours", []) => 3600 * SECOND,
        ("getMinutes", []) => 60 * SECOND,
        ("getSeconds", []) => SECOND,
        ("getMilliseconds", []) => SECOND / 1000,
        _ => return Err(EvalStop::Unknown),
    };
    Ok(CelValue::Int(span / unit))
}

/// Parses a duration as Go does: `1h30m`, `1.5s`.
pub(in super::super) fn parse_duration(text: &str) -> Result<i64, EvalStop> {
    const INVALID: EvalStop = EvalStop::Fault(EvalError::Conversion);
    let (negative, mut rest) = match text.as_bytes().first() {
        Some(b'-') => (true, text.get(1..).unwrap_or("")),
        Some(b'+') => (false, text.get(1..).unwrap_or("")),
        _ => (false, text),
    };
    if rest == "0" {
        return Ok(0);
    }
    if rest.is_empty() {
        return Err(INVALID);
    }
    let mut total = 0_i128;
    while !rest.is_empty() {
        let digits = |text: &str| text.bytes().take_while(u8::is_ascii_digit).count();
        let (whole, after) = rest.split_at(digits(rest));
        let (fraction, after) = match after.strip_prefix('.') {
            Some(after) => after.split_at(digits(after)),
            None => ("", after),
        };
        let end = after.find(|c: char| c == '.' || c.is_ascii_digit()).unwrap_or(after.len());
        let (unit, after) = after.split_at(end);
        let unit = unit_of(unit).ok_or(INVALID)?;
        if whole.is_empty() && fraction.is_empty() {
            return Err(INVALID);
        }
        // Longer ones overflow or are rounded; the API server's result is uncertain.
        if whole.len() > 18 || fraction.len() > 9 {
            return Err(EvalStop::Unknown);
        }
        let number = |digits: &str| if digits.is_empty() { 0 } else { digits.parse::<i128>().unwrap_or(0) };
        let places = 10_i128.pow(u32::try_from(fraction.len()).unwrap_or(0));
        total += number(whole) * unit + number(fraction) * unit / places;
        rest = after;
    }
    i64::try_from(if negative { -total } else { total }).map_err(|_| EvalStop::Unknown)
}

fn unit_of(name: &str) -> Option<i128> {
    let second = i128::from(SECOND);
    Some(match name {
        "ns" => 1,
        "us" | "µs" | "μs" => 1000,
        "ms" => second / 1000,
        "s" => second,
        "m" => 60 * second,
        "h" => 3600 * second,
        _ => return None,
    })
}

/// Parses an RFC 3339 timestamp. Returns `None` for other texts and unusual timestamps.
pub(in super::super) fn parse_timestamp(text: &str) -> Option<i128> {
    let bytes = text.as_bytes();
    let number = |from: usize, to: usize| -> Option<i64> {
        let digits = text.get(from..to)?;
        digits.bytes().all(|byte| byte.is_ascii_digit()).then(|| digits.parse().ok())?
    };
    let separators = [(4, b'-'), (7, b'-'), (10, b'T'), (13, b':'), (16, b':')];
    if separators.iter().any(|(at, separator)| bytes.get(*at) != Some(separator)) {
        return None;
    }
    let (year, month, day) = (number(0, 4)?, number(5, 7)?, number(8, 10)?);
    let (hour, minute, second) = (number(11, 13)?, number(14, 16)?, number(17, 19)?);
    // Days after the 28th depend on the month and are not evaluated.
    let in_range = (1..=9999).contains(&year)
        && (1..=12).contains(&month)
        && (1..=28).contains(&day)
        && hour < 24
        && minute < 60
        && second < 60;
    let mut rest = text.get(19..)?;
    let mut fraction = 0;
    if let Some(after) = rest.strip_prefix('.') {
        let count = after.bytes().take_while(u8::is_ascii_digit).count();
        let (digits, after) = after.split_at(count);
        if !(1..=9).contains(&count) {
            return None;
        }
        fraction = digits.parse::<i128>().ok()? * 10_i128.pow(9 - u32::try_from(count).ok()?);
        rest = after;
    }
    (in_range && rest == "Z").then(|| {
        let seconds = (days(year, month, day) * 24 + hour) * 3600 + minute * 60 + second;
        i128::from(seconds) * i128::from(SECOND) + fraction
    })
}

/// Returns the days from 1970 to a date in the Gregorian calendar.
const fn days(year: i64, month: i64, day: i64) -> i64 {
    // Years start in March, so that a leap day is the last day of its year.
    let year = if month <= 2 { year - 1 } else { year };
    let era = year.div_euclid(400);
    let year_of_era = year - era * 400;
    let day_of_year = (153 * ((month + 9) % 12) + 2) / 5 + day - 1;
    let day_of_era = year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year;
    era * 146_097 + day_of_era - 719_468
}
