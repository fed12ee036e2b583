//! One short file per subcommand. A command returns what to print; only the shell prints it.

mod cert;
mod completions;
mod discover;
mod gate;
mod generate;
mod key;
mod parameters;
mod refs;
mod render;
mod schemas;
mod session;
mod validate;

use std::path::{Path, PathBuf};

use crate::cli::{Cli, Command, KeyCommand, SchemasCommand};
use crate::config::Variables;
use crate::deadline::Watch;
use sealwave_core::diagnostic::{Failure, Note};

/// What a command has to say.
#[derive(Debug, Default)]
pub struct Outcome {
    /// Standard output, whole.
    pub stdout: Vec<u8>,
    /// Whether it is text for people, with colours for a terminal.
    pub styled: bool,
    /// Whether something is wrong with what was looked at; the command itself did its job.
    pub findings: bool,
    /// Remarks for standard error.
    pub notes: Vec<Note>,
}

/// Runs a command. Nothing is printed here, and nothing is written but what the command is for.
///
/// # Errors
/// All that went wrong.
pub fn run(cli: Cli, variables: Variables, watch: &Watch) -> Result<Outcome, Failure> {
    match cli.command {
        Command::Cert(args) => cert::run(&args, variables),
        Command::Completions(args) => Ok(completions::run(&args)),
        Command::Discover(args) => Ok(discover::run(&args.dir)),
        Command::Generate(args) => generate::run(args, variables, watch),
        Command::Key(KeyCommand::Generate(args)) => key::generate(&args),
        Command::Parameters(args) => parameters::run(&args.dir, variables),
        Command::Refs(args) => refs::run(args, variables, watch),
        Command::Render(args) => render::run(args, variables, watch),
        Command::Schemas(SchemasCommand::Pull(args)) => schemas::pull(&args, variables, watch),
        Command::Validate(args) => validate::run(&args, variables, watch),
    }
}

impl Outcome {
    fn text(stdout: impl Into<Vec<u8>>) -> Self {
        Self { stdout: stdout.into(), ..Self::default() }
    }
}

/// The directory as the user named it, or `.`.
fn directory(dir: &Path) -> PathBuf {
    if dir.as_os_str().is_empty() { PathBuf::from(".") } else { dir.to_path_buf() }
}
