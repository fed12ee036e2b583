//! The services that controllers in a cluster read.

use schemars::JsonSchema;
use serde::Deserialize;

/// A service that stores secrets, as known to the controllers in the cluster.
#[derive(Clone, Copy, Debug, Deserialize, JsonSchema, PartialEq, Eq, PartialOrd, Ord)]
#[serde(rename_all = "kebab-case")]
pub enum SecretService {
    /// AWS Secrets Manager.
    AwsSm,
    /// Parameter Store of AWS Systems Manager.
    AwsSsm,
    /// The KV engine of Vault or `OpenBao`.
    Vault,
}

impl SecretService {
    /// Returns the service of a provider's name, if that is a service's name.
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        Some(match name {
            "aws-sm" => Self::AwsSm,
            "aws-ssm" => Self::AwsSsm,
            "vault" => Self::Vault,
            _ => return None,
        })
    }
}
