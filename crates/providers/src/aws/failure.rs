//! What AWS answers when it does not answer: which of the errors of a provider it is, and what to do about it.
//!
//! Of an answer, only its HTTP status and its error code are ever shown, and the code only if it reads like one: the
//! texts beside them may quote what was sent or stored.

use aws_smithy_runtime_api::client::result::SdkError;
use aws_smithy_runtime_api::http::Response;
use aws_smithy_types::error::metadata::ProvideErrorMetadata;

use crate::ProviderError;
use crate::tls::Handshake;

/// Codes for credentials that AWS does not take, whatever they are for.
const BAD_CREDENTIALS: [&str; 14] = [
    "ExpiredToken",
    "ExpiredTokenException",
    "IncompleteSignature",
    "IncompleteSignatureException",
    "InvalidClientTokenId",
    "InvalidSignatureException",
    "InvalidToken",
    "MissingAuthenticationToken",
    "MissingAuthenticationTokenException",
    "RequestExpired",
    "SignatureDoesNotMatch",
    "TokenRefreshRequired",
    "UnrecognizedClient",
    "UnrecognizedClientException",
];

/// Codes for a client that asks too often, where the status does not say it.
const THROTTLED: [&str; 9] = [
    "LimitExceededException",
    "PriorRequestNotComplete",
    "ProvisionedThroughputExceededException",
    "RequestLimitExceeded",
    "RequestThrottled",
    "RequestThrottledException",
    "Throttling",
    "ThrottlingException",
    "TooManyRequestsException",
];

/// What is called.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Call {
    AssumeRole,
    BatchGetSecretValue,
    #[cfg(feature = "sops")]
    Decrypt,
    GetParameters,
    GetSecretValue,
}

impl Call {
    /// The name that IAM policies know it by.
    const fn action(self) -> &'static str {
        match self {
            Self::AssumeRole => "sts:AssumeRole",
            Self::BatchGetSecretValue => "secretsmanager:BatchGetSecretValue",
            #[cfg(feature = "sops")]
            Self::Decrypt => "kms:Decrypt",
            Self::GetParameters => "ssm:GetParameters",
            Self::GetSecretValue => "secretsmanager:GetSecretValue",
        }
    }

    /// What it is asked of, in a hint.
    const fn object(self) -> &'static str {
        match self {
            Self::AssumeRole => "this role",
            Self::BatchGetSecretValue => "`*`",
            #[cfg(feature = "sops")]
            Self::Decrypt => "this key",
            Self::GetParameters => "this parameter",
            Self::GetSecretValue => "this secret",
        }
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    BadCredentials,
    BadRequest,
    Denied,
    KeyDenied,
    Malformed,
    NotFound,
    NotUsable,
    Redirected,
    Throttled,
    TimedOut,
    Unavailable,
    Tls(Handshake),
    Unknown,
    Unreachable,
}

/// One thing that went wrong at AWS, or on the way there.
#[derive(Clone, Debug)]
pub(crate) struct Fault {
    kind: Kind,
    status: Option<u16>,
    code: Option<String>,
}

impl Fault {
    /// What became of a call.
    pub fn of<E: ProvideErrorMetadata>(error: &SdkError<E, Response>) -> Self {
        let bare = |kind| Self { kind, status: None, code: None };
        match error {
            SdkError::ConstructionFailure(_) => bare(Kind::BadRequest),
            SdkError::TimeoutError(_) => bare(Kind::TimedOut),
            SdkError::DispatchFailure(failure) if failure.is_timeout() => bare(Kind::TimedOut),
            SdkError::ResponseError(context) => Self::answered(context.raw().status().as_u16(), None, false),
            SdkError::ServiceError(context) => {
                let status = context.raw().status().as_u16();
                Self::answered(status, context.err().code(), concerns_key(context.err().message()))
            }
            SdkError::DispatchFailure(failure) => {
                let handshake = failure.as_connector_error().and_then(|error| Handshake::of(error));
                bare(handshake.map_or(Kind::Unreachable, Kind::Tls))
            }
            // A connection that cannot be made, and whatever a later SDK may add.
            _ => bare(Kind::Unreachable),
        }
    }

    /// An error for one of several things that were asked for together.
    pub(crate) fn of_one(code: Option<&str>, message: Option<&str>) -> Self {
        Self {
            kind: kind_of_code(code, concerns_key(message)).unwrap_or(Kind::Unknown),
            status: None,
            code: shown(code),
        }
    }

    /// An answer that is not what the service answers.
    pub(crate) const fn malformed() -> Self {
        Self { kind: Kind::Malformed, status: None, code: None }
    }

    /// There is no such thing.
    pub(crate) const fn not_found() -> Self {
        Self { kind: Kind::NotFound, status: None, code: None }
    }

    fn answered(status: u16, code: Option<&str>, key: bool) -> Self {
        let kind = match status {
            200..=299 => Kind::Malformed,
            300..=399 => Kind::Redirected,
            _ => kind_of_code(code, key).unwrap_or(match status {
                401 | 403 => Kind::Denied,
                429 => Kind::Throttled,
                500..=599 => Kind::Unavailable,
                _ => Kind::Unknown,
            }),
        };
        Self { kind, status: Some(status), code: shown(code) }
    }

    /// Whether it says nothing about the single things of a batch, so that each is worth asking for alone.
    pub(crate) const fn concerns_the_batch_alone(&self) -> bool {
        matches!(
            self.kind,
            Kind::BadRequest
                | Kind::Denied
                | Kind::KeyDenied
                | Kind::Malformed
                | Kind::NotFound
                | Kind::NotUsable
                | Kind::Unknown
        )
    }

    /// Whether a second, single question may be answered better.
    pub(crate) const fn is_passing(&self) -> bool {
        matches!(self.kind, Kind::Throttled | Kind::Unavailable | Kind::Unknown)
    }

    /// In the words of a provider. `caller` is whom the call was made as.
    pub(crate) fn explain(&self, call: Call, caller: &str) -> ProviderError {
        let action = call.action();
        let said = self.said();
        match self.kind {
            Kind::BadCredentials => ProviderError::denied(
                format!("AWS does not take the credentials of {caller}{said}"),
                "they may have expired, been revoked or be of another partition; the sidecar's clock must be right too",
            ),
            Kind::BadRequest => ProviderError::invalid(
                format!("`{action}` cannot be asked for it{said}"),
                "correct its name or version",
            ),
            Kind::Denied => {
                ProviderError::denied(format!("{caller} may not call `{action}`{said}"), &denied_hint(call))
            }
            Kind::KeyDenied => ProviderError::denied(
                format!("{caller} may not decrypt it{said}"),
                "allow `kms:Decrypt` on its KMS key, in the role's policy and in the key's, and see that the key is enabled",
            ),
            Kind::Malformed => ProviderError::invalid(
                format!("the answer to `{action}` is cut off, or not of the form that AWS answers in{said}"),
                "see what stands behind the endpoint; a proxy may have answered",
            ),
            Kind::NotFound => ProviderError::not_found(
                format!("AWS has none of this name and version{said}"),
                "names are the whole path, case counts, and each region has its own",
            ),
            Kind::NotUsable => ProviderError::invalid(
                format!("AWS cannot give it in its present state{said}"),
                "it may be marked for deletion (`aws secretsmanager restore-secret` takes that back) or hold no value yet",
            ),
            Kind::Redirected => ProviderError::unreachable(
                format!("the endpoint sends us elsewhere, where we do not go{said}"),
                "set `endpointUrl` to the address itself, or leave it out",
            ),
            Kind::Throttled => ProviderError::unreachable(
                format!("AWS throttles `{action}`{said}, after all attempts"),
                "too many runs at once, or a quota that is too low",
            ),
            Kind::Tls(handshake) => handshake.explain(
                &format!("the endpoint of `{action}`"),
                "`endpointUrl` of this provider in the operator file",
                "name the certificates of its CA with `caFile` of this provider in the operator file; a proxy that reads along has one, too",
            ),
            Kind::TimedOut => unanswered(call),
            Kind::Unavailable => ProviderError::unreachable(
                format!("`{action}` fails on AWS' side{said}, after all attempts"),
                "try again later, then with *Hard Refresh*",
            ),
            Kind::Unknown => ProviderError::unreachable(
                format!("`{action}` was answered with an error that sealwave does not know{said}"),
                "AWS' documentation of the call lists its errors",
            ),
            Kind::Unreachable => ProviderError::unreachable(
                format!("the endpoint of `{action}` cannot be reached"),
                "see to `region`, `endpointUrl`, name resolution, network policies and CA certificates",
            ),
        }
    }

    /// The status and the code, as far as they are known: in brackets, behind a space.
    fn said(&self) -> String {
        match (self.status, &self.code) {
            (None, None) => String::new(),
            (None, Some(code)) => format!(" (`{code}`)"),
            (Some(status), None) => format!(" (HTTP {status})"),
            (Some(status), Some(code)) => format!(" (HTTP {status}, `{code}`)"),
        }
    }
}

/// What was still awaited when the time was up.
pub(crate) fn unanswered(call: Call) -> ProviderError {
    ProviderError::unreachable(
        format!("`{}` was not answered before the run's deadline", call.action()),
        "see whether the sidecar reaches AWS; `deadlineSeconds` in the operator file sets the deadline",
    )
}

fn denied_hint(call: Call) -> String {
    let (action, object) = (call.action(), call.object());
    match call {
        Call::AssumeRole => format!(
            "allow `{action}` on {object}, and let the role's trust policy name the sidecar's identity"
        ),
        Call::BatchGetSecretValue => format!("allow `{action}` on {object}"),
        #[cfg(feature = "sops")]
        Call::Decrypt => format!("allow `{action}` on {object}"),
        Call::GetParameters | Call::GetSecretValue => format!(
            "allow `{action}` on {object}, and `kms:Decrypt` if it has a KMS key of its own; AWS says the same of one that does not exist"
        ),
    }
}

fn kind_of_code(code: Option<&str>, key: bool) -> Option<Kind> {
    let code = code?;
    Some(match code {
        "AccessDenied" | "AccessDeniedException" if key => Kind::KeyDenied,
        "AccessDenied" | "AccessDeniedException" | "NotAuthorized" => Kind::Denied,
        "DecryptionFailure" | "InvalidKeyId" => Kind::KeyDenied,
        "DependencyTimeoutException"
        | "InternalFailure"
        | "InternalServerError"
        | "InternalServiceError"
        | "KMSInternalException"
        | "KeyUnavailableException"
        | "ServiceUnavailable" => Kind::Unavailable,
        "InvalidParameterException" | "InvalidParameterValue" | "ValidationError" | "ValidationException" => {
            Kind::BadRequest
        }
        "InvalidRequestException" => Kind::NotUsable,
        "ParameterNotFound" | "ParameterVersionNotFound" | "ResourceNotFoundException" => Kind::NotFound,
        code if BAD_CREDENTIALS.contains(&code) => Kind::BadCredentials,
        code if THROTTLED.contains(&code) => Kind::Throttled,
        code if code.starts_with("KMS") => Kind::KeyDenied,
        _ => return None,
    })
}

/// Whether a refusal is the key's and not the secret's; the text itself goes no further.
fn concerns_key(message: Option<&str>) -> bool {
    message.is_some_and(|text| text.contains("KMS") || text.contains("kms:"))
}

/// A code that reads like one, to be shown.
fn shown(code: Option<&str>) -> Option<String> {
    let code = code?;
    let known = BAD_CREDENTIALS.contains(&code)
        || THROTTLED.contains(&code)
        || ["Exception", "Failure", "Error"].iter().any(|end| code.ends_with(end))
        || kind_of_code(Some(code), false).is_some();
    (known && code.len() <= 60 && code.bytes().all(|byte| byte.is_ascii_alphanumeric()))
        .then(|| code.to_owned())
}
