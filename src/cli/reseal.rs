//! Arguments of `reseal`.

use std::path::PathBuf;

use clap::builder::Resettable;
use clap::{Args, Id, ValueHint};

use super::cluster::{ClusterArgs, ControllerArgs};
use super::operation::{FileChangeArgs, OperationArgs};
use super::seal::SealCertificateArgs;

const CLUSTER_HELP: &str = "Cluster that runs all files; without --cert, its certificate is that of the operator file [default: that of the environment]";

/// Arguments of `reseal`.
#[derive(Clone, Debug, Args)]
#[command(mut_arg("cert", |arg| arg.conflicts_with(Resettable::<Id>::Reset)), mut_arg("cluster", |arg| arg.help(CLUSTER_HELP)))]
pub struct ResealArgs {
    /// Directories and files with SealedSecrets
    #[arg(value_name = "PATH", default_value = ".", value_hint = ValueHint::AnyPath)]
    pub paths: Vec<PathBuf>,
    /// Environment whose files are sealed again; repeatable if one cluster runs several
    #[arg(long, short = 'e', value_name = "NAME")]
    pub env: Vec<String>,
    /// List the items that are not sealed for the certificate, and change nothing
    #[arg(long, conflicts_with = "map")]
    pub check: bool,
    /// List the key that each item was sealed for, also in several repositories, and the keys that nothing needs
    #[arg(long)]
    pub map: bool,
    /// With --map: read the private keys of the cluster's controller into memory, to see which of them open the items
    #[arg(long, requires = "map")]
    pub read_controller_keys: bool,
    /// Namespace of SealedSecrets that have none
    #[arg(long, short = 'n', value_name = "NAME")]
    pub namespace: Option<String>,
    /// The certificate.
    #[command(flatten)]
    pub certificate: SealCertificateArgs,
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
    /// The keys, last because their heading holds for all flags after them.
    #[command(flatten)]
    pub keys: ResealKeyArgs,
}

/// Private keys, to work without the controller.
#[derive(Clone, Debug, Args)]
#[command(next_help_heading = "Private keys, to work without the controller")]
pub struct ResealKeyArgs {
    /// Private key of the controller, in PEM, or Secrets with such keys as kubectl prints them; repeatable
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath)]
    pub key: Vec<PathBuf>,
    /// File with an age identity, for key files that are encrypted with age; repeatable
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath, requires = "key")]
    pub identity: Vec<PathBuf>,
    /// Fingerprint of a key that may open items though it is not known to be of this cluster's controller; repeatable
    #[arg(long, value_name = "SHA256", requires = "key")]
    pub accept_key: Vec<String>,
}
