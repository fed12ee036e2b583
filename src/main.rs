//! The `sealwave` binary: flags in, one command, output and exit code out.

use std::process::ExitCode;

use anyhow::Context as _;
use clap::Parser as _;
use sealwave::cli::Cli;
use sealwave::deadline::Watch;
use sealwave::diagnostic::Failure;
use sealwave::{commands, config, shell};

/// A command runs in a thread of its own, and there the C library's allocator takes a lock for much of what it does;
/// that of musl, with which the image is built, takes one for everything.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> ExitCode {
    shell::install_panic_hook();
    match run() {
        Ok(false) => ExitCode::SUCCESS,
        Ok(true) => ExitCode::from(1),
        Err(error) => {
            match error.downcast_ref::<Failure>() {
                Some(failure) => shell::print_failure(failure),
                None => shell::print_error(&format!("{error:#}")),
            }
            ExitCode::from(2)
        }
    }
}

/// Whether there were findings.
fn run() -> anyhow::Result<bool> {
    let cli = Cli::parse();
    let watch = Watch::start();
    let outcome = shell::run(&watch, move |watch| commands::run(cli, config::process_variables, watch))?;
    shell::print_outcome(&outcome).context("standard output cannot be written")?;
    Ok(outcome.findings)
}
