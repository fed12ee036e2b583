//! Revokes tokens at the end of a run, so that refreshing a thousand apps does not leave a thousand valid tokens.
//!
//! Revocation is best effort: it does not change the run's result. Failures are reported without the token.

use std::time::Instant;

use reqwest::Method;
use reqwest::header::HeaderValue;
use tokio::time::timeout_at;

use super::api::{VaultApi, VaultResponse};
use super::response;
use crate::ProviderError;
use crate::remote::retry::{RetryPolicy, retry};
use sealwave_core::diagnostic::Explain;

const PATH: &str = "auth/token/revoke-self";

/// A token that may still be valid after the run.
#[derive(Debug, thiserror::Error)]
#[error(
    "provider `{provider}`: the token of this run was not revoked, and stays valid until it expires: {reason}"
)]
pub(super) struct UnrevokedToken {
    /// The name of the provider.
    pub(super) provider: String,
    /// The cause.
    pub(super) reason: RevocationError,
}

impl Explain for UnrevokedToken {
    fn hint(&self) -> Option<String> {
        Some(match self.reason {
            RevocationError::Refused(403) => {
                format!(
                    "its policy needs: path \"{PATH}\" {{ capabilities = [\"update\"] }}; give the role a short `token_ttl`"
                )
            }
            _ => "give the role a short `token_ttl`".to_owned(),
        })
    }
}

/// The reason why a token was not revoked.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub(super) enum RevocationError {
    #[error("the server did not respond in time")]
    NoAnswer,
    #[error("the server rejected the revocation ({0})")]
    Refused(u16),
}

/// A token from a login.
pub(super) struct RevocableToken {
    pub(super) token: HeaderValue,
    /// Whether its uses are limited. When they are exhausted, the server's response looks like a policy's refusal.
    pub(super) has_few_uses: bool,
}

/// Revokes all tokens sequentially; a second token exists only if the first one was rejected.
pub(super) async fn revoke(
    api: &VaultApi,
    tokens: Vec<RevocableToken>,
    end: Instant,
) -> Result<(), RevocationError> {
    let mut result = Ok(());
    for RevocableToken { token, has_few_uses } in tokens {
        let send = || api.send(Method::POST, PATH, None, Some(&token), Some(b"{}"));
        let answer = timeout_at(end.into(), retry(end, RetryPolicy::default(), send)).await;
        let answer = answer.unwrap_or_else(|_| Err(ProviderError::overdue()));
        result = answer
            .map_err(|_| RevocationError::NoAnswer)
            .and_then(|answer| check_revoked(&answer, has_few_uses))
            .and(result);
    }
    result
}

fn check_revoked(answer: &VaultResponse, has_few_uses: bool) -> Result<(), RevocationError> {
    match answer.status {
        200..=299 => Ok(()),
        // It has expired, is used up, or was already revoked.
        403 if has_few_uses || response::is_invalid_token(answer) => Ok(()),
        _ if response::is_irrevocable_token(answer) => Ok(()),
        status => Err(RevocationError::Refused(status)),
    }
}
