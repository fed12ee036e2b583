//! A response of a service behind the API server.

use zeroize::Zeroizing;

/// A response to a request through a service: its status, and its body if the status is 200.
pub struct ProxyReply {
    /// The status of the service behind the API server.
    pub status: u16,
    /// The body, erased after use.
    pub body: Zeroizing<Vec<u8>>,
}
