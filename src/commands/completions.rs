//! `completions`: prints shell completions.

use clap::CommandFactory as _;

use super::CommandOutput;
use crate::cli::{Cli, CompletionsArgs};

pub(super) fn run(args: &CompletionsArgs) -> CommandOutput {
    let mut script = Vec::new();
    clap_complete::generate(args.shell, &mut Cli::command(), "sealwave", &mut script);
    CommandOutput::text(script)
}
