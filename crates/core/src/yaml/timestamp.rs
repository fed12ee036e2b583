//! Timestamps in plain scalars.

/// Parses a date, or a date and time, in the four layouts of Go's YAML packages.
pub(super) fn parse_timestamp(text: &str) -> Option<String> {
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
