//! Flags of `validate`.

use std::path::PathBuf;

use clap::{Args, ValueEnum, ValueHint};

use super::{ChartArgs, IdentityArgs};

/// Arguments of `validate`.
#[derive(Clone, Debug, Args)]
pub struct ValidateArgs {
    /// Directories with apps (sealwave.yaml) and plain manifests, single apps or files, or - for standard input
    #[arg(value_name = "PATH", default_value = ".", value_hint = ValueHint::AnyPath)]
    pub paths: Vec<PathBuf>,
    /// Validate only the apps below the given directories, no plain manifests
    #[arg(long)]
    pub all: bool,
    /// Files and directories not to read: a glob as in a .gitignore, relative to the working directory; repeatable
    #[arg(long, value_name = "GLOB", value_hint = ValueHint::Other)]
    pub exclude: Vec<String>,
    /// Only validate what differs from this Git revision: apps with changed files, and changed plain manifests
    #[arg(long, value_name = "REVISION")]
    pub changed_since: Option<String>,
    /// Environments, separated by commas [default: all]
    #[arg(long, short = 'e', value_name = "NAME", value_delimiter = ',', value_parser = name)]
    pub env: Vec<String>,
    /// Stop with an error after this time, for example 90s, 5m or 1h, without writing anything
    #[arg(long, value_name = "DURATION", default_value = "5m", value_hint = ValueHint::Other)]
    pub timeout: String,
    /// Explain a rule, or list the rules of a group, of a glob, or all, and exit
    #[arg(long, value_name = "RULE|GROUP|GLOB|all", conflicts_with_all = ["all", "changed_since", "env"])]
    pub explain: Option<String>,
    /// The checks.
    #[command(flatten)]
    pub checks: CheckArgs,
    /// The report.
    #[command(flatten)]
    pub report: ReportArgs,
    /// Hosts of repositories of charts.
    #[command(flatten)]
    pub charts: ChartArgs,
    /// The identity of the app.
    #[command(flatten)]
    pub identity: IdentityArgs,
}

/// Arguments that select checks.
#[derive(Clone, Debug, Default, Args)]
#[command(next_help_heading = "Checks")]
pub struct CheckArgs {
    /// Kubernetes versions.
    #[arg(
        long = "kube-version",
        help = "Kubernetes versions to check against, for example 1.31,1.34 [env: KUBE_VERSION] [default: the newest known]",
        value_name = "VERSION",
        value_delimiter = ','
    )]
    pub kube_versions: Vec<String>,
    /// Definitions of custom resources.
    #[arg(long, help = "File or directory with CustomResourceDefinitions, or a lock file from sealwave schemas pull; repeatable", value_name = "PATH", value_hint = ValueHint::AnyPath)]
    pub crds: Vec<PathBuf>,
    /// Do not check custom resources against the built-in definitions
    #[arg(long)]
    pub no_packed_definitions: bool,
    /// Report objects of kinds without a schema as errors
    #[arg(long)]
    pub strict_kinds: bool,
    /// Report unknown fields and duplicate keys as warnings
    #[arg(long)]
    pub lenient: bool,
    /// Do not check objects of these kinds: Kind, version/Kind or group/version/Kind, separated by commas
    #[arg(long, value_name = "KIND", value_delimiter = ',')]
    pub skip: Vec<String>,
    /// Report objects of these kinds as errors: Kind or group/version/Kind, separated by commas
    #[arg(long, value_name = "KIND", value_delimiter = ',')]
    pub reject: Vec<String>,
    /// Override the severity of rules, for example image/latest=warning or secret/*=off, separated by commas
    #[arg(long = "rule", value_name = "RULE|GLOB=off|note|warning|error", value_delimiter = ',')]
    pub rules: Vec<String>,
    /// Object that exists elsewhere: Kind/namespace/name, may be a glob; repeatable
    #[arg(long, value_name = "OBJECT")]
    pub external: Vec<String>,
    /// Operator file.
    #[arg(long, help = "Operator file: apps are checked against its providers, clusters and certificates, and with --project against its policy [env: SEALWAVE_OPERATOR]", value_name = "FILE", value_hint = ValueHint::FilePath)]
    pub operator: Option<PathBuf>,
    /// Settings file for all apps (kind: Validation)
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath)]
    pub config: Option<PathBuf>,
}

/// Arguments of the report.
#[derive(Clone, Debug, Default, Args)]
#[command(next_help_heading = "Report")]
pub struct ReportArgs {
    /// Report format, optionally with an output file: human, json, sarif, junit, github or gitlab; repeatable
    /// [default: human]
    #[arg(long, short = 'o', value_name = "FORMAT[=FILE]", value_hint = ValueHint::Other)]
    pub output: Vec<String>,
    /// Show only errors and the summary in the human report
    #[arg(long, short = 'q')]
    pub quiet: bool,
    /// Lowest severity that causes exit code 1: error, warning, note or never
    #[arg(long, value_name = "SEVERITY", default_value = "error", hide_possible_values = true)]
    pub fail_on: FailOn,
    /// File with known findings, which are not reported
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath)]
    pub baseline: Option<PathBuf>,
    /// Write all findings to a file for --baseline
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath)]
    pub write_baseline: Option<PathBuf>,
}

/// The lowest severity that causes exit code 1.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub enum FailOn {
    /// Errors
    #[default]
    Error,
    /// Warnings and errors
    Warning,
    /// Any finding
    Note,
    /// Never: the exit code is 0 regardless of findings
    Never,
}

/// Parses a name in a list; an empty one would select nothing.
fn name(text: &str) -> Result<String, &'static str> {
    match text.trim() {
        "" => Err("name is empty"),
        name => Ok(name.to_owned()),
    }
}
