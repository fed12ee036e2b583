//! What the operator file says of AWS. Where it is silent, the AWS SDK looks where it always does.

use std::path::{Path, PathBuf};

use serde::Deserialize;

/// How to reach a service of AWS, and as whom.
#[derive(Clone, Debug, Default, Deserialize, PartialEq, Eq)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct AwsSettings {
    /// The region; a reference that is an ARN is asked for in its own.
    #[serde(default)]
    pub region: Option<String>,
    /// A profile of the sidecar's AWS configuration; its credentials are the only ones that count then.
    #[serde(default)]
    pub profile: Option<String>,
    /// Where the service is, if not at AWS' own address: a VPC endpoint, or an emulator.
    #[serde(default)]
    pub endpoint_url: Option<String>,
    /// A role to take on with those credentials.
    #[serde(default)]
    pub assume_role: Option<AssumeRole>,
    /// PEM certificates that all of AWS' must come from, instead of those that the system trusts.
    #[serde(default)]
    pub ca_file: Option<PathBuf>,
    /// An HTTP proxy that leads to AWS.
    #[serde(default)]
    pub proxy: Option<String>,
}

impl AwsSettings {
    /// The same, with the paths in it in full.
    #[must_use]
    pub fn within(&self, operator_dir: &Path) -> Self {
        let ca_file = self.ca_file.as_ref().map(|file| operator_dir.join(file));
        Self { ca_file, ..self.clone() }
    }
}

/// A role to take on before anything is asked for.
#[derive(Clone, Debug, Deserialize, PartialEq, Eq)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct AssumeRole {
    /// Its ARN.
    pub role_arn: String,
    /// What the role's trust policy may ask for in addition.
    #[serde(default)]
    pub external_id: Option<String>,
    /// The name of the session in AWS' own records; `sealwave` where none is given.
    #[serde(default)]
    pub session_name: Option<String>,
    /// Where STS is, if not at AWS' own address.
    #[serde(default)]
    pub endpoint_url: Option<String>,
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::settings::ProviderConfig;

    #[test]
    fn settings_are_read_and_unknown_ones_refused() {
        let read = |json: &str| serde_json::from_str::<ProviderConfig>(json);
        assert!(
            matches!(read(r#"{"kind": "aws-sm"}"#), Ok(ProviderConfig::AwsSm(all)) if all == AwsSettings::default())
        );
        let whole = r#"{"kind": "aws-ssm", "region": "eu-west-1", "profile": "p", "endpointUrl": "https://e",
            "caFile": "ca.pem", "proxy": "http://p:1",
            "assumeRole": {"roleArn": "r", "externalId": "x", "sessionName": "s", "endpointUrl": "https://t"}}"#;
        let Ok(ProviderConfig::AwsSsm(settings)) = read(whole) else { panic!("it is not read") };
        assert_eq!(settings.region.as_deref(), Some("eu-west-1"));
        assert_eq!(settings.within(Path::new("/o")).ca_file.as_deref(), Some(Path::new("/o/ca.pem")));
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
