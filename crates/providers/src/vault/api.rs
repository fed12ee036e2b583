//! One request to the server, and its answer: bounded, never redirected, and judged by its status alone.

use std::net::IpAddr;
use std::path::{Path, PathBuf};
use std::time::Duration;

use reqwest::header::{CONTENT_TYPE, HeaderMap, HeaderName, HeaderValue, LOCATION, RETRY_AFTER};
use reqwest::{Certificate, Client, Method, Proxy, Response, Url, redirect};
use zeroize::Zeroizing;

use super::super::retry::{self, Failed};
use super::super::{ProviderError, authorities, proxy, runtime, tls};
use super::path;
use sealwave_secrets::settings::VaultSettings;

/// Bytes of an answer; a secret of Vault's own storage holds one MiB at most.
const MAX_ANSWER: usize = 8 << 20;

/// After this, an attempt counts as failed and another one begins.
const ATTEMPT: Duration = Duration::from_secs(10);

const CONNECT: Duration = Duration::from_secs(5);

const TOKEN: HeaderName = HeaderName::from_static("x-vault-token");
const NAMESPACE: HeaderName = HeaderName::from_static("x-vault-namespace");
/// A Vault Agent may be set to refuse what does not send this.
const REQUEST: HeaderName = HeaderName::from_static("x-vault-request");

/// Where the server is, as the operator says it.
#[derive(Clone, Debug)]
pub(super) struct Address {
    base: Url,
    ca_file: Option<PathBuf>,
    namespace: Option<HeaderValue>,
    proxy: Option<String>,
}

impl Address {
    /// # Errors
    /// A setting that cannot be meant; the reason and what to do.
    pub(super) fn new(settings: &VaultSettings, operator_dir: &Path) -> Result<Self, (String, &'static str)> {
        let base = Url::parse(&settings.address)
            .ok()
            .filter(|url| url.has_host() && matches!(url.scheme(), "http" | "https"))
            .ok_or_else(|| ("`address` is no URL of a server".to_owned(), URL_HINT))?;
        if !base.username().is_empty() || base.password().is_some() {
            return Err(("`address` holds a user or a password".to_owned(), "log in with `auth`"));
        }
        if base.query().is_some() || base.fragment().is_some() {
            return Err(("`address` holds a query or a fragment".to_owned(), URL_HINT));
        }
        if base.scheme() == "http" && !settings.allow_http && !is_loopback(&base) {
            return Err((
                "`address` is plain HTTP, so the token and all values could be read on the way".to_owned(),
                "use https, or set `allowHttp: true` if something else protects the connection",
            ));
        }
        let namespace = settings.namespace.as_deref().map(|name| {
            let name = Some(name.trim_matches('/')).filter(|name| path::malformed(name).is_none());
            name.and_then(|name| HeaderValue::from_str(name).ok()).ok_or_else(|| {
                ("`namespace` is not valid".to_owned(), "write it as `vault namespace list` does")
            })
        });
        if settings.proxy.as_deref().is_some_and(|url| !proxy::is_valid(url)) {
            return Err((format!("`proxy` is not {}", proxy::FORM), "correct it in the operator file"));
        }
        if settings.proxy.is_some() && base.scheme() == "http" {
            return Err((
                "`proxy` is set, and `address` is plain HTTP, so the proxy could read the token and all values".to_owned(),
                "use https, or leave `proxy` out",
            ));
        }
        let ca_file = settings.ca_file.as_ref().map(|file| operator_dir.join(file));
        Ok(Self { base, ca_file, namespace: namespace.transpose()?, proxy: settings.proxy.clone() })
    }
}

const URL_HINT: &str = "write it as `VAULT_ADDR` is written, for example `https://vault.example.com:8200`";

fn is_loopback(url: &Url) -> bool {
    let host = url.host_str().unwrap_or_default().trim_matches(['[', ']']);
    host == "localhost" || host.parse::<IpAddr>().is_ok_and(|address| address.is_loopback())
}

/// A connection to the server.
pub(super) struct Api {
    base: Url,
    http: Client,
}

/// What the server said, unless that may change in a moment.
pub(super) struct Answer {
    pub(super) status: u16,
    pub(super) body: Zeroizing<Vec<u8>>,
}

impl Api {
    /// # Errors
    /// The certificates cannot be used.
    pub(super) fn new(address: &Address) -> Result<Self, ProviderError> {
        runtime::install_crypto();
        let mut headers = HeaderMap::from_iter([(REQUEST, HeaderValue::from_static("true"))]);
        headers.extend(address.namespace.clone().map(|namespace| (NAMESPACE, namespace)));
        let mut builder = Client::builder()
            .connect_timeout(CONNECT)
            .default_headers(headers)
            .redirect(redirect::Policy::none())
            // None of the environment's.
            .no_proxy()
            .user_agent(concat!("sealwave/", env!("CARGO_PKG_VERSION")));
        let unusable = |_| {
            ProviderError::unreachable(
                "TLS cannot be set up",
                "name the CA's certificates with `caFile`, or install the system's",
            )
        };
        if address.base.scheme() == "http" {
            // No certificates of the system are needed.
            builder = builder.tls_certs_only([]);
        } else if let Some(file) = &address.ca_file {
            let certificates = Certificate::from_pem_bundle(&authorities::read(file)?).map_err(unusable)?;
            builder = builder.tls_certs_only(certificates);
        }
        if let Some(url) = &address.proxy {
            builder = builder.proxy(Proxy::https(url).map_err(unusable)?);
        }
        let http = builder.build().map_err(unusable)?;
        Ok(Self { base: address.base.clone(), http })
    }

    /// Asks once. `path` is literal, without `v1/`.
    ///
    /// # Errors
    /// There is no answer, or one that may be another in a moment.
    pub(super) async fn send(
        &self,
        method: Method,
        path: &str,
        query: Option<&str>,
        token: Option<&HeaderValue>,
        body: Option<&[u8]>,
    ) -> Result<Answer, Failed> {
        let url = self.url(path, query);
        let mut request = self.http.request(method, url.clone());
        if let Some(token) = token {
            request = request.header(TOKEN, token);
        }
        if let Some(body) = body {
            request = request.header(CONTENT_TYPE, "application/json").body(body.to_vec());
        }
        let answer = async {
            let response = request.send().await.map_err(|error| broken(&error))?;
            judge(&url, &response)?;
            read(response).await
        };
        tokio::time::timeout(ATTEMPT, answer).await.unwrap_or_else(|_| {
            let reason = format!("the server gave no answer within {} seconds", ATTEMPT.as_secs());
            Err(Failed::transient(ProviderError::unreachable(reason, ADDRESS_HINT)))
        })
    }

    fn url(&self, path: &str, query: Option<&str>) -> Url {
        let mut url = self.base.clone();
        url.set_path(&format!("{}/v1/{}", self.base.path().trim_end_matches('/'), path::encode(path)));
        url.set_query(query);
        url
    }
}

const ADDRESS_HINT: &str = "see that the server is up and that `address` in the operator file is right";

/// Sorts out what is no answer to the question.
fn judge(asked: &Url, response: &Response) -> Result<(), Failed> {
    let status = response.status();
    let header = |name| response.headers().get(name).map(HeaderValue::as_bytes);
    if status.is_redirection() {
        return Err(redirected(asked, header(LOCATION)));
    }
    // 412: a replica that has not yet seen what the token was made from.
    if retry::is_transient(status.as_u16()) || status.as_u16() == 412 {
        let (what, hint) = match status.as_u16() {
            429 => ("the server has too many requests (429)".to_owned(), "see to its rate limit quotas"),
            503 => (
                "the server is sealed or out of service (503)".to_owned(),
                "see to it: `vault status` says what it waits for",
            ),
            other => (format!("the server failed ({other})"), "see to the server's log"),
        };
        let after = retry::retry_after(header(RETRY_AFTER));
        return Err(Failed::Transient { error: ProviderError::unreachable(what, hint), after });
    }
    // 204: there is nothing to say, and so no type of it.
    if status.is_success() && status.as_u16() != 204 && !is_json(header(CONTENT_TYPE)) {
        return Err(ProviderError::invalid(
            "the server's answer is no JSON",
            "see that `address` is that of the API itself",
        )
        .into());
    }
    Ok(())
}

/// A standby that redirects to the address of a load balancer, where we came from: it may choose another server
/// next time. Whatever else a redirect means, the token does not go there.
fn redirected(asked: &Url, location: Option<&[u8]>) -> Failed {
    let location = location.and_then(|bytes| std::str::from_utf8(bytes).ok());
    let target = location.and_then(|location| asked.join(location).ok());
    let again =
        target.is_some_and(|target| target.origin() == asked.origin() && target.path() == asked.path());
    if again {
        let hint = "let its standbys forward requests, or direct `address` to the active server";
        Failed::transient(ProviderError::unreachable("the server is a standby that redirects", hint))
    } else {
        let hint =
            "redirects are not followed; set `address` to where they lead, if it is trusted with the token";
        Failed::Final(ProviderError::unreachable("the server redirects to another address", hint))
    }
}

fn is_json(content_type: Option<&[u8]>) -> bool {
    let kind = content_type.unwrap_or_default().split(|byte| *byte == b';').next().unwrap_or_default();
    kind.trim_ascii().eq_ignore_ascii_case(b"application/json")
}

async fn read(mut response: Response) -> Result<Answer, Failed> {
    let status = response.status().as_u16();
    let expected = response.content_length().unwrap_or(0);
    let capacity = usize::try_from(expected).unwrap_or(usize::MAX).min(MAX_ANSWER);
    let mut body = Zeroizing::new(Vec::with_capacity(capacity));
    while let Some(chunk) = response.chunk().await.map_err(|error| broken(&error))? {
        if body.len() + chunk.len() > MAX_ANSWER {
            return Err(ProviderError::invalid(
                format!("the server's answer is larger than {} MiB", MAX_ANSWER >> 20),
                "a Secret holds one MiB at most",
            )
            .into());
        }
        body.extend_from_slice(&chunk);
    }
    Ok(Answer { status, body })
}

/// What a broken connection means. The error's own text is not used: it holds the URL.
fn broken(error: &reqwest::Error) -> Failed {
    if let Some(handshake) = tls::Handshake::of(error) {
        let trust = "name the certificates of its CA with `caFile` of this provider in the operator file";
        return handshake
            .explain("the server", "`address` of this provider in the operator file", trust)
            .into();
    }
    let what = if error.is_dns() {
        "the server's name cannot be resolved"
    } else if error.is_timeout() {
        "the server gave no answer in time"
    } else if error.is_connect() {
        "the server does not take a connection"
    } else {
        "the connection broke before the answer was complete"
    };
    Failed::transient(ProviderError::unreachable(what, ADDRESS_HINT))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn url(text: &str) -> Url {
        Url::parse(text).expect("a URL")
    }

    #[test]
    fn only_the_same_question_at_the_same_server_is_asked_again() {
        let asked = url("https://vault:8200/v1/secret/data/a?version=1");
        let again = |location: &str| {
            matches!(redirected(&asked, Some(location.as_bytes())), Failed::Transient { .. })
        };
        assert!(again("https://vault:8200/v1/secret/data/a?version=1"));
        assert!(again("/v1/secret/data/a"));
        for location in [
            "http://vault:8200/v1/secret/data/a",
            "https://vault/v1/secret/data/a",
            "https://vault.evil:8200/v1/secret/data/a",
            "//evil/v1/secret/data/a",
            "https://vault:8200/v1/secret/data/b",
            "https://vault:8200@evil/v1/secret/data/a",
            "\u{1}x",
        ] {
            assert!(!again(location), "{location}");
        }
        assert!(matches!(redirected(&asked, None), Failed::Final(_)));
    }

    #[test]
    fn this_host_is_known_by_its_names() {
        for host in ["localhost", "127.0.0.1", "127.1.2.3", "[::1]"] {
            assert!(is_loopback(&url(&format!("http://{host}:8200"))), "{host}");
        }
        for host in ["localhost.evil", "10.0.0.1", "[::2]", "0.0.0.0", "127.0.0.1.nip.io"] {
            assert!(!is_loopback(&url(&format!("http://{host}:8200"))), "{host}");
        }
    }
}
