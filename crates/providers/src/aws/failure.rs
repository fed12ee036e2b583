//! Converts errors of AWS to provider errors with hints.
//!
//! Only the HTTP status and the error code of a response are ever shown, and the code only if it looks like one: error
//! texts may quote requests or stored values.

use aws_smithy_runtime_api::client::result::{ConnectorError, SdkError};
use aws_smithy_runtime_api::http::Response;
use aws_smithy_types::error::metadata::ProvideErrorMetadata;

use crate::ProviderError;
use crate::remote::tls::HandshakeError;

/// Error codes for rejected credentials, regardless of the request.
const BAD_CREDENTIALS: [&str; 15] = [
    "ExpiredToken",
    "ExpiredTokenException",
    "IncompleteSignature",
    "IncompleteSignatureException",
    "InvalidAccessKeyId",
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

/// Error codes for throttling, whose status does not indicate it.
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

/// An API call.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum AwsCall {
    AssumeRole,
    BatchGetSecretValue,
    CreateAccessKey,
    CreateSecret,
    #[cfg(feature = "sops")]
    Decrypt,
    DeleteAccessKey,
    DescribeParameters,
    DescribeSecret,
    GetAccessKeyLastUsed,
    GetCallerIdentity,
    GetParameters,
    GetSecretValue,
    GetUser,
    ListAccessKeys,
    ListBucket,
    PutParameter,
    PutSecretValue,
    RotateSecret,
    UpdateAccessKey,
}

impl AwsCall {
    /// Returns the action's name in IAM policies.
    pub(super) const fn action(self) -> &'static str {
        match self {
            Self::AssumeRole => "sts:AssumeRole",
            Self::BatchGetSecretValue => "secretsmanager:BatchGetSecretValue",
            Self::CreateAccessKey => "iam:CreateAccessKey",
            Self::CreateSecret => "secretsmanager:CreateSecret",
            #[cfg(feature = "sops")]
            Self::Decrypt => "kms:Decrypt",
            Self::DeleteAccessKey => "iam:DeleteAccessKey",
            Self::DescribeParameters => "ssm:DescribeParameters",
            Self::DescribeSecret => "secretsmanager:DescribeSecret",
            Self::GetAccessKeyLastUsed => "iam:GetAccessKeyLastUsed",
            Self::GetCallerIdentity => "sts:GetCallerIdentity",
            Self::GetParameters => "ssm:GetParameters",
            Self::GetSecretValue => "secretsmanager:GetSecretValue",
            Self::GetUser => "iam:GetUser",
            Self::ListAccessKeys => "iam:ListAccessKeys",
            Self::ListBucket => "s3:ListBucket",
            Self::PutParameter => "ssm:PutParameter",
            Self::PutSecretValue => "secretsmanager:PutSecretValue",
            Self::RotateSecret => "secretsmanager:RotateSecret",
            Self::UpdateAccessKey => "iam:UpdateAccessKey",
        }
    }

    /// Returns the resource of the call, for hints.
    const fn object(self) -> &'static str {
        match self {
            Self::AssumeRole => "this role",
            Self::BatchGetSecretValue | Self::DescribeParameters | Self::GetCallerIdentity => "`*`",
            Self::CreateAccessKey
            | Self::DeleteAccessKey
            | Self::GetAccessKeyLastUsed
            | Self::GetUser
            | Self::ListAccessKeys
            | Self::UpdateAccessKey => "this user",
            #[cfg(feature = "sops")]
            Self::Decrypt => "this key",
            Self::GetParameters | Self::PutParameter => "this parameter",
            Self::CreateSecret
            | Self::DescribeSecret
            | Self::GetSecretValue
            | Self::PutSecretValue
            | Self::RotateSecret => "this secret",
            Self::ListBucket => "this bucket",
        }
    }
}

/// The cause of a failure.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum FailureKind {
    BadCredentials,
    BadRequest,
    Conflict,
    Denied,
    KeyDenied,
    Limit,
    Malformed,
    NotFound,
    NotUsable,
    Redirected,
    Throttled,
    TimedOut,
    Unavailable,
    Tls(HandshakeError),
    Unknown,
    Unreachable,
}

/// A failure of a call to AWS, or of the connection to it.
#[derive(Clone, Debug)]
pub(crate) struct AwsFailure {
    kind: FailureKind,
    status: Option<u16>,
    code: Option<String>,
}

impl AwsFailure {
    /// Classifies the error of a call.
    pub(crate) fn from_sdk_error<E: ProvideErrorMetadata>(error: &SdkError<E, Response>) -> Self {
        let without_response = |kind| Self { kind, status: None, code: None };
        match error {
            SdkError::ConstructionFailure(_) => without_response(FailureKind::BadRequest),
            SdkError::TimeoutError(_) => without_response(FailureKind::TimedOut),
            SdkError::DispatchFailure(failure) if failure.is_timeout() => {
                without_response(FailureKind::TimedOut)
            }
            SdkError::ResponseError(context) => {
                Self::from_response(context.raw().status().as_u16(), None, false)
            }
            SdkError::ServiceError(context) => {
                let status = context.raw().status().as_u16();
                Self::from_response(status, context.err().code(), concerns_key(context.err().message()))
            }
            SdkError::DispatchFailure(failure) => failure
                .as_connector_error()
                .map_or(without_response(FailureKind::Unreachable), Self::of_connector),
            // A failed connection, and any variant that a later SDK adds.
            _ => without_response(FailureKind::Unreachable),
        }
    }

    /// Classifies the error of a connection.
    pub(super) fn of_connector(error: &ConnectorError) -> Self {
        let handshake = HandshakeError::find_in(error);
        let kind = handshake.map_or(FailureKind::Unreachable, FailureKind::Tls);
        Self { kind, status: None, code: None }
    }

    /// Returns the failure for a call without a response in time.
    pub(super) const fn timed_out() -> Self {
        Self { kind: FailureKind::TimedOut, status: None, code: None }
    }

    /// Classifies the error of one target of a batch.
    pub(crate) fn from_batch_error(code: Option<&str>, message: Option<&str>) -> Self {
        Self {
            kind: kind_of_code(code, concerns_key(message)).unwrap_or(FailureKind::Unknown),
            status: None,
            code: displayable_code(code),
        }
    }

    /// Returns the failure for a malformed response.
    pub(crate) const fn malformed() -> Self {
        Self { kind: FailureKind::Malformed, status: None, code: None }
    }

    /// Returns the failure for a missing secret or parameter.
    pub(crate) const fn not_found() -> Self {
        Self { kind: FailureKind::NotFound, status: None, code: None }
    }

    /// Returns the cause.
    pub(super) const fn kind(&self) -> FailureKind {
        self.kind
    }

    /// Classifies a response by its status and error code. `key` tells whether it is about a KMS key.
    pub(super) fn from_response(status: u16, code: Option<&str>, key: bool) -> Self {
        let kind = match status {
            200..=299 => FailureKind::Malformed,
            300..=399 => FailureKind::Redirected,
            _ => kind_of_code(code, key).unwrap_or(match status {
                401 | 403 => FailureKind::Denied,
                429 => FailureKind::Throttled,
                500..=599 => FailureKind::Unavailable,
                _ => FailureKind::Unknown,
            }),
        };
        Self { kind, status: Some(status), code: displayable_code(code) }
    }

    /// Reports whether a failed batch says nothing about its targets, so that requesting each alone may succeed.
    pub(crate) const fn is_batch_level(&self) -> bool {
        matches!(
            self.kind,
            FailureKind::BadRequest
                | FailureKind::Denied
                | FailureKind::KeyDenied
                | FailureKind::Limit
                | FailureKind::Malformed
                | FailureKind::NotFound
                | FailureKind::NotUsable
                | FailureKind::Unknown
        )
    }

    /// Reports whether a second request for the target alone may succeed.
    pub(crate) const fn is_transient(&self) -> bool {
        matches!(self.kind, FailureKind::Throttled | FailureKind::Unavailable | FailureKind::Unknown)
    }

    /// Converts to a provider error. `caller` describes the identity of the caller.
    pub(crate) fn to_provider_error(&self, call: AwsCall, caller: &str) -> ProviderError {
        let action = call.action();
        let details = self.details();
        match self.kind {
            FailureKind::BadCredentials => ProviderError::denied(
                format!("AWS rejected the credentials of {caller}{details}"),
                "they may have expired, been revoked, or belong to another partition; check the sidecar's clock too",
            ),
            FailureKind::BadRequest => ProviderError::invalid(
                format!("`{action}` does not accept this name or version{details}"),
                "correct the name or version",
            ),
            FailureKind::Conflict => ProviderError::invalid(
                format!("`{action}` found something else with this name or token{details}"),
                "look at its present version, and run the command again",
            ),
            FailureKind::Limit => ProviderError::invalid(
                format!("`{action}` would exceed a quota of the account{details}"),
                "remove what is not needed any more, or raise the quota",
            ),
            FailureKind::Denied => {
                ProviderError::denied(format!("{caller} is not allowed to call `{action}`{details}"), &denied_hint(call))
            }
            FailureKind::KeyDenied => ProviderError::denied(
                format!("{caller} is not allowed to decrypt it{details}"),
                "allow `kms:Decrypt` on its KMS key, in the role's policy and in the key's, and check that the key is enabled",
            ),
            FailureKind::Malformed => ProviderError::invalid(
                format!("the response to `{action}` is incomplete or malformed{details}"),
                "check what serves the endpoint; a proxy may have responded",
            ),
            FailureKind::NotFound => ProviderError::not_found(
                format!("AWS has nothing with this name and version{details}"),
                "names are full paths, and each region has its own; case matters",
            ),
            FailureKind::NotUsable => ProviderError::invalid(
                format!("AWS cannot return it in its current state{details}"),
                "it may be marked for deletion (`aws secretsmanager restore-secret` cancels that) or have no value yet",
            ),
            FailureKind::Redirected => ProviderError::unreachable(
                format!("the endpoint redirects elsewhere, and redirects are not followed{details}"),
                "set `endpointUrl` to the final address, or remove it",
            ),
            FailureKind::Throttled => ProviderError::unreachable(
                format!("AWS throttled all attempts of `{action}`{details}"),
                "run fewer apps at once, or raise the quota",
            ),
            FailureKind::Tls(handshake) => handshake.to_provider_error(
                &format!("the endpoint of `{action}`"),
                "`endpointUrl` of this provider in the operator file",
                "set `caFile` of this provider in the operator file to the certificates of its CA; an intercepting proxy has its own CA",
            ),
            FailureKind::TimedOut => call_timeout(call),
            FailureKind::Unavailable => ProviderError::unreachable(
                format!("all attempts of `{action}` failed on AWS' side{details}"),
                "try again later with *Hard Refresh*",
            ),
            FailureKind::Unknown => ProviderError::unreachable(
                format!("`{action}` failed with an error that sealwave does not know{details}"),
                "look up the error in AWS' documentation of the call",
            ),
            FailureKind::Unreachable => ProviderError::unreachable(
                format!("the endpoint of `{action}` cannot be reached"),
                "check `region`, `endpointUrl`, name resolution, network policies and CA certificates",
            ),
        }
    }

    /// Formats the known status and code in parentheses, with a leading space.
    fn details(&self) -> String {
        match (self.status, &self.code) {
            (None, None) => String::new(),
            (None, Some(code)) => format!(" (`{code}`)"),
            (Some(status), None) => format!(" (HTTP {status})"),
            (Some(status), Some(code)) => format!(" (HTTP {status}, `{code}`)"),
        }
    }
}

/// Returns the error for a call that was pending at the deadline.
pub(crate) fn call_timeout(call: AwsCall) -> ProviderError {
    ProviderError::unreachable(
        format!("`{}` was not answered before the run's deadline", call.action()),
        "check that the sidecar can reach AWS; `deadlineSeconds` in the operator file sets the deadline",
    )
}

fn denied_hint(call: AwsCall) -> String {
    let (action, object) = (call.action(), call.object());
    match call {
        AwsCall::AssumeRole => format!(
            "allow `{action}` on {object}, and let the role's trust policy name the sidecar's identity"
        ),
        AwsCall::CreateSecret | AwsCall::PutParameter | AwsCall::PutSecretValue => format!(
            "allow `{action}` on {object}, and `kms:GenerateDataKey` and `kms:Decrypt` if it has its own KMS key"
        ),
        AwsCall::GetParameters | AwsCall::GetSecretValue => format!(
            "allow `{action}` on {object}, and `kms:Decrypt` if it has its own KMS key; AWS reports the same error if it does not exist"
        ),
        _ => format!("allow `{action}` on {object}"),
    }
}

fn kind_of_code(code: Option<&str>, key: bool) -> Option<FailureKind> {
    let code = code?;
    Some(match code {
        "AccessDenied" | "AccessDeniedException" if key => FailureKind::KeyDenied,
        "AccessDenied" | "AccessDeniedException" | "NotAuthorized" => FailureKind::Denied,
        "DecryptionFailure" | "InvalidKeyId" => FailureKind::KeyDenied,
        "DependencyTimeoutException"
        | "InternalFailure"
        | "InternalServerError"
        | "InternalServiceError"
        | "EntityTemporarilyUnmodifiable"
        | "InternalError"
        | "KMSInternalException"
        | "KeyUnavailableException"
        | "ServiceFailure"
        | "ServiceUnavailable" => FailureKind::Unavailable,
        "InvalidParameterException" | "InvalidParameterValue" | "ValidationError" | "ValidationException" => {
            FailureKind::BadRequest
        }
        "InvalidRequestException" => FailureKind::NotUsable,
        "ParameterAlreadyExists" | "ResourceExistsException" => FailureKind::Conflict,
        "LimitExceeded" | "ParameterLimitExceeded" | "ParameterMaxVersionLimitExceeded" => FailureKind::Limit,
        "NoSuchBucket"
        | "NoSuchEntity"
        | "ParameterNotFound"
        | "ParameterVersionNotFound"
        | "ResourceNotFoundException" => FailureKind::NotFound,
        code if BAD_CREDENTIALS.contains(&code) => FailureKind::BadCredentials,
        code if THROTTLED.contains(&code) => FailureKind::Throttled,
        code if code.starts_with("KMS") => FailureKind::KeyDenied,
        _ => return None,
    })
}

/// Reports whether an error is about the KMS key and not the secret. The text itself is not kept.
fn concerns_key(message: Option<&str>) -> bool {
    message.is_some_and(|text| text.contains("KMS") || text.contains("kms:"))
}

/// Returns the code if it looks like one and may be shown.
fn displayable_code(code: Option<&str>) -> Option<String> {
    let code = code?;
    let is_known = BAD_CREDENTIALS.contains(&code)
        || THROTTLED.contains(&code)
        || ["Exception", "Failure", "Error"].iter().any(|end| code.ends_with(end))
        || kind_of_code(Some(code), false).is_some();
    (is_known && code.len() <= 60 && code.bytes().all(|byte| byte.is_ascii_alphanumeric()))
        .then(|| code.to_owned())
}
