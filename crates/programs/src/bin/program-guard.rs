//! The guard of programs as a binary of its own, for the tests of this crate. The program `sealwave` has the same roles.

use std::process::ExitCode;

fn main() -> ExitCode {
    let args: Vec<_> = std::env::args_os().collect();
    sealwave_programs::enter(&args).unwrap_or(ExitCode::FAILURE)
}
