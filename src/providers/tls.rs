//! What the clients of HTTP services share about TLS.

use std::error::Error;
use std::io;

/// Whether a connection failed in the TLS handshake, for a reason that another attempt would meet again: most often a
/// certificate that is not trusted.
pub(super) fn is_handshake_failure(error: &(dyn Error + 'static)) -> bool {
    let mut at = Some(error);
    while let Some(error) = at {
        let inner = error.downcast_ref::<io::Error>().and_then(io::Error::get_ref);
        if error.is::<rustls::Error>() || inner.is_some_and(<dyn std::error::Error + std::marker::Send + std::marker::Sync + 'static>::is::<rustls::Error>) {
            return true;
        }
        at = error.source();
    }
    false
}
