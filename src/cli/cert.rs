//! Arguments of `cert`.

use std::path::PathBuf;

use clap::{Args, Subcommand, ValueHint};

use super::ReportFormat;
use super::app::OPERATOR_HELP;
use super::cluster::{ClusterArgs, ControllerArgs};

/// Arguments of `cert`.
#[derive(Clone, Debug, Args)]
#[command(args_conflicts_with_subcommands = true, disable_help_subcommand = true)]
pub struct CertArgs {
    /// The subcommand; without one, files are shown.
    #[command(subcommand)]
    pub command: Option<CertCommand>,
    /// The files to show.
    #[command(flatten)]
    pub show: CertShowArgs,
}

/// Subcommands of `cert`.
#[derive(Clone, Debug, Subcommand)]
pub enum CertCommand {
    /// Compare a pinned certificate with the one that the controller publishes
    #[command(
        after_help = "Exit code 1 means that the pinned certificate is for another key, has expired or expires soon.\n\
                      Example: sealwave cert check dev.pem --context dev"
    )]
    Check(CertCheckArgs),
    /// Fetch the certificate of a sealed-secrets controller, and pin it to a file
    #[command(
        after_help = "Without --write, prints the certificate. The controller is accessed through the API server, as kubeseal does.\n\
                      Example: sealwave cert fetch --context dev --write dev.pem"
    )]
    Fetch(CertFetchArgs),
    /// List the keys of a sealed-secrets controller with their ages
    #[command(
        after_help = "This needs `list` and `get` on Secrets in the controller's namespace, which also allows reading the private keys. They are never shown.\n\
                      Example: sealwave cert list --context dev"
    )]
    List(CertListArgs),
    /// Show certificates: subject, validity, fingerprints
    #[command(override_usage = "sealwave cert show <FILE>...\n       sealwave cert show [--operator <FILE>]")]
    Show(CertShowArgs),
}

/// Arguments of `cert show`.
#[derive(Clone, Debug, Args)]
pub struct CertShowArgs {
    /// PEM files; - for standard input
    #[arg(value_name = "FILE", value_hint = ValueHint::FilePath)]
    pub files: Vec<PathBuf>,
    /// Operator file
    #[arg(long, help = OPERATOR_HELP, value_name = "FILE", value_hint = ValueHint::FilePath, conflicts_with = "files")]
    pub operator: Option<PathBuf>,
}

/// The certificate in use.
#[derive(Clone, Debug, Args)]
pub struct LiveCertificateArgs {
    /// PEM file or address of the certificate in use [default: that of the controller]
    #[arg(long, value_name = "FILE|URL", conflicts_with_all = ["controller_name", "controller_namespace", "context", "kubeconfig"])]
    pub cert: Option<String>,
    /// The controller.
    #[command(flatten)]
    pub controller: ControllerArgs,
    /// The cluster.
    #[command(flatten)]
    pub cluster: ClusterArgs,
}

/// Arguments of `cert fetch`.
#[derive(Clone, Debug, Args)]
pub struct CertFetchArgs {
    /// Write the certificate to a file, and show its fingerprints and what it replaces
    #[arg(long, short = 'w', value_name = "FILE", value_hint = ValueHint::FilePath)]
    pub write: Option<PathBuf>,
    /// Output format with --write: human or json
    #[arg(
        long,
        short = 'o',
        value_name = "FORMAT",
        default_value = "human",
        hide_possible_values = true,
        requires = "write"
    )]
    pub output: ReportFormat,
    /// The certificate.
    #[command(flatten)]
    pub live: LiveCertificateArgs,
}

/// Arguments of `cert check`.
#[derive(Clone, Debug, Args)]
pub struct CertCheckArgs {
    /// Pinned certificate in PEM
    #[arg(value_name = "FILE", value_hint = ValueHint::FilePath, required_unless_present = "cluster")]
    pub file: Option<PathBuf>,
    /// Use the certificate of this cluster in the operator file
    #[arg(long = "cluster", value_name = "NAME", conflicts_with = "file")]
    pub cluster: Option<String>,
    /// Operator file
    #[arg(long, help = OPERATOR_HELP, value_name = "FILE", value_hint = ValueHint::FilePath, requires = "cluster")]
    pub operator: Option<PathBuf>,
    /// Output format: human or json
    #[arg(long, short = 'o', value_name = "FORMAT", default_value = "human", hide_possible_values = true)]
    pub output: ReportFormat,
    /// The certificate in use.
    #[command(flatten)]
    pub live: LiveCertificateArgs,
}

/// Arguments of `cert list`.
#[derive(Clone, Debug, Args)]
pub struct CertListArgs {
    /// Output format: human or json
    #[arg(long, short = 'o', value_name = "FORMAT", default_value = "human", hide_possible_values = true)]
    pub output: ReportFormat,
    /// The controller.
    #[command(flatten)]
    pub controller: ControllerArgs,
    /// The cluster.
    #[command(flatten)]
    pub cluster: ClusterArgs,
}
