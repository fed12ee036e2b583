//! The HTTP client of a session. The operator configures its trusted certificates and its proxy.
//!
//! Certificates are loaded once, at the first https call. Plain HTTP bypasses the proxy: it is the node's own credential
//! agent, or an emulator. A failed TLS handshake is not retried, since it would fail again; the SDK alone would retry it
//! until the deadline.

use std::path::Path;
use std::sync::{Arc, Mutex, OnceLock, PoisonError};
use std::time::Duration;

use aws_smithy_http_client::proxy::ProxyConfig;
use aws_smithy_http_client::tls::rustls_provider::CryptoMode;
use aws_smithy_http_client::tls::{Provider, TlsContext, TrustStore};
use aws_smithy_http_client::{Connector, ConnectorBuilder};
use aws_smithy_runtime_api::client::http::{
    HttpClient, HttpConnector, HttpConnectorFuture, HttpConnectorSettings, SharedHttpClient,
    SharedHttpConnector,
};
use aws_smithy_runtime_api::client::orchestrator::{HttpRequest, HttpResponse};
use aws_smithy_runtime_api::client::result::ConnectorError;
use aws_smithy_runtime_api::client::runtime_components::RuntimeComponents;
use aws_smithy_types::body::SdkBody;
use http_body_util::Limited;

use crate::ProviderError;
use crate::remote::authorities;
use crate::remote::tls::HandshakeError;

/// The most bytes of a response: 20 secrets of 64 KiB, each character escaped, are half of it.
const MAX_RESPONSE: usize = 16 << 20;

/// Creates a client that trusts the certificates in `ca_file`, or those of the system, and uses `proxy`.
///
/// # Errors
/// The certificates or the proxy cannot be used.
pub(super) fn new(ca_file: Option<&Path>, proxy: Option<&str>) -> Result<SharedHttpClient, ProviderError> {
    let options = Arc::new(ConnectorOptions::new(ca_file, proxy)?);
    Ok(SharedHttpClient::new(CachingClient { options, connectors: Mutex::default() }))
}

/// Creates a connector with the same trust and proxy, for requests that the SDK does not send. It has no timeouts.
///
/// # Errors
/// The certificates or the proxy cannot be used.
pub(super) fn connector(
    ca_file: Option<&Path>,
    proxy: Option<&str>,
) -> Result<SharedHttpConnector, ProviderError> {
    let options = Arc::new(ConnectorOptions::new(ca_file, proxy)?);
    Ok(SharedHttpConnector::new(SchemeConnector {
        options,
        builder: Connector::builder(),
        plain: OnceLock::new(),
        encrypted: OnceLock::new(),
    }))
}

/// The options that all connectors share.
#[derive(Debug)]
struct ConnectorOptions {
    context: TlsContext,
    proxy: Option<ProxyConfig>,
}

impl ConnectorOptions {
    fn new(ca_file: Option<&Path>, proxy: Option<&str>) -> Result<Self, ProviderError> {
        let trust = match ca_file {
            Some(file) => TrustStore::empty().with_pem_certificate(authorities::read_ca_file(file)?),
            None => TrustStore::default(),
        };
        let unusable =
            || ProviderError::invalid("TLS or `proxy` cannot be set up", "correct it in the operator file");
        let context = TlsContext::builder().with_trust_store(trust).build().map_err(|_| unusable())?;
        let proxy = proxy.map(ProxyConfig::https).transpose().map_err(|_| unusable())?;
        Ok(Self { context, proxy })
    }
}

/// The connect and read timeouts, by which connectors are cached.
type ConnectorTimeouts = (Option<Duration>, Option<Duration>);

/// A client that keeps one connector for each pair of timeouts.
#[derive(Debug)]
struct CachingClient {
    options: Arc<ConnectorOptions>,
    /// Each connector pools its connections, so it is created once.
    connectors: Mutex<Vec<(ConnectorTimeouts, SharedHttpConnector)>>,
}

impl HttpClient for CachingClient {
    fn http_connector(
        &self,
        settings: &HttpConnectorSettings,
        components: &RuntimeComponents,
    ) -> SharedHttpConnector {
        let timeouts = (settings.connect_timeout(), settings.read_timeout());
        let mut connectors = self.connectors.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some((_, connector)) = connectors.iter().find(|(other, _)| *other == timeouts) {
            return connector.clone();
        }
        let mut builder = Connector::builder().connector_settings(settings.clone());
        builder.set_sleep_impl(components.sleep_impl());
        let connector = SharedHttpConnector::new(SchemeConnector {
            options: Arc::clone(&self.options),
            builder,
            plain: OnceLock::new(),
            encrypted: OnceLock::new(),
        });
        connectors.push((timeouts, connector.clone()));
        connector
    }
}

/// A connector that routes each request by its scheme.
#[derive(Debug)]
struct SchemeConnector {
    options: Arc<ConnectorOptions>,
    builder: ConnectorBuilder,
    plain: OnceLock<SharedHttpConnector>,
    encrypted: OnceLock<SharedHttpConnector>,
}

impl SchemeConnector {
    fn encrypted(&self) -> SharedHttpConnector {
        let mut builder = self.builder.clone().tls_provider(Provider::Rustls(CryptoMode::Ring));
        builder.set_tls_context(self.options.context.clone());
        builder.set_proxy_config(self.options.proxy.clone());
        SharedHttpConnector::new(builder.build())
    }
}

impl HttpConnector for SchemeConnector {
    fn call(&self, request: HttpRequest) -> HttpConnectorFuture {
        let answer = if request.uri().starts_with("http://") {
            let plain = || SharedHttpConnector::new(self.builder.clone().build_http());
            self.plain.get_or_init(plain).call(request)
        } else {
            self.encrypted.get_or_init(|| self.encrypted()).call(request)
        };
        HttpConnectorFuture::new(async move { answer.await.map(bounded).map_err(without_retry) })
    }
}

/// Ends a response that is larger than any of AWS: the SDK keeps all of it in memory.
fn bounded(response: HttpResponse) -> HttpResponse {
    response.map(|body| SdkBody::from_body_1_x(Limited::new(body, MAX_RESPONSE)))
}

/// Marks a handshake failure as permanent, so that the SDK does not retry it.
fn without_retry(error: ConnectorError) -> ConnectorError {
    if HandshakeError::find_in(&error).is_some() {
        ConnectorError::other(Box::new(error), None)
    } else {
        error
    }
}
