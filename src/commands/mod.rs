//! One short file per subcommand. Commands return their output; only the shell prints it.

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
mod refs;
mod render;
mod schemas;
mod session;
mod status;
mod switch;
mod validate;

use std::path::{Path, PathBuf};

use crate::cli::{Cli, Command, KeyCommand, OutputFormat, SchemasCommand};
use crate::config::VariableReader;
use crate::deadline::RunWatch;
use sealwave_core::diagnostic::{Failure, Note};
use sealwave_pipeline::ManifestFormat;
use sealwave_secrets::settings::APP_FILE;

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
    /// Notes for standard error.
    pub notes: Vec<Note>,
    /// The problems of a run that could do only a part of its work, which standard output has.
    pub failure: Option<Failure>,
}

/// Runs a command. Prints nothing, and writes only the files that the command is meant to write.
///
/// # Errors
/// The problems of the run.
pub fn run(cli: Cli, variables: VariableReader, watch: &RunWatch) -> Result<CommandOutput, Failure> {
    match cli.command {
        Command::Cert(args) => cert::run(&args, variables),
        Command::Check(args) => check::run(&args, variables),
        Command::Completions(args) => Ok(completions::run(&args)),
        Command::Copy(args) => copy::run(&args),
        Command::Discover(args) => Ok(discover::run(&args.dir)),
        Command::Generate(args) => generate::run(args, variables, watch),
        Command::Init(args) => init::run(&args, variables, watch),
        Command::Key(KeyCommand::Generate(args)) => key::generate(&args),
        Command::Parameters(args) => parameters::run(&args.dir, variables),
        Command::Refs(args) => refs::run(args, variables, watch),
        Command::Render(args) => render::run(args, variables, watch),
        Command::Schemas(SchemasCommand::Print(args)) => Ok(schemas::print(&args)),
        Command::Schemas(SchemasCommand::Pull(args)) => schemas::pull(&args, variables, watch),
        Command::Status(args) => status::run(&args, variables, watch),
        Command::Switch(args) => switch::run(*args, variables, watch),
        Command::Validate(args) => validate::run(&args, variables, watch),
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
