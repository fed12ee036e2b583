//! Arguments of `switch`.

use std::path::PathBuf;

use clap::{Args, ValueHint};
use sealwave_core::text::closest_choice;
use sealwave_secrets::settings::BackendKind;

use super::operation::ALLOW_PATH_HELP;
use super::{AppArgs, ReportFormat};

/// Arguments of `switch`.
#[derive(Clone, Debug, Args)]
pub struct SwitchArgs {
    /// New backend: external-secrets, sealed-secrets or secrets-store-csi
    #[arg(long, value_name = "BACKEND", value_parser = backend)]
    pub to: BackendKind,
    /// Environment [default: the only environment]
    #[arg(long, short = 'e', value_name = "NAME")]
    pub env: Option<String>,
    /// Secret, as NAME or NAMESPACE/NAME [default: all Secrets without an entry in secretBackends]
    #[arg(long, value_name = "NAME")]
    pub secret: Option<String>,
    /// Kubeconfig context of the cluster that is checked [default: the current context]
    #[arg(long, value_name = "NAME")]
    pub context: Option<String>,
    /// Kubeconfig [env: KUBECONFIG] [default: ~/.kube/config, else the service account of the pod]
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath)]
    pub kubeconfig: Option<PathBuf>,
    /// Do not check the cluster
    #[arg(long, conflicts_with_all = ["context", "kubeconfig", "state_dir"])]
    pub no_cluster: bool,
    /// Directory that keeps the UIDs of the Secrets from run to run, to prove that none was created again [default:
    /// ~/.local/state/sealwave]
    #[arg(long, value_name = "DIR", value_hint = ValueHint::DirPath)]
    pub state_dir: Option<PathBuf>,
    /// Waives the policy.
    #[arg(
        long,
        conflicts_with = "project",
        help = "Allow every reference, without applying the policy of --operator"
    )]
    pub no_policy: bool,
    /// The changes of files.
    #[command(flatten)]
    pub files: SwitchFileArgs,
    /// Output format: human or json
    #[arg(long, short = 'o', value_name = "FORMAT", default_value = "human", hide_possible_values = true)]
    pub output: ReportFormat,
    /// The app.
    #[command(flatten)]
    pub app: AppArgs,
}

/// Flags for the changes of files of committed SealedSecrets.
#[derive(Clone, Debug, Args)]
pub struct SwitchFileArgs {
    /// Make the changes of the first commit in the files of committed SealedSecrets
    #[arg(long)]
    pub write: bool,
    /// Check that the files may be written, print the plan, and change nothing
    #[arg(long, requires = "write")]
    pub dry_run: bool,
    /// Write without asking
    #[arg(long, short = 'y', requires = "write")]
    pub yes: bool,
    /// Patterns of further files that may change.
    #[arg(long, help = ALLOW_PATH_HELP, value_name = "GLOB", requires = "write")]
    pub allow_path: Vec<String>,
}

fn backend(text: &str) -> Result<BackendKind, String> {
    let found = BackendKind::ALL.into_iter().find(|kind| kind.to_string() == text);
    found.ok_or_else(|| {
        let all: Vec<String> = BackendKind::ALL.iter().map(ToString::to_string).collect();
        let names: Vec<&str> = all.iter().map(String::as_str).collect();
        let meant = closest_choice(text, &names).map(|meant| format!("; did you mean {meant}?"));
        format!("expected {}{}", all.join(", "), meant.unwrap_or_default())
    })
}
