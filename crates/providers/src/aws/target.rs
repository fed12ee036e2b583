//! The target of a reference in AWS: a name or an ARN, and a version.
//!
//! References come from Git. The path is sent to AWS unchanged, and only if it consists of characters that AWS allows in
//! names, so that one bad name cannot fail a whole batch. Only the region is parsed from an ARN, and checked strictly,
//! since it becomes part of a host name.

use crate::ProviderError;
use sealwave_secrets::placeholder::SecretReference;

/// An AWS service with secrets.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum AwsService {
    ParameterStore,
    SecretsManager,
}

/// The longest name, ARN or version that AWS has.
const MAX_LENGTH: usize = 2048;

/// The stage of a secret's current version; requesting it equals requesting no version.
const CURRENT: &str = "AWSCURRENT";

/// A secret or parameter to request; keys are looked up in the response.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct AwsTarget {
    /// The region of an ARN; `None` for the provider's own region.
    pub(super) region: Option<String>,
    /// A name or an ARN.
    pub(super) id: String,
    /// The version; `None` for the current one.
    pub(super) version: Option<VersionSelector>,
}

/// A version of a secret or parameter.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum VersionSelector {
    /// The id or number that AWS assigns.
    Id(String),
    /// A label that users assign: a staging label or a parameter's label.
    Label(String),
}

impl VersionSelector {
    pub(super) fn as_str(&self) -> &str {
        match self {
            Self::Id(text) | Self::Label(text) => text,
        }
    }
}

impl AwsTarget {
    pub(super) fn new(service: AwsService, reference: &SecretReference) -> Result<Self, ProviderError> {
        let path = reference.path.as_str();
        let region = check_path(service, path)?;
        let version = reference.version.as_deref().map(|text| version(service, text)).transpose()?.flatten();
        Ok(Self { region, id: path.to_owned(), version })
    }
}

/// Checks a name or an ARN, and returns the region of an ARN.
///
/// # Errors
/// It cannot be a name of this service, or is an alias of a secret of another one.
pub(super) fn check_path(service: AwsService, path: &str) -> Result<Option<String>, ProviderError> {
    let region = if path.starts_with("arn:") {
        Some(arn_region(service, path).ok_or_else(|| bad_arn(service))?)
    } else {
        check_name(service, path)?;
        None
    };
    if service == AwsService::ParameterStore && is_secret_alias(path) {
        return Err(ProviderError::denied(
            "the parameter is an alias of a Secrets Manager secret",
            "use a provider of kind `aws-sm`",
        ));
    }
    Ok(region)
}

/// Returns the region of an ARN of this service, or `None` if the text is not such an ARN.
fn arn_region(service: AwsService, arn: &str) -> Option<String> {
    let mut parts = arn.splitn(6, ':');
    let (scheme, partition, name) = (parts.next()?, parts.next()?, parts.next()?);
    let (region, account, resource) = (parts.next()?, parts.next()?, parts.next()?);
    let is_lowercase = |text: &str| text.bytes().all(|byte| byte.is_ascii_lowercase() || byte == b'-');
    let is_well_formed = scheme == "arn"
        && arn.len() <= MAX_LENGTH
        && partition.starts_with("aws")
        && is_lowercase(partition)
        && is_region(region)
        && account.len() == 12
        && account.bytes().all(|byte| byte.is_ascii_digit());
    let is_of_service = match service {
        AwsService::ParameterStore => {
            name == "ssm" && resource.strip_prefix("parameter/").is_some_and(|rest| is_name(service, rest))
        }
        AwsService::SecretsManager => {
            name == "secretsmanager"
                && resource.strip_prefix("secret:").is_some_and(|rest| is_name(service, rest))
        }
    };
    (is_well_formed && is_of_service).then(|| region.to_owned())
}

/// Reports whether a text is a region such as `eu-west-1` or `us-gov-east-1`: lower-case words and a number.
pub(crate) fn is_region(text: &str) -> bool {
    let mut parts: Vec<&str> = text.split('-').collect();
    let number = parts.pop().unwrap_or("");
    let is_word = |part: &&str| !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_lowercase());
    text.len() <= 32
        && parts.len() >= 2
        && parts.iter().all(is_word)
        && (1..=2).contains(&number.len())
        && number.bytes().all(|byte| byte.is_ascii_digit())
}

fn is_name(service: AwsService, name: &str) -> bool {
    let more: &[u8] = match service {
        AwsService::ParameterStore => b"/_.-",
        // `!` occurs in the names of secrets that other services manage: `rds!db-…`, `ecs-sc!…`, `events!connection/…`.
        AwsService::SecretsManager => b"/_+=.@-!",
    };
    !name.is_empty()
        && name.len() <= MAX_LENGTH
        && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || more.contains(&byte))
}

fn check_name(service: AwsService, name: &str) -> Result<(), ProviderError> {
    if !is_name(service, name) {
        return Err(match service {
            AwsService::ParameterStore => ProviderError::invalid(
                "the path is not a valid parameter name",
                "use A-Z, a-z, 0-9, `/`, `_`, `.` and `-`; a version or label follows `##`: `<aws-ssm:/name##3>`",
            ),
            AwsService::SecretsManager => ProviderError::invalid(
                "the path is not a valid secret name",
                "use A-Z, a-z, 0-9, `/`, `_`, `+`, `=`, `.`, `@`, `-`, and `!` if AWS manages the secret (`rds!db-…`)",
            ),
        });
    }
    Ok(())
}

/// Reports whether a parameter's name or ARN is an alias of a Secrets Manager secret, which would bypass policy rules for
/// secrets. The check is broad: AWS reserves such names.
fn is_secret_alias(path: &str) -> bool {
    let name = path.split_once(":parameter/").map_or(path, |(_, name)| name);
    let mut parts = name.split('/').filter(|part| !part.is_empty());
    ["aws", "reference", "secretsmanager"]
        .into_iter()
        .all(|expected| parts.next().is_some_and(|part| part.eq_ignore_ascii_case(expected)))
}

fn bad_arn(service: AwsService) -> ProviderError {
    match service {
        AwsService::ParameterStore => ProviderError::invalid(
            "the path is not the ARN of a parameter",
            "write `arn:aws:ssm:REGION:ACCOUNT:parameter/NAME`",
        ),
        AwsService::SecretsManager => ProviderError::invalid(
            "the path is not the ARN of a secret",
            "write `arn:aws:secretsmanager:REGION:ACCOUNT:secret:NAME-RANDOM`",
        ),
    }
}

/// Parses a version by its form; `None` is the current version.
///
/// Secrets Manager: 32 to 64 letters, digits and dashes are a version id (a UUID, or the token that a client such as
/// Terraform chose), everything else is a staging label. Parameter Store: digits are a version number, everything else
/// is a label.
fn version(service: AwsService, text: &str) -> Result<Option<VersionSelector>, ProviderError> {
    let consists_of = |test: fn(u8) -> bool| !text.is_empty() && text.bytes().all(test);
    let is_label = consists_of(|byte| byte.is_ascii_alphanumeric() || b"_.-".contains(&byte));
    let version = match service {
        AwsService::ParameterStore if consists_of(|byte| byte.is_ascii_digit()) && text.len() <= 18 => {
            VersionSelector::Id(text.to_owned())
        }
        AwsService::ParameterStore
            if is_label && text.len() <= 100 && !text.starts_with(|c: char| c.is_ascii_digit()) =>
        {
            VersionSelector::Label(text.to_owned())
        }
        AwsService::SecretsManager if text == CURRENT => return Ok(None),
        AwsService::SecretsManager
            if (32..=64).contains(&text.len())
                && consists_of(|byte| byte.is_ascii_alphanumeric() || byte == b'-') =>
        {
            VersionSelector::Id(text.to_owned())
        }
        AwsService::SecretsManager
            if text.len() <= 256 && !text.contains('!') && (is_label || is_name(service, text)) =>
        {
            VersionSelector::Label(text.to_owned())
        }
        AwsService::ParameterStore => {
            return Err(ProviderError::invalid(
                "the version is neither a number nor a label",
                "write `<aws-ssm:/name##3>` or `<aws-ssm:/name##label>`",
            ));
        }
        AwsService::SecretsManager => {
            return Err(ProviderError::invalid(
                "the version is neither a staging label nor a version id",
                "write `AWSPREVIOUS`, a custom label, or the version's id",
            ));
        }
    };
    Ok(Some(version))
}
