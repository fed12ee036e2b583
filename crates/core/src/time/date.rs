//! A date as authors write it: `2026-12-31` (RFC 3339, full-date).

use std::fmt;
use std::str::FromStr;

use serde::de::{Error, Unexpected};
use serde::{Deserialize, Deserializer};

/// A date of the Gregorian calendar.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Date {
    year: u16,
    month: u8,
    day: u8,
}

/// The error for a text that is not a date.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("expected a date such as 2026-12-31")]
pub struct InvalidDate;

impl Date {
    /// Creates a date.
    ///
    /// # Errors
    /// Fails if the date does not exist.
    pub const fn new(year: u16, month: u8, day: u8) -> Result<Self, InvalidDate> {
        let leap = year.is_multiple_of(4) && (!year.is_multiple_of(100) || year.is_multiple_of(400));
        let days = match month {
            1 | 3 | 5 | 7 | 8 | 10 | 12 => 31,
            4 | 6 | 9 | 11 => 30,
            2 if leap => 29,
            2 => 28,
            _ => 0,
        };
        if day == 0 || day > days { Err(InvalidDate) } else { Ok(Self { year, month, day }) }
    }

    /// Returns the date (UTC) of a time in seconds since 1970; `None` beyond the year 9999.
    #[must_use]
    pub fn from_unix_seconds(seconds: u64) -> Option<Self> {
        // Days since 0000-03-01, so that a leap day ends a year.
        let days = seconds / 86_400 + 719_468;
        let (cycle, day_of_cycle) = (days / 146_097, days % 146_097);
        let year_of_cycle =
            (day_of_cycle - day_of_cycle / 1_460 + day_of_cycle / 36_524 - day_of_cycle / 146_096) / 365;
        let day_of_year = day_of_cycle - (365 * year_of_cycle + year_of_cycle / 4 - year_of_cycle / 100);
        let month_of_year = (5 * day_of_year + 2) / 153;
        let day = day_of_year - (153 * month_of_year + 2) / 5 + 1;
        let (month, carry) = if month_of_year < 10 { (month_of_year + 3, 0) } else { (month_of_year - 9, 1) };
        let year = u16::try_from(year_of_cycle + cycle * 400 + carry).ok().filter(|year| *year <= 9999)?;
        Self::new(year, u8::try_from(month).ok()?, u8::try_from(day).ok()?).ok()
    }

    /// Returns the number of days until another date; negative if that is earlier.
    #[must_use]
    pub const fn days_until(self, other: Self) -> i64 {
        other.day_number() - self.day_number()
    }

    /// Returns the number of days since 0000-03-01, the start of a cycle of leap years.
    const fn day_number(self) -> i64 {
        let (year, month) = (self.year as i64, self.month as i64);
        let (year, month) = if month > 2 { (year, month - 3) } else { (year - 1, month + 9) };
        let of_year = (153 * month + 2) / 5 + self.day as i64 - 1;
        365 * year + year.div_euclid(4) - year.div_euclid(100) + year.div_euclid(400) + of_year
    }
}

impl FromStr for Date {
    type Err = InvalidDate;

    fn from_str(text: &str) -> Result<Self, InvalidDate> {
        let mut parts = text.splitn(3, '-');
        let mut part = |digits: usize| {
            let part =
                parts.next().filter(|part| part.len() == digits && part.bytes().all(|b| b.is_ascii_digit()));
            part.and_then(|part| part.parse::<u16>().ok()).ok_or(InvalidDate)
        };
        let (year, month, day) = (part(4)?, part(2)?, part(2)?);
        let small = |number: u16| u8::try_from(number).map_err(|_| InvalidDate);
        Self::new(year, small(month)?, small(day)?)
    }
}

impl<'de> Deserialize<'de> for Date {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let invalid =
            |InvalidDate| Error::invalid_value(Unexpected::Other("text"), &"a date such as 2026-12-31");
        String::deserialize(deserializer)?.parse().map_err(invalid)
    }
}

impl fmt::Display for Date {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:04}-{:02}-{:02}", self.year, self.month, self.day)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn valid_and_invalid_dates() {
        for text in ["2026-12-31", "2024-02-29", "2000-02-29"] {
            assert_eq!(text.parse::<Date>().unwrap().to_string(), text);
        }
        for text in [
            "2026-02-29",
            "1900-02-29",
            "2026-13-01",
            "2026-1-01",
            "2026-01-1",
            "",
            "2026-00-10",
            "+026-01-01",
        ] {
            assert_eq!(text.parse::<Date>(), Err(InvalidDate), "{text}");
        }
        assert!(Date::new(2026, 12, 31).unwrap() < Date::new(2027, 1, 1).unwrap());
    }

    #[test]
    fn dates_of_times() {
        let date = |seconds: u64| Date::from_unix_seconds(seconds).map(|date| date.to_string());
        for (seconds, expected) in [
            (0, "1970-01-01"),
            (86_399, "1970-01-01"),
            (951_782_400, "2000-02-29"),
            (951_868_800, "2000-03-01"),
            (1_767_225_599, "2025-12-31"),
            (1_767_225_600, "2026-01-01"),
            (253_402_300_799, "9999-12-31"),
        ] {
            assert_eq!(date(seconds).as_deref(), Some(expected), "{seconds}");
        }
        assert_eq!(date(253_402_300_800), None);
        assert_eq!(date(u64::MAX), None);
    }

    #[test]
    fn days_between_dates() {
        let date = |text: &str| text.parse::<Date>().unwrap();
        for (from, to, days) in [
            ("2026-01-01", "2026-01-01", 0),
            ("2026-01-01", "2026-01-31", 30),
            ("2024-02-28", "2024-03-01", 2),
            ("2026-02-28", "2026-03-01", 1),
            ("1970-01-01", "2026-11-30", 20_787),
            ("2026-03-01", "2026-02-28", -1),
            ("0000-01-01", "9999-12-31", 3_652_424),
        ] {
            assert_eq!(date(from).days_until(date(to)), days, "{from} {to}");
        }
    }
}
