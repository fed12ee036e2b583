//! Trying again what may only have failed for a moment, inside the run's deadline.
//!
//! A service that throttles (429), fails (5xx) or breaks the connection is asked again after a pause that grows, and
//! that is a little different for each of the many runs that start together. A `Retry-After` in seconds is obeyed; one
//! that the deadline does not leave room for ends the attempts at once.

use std::time::{Duration, Instant};

use super::ProviderError;

/// Why an attempt failed.
#[derive(Debug)]
pub(super) enum Failed {
    /// Another attempt would fail as well.
    Final(ProviderError),
    /// Another attempt may succeed.
    Transient {
        /// What to report when there is none.
        error: ProviderError,
        /// How long the service asked us to wait.
        after: Option<Duration>,
    },
}

impl Failed {
    /// Another attempt may succeed, at a time of our own choice.
    pub(super) const fn transient(error: ProviderError) -> Self {
        Self::Transient { error, after: None }
    }
}

impl From<ProviderError> for Failed {
    fn from(error: ProviderError) -> Self {
        Self::Final(error)
    }
}

/// How often to try, and how long to wait in between.
#[derive(Clone, Copy, Debug)]
pub(super) struct Patience {
    /// Attempts in all.
    pub(super) attempts: u32,
    /// The first pause; each later one is twice as long.
    pub(super) first: Duration,
    /// The longest pause of our own choice.
    pub(super) longest: Duration,
}

impl Default for Patience {
    fn default() -> Self {
        Self { attempts: 6, first: Duration::from_millis(200), longest: Duration::from_secs(3) }
    }
}

impl Patience {
    /// Between half and all of the pause that is due after this many failures.
    fn pause(&self, failures: u32) -> Duration {
        let doublings = 1_u32.checked_shl(failures.saturating_sub(1)).unwrap_or(u32::MAX);
        let whole = self.first.saturating_mul(doublings).min(self.longest);
        // Without randomness from the system, runs that start together merely stay together.
        let share = getrandom::u32().map_or(1.0, |number| f64::from(number) / f64::from(u32::MAX));
        whole.mul_f64(f64::midpoint(1.0, share))
    }
}

/// Makes attempts until one succeeds, fails for good, or the last one that there is time for has failed.
///
/// The attempts themselves are to be cut off at `end` by the caller.
///
/// # Errors
/// That of the last attempt.
pub(super) async fn retry<T, W: Future<Output = Result<T, Failed>>>(
    end: Instant,
    patience: Patience,
    mut attempt: impl FnMut() -> W,
) -> Result<T, ProviderError> {
    let mut failures = 0;
    loop {
        let (error, after) = match attempt().await {
            Ok(value) => return Ok(value),
            Err(Failed::Final(error)) => return Err(error),
            Err(Failed::Transient { error, after }) => (error, after),
        };
        failures += 1;
        let pause = after.unwrap_or_else(|| patience.pause(failures));
        let left = end.saturating_duration_since(Instant::now());
        if failures >= patience.attempts || pause >= left {
            return Err(tried(error, failures));
        }
        tokio::time::sleep(pause).await;
    }
}

/// The same error, saying how often it was met.
fn tried(error: ProviderError, times: u32) -> ProviderError {
    match error {
        ProviderError::Unreachable { reason, hint } if times > 1 => {
            ProviderError::Unreachable { reason: format!("{reason} ({times} attempts)"), hint }
        }
        other => other,
    }
}

/// The pause that a `Retry-After` header asks for. A date, which the services here do not send, is not understood.
pub(super) fn retry_after(header: Option<&[u8]>) -> Option<Duration> {
    let seconds = std::str::from_utf8(header?).ok()?.trim().parse::<u32>().ok()?;
    Some(Duration::from_secs(seconds.into()))
}

/// Whether a service that answers so may answer otherwise in a moment.
pub(super) const fn is_transient(status: u16) -> bool {
    matches!(status, 429 | 500..=599)
}

#[cfg(test)]
mod tests {
    use std::cell::Cell;

    use super::super::runtime;
    use super::*;

    const QUICK: Patience =
        Patience { attempts: 4, first: Duration::from_millis(1), longest: Duration::from_millis(2) };

    fn broken() -> ProviderError {
        ProviderError::unreachable("it is broken", "mend it")
    }

    /// Attempts of which the first `failing` fail, with this wish for a pause; the result and how many there were.
    fn attempts(failing: u32, after: Option<Duration>, left: Duration) -> (Result<(), ProviderError>, u32) {
        let count = Cell::new(0);
        let deadline = Instant::now() + Duration::from_mins(1);
        let result = runtime::run(deadline, |_| {
            retry(Instant::now() + left, QUICK, || {
                count.set(count.get() + 1);
                let failed = count.get() <= failing;
                async move { if failed { Err(Failed::Transient { error: broken(), after }) } else { Ok(()) } }
            })
        });
        (result.expect("not interrupted"), count.get())
    }

    const LONG: Duration = Duration::from_secs(50);

    #[test]
    fn transient_failures_are_tried_again() {
        assert_eq!(attempts(0, None, LONG), (Ok(()), 1));
        assert_eq!(attempts(3, None, LONG), (Ok(()), 4));
        let error = ProviderError::unreachable("it is broken (4 attempts)", "mend it");
        assert_eq!(attempts(4, None, LONG), (Err(error), 4));
    }

    #[test]
    fn a_wish_for_a_pause_is_obeyed_within_the_deadline() {
        let started = Instant::now();
        let pause = Duration::from_millis(40);
        assert_eq!(attempts(1, Some(pause), LONG), (Ok(()), 2));
        assert!(started.elapsed() >= pause);
        assert_eq!(attempts(1, Some(LONG), Duration::from_secs(49)), (Err(broken()), 1));
        assert_eq!(attempts(1, None, Duration::ZERO), (Err(broken()), 1));
    }

    #[test]
    fn final_failures_are_final() {
        let count = Cell::new(0);
        let result = runtime::run(Instant::now() + LONG, |end| {
            retry(end, QUICK, || {
                count.set(count.get() + 1);
                async { Err::<(), _>(Failed::Final(broken())) }
            })
        });
        assert_eq!((result, count.get()), (Ok(Err(broken())), 1));
    }

    #[test]
    fn pauses_grow_within_their_bounds() {
        let patience = Patience::default();
        let mut distinct = std::collections::BTreeSet::new();
        for _ in 0..50 {
            for (failures, whole) in [(1, 200), (2, 400), (3, 800), (4, 1600), (5, 3000), (40, 3000)] {
                let pause = patience.pause(failures);
                let whole = Duration::from_millis(whole);
                assert!(pause >= whole / 2 && pause <= whole, "{failures}: {pause:?}");
                distinct.insert(pause);
            }
        }
        assert!(distinct.len() > 6, "pauses differ");
    }

    #[test]
    fn only_seconds_are_understood() {
        assert_eq!(retry_after(Some(b" 7 ")), Some(Duration::from_secs(7)));
        for header in [None, Some(&b""[..]), Some(b"-1"), Some(b"1.5"), Some(b"\xff"), Some(b"99999999999")] {
            assert_eq!(retry_after(header), None);
        }
    }
}
