//! A login session. It logs in once, and again if the token is rejected during the run, and revokes its tokens at the end.
//!
//! Tokens exist only here, in headers that are not printed, for the duration of one fetch. A token from the operator is
//! never revoked, since others may use it.

use std::collections::BTreeMap;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::time::Instant;

use reqwest::Method;
use reqwest::header::HeaderValue;
use tokio::sync::Mutex;

use super::api::{ServerAddress, VaultApi, VaultResponse};
use super::path::{self, SecretRequest};
use super::response::{self, KvSecret};
use super::revocation::{self, RevocableToken, RevocationError};
use super::settings::VaultAuth;
use super::settings_error::VaultSettingsError;
use crate::ProviderError;
use crate::remote::credential;
use crate::remote::retry::{RetryPolicy, retry};
use sealwave_secrets::values::{SecretBuffer, SecretValue};

/// Concurrent requests: as many as most apps have secrets, so that all take as long as one.
pub(super) const AT_ONCE: usize = 20;

/// The path at which Kubernetes mounts a pod's service account token.
const POD_TOKEN: &str = "/var/run/secrets/kubernetes.io/serviceaccount/token";

/// Checks the login settings and resolves their paths.
///
/// # Errors
/// The mount path of the method is not valid.
pub(super) fn check_auth(auth: &VaultAuth, operator_dir: &Path) -> Result<VaultAuth, VaultSettingsError> {
    let mut auth = auth.clone();
    let mount = match &mut auth {
        VaultAuth::AppRole { mount, secret_id_file: file, .. } => {
            *file = operator_dir.join(&*file);
            mount
        }
        VaultAuth::Kubernetes { mount, token_file, .. } => {
            *token_file = Some(operator_dir.join(token_file.as_deref().unwrap_or(Path::new(POD_TOKEN))));
            mount
        }
        VaultAuth::Token { file } => {
            *file = operator_dir.join(&*file);
            return Ok(auth);
        }
    };
    *mount = mount.as_deref().map(|mount| mount.trim_matches('/').to_owned());
    if mount.as_deref().and_then(path::path_problem).is_some() {
        return Err(VaultSettingsError::BadAuthMount);
    }
    Ok(auth)
}

/// A session with the server.
pub(super) struct VaultSession {
    api: VaultApi,
    auth: VaultAuth,
    pub(super) end: Instant,
    token: Mutex<SessionToken>,
}

/// The current token and its history.
struct SessionToken {
    header: Result<HeaderValue, ProviderError>,
    /// The number of logins after the first one.
    renewals: u32,
    /// Tokens to revoke at the end: one per login.
    revocable: Vec<RevocableToken>,
}

/// A token, with its revocation if this session created it and it can be revoked.
struct NewToken {
    header: HeaderValue,
    revocable: Option<RevocableToken>,
}

impl VaultSession {
    /// Logs in.
    ///
    /// # Errors
    /// The server cannot be reached or rejects the login.
    pub(super) async fn open(
        address: &ServerAddress,
        auth: &VaultAuth,
        end: Instant,
    ) -> Result<Self, ProviderError> {
        let api = VaultApi::new(address)?;
        let mut token = SessionToken { header: Err(invalid_token()), renewals: 0, revocable: Vec::new() };
        token.header = Ok(token.record(log_in(&api, auth, end).await?));
        Ok(Self { api, auth: auth.clone(), end, token: Mutex::new(token) })
    }

    /// Revokes the tokens from this session's logins, until `end` at the latest.
    ///
    /// # Errors
    /// The server does not revoke a token, or does not respond.
    pub(super) async fn close(&self, end: Instant) -> Result<(), RevocationError> {
        let tokens = std::mem::take(&mut self.token.lock().await.revocable);
        revocation::revoke(&self.api, tokens, end).await
    }

    /// Reads one secret.
    ///
    /// # Errors
    /// The secret does not exist or cannot be read.
    pub(super) async fn read(&self, request: &SecretRequest) -> Result<KvSecret, ProviderError> {
        let query = request.version.as_ref().map(|version| format!("version={version}"));
        let answer = self.get(&request.path, query.as_deref()).await?;
        KvSecret::read(&answer, request)
    }

    /// Returns the name that the server has for the token, if the token's policy allows to ask for it.
    ///
    /// # Errors
    /// The token is not valid, or the server rejects the request for another reason.
    pub(super) async fn identity(&self) -> Result<Option<String>, ProviderError> {
        let name = response::read_display_name(&self.get("auth/token/lookup-self", None).await?)?;
        let token = self.token.lock().await.header.clone()?;
        let is_token = |name: &str| token.to_str().is_ok_and(|token| name.contains(token));
        Ok(name.map(|name| if is_token(&name) { String::new() } else { name }))
    }

    pub(super) async fn get(&self, path: &str, query: Option<&str>) -> Result<VaultResponse, ProviderError> {
        self.request(Method::GET, path, query, None).await
    }

    /// Writes all fields of a secret, a JSON object. In version 2 of the engine only if `version` is the latest one.
    ///
    /// # Errors
    /// The server cannot be reached, or the token is not valid.
    pub(super) async fn write(
        &self,
        request: &SecretRequest,
        fields: &SecretValue,
        version: Option<u64>,
    ) -> Result<VaultResponse, ProviderError> {
        let Some(version) = version else {
            return self.request(Method::POST, &request.path, None, Some(fields)).await;
        };
        let start = format!(r#"{{"options":{{"cas":{version}}},"data":"#);
        let mut body = SecretBuffer::default();
        for part in [start.as_bytes(), fields.expose(), b"}"] {
            body.write_all(part).map_err(|_| ProviderError::bug("a buffer did not take a request"))?;
        }
        self.request(Method::POST, &request.path, None, Some(&body.into_value())).await
    }

    async fn request(
        &self,
        method: Method,
        path: &str,
        query: Option<&str>,
        body: Option<&SecretValue>,
    ) -> Result<VaultResponse, ProviderError> {
        let (token, renewals) = {
            let current = self.token.lock().await;
            (current.header.clone()?, current.renewals)
        };
        let answer = self.ask(&method, path, query, body, &token).await?;
        if !response::is_invalid_token(&answer) {
            return Ok(answer);
        }
        let token = self.renew(&token, renewals).await?;
        let answer = self.ask(&method, path, query, body, &token).await?;
        if response::is_invalid_token(&answer) { Err(invalid_token()) } else { Ok(answer) }
    }

    async fn ask(
        &self,
        method: &Method,
        path: &str,
        query: Option<&str>,
        body: Option<&SecretValue>,
        token: &HeaderValue,
    ) -> Result<VaultResponse, ProviderError> {
        let body = body.map(SecretValue::expose);
        retry(self.end, RetryPolicy::default(), || {
            self.api.send(method.clone(), path, query, Some(token), body)
        })
        .await
    }

    /// Returns a token newer than the rejected one. All requests of a session share one new login.
    async fn renew(&self, rejected: &HeaderValue, renewals: u32) -> Result<HeaderValue, ProviderError> {
        let mut current = self.token.lock().await;
        if current.renewals == renewals {
            current.renewals += 1;
            current.header = if renewals == 0 {
                let renewed = log_in(&self.api, &self.auth, self.end).await.map(|new| current.record(new));
                renewed.and_then(|token| if token == *rejected { Err(invalid_token()) } else { Ok(token) })
            } else {
                Err(invalid_token())
            };
        }
        current.header.clone()
    }
}

impl SessionToken {
    /// Records the token of a login for revocation.
    fn record(&mut self, new: NewToken) -> HeaderValue {
        self.revocable.extend(new.revocable);
        new.header
    }
}

fn invalid_token() -> ProviderError {
    ProviderError::denied(
        "the token has expired, was revoked, or belongs to another server",
        "renew the token in its file, or raise the TTL and the number of uses of the role's tokens",
    )
}

async fn log_in(api: &VaultApi, auth: &VaultAuth, end: Instant) -> Result<NewToken, ProviderError> {
    let (mount, names, role, credential) = match auth {
        VaultAuth::Token { file } => {
            let header = header(&credential::read_token(file, "token file")?)?;
            return Ok(NewToken { header, revocable: None });
        }
        VaultAuth::AppRole { mount, role_id, secret_id_file } => {
            let secret_id = credential::read_token(secret_id_file, "`secretIdFile`")?;
            (mount.as_deref().unwrap_or("approle"), ["role_id", "secret_id"], role_id, secret_id)
        }
        VaultAuth::Kubernetes { mount, role, token_file } => {
            let file = token_file.clone().unwrap_or_else(|| PathBuf::from(POD_TOKEN));
            let jwt = credential::read_token(&file, "`tokenFile`")?;
            (mount.as_deref().unwrap_or("kubernetes"), ["role", "jwt"], role, jwt)
        }
    };
    let fields = names.into_iter().zip([role.as_str(), credential.as_str()]);
    let mut body = SecretBuffer::default();
    serde_json::to_writer(&mut body, &fields.collect::<BTreeMap<_, _>>()).expect("strings are JSON");
    let body = body.into_value();
    let path = format!("auth/{mount}/login");
    let answer =
        retry(end, RetryPolicy::default(), || api.send(Method::POST, &path, None, None, Some(body.expose())))
            .await?;
    let header = header(&response::read_token(&answer, &path)?)?;
    let has_few_uses = response::has_limited_uses(&answer);
    let revocable = RevocableToken { token: header.clone(), has_few_uses };
    Ok(NewToken { header, revocable: Some(revocable).filter(|_| !response::is_batch_token(&answer)) })
}

fn header(token: &str) -> Result<HeaderValue, ProviderError> {
    let mut header = HeaderValue::from_str(token).map_err(|_| {
        ProviderError::invalid(
            "the server returned a token that is not valid",
            "check that `address` is the address of the API",
        )
    })?;
    header.set_sensitive(true);
    Ok(header)
}
