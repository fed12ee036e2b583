//! Checks an AWS provider's settings before any request is sent.

use super::settings::AwsSettings;
use super::target::is_region;
use crate::config_error::BadSetting;
use crate::remote::proxy;

/// Checks the form of all settings.
///
/// # Errors
/// Returns the first malformed setting.
pub(crate) fn check(settings: &AwsSettings) -> Result<(), BadSetting> {
    let role = settings.assume_role.as_ref();
    let fields = [
        (
            "region",
            settings.region.as_deref(),
            is_region as fn(&str) -> bool,
            "a region, for example `eu-west-1`",
        ),
        ("profile", settings.profile.as_deref(), is_profile_name, "the name of a profile"),
        ("endpointUrl", settings.endpoint_url.as_deref(), is_endpoint, ENDPOINT),
        ("assumeRole.roleArn", role.map(|role| role.role_arn.as_str()), is_role, "the ARN of a role"),
        (
            "assumeRole.externalId",
            role.and_then(|role| role.external_id.as_deref()),
            is_external_id,
            "2 to 1224 of A-Z, a-z, 0-9 and `+=,.@:/_-`",
        ),
        (
            "assumeRole.sessionName",
            role.and_then(|role| role.session_name.as_deref()),
            is_session_name,
            "2 to 64 of A-Z, a-z, 0-9 and `+=,.@_-`",
        ),
        ("proxy", settings.proxy.as_deref(), proxy::is_valid, proxy::FORM),
        ("assumeRole.endpointUrl", role.and_then(|role| role.endpoint_url.as_deref()), is_endpoint, ENDPOINT),
    ];
    for (field, value, is_valid, wanted) in fields {
        if value.is_some_and(|value| !is_valid(value)) {
            return Err(BadSetting { field, wanted });
        }
    }
    Ok(())
}

const ENDPOINT: &str =
    "an `https://` address (`http://` only on this machine), without user, query and fragment";

fn is_profile_name(text: &str) -> bool {
    !text.trim().is_empty() && !text.chars().any(|c| c.is_control() || matches!(c, '[' | ']'))
}

/// Reports whether a URL is a safe endpoint. Values may only be sent in plaintext within the machine, for emulators.
pub(super) fn is_endpoint(url: &str) -> bool {
    let Some((scheme, host)) = split_endpoint(url) else { return false };
    let is_clean = !url.chars().any(|c| c.is_control() || c.is_whitespace() || "@?#\\".contains(c));
    is_clean && !host.is_empty() && (scheme == "https" || (scheme == "http" && is_this_machine(host)))
}

/// Reports whether an endpoint is on this machine.
pub(super) fn is_local(url: &str) -> bool {
    split_endpoint(url).is_some_and(|(_, host)| is_this_machine(host))
}

fn is_this_machine(host: &str) -> bool {
    matches!(host, "localhost" | "127.0.0.1" | "::1")
}

/// Returns the scheme and the host of a URL.
fn split_endpoint(url: &str) -> Option<(&str, &str)> {
    let (scheme, rest) = url.split_once("://")?;
    let authority = rest.split('/').next().unwrap_or("");
    let host = match authority.strip_prefix('[') {
        Some(rest) => rest.split(']').next().unwrap_or(""),
        None => authority.split(':').next().unwrap_or(""),
    };
    Some((scheme, host))
}

fn is_role(arn: &str) -> bool {
    let parts: Vec<&str> = arn.splitn(6, ':').collect();
    matches!(parts[..], ["arn", partition, "iam", "", account, role]
        if partition.starts_with("aws") && account.len() == 12 && role.starts_with("role/"))
        && arn.bytes().all(|byte| byte.is_ascii_graphic())
}

fn is_external_id(text: &str) -> bool {
    (2..=1224).contains(&text.len()) && consists_of(text, b"+=,.@:/_-")
}

fn is_session_name(text: &str) -> bool {
    (2..=64).contains(&text.len()) && consists_of(text, b"+=,.@_-")
}

fn consists_of(text: &str, more: &[u8]) -> bool {
    text.bytes().all(|byte| byte.is_ascii_alphanumeric() || more.contains(&byte))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::aws::AssumeRole;

    fn bad_field(settings: &AwsSettings) -> Option<&'static str> {
        check(settings).err().map(|error| error.field)
    }

    #[test]
    fn endpoints_must_be_encrypted_or_local() {
        for url in [
            "https://vpce-1.secretsmanager.eu-west-1.vpce.amazonaws.com",
            "https://[fd00::1]:443/",
            "http://127.0.0.1:5000",
            "http://localhost:4566/",
            "http://[::1]:5000",
        ] {
            assert!(is_endpoint(url), "{url}");
        }
        for url in [
            "",
            "https://",
            "moto:5000",
            "http://moto:5000",
            "http://127.0.0.1.example.com",
            "http://localhost@example.com",
            "https://user:word@example.com",
            "https://example.com/?a=b",
            "https://example.com/#a",
            "https://exa mple.com",
            "ftp://localhost",
        ] {
            assert!(!is_endpoint(url), "{url}");
            let settings = AwsSettings { endpoint_url: Some(url.to_owned()), ..AwsSettings::default() };
            assert_eq!(bad_field(&settings), Some("endpointUrl"));
        }
    }

    #[test]
    fn malformed_roles_and_regions_are_rejected() {
        let role = |arn: &str, session: Option<&str>| AwsSettings {
            region: Some("eu-west-1".to_owned()),
            profile: Some("prod".to_owned()),
            assume_role: Some(AssumeRole {
                role_arn: arn.to_owned(),
                external_id: Some("team/1:2".to_owned()),
                session_name: session.map(str::to_owned),
                endpoint_url: None,
            }),
            ..AwsSettings::default()
        };
        let good = "arn:aws:iam::123456789012:role/path/reader";
        assert_eq!(check(&role(good, Some("sealwave"))), Ok(()));
        assert_eq!(bad_field(&role(good, Some("a b"))), Some("assumeRole.sessionName"));
        for arn in
            ["reader", "arn:aws:iam::123456789012:user/reader", "arn:aws:sts::123456789012:role/reader"]
        {
            assert_eq!(bad_field(&role(arn, None)), Some("assumeRole.roleArn"), "{arn}");
        }
        for region in ["", "eu-west", "eu-west-1.example.com", "EU-WEST-1", "eu-west-1/", "-west-1", "eu--1"]
        {
            let settings = AwsSettings { region: Some(region.to_owned()), ..AwsSettings::default() };
            assert_eq!(bad_field(&settings), Some("region"), "{region}");
        }
    }
}
