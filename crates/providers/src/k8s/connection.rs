//! The connection to a cluster: its client, and a request with retries.

use std::net::IpAddr;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, Instant};

use http_body_util::{BodyExt as _, LengthLimitError, Limited};
use kube::api::{GetParams, ListParams, PostParams};
use kube::client::Body;
use kube::config::{AuthInfo, KubeConfigOptions, Kubeconfig};
use kube::{Client, Config};
use sealwave_core::diagnostic::{printable, truncate};
use sealwave_core::text::closest_name;
use secrecy::{ExposeSecret as _, SecretString};
use zeroize::Zeroizing;

use super::request::{ClusterRequest, unexpected_status};
use super::review;
use crate::ProviderError;
use crate::cluster_peer::ClusterPeer;
use crate::remote::retry::{self, AttemptError, RetryPolicy};
use crate::remote::{credential, runtime, tls};

const CONNECT: Duration = Duration::from_secs(5);

/// Definitions per page; a large definition has half a MiB.
const PAGE: u32 = 25;

/// A client with credentials.
#[derive(Clone)]
pub(crate) struct ClusterConnection {
    client: Client,
    peer: Arc<ClusterPeer>,
}

/// The credentials to use.
pub(crate) enum ClusterLogin<'a> {
    /// A kubeconfig that the operator configures, optionally with a context.
    Operator(&'a Path, Option<&'a str>),
    /// The service account of sealwave's pod.
    Pod,
    /// The credentials that kubectl would use from these kubeconfigs; without any, the pod's service account.
    User(&'a [PathBuf], Option<&'a str>),
}

impl ClusterConnection {
    /// Creates a client.
    ///
    /// # Errors
    /// The settings or the credentials cannot be used.
    pub(crate) async fn open(login: ClusterLogin<'_>) -> Result<Self, ProviderError> {
        runtime::install_crypto();
        let is_user = matches!(login, ClusterLogin::User(..));
        let (mut config, context) = login.config().await?;
        let peer = Arc::new(ClusterPeer::new(&config.cluster_url, context.as_deref()));
        // What the operator configures is not shown to the users of an app.
        let named = |error: ProviderError| if is_user { error.with_peer(&peer) } else { error };
        config.connect_timeout = Some(CONNECT);
        config.default_retry = false;
        if config.cluster_url.scheme_str() != Some("https") {
            if !config.cluster_url.host().is_some_and(is_loopback) {
                return Err(named(ProviderError::invalid(
                    "the cluster's address is not https, so the token and all values could be read in transit",
                    "use the https address of its API server",
                )));
            }
            // Without https, system certificates are not needed, and a proxy could read the traffic.
            config.root_cert.get_or_insert_default();
            config.proxy_url = None;
        }
        // A kubeconfig may name an exec plugin, and waiting for it blocks.
        let client = tokio::task::spawn_blocking(|| Client::try_from(config)).await;
        let client = client.ok().and_then(Result::ok).ok_or_else(|| {
            named(ProviderError::unreachable(
                "the credentials for the cluster cannot be used",
                "check the certificates, the token and the exec plugin in the kubeconfig",
            ))
        })?;
        Ok(Self { client, peer })
    }

    /// Returns the server and the context.
    pub(crate) const fn peer(&self) -> &Arc<ClusterPeer> {
        &self.peer
    }

    /// Sends a request and returns the JSON of its response.
    ///
    /// # Errors
    /// The object does not exist or cannot be read.
    pub(super) async fn send(
        &self,
        question: &ClusterRequest<'_>,
        end: Instant,
    ) -> Result<Zeroizing<Vec<u8>>, ProviderError> {
        let patience = question.timeout();
        retry::retry(end, RetryPolicy::default(), || async {
            tokio::time::timeout(patience, self.attempt(question)).await.unwrap_or_else(|_| {
                let reason = format!("the cluster did not respond within {} seconds", patience.as_secs());
                Err(AttemptError::transient(ProviderError::unreachable(reason, API_HINT)))
            })
        })
        .await
    }

    async fn attempt(&self, question: &ClusterRequest<'_>) -> Result<Zeroizing<Vec<u8>>, AttemptError> {
        let create = |kind: &str, body: Vec<u8>| {
            kube::core::Request::new(format!("/apis/{kind}")).create(&PostParams::default(), body)
        };
        let request = match question {
            ClusterRequest::Access { namespace } => {
                create("authorization.k8s.io/v1/selfsubjectaccessreviews", review::access_request(namespace))
            }
            ClusterRequest::Identity => {
                create("authentication.k8s.io/v1/selfsubjectreviews", review::identity_request())
            }
            ClusterRequest::Definitions { page } => {
                let params = ListParams {
                    limit: Some(PAGE),
                    continue_token: page.map(str::to_owned),
                    ..ListParams::default()
                };
                kube::core::Request::new("/apis/apiextensions.k8s.io/v1/customresourcedefinitions")
                    .list(&params)
            }
            ClusterRequest::Secret { namespace, name } => {
                kube::core::Request::new(format!("/api/v1/namespaces/{namespace}/secrets"))
                    .get(name, &GetParams::default())
            }
        };
        let request = request.map_err(|_| question.malformed())?;
        let judge = |status, after| check_status(status, after, question);
        self.exchange(request, question.max_response(), judge, || question.too_large()).await
    }

    /// Sends a request once. The body of the response is read only if `judge` accepts its status.
    ///
    /// # Errors
    /// There is no complete response, `judge` refuses its status, or it is longer than `max` bytes.
    pub(crate) async fn exchange(
        &self,
        request: http::Request<Vec<u8>>,
        max: usize,
        judge: impl Fn(u16, Option<Duration>) -> Result<(), AttemptError>,
        too_large: impl Fn() -> ProviderError,
    ) -> Result<Zeroizing<Vec<u8>>, AttemptError> {
        let response =
            self.client.send(request.map(Body::from)).await.map_err(|error| connection_error(&error))?;
        let after = response.headers().get("retry-after").and_then(|value| value.to_str().ok());
        judge(response.status().as_u16(), retry::retry_after(after.map(str::as_bytes)))?;
        let body = Limited::new(response.into_body(), max).collect().await;
        let body = body.map_err(|error| {
            if error.is::<LengthLimitError>() {
                AttemptError::Final(too_large())
            } else {
                let reason = "the connection was closed before the response was complete";
                AttemptError::transient(ProviderError::unreachable(reason, API_HINT))
            }
        })?;
        Ok(Zeroizing::new(body.to_bytes().to_vec()))
    }
}

pub(crate) const API_HINT: &str = "check that the cluster's API is reachable from here";

impl ClusterLogin<'_> {
    /// Reads the settings of the connection, and the name of its context. Starts and contacts nothing.
    ///
    /// # Errors
    /// The settings cannot be used.
    pub(super) async fn config(self) -> Result<(Config, Option<String>), ProviderError> {
        match self {
            Self::Operator(file, context) => {
                credential::read_file(file, "`kubeconfig`")?;
                let shown = format!("`kubeconfig` `{}`", file.display());
                let kubeconfig = Kubeconfig::read_from(file).map_err(|_| unusable(&shown))?;
                let proxy = configured_proxy(&kubeconfig, context);
                let (mut config, context) = configure(kubeconfig, context, &shown).await?;
                // The library would also use a proxy from the environment.
                config.proxy_url = proxy.map(|url| url.parse()).transpose().map_err(|_| unusable(&shown))?;
                Ok((config, context))
            }
            Self::Pod => in_pod().map_err(|_| {
                ProviderError::unreachable(
                    "the pod has no service account token to log in with",
                    "mount the token in the sidecar, or set `kubeconfig` in the operator file",
                )
            }),
            Self::User([], None) => in_pod().map_err(|_| {
                ProviderError::unreachable(
                    "neither a kubeconfig nor a pod's service account token was found to log in with",
                    "set the file with `--kubeconfig` or `KUBECONFIG`",
                )
            }),
            Self::User([], Some(_)) => Err(ProviderError::invalid(
                "`--context` needs a kubeconfig, and none was found",
                "set the file with `--kubeconfig` or `KUBECONFIG`",
            )),
            Self::User(files, context) => {
                let merged = merge(files)?;
                require_context(&merged, context)?;
                configure(merged, context, "the kubeconfig").await
            }
        }
    }
}

fn in_pod() -> Result<(Config, Option<String>), kube::config::InClusterError> {
    Config::incluster().map(|config| (config, None))
}

/// Merges kubeconfigs by kubectl's rules.
fn merge(files: &[PathBuf]) -> Result<Kubeconfig, ProviderError> {
    let mut merged = Kubeconfig::default();
    for file in files {
        credential::read_file(file, "kubeconfig").map_err(|error| match error {
            ProviderError::Unreachable { reason, .. } => {
                ProviderError::unreachable(reason, "use another one with `--kubeconfig` or `KUBECONFIG`")
            }
            other => other,
        })?;
        let next = Kubeconfig::read_from(file).and_then(|next| merged.merge(next));
        merged = next.map_err(|_| unusable(&format!("kubeconfig `{}`", file.display())))?;
    }
    Ok(merged)
}

async fn configure(
    kubeconfig: Kubeconfig,
    context: Option<&str>,
    shown: &str,
) -> Result<(Config, Option<String>), ProviderError> {
    let name = context.map(str::to_owned).or_else(|| kubeconfig.current_context.clone());
    let options = KubeConfigOptions { context: context.map(str::to_owned), ..KubeConfigOptions::default() };
    let config = Config::from_custom_kubeconfig(kubeconfig, &options).await.map_err(|_| unusable(shown))?;
    if let Some(field) = unsendable_field(&config.auth_info) {
        return Err(ProviderError::invalid(
            format!("{field} in {shown} contains a character that is not allowed"),
            "remove spaces and line breaks from it; `|` and `>` add a line break at the end",
        ));
    }
    Ok((config, name))
}

/// Requires that a user's kubeconfig has the context. The error names a similar one, and no other.
fn require_context(kubeconfig: &Kubeconfig, context: Option<&str>) -> Result<(), ProviderError> {
    let name = context.or(kubeconfig.current_context.as_deref());
    let Some(name) = name.filter(|name| !name.is_empty()) else { return Ok(()) };
    let known = kubeconfig.contexts.iter().map(|context| context.name.as_str());
    if known.clone().any(|known| known == name) {
        return Ok(());
    }
    let reason = truncate(printable(format!("the kubeconfig has no context `{name}`")));
    let hint = closest_name(name, known).map_or_else(
        || "`kubectl config get-contexts` lists the contexts".to_owned(),
        |similar| format!("did you mean `{}`?", printable(similar)),
    );
    Err(ProviderError::invalid(reason, &hint))
}

/// Returns the error for an unusable kubeconfig. The library's own errors quote the file, so they are not used.
fn unusable(shown: &str) -> ProviderError {
    ProviderError::invalid(
        format!("{shown} cannot be used"),
        "try it with `kubectl --kubeconfig`, and check that it has the `context`",
    )
}

/// Returns the proxy that a kubeconfig sets for the cluster.
fn configured_proxy(kubeconfig: &Kubeconfig, context: Option<&str>) -> Option<String> {
    let context = context.or(kubeconfig.current_context.as_deref())?;
    let context = kubeconfig.contexts.iter().find(|named| named.name == context)?.context.as_ref()?;
    let cluster = kubeconfig.clusters.iter().find(|named| named.name == context.cluster)?;
    cluster.cluster.as_ref()?.proxy_url.clone().filter(|url| !url.is_empty())
}

/// Returns the credential that cannot be sent in a header, on which the library would panic.
fn unsendable_field(login: &AuthInfo) -> Option<&'static str> {
    let is_word = |text: &str| text.bytes().all(|byte| byte.is_ascii_graphic());
    let is_line = |text: &str| !text.chars().any(char::is_control);
    let is_sendable = |text: &Option<SecretString>, fits: fn(&str) -> bool| {
        text.as_ref().is_none_or(|text| fits(text.expose_secret()))
    };
    let provider = login.auth_provider.iter().flat_map(|provider| &provider.config);
    if !is_sendable(&login.token, is_word) {
        Some("the token")
    } else if !is_sendable(&login.password, is_line) || !login.username.as_deref().is_none_or(is_line) {
        Some("the user name or password")
    } else if provider.into_iter().any(|(name, text)| name.ends_with("token") && !is_word(text)) {
        Some("a token of `auth-provider`")
    } else {
        None
    }
}

fn is_loopback(host: &str) -> bool {
    let host = host.trim_matches(['[', ']']);
    host == "localhost" || host.parse::<IpAddr>().is_ok_and(|address| address.is_loopback())
}

fn check_status(
    status: u16,
    after: Option<Duration>,
    question: &ClusterRequest<'_>,
) -> Result<(), AttemptError> {
    let error = match status {
        200 | 201 => return Ok(()),
        401 => ProviderError::denied(
            "the cluster rejected the credentials (401)",
            "check that the token or certificate belongs to this cluster and has not expired",
        ),
        403 => question.forbidden(),
        404 => question.missing(),
        410 => question.expired(),
        status if retry::is_transient(status) => {
            let error = ProviderError::unreachable(format!("the cluster's API failed ({status})"), API_HINT);
            return Err(AttemptError::Transient { error, after });
        }
        status => unexpected_status(status),
    };
    Err(error.into())
}

/// Converts a connection error. Its own text is not used.
fn connection_error(error: &kube::Error) -> AttemptError {
    if matches!(error, kube::Error::Auth(_)) {
        let hint = "check the certificates, the token and the exec plugin in the kubeconfig";
        return ProviderError::unreachable("the credentials for the cluster cannot be used", hint).into();
    }
    if let Some(handshake) = tls::HandshakeError::find_in(error) {
        let trust = "check `certificate-authority-data` in the kubeconfig";
        return handshake.to_provider_error("the cluster's API", "`server` in the kubeconfig", trust).into();
    }
    AttemptError::transient(ProviderError::unreachable("the cluster's API cannot be reached", API_HINT))
}
