//! The real Argo CD, Kubernetes API server and sealed-secrets controller, as plain processes on the loopback interface.
//!
//! `scripts/e2e` builds the programs and runs these tests; `README.md` beside this file explains them. The fast tier always
//! runs; tests of the full tier are ignored unless `--include-ignored` is given, as in any test of Cargo. They change nothing
//! outside the directory of their run and talk to no address but 127.0.0.1. With `--bench`, benchmarks run instead of tests.

#![allow(unreachable_pub, reason = "the modules of one binary share this")]
#![allow(
    clippy::disallowed_methods,
    clippy::print_stderr,
    reason = "the harness is a program of its own: it reads its environment and talks to people"
)]

mod bench;
mod fast;
mod full;
mod harness;

use std::process::ExitCode;
use std::sync::{Arc, PoisonError, RwLock};

use harness::{Availability, Programs, Stack};
use libtest_mimic::{Arguments, Completion, Trial};

/// A test. It fails by a panic.
pub struct Test {
    name: &'static str,
    run: fn(&Arc<Stack>),
    /// Whether it changes what all tests share, such as the controller, so that no other may run at the same time.
    alone: bool,
}

impl Test {
    /// A test that shares nothing but the running programs.
    pub const fn new(name: &'static str, run: fn(&Arc<Stack>)) -> Self {
        Self { name, run, alone: false }
    }

    /// A test that runs while no other does.
    pub const fn alone(name: &'static str, run: fn(&Arc<Stack>)) -> Self {
        Self { name, run, alone: true }
    }
}

fn main() -> ExitCode {
    if let Some(code) = harness::run_broken_program() {
        return code;
    }
    let arguments = Arguments::from_args();
    match harness::availability() {
        _ if arguments.list => libtest_mimic::run(&arguments, skipped("only listed")).exit_code(),
        Availability::Skipped(why) => {
            let code = libtest_mimic::run(&arguments, skipped(&why)).exit_code();
            eprintln!("SKIPPED: no end-to-end test ran: {why}");
            code
        }
        Availability::Missing(why) => {
            eprintln!(
                "error: the end-to-end tests are required (SEALWAVE_E2E=required), but cannot run: {why}"
            );
            ExitCode::from(2)
        }
        Availability::Outside => harness::run_isolated(),
        Availability::Inside(programs) if arguments.bench => bench::run(&arguments, &programs),
        Availability::Inside(programs) => run(arguments, &programs),
    }
}

fn run(mut arguments: Arguments, programs: &Programs) -> ExitCode {
    // Most of a test is waiting.
    arguments.test_threads.get_or_insert(4);
    let stack = Arc::new(Stack::start(programs));
    let conclusion = libtest_mimic::run(&arguments, trials(&stack));
    stack.stop(conclusion.has_failed());
    conclusion.exit_code()
}

/// Returns all tests, each with whether it belongs to the full tier.
fn tests() -> impl Iterator<Item = (&'static Test, bool)> {
    let full = full::TESTS.iter().map(|test| (test, true));
    fast::TESTS.iter().map(|test| (test, false)).chain(full)
}

fn trials(stack: &Arc<Stack>) -> Vec<Trial> {
    let turns = Arc::new(RwLock::new(()));
    let trial = |(test, full): (&'static Test, bool)| {
        let (stack, turns) = (Arc::clone(stack), Arc::clone(&turns));
        let run = move || {
            let run = || (test.run)(&stack);
            if test.alone {
                let _turn = turns.write().unwrap_or_else(PoisonError::into_inner);
                run();
            } else {
                let _turn = turns.read().unwrap_or_else(PoisonError::into_inner);
                run();
            }
            Ok(())
        };
        Trial::test(test.name, run).with_ignored_flag(full)
    };
    tests().map(trial).collect()
}

/// Returns all tests as ones that do nothing and say why.
fn skipped(why: &str) -> Vec<Trial> {
    let trial = |(test, full): (&Test, bool)| {
        let why = why.to_owned();
        let run = move || Ok(Completion::ignored_with(why));
        Trial::ignorable_test(test.name, run).with_ignored_flag(full)
    };
    tests().map(trial).collect()
}
