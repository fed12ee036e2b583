//! Flags of `validate`.

use std::path::PathBuf;

use clap::{Args, ValueEnum, ValueHint};

use super::IdentityArgs;

/// `validate`.
#[derive(Clone, Debug, Args)]
pub struct ValidateArgs {
    /// Apps (directories with sealwave.yaml), files or directories of plain manifests, or - for standard input
    #[arg(value_name = "PATH", default_value = ".", value_hint = ValueHint::AnyPath)]
    pub paths: Vec<PathBuf>,
    /// Validate every app below the given directories, and no plain manifests in them; what .gitignore names is left out
    #[arg(long)]
    pub all: bool,
    /// Only what differs from this Git revision: apps with changed files, changed plain manifests
    #[arg(long, value_name = "REVISION")]
    pub changed_since: Option<String>,
    /// Environment; several are separated by commas [default: all of them]
    #[arg(long, short = 'e', value_name = "NAME", value_delimiter = ',', value_parser = name)]
    pub env: Vec<String>,
    /// Stop with an error after this time, for example 90s, 5m or 1h; nothing is written then
    #[arg(long, value_name = "DURATION", default_value = "5m", value_hint = ValueHint::Other)]
    pub timeout: String,
    /// Explain a rule, or list those of a group, of a glob, or all; and do nothing else
    #[arg(long, value_name = "RULE|GROUP|GLOB|all", conflicts_with_all = ["all", "changed_since", "env"])]
    pub explain: Option<String>,
    /// What is checked.
    #[command(flatten)]
    pub checks: CheckArgs,
    /// What is said of it.
    #[command(flatten)]
    pub report: ReportArgs,
    /// Who the app is.
    #[command(flatten)]
    pub identity: IdentityArgs,
}

/// What is checked.
#[derive(Clone, Debug, Default, Args)]
#[command(next_help_heading = "Checks")]
pub struct CheckArgs {
    /// Versions of Kubernetes.
    #[arg(
        long = "kube-version",
        help = "Kubernetes versions to check against, for example 1.31,1.34 [env: KUBE_VERSION] [default: the newest known]",
        value_name = "VERSION",
        value_delimiter = ','
    )]
    pub kube_versions: Vec<String>,
    /// Definitions of custom resources.
    #[arg(long, help = "File or directory with CustomResourceDefinitions, or a lock file of sealwave schemas pull; repeatable", value_name = "PATH", value_hint = ValueHint::AnyPath)]
    pub crds: Vec<PathBuf>,
    /// Do not check custom resources against the definitions that are built into sealwave
    #[arg(long)]
    pub no_packed_definitions: bool,
    /// Objects of a kind without a schema are errors
    #[arg(long)]
    pub strict_kinds: bool,
    /// Fields that the schema does not have, and keys given twice, are warnings
    #[arg(long)]
    pub lenient: bool,
    /// Do not check objects of these kinds: Kind or group/version/Kind, separated by commas
    #[arg(long, value_name = "KIND", value_delimiter = ',')]
    pub skip: Vec<String>,
    /// Objects of these kinds are errors: Kind or group/version/Kind, separated by commas
    #[arg(long, value_name = "KIND", value_delimiter = ',')]
    pub reject: Vec<String>,
    /// Severity of a rule in place of its own, for example image/latest=warning; several are separated by commas
    #[arg(long = "rule", value_name = "RULE=off|note|warning|error", value_delimiter = ',')]
    pub rules: Vec<String>,
    /// An object that exists elsewhere: Kind/namespace/name, a glob; repeatable
    #[arg(long, value_name = "OBJECT")]
    pub external: Vec<String>,
    /// Operator file.
    #[arg(long, help = "Operator file: apps are checked against its providers, clusters and certificates, and with --project against its policy [env: SEALWAVE_OPERATOR]", value_name = "FILE", value_hint = ValueHint::FilePath)]
    pub operator: Option<PathBuf>,
    /// File with settings for all apps: kind: Validation
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath)]
    pub config: Option<PathBuf>,
}

/// What is said of it.
#[derive(Clone, Debug, Default, Args)]
#[command(next_help_heading = "Report")]
pub struct ReportArgs {
    /// Form of the report, with a file to write it to: human, json, sarif, junit, github, gitlab; more than
    /// one may be given [default: human]
    #[arg(long, short = 'o', value_name = "FORM[=FILE]", value_hint = ValueHint::Other)]
    pub output: Vec<String>,
    /// Least severity of a finding that makes the exit code 1: error, warning, note, or never
    #[arg(long, value_name = "SEVERITY", default_value = "error", hide_possible_values = true)]
    pub fail_on: FailOn,
    /// File of findings that are known, which are left out
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath)]
    pub baseline: Option<PathBuf>,
    /// Write all findings into a file for --baseline
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath)]
    pub write_baseline: Option<PathBuf>,
}

/// Least severity that counts.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub enum FailOn {
    /// Errors
    #[default]
    Error,
    /// Warnings and errors
    Warning,
    /// Any finding
    Note,
    /// Nothing: the exit code is 0 whatever was found
    Never,
}

/// A name in a list; one that is empty would select nothing.
fn name(text: &str) -> Result<String, &'static str> {
    match text.trim() {
        "" => Err("the name is empty"),
        name => Ok(name.to_owned()),
    }
}
