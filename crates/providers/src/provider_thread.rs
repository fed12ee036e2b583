//! The threads in which providers work, one for each.

use std::io;
use std::thread::{Builder, Scope, ScopedJoinHandle};

use crate::ProviderError;

/// Stack size of a provider's thread, large enough for parsing files within their limits.
const STACK_BYTES: usize = 16 << 20;

/// Starts the work of a provider.
pub(crate) fn start<'scope, T: Send + 'scope>(
    scope: &'scope Scope<'scope, '_>,
    work: impl FnOnce() -> T + Send + 'scope,
) -> io::Result<ScopedJoinHandle<'scope, T>> {
    Builder::new().stack_size(STACK_BYTES).spawn_scoped(scope, work)
}

/// Waits for the work of a provider. A panic payload may contain a value, so it is dropped unread.
///
/// # Errors
/// The thread could not be started, or panicked.
pub(crate) fn join<T>(thread: io::Result<ScopedJoinHandle<'_, T>>) -> Result<T, ProviderError> {
    match thread.map(ScopedJoinHandle::join) {
        Ok(Ok(result)) => Ok(result),
        Ok(Err(_)) => Err(ProviderError::bug("the provider panicked")),
        Err(error) => Err(ProviderError::cannot_start("a thread", error.kind())),
    }
}
