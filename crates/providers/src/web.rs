//! Requests to addresses that people at a workstation name: a certificate, a notification hook.
//!
//! An address may be a secret itself, as that of a Slack hook is, so messages have its host only. Redirects are not followed,
//! responses are bounded, and their text is never shown. Like other tools at a workstation, this uses the proxy of the
//! environment. The pipeline that Argo CD runs never uses this.

use std::net::IpAddr;
use std::time::{Duration, Instant};

use reqwest::header::{CONTENT_TYPE, HeaderValue, RETRY_AFTER};
use reqwest::{Client, Method, RequestBuilder, Response, Url, redirect};

use crate::ProviderError;
use crate::remote::retry::{self, AttemptError, RetryPolicy};
use crate::remote::runtime::{self, RuntimeError};
use crate::remote::tls;

const CONNECT: Duration = Duration::from_secs(5);

/// The timeout of one attempt.
const ATTEMPT: Duration = Duration::from_secs(10);

/// An address to which a request may be sent: https, or http to this machine.
#[derive(Clone)]
pub struct WebAddress(Url);

/// A text that is not such an address.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum WebAddressError {
    /// The address is not a URL with a host.
    #[error("address is not an http or https URL")]
    NotUrl,
    /// The request could be read in transit.
    #[error("address is not https, so requests could be read in transit")]
    PlainHttp,
    /// The address contains a user name.
    #[error("address contains a user name or a password")]
    WithLogin,
}

impl WebAddress {
    /// Parses an address.
    ///
    /// # Errors
    /// The text is not an address to which a request may be sent.
    pub fn parse(text: &str) -> Result<Self, WebAddressError> {
        let address = Self::parse_public(text)?;
        if address.is_protected() { Ok(address) } else { Err(WebAddressError::PlainHttp) }
    }

    /// Parses the address of a public document, whose request may be read in transit. A network that can read it can also replace the
    /// document: callers warn unless [`Self::is_protected`].
    ///
    /// # Errors
    /// The text is not an address.
    pub fn parse_public(text: &str) -> Result<Self, WebAddressError> {
        let url = Url::parse(text.trim()).ok().filter(Url::has_host).ok_or(WebAddressError::NotUrl)?;
        if !url.username().is_empty() || url.password().is_some() {
            return Err(WebAddressError::WithLogin);
        }
        if ["http", "https"].contains(&url.scheme()) { Ok(Self(url)) } else { Err(WebAddressError::NotUrl) }
    }

    /// Reports whether the network in between can neither read nor replace what is sent: https, or http to this machine.
    #[must_use]
    pub fn is_protected(&self) -> bool {
        self.0.scheme() == "https" || is_loopback(&self.0)
    }

    /// Returns the host, for messages.
    #[must_use]
    pub fn host(&self) -> &str {
        self.0.host_str().unwrap_or_default()
    }

    /// Posts a JSON document. The response is discarded.
    ///
    /// # Errors
    /// The host does not accept it before the deadline.
    pub fn post_json(&self, body: &[u8], deadline: Instant) -> Result<(), ProviderError> {
        let send = |client: &Client| {
            client
                .request(Method::POST, self.0.clone())
                .header(CONTENT_TYPE, "application/json")
                .body(body.to_vec())
        };
        self.request(send, 0, deadline).map(drop)
    }

    /// Gets a document of at most `limit` bytes.
    ///
    /// # Errors
    /// The host does not return one before the deadline.
    pub fn get(&self, limit: usize, deadline: Instant) -> Result<Vec<u8>, ProviderError> {
        self.request(|client| client.request(Method::GET, self.0.clone()), limit, deadline)
    }

    fn request(
        &self,
        build: impl Fn(&Client) -> RequestBuilder,
        limit: usize,
        deadline: Instant,
    ) -> Result<Vec<u8>, ProviderError> {
        let client = self.client()?;
        let attempt = || async {
            let answer = async {
                let response = build(&client).send().await.map_err(|error| self.connection_error(&error))?;
                self.check_status(&response)?;
                self.read(response, limit).await
            };
            tokio::time::timeout(ATTEMPT, answer).await.unwrap_or_else(|_| {
                let reason =
                    format!("`{}` did not respond within {} seconds", self.host(), ATTEMPT.as_secs());
                Err(AttemptError::transient(ProviderError::unreachable(reason, HINT)))
            })
        };
        match runtime::run(deadline, |end| retry::retry(end, RetryPolicy::default(), attempt)) {
            Ok(result) => result,
            Err(RuntimeError::DeadlineExceeded) => Err(ProviderError::unreachable(
                format!("`{}` did not respond before the deadline", self.host()),
                HINT,
            )),
            Err(RuntimeError::NotStarted(kind)) => {
                Err(ProviderError::cannot_start("the network runtime", kind))
            }
        }
    }

    fn client(&self) -> Result<Client, ProviderError> {
        runtime::install_crypto();
        let mut builder = Client::builder()
            .connect_timeout(CONNECT)
            .redirect(redirect::Policy::none())
            .user_agent(concat!("sealwave/", env!("CARGO_PKG_VERSION")));
        if self.0.scheme() == "http" {
            // System certificates are not needed.
            builder = builder.tls_certs_only([]);
        }
        builder.build().map_err(|_| {
            ProviderError::unreachable("TLS cannot be set up", "install the certificates of the system")
        })
    }

    fn check_status(&self, response: &Response) -> Result<(), AttemptError> {
        let status = response.status();
        if status.is_success() {
            return Ok(());
        }
        let error = if status.is_redirection() {
            ProviderError::unreachable(
                format!("`{}` redirects to another address", self.host()),
                "redirects are not followed; name their target, if you trust it",
            )
        } else {
            ProviderError::unreachable(
                format!("`{}` responded with status {}", self.host(), status.as_u16()),
                HINT,
            )
        };
        if retry::is_transient(status.as_u16()) {
            let after = retry::retry_after(response.headers().get(RETRY_AFTER).map(HeaderValue::as_bytes));
            return Err(AttemptError::Transient { error, after });
        }
        Err(error.into())
    }

    async fn read(&self, mut response: Response, limit: usize) -> Result<Vec<u8>, AttemptError> {
        let mut body = Vec::new();
        if limit == 0 {
            return Ok(body);
        }
        while let Some(chunk) = response.chunk().await.map_err(|error| self.connection_error(&error))? {
            if body.len() + chunk.len() > limit {
                let reason = format!("the response of `{}` is larger than {limit} bytes", self.host());
                return Err(ProviderError::unreachable(reason, HINT).into());
            }
            body.extend_from_slice(&chunk);
        }
        Ok(body)
    }

    /// Converts a connection error. Its own text is not used, since it contains the URL.
    fn connection_error(&self, error: &reqwest::Error) -> AttemptError {
        let subject = format!("`{}`", self.host());
        if let Some(handshake) = tls::HandshakeError::find_in(error) {
            let trust = "add the certificates of its CA to those of the system";
            return handshake.to_provider_error(&subject, "the address", trust).into();
        }
        let reason = if error.is_timeout() {
            format!("{subject} did not respond in time")
        } else if error.is_connect() {
            format!("{subject} does not accept connections")
        } else {
            format!("the connection to {subject} was closed before the response was complete")
        };
        AttemptError::transient(ProviderError::unreachable(reason, HINT))
    }
}

const HINT: &str = "check the address, and that it can be reached from here";

fn is_loopback(url: &Url) -> bool {
    let host = url.host_str().unwrap_or_default().trim_matches(['[', ']']);
    host == "localhost" || host.parse::<IpAddr>().is_ok_and(|address| address.is_loopback())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn requests_are_sent_by_https_or_to_this_machine() {
        for text in ["https://hooks.example.com/x", "http://localhost:1/x", "http://[::1]/", " https://a\n"] {
            assert!(WebAddress::parse(text).is_ok(), "{text}");
        }
        for (text, error) in [
            ("http://hooks.example.com/x", WebAddressError::PlainHttp),
            ("http://localhost.evil/", WebAddressError::PlainHttp),
            ("https://user:pass@example.com/", WebAddressError::WithLogin),
            ("file:///etc/passwd", WebAddressError::NotUrl),
            ("ftp://example.com/", WebAddressError::NotUrl),
            ("hooks.example.com", WebAddressError::NotUrl),
        ] {
            assert_eq!(WebAddress::parse(text).err(), Some(error), "{text}");
        }
    }
}
