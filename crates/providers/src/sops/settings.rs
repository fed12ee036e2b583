//! The operator's settings of a SOPS provider: the keys that decrypt files.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use serde::Deserialize;

use crate::aws::{AssumeRole, AwsSettings};
use crate::program::LoginProgram;
use crate::{LocalContext, OfflineProblem, ProviderSettings};

/// Keys for files of the app's repository that are encrypted with SOPS.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct SopsSettings {
    /// Files with age identities.
    #[serde(default)]
    pub age_key_files: Vec<PathBuf>,
    /// Keys in AWS KMS that files may be decrypted with.
    #[serde(default)]
    pub aws_kms: Option<AwsKms>,
}

impl ProviderSettings for SopsSettings {
    fn credential_files(&self) -> Vec<&Path> {
        let kms = self.aws_kms.iter().filter_map(|kms| kms.ca_file.as_ref());
        self.age_key_files.iter().chain(kms).map(PathBuf::as_path).collect()
    }

    fn other_spellings(&self, _path: &str) -> Vec<String> {
        Vec::new()
    }

    fn offline_problems(&self, context: &LocalContext<'_>) -> Vec<OfflineProblem> {
        self.aws_kms.iter().flat_map(|kms| kms.service().offline_problems(context)).collect()
    }

    fn login_programs(&self, context: &LocalContext<'_>) -> Vec<LoginProgram> {
        self.aws_kms.iter().flat_map(|kms| kms.service().login_programs(context)).collect()
    }
}

/// The AWS KMS keys that a file of an app may name, and the identity that uses them.
#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct AwsKms {
    /// Globs over the keys' ARNs; a file that names another key is refused.
    pub keys: Vec<String>,
    /// Pairs that the encryption context of a file must contain. KMS authenticates the context, so it separates the
    /// files of teams that share a key.
    #[serde(default)]
    pub context: BTreeMap<String, String>,
    /// The region to call, and in which a role is assumed; by default the key's region for calls and the sidecar's for
    /// the role.
    #[serde(default)]
    pub region: Option<String>,
    /// A profile of the sidecar's AWS configuration.
    #[serde(default)]
    pub profile: Option<String>,
    /// A role to assume with those credentials.
    #[serde(default)]
    pub assume_role: Option<AssumeRole>,
    /// Another endpoint of KMS, such as a VPC endpoint.
    #[serde(default)]
    pub endpoint_url: Option<String>,
    /// PEM certificates to trust for AWS, instead of those of the system.
    #[serde(default)]
    pub ca_file: Option<PathBuf>,
    /// An HTTP proxy for requests to AWS.
    #[serde(default)]
    pub proxy: Option<String>,
}

impl AwsKms {
    /// Returns the settings of the KMS client, in the form shared by other AWS services.
    #[must_use]
    pub fn service(&self) -> AwsSettings {
        AwsSettings {
            region: self.region.clone(),
            profile: self.profile.clone(),
            endpoint_url: self.endpoint_url.clone(),
            assume_role: self.assume_role.clone(),
            ca_file: self.ca_file.clone(),
            proxy: self.proxy.clone(),
        }
    }
}
