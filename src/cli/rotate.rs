//! Arguments of `rotate`.

use std::path::PathBuf;
use std::time::Duration;

use clap::{Args, Subcommand, ValueHint};

use super::aws::{AwsLoginArgs, time};
use super::{ClusterArgs, ControllerArgs, FileChangeArgs, IdentityArgs, OperationArgs};
use sealwave_secrets::crypto::CONTROLLER_KEY_BITS;

/// Subcommands of `rotate`.
#[derive(Clone, Debug, Subcommand)]
pub enum RotateCommand {
    /// Replace the access key of an IAM user: create, prove, write, then deactivate and delete the old one
    #[command(
        after_help = "Workloads on EKS need no access keys: with IRSA or Pod Identity, there is nothing to rotate.\n\
                      Run the same command again until it ends with exit code 0; 1 means that it has to wait, for example for the grace period.\n\
                      Example: sealwave rotate aws --user airflow --env dev --write aws-sm:dev/airflow#id,secret --no-backup --dry-run"
    )]
    Aws(Box<RotateAwsArgs>),
    /// Start the rotation that Secrets Manager has for a secret, and follow it
    #[command(
        after_help = "The new value is created by AWS or by the secret's Lambda function; sealwave never sees it. If it is not complete in time, the exit code is 2, and AWS goes on.\n\
                      Example: sealwave rotate aws-secret prod/db --operator operator.yaml"
    )]
    AwsSecret(RotateAwsSecretArgs),
    /// Give a sealed-secrets controller a new key, and seal committed files again for it; old keys stay
    #[command(
        after_help = "Run the same command again until it ends with exit code 0; 1 means that it has to wait, for example for a restart of the controller or for a merge.\n\
                      Example: sealwave rotate controller-key --context dev --env dev --backup keys.yaml --dry-run envs/dev/sealed-secrets"
    )]
    ControllerKey(Box<RotateControllerKeyArgs>),
}

/// Arguments of `rotate aws`.
#[derive(Clone, Debug, Args)]
pub struct RotateAwsArgs {
    /// IAM user, without path
    #[arg(long, value_name = "NAME")]
    pub user: String,
    /// Environment whose workloads use the key; it names the journal
    #[arg(long, short = 'e', value_name = "NAME")]
    pub env: String,
    /// Place of the key: PROVIDER:PATH#ID-KEY,SECRET-KEY for a JSON document, PROVIDER:PATH,PATH for two values;
    /// repeatable. Without a place, the command lists those that the app reads
    #[arg(long, value_name = "PLACE")]
    pub write: Vec<String>,
    /// Sealed files to renew: files and directories of one repository, for example envs/dev/sealed-secrets; repeatable
    #[arg(long, value_name = "PATH", value_hint = ValueHint::AnyPath)]
    pub sealed_files: Vec<PathBuf>,
    /// Items with the id and the secret in sealed files
    #[arg(long, value_name = "ID-KEY,SECRET-KEY", default_value = "AWS_ACCESS_KEY_ID,AWS_SECRET_ACCESS_KEY")]
    pub sealed_items: String,
    /// Items of sealed files that are a text with both, with their templates.
    #[arg(
        long,
        help = "Item of sealed files that is a text with both, such as a credentials file: KEY=FILE, where FILE has <access-key-id> and <secret-access-key>; repeatable",
        value_name = "KEY=FILE",
        requires = "sealed_files",
        value_hint = ValueHint::Other
    )]
    pub sealed_template: Vec<String>,
    /// With --yes: also seal the key for objects that appeared since the rotation began
    #[arg(long, requires = "sealed_files")]
    pub accept_new_objects: bool,
    /// The certificate for sealed files.
    #[arg(
        long,
        help = "PEM file or address of the certificate for sealed files [env: SEALED_SECRETS_CERT] [default: that of the controller]",
        value_name = "FILE|URL",
        requires = "sealed_files"
    )]
    pub cert: Option<String>,
    /// App directory whose rollout is verified before the grace period begins; repeatable
    #[arg(long, value_name = "DIR", value_hint = ValueHint::DirPath)]
    pub verify: Vec<PathBuf>,
    /// The controller.
    #[command(flatten)]
    pub controller: ControllerArgs,
    /// The cluster.
    #[command(flatten)]
    pub cluster: ClusterArgs,
    /// The sealed files.
    #[command(flatten)]
    pub files: FileChangeArgs,
    /// The backup.
    #[command(flatten)]
    pub backup: BackupArgs,
    /// S3 bucket that the new key must be able to list before it is written
    #[arg(long, value_name = "NAME")]
    pub probe_bucket: Option<String>,
    /// Region of the bucket [default: --region]
    #[arg(long, value_name = "NAME", requires = "probe_bucket")]
    pub probe_region: Option<String>,
    /// Address of S3.
    #[arg(
        long,
        help = "Address of S3 [default: AWS_ENDPOINT_URL_S3, AWS_ENDPOINT_URL or endpoint_url of the profile, else that of AWS]",
        value_name = "URL",
        requires = "probe_bucket"
    )]
    pub probe_endpoint: Option<String>,
    /// Time in which the new key must work
    #[arg(long, value_name = "DURATION", default_value = "2m", value_parser = time)]
    pub wait: Duration,
    /// The end of the old key.
    #[command(flatten)]
    pub retirement: KeyRetirementArgs,
    /// Decrypted backup of the new key, to continue an interrupted run
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath)]
    pub key_file: Option<PathBuf>,
    /// Print the smallest IAM policy for this command, and exit
    #[arg(long)]
    pub print_policy: bool,
    /// Provider of the operator file with the address of the account [default: that of the first --write]
    #[arg(long, value_name = "NAME")]
    pub provider: Option<String>,
    /// The account.
    #[command(flatten)]
    pub login: AwsLoginArgs,
    /// The operation.
    #[command(flatten)]
    pub operation: OperationArgs,
    /// The identity of the apps, last because its heading holds for all flags after it; the namespace is also that of SealedSecrets without one.
    #[command(flatten)]
    pub identity: IdentityArgs,
}

/// The backup of a new access key.
#[derive(Clone, Debug, Args)]
pub struct BackupArgs {
    /// File or directory for a backup of the new key, readable only by you
    #[arg(long, value_name = "PATH", value_hint = ValueHint::AnyPath, required_unless_present_any = ["no_backup", "print_policy"])]
    pub backup: Option<PathBuf>,
    /// Make no backup: an interrupted run may have to create another key
    #[arg(long, conflicts_with_all = ["backup", "age_recipient"])]
    pub no_backup: bool,
    /// Encrypt the backup to this age recipient; repeatable
    #[arg(long, value_name = "AGE1…", requires = "backup")]
    pub age_recipient: Vec<String>,
}

/// The end of an old access key.
#[derive(Clone, Debug, Args)]
pub struct KeyRetirementArgs {
    /// Time for which nothing may use the old key before it is deactivated; AWS reports uses only after hours
    #[arg(long, value_name = "DURATION", default_value = "24h", value_parser = time)]
    pub grace_period: Duration,
    /// Time for which the old key stays inactive before it can be deleted
    #[arg(long, value_name = "DURATION", default_value = "7d", value_parser = time)]
    pub delete_after: Duration,
    /// Consent to delete this access key, which cannot be undone
    #[arg(long, value_name = "ID")]
    pub delete_key: Option<String>,
    /// Also if it was used recently; a key that is in use is never deleted
    #[arg(long, requires = "delete_key")]
    pub delete_used_key: bool,
    /// Make the old key active again
    #[arg(long, conflicts_with = "delete_key")]
    pub reactivate: bool,
}

/// Arguments of `rotate aws-secret`.
#[derive(Clone, Debug, Args)]
pub struct RotateAwsSecretArgs {
    /// Name or ARN of the secret
    #[arg(value_name = "NAME")]
    pub name: String,
    /// Provider of the operator file with the address
    #[arg(long, value_name = "NAME", default_value = "aws-sm")]
    pub provider: String,
    /// Time in which the rotation must be complete
    #[arg(long, value_name = "DURATION", default_value = "5m", value_parser = time)]
    pub wait: Duration,
    /// The account.
    #[command(flatten)]
    pub login: AwsLoginArgs,
    /// The operation.
    #[command(flatten)]
    pub operation: OperationArgs,
}

/// Arguments of `rotate controller-key`.
#[derive(Clone, Debug, Args)]
pub struct RotateControllerKeyArgs {
    /// Files and directories of one repository with SealedSecrets to seal again [default: none]
    #[arg(value_name = "PATH", value_hint = ValueHint::AnyPath)]
    pub paths: Vec<PathBuf>,
    /// Environment whose files are sealed again
    #[arg(long, short = 'e', value_name = "NAME", requires = "paths")]
    pub env: Option<String>,
    /// Namespace of SealedSecrets in files that have none
    #[arg(long, short = 'n', value_name = "NAME", requires = "paths")]
    pub namespace: Option<String>,
    /// File or directory for a backup of all keys, readable only by you
    #[arg(long, value_name = "PATH", value_hint = ValueHint::AnyPath, required_unless_present = "no_backup")]
    pub backup: Option<PathBuf>,
    /// Make no backup
    #[arg(long, conflicts_with_all = ["backup", "age_recipient"])]
    pub no_backup: bool,
    /// Encrypt the backup to this age recipient; repeatable
    #[arg(long, value_name = "AGE1…", requires = "backup")]
    pub age_recipient: Vec<String>,
    /// Let the controller make the key, by a command that is printed, instead of creating a Secret
    #[arg(long)]
    pub renewal: bool,
    /// Bits of a new key: 2048, 3072 or 4096
    #[arg(long, value_name = "BITS", default_value = "4096", value_parser = key_bits)]
    pub key_size: u32,
    /// Consent to restart the controller if it does not use the new key otherwise
    #[arg(long, conflicts_with = "renewal")]
    pub restart_controller: bool,
    /// Pin the new certificate to this file, such as that of the operator file
    #[arg(long, short = 'w', value_name = "FILE", value_hint = ValueHint::FilePath)]
    pub write: Option<PathBuf>,
    /// Application of Argo CD that must be Synced and Healthy at the end; repeatable
    #[arg(long, value_name = "NAME")]
    pub application: Vec<String>,
    /// Namespace of the Applications
    #[arg(long, value_name = "NAME", default_value = "argocd")]
    pub argocd_namespace: String,
    /// Time to wait for the new certificate, and for the cluster at the end
    #[arg(long, value_name = "DURATION", default_value = "2m", value_parser = time)]
    pub wait: Duration,
    /// The controller.
    #[command(flatten)]
    pub controller: ControllerArgs,
    /// The cluster.
    #[command(flatten)]
    pub cluster: ClusterArgs,
    /// The changes of files.
    #[command(flatten)]
    pub files: FileChangeArgs,
    /// The operation.
    #[command(flatten)]
    pub operation: OperationArgs,
}

fn key_bits(text: &str) -> Result<u32, &'static str> {
    let bits = text.parse().ok().filter(|bits| CONTROLLER_KEY_BITS.contains(bits));
    bits.ok_or("write 2048, 3072 or 4096")
}
