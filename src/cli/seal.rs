//! Arguments of `seal` and `unseal`.

use std::path::PathBuf;

use clap::{Args, ValueEnum, ValueHint};
use sealwave_secrets::SealingScope;

use super::app::{IdentityArgs, OPERATOR_HELP};
use super::cluster::{ClusterArgs, ControllerArgs};
use super::format::OutputFormat;

/// Arguments of `seal`.
#[derive(Clone, Debug, Args)]
#[expect(clippy::struct_excessive_bools, reason = "each is a flag")]
pub struct SealArgs {
    /// File with Secrets in YAML or JSON; - for standard input [default: -, if no --from-… is given]
    #[arg(value_name = "FILE", value_hint = ValueHint::FilePath, conflicts_with = "values")]
    pub file: Option<PathBuf>,
    /// The certificate.
    #[command(flatten)]
    pub certificate: SealCertificateArgs,
    /// The controller, if no certificate is given.
    #[command(flatten)]
    pub controller: ControllerArgs,
    /// The cluster of the controller.
    #[command(flatten)]
    pub kube: ClusterArgs,
    /// The values.
    #[command(flatten)]
    pub values: SealValueArgs,
    /// Name of the Secret
    #[arg(long, value_name = "NAME")]
    pub name: Option<String>,
    /// Namespace of the Secret, if it has none
    #[arg(long, short = 'n', value_name = "NAME")]
    pub namespace: Option<String>,
    /// Type of the Secret that gets the values of --from-… [default: Opaque]
    #[arg(long, value_name = "TYPE", requires = "values")]
    pub r#type: Option<String>,
    /// The scope.
    #[arg(
        long,
        help = "Scope: strict, namespace-wide or cluster-wide [env: SEALED_SECRETS_SCOPE] [default: that of the Secret's annotations, else strict]",
        value_name = "SCOPE",
        hide_possible_values = true
    )]
    pub scope: Option<ScopeFlag>,
    /// Seal texts that only look like placeholders as they are
    #[arg(long)]
    pub literal: bool,
    /// Allow a Secret without items
    #[arg(long)]
    pub allow_empty_data: bool,
    /// Print the sealed text of one value, without a line break: that of --from-…, else FILE as it is
    #[arg(long, conflicts_with_all = ["allow_empty_data", "merge_into", "output", "type", "from_env_file"])]
    pub raw: bool,
    /// Add the items to a SealedSecret in this file, or replace those of the same keys; nothing else in it changes
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath, conflicts_with_all = ["output", "write", "type"])]
    pub merge_into: Option<PathBuf>,
    /// With --merge-into: print what would change, and change nothing
    #[arg(long, requires = "merge_into")]
    pub dry_run: bool,
    /// Output format: yaml or json
    #[arg(long, short = 'o', value_name = "FORMAT", hide_possible_values = true)]
    #[arg(
        help = "Output format: yaml or json [env: SEALED_SECRETS_FORMAT] [default: yaml, for FILE.json json]"
    )]
    pub output: Option<OutputFormat>,
    /// Write to this file, which is replaced only if everything was sealed
    #[arg(long, short = 'w', value_name = "FILE", value_hint = ValueHint::FilePath)]
    pub write: Option<PathBuf>,
    /// The app that the policy is applied to.
    #[command(flatten)]
    pub policy: SealPolicyArgs,
}

/// The app that the policy of the operator file is applied to, if a Secret has placeholders.
#[derive(Clone, Debug, Args)]
#[command(next_help_heading = "Policy, for Secrets with placeholders")]
pub struct SealPolicyArgs {
    /// Argo CD project that the policy is applied to
    #[arg(long, value_name = "NAME")]
    pub project: Option<String>,
    /// App name [default: name of the working directory]
    #[arg(long, value_name = "NAME")]
    pub app: Option<String>,
    /// Environment of the app [default: the name of the cluster]
    #[arg(long, short = 'e', value_name = "NAME")]
    pub env: Option<String>,
    /// Repository URL, for policy rules with repositories
    #[arg(long, value_name = "URL", value_hint = ValueHint::Url)]
    pub repository: Option<String>,
    /// Allow every reference, without applying the policy of --operator
    #[arg(long, conflicts_with = "project")]
    pub no_policy: bool,
}

impl SealArgs {
    /// Returns the identity of the app, as other commands have it.
    #[must_use]
    pub fn identity(&self) -> IdentityArgs {
        IdentityArgs {
            project: self.policy.project.clone(),
            app: self.policy.app.clone(),
            namespace: self.namespace.clone(),
            repository: self.policy.repository.clone(),
        }
    }
}

/// The certificate that `seal` uses.
#[derive(Clone, Debug, Args)]
pub struct SealCertificateArgs {
    /// The certificate.
    #[arg(
        long,
        help = "PEM file or address of the certificate [env: SEALED_SECRETS_CERT] [default: that of the controller]",
        value_name = "FILE|URL",
        value_hint = ValueHint::FilePath,
        conflicts_with = "cluster"
    )]
    pub cert: Option<String>,
    /// Operator file
    #[arg(long, help = OPERATOR_HELP, value_name = "FILE", value_hint = ValueHint::FilePath)]
    pub operator: Option<PathBuf>,
    /// Cluster of the operator file, whose certificate is used [default: the only one]
    #[arg(long, value_name = "NAME")]
    pub cluster: Option<String>,
    /// Use a certificate that has expired
    #[arg(long)]
    pub allow_expired: bool,
}

/// Values that `seal` gets from flags.
#[derive(Clone, Debug, Args)]
#[group(id = "values", multiple = true)]
pub struct SealValueArgs {
    /// Value of an item as [KEY=]PATH, or a directory whose files are items; - for standard input; repeatable
    #[arg(long, value_name = "[KEY=]PATH", value_hint = ValueHint::FilePath)]
    pub from_file: Vec<String>,
    /// Value of an item as KEY=VALUE, which the history of your shell keeps; repeatable
    #[arg(long, value_name = "KEY=VALUE")]
    pub from_literal: Vec<String>,
    /// File with a line KEY=VALUE for each item; repeatable
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath)]
    pub from_env_file: Vec<PathBuf>,
}

/// A sealing scope.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum ScopeFlag {
    /// Under any name, in any namespace
    ClusterWide,
    /// Under any name, in its namespace
    NamespaceWide,
    /// Under its name, in its namespace
    Strict,
}

impl From<ScopeFlag> for SealingScope {
    fn from(flag: ScopeFlag) -> Self {
        match flag {
            ScopeFlag::ClusterWide => Self::ClusterWide,
            ScopeFlag::NamespaceWide => Self::NamespaceWide,
            ScopeFlag::Strict => Self::Strict,
        }
    }
}

/// Arguments of `unseal`.
#[derive(Clone, Debug, Args)]
pub struct UnsealArgs {
    /// File with SealedSecrets in YAML or JSON; - for standard input
    #[arg(value_name = "FILE", value_hint = ValueHint::FilePath)]
    pub file: PathBuf,
    /// Private key of the controller, in PEM, or Secrets with such keys as kubectl prints them; repeatable
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath, required = true)]
    pub key: Vec<PathBuf>,
    /// File with an age identity, for key files that are encrypted with age; repeatable
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath)]
    pub identity: Vec<PathBuf>,
    /// Namespace of SealedSecrets that have none
    #[arg(long, short = 'n', value_name = "NAME")]
    pub namespace: Option<String>,
    /// Output format: yaml or json
    #[arg(long, short = 'o', value_name = "FORMAT", hide_possible_values = true)]
    #[arg(
        help = "Output format: yaml or json [env: SEALED_SECRETS_FORMAT] [default: yaml, for FILE.json json]"
    )]
    pub output: Option<OutputFormat>,
    /// Write to a new file, readable only by its owner
    #[arg(long, short = 'w', value_name = "FILE", value_hint = ValueHint::FilePath)]
    pub write: Option<PathBuf>,
    /// Print the values to a terminal
    #[arg(long, conflicts_with = "write")]
    pub show_values: bool,
    /// Report which key opened each item
    #[arg(long, short = 'v')]
    pub verbose: bool,
}
