//! A request to the server and its response: bounded, never redirected, and checked only by its status.

use std::net::IpAddr;
use std::path::{Path, PathBuf};
use std::time::Duration;

use reqwest::header::{CONTENT_TYPE, HeaderMap, HeaderName, HeaderValue, LOCATION, RETRY_AFTER};
use reqwest::{Certificate, Client, Method, Proxy, Response, Url, redirect};
use zeroize::Zeroizing;

use super::path;
use super::settings::VaultSettings;
use super::settings_error::VaultSettingsError;
use crate::ProviderError;
use crate::remote::retry::{self, AttemptError};
use crate::remote::{authorities, proxy, runtime, tls};

/// The largest response in bytes; a secret in Vault's own storage has at most one MiB.
const MAX_ANSWER: usize = 8 << 20;

/// The timeout of one attempt.
const ATTEMPT: Duration = Duration::from_secs(10);

const CONNECT: Duration = Duration::from_secs(5);

const TOKEN: HeaderName = HeaderName::from_static("x-vault-token");
const NAMESPACE: HeaderName = HeaderName::from_static("x-vault-namespace");
/// A Vault Agent may require this header.
const REQUEST: HeaderName = HeaderName::from_static("x-vault-request");

/// The address of the server in the operator file.
#[derive(Clone, Debug)]
pub(super) struct ServerAddress {
    base: Url,
    ca_file: Option<PathBuf>,
    namespace: Option<HeaderValue>,
    proxy: Option<String>,
}

impl ServerAddress {
    /// Checks the settings of the address.
    ///
    /// # Errors
    /// A setting is not valid.
    pub(super) fn new(settings: &VaultSettings, operator_dir: &Path) -> Result<Self, VaultSettingsError> {
        let base = Url::parse(&settings.address)
            .ok()
            .filter(|url| url.has_host() && matches!(url.scheme(), "http" | "https"))
            .ok_or(VaultSettingsError::BadAddress)?;
        if !base.username().is_empty() || base.password().is_some() {
            return Err(VaultSettingsError::AddressWithLogin);
        }
        if base.query().is_some() || base.fragment().is_some() {
            return Err(VaultSettingsError::AddressWithQuery);
        }
        if base.scheme() == "http" && !settings.allow_http && !is_loopback(&base) {
            return Err(VaultSettingsError::PlainHttp);
        }
        let namespace = settings.namespace.as_deref().map(|name| {
            let name = Some(name.trim_matches('/')).filter(|name| path::path_problem(name).is_none());
            name.and_then(|name| HeaderValue::from_str(name).ok()).ok_or(VaultSettingsError::BadNamespace)
        });
        if settings.proxy.as_deref().is_some_and(|url| !proxy::is_valid(url)) {
            return Err(VaultSettingsError::BadProxy);
        }
        if settings.proxy.is_some() && base.scheme() == "http" {
            return Err(VaultSettingsError::ProxyForPlainHttp);
        }
        let ca_file = settings.ca_file.as_ref().map(|file| operator_dir.join(file));
        Ok(Self { base, ca_file, namespace: namespace.transpose()?, proxy: settings.proxy.clone() })
    }
}

fn is_loopback(url: &Url) -> bool {
    let host = url.host_str().unwrap_or_default().trim_matches(['[', ']']);
    host == "localhost" || host.parse::<IpAddr>().is_ok_and(|address| address.is_loopback())
}

/// A connection to the server.
pub(super) struct VaultApi {
    base: Url,
    http: Client,
}

/// A response that is not transient.
pub(super) struct VaultResponse {
    pub(super) status: u16,
    pub(super) body: Zeroizing<Vec<u8>>,
}

impl VaultApi {
    /// Creates a client.
    ///
    /// # Errors
    /// The certificates cannot be used.
    pub(super) fn new(address: &ServerAddress) -> Result<Self, ProviderError> {
        runtime::install_crypto();
        let mut headers = HeaderMap::from_iter([(REQUEST, HeaderValue::from_static("true"))]);
        headers.extend(address.namespace.clone().map(|namespace| (NAMESPACE, namespace)));
        let mut builder = Client::builder()
            .connect_timeout(CONNECT)
            .default_headers(headers)
            .redirect(redirect::Policy::none())
            // Ignore the proxy of the environment.
            .no_proxy()
            .user_agent(concat!("sealwave/", env!("CARGO_PKG_VERSION")));
        let unusable = |_| {
            ProviderError::unreachable(
                "TLS cannot be set up",
                "set `caFile` to the certificates of the CA, or install those of the system",
            )
        };
        if address.base.scheme() == "http" {
            // System certificates are not needed.
            builder = builder.tls_certs_only([]);
        } else if let Some(file) = &address.ca_file {
            let certificates =
                Certificate::from_pem_bundle(&authorities::read_ca_file(file)?).map_err(unusable)?;
            builder = builder.tls_certs_only(certificates);
        }
        if let Some(url) = &address.proxy {
            builder = builder.proxy(Proxy::https(url).map_err(unusable)?);
        }
        let http = builder.build().map_err(unusable)?;
        Ok(Self { base: address.base.clone(), http })
    }

    /// Sends one request. `path` is literal, without `v1/`.
    ///
    /// # Errors
    /// The server does not respond, or the response is transient.
    pub(super) async fn send(
        &self,
        method: Method,
        path: &str,
        query: Option<&str>,
        token: Option<&HeaderValue>,
        body: Option<&[u8]>,
    ) -> Result<VaultResponse, AttemptError> {
        let url = self.url(path, query);
        let mut request = self.http.request(method, url.clone());
        if let Some(token) = token {
            request = request.header(TOKEN, token);
        }
        if let Some(body) = body {
            request = request.header(CONTENT_TYPE, "application/json").body(body.to_vec());
        }
        let answer = async {
            let response = request.send().await.map_err(|error| connection_error(&error))?;
            check_status(&url, &response)?;
            read(response).await
        };
        tokio::time::timeout(ATTEMPT, answer).await.unwrap_or_else(|_| {
            let reason = format!("the server did not respond within {} seconds", ATTEMPT.as_secs());
            Err(AttemptError::transient(ProviderError::unreachable(reason, ADDRESS_HINT)))
        })
    }

    fn url(&self, path: &str, query: Option<&str>) -> Url {
        let mut url = self.base.clone();
        url.set_path(&format!("{}/v1/{}", self.base.path().trim_end_matches('/'), path::encode(path)));
        url.set_query(query);
        url
    }
}

const ADDRESS_HINT: &str = "check that the server is up and that `address` in the operator file is correct";

/// Rejects responses that do not answer the request.
fn check_status(asked: &Url, response: &Response) -> Result<(), AttemptError> {
    let status = response.status();
    let header = |name| response.headers().get(name).map(HeaderValue::as_bytes);
    if status.is_redirection() {
        return Err(redirected(asked, header(LOCATION)));
    }
    // 412: the replica does not have the token's state yet.
    if retry::is_transient(status.as_u16()) || status.as_u16() == 412 {
        let (reason, hint) = match status.as_u16() {
            429 => ("the server is rate limiting requests (429)".to_owned(), "check its rate limit quotas"),
            503 => {
                ("the server is sealed or out of service (503)".to_owned(), "check it with `vault status`")
            }
            other => (format!("the server failed ({other})"), "check the server's log"),
        };
        let after = retry::retry_after(header(RETRY_AFTER));
        return Err(AttemptError::Transient { error: ProviderError::unreachable(reason, hint), after });
    }
    // 204 has no content and so no content type.
    if status.is_success() && status.as_u16() != 204 && !is_json(header(CONTENT_TYPE)) {
        return Err(ProviderError::invalid(
            "the server's response is not JSON",
            "check that `address` is the address of the API",
        )
        .into());
    }
    Ok(())
}

/// Converts a redirect to an error. A standby may redirect to the same URL at a load balancer, which may choose another
/// server next time, so that is transient. The token never follows any other redirect.
fn redirected(asked: &Url, location: Option<&[u8]>) -> AttemptError {
    let location = location.and_then(|bytes| std::str::from_utf8(bytes).ok());
    let target = location.and_then(|location| asked.join(location).ok());
    let is_same_url =
        target.is_some_and(|target| target.origin() == asked.origin() && target.path() == asked.path());
    if is_same_url {
        let hint = "let its standbys forward requests, or point `address` at the active server";
        AttemptError::transient(ProviderError::unreachable("the server is a standby that redirects", hint))
    } else {
        let hint =
            "redirects are not followed; set `address` to their target, if you trust it with the token";
        AttemptError::Final(ProviderError::unreachable("the server redirects to another address", hint))
    }
}

fn is_json(content_type: Option<&[u8]>) -> bool {
    let kind = content_type.unwrap_or_default().split(|byte| *byte == b';').next().unwrap_or_default();
    kind.trim_ascii().eq_ignore_ascii_case(b"application/json")
}

async fn read(mut response: Response) -> Result<VaultResponse, AttemptError> {
    let status = response.status().as_u16();
    let expected = response.content_length().unwrap_or(0);
    let capacity = usize::try_from(expected).unwrap_or(usize::MAX).min(MAX_ANSWER);
    let mut body = Zeroizing::new(Vec::with_capacity(capacity));
    while let Some(chunk) = response.chunk().await.map_err(|error| connection_error(&error))? {
        if body.len() + chunk.len() > MAX_ANSWER {
            return Err(ProviderError::invalid(
                format!("the server's response is larger than {} MiB", MAX_ANSWER >> 20),
                "a Secret contains at most one MiB",
            )
            .into());
        }
        body.extend_from_slice(&chunk);
    }
    Ok(VaultResponse { status, body })
}

/// Converts a connection error. Its own text is not used, since it contains the URL.
fn connection_error(error: &reqwest::Error) -> AttemptError {
    if let Some(handshake) = tls::HandshakeError::find_in(error) {
        let trust = "set `caFile` of this provider in the operator file to the certificates of its CA";
        return handshake
            .to_provider_error("the server", "`address` of this provider in the operator file", trust)
            .into();
    }
    let reason = if error.is_dns() {
        "the server's name cannot be resolved"
    } else if error.is_timeout() {
        "the server did not respond in time"
    } else if error.is_connect() {
        "the server does not accept connections"
    } else {
        "the connection was closed before the response was complete"
    };
    AttemptError::transient(ProviderError::unreachable(reason, ADDRESS_HINT))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn url(text: &str) -> Url {
        Url::parse(text).expect("a URL")
    }

    #[test]
    fn only_a_redirect_to_the_same_url_is_retried() {
        let asked = url("https://vault:8200/v1/secret/data/a?version=1");
        let is_retried = |location: &str| {
            matches!(redirected(&asked, Some(location.as_bytes())), AttemptError::Transient { .. })
        };
        assert!(is_retried("https://vault:8200/v1/secret/data/a?version=1"));
        assert!(is_retried("/v1/secret/data/a"));
        for location in [
            "http://vault:8200/v1/secret/data/a",
            "https://vault/v1/secret/data/a",
            "https://vault.evil:8200/v1/secret/data/a",
            "//evil/v1/secret/data/a",
            "https://vault:8200/v1/secret/data/b",
            "https://vault:8200@evil/v1/secret/data/a",
            "\u{1}x",
        ] {
            assert!(!is_retried(location), "{location}");
        }
        assert!(matches!(redirected(&asked, None), AttemptError::Final(_)));
    }

    #[test]
    fn loopback_hosts_are_recognized() {
        for host in ["localhost", "127.0.0.1", "127.1.2.3", "[::1]"] {
            assert!(is_loopback(&url(&format!("http://{host}:8200"))), "{host}");
        }
        for host in ["localhost.evil", "10.0.0.1", "[::2]", "0.0.0.0", "127.0.0.1.nip.io"] {
            assert!(!is_loopback(&url(&format!("http://{host}:8200"))), "{host}");
        }
    }
}
