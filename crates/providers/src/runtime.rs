//! One small runtime per fetch, over when the run's deadline is near: what all providers that use a network share.
//!
//! A provider's `fetch` is an ordinary function and may run in a thread of its own; what it awaits, it awaits here.
//! Nothing here waits past the deadline, not even for a name server that does not answer, and work that was not
//! finished is told apart from work that failed, so that the provider can say what it was still waiting for.
//! Must not be used from within another runtime.

use std::io;
use std::sync::Arc;
use std::time::{Duration, Instant};

use tokio::sync::Semaphore;
use tokio::task::JoinSet;
use tokio::time::timeout_at;

/// Time before the deadline that is kept for saying what is missing; a tenth of what is left where that is less.
const RESERVE: Duration = Duration::from_millis(250);

/// Threads for calls that block, such as the system's name resolution. The stack of each counts as memory of the run.
const MAX_BLOCKING_THREADS: usize = 8;

/// Why work gave no result at all.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Interrupted {
    /// It was not finished in time.
    Elapsed,
    /// The system did not give what a runtime needs.
    NotStarted(io::ErrorKind),
}

/// Runs `work` on a runtime of its own, in this thread.
///
/// `work` is told when it should be over: a little before `deadline`, and a little before it is dropped.
///
/// # Errors
/// It was not finished then, or could not be started.
pub(super) fn run<T, W: Future<Output = T>>(
    deadline: Instant,
    work: impl FnOnce(Instant) -> W,
) -> Result<T, Interrupted> {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .max_blocking_threads(MAX_BLOCKING_THREADS)
        .enable_all()
        .build()
        .map_err(|error| Interrupted::NotStarted(error.kind()))?;
    let left = deadline.saturating_duration_since(Instant::now());
    let reserve = (left / 10).min(RESERVE);
    let before = |reserve: Duration| deadline.checked_sub(reserve).unwrap_or(deadline);
    let result = runtime.block_on(async {
        timeout_at(before(reserve / 2).into(), work(before(reserve))).await.map_err(|_| Interrupted::Elapsed)
    });
    // Else this would wait for blocking calls, such as the system's name resolution.
    runtime.shutdown_background();
    result
}

/// Awaits all `work`, at most `at_once` of it at a time, until `end`. Results are in the order of the work.
///
/// `None` stands for what was not finished by then (or panicked). It is dropped.
pub(super) async fn gather<T: Send + 'static, W: Future<Output = T> + Send + 'static>(
    end: Instant,
    at_once: usize,
    work: impl IntoIterator<Item = W>,
) -> Vec<Option<T>> {
    let gate = Arc::new(Semaphore::new(at_once.max(1)));
    let mut running = JoinSet::new();
    let mut results = Vec::new();
    for (index, work) in work.into_iter().enumerate() {
        results.push(None);
        let gate = Arc::clone(&gate);
        running.spawn(async move {
            // The gate is never closed.
            let _turn = gate.acquire_owned().await;
            (index, work.await)
        });
    }
    while let Ok(Some(finished)) = timeout_at(end.into(), running.join_next()).await {
        if let Ok((index, result)) = finished
            && let Some(slot) = results.get_mut(index)
        {
            *slot = Some(result);
        }
    }
    results
}

/// Makes `ring` the process' cryptography for TLS, for clients that do not bring their own choice.
#[cfg(any(feature = "k8s", feature = "vault"))]
pub(super) fn install_crypto() {
    // It fails only where one is installed already.
    let _ = rustls::crypto::ring::default_provider().install_default();
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicUsize, Ordering};

    use tokio::time::sleep;

    use super::*;

    const LONG: Duration = Duration::from_mins(10);

    fn within(duration: Duration) -> Instant {
        Instant::now() + duration
    }

    #[test]
    fn results_come_in_the_order_of_the_work() {
        let results = run(within(LONG), |end| {
            gather(
                end,
                3,
                [30_u64, 10, 20, 1].map(|millis| async move {
                    sleep(Duration::from_millis(millis)).await;
                    millis
                }),
            )
        });
        assert_eq!(results, Ok(vec![Some(30), Some(10), Some(20), Some(1)]));
    }

    #[test]
    fn no_more_runs_at_once_than_may() {
        let (now, most) = (Arc::new(AtomicUsize::new(0)), Arc::new(AtomicUsize::new(0)));
        let work = (0..40).map(|_| {
            let (now, most) = (Arc::clone(&now), Arc::clone(&most));
            async move {
                most.fetch_max(now.fetch_add(1, Ordering::SeqCst) + 1, Ordering::SeqCst);
                sleep(Duration::from_millis(1)).await;
                now.fetch_sub(1, Ordering::SeqCst);
            }
        });
        let results = run(within(LONG), |end| gather(end, 8, work)).expect("in time");
        assert!(results.iter().all(Option::is_some));
        assert_eq!(most.load(Ordering::SeqCst), 8);
    }

    #[test]
    fn what_is_not_finished_in_time_is_told_apart() {
        let slow = [(0, 1), (600, 2), (0, 3)].map(|(seconds, result)| async move {
            sleep(Duration::from_secs(seconds)).await;
            result
        });
        let results = run(within(Duration::from_millis(300)), |end| gather(end, 8, slow));
        assert_eq!(results, Ok(vec![Some(1), None, Some(3)]));
        assert_eq!(run(within(Duration::from_millis(50)), |_| sleep(LONG)), Err(Interrupted::Elapsed));
        assert_eq!(run(Instant::now(), |_| sleep(LONG)), Err(Interrupted::Elapsed));
    }

    #[test]
    fn a_panic_costs_its_own_result_alone() {
        let work = [true, false].map(|faulty| async move { assert!(!faulty, "told nobody") });
        assert_eq!(run(within(LONG), |end| gather(end, 8, work)), Ok(vec![None, Some(())]));
    }

    /// Name resolution blocks a thread that nothing can stop.
    #[test]
    fn a_blocked_thread_is_not_waited_for() {
        let (release, blocked) = std::sync::mpsc::channel::<()>();
        let result = run(within(Duration::from_millis(100)), |_| async {
            tokio::task::spawn_blocking(move || blocked.recv()).await.is_ok()
        });
        assert_eq!(result, Err(Interrupted::Elapsed));
        // Had it been waited for, this line would never be reached.
        drop(release);
    }
}
