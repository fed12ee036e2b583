//! The forms of names and ids, which are checked before a login, and in responses before they are shown.

use super::error::AwsError;
use crate::aws::target::{AwsService, check_path};

/// Checks the name or the ARN of a secret of Secrets Manager.
///
/// # Errors
/// No secret can have it.
pub fn check_secret_name(name: &str) -> Result<(), AwsError> {
    check(AwsService::SecretsManager, name)
}

/// Checks the name or the ARN of a parameter.
///
/// # Errors
/// No parameter can have it.
pub fn check_parameter_name(name: &str) -> Result<(), AwsError> {
    check(AwsService::ParameterStore, name)
}

fn check(service: AwsService, name: &str) -> Result<(), AwsError> {
    check_path(service, name).map(drop).map_err(|error| AwsError::of_login(&error))
}

/// Reports whether a text of a response has the form of an access key's id, so that it can be shown.
pub(super) fn is_access_key_id(text: &str) -> bool {
    (16..=128).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_')
}

/// Reports whether a response is about what was requested: by its name, its ARN, or its ARN without the random end.
pub(super) fn is_requested(requested: &str, name: Option<&str>, arn: Option<&str>) -> bool {
    let is_partial = |arn: &str| {
        let end = arn.strip_prefix(requested).and_then(|end| end.strip_prefix('-'));
        requested.starts_with("arn:") && end.is_some_and(|end| end.len() == 6)
    };
    name == Some(requested) || arn.is_some_and(|arn| arn == requested || is_partial(arn))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hostile_names_are_refused() {
        let arn = "arn:aws:secretsmanager:eu-west-1:123456789012:secret:prod/aws-AbCdEf";
        for name in ["prod/aws", "-rf", "rds!db-1", arn] {
            assert!(check_secret_name(name).is_ok(), "{name}");
        }
        for name in [
            "",
            "a b",
            "a\nb",
            "a\u{1b}[2J",
            "a`b",
            "a?b",
            "--secret-id x",
            "arn:aws:iam::123456789012:user/airflow",
            "arn:aws:ssm:eu-west-1:123456789012:parameter/x",
            "arn:aws:secretsmanager:eu-west-1.example.com:123456789012:secret:x",
            "arn:aws:secretsmanager:eu-west-1:123456789012:secret:x\ny",
            "arn:evil:secretsmanager:eu-west-1:123456789012:secret:x",
            "arn:aws:secretsmanager:eu-west-1:1:secret:x",
        ] {
            let error = check_secret_name(name).expect_err(name);
            assert!(!error.to_string().chars().any(char::is_control), "{error}");
            assert!(check_parameter_name(name).is_err() || name.contains(":ssm:"), "{name}");
        }
        assert!(check_parameter_name("/aws/reference/secretsmanager/prod").is_err());
    }

    #[test]
    fn responses_are_about_what_was_requested() {
        let arn = "arn:aws:secretsmanager:eu-west-1:123456789012:secret:prod/aws-AbCdEf";
        let short = arn.trim_end_matches("-AbCdEf");
        for requested in ["prod/aws", arn, short] {
            assert!(is_requested(requested, Some("prod/aws"), Some(arn)), "{requested}");
        }
        for requested in ["prod", "prod/aw", "arn:aws", "prod/aws-AbCdEf"] {
            assert!(!is_requested(requested, Some("prod/aws"), Some(arn)), "{requested}");
        }
        assert!(!is_requested("prod/aws", None, None));
    }
}
