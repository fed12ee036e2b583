//! Revoking tokens at the end of a run, so that a thousand apps do not leave a thousand live tokens behind per refresh.
//!
//! Best effort: the run's result is the same whether it succeeds or not. What went wrong is told without the token.

use std::time::Instant;

use reqwest::Method;
use reqwest::header::HeaderValue;
use tokio::time::timeout_at;

use super::super::ProviderError;
use super::super::retry::{Patience, retry};
use super::answer;
use super::api::{Answer, Api};
use sealwave_core::diagnostic::Explain;

const PATH: &str = "auth/token/revoke-self";

/// A token that may still be valid after the run.
#[derive(Debug, thiserror::Error)]
#[error(
    "provider `{provider}`: the token of this run was not revoked, and stays valid until it expires: {reason}"
)]
pub(super) struct TokenLeft {
    /// Name of the provider.
    pub(super) provider: String,
    /// Why.
    pub(super) reason: NotRevoked,
}

impl Explain for TokenLeft {
    fn hint(&self) -> Option<String> {
        Some(match self.reason {
            NotRevoked::Refused(403) => {
                format!(
                    "its policy needs: path \"{PATH}\" {{ capabilities = [\"update\"] }}; give the role a short `token_ttl`"
                )
            }
            _ => "give the role a short `token_ttl`".to_owned(),
        })
    }
}

/// Why a token was not revoked.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub(super) enum NotRevoked {
    #[error("the server gave no answer in time")]
    NoAnswer,
    #[error("the server refused it ({0})")]
    Refused(u16),
}

/// A token that a login gave.
pub(super) struct Revocable {
    pub(super) token: HeaderValue,
    /// It ends after a number of requests, and may have ended: the server refuses it then as if a policy did.
    pub(super) has_few_uses: bool,
}

/// Revokes all tokens, one after the other: a second one exists only where the first was refused.
pub(super) async fn revoke(api: &Api, tokens: Vec<Revocable>, end: Instant) -> Result<(), NotRevoked> {
    let mut result = Ok(());
    for Revocable { token, has_few_uses } in tokens {
        let send = || api.send(Method::POST, PATH, None, Some(&token), Some(b"{}"));
        let answer = timeout_at(end.into(), retry(end, Patience::default(), send)).await;
        let judged = answer.unwrap_or_else(|_| Err(ProviderError::overdue()));
        result = judged
            .map_err(|_| NotRevoked::NoAnswer)
            .and_then(|answer| judge(&answer, has_few_uses))
            .and(result);
    }
    result
}

fn judge(answer: &Answer, has_few_uses: bool) -> Result<(), NotRevoked> {
    match answer.status {
        200..=299 => Ok(()),
        // It expired, was used up, or was revoked already.
        403 if has_few_uses || answer::token_is_invalid(answer) => Ok(()),
        _ if answer::token_cannot_be_revoked(answer) => Ok(()),
        status => Err(NotRevoked::Refused(status)),
    }
}
