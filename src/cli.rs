//! The command line: raw flags and help text. No I/O and no decisions.

mod validate;

use std::ffi::OsString;
use std::path::PathBuf;

use clap::{Args, Parser, Subcommand, ValueEnum, ValueHint};

pub use validate::{CheckArgs, FailOn, ReportArgs, ValidateArgs};

/// Render Kubernetes manifests in which no secret is readable.
#[derive(Clone, Debug, Parser)]
#[command(
    name = "sealwave",
    version,
    about,
    long_about = None,
    disable_help_subcommand = true,
    after_help = "Look at an app: sealwave render DIR --env NAME\n\nExit codes: 0 all is well, 1 something is wrong with what was looked at, 2 the command failed."
)]
pub struct Cli {
    /// What to do.
    #[command(subcommand)]
    pub command: Command,
}

/// The subcommands.
#[derive(Clone, Debug, Subcommand)]
pub enum Command {
    /// Show sealing certificates: subject, validity, fingerprints
    #[command(
        override_usage = "sealwave cert <FILE>...\n       sealwave cert [--operator <FILE>]",
        after_help = "Without PEM files, shows the certificates of all clusters of the operator file."
    )]
    Cert(CertArgs),
    /// Print a shell completion script
    #[command(after_help = "Load it in bash: source <(sealwave completions bash)")]
    Completions(CompletionsArgs),
    /// Tell whether a directory holds an app (called by Argo CD)
    #[command(after_help = "Prints the name of the app file where there is one, and nothing otherwise.")]
    Discover(DirArgs),
    /// Print the manifests of one environment, sealed, as JSON (called by Argo CD)
    #[command(
        after_help = "Sealing needs the operator file, with its keys and sources; sealwave render previews without."
    )]
    Generate(GenerateArgs),
    /// Make keys for the operator
    #[command(subcommand)]
    Key(KeyCommand),
    /// Print the parameters of an app as JSON (called by Argo CD)
    Parameters(DirArgs),
    /// List the secrets that an app refers to, their destinations, and the policy's decision on each
    #[command(
        after_help = "Fetches nothing. The policy is asked where there are an operator file and a project; exit code 1 means that it does not allow a use of a reference."
    )]
    Refs(RefsArgs),
    /// Preview the manifests of one environment, with secrets redacted
    #[command(
        after_help = "Fetches nothing and needs no keys. With an operator file, the names of providers are checked."
    )]
    Render(RenderArgs),
    /// Schemas of custom resources, for validate
    #[command(subcommand)]
    Schemas(SchemasCommand),
    /// Check all environments of an app, or plain manifests, against schemas and rules; needs no credentials
    #[command(
        after_help = "Exit code 1 means findings of the severity of --fail-on, 2 that the command could not do its job."
    )]
    Validate(Box<ValidateArgs>),
}

/// The commands that Argo CD calls, alone: each run parses its arguments in two processes, and to describe all commands
/// takes longer than to read these.
#[derive(Debug, Parser)]
#[command(name = "sealwave", disable_help_subcommand = true)]
struct CalledByArgoCd {
    #[command(subcommand)]
    command: ArgoCdCommand,
}

/// The same arguments as in [`Command`].
#[derive(Debug, Subcommand)]
enum ArgoCdCommand {
    Discover(DirArgs),
    Generate(GenerateArgs),
    Parameters(DirArgs),
}

impl Cli {
    /// Parses the arguments of a command that Argo CD calls. `None` for other commands, and where the arguments are not
    /// valid: [`Self::try_parse_from`] says why.
    #[must_use]
    pub fn of_argo_cd(args: &[OsString]) -> Option<Self> {
        let name = args.get(1)?.to_str()?;
        if !["discover", "generate", "parameters"].contains(&name) {
            return None;
        }
        let command = match CalledByArgoCd::try_parse_from(args).ok()?.command {
            ArgoCdCommand::Discover(args) => Command::Discover(args),
            ArgoCdCommand::Generate(args) => Command::Generate(args),
            ArgoCdCommand::Parameters(args) => Command::Parameters(args),
        };
        Some(Self { command })
    }
}

impl Command {
    /// Whether Argo CD calls it, for any directory of any repository.
    #[must_use]
    pub const fn is_called_by_argo_cd(&self) -> bool {
        matches!(self, Self::Discover(_) | Self::Generate(_) | Self::Parameters(_))
    }
}

const OPERATOR_HELP: &str = "Operator file [env: SEALWAVE_OPERATOR]";

/// Which app.
#[derive(Clone, Debug, Args)]
pub struct DirArgs {
    /// Directory of the app, which holds sealwave.yaml
    #[arg(default_value = ".", value_hint = ValueHint::DirPath)]
    pub dir: PathBuf,
}

/// What Argo CD would say of the app.
#[derive(Clone, Debug, Default, Args)]
#[command(next_help_heading = "Identity of the app (in the sidecar, Argo CD gives it)")]
pub struct IdentityArgs {
    /// Argo CD project, which the policy is asked about
    #[arg(long, value_name = "NAME")]
    pub project: Option<String>,
    /// Name [default: that of the directory]
    #[arg(long, value_name = "NAME")]
    pub app: Option<String>,
    /// Destination namespace, for objects without one
    #[arg(long, short = 'n', value_name = "NAME")]
    pub namespace: Option<String>,
    /// URL of the repository
    #[arg(long, value_name = "URL", value_hint = ValueHint::Url)]
    pub repository: Option<String>,
}

/// Which app, and what is known of it.
#[derive(Clone, Debug, Args)]
pub struct AppArgs {
    /// Which app.
    #[command(flatten)]
    pub dir: DirArgs,
    /// Operator file
    #[arg(long, help = OPERATOR_HELP, value_name = "FILE", value_hint = ValueHint::FilePath)]
    pub operator: Option<PathBuf>,
    /// Who the app is.
    #[command(flatten)]
    pub identity: IdentityArgs,
}

/// `generate`.
#[derive(Clone, Debug, Args)]
pub struct GenerateArgs {
    /// Environment [default: the parameter env of Argo CD, else the only one]
    #[arg(long, short = 'e', value_name = "NAME")]
    pub env: Option<String>,
    /// Refuse what the API server would refuse.
    #[arg(
        long,
        help = "Refuse, before anything is fetched, objects that the API server would refuse [env: KUBE_VERSION]"
    )]
    pub validate: bool,
    /// Waive the policy.
    #[arg(
        long,
        conflicts_with = "project",
        help = "Use every reference, without asking the policy of --operator; never in Argo CD"
    )]
    pub no_policy: bool,
    /// Which app.
    #[command(flatten)]
    pub app: AppArgs,
}

/// `render`.
#[derive(Clone, Debug, Args)]
pub struct RenderArgs {
    /// Environment [default: the only one]
    #[arg(long, short = 'e', value_name = "NAME")]
    pub env: Option<String>,
    /// Output format: yaml or json
    #[arg(long, short = 'o', value_name = "FORMAT", default_value = "yaml", hide_possible_values = true)]
    pub output: OutputFormat,
    /// Which app.
    #[command(flatten)]
    pub app: AppArgs,
}

/// `refs`.
#[derive(Clone, Debug, Args)]
pub struct RefsArgs {
    /// Environment [default: all]
    #[arg(long, short = 'e', value_name = "NAME")]
    pub env: Option<String>,
    /// Output format: human or json
    #[arg(long, short = 'o', value_name = "FORMAT", default_value = "human", hide_possible_values = true)]
    pub output: ReportFormat,
    /// Which app.
    #[command(flatten)]
    pub app: AppArgs,
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
    /// Make a seal key and, best from the start, a checksum key
    #[command(
        after_help = "Whoever holds the seal key can check guesses of sealed values: keep it where only the operator reads it."
    )]
    Generate(KeyGenerateArgs),
}

/// `key generate`.
#[derive(Clone, Debug, Args)]
pub struct KeyGenerateArgs {
    /// Write a seal key to a new file, readable by its owner only [default: standard output]
    #[arg(long, short = 'o', value_name = "FILE", value_hint = ValueHint::FilePath)]
    pub output: Option<PathBuf>,
    /// Write a checksum key to a new file as well (alone: only this one), so that replacing the seal key restarts no pod
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath)]
    pub checksum_output: Option<PathBuf>,
}

/// `cert`.
#[derive(Clone, Debug, Args)]
pub struct CertArgs {
    /// PEM files; - is standard input
    #[arg(value_name = "FILE", value_hint = ValueHint::FilePath)]
    pub files: Vec<PathBuf>,
    /// Operator file
    #[arg(long, help = OPERATOR_HELP, value_name = "FILE", value_hint = ValueHint::FilePath, conflicts_with = "files")]
    pub operator: Option<PathBuf>,
}

/// `schemas`.
#[derive(Clone, Debug, Subcommand)]
pub enum SchemasCommand {
    /// Write the definitions of a cluster's custom resources to a lock file, which validate reads offline
    #[command(
        after_help = "Asks the cluster as kubectl would, for nothing but the list of definitions. Check with it: sealwave validate --crds schemas.lock.yaml"
    )]
    Pull(SchemasPullArgs),
}

/// `schemas pull`.
#[derive(Clone, Debug, Args)]
pub struct SchemasPullArgs {
    /// Context of the kubeconfig [default: its current one]
    #[arg(long, value_name = "NAME")]
    pub context: Option<String>,
    /// Kubeconfig [env: KUBECONFIG] [default: that of the home directory, else the account of the pod]
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath)]
    pub kubeconfig: Option<PathBuf>,
    /// Lock file
    #[arg(long, short = 'o', value_name = "FILE", default_value = "schemas.lock.yaml", value_hint = ValueHint::FilePath)]
    pub output: PathBuf,
    /// Only groups like this one, for example '*.cert-manager.io'; may be given more than once
    #[arg(long, value_name = "GLOB")]
    pub group: Vec<String>,
}

/// `completions`.
#[derive(Clone, Debug, Args)]
pub struct CompletionsArgs {
    /// Shell to complete in
    pub shell: clap_complete::Shell,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_argo_cd_calls_is_read_alike_in_both_ways() {
        for line in [
            "discover",
            "discover app",
            "parameters app",
            "generate",
            "generate app --env dev --operator op.yaml --project shop --app a --namespace n --repository r",
            "generate --validate --no-policy --env=dev app",
        ] {
            let args: Vec<OsString> =
                ["sealwave"].into_iter().chain(line.split(' ')).map(OsString::from).collect();
            let whole = format!("{:?}", Cli::try_parse_from(&args).expect("valid"));
            assert_eq!(Cli::of_argo_cd(&args).map(|cli| format!("{cli:?}")), Some(whole), "{line}");
        }
        for line in [
            "generate --nope",
            "generate --help",
            "discover --version",
            "render app",
            "",
            "generate --project",
        ] {
            let args: Vec<OsString> =
                ["sealwave"].into_iter().chain(line.split(' ')).map(OsString::from).collect();
            assert!(Cli::of_argo_cd(&args).is_none(), "{line}");
        }
    }
}
