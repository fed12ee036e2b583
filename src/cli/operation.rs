//! Flags that commands share which change files, clusters or accounts.

use std::path::PathBuf;

use clap::{Args, ValueHint};

use super::format::ReportFormat;

pub(super) const ALLOW_PATH_HELP: &str = "Allow changes of these files too, besides envs/<env>/sealed-secrets/**; relative to the repository; repeatable";

/// Flags of commands that plan and then apply.
#[derive(Clone, Debug, Args)]
pub struct OperationArgs {
    /// Print the plan, with the differences of files, and change nothing
    #[arg(long)]
    pub dry_run: bool,
    /// Apply the plan without asking
    #[arg(long, short = 'y')]
    pub yes: bool,
    /// Output format: human or json
    #[arg(long, short = 'o', value_name = "FORMAT", default_value = "human", hide_possible_values = true)]
    pub output: ReportFormat,
    /// Directory of the journals with which the next run continues an interrupted one [default:
    /// ~/.local/state/sealwave]
    #[arg(long, value_name = "DIR", value_hint = ValueHint::DirPath)]
    pub state_dir: Option<PathBuf>,
    /// File with the address of a hook (Slack or compatible) that is told about start, success and failure
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath)]
    pub notify_url_file: Option<PathBuf>,
}

/// Flags of commands that change committed files.
#[derive(Clone, Debug, Args)]
pub struct FileChangeArgs {
    /// Patterns of further files that may change.
    #[arg(long, help = ALLOW_PATH_HELP, value_name = "GLOB")]
    pub allow_path: Vec<String>,
    /// Commit the changed files
    #[arg(long)]
    pub commit: bool,
    /// Push the commit, and wait for a merge if the target branch needs one; implies --commit
    #[arg(long)]
    pub push: bool,
    /// Remote to push to
    #[arg(long, value_name = "NAME", default_value = "origin")]
    pub remote: String,
    /// Branch that Argo CD follows
    #[arg(long, value_name = "NAME", default_value = "main")]
    pub target_branch: String,
}
