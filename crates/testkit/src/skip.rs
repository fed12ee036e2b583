//! Reports skipped tests visibly.
//!
//! Shared by the tests of all crates; uses only the standard library.

use std::io::Write as _;
use std::thread;

/// Reports on standard error that this test is skipped, and why. The test harness captures the print macros in passing
/// tests, so this bypasses them.
pub fn skipped(why: &str) {
    let current = thread::current();
    let line = format!("test {} skipped: {why}\n", current.name().unwrap_or("(unnamed)"));
    // A closed standard error must not fail the test.
    let _ = std::io::stderr().write_all(line.as_bytes());
}
