//! The `sealwave` binary: parses flags, runs one command, prints its output and sets the exit code.

use std::ffi::OsString;
use std::process::ExitCode;

use anyhow::Context as _;
use clap::Parser as _;
use sealwave::cli::Cli;
use sealwave::config::SourceAccess;
use sealwave::deadline::RunWatch;
use sealwave::shell::MessagePrinter;
use sealwave::{commands, config, shell};
use sealwave_core::diagnostic::Failure;

/// A command runs in a separate thread, where the allocator of the C library often takes a lock; that of musl, which
/// the image uses, always does.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> ExitCode {
    shell::install_panic_hook();
    let args: Vec<OsString> = std::env::args_os().collect();
    if let Some(code) = sealwave_programs::enter(&args) {
        return code;
    }
    run(&args).unwrap_or_else(|error| {
        let failure = error.downcast::<Failure>();
        let failure = failure.unwrap_or_else(|error| shell::other_failure(&format!("{error:#}")));
        MessagePrinter::new(SourceAccess::default()).print_failure(&failure);
        ExitCode::from(2)
    })
}

/// Runs the command: those called by Argo CD in a child with limited memory, others in this process.
#[cfg(target_os = "linux")]
fn run(args: &[OsString]) -> anyhow::Result<ExitCode> {
    use sealwave::supervise::{self, ProcessRole};

    sealwave_programs::process_limits::deny_core_dumps();
    match ProcessRole::new(args) {
        ProcessRole::Child(orders, args) => {
            orders.apply().context("the run cannot be bounded")?;
            work(parse(&args)?, &RunWatch::started_before(orders.waited()))
        }
        ProcessRole::Parent => {
            let cli = parse(args)?;
            if cli.command.is_called_by_argo_cd() {
                Ok(supervise::run(&cli.command, args, config::process_variables)?)
            } else {
                work(cli, &RunWatch::start())
            }
        }
    }
}

/// Runs the command. Memory limits are only supported on Linux.
#[cfg(not(target_os = "linux"))]
fn run(args: &[OsString]) -> anyhow::Result<ExitCode> {
    work(parse(args)?, &RunWatch::start())
}

/// Parses the command line, or exits with the usage. An argument can be a file name from a repository: if it contained
/// line breaks, it could imitate the usage.
fn parse(args: &[OsString]) -> anyhow::Result<Cli> {
    Cli::parse_argo_cd(args).map_or_else(|| Cli::try_parse_from(args), Ok).or_else(|error| {
        let hostile = args.iter().map(|arg| arg.to_string_lossy()).find(|arg| shell::has_controls(arg));
        match hostile {
            Some(arg) if error.use_stderr() => anyhow::bail!("`{arg}`: {}", error.kind()),
            _ => sealwave::cli::with_tip(error).exit(),
        }
    })
}

fn work(cli: Cli, watch: &RunWatch) -> anyhow::Result<ExitCode> {
    let printer = MessagePrinter::new(SourceAccess::decide(&cli.command, config::process_variables));
    match shell::run(watch, move |watch| commands::run(cli, config::process_variables, watch)) {
        Ok(outcome) => {
            let written = shell::print_outcome(&outcome, &printer);
            if let Some(failure) = &outcome.failure {
                printer.print_failure(failure);
            }
            written.context("standard output cannot be written")?;
            if outcome.failure.is_some() {
                return Ok(ExitCode::from(2));
            }
            Ok(if outcome.findings { ExitCode::from(1) } else { ExitCode::SUCCESS })
        }
        Err(failure) => {
            printer.print_failure(&failure);
            Ok(ExitCode::from(2))
        }
    }
}
