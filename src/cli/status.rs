//! Arguments of `status`.

use std::path::PathBuf;

use clap::{Args, ValueHint};

use super::app::OPERATOR_HELP;
use super::{ChartArgs, IdentityArgs, ReportFormat};

/// Arguments of `status`.
#[derive(Clone, Debug, Args)]
pub struct StatusArgs {
    /// Directories of apps, or directories with apps below them
    #[arg(default_value = ".", value_name = "DIR", value_hint = ValueHint::DirPath)]
    pub dirs: Vec<PathBuf>,
    /// Only this environment; repeatable [default: all]
    #[arg(long, short = 'e', value_name = "NAME")]
    pub env: Vec<String>,
    /// Operator file, for the sealing certificates
    #[arg(long, help = OPERATOR_HELP, value_name = "FILE", value_hint = ValueHint::FilePath)]
    pub operator: Option<PathBuf>,
    /// Fetches values for their dates.
    #[arg(
        long,
        help = "Fetch the values that the policy of --operator allows, to report which certificates and tokens expire; no value is shown"
    )]
    pub fetch: bool,
    /// Waives the policy.
    #[arg(
        long,
        conflicts_with = "project",
        requires = "fetch",
        help = "Fetch every reference, without applying the policy of --operator"
    )]
    pub no_policy: bool,
    /// Provider of the operator file whose login asks AWS for the access keys of `iamUser`
    #[arg(long, value_name = "NAME", default_value = "aws-sm", requires = "fetch")]
    pub aws_provider: String,
    /// Output format: human or json
    #[arg(long, short = 'o', value_name = "FORMAT", default_value = "human", hide_possible_values = true)]
    pub output: ReportFormat,
    /// Hosts of repositories of charts.
    #[command(flatten)]
    pub charts: ChartArgs,
    /// The identity of the app.
    #[command(flatten)]
    pub identity: IdentityArgs,
}
