//! The HTTP client of all calls of a session: whom it trusts, and the proxy it goes through, are the operator's words.
//!
//! Certificates are looked for when the first https call is made, and once. What is plain HTTP goes past the proxy: that
//! is the node's own agent for credentials, or an emulator. A TLS handshake that failed is not tried again, since it
//! would fail again, where the SDK would go on for as long as it may.

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
use aws_smithy_runtime_api::client::orchestrator::HttpRequest;
use aws_smithy_runtime_api::client::result::ConnectorError;
use aws_smithy_runtime_api::client::runtime_components::RuntimeComponents;

use crate::tls::Handshake;
use crate::{ProviderError, authorities};

/// A client that trusts the certificates of `ca_file`, or those of the system, and goes through `proxy`.
///
/// # Errors
/// The certificates or the proxy cannot be used.
pub(super) fn new(ca_file: Option<&Path>, proxy: Option<&str>) -> Result<SharedHttpClient, ProviderError> {
    let trust = match ca_file {
        Some(file) => TrustStore::empty().with_pem_certificate(authorities::read(file)?),
        None => TrustStore::default(),
    };
    let unusable =
        || ProviderError::invalid("TLS or its `proxy` cannot be set up", "correct it in the operator file");
    let context = TlsContext::builder().with_trust_store(trust).build().map_err(|_| unusable())?;
    let proxy = proxy.map(ProxyConfig::https).transpose().map_err(|_| unusable())?;
    Ok(SharedHttpClient::new(Client { ways: Arc::new(Ways { context, proxy }), known: Mutex::default() }))
}

/// What all connections have in common.
#[derive(Debug)]
struct Ways {
    context: TlsContext,
    proxy: Option<ProxyConfig>,
}

/// How long a connection, and the wait for an answer, may take: what tells connectors apart.
type Limits = (Option<Duration>, Option<Duration>);

#[derive(Debug)]
struct Client {
    ways: Arc<Ways>,
    /// Connections are kept in their connector, so each is made once.
    known: Mutex<Vec<(Limits, SharedHttpConnector)>>,
}

impl HttpClient for Client {
    fn http_connector(
        &self,
        settings: &HttpConnectorSettings,
        components: &RuntimeComponents,
    ) -> SharedHttpConnector {
        let limits = (settings.connect_timeout(), settings.read_timeout());
        let mut known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some((_, connector)) = known.iter().find(|(other, _)| *other == limits) {
            return connector.clone();
        }
        let mut builder = Connector::builder().connector_settings(settings.clone());
        builder.set_sleep_impl(components.sleep_impl());
        let connector = SharedHttpConnector::new(ByScheme {
            ways: Arc::clone(&self.ways),
            builder,
            plain: OnceLock::new(),
            encrypted: OnceLock::new(),
        });
        known.push((limits, connector.clone()));
        connector
    }
}

/// Takes each request the way of its scheme.
#[derive(Debug)]
struct ByScheme {
    ways: Arc<Ways>,
    builder: ConnectorBuilder,
    plain: OnceLock<SharedHttpConnector>,
    encrypted: OnceLock<SharedHttpConnector>,
}

impl ByScheme {
    fn encrypted(&self) -> SharedHttpConnector {
        let mut builder = self.builder.clone().tls_provider(Provider::Rustls(CryptoMode::Ring));
        builder.set_tls_context(self.ways.context.clone());
        builder.set_proxy_config(self.ways.proxy.clone());
        SharedHttpConnector::new(builder.build())
    }
}

impl HttpConnector for ByScheme {
    fn call(&self, request: HttpRequest) -> HttpConnectorFuture {
        if request.uri().starts_with("http://") {
            let plain = || SharedHttpConnector::new(self.builder.clone().build_http());
            return self.plain.get_or_init(plain).call(request);
        }
        let answer = self.encrypted.get_or_init(|| self.encrypted()).call(request);
        HttpConnectorFuture::new(async move { answer.await.map_err(settled) })
    }
}

/// Keeps a handshake's failure from being taken for one that passes.
fn settled(error: ConnectorError) -> ConnectorError {
    if Handshake::of(&error).is_some() { ConnectorError::other(Box::new(error), None) } else { error }
}
