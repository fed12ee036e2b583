//! Applies a function to many items on all cores, with results in the order of the items.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::OnceLock;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;

use crate::diagnostic::{BUG_HINT, Explain};

/// The error of a panicked worker. The panic payload is dropped: it may contain input.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("worker thread ended unexpectedly")]
pub struct WorkerPanicked;

impl Explain for WorkerPanicked {
    fn hint(&self) -> Option<String> {
        Some(BUG_HINT.to_owned())
    }
}

/// Maximum number of threads of [`parallel_map`], including the calling one.
static MAX_THREADS: AtomicUsize = AtomicUsize::new(usize::MAX);

/// Limits the threads of this process, each of which needs memory for its allocations and stack.
#[cfg_attr(not(target_os = "linux"), expect(dead_code, reason = "memory is bounded on Linux only"))]
pub fn limit_threads(threads: usize) {
    MAX_THREADS.store(threads, Ordering::Relaxed);
}

/// Applies `work` to each item, with one thread per core, but not more than there are items or than [`limit_threads`]
/// allows.
///
/// # Errors
/// A worker panicked.
pub fn parallel_map<T: Sync, R: Send>(
    items: &[T],
    work: impl Fn(&T) -> R + Sync,
) -> Result<Vec<R>, WorkerPanicked> {
    let next = AtomicUsize::new(0);
    let run =
        || catch_unwind(AssertUnwindSafe(|| take_turns(items, &next, &work))).map_err(|_| WorkerPanicked);
    let helpers = cores().min(MAX_THREADS.load(Ordering::Relaxed)).min(items.len()).saturating_sub(1);
    let mut numbered = thread::scope(|scope| {
        // If a thread cannot be started, the others do its share.
        let started: Vec<_> =
            (0..helpers).filter_map(|_| thread::Builder::new().spawn_scoped(scope, run).ok()).collect();
        let mut all = run()?;
        for helper in started {
            all.extend(helper.join().map_err(|_| WorkerPanicked)??);
        }
        Ok(all)
    })?;
    numbered.sort_unstable_by_key(|(index, _)| *index);
    Ok(numbered.into_iter().map(|(_, result)| result).collect())
}

/// Returns the number of cores for this process. Cached, since the standard library reads several files each time.
fn cores() -> usize {
    static CORES: OnceLock<usize> = OnceLock::new();
    *CORES.get_or_init(|| thread::available_parallelism().map_or(1, usize::from))
}

fn take_turns<T, R>(items: &[T], next: &AtomicUsize, work: impl Fn(&T) -> R) -> Vec<(usize, R)> {
    let turn = || {
        let index = next.fetch_add(1, Ordering::Relaxed);
        Some((index, items.get(index)?))
    };
    std::iter::from_fn(turn).map(|(index, item)| (index, work(item))).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn results_come_in_the_order_of_the_items() {
        let items: Vec<usize> = (0..1000).collect();
        assert_eq!(parallel_map(&items, |n| n * 2).unwrap(), items.iter().map(|n| n * 2).collect::<Vec<_>>());
        assert_eq!(parallel_map(&[7], |n| n + 1), Ok(vec![8]));
        assert_eq!(parallel_map(&[], |n: &u8| *n), Ok(vec![]));
    }

    #[test]
    fn a_panic_is_an_error_on_one_thread_and_on_many() {
        assert_eq!(parallel_map(&[1], |_| -> u8 { panic!("secret payload") }), Err(WorkerPanicked));
        let items: Vec<u32> = (0..64).collect();
        assert_eq!(parallel_map(&items, |n| assert_ne!(*n, 33)), Err(WorkerPanicked));
    }
}
