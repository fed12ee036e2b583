//! `cert`: shows, fetches and compares sealing certificates, and lists the keys of a controller.

mod check;
mod common;
mod fetch;
mod list;
mod show;

use std::time::Duration;

use super::CommandOutput;
use super::operation::refuse_in_sidecar;
use crate::cli::{CertArgs, CertCommand};
use crate::config::VariableReader;
use crate::deadline::RunWatch;
use sealwave_core::diagnostic::Failure;

pub(super) use common::controller_names;

/// The deadline of commands that access a cluster.
const DEADLINE: Duration = Duration::from_mins(2);

pub(super) fn run(
    args: CertArgs,
    variables: VariableReader,
    watch: &RunWatch,
) -> Result<CommandOutput, Failure> {
    let command = match &args.command {
        None | Some(CertCommand::Show(_)) => {
            let show = if let Some(CertCommand::Show(show)) = args.command { show } else { args.show };
            return show::run(&show, variables);
        }
        Some(CertCommand::Check(_)) => "cert check",
        Some(CertCommand::Fetch(_)) => "cert fetch",
        Some(CertCommand::List(_)) => "cert list",
    };
    refuse_in_sidecar(command, variables)?;
    watch.set_time_limit(DEADLINE);
    match args.command {
        Some(CertCommand::Check(args)) => check::run(&args, variables, watch),
        Some(CertCommand::Fetch(args)) => fetch::run(&args, variables, watch),
        Some(CertCommand::List(args)) => list::run(&args, variables, watch),
        None | Some(CertCommand::Show(_)) => Ok(CommandOutput::default()),
    }
}
