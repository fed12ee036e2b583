//! Errors of calls to an account, with hints for an operator at a desk.

use crate::ProviderError;
use crate::aws::failure::{AwsCall, AwsFailure, FailureKind};
use sealwave_core::diagnostic::{Explain, PROCESS_LIMITS_HINT, printable};

/// A failed call to AWS. It contains no text of a response.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{reason}")]
pub struct AwsError {
    /// The kind, by which callers decide.
    pub kind: AwsErrorKind,
    reason: String,
    hint: Option<String>,
}

/// A kind of failure, as far as callers distinguish them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AwsErrorKind {
    /// AWS rejected the credentials; a new access key is rejected until it is known everywhere.
    BadCredentials,
    /// It exists already, or a token was used with other content.
    Conflict,
    /// The identity lacks a permission.
    Denied,
    /// The identity lacks a permission for the KMS key, or the key is disabled.
    KeyDenied,
    /// A quota is exhausted, such as two access keys of a user.
    Limit,
    /// The user, key, secret or parameter does not exist.
    NotFound,
    /// The state of the secret does not allow it.
    NotUsable,
    /// No usable response: the request may have had its effect.
    NoResponse,
    /// AWS throttled all attempts; the request had no effect.
    Throttled,
    /// Any other failure.
    Other,
}

impl AwsError {
    pub(super) fn new(failure: &AwsFailure, call: AwsCall, caller: &str) -> Self {
        let error = failure.to_provider_error(call, caller);
        let desk_hint = match failure.kind() {
            FailureKind::BadCredentials => Some(
                "they may have expired, been revoked, or belong to another partition; check the clock of this machine too",
            ),
            FailureKind::Unavailable => Some("run the command again later"),
            FailureKind::Throttled => Some("run the command again in a minute"),
            FailureKind::TimedOut => Some("check that this machine can reach AWS, and run the command again"),
            _ => None,
        };
        let reason = match failure.kind() {
            FailureKind::TimedOut => format!("`{}` was not answered in time", call.action()),
            _ => error.reason(),
        };
        Self {
            kind: kind(failure.kind()),
            reason,
            hint: desk_hint.map(str::to_owned).or_else(|| error.hint()),
        }
    }

    /// Names what was requested, in an error that says that it does not exist.
    pub(super) fn about(self, kind: &str, name: &str) -> Self {
        if self.kind == AwsErrorKind::NotFound {
            let reason = format!("{}: {kind} `{}`", self.reason, printable(name));
            return Self { reason, ..self };
        }
        self
    }

    /// Returns the error of a login, or of a name that cannot be requested.
    pub(super) fn of_login(error: &ProviderError) -> Self {
        Self { kind: AwsErrorKind::Other, reason: error.reason(), hint: error.hint() }
    }

    /// Returns the error of a malformed setting.
    pub(super) fn bad_setting(field: &str, wanted: &str) -> Self {
        Self {
            kind: AwsErrorKind::Other,
            reason: format!("`{field}` of AWS is not valid"),
            hint: Some(format!("write {wanted}")),
        }
    }

    /// Returns the error of a system that cannot run calls.
    pub(super) fn no_runtime(kind: std::io::ErrorKind) -> Self {
        Self {
            kind: AwsErrorKind::Other,
            reason: format!("calls to AWS cannot be started ({kind})"),
            hint: Some(PROCESS_LIMITS_HINT.to_owned()),
        }
    }

    /// Returns the error of a key that cannot be sent.
    pub(super) fn unusable_key() -> Self {
        Self {
            kind: AwsErrorKind::Other,
            reason: "the access key contains a character that is not allowed".to_owned(),
            hint: Some("check the file that it was read from".to_owned()),
        }
    }

    /// Creates an error without a call, for an account that tests replace.
    #[must_use]
    pub fn of_kind(kind: AwsErrorKind, reason: &str) -> Self {
        Self { kind, reason: reason.to_owned(), hint: None }
    }

    /// Returns an error with its own text.
    pub(super) fn other(reason: String, hint: &str) -> Self {
        Self { kind: AwsErrorKind::Other, reason, hint: Some(hint.to_owned()) }
    }

    /// Reports whether the request may have had its effect although it failed.
    #[must_use]
    pub const fn may_have_had_effect(&self) -> bool {
        matches!(self.kind, AwsErrorKind::NoResponse)
    }
}

impl Explain for AwsError {
    fn hint(&self) -> Option<String> {
        self.hint.clone()
    }
}

const fn kind(kind: FailureKind) -> AwsErrorKind {
    match kind {
        FailureKind::BadCredentials => AwsErrorKind::BadCredentials,
        FailureKind::Conflict => AwsErrorKind::Conflict,
        FailureKind::Denied => AwsErrorKind::Denied,
        FailureKind::KeyDenied => AwsErrorKind::KeyDenied,
        FailureKind::Limit => AwsErrorKind::Limit,
        FailureKind::NotFound => AwsErrorKind::NotFound,
        FailureKind::NotUsable => AwsErrorKind::NotUsable,
        FailureKind::Throttled => AwsErrorKind::Throttled,
        FailureKind::Malformed
        | FailureKind::TimedOut
        | FailureKind::Unavailable
        | FailureKind::Unreachable => AwsErrorKind::NoResponse,
        FailureKind::BadRequest | FailureKind::Redirected | FailureKind::Tls(_) | FailureKind::Unknown => {
            AwsErrorKind::Other
        }
    }
}
