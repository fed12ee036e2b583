//! The cluster of a request as messages name it, without credentials.

use std::fmt;

#[cfg(feature = "k8s")]
use sealwave_core::diagnostic::{printable, truncate};

/// The server and the context that a client talks to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ClusterPeer {
    /// The address of the API server, without user, password and query.
    pub server: String,
    /// The context of the kubeconfig; `None` for the service account of the pod.
    pub context: Option<String>,
}

impl ClusterPeer {
    /// Returns the peer of an address. Everything but scheme, host, port and path is left out.
    #[cfg(feature = "k8s")]
    pub(crate) fn new(address: &http::Uri, context: Option<&str>) -> Self {
        let scheme = address.scheme_str().unwrap_or("https");
        let host = address.host().unwrap_or_default();
        let port = address.port_u16().map(|port| format!(":{port}")).unwrap_or_default();
        let path = address.path().trim_end_matches('/');
        Self {
            server: truncate(printable(format!("{scheme}://{host}{port}{path}"))),
            context: context.map(|context| truncate(printable(context))),
        }
    }
}

impl fmt::Display for ClusterPeer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "server `{}`, ", self.server)?;
        match &self.context {
            Some(context) => write!(f, "context `{context}`"),
            None => f.write_str("service account of the pod"),
        }
    }
}

#[cfg(all(test, feature = "k8s"))]
mod tests {
    use super::*;

    #[test]
    fn an_address_is_named_without_credentials() {
        for (address, shown) in [
            ("https://api.example:6443", "https://api.example:6443"),
            ("https://api.example/k8s/clusters/c-1/", "https://api.example/k8s/clusters/c-1"),
            ("https://user:CANARY@api.example:6443/?token=CANARY", "https://api.example:6443"),
            ("https://CANARY@[::1]:6443/x?CANARY", "https://[::1]:6443/x"),
        ] {
            let peer =
                ClusterPeer::new(&address.parse().expect("an address"), Some("a\u{1b}[2J\n::error::b"));
            assert_eq!(peer.server, shown);
            let text = peer.to_string();
            assert!(!text.contains("CANARY") && !text.chars().any(char::is_control), "{text}");
        }
    }

    #[test]
    fn a_long_context_is_shortened() {
        let peer = ClusterPeer::new(&"https://a".parse().expect("an address"), Some(&"x".repeat(5 << 20)));
        assert!(peer.to_string().len() < 5000, "{}", peer.to_string().len());
        let pod = ClusterPeer::new(&"https://a".parse().expect("an address"), None);
        assert_eq!(pod.to_string(), "server `https://a`, service account of the pod");
    }
}
