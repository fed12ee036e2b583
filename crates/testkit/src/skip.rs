//! Saying that a test was skipped, where whoever runs the tests sees it.
//!
//! Shared by the crate's own tests and by tests of the binary; only the standard library.

use std::io::Write as _;
use std::thread;

/// Says on standard error that this test is skipped, and why. The test harness holds back what the print macros write in a
/// test that passes, so this writes past it.
pub fn skipped(why: &str) {
    let current = thread::current();
    let line = format!("test {} skipped: {why}\n", current.name().unwrap_or("(unnamed)"));
    // A closed standard error is no reason to fail.
    let _ = std::io::stderr().write_all(line.as_bytes());
}
