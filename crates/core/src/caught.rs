//! Panics of other people's code that are caught on purpose, where nothing else keeps hostile input from causing one.
//!
//! The panic hook says where a panic happened, since that is a bug of ours. Of one that is caught here it says nothing: the
//! caller turns it into an error with a place of its own. What the panic said is dropped: it may hold what was read.
//!
//! Only a single call of the foreign code belongs within [`catch`], never code of ours. It is for the thread that calls it:
//! threads started within are not covered.

use std::cell::Cell;
use std::panic::{AssertUnwindSafe, catch_unwind};

thread_local! {
    /// How many calls of [`catch`] this thread is in.
    static DEPTH: Cell<usize> = const { Cell::new(0) };
}

/// What was called panicked. Whatever it had borrowed mutably may be half-changed and must not be used again.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Panicked;

/// Calls what may panic; the panic hook keeps silent about it.
pub(crate) fn catch<T>(work: impl FnOnce() -> T) -> Result<T, Panicked> {
    let _within = Within::enter();
    catch_unwind(AssertUnwindSafe(work)).map_err(|_| Panicked)
}

/// Whether a panic of this thread will be caught by [`catch`]. For the panic hook.
pub fn is_expected() -> bool {
    // A thread that is about to end has no such variable any more, and is in no call.
    DEPTH.try_with(Cell::get).is_ok_and(|depth| depth > 0)
}

/// Being within a call, however it ends.
struct Within;

impl Within {
    fn enter() -> Self {
        DEPTH.set(DEPTH.get().saturating_add(1));
        Self
    }
}

impl Drop for Within {
    fn drop(&mut self) {
        DEPTH.set(DEPTH.get().saturating_sub(1));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_panic_is_expected_within_and_nowhere_else() {
        assert_eq!(catch(|| 7), Ok(7));
        assert_eq!(catch(|| -> u8 { panic!("told nobody") }), Err(Panicked));
        assert!(!is_expected(), "the call is over");
        assert_eq!(catch(is_expected), Ok(true));
        let nested = catch(|| (catch(|| -> u8 { panic!("told nobody") }), is_expected()));
        assert_eq!(nested, Ok((Err(Panicked), true)), "the outer call goes on");
        assert!(!is_expected());
        let elsewhere = catch(|| std::thread::spawn(is_expected).join());
        assert_eq!(elsewhere.map(Result::ok), Ok(Some(false)), "another thread is not within");
    }
}
