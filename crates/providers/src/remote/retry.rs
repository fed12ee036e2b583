//! Retries of transient failures, within the run's deadline.
//!
//! A request is retried when the service throttles (429), fails (5xx) or closes the connection. The pause grows with each
//! attempt and has jitter, since many runs start together. `Retry-After` in seconds is respected; one that exceeds
//! the deadline ends the attempts at once.

use std::time::{Duration, Instant};

use crate::ProviderError;

/// An error of one attempt.
#[derive(Debug)]
pub(crate) enum AttemptError {
    /// Another attempt would fail too.
    Final(ProviderError),
    /// Another attempt may succeed.
    Transient {
        /// The error to report without another attempt.
        error: ProviderError,
        /// The pause that the service requested.
        after: Option<Duration>,
    },
}

impl AttemptError {
    /// Returns a transient error without a requested pause.
    pub(crate) const fn transient(error: ProviderError) -> Self {
        Self::Transient { error, after: None }
    }

    /// Returns the error as one that ends the attempts.
    pub(crate) fn into_final(self) -> Self {
        match self {
            Self::Transient { error, .. } => Self::Final(error),
            error @ Self::Final(_) => error,
        }
    }
}

impl From<ProviderError> for AttemptError {
    fn from(error: ProviderError) -> Self {
        Self::Final(error)
    }
}

/// The number of attempts and the pauses between them.
#[derive(Clone, Copy, Debug)]
pub(crate) struct RetryPolicy {
    /// The total number of attempts.
    pub(crate) attempts: u32,
    /// The first pause; each later one is twice as long.
    pub(crate) first_pause: Duration,
    /// The longest pause that is not requested by the service.
    pub(crate) max_pause: Duration,
}

impl Default for RetryPolicy {
    fn default() -> Self {
        Self { attempts: 6, first_pause: Duration::from_millis(200), max_pause: Duration::from_secs(3) }
    }
}

impl RetryPolicy {
    /// Returns a random pause: between half and all of the nominal pause after this many failures.
    fn pause(&self, failures: u32) -> Duration {
        let doublings = 1_u32.checked_shl(failures.saturating_sub(1)).unwrap_or(u32::MAX);
        let whole = self.first_pause.saturating_mul(doublings).min(self.max_pause);
        // Without system randomness there is no jitter, which is harmless.
        let share = getrandom::u32().map_or(1.0, |number| f64::from(number) / f64::from(u32::MAX));
        whole.mul_f64(f64::midpoint(1.0, share))
    }
}

/// Retries until an attempt succeeds or fails permanently, or until attempts or time run out.
///
/// The caller must cut off a running attempt at `end`.
///
/// # Errors
/// Returns the error of the last attempt.
pub(crate) async fn retry<T, W: Future<Output = Result<T, AttemptError>>>(
    end: Instant,
    patience: RetryPolicy,
    mut attempt: impl FnMut() -> W,
) -> Result<T, ProviderError> {
    let mut failures = 0;
    loop {
        let (error, after) = match attempt().await {
            Ok(value) => return Ok(value),
            Err(AttemptError::Final(error)) => return Err(error),
            Err(AttemptError::Transient { error, after }) => (error, after),
        };
        failures += 1;
        let pause = after.unwrap_or_else(|| patience.pause(failures));
        let left = end.saturating_duration_since(Instant::now());
        if failures >= patience.attempts || pause >= left {
            return Err(with_attempts(error, failures));
        }
        tokio::time::sleep(pause).await;
    }
}

/// Adds the number of attempts to the error.
fn with_attempts(error: ProviderError, times: u32) -> ProviderError {
    match error {
        ProviderError::Unreachable { reason, hint } if times > 1 => {
            ProviderError::Unreachable { reason: format!("{reason} ({times} attempts)"), hint }
        }
        other => other,
    }
}

/// Parses a `Retry-After` header in seconds. Dates are not supported: these services do not send them.
pub(crate) fn retry_after(header: Option<&[u8]>) -> Option<Duration> {
    let seconds = std::str::from_utf8(header?).ok()?.trim().parse::<u32>().ok()?;
    Some(Duration::from_secs(seconds.into()))
}

/// Reports whether a retry may succeed after this status.
pub(crate) const fn is_transient(status: u16) -> bool {
    matches!(status, 429 | 500..=599)
}

#[cfg(test)]
mod tests {
    use std::cell::Cell;

    use super::super::runtime;
    use super::*;

    const QUICK: RetryPolicy = RetryPolicy {
        attempts: 4,
        first_pause: Duration::from_millis(1),
        max_pause: Duration::from_millis(2),
    };

    fn broken() -> ProviderError {
        ProviderError::unreachable("out of order", "repair it")
    }

    /// Runs attempts; the first `failing` attempts fail and request this pause. Returns the result and the number of attempts.
    fn attempts(failing: u32, after: Option<Duration>, left: Duration) -> (Result<(), ProviderError>, u32) {
        let count = Cell::new(0);
        let deadline = Instant::now() + Duration::from_mins(1);
        let result = runtime::run(deadline, |_| {
            retry(Instant::now() + left, QUICK, || {
                count.set(count.get() + 1);
                let failed = count.get() <= failing;
                async move {
                    if failed { Err(AttemptError::Transient { error: broken(), after }) } else { Ok(()) }
                }
            })
        });
        (result.expect("not interrupted"), count.get())
    }

    const LONG: Duration = Duration::from_secs(50);

    #[test]
    fn transient_failures_are_retried() {
        assert_eq!(attempts(0, None, LONG), (Ok(()), 1));
        assert_eq!(attempts(3, None, LONG), (Ok(()), 4));
        let error = ProviderError::unreachable("out of order (4 attempts)", "repair it");
        assert_eq!(attempts(4, None, LONG), (Err(error), 4));
    }

    #[test]
    fn a_requested_pause_is_respected_within_the_deadline() {
        let started = Instant::now();
        let pause = Duration::from_millis(40);
        assert_eq!(attempts(1, Some(pause), LONG), (Ok(()), 2));
        assert!(started.elapsed() >= pause);
        assert_eq!(attempts(1, Some(LONG), Duration::from_secs(49)), (Err(broken()), 1));
        assert_eq!(attempts(1, None, Duration::ZERO), (Err(broken()), 1));
    }

    #[test]
    fn permanent_failures_are_not_retried() {
        let count = Cell::new(0);
        let result = runtime::run(Instant::now() + LONG, |end| {
            retry(end, QUICK, || {
                count.set(count.get() + 1);
                async { Err::<(), _>(AttemptError::Final(broken())) }
            })
        });
        assert_eq!((result, count.get()), (Ok(Err(broken())), 1));
    }

    #[test]
    fn pauses_grow_within_their_limits() {
        let patience = RetryPolicy::default();
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
    fn retry_after_accepts_only_seconds() {
        assert_eq!(retry_after(Some(b" 7 ")), Some(Duration::from_secs(7)));
        for header in [None, Some(&b""[..]), Some(b"-1"), Some(b"1.5"), Some(b"\xff"), Some(b"99999999999")] {
            assert_eq!(retry_after(header), None);
        }
    }
}
