//! The operator's settings of AWS providers. Anything not set uses the defaults of the AWS SDK.

use std::path::{Path, PathBuf};

use serde::Deserialize;

use crate::ca_file::ca_file_problem;
use crate::program::LoginProgram;
use crate::{LocalContext, OfflineProblem, ProviderSettings};

/// Endpoint and identity for an AWS service.
#[derive(Clone, Debug, Default, Deserialize, PartialEq, Eq)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct AwsSettings {
    /// The region; a reference by ARN uses the ARN's region.
    #[serde(default)]
    pub region: Option<String>,
    /// A profile of the sidecar's AWS configuration; only its credentials are used then.
    #[serde(default)]
    pub profile: Option<String>,
    /// The service's endpoint, if it is not the AWS default: a VPC endpoint or an emulator.
    #[serde(default)]
    pub endpoint_url: Option<String>,
    /// A role to assume with those credentials.
    #[serde(default)]
    pub assume_role: Option<AssumeRole>,
    /// PEM certificates to trust for AWS, instead of those of the system.
    #[serde(default)]
    pub ca_file: Option<PathBuf>,
    /// An HTTP proxy for requests to AWS.
    #[serde(default)]
    pub proxy: Option<String>,
}

impl AwsSettings {
    /// Returns the settings with absolute paths.
    #[must_use]
    pub fn with_absolute_paths(&self, operator_dir: &Path) -> Self {
        let ca_file = self.ca_file.as_ref().map(|file| operator_dir.join(file));
        Self { ca_file, ..self.clone() }
    }

    /// Returns the problems that only show when AWS is called.
    pub(crate) fn offline_problems(&self, context: &LocalContext<'_>) -> Vec<OfflineProblem> {
        let profile = self.profile_login(context).0;
        ca_file_problem(context.operator_dir, self.ca_file.as_ref()).into_iter().chain(profile).collect()
    }

    /// Returns the programs that a login may start.
    pub(crate) fn login_programs(&self, context: &LocalContext<'_>) -> Vec<LoginProgram> {
        self.profile_login(context).1
    }

    /// Returns the problems of the profile, and the programs that it logs in with.
    #[cfg(feature = "aws")]
    fn profile_login(&self, context: &LocalContext<'_>) -> (Vec<OfflineProblem>, Vec<LoginProgram>) {
        super::profile::login(self.profile.as_deref(), context.environment)
    }

    /// Returns nothing: this build does not read profiles.
    #[cfg(not(feature = "aws"))]
    #[expect(clippy::unused_self, reason = "the same as with AWS")]
    fn profile_login(&self, _context: &LocalContext<'_>) -> (Vec<OfflineProblem>, Vec<LoginProgram>) {
        (Vec::new(), Vec::new())
    }
}

/// Settings of a provider for Secrets Manager.
#[derive(Clone, Debug, Default, Deserialize, PartialEq, Eq)]
#[serde(transparent)]
pub struct SecretsManagerSettings(pub AwsSettings);

/// Settings of a provider for Parameter Store.
#[derive(Clone, Debug, Default, Deserialize, PartialEq, Eq)]
#[serde(transparent)]
pub struct ParameterStoreSettings(pub AwsSettings);

impl ProviderSettings for SecretsManagerSettings {
    fn credential_files(&self) -> Vec<&Path> {
        self.0.ca_file.iter().map(PathBuf::as_path).collect()
    }

    fn other_spellings(&self, _path: &str) -> Vec<String> {
        Vec::new()
    }

    fn offline_problems(&self, context: &LocalContext<'_>) -> Vec<OfflineProblem> {
        self.0.offline_problems(context)
    }

    fn login_programs(&self, context: &LocalContext<'_>) -> Vec<LoginProgram> {
        self.0.login_programs(context)
    }
}

impl ProviderSettings for ParameterStoreSettings {
    fn credential_files(&self) -> Vec<&Path> {
        self.0.ca_file.iter().map(PathBuf::as_path).collect()
    }

    fn other_spellings(&self, _path: &str) -> Vec<String> {
        Vec::new()
    }

    fn offline_problems(&self, context: &LocalContext<'_>) -> Vec<OfflineProblem> {
        self.0.offline_problems(context)
    }

    fn login_programs(&self, context: &LocalContext<'_>) -> Vec<LoginProgram> {
        self.0.login_programs(context)
    }
}

/// A role to assume before the first request.
#[derive(Clone, Debug, Deserialize, PartialEq, Eq)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct AssumeRole {
    /// ARN of the role.
    pub role_arn: String,
    /// The external id, which the role's trust policy may require.
    #[serde(default)]
    pub external_id: Option<String>,
    /// The session name in AWS' audit records; by default `sealwave`.
    #[serde(default)]
    pub session_name: Option<String>,
    /// The endpoint of STS, if it is not the AWS default.
    #[serde(default)]
    pub endpoint_url: Option<String>,
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ProviderConfig;

    #[test]
    fn settings_are_parsed_and_unknown_ones_are_refused() {
        let read = |json: &str| serde_json::from_str::<ProviderConfig>(json);
        assert!(
            matches!(read(r#"{"kind": "aws-sm"}"#), Ok(ProviderConfig::AwsSm(SecretsManagerSettings(all))) if all == AwsSettings::default())
        );
        let whole = r#"{"kind": "aws-ssm", "region": "eu-west-1", "profile": "p", "endpointUrl": "https://e",
            "caFile": "ca.pem", "proxy": "http://p:1",
            "assumeRole": {"roleArn": "r", "externalId": "x", "sessionName": "s", "endpointUrl": "https://t"}}"#;
        let Ok(ProviderConfig::AwsSsm(ParameterStoreSettings(settings))) = read(whole) else {
            panic!("settings are not parsed")
        };
        assert_eq!(settings.region.as_deref(), Some("eu-west-1"));
        assert_eq!(
            settings.with_absolute_paths(Path::new("/o")).ca_file.as_deref(),
            Some(Path::new("/o/ca.pem"))
        );
        assert_eq!(settings.assume_role.expect("a role").session_name.as_deref(), Some("s"));
        for json in [
            r#"{"kind": "aws-sm", "accessKeyId": "a"}"#,
            r#"{"kind": "aws-sm", "assumeRole": {}}"#,
            r#"{"kind": "aws-sm", "caFile": "ca.pem", "proxy": "http://p:1",
            "assumeRole": {"roleArn": "r", "policy": "p"}}"#,
            r#"{"kind": "aws-sms"}"#,
        ] {
            assert!(read(json).is_err(), "{json}");
        }
    }
}
