//! Catches panics of third-party code on purpose, where hostile input could otherwise cause one.
//!
//! The panic hook prints where a panic happened, since that is a bug in sealwave. For panics caught here, it prints
//! nothing: the caller returns an error with its own position. The panic payload is dropped: it may contain input.
//!
//! Only a single call of third-party code belongs inside `catch_panic()`, never code of ours. It only covers the
//! calling thread, not threads started inside.

use std::cell::Cell;
use std::panic::{AssertUnwindSafe, catch_unwind};

thread_local! {
    /// The nesting of [`catch_panic`] calls in this thread.
    static DEPTH: Cell<usize> = const { Cell::new(0) };
}

/// The error of a panicked call. State that it had borrowed mutably may be inconsistent and must not be used again.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct CaughtPanic;

/// Calls code that may panic, without output of the panic hook.
pub(crate) fn catch_panic<T>(work: impl FnOnce() -> T) -> Result<T, CaughtPanic> {
    let _guard = CatchGuard::enter();
    catch_unwind(AssertUnwindSafe(work)).map_err(|_| CaughtPanic)
}

/// Reports whether a panic of this thread will be caught by `catch`. For the panic hook.
pub fn is_expected() -> bool {
    // A thread that is about to end has no such variable, and is in no call.
    DEPTH.try_with(Cell::get).is_ok_and(|depth| depth > 0)
}

/// Marks a call in progress; dropped when the call ends in any way.
struct CatchGuard;

impl CatchGuard {
    fn enter() -> Self {
        DEPTH.set(DEPTH.get().saturating_add(1));
        Self
    }
}

impl Drop for CatchGuard {
    fn drop(&mut self) {
        DEPTH.set(DEPTH.get().saturating_sub(1));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_panic_is_only_expected_inside() {
        assert_eq!(catch_panic(|| 7), Ok(7));
        assert_eq!(catch_panic(|| -> u8 { panic!("secret payload") }), Err(CaughtPanic));
        assert!(!is_expected(), "the call is over");
        assert_eq!(catch_panic(is_expected), Ok(true));
        let nested = catch_panic(|| (catch_panic(|| -> u8 { panic!("secret payload") }), is_expected()));
        assert_eq!(nested, Ok((Err(CaughtPanic), true)), "the outer call continues");
        assert!(!is_expected());
        let elsewhere = catch_panic(|| std::thread::spawn(is_expected).join());
        assert_eq!(elsewhere.map(Result::ok), Ok(Some(false)), "another thread is not within");
    }
}
