//! What a reference asks AWS for: a name or an ARN, and which version of it.
//!
//! A reference comes from Git. Its path goes to AWS as it stands, and only if it is made of what AWS' names are made
//! of, so that one bad name cannot spoil the question for others. The only thing that is read out of it is the region of
//! an ARN, in the strict form of a region: it becomes part of a host's name.

use super::Service;
use crate::ProviderError;
use sealwave_secrets::placeholder::Reference;

/// The longest name, ARN or version that AWS has.
const MAX_LENGTH: usize = 2048;

/// The stage that a secret's newest version has; asking for it is asking for no version at all.
const CURRENT: &str = "AWSCURRENT";

/// One thing to ask for; keys of it are looked up in the answer.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Target {
    /// The region of an ARN; the provider's own where there is none.
    pub(super) region: Option<String>,
    /// A name or an ARN.
    pub(super) id: String,
    /// Which version; the current one where there is none.
    pub(super) version: Option<Version>,
}

/// One version.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Version {
    /// By what AWS numbers it with.
    Id(String),
    /// By what people put on it: a staging label, a parameter's label.
    Label(String),
}

impl Version {
    pub(super) fn as_str(&self) -> &str {
        match self {
            Self::Id(text) | Self::Label(text) => text,
        }
    }
}

impl Target {
    pub(super) fn new(service: Service, reference: &Reference) -> Result<Self, ProviderError> {
        let path = reference.path.as_str();
        let region = if path.starts_with("arn:") {
            Some(region_of(service, path).ok_or_else(|| bad_arn(service))?)
        } else {
            check_name(service, path)?;
            None
        };
        if service == Service::ParameterStore && leads_to_secret(path) {
            return Err(ProviderError::denied(
                "it is a secret of Secrets Manager under another name",
                "use a provider of kind `aws-sm`",
            ));
        }
        let version = reference.version.as_deref().map(|text| version(service, text)).transpose()?.flatten();
        Ok(Self { region, id: path.to_owned(), version })
    }
}

/// The region of an ARN of this service; `None` where it is no such ARN.
fn region_of(service: Service, arn: &str) -> Option<String> {
    let mut parts = arn.splitn(6, ':');
    let (scheme, partition, name) = (parts.next()?, parts.next()?, parts.next()?);
    let (region, account, resource) = (parts.next()?, parts.next()?, parts.next()?);
    let words = |text: &str| text.bytes().all(|byte| byte.is_ascii_lowercase() || byte == b'-');
    let sound = scheme == "arn"
        && arn.len() <= MAX_LENGTH
        && partition.starts_with("aws")
        && words(partition)
        && is_region(region)
        && account.len() == 12
        && account.bytes().all(|byte| byte.is_ascii_digit());
    let fits = match service {
        Service::ParameterStore => {
            name == "ssm" && resource.strip_prefix("parameter/").is_some_and(|rest| is_name(service, rest))
        }
        Service::SecretsManager => {
            name == "secretsmanager"
                && resource.strip_prefix("secret:").is_some_and(|rest| is_name(service, rest))
        }
    };
    (sound && fits).then(|| region.to_owned())
}

/// `eu-west-1`, `us-gov-east-1`: words of small letters, and a number.
pub(super) fn is_region(text: &str) -> bool {
    let mut parts: Vec<&str> = text.split('-').collect();
    let number = parts.pop().unwrap_or("");
    let word = |part: &&str| !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_lowercase());
    text.len() <= 32
        && parts.len() >= 2
        && parts.iter().all(word)
        && (1..=2).contains(&number.len())
        && number.bytes().all(|byte| byte.is_ascii_digit())
}

fn is_name(service: Service, name: &str) -> bool {
    let more: &[u8] = match service {
        Service::ParameterStore => b"/_.-",
        // `!` is in the names of secrets that other services manage: `rds!db-…`, `ecs-sc!…`, `events!connection/…`.
        Service::SecretsManager => b"/_+=.@-!",
    };
    !name.is_empty()
        && name.len() <= MAX_LENGTH
        && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || more.contains(&byte))
}

fn check_name(service: Service, name: &str) -> Result<(), ProviderError> {
    if !is_name(service, name) {
        return Err(match service {
            Service::ParameterStore => ProviderError::invalid(
                "its path is not a valid name of a parameter",
                "names hold A-Z, a-z, 0-9, `/`, `_`, `.` and `-`; a version or label goes behind `#`: `<aws-ssm:/name##3>`",
            ),
            Service::SecretsManager => ProviderError::invalid(
                "its path is not a valid name of a secret",
                "names hold A-Z, a-z, 0-9, `/`, `_`, `+`, `=`, `.`, `@`, `-`, and `!` where AWS manages the secret (`rds!db-…`)",
            ),
        });
    }
    Ok(())
}

/// Returns whether a parameter's name or ARN stands for a secret of Secrets Manager, which Parameter Store hands on under a
/// name that no rule for secrets knows of. Taken broadly: no other parameter can be called so.
fn leads_to_secret(path: &str) -> bool {
    let name = path.split_once(":parameter/").map_or(path, |(_, name)| name);
    let mut parts = name.split('/').filter(|part| !part.is_empty());
    ["aws", "reference", "secretsmanager"]
        .into_iter()
        .all(|expected| parts.next().is_some_and(|part| part.eq_ignore_ascii_case(expected)))
}

fn bad_arn(service: Service) -> ProviderError {
    match service {
        Service::ParameterStore => ProviderError::invalid(
            "it is not the ARN of a parameter",
            "write `arn:aws:ssm:REGION:ACCOUNT:parameter/NAME`",
        ),
        Service::SecretsManager => ProviderError::invalid(
            "it is not the ARN of a secret",
            "write `arn:aws:secretsmanager:REGION:ACCOUNT:secret:NAME-RANDOM`",
        ),
    }
}

/// A version by its form.
///
/// Secrets Manager: 32 to 64 letters, digits and dashes are a version id (a UUID, or the token that whoever made the
/// version chose, as Terraform does), everything else is a staging label. Parameter Store: digits are a number,
/// everything else is a label. `None` is the current version.
fn version(service: Service, text: &str) -> Result<Option<Version>, ProviderError> {
    let all = |test: fn(u8) -> bool| !text.is_empty() && text.bytes().all(test);
    let label = all(|byte| byte.is_ascii_alphanumeric() || b"_.-".contains(&byte));
    let version = match service {
        Service::ParameterStore if all(|byte| byte.is_ascii_digit()) && text.len() <= 18 => {
            Version::Id(text.to_owned())
        }
        Service::ParameterStore
            if label && text.len() <= 100 && !text.starts_with(|c: char| c.is_ascii_digit()) =>
        {
            Version::Label(text.to_owned())
        }
        Service::SecretsManager if text == CURRENT => return Ok(None),
        Service::SecretsManager
            if (32..=64).contains(&text.len())
                && all(|byte| byte.is_ascii_alphanumeric() || byte == b'-') =>
        {
            Version::Id(text.to_owned())
        }
        Service::SecretsManager
            if text.len() <= 256 && !text.contains('!') && (label || is_name(service, text)) =>
        {
            Version::Label(text.to_owned())
        }
        Service::ParameterStore => {
            return Err(ProviderError::invalid(
                "its version is neither a number nor a label",
                "write `<aws-ssm:/name##3>` or `<aws-ssm:/name##label>`",
            ));
        }
        Service::SecretsManager => {
            return Err(ProviderError::invalid(
                "its version is neither a staging label nor a version id",
                "write `AWSPREVIOUS`, a label of your own, or the version's id",
            ));
        }
    };
    Ok(Some(version))
}
