//! What the operator file says of AWS. Where it is silent, the AWS SDK looks where it always does.

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
