//! A small async runtime per fetch, shared by all network providers, that ends shortly before the run's deadline.
//!
//! A provider's `fetch` is a blocking function, possibly in a thread of its own; all its async work runs here.
//! Nothing waits past the deadline, not even for an unresponsive name server. Unfinished work is distinguished from failed
//! work, so that providers can report what they were waiting for.
//! Must not be used from within another runtime.

use std::io;
use std::sync::Arc;
use std::time::{Duration, Instant};

use tokio::sync::Semaphore;
use tokio::task::JoinSet;
use tokio::time::timeout_at;

/// Time reserved before the deadline for reporting pending work; at most a tenth of the remaining time.
const RESERVE: Duration = Duration::from_millis(250);

/// Threads for blocking calls, such as the system's name resolution. Their stacks count towards the run's memory.
const MAX_BLOCKING_THREADS: usize = 8;

/// The reason why a runtime returned no result.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum RuntimeError {
    /// The work did not finish in time.
    DeadlineExceeded,
    /// The system lacks the resources for a runtime.
    NotStarted(io::ErrorKind),
}

/// A runtime in the current thread, for one fetch or for the requests of one client.
pub(crate) struct LocalRuntime(Option<tokio::runtime::Runtime>);

impl LocalRuntime {
    /// Starts a runtime.
    ///
    /// # Errors
    /// The system lacks the resources.
    pub(crate) fn start() -> Result<Self, RuntimeError> {
        let runtime = tokio::runtime::Builder::new_current_thread()
            .max_blocking_threads(MAX_BLOCKING_THREADS)
            .enable_all()
            .build()
            .map_err(|error| RuntimeError::NotStarted(error.kind()))?;
        Ok(Self(Some(runtime)))
    }

    /// Runs `work`, which receives the time by which it should finish: shortly before it is dropped, and before `deadline`.
    ///
    /// # Errors
    /// The work did not finish in time.
    pub(crate) fn run<T, W: Future<Output = T>>(
        &self,
        deadline: Instant,
        work: impl FnOnce(Instant) -> W,
    ) -> Result<T, RuntimeError> {
        // Only dropping takes the runtime out.
        let Some(runtime) = &self.0 else { return Err(RuntimeError::DeadlineExceeded) };
        let left = deadline.saturating_duration_since(Instant::now());
        let reserve = (left / 10).min(RESERVE);
        let before = |reserve: Duration| deadline.checked_sub(reserve).unwrap_or(deadline);
        runtime.block_on(async {
            timeout_at(before(reserve / 2).into(), work(before(reserve)))
                .await
                .map_err(|_| RuntimeError::DeadlineExceeded)
        })
    }
}

/// Does not wait for blocking calls, such as the system's name resolution.
impl Drop for LocalRuntime {
    fn drop(&mut self) {
        if let Some(runtime) = self.0.take() {
            runtime.shutdown_background();
        }
    }
}

/// Runs `work` on a new runtime in the current thread.
///
/// # Errors
/// The work did not finish in time, or the runtime could not be started.
pub(crate) fn run<T, W: Future<Output = T>>(
    deadline: Instant,
    work: impl FnOnce(Instant) -> W,
) -> Result<T, RuntimeError> {
    LocalRuntime::start()?.run(deadline, work)
}

/// Awaits all `work` until `end`, running at most `at_once` futures concurrently. Results are in the order of `work`.
///
/// The result is `None` for work that did not finish by then (or panicked). It is dropped.
pub(crate) async fn gather<T: Send + 'static, W: Future<Output = T> + Send + 'static>(
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

/// Installs `ring` as the default TLS crypto provider of the process.
#[cfg(any(feature = "k8s", feature = "vault", feature = "web"))]
pub(crate) fn install_crypto() {
    // This fails only if a provider is already installed.
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
    fn concurrency_is_limited() {
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
    fn unfinished_work_has_no_result() {
        let slow = [(0, 1), (600, 2), (0, 3)].map(|(seconds, result)| async move {
            sleep(Duration::from_secs(seconds)).await;
            result
        });
        let results = run(within(Duration::from_millis(300)), |end| gather(end, 8, slow));
        assert_eq!(results, Ok(vec![Some(1), None, Some(3)]));
        assert_eq!(
            run(within(Duration::from_millis(50)), |_| sleep(LONG)),
            Err(RuntimeError::DeadlineExceeded)
        );
        assert_eq!(run(Instant::now(), |_| sleep(LONG)), Err(RuntimeError::DeadlineExceeded));
    }

    #[test]
    fn a_panic_loses_only_its_own_result() {
        let work = [true, false].map(|faulty| async move { assert!(!faulty, "not shown") });
        assert_eq!(run(within(LONG), |end| gather(end, 8, work)), Ok(vec![None, Some(())]));
    }

    /// Name resolution blocks a thread that cannot be stopped.
    #[test]
    fn a_blocked_thread_is_not_waited_for() {
        let (release, blocked) = std::sync::mpsc::channel::<()>();
        let result = run(within(Duration::from_millis(100)), |_| async {
            tokio::task::spawn_blocking(move || blocked.recv()).await.is_ok()
        });
        assert_eq!(result, Err(RuntimeError::DeadlineExceeded));
        // If `run` had waited for the thread, this line would never be reached.
        drop(release);
    }
}
