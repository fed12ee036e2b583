//! Arguments of `verify`.

use std::path::PathBuf;
use std::time::Duration;

use clap::{Args, ValueHint};

use super::{AppArgs, ClusterArgs, ReportFormat};
use sealwave_core::time::duration;

/// Arguments of `verify`.
#[derive(Clone, Debug, Args)]
pub struct VerifyArgs {
    /// Environment [default: the only environment]
    #[arg(long, short = 'e', value_name = "NAME")]
    pub env: Option<String>,
    /// Output of generate for the environment, instead of rendering it; - for standard input
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath, conflicts_with_all = ["operator", "env"])]
    pub rendered: Option<PathBuf>,
    /// Application of Argo CD that must be Synced and Healthy
    #[arg(long, value_name = "NAME")]
    pub application: Option<String>,
    /// Namespace of the Application
    #[arg(long, value_name = "NAME", default_value = "argocd")]
    pub argocd_namespace: String,
    /// Commit that the Application must be synced to, or the start of it
    #[arg(long, value_name = "COMMIT", requires = "application")]
    pub revision: Option<String>,
    /// Wait until everything is right, for example 5m
    #[arg(long, value_name = "DURATION", value_parser = parse_duration)]
    pub wait: Option<Duration>,
    /// Allow every reference, without applying the policy of --operator
    #[arg(long, conflicts_with = "project", requires = "operator")]
    pub no_policy: bool,
    /// Output format: human or json
    #[arg(long, short = 'o', value_name = "FORMAT", default_value = "human", hide_possible_values = true)]
    pub output: ReportFormat,
    /// The cluster.
    #[command(flatten)]
    pub cluster: ClusterArgs,
    /// The app.
    #[command(flatten)]
    pub app: AppArgs,
}

fn parse_duration(text: &str) -> Result<Duration, &'static str> {
    duration::parse(text).ok_or("write a duration of at least a second, for example 90s or 5m")
}
