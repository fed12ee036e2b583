//! Waiting for something to become true.

use std::time::{Duration, Instant};

/// The time that anything may take. It is long because a machine may be slow; a test that fails waits for it once.
pub const PATIENCE: Duration = Duration::from_secs(150);

/// Asks until the answer is `Ok`, and panics with the last `Err` when patience ends.
pub fn until<T>(what: &str, ask: impl FnMut() -> Result<T, String>) -> T {
    until_within(PATIENCE, what, ask)
}

/// Like [`until`], with a time of its own.
pub fn until_within<T>(patience: Duration, what: &str, mut ask: impl FnMut() -> Result<T, String>) -> T {
    let start = Instant::now();
    loop {
        match ask() {
            Ok(answer) => return answer,
            Err(state) if start.elapsed() > patience => {
                panic!("gave up after {} s waiting for {what}: {state}", patience.as_secs())
            }
            Err(_) => std::thread::sleep(Duration::from_millis(100)),
        }
    }
}
