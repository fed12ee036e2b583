//! Logging in once, and once more if the token is refused in the middle of a run; revoking at the end what a login gave.
//!
//! Tokens live here, in headers that do not print, for as long as one fetch lasts. A token that the operator gave is never
//! revoked: others may use it.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::time::Instant;

use reqwest::Method;
use reqwest::header::HeaderValue;
use tokio::sync::Mutex;

use super::super::retry::{Patience, retry};
use super::super::{ProviderError, credential};
use super::answer::{self, Document};
use super::api::{Address, Answer, Api};
use super::path::{self, SecretRequest};
use super::revocation::{self, NotRevoked, Revocable};
use sealwave_secrets::settings::VaultAuth;
use sealwave_secrets::values::SecretBuffer;

/// Where Kubernetes mounts the token of a pod's service account.
const POD_TOKEN: &str = "/var/run/secrets/kubernetes.io/serviceaccount/token";

/// The login settings with their paths in full.
///
/// # Errors
/// A setting that cannot be meant; the reason and what to do.
pub(super) fn check_auth(auth: &VaultAuth, operator_dir: &Path) -> Result<VaultAuth, (String, &'static str)> {
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
    if mount.as_deref().and_then(path::malformed).is_some() {
        return Err((
            "`mount` of `auth` is not valid".to_owned(),
            "write it as `vault auth list` does, for example `kubernetes`",
        ));
    }
    Ok(auth)
}

/// A session with the server.
pub(super) struct Session {
    api: Api,
    auth: VaultAuth,
    pub(super) end: Instant,
    token: Mutex<Token>,
}

struct Token {
    header: Result<HeaderValue, ProviderError>,
    /// Logins after the first.
    renewals: u32,
    /// Tokens to revoke at the end: one per login.
    revocable: Vec<Revocable>,
}

/// A token, and how to revoke it where it was made for this session and can be revoked.
struct NewToken {
    header: HeaderValue,
    revocable: Option<Revocable>,
}

impl Session {
    /// Logs in.
    ///
    /// # Errors
    /// The server cannot be reached, or refuses.
    pub(super) async fn open(
        address: &Address,
        auth: &VaultAuth,
        end: Instant,
    ) -> Result<Self, ProviderError> {
        let api = Api::new(address)?;
        let mut token = Token { header: Err(no_longer_good()), renewals: 0, revocable: Vec::new() };
        token.header = Ok(token.take(log_in(&api, auth, end).await?));
        Ok(Self { api, auth: auth.clone(), end, token: Mutex::new(token) })
    }

    /// Revokes the tokens that this session logged in for. It takes until `end` at most.
    ///
    /// # Errors
    /// The server does not revoke one, or does not answer.
    pub(super) async fn close(&self, end: Instant) -> Result<(), NotRevoked> {
        let tokens = std::mem::take(&mut self.token.lock().await.revocable);
        revocation::revoke(&self.api, tokens, end).await
    }

    /// Reads one secret.
    ///
    /// # Errors
    /// It is not there, or cannot be read.
    pub(super) async fn read(&self, request: &SecretRequest) -> Result<Document, ProviderError> {
        let query = request.version.as_ref().map(|version| format!("version={version}"));
        let answer = self.get(&request.path, query.as_deref()).await?;
        Document::read(&answer, request)
    }

    pub(super) async fn get(&self, path: &str, query: Option<&str>) -> Result<Answer, ProviderError> {
        let (token, renewals) = {
            let current = self.token.lock().await;
            (current.header.clone()?, current.renewals)
        };
        let answer = self.ask(path, query, &token).await?;
        if !answer::token_is_invalid(&answer) {
            return Ok(answer);
        }
        let token = self.renew(&token, renewals).await?;
        let answer = self.ask(path, query, &token).await?;
        if answer::token_is_invalid(&answer) { Err(no_longer_good()) } else { Ok(answer) }
    }

    async fn ask(
        &self,
        path: &str,
        query: Option<&str>,
        token: &HeaderValue,
    ) -> Result<Answer, ProviderError> {
        retry(self.end, Patience::default(), || self.api.send(Method::GET, path, query, Some(token), None))
            .await
    }

    /// A token newer than the one that was refused. All requests of a session share one new login.
    async fn renew(&self, refused: &HeaderValue, renewals: u32) -> Result<HeaderValue, ProviderError> {
        let mut current = self.token.lock().await;
        if current.renewals == renewals {
            current.renewals += 1;
            current.header = if renewals == 0 {
                let renewed = log_in(&self.api, &self.auth, self.end).await.map(|new| current.take(new));
                renewed.and_then(|token| if token == *refused { Err(no_longer_good()) } else { Ok(token) })
            } else {
                Err(no_longer_good())
            };
        }
        current.header.clone()
    }
}

impl Token {
    /// Notes what has to be revoked of a login.
    fn take(&mut self, new: NewToken) -> HeaderValue {
        self.revocable.extend(new.revocable);
        new.header
    }
}

fn no_longer_good() -> ProviderError {
    ProviderError::denied(
        "the token is expired, revoked or not of this server",
        "renew the token in its file, or let the role's tokens live and be used for longer",
    )
}

async fn log_in(api: &Api, auth: &VaultAuth, end: Instant) -> Result<NewToken, ProviderError> {
    let (mount, names, role, credential) = match auth {
        VaultAuth::Token { file } => {
            let header = header(&credential::token(file, "the token's file")?)?;
            return Ok(NewToken { header, revocable: None });
        }
        VaultAuth::AppRole { mount, role_id, secret_id_file } => {
            let secret_id = credential::token(secret_id_file, "`secretIdFile`")?;
            (mount.as_deref().unwrap_or("approle"), ["role_id", "secret_id"], role_id, secret_id)
        }
        VaultAuth::Kubernetes { mount, role, token_file } => {
            let file = token_file.clone().unwrap_or_else(|| PathBuf::from(POD_TOKEN));
            let jwt = credential::token(&file, "`tokenFile`")?;
            (mount.as_deref().unwrap_or("kubernetes"), ["role", "jwt"], role, jwt)
        }
    };
    let fields = names.into_iter().zip([role.as_str(), credential.as_str()]);
    let mut body = SecretBuffer::default();
    serde_json::to_writer(&mut body, &fields.collect::<BTreeMap<_, _>>()).expect("strings are JSON");
    let body = body.into_value();
    let path = format!("auth/{mount}/login");
    let answer =
        retry(end, Patience::default(), || api.send(Method::POST, &path, None, None, Some(body.expose())))
            .await?;
    let header = header(&answer::client_token(&answer, &path)?)?;
    let has_few_uses = answer::token_has_few_uses(&answer);
    let revocable = Revocable { token: header.clone(), has_few_uses };
    Ok(NewToken { header, revocable: Some(revocable).filter(|_| !answer::token_is_batch(&answer)) })
}

fn header(token: &str) -> Result<HeaderValue, ProviderError> {
    let mut header = HeaderValue::from_str(token).map_err(|_| {
        ProviderError::invalid("the server gave a token that is none", "see that `address` is a Vault's")
    })?;
    header.set_sensitive(true);
    Ok(header)
}
