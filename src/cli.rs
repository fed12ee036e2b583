//! The command line: raw flags and help text. No I/O and no decisions.

mod validate;

use std::path::PathBuf;

use clap::{Args, Parser, Subcommand, ValueEnum, ValueHint};

pub use validate::{CheckArgs, FailOn, ReportArgs, ValidateArgs};

/// Render Kubernetes manifests in which no secret is readable.
#[derive(Clone, Debug, Parser)]
#[command(name = "sealwave", version, about, long_about = None, disable_help_subcommand = true)]
pub struct Cli {
    /// What to do.
    #[command(subcommand)]
    pub command: Command,
}

/// The subcommands.
#[derive(Clone, Debug, Subcommand)]
pub enum Command {
    /// Show a sealing certificate: fingerprints, subject, validity
    Cert(CertArgs),
    /// Print a shell completion script
    Completions(CompletionsArgs),
    /// Say whether the directory holds an app (called by Argo CD)
    #[command(after_help = "Prints the name of the app file where there is one, and nothing otherwise.")]
    Discover(DirArgs),
    /// Write the manifests of one environment as JSON documents (called by Argo CD)
    Generate(GenerateArgs),
    /// Make keys
    #[command(subcommand)]
    Key(KeyCommand),
    /// Announce the app's parameters as JSON (called by Argo CD)
    Parameters(DirArgs),
    /// List the secrets that an app refers to, and what the operator's policy says to each; fetches nothing
    #[command(after_help = "Exit code 1 means that the policy refuses a reference.")]
    Refs(RefsArgs),
    /// Preview the manifests of one environment; needs no credentials
    Render(RenderArgs),
    /// Check all environments of an app, or plain manifests, against schemas and rules; needs no credentials
    #[command(
        after_help = "Exit code 1 means findings of the severity of `--fail-on`, 2 that the command could not do its job."
    )]
    Validate(ValidateArgs),
}

/// Which app.
#[derive(Clone, Debug, Args)]
pub struct DirArgs {
    /// Directory that holds `sealwave.yaml`
    #[arg(default_value = ".", value_hint = ValueHint::DirPath)]
    pub dir: PathBuf,
}

/// What Argo CD would say of the app.
#[derive(Clone, Debug, Default, Args)]
#[command(next_help_heading = "In place of what Argo CD says")]
pub struct IdentityArgs {
    /// Argo CD project of the app
    #[arg(long, value_name = "NAME")]
    pub project: Option<String>,
    /// Name of the app
    #[arg(long, value_name = "NAME")]
    pub app: Option<String>,
    /// Destination namespace, for objects without one
    #[arg(long, short = 'n', value_name = "NAME")]
    pub namespace: Option<String>,
    /// URL of the app's repository
    #[arg(long, value_name = "URL", value_hint = ValueHint::Url)]
    pub repository: Option<String>,
}

/// `generate`.
#[derive(Clone, Debug, Args)]
pub struct GenerateArgs {
    /// Which app.
    #[command(flatten)]
    pub dir: DirArgs,
    /// Environment [default: the parameter `env`, or the only one there is]
    #[arg(long, short = 'e', value_name = "NAME")]
    pub env: Option<String>,
    /// Operator file [env: `SEALWAVE_OPERATOR`]
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath)]
    pub operator: Option<PathBuf>,
    /// Who the app is.
    #[command(flatten)]
    pub identity: IdentityArgs,
}

/// `render`.
#[derive(Clone, Debug, Args)]
pub struct RenderArgs {
    /// Which app.
    #[command(flatten)]
    pub dir: DirArgs,
    /// Environment [default: the only one there is]
    #[arg(long, short = 'e', value_name = "NAME")]
    pub env: Option<String>,
    /// Operator file, to check provider names against [env: `SEALWAVE_OPERATOR`]
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath)]
    pub operator: Option<PathBuf>,
    /// Form of the output
    #[arg(long, short = 'o', value_name = "FORMAT", default_value = "yaml")]
    pub output: OutputFormat,
    /// Who the app is.
    #[command(flatten)]
    pub identity: IdentityArgs,
}

/// `refs`.
#[derive(Clone, Debug, Args)]
pub struct RefsArgs {
    /// Which app.
    #[command(flatten)]
    pub dir: DirArgs,
    /// Environment [default: all of them]
    #[arg(long, short = 'e', value_name = "NAME")]
    pub env: Option<String>,
    /// Operator file, for its policy and its providers' names [env: `SEALWAVE_OPERATOR`]
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath)]
    pub operator: Option<PathBuf>,
    /// Form of the output
    #[arg(long, short = 'o', value_name = "FORMAT", default_value = "human")]
    pub output: ReportFormat,
    /// Who the app is.
    #[command(flatten)]
    pub identity: IdentityArgs,
}

/// Form of a report.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum ReportFormat {
    /// Aligned text
    Human,
    /// One JSON document
    Json,
}

/// Form of manifests.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum OutputFormat {
    /// One JSON document per line
    Json,
    /// YAML documents for people
    Yaml,
}

/// `key`.
#[derive(Clone, Debug, Subcommand)]
pub enum KeyCommand {
    /// Make a seal key
    #[command(
        after_help = "Whoever holds the seal key can check guesses of sealed values: keep it where only the operator reads it."
    )]
    Generate(KeyGenerateArgs),
}

/// `key generate`.
#[derive(Clone, Debug, Args)]
pub struct KeyGenerateArgs {
    /// New file, readable by its owner only, instead of standard output
    #[arg(long, short = 'o', value_name = "FILE", value_hint = ValueHint::FilePath)]
    pub output: Option<PathBuf>,
}

/// `cert`.
#[derive(Clone, Debug, Args)]
pub struct CertArgs {
    /// PEM files; `-` is standard input
    #[arg(value_name = "FILE", value_hint = ValueHint::FilePath, required_unless_present = "operator")]
    pub files: Vec<PathBuf>,
    /// Show the certificates of all clusters of this operator file
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath, conflicts_with = "files")]
    pub operator: Option<PathBuf>,
}

/// `completions`.
#[derive(Clone, Debug, Args)]
pub struct CompletionsArgs {
    /// Shell
    pub shell: clap_complete::Shell,
}
