//! The connection to a cluster: its client, and one GET with its answer.

use std::net::IpAddr;
use std::path::Path;
use std::time::{Duration, Instant};

use http_body_util::{BodyExt as _, LengthLimitError, Limited};
use kube::api::GetParams;
use kube::client::Body;
use kube::config::{AuthInfo, KubeConfigOptions, Kubeconfig};
use kube::{Client, Config};
use secrecy::{ExposeSecret as _, SecretString};
use zeroize::Zeroizing;

use super::super::retry::{self, Failed, Patience};
use super::super::{ProviderError, credential, runtime, tls};

/// Bytes of an answer; the values of a Secret are one MiB at most.
const MAX_ANSWER: usize = 8 << 20;

/// After this, an attempt counts as failed and another one begins.
const ATTEMPT: Duration = Duration::from_secs(10);

const CONNECT: Duration = Duration::from_secs(5);

/// A client that is logged in.
#[derive(Clone)]
pub(super) struct Connection(Client);

impl Connection {
    /// Makes a client: of the cluster that sealwave runs in, or of a kubeconfig.
    ///
    /// # Errors
    /// The settings or the credentials cannot be used.
    pub(super) async fn open(
        kubeconfig: Option<&Path>,
        context: Option<&str>,
    ) -> Result<Self, ProviderError> {
        runtime::install_crypto();
        let mut config = match kubeconfig {
            Some(file) => from_file(file, context).await?,
            None => Config::incluster().map_err(|_| {
                ProviderError::unreachable(
                    "there is no service account of a pod to log in with",
                    "mount its token in the sidecar, or name a `kubeconfig` in the operator file",
                )
            })?,
        };
        config.connect_timeout = Some(CONNECT);
        config.default_retry = false;
        if config.cluster_url.scheme_str() != Some("https") {
            if !config.cluster_url.host().is_some_and(is_loopback) {
                return Err(ProviderError::invalid(
                    "the cluster's address is not https, so the token and all values could be read on the way",
                    "use the https address of its API",
                ));
            }
            // No certificate will be looked at, so the system needs none; and no proxy may read along.
            config.root_cert.get_or_insert_default();
            config.proxy_url = None;
        }
        // A kubeconfig may name a program that fetches the token, and waiting for it blocks.
        let client = tokio::task::spawn_blocking(|| Client::try_from(config)).await;
        client.ok().and_then(Result::ok).map(Self).ok_or_else(|| {
            ProviderError::unreachable(
                "the credentials for the cluster cannot be used",
                "see to the certificates, the token and the program that the kubeconfig names",
            )
        })
    }

    /// The JSON of a Secret.
    ///
    /// # Errors
    /// It is not there, or cannot be read.
    pub(super) async fn read(
        &self,
        namespace: &str,
        name: &str,
        end: Instant,
    ) -> Result<Zeroizing<Vec<u8>>, ProviderError> {
        retry::retry(end, Patience::default(), || async {
            tokio::time::timeout(ATTEMPT, self.ask(namespace, name)).await.unwrap_or_else(|_| {
                let reason = format!("the cluster gave no answer within {} seconds", ATTEMPT.as_secs());
                Err(Failed::transient(ProviderError::unreachable(reason, API_HINT)))
            })
        })
        .await
    }

    async fn ask(&self, namespace: &str, name: &str) -> Result<Zeroizing<Vec<u8>>, Failed> {
        let collection = kube::core::Request::new(format!("/api/v1/namespaces/{namespace}/secrets"));
        let request = collection
            .get(name, &GetParams::default())
            .map_err(|_| ProviderError::invalid("that is no name of a Secret", "correct the name"))?;
        let response = self.0.send(request.map(Body::from)).await.map_err(|error| broken(&error))?;
        let after = response.headers().get("retry-after").and_then(|value| value.to_str().ok());
        judge(response.status().as_u16(), retry::retry_after(after.map(str::as_bytes)), namespace, name)?;
        let body = Limited::new(response.into_body(), MAX_ANSWER).collect().await.map_err(|error| {
            if error.is::<LengthLimitError>() {
                Failed::Final(ProviderError::invalid(
                    format!("the cluster's answer is larger than {} MiB", MAX_ANSWER >> 20),
                    "a Secret holds one MiB at most",
                ))
            } else {
                let reason = "the connection broke before the answer was complete";
                Failed::transient(ProviderError::unreachable(reason, API_HINT))
            }
        })?;
        Ok(Zeroizing::new(body.to_bytes().to_vec()))
    }
}

const API_HINT: &str = "see that the cluster's API can be reached from here";

async fn from_file(file: &Path, context: Option<&str>) -> Result<Config, ProviderError> {
    credential::read(file, "`kubeconfig`")?;
    let options = KubeConfigOptions { context: context.map(str::to_owned), ..KubeConfigOptions::default() };
    // The library's errors quote the file.
    let unusable = || {
        ProviderError::invalid(
            format!("`kubeconfig` `{}` cannot be used", file.display()),
            "try it with `kubectl --kubeconfig`, and see that it has the `context`",
        )
    };
    let kubeconfig = Kubeconfig::read_from(file).map_err(|_| unusable())?;
    let proxy = proxy_of(&kubeconfig, context);
    let mut config = Config::from_custom_kubeconfig(kubeconfig, &options).await.map_err(|_| unusable())?;
    // The library would also take one from the environment.
    config.proxy_url = proxy.map(|url| url.parse()).transpose().map_err(|_| unusable())?;
    if let Some(what) = unsendable(&config.auth_info) {
        return Err(ProviderError::invalid(
            format!("{what} in `kubeconfig` `{}` holds a character that none can have", file.display()),
            "look for a line break or a space in it, which `|` and `>` add at the end",
        ));
    }
    Ok(config)
}

/// The proxy that a kubeconfig itself names for the cluster.
fn proxy_of(kubeconfig: &Kubeconfig, context: Option<&str>) -> Option<String> {
    let context = context.or(kubeconfig.current_context.as_deref())?;
    let context = kubeconfig.contexts.iter().find(|named| named.name == context)?.context.as_ref()?;
    let cluster = kubeconfig.clusters.iter().find(|named| named.name == context.cluster)?;
    cluster.cluster.as_ref()?.proxy_url.clone().filter(|url| !url.is_empty())
}

/// What of a login cannot be sent: the library panics over it.
fn unsendable(login: &AuthInfo) -> Option<&'static str> {
    let word = |text: &str| text.bytes().all(|byte| byte.is_ascii_graphic());
    let line = |text: &str| !text.chars().any(char::is_control);
    let secret = |text: &Option<SecretString>, fits: fn(&str) -> bool| {
        text.as_ref().is_none_or(|text| fits(text.expose_secret()))
    };
    let provider = login.auth_provider.iter().flat_map(|provider| &provider.config);
    if !secret(&login.token, word) {
        Some("the token")
    } else if !secret(&login.password, line) || !login.username.as_deref().is_none_or(line) {
        Some("the user's name or password")
    } else if provider.into_iter().any(|(name, text)| name.ends_with("token") && !word(text)) {
        Some("a token of `auth-provider`")
    } else {
        None
    }
}

fn is_loopback(host: &str) -> bool {
    let host = host.trim_matches(['[', ']']);
    host == "localhost" || host.parse::<IpAddr>().is_ok_and(|address| address.is_loopback())
}

fn judge(status: u16, after: Option<Duration>, namespace: &str, name: &str) -> Result<(), Failed> {
    let error = match status {
        200 => return Ok(()),
        401 => ProviderError::denied(
            "the cluster does not accept who we say we are (401)",
            "see that the token or certificate is of this cluster and has not expired",
        ),
        403 => ProviderError::denied(
            format!("sealwave may not get Secret `{name}` in namespace `{namespace}`"),
            "give its service account a Role in that namespace with `get` on `secrets`",
        ),
        404 => ProviderError::not_found(
            format!("there is no Secret `{name}` in namespace `{namespace}`"),
            "correct the name, or make the Secret",
        ),
        status if retry::is_transient(status) => {
            let error = ProviderError::unreachable(format!("the cluster's API failed ({status})"), API_HINT);
            return Err(Failed::Transient { error, after });
        }
        status => ProviderError::unreachable(
            format!("the cluster's API refused the question ({status})"),
            "see that the address of the cluster is that of its API",
        ),
    };
    Err(error.into())
}

/// What a broken connection means. The error's own text is not used.
fn broken(error: &kube::Error) -> Failed {
    if matches!(error, kube::Error::Auth(_)) {
        let hint = "see to the token and the program that the kubeconfig names";
        return ProviderError::unreachable("the credentials for the cluster cannot be used", hint).into();
    }
    if let Some(handshake) = tls::Handshake::of(error) {
        let trust = "see to `certificate-authority-data` in the kubeconfig";
        return handshake.explain("the cluster's API", "`server` in the kubeconfig", trust).into();
    }
    Failed::transient(ProviderError::unreachable("the cluster's API cannot be reached", API_HINT))
}
