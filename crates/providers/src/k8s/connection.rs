//! The connection to a cluster: its client, and one GET with its answer.

use std::net::IpAddr;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use http_body_util::{BodyExt as _, LengthLimitError, Limited};
use kube::api::{GetParams, ListParams};
use kube::client::Body;
use kube::config::{AuthInfo, KubeConfigOptions, Kubeconfig};
use kube::{Client, Config};
use secrecy::{ExposeSecret as _, SecretString};
use zeroize::Zeroizing;

use super::super::retry::{self, Failed, Patience};
use super::super::{ProviderError, credential, runtime, tls};
use super::question::Question;

const CONNECT: Duration = Duration::from_secs(5);

/// Definitions per page; a large one has half a MiB.
const PAGE: u32 = 25;

/// A client that is logged in.
#[derive(Clone)]
pub(super) struct Connection(Client);

/// Whose credentials are used.
pub(crate) enum Login<'a> {
    /// Those of a kubeconfig that the operator names, and of its context, if it names one.
    Operator(&'a Path, Option<&'a str>),
    /// Those of the pod that sealwave runs in.
    Pod,
    /// Those that kubectl would use, from these kubeconfigs; those of the pod where there are none.
    User(&'a [PathBuf], Option<&'a str>),
}

impl Connection {
    /// Makes a client.
    ///
    /// # Errors
    /// The settings or the credentials cannot be used.
    pub(super) async fn open(login: Login<'_>) -> Result<Self, ProviderError> {
        runtime::install_crypto();
        let mut config = login.config().await?;
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

    /// The JSON that answers a question.
    ///
    /// # Errors
    /// It is not there, or cannot be read.
    pub(super) async fn ask(
        &self,
        question: &Question<'_>,
        end: Instant,
    ) -> Result<Zeroizing<Vec<u8>>, ProviderError> {
        let patience = question.patience();
        retry::retry(end, Patience::default(), || async {
            tokio::time::timeout(patience, self.attempt(question)).await.unwrap_or_else(|_| {
                let reason = format!("the cluster gave no answer within {} seconds", patience.as_secs());
                Err(Failed::transient(ProviderError::unreachable(reason, API_HINT)))
            })
        })
        .await
    }

    async fn attempt(&self, question: &Question<'_>) -> Result<Zeroizing<Vec<u8>>, Failed> {
        let request = match question {
            Question::Definitions { page } => {
                let params = ListParams {
                    limit: Some(PAGE),
                    continue_token: page.map(str::to_owned),
                    ..ListParams::default()
                };
                kube::core::Request::new("/apis/apiextensions.k8s.io/v1/customresourcedefinitions")
                    .list(&params)
            }
            Question::Secret { namespace, name } => {
                kube::core::Request::new(format!("/api/v1/namespaces/{namespace}/secrets"))
                    .get(name, &GetParams::default())
            }
        };
        let request = request.map_err(|_| question.malformed())?;
        let response = self.0.send(request.map(Body::from)).await.map_err(|error| broken(&error))?;
        let after = response.headers().get("retry-after").and_then(|value| value.to_str().ok());
        judge(response.status().as_u16(), retry::retry_after(after.map(str::as_bytes)), question)?;
        let body = Limited::new(response.into_body(), question.max_answer()).collect().await;
        let body = body.map_err(|error| {
            if error.is::<LengthLimitError>() {
                Failed::Final(question.too_large())
            } else {
                let reason = "the connection broke before the answer was complete";
                Failed::transient(ProviderError::unreachable(reason, API_HINT))
            }
        })?;
        Ok(Zeroizing::new(body.to_bytes().to_vec()))
    }
}

pub(super) const API_HINT: &str = "see that the cluster's API can be reached from here";

impl Login<'_> {
    async fn config(self) -> Result<Config, ProviderError> {
        match self {
            Self::Operator(file, context) => {
                credential::read(file, "`kubeconfig`")?;
                let shown = format!("`kubeconfig` `{}`", file.display());
                let kubeconfig = Kubeconfig::read_from(file).map_err(|_| unusable(&shown))?;
                let proxy = proxy_of(&kubeconfig, context);
                let mut config = configure(kubeconfig, context, &shown).await?;
                // The library would also take one from the environment.
                config.proxy_url = proxy.map(|url| url.parse()).transpose().map_err(|_| unusable(&shown))?;
                Ok(config)
            }
            Self::Pod => Config::incluster().map_err(|_| {
                ProviderError::unreachable(
                    "there is no service account of a pod to log in with",
                    "mount its token in the sidecar, or name a `kubeconfig` in the operator file",
                )
            }),
            Self::User([], None) => Config::incluster().map_err(|_| {
                ProviderError::unreachable(
                    "there is neither a kubeconfig nor a service account of a pod to log in with",
                    "name the file with `--kubeconfig` or `KUBECONFIG`",
                )
            }),
            Self::User([], Some(_)) => Err(ProviderError::invalid(
                "`--context` is one of a kubeconfig, and there is none",
                "name the file with `--kubeconfig` or `KUBECONFIG`",
            )),
            Self::User(files, context) => {
                let merged = merge(files)?;
                configure(merged, context, "the kubeconfig").await
            }
        }
    }
}

/// What several kubeconfigs say together, by kubectl's rules.
fn merge(files: &[PathBuf]) -> Result<Kubeconfig, ProviderError> {
    let mut merged = Kubeconfig::default();
    for file in files {
        credential::read(file, "kubeconfig").map_err(|error| match error {
            ProviderError::Unreachable { reason, .. } => {
                ProviderError::unreachable(reason, "name another one with `--kubeconfig` or `KUBECONFIG`")
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
) -> Result<Config, ProviderError> {
    let options = KubeConfigOptions { context: context.map(str::to_owned), ..KubeConfigOptions::default() };
    let config = Config::from_custom_kubeconfig(kubeconfig, &options).await.map_err(|_| unusable(shown))?;
    if let Some(what) = unsendable(&config.auth_info) {
        return Err(ProviderError::invalid(
            format!("{what} in {shown} holds a character that none can have"),
            "look for a line break or a space in it, which `|` and `>` add at the end",
        ));
    }
    Ok(config)
}

/// The library's errors quote the file, so none of them is used.
fn unusable(shown: &str) -> ProviderError {
    ProviderError::invalid(
        format!("{shown} cannot be used"),
        "try it with `kubectl --kubeconfig`, and see that it has the `context`",
    )
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

fn judge(status: u16, after: Option<Duration>, question: &Question<'_>) -> Result<(), Failed> {
    let error = match status {
        200 => return Ok(()),
        401 => ProviderError::denied(
            "the cluster does not accept who we say we are (401)",
            "see that the token or certificate is of this cluster and has not expired",
        ),
        403 => question.forbidden(),
        404 => question.missing(),
        410 => question.expired(),
        status if retry::is_transient(status) => {
            let error = ProviderError::unreachable(format!("the cluster's API failed ({status})"), API_HINT);
            return Err(Failed::Transient { error, after });
        }
        status => refused(status),
    };
    Err(error.into())
}

pub(super) fn refused(status: u16) -> ProviderError {
    ProviderError::unreachable(
        format!("the cluster's API refused the question ({status})"),
        "see that the address of the cluster is that of its API",
    )
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
