//! The command line: raw flags and help texts. No I/O and no decisions.

mod app;
mod aws;
mod cert;
mod cluster;
mod format;
mod habits;
mod key;
mod operation;
mod put;
mod reseal;
mod rotate;
mod schemas;
mod seal;
mod status;
mod switch;
mod validate;
mod verify;

use std::ffi::OsString;
use std::path::PathBuf;

use clap::{Args, Parser, Subcommand, ValueHint};

use app::OPERATOR_HELP;
pub use app::{AppArgs, ChartArgs, DirArgs, IdentityArgs};
pub use aws::AwsLoginArgs;
pub use cert::{
    CertArgs, CertCheckArgs, CertCommand, CertFetchArgs, CertListArgs, CertShowArgs, LiveCertificateArgs,
};
pub use cluster::{ClusterArgs, ControllerArgs};
pub use format::{OutputFormat, ReportFormat};
pub use habits::with_tip;
pub use key::{KeyCommand, KeyGenerateArgs};
pub use operation::{FileChangeArgs, OperationArgs};
pub use put::PutArgs;
pub use reseal::{ResealArgs, ResealKeyArgs};
pub use rotate::{
    BackupArgs, KeyRetirementArgs, RotateAwsArgs, RotateAwsSecretArgs, RotateCommand, RotateControllerKeyArgs,
};
pub use schemas::{SchemasCommand, SchemasPrintArgs, SchemasPullArgs, SettingsFileKind};
pub use seal::{ScopeFlag, SealArgs, SealCertificateArgs, SealPolicyArgs, SealValueArgs, UnsealArgs};
pub use status::StatusArgs;
pub use switch::SwitchArgs;
pub use validate::{CheckArgs, FailOn, ReportArgs, ValidateArgs};
pub use verify::VerifyArgs;

/// The version with what the binary was built from: its features, and the commit if the build names one in
/// `SEALWAVE_COMMIT`.
const LONG_VERSION: &str = concat!(env!("CARGO_PKG_VERSION"), env!("SEALWAVE_BUILD"));

/// Render Kubernetes manifests in which no secret is readable.
#[derive(Clone, Debug, Parser)]
#[command(
    name = "sealwave",
    version,
    long_version = LONG_VERSION,
    about,
    long_about = None,
    after_help = "Preview an app: sealwave render DIR --env NAME\n\n\
                  Exit codes: 0: success, 1: findings, 2: error\n\
                  Colors: only on a terminal; NO_COLOR=1 disables them, CLICOLOR_FORCE=1 enables them everywhere"
)]
pub struct Cli {
    /// The command to run.
    #[command(subcommand)]
    pub command: Command,
}

/// The subcommands.
#[derive(Clone, Debug, Subcommand)]
pub enum Command {
    /// Show, fetch and compare sealing certificates, and list the keys of a controller
    #[command(
        override_usage = "sealwave cert <FILE>...\n       sealwave cert [--operator <FILE>]\n       sealwave cert <COMMAND>",
        after_help = "Without PEM files, shows the certificates of all clusters in the operator file.\n\
                      Example: sealwave cert dev.pem"
    )]
    Cert(Box<CertArgs>),
    /// Check an operator file before it is rolled out: keys, certificates, providers, programs, charts, policy, limits
    #[command(
        after_help = "Reads the files that it names, but no secret of an app. Without --connect and --live, contacts nothing and starts no program. Exit code 1 means errors, 2 means that the file cannot be read."
    )]
    Check(CheckOperatorArgs),
    /// Print a shell completion script
    #[command(after_help = "Load it in bash: source <(sealwave completions bash)")]
    Completions(CompletionsArgs),
    /// Copy this program and its plugin.yaml into a directory (for an init container)
    #[command(
        after_help = "Replaces files of the same names. An init container puts sealwave into Argo CD's image in this way."
    )]
    Copy(CopyArgs),
    /// Report whether a directory contains an app (called by Argo CD)
    #[command(after_help = "Prints the name of the app file if there is one, and nothing otherwise.")]
    Discover(DirArgs),
    /// Print the manifests of one environment, sealed, as JSON (called by Argo CD)
    #[command(
        after_help = "Sealing needs the operator file with its keys and sources; sealwave render shows a preview without it.\n\
                      With - as DIR, seals manifests from standard input: helm template . | sealwave generate - --env prod"
    )]
    Generate(GenerateArgs),
    /// Write the sealwave.yaml for a chart, overlays, plain manifests or an Application of Argo CD
    #[command(
        after_help = "Changes no other file, and never replaces an app file. Exit code 1 means that the app file does not cover everything; the warnings say what to do."
    )]
    Init(InitArgs),
    /// Create keys for the operator
    #[command(subcommand, disable_help_subcommand = true)]
    Key(KeyCommand),
    /// Print the parameters of an app as JSON (called by Argo CD)
    Parameters(DirArgs),
    /// Write a value to AWS Secrets Manager, Parameter Store or Vault, from a file or standard input
    #[command(
        after_help = "The value is never an argument, which other users of the machine could read. A line break at the end of a value of one line is removed. Exit code 0: written, or nothing to do; 2: error.\n\
                      Example: sealwave put aws-sm:prod/db#password < password\n\
                      Example: sealwave put vault:secret/shop/db#password --operator operator.yaml --from-file password.txt"
    )]
    Put(PutArgs),
    /// List the secrets that an app refers to, their destinations, and the policy's decision on each
    #[command(
        after_help = "Fetches nothing. The policy is evaluated if an operator file and a project are given; exit code 1 means that it does not allow a use of a reference."
    )]
    Refs(RefsArgs),
    /// Preview the manifests of one environment, with secrets redacted
    #[command(
        after_help = "Fetches nothing and needs no keys. With an operator file, provider names are checked.\n\
                      With - as DIR, shows manifests from standard input: helm template . | sealwave render - --env prod"
    )]
    Render(RenderArgs),
    /// Rotate credentials without interruption
    #[command(subcommand, disable_help_subcommand = true)]
    Rotate(RotateCommand),
    /// Seal the items of committed SealedSecrets for another certificate; changes nothing else, and restarts nothing
    #[command(
        after_help = "Without --key, the controller of the cluster seals the items again. Exit code 1 means that --check found items, or that a merge must come first.\n\
                      Example: sealwave reseal --env dev --cert dev.pem --dry-run\n\
                      Example: sealwave reseal --check --cert dev.pem envs/dev/sealed-secrets"
    )]
    Reseal(Box<ResealArgs>),
    /// Pull schemas of custom resources for validate, or print schemas of sealwave's own files for editors
    #[command(subcommand, disable_help_subcommand = true)]
    Schemas(SchemasCommand),
    /// Seal Secrets for files that are committed, like kubeseal
    #[command(
        after_help = "With --cert, needs no network. Nothing is printed or written if an item cannot be sealed (exit code 2).\n\
                      Example: sealwave seal --cert dev.pem secret.yaml -w sealed.yaml\n\
                      Example: sealwave seal --cert dev.pem -n shop --name db --from-file password=-"
    )]
    Seal(Box<SealArgs>),
    /// Print the Secrets of SealedSecrets IN PLAINTEXT, with the private keys of the controller (for recovery)
    #[command(
        after_help = "Anyone who has a private key can read every Secret that was sealed for it, so keep key files encrypted. Not available where Argo CD runs sealwave.\n\
                      Example: sealwave unseal sealed.yaml --key key.pem --write secret.yaml"
    )]
    Unseal(UnsealArgs),
    /// List the secrets of apps: sources, users, age, rotation policy, and what is overdue or expires
    #[command(
        after_help = "Works offline, from Git alone, unless --fetch is given. Exit code 1 means that something is overdue or has expired, 2 that an app cannot be read; the others are still listed.\n\
                      Example: sealwave status --env prod\n\
                      Example: sealwave status my-app --operator operator.yaml --fetch --project shop"
    )]
    Status(Box<StatusArgs>),
    /// Change the backend of Secrets that are in use, in two commits, without an interruption
    #[command(
        after_help = "Prints the lines of the next commit, and whether the cluster is ready for it. Changes nothing without --write. Exit code 1 means that it is not ready yet.\n\
                      Example: sealwave switch my-app --env dev --to external-secrets --context dev"
    )]
    Switch(Box<SwitchArgs>),
    /// Check all environments of an app, or plain manifests, against schemas and rules; needs no credentials
    #[command(
        after_help = "Exit code 1 means findings of at least the severity of --fail-on, 2 means that the command failed."
    )]
    Validate(Box<ValidateArgs>),
    /// Compare a cluster with what an environment renders: Secrets, checksums, rollouts, pods, the Application
    #[command(
        after_help = "Changes nothing, and requests only the metadata of Secrets. Without --operator or --rendered, checksums are not checked. Exit code 1 means that something is not right, or that nothing could be checked.\n\
                      Example: sealwave verify my-app --env dev --context dev --operator operator.yaml --project shop"
    )]
    Verify(Box<VerifyArgs>),
}

/// The commands that Argo CD calls. Each run parses its arguments in two processes, and building the descriptions of
/// all commands takes longer than parsing these.
#[derive(Debug, Parser)]
#[command(name = "sealwave", disable_help_subcommand = true)]
struct CalledByArgoCd {
    #[command(subcommand)]
    command: ArgoCdCommand,
}

/// These commands, with the same arguments as in [`Command`].
#[derive(Debug, Subcommand)]
enum ArgoCdCommand {
    Discover(DirArgs),
    Generate(GenerateArgs),
    Parameters(DirArgs),
}

impl Cli {
    /// Parses the arguments of a command that Argo CD calls. Returns `None` for other commands and for invalid
    /// arguments, for which [`Self::try_parse_from`] returns the error.
    #[must_use]
    pub fn parse_argo_cd(args: &[OsString]) -> Option<Self> {
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
    /// Reports whether Argo CD calls the command, for any directory of any repository.
    #[must_use]
    pub const fn is_called_by_argo_cd(&self) -> bool {
        matches!(self, Self::Discover(_) | Self::Generate(_) | Self::Parameters(_))
    }

    /// Reports whether a command that Argo CD calls reads standard input, which no plugin does.
    #[must_use]
    pub fn reads_stdin(&self) -> bool {
        matches!(self, Self::Generate(args) if args.app.reads_stdin())
    }
}

/// Arguments of `generate`.
#[derive(Clone, Debug, Args)]
pub struct GenerateArgs {
    /// Environment [default: the Argo CD parameter env, or the only environment]
    #[arg(long, short = 'e', value_name = "NAME")]
    pub env: Option<String>,
    /// Output format: json or yaml
    #[arg(long, short = 'o', value_name = "FORMAT", hide_possible_values = true)]
    #[arg(help = "Output format: json or yaml [default: json; for -: yaml]")]
    pub output: Option<OutputFormat>,
    /// Refuses objects that the API server would refuse.
    #[arg(
        long,
        help = "Refuse objects that the API server would refuse, before fetching anything; Argo CD sets its version [env: KUBE_VERSION]"
    )]
    pub validate: bool,
    /// Waives the policy.
    #[arg(
        long,
        conflicts_with = "project",
        help = "Allow every reference, without applying the policy of --operator; not available in Argo CD"
    )]
    pub no_policy: bool,
    /// The app.
    #[command(flatten)]
    pub app: AppArgs,
}

/// Arguments of `render`.
#[derive(Clone, Debug, Args)]
pub struct RenderArgs {
    /// Environment [default: the only environment]
    #[arg(long, short = 'e', value_name = "NAME")]
    pub env: Option<String>,
    /// Output format: yaml or json
    #[arg(long, short = 'o', value_name = "FORMAT", default_value = "yaml", hide_possible_values = true)]
    pub output: OutputFormat,
    /// The app.
    #[command(flatten)]
    pub app: AppArgs,
}

/// Arguments of `refs`.
#[derive(Clone, Debug, Args)]
pub struct RefsArgs {
    /// Environment [default: all]
    #[arg(long, short = 'e', value_name = "NAME")]
    pub env: Option<String>,
    /// Output format: human or json
    #[arg(long, short = 'o', value_name = "FORMAT", default_value = "human", hide_possible_values = true)]
    pub output: ReportFormat,
    /// The app.
    #[command(flatten)]
    pub app: AppArgs,
}

/// Arguments of `init`.
#[derive(Clone, Debug, Args)]
pub struct InitArgs {
    /// Directory that gets the app file: the one that the Application has as its path
    #[arg(default_value = ".", value_hint = ValueHint::DirPath)]
    pub dir: PathBuf,
    /// File with an Application of the app, for example one per environment; repeatable [default: those that the repository has for the directory]
    #[arg(long, short = 'a', value_name = "FILE", value_hint = ValueHint::FilePath)]
    pub application: Vec<PathBuf>,
    /// Print the app file instead of writing it
    #[arg(long)]
    pub dry_run: bool,
}

/// Arguments of `copy`.
#[derive(Clone, Debug, Args)]
pub struct CopyArgs {
    /// An existing directory
    #[arg(value_hint = ValueHint::DirPath)]
    pub dir: PathBuf,
}

/// Arguments of `check`.
#[derive(Clone, Debug, Args)]
pub struct CheckOperatorArgs {
    /// Operator file
    #[arg(long, help = OPERATOR_HELP, value_name = "FILE", value_hint = ValueHint::FilePath)]
    pub operator: Option<PathBuf>,
    /// Also log in to each secret source, without reading a secret; this may start programs of kubeconfigs and AWS profiles
    #[arg(long)]
    pub connect: bool,
    /// Compare the certificate of a cluster with the one that its controller publishes: a kubeconfig context, or an address; repeatable
    #[arg(long, value_name = "CLUSTER=CONTEXT|URL")]
    pub live: Vec<String>,
    /// Kubeconfig for --live [env: KUBECONFIG] [default: ~/.kube/config]
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath, requires = "live")]
    pub kubeconfig: Option<PathBuf>,
    /// The controllers of these clusters.
    #[command(flatten)]
    pub controller: ControllerArgs,
    /// Output format: human or json
    #[arg(long, short = 'o', value_name = "FORMAT", default_value = "human", hide_possible_values = true)]
    pub output: ReportFormat,
    /// Show only findings
    #[arg(long, short = 'q')]
    pub quiet: bool,
}

/// Arguments of `completions`.
#[derive(Clone, Debug, Args)]
pub struct CompletionsArgs {
    /// Shell to complete commands for
    pub shell: clap_complete::Shell,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_parsers_agree_on_commands_of_argo_cd() {
        for line in [
            "discover",
            "discover app",
            "parameters app",
            "generate",
            "generate app --env dev --operator op.yaml --project shop --app a --namespace n --repository r",
            "generate --validate --no-policy --env=dev app",
            "generate - --env dev --app-file app --output yaml",
        ] {
            let args: Vec<OsString> =
                ["sealwave"].into_iter().chain(line.split(' ')).map(OsString::from).collect();
            let whole = format!("{:?}", Cli::try_parse_from(&args).expect("valid"));
            assert_eq!(Cli::parse_argo_cd(&args).map(|cli| format!("{cli:?}")), Some(whole), "{line}");
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
            assert!(Cli::parse_argo_cd(&args).is_none(), "{line}");
        }
    }
}
