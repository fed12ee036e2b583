//! One short file per subcommand. Commands return their output; only the shell prints it.

mod access;
#[cfg(feature = "aws")]
mod aws_desk;
mod cert;
mod check;
mod completions;
mod copy;
mod discover;
mod gate;
mod generate;
mod init;
mod key;
mod operation;
mod parameters;
mod put;
mod refs;
mod render;
mod reseal;
mod rotate;
mod schemas;
mod seal;
mod session;
mod status;
mod switch;
mod unseal;
mod validate;
mod verify;

use std::fmt;
use std::path::{Path, PathBuf};

use crate::cli::{Cli, ClusterArgs, Command, KeyCommand, OutputFormat, SchemasCommand};
use crate::config::{self, VariableReader};
use crate::deadline::RunWatch;
use sealwave_core::diagnostic::{Failure, Note, Problem};
use sealwave_pipeline::ManifestFormat;
use sealwave_providers::ClusterAccess;
use sealwave_secrets::settings::APP_FILE;
use sealwave_secrets::values::SecretValue;

/// A command that this build does not have.
#[cfg(not(all(feature = "aws", feature = "vault")))]
#[derive(Debug, thiserror::Error)]
#[error("`sealwave {command}` needs the feature `{feature}`, which this build does not have")]
struct NotBuilt {
    command: &'static str,
    feature: &'static str,
}

#[cfg(not(all(feature = "aws", feature = "vault")))]
impl sealwave_core::diagnostic::Explain for NotBuilt {
    fn hint(&self) -> Option<String> {
        Some(format!("build it with `cargo build --features {}`, or use the released program", self.feature))
    }
}

/// Returns the failure of a command that this build does not have.
#[cfg(not(all(feature = "aws", feature = "vault")))]
fn not_built(command: &'static str, feature: &'static str) -> Failure {
    sealwave_core::diagnostic::Problem::new(&NotBuilt { command, feature }).into()
}

/// Returns the message of a note that an input of the policy is missing.
fn policy_not_checked(missing: &str) -> String {
    format!("policy was not checked: no {missing} was given")
}

/// The output of a command.
#[derive(Debug, Default)]
pub struct CommandOutput {
    /// The complete standard output.
    pub stdout: Vec<u8>,
    /// Whether it is text for people, with colors for a terminal.
    pub styled: bool,
    /// Whether there are findings. The command itself succeeded.
    pub findings: bool,
    /// Secrets in plaintext, for standard output.
    pub plaintext: Option<Plaintext>,
    /// Notes for standard error.
    pub notes: Vec<Note>,
    /// The problems of a run that could do only a part of its work, which standard output has.
    pub failure: Option<Failure>,
}

/// An output with the values of Secrets. Only the shell reads it, once.
pub struct Plaintext(SecretValue);

impl Plaintext {
    /// Returns the bytes, for standard output.
    pub(crate) fn bytes(&self) -> &[u8] {
        self.0.expose()
    }
}

impl fmt::Debug for Plaintext {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "plaintext of {} bytes", self.0.len())
    }
}

/// Runs a command. Prints nothing, and writes only the files that the command is meant to write.
///
/// # Errors
/// The problems of the run.
pub fn run(mut cli: Cli, variables: VariableReader, watch: &RunWatch) -> Result<CommandOutput, Failure> {
    config::apply_kubeseal_variables(&mut cli.command, variables).map_err(|error| Problem::new(&error))?;
    match cli.command {
        Command::Cert(args) => cert::run(*args, variables, watch),
        Command::Check(args) => check::run(&args, variables),
        Command::Completions(args) => Ok(completions::run(&args)),
        Command::Copy(args) => copy::run(&args),
        Command::Discover(args) => Ok(discover::run(&args.dir)),
        Command::Generate(args) => generate::run(args, variables, watch),
        Command::Init(args) => init::run(&args, variables, watch),
        Command::Key(KeyCommand::Generate(args)) => key::generate(&args),
        Command::Parameters(args) => parameters::run(&args.dir, variables),
        Command::Put(args) => put::run(&args, variables, watch),
        Command::Refs(args) => refs::run(args, variables, watch),
        Command::Render(args) => render::run(args, variables, watch),
        Command::Rotate(command) => rotate::run(&command, variables, watch),
        Command::Reseal(args) => reseal::run(&args, variables, watch),
        Command::Schemas(SchemasCommand::Print(args)) => Ok(schemas::print(&args)),
        Command::Schemas(SchemasCommand::Pull(args)) => schemas::pull(&args, variables, watch),
        Command::Seal(args) => seal::run(&args, variables, watch),
        Command::Unseal(args) => unseal::run(&args, variables, watch),
        Command::Status(args) => status::run(&args, variables, watch),
        Command::Switch(args) => switch::run(&args, variables, watch),
        Command::Validate(args) => validate::run(&args, variables, watch),
        Command::Verify(args) => verify::run(*args, variables, watch),
    }
}

impl CommandOutput {
    fn text(stdout: impl Into<Vec<u8>>) -> Self {
        Self { stdout: stdout.into(), ..Self::default() }
    }
}

/// Returns the format in which manifests are printed.
const fn manifest_format(format: OutputFormat) -> ManifestFormat {
    match format {
        OutputFormat::Json => ManifestFormat::Json,
        OutputFormat::Yaml => ManifestFormat::Yaml,
    }
}

/// Returns the directory as given by the user, or `.`; for an app file, its directory.
fn directory(dir: &Path) -> PathBuf {
    let is_app_file = dir.file_name().is_some_and(|name| name == APP_FILE) && dir.is_file();
    let dir = dir.parent().filter(|_| is_app_file).unwrap_or(dir);
    if dir.as_os_str().is_empty() { PathBuf::from(".") } else { dir.to_path_buf() }
}

/// Returns the cluster that flags and the environment name, as for kubectl.
fn cluster_access(args: &ClusterArgs, variables: VariableReader) -> ClusterAccess {
    ClusterAccess {
        kubeconfigs: config::kubeconfigs(args.kubeconfig.as_deref(), variables),
        context: args.context.clone(),
    }
}
