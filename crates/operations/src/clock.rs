//! Time as operations see it. Tests and reproducible runs replace it.

use sealwave_core::text::counted;
use std::cell::Cell;
use std::thread;
use std::time::{Duration, Instant, SystemTime};

use x509_cert::der::DateTime;

/// Tells the time, and waits.
pub trait Clock {
    /// Returns the current time.
    fn now(&self) -> SystemTime;

    /// Waits for this time.
    fn wait(&self, time: Duration);
}

/// The clock of the system, from a time that the shell read.
#[derive(Clone, Copy, Debug)]
pub struct SystemClock {
    start: SystemTime,
    since: Instant,
}

impl SystemClock {
    /// Creates a clock that shows `start` now.
    #[must_use]
    pub fn starting_at(start: SystemTime) -> Self {
        Self { start, since: Instant::now() }
    }
}

impl Clock for SystemClock {
    fn now(&self) -> SystemTime {
        self.start + self.since.elapsed()
    }

    fn wait(&self, time: Duration) {
        thread::sleep(time);
    }
}

/// A clock that moves only when someone waits.
#[derive(Clone, Debug)]
pub struct ManualClock(Cell<SystemTime>);

impl ManualClock {
    /// Creates a clock that shows this many seconds since 1970.
    #[must_use]
    pub fn at(seconds: u64) -> Self {
        Self(Cell::new(from_unix(seconds)))
    }
}

impl Clock for ManualClock {
    fn now(&self) -> SystemTime {
        self.0.get()
    }

    fn wait(&self, time: Duration) {
        self.0.set(self.0.get() + time);
    }
}

/// Returns seconds since 1970.
#[must_use]
pub fn unix(time: SystemTime) -> u64 {
    time.duration_since(SystemTime::UNIX_EPOCH).map_or(0, |since| since.as_secs())
}

/// Returns the time of seconds since 1970. Times that the system cannot represent become the latest one that fits.
#[must_use]
pub fn from_unix(seconds: u64) -> SystemTime {
    let latest = || SystemTime::UNIX_EPOCH + Duration::from_secs(u32::MAX.into());
    SystemTime::UNIX_EPOCH.checked_add(Duration::from_secs(seconds)).unwrap_or_else(latest)
}

/// Formats a time in UTC, for example `2026-11-30T03:48:22Z`.
#[must_use]
pub fn utc(time: SystemTime) -> String {
    let time = DateTime::from_system_time(from_unix(unix(time)));
    time.map_or_else(|_| "after the year 9999".to_owned(), |time| time.to_string())
}

/// Formats the time since something, for example `43 days`.
#[must_use]
pub fn age(now: SystemTime, then: SystemTime) -> String {
    period(now.duration_since(then).unwrap_or_default())
}

/// Formats a period in its largest unit, for example `36 hours`.
#[must_use]
pub fn period(period: Duration) -> String {
    let seconds = period.as_secs();
    let (number, unit) = match seconds {
        0..120 => (seconds, "second"),
        120..7_200 => (seconds / 60, "minute"),
        7_200..172_800 => (seconds / 3_600, "hour"),
        _ => (seconds / 86_400, "day"),
    };
    counted(number, unit)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_and_periods_are_readable() {
        assert_eq!(utc(from_unix(1_796_010_502)), "2026-11-30T03:48:22Z");
        assert_eq!(utc(from_unix(u64::MAX)), "2106-02-07T06:28:15Z");
        for (seconds, text) in
            [(0, "0 seconds"), (1, "1 second"), (300, "5 minutes"), (86_400, "24 hours"), (604_800, "7 days")]
        {
            assert_eq!(period(Duration::from_secs(seconds)), text);
        }
        assert_eq!(age(from_unix(0), from_unix(9)), "0 seconds");
    }

    #[test]
    fn a_manual_clock_moves_when_someone_waits() {
        let clock = ManualClock::at(100);
        clock.wait(Duration::from_secs(5));
        assert_eq!(unix(clock.now()), 105);
    }
}
