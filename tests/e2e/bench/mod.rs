//! Benchmarks: `scripts/e2e --bench NAME` prints a table on stdout. They assert no time, and never run as tests.

mod overhead;

use std::process::ExitCode;
use std::sync::Arc;

use libtest_mimic::Arguments;

use crate::harness::{Programs, Stack};

/// A benchmark. It returns what is printed.
struct Bench {
    name: &'static str,
    run: fn(&Arc<Stack>) -> String,
}

const BENCHES: &[Bench] = &[Bench { name: "overhead", run: overhead::overhead }];

/// Runs the benchmarks whose names contain the filter, each with programs of its own.
pub fn run(arguments: &Arguments, programs: &Programs) -> ExitCode {
    let filter = arguments.filter.as_deref().unwrap_or_default();
    let chosen: Vec<_> = BENCHES.iter().filter(|bench| bench.name.contains(filter)).collect();
    if chosen.is_empty() {
        let names: Vec<_> = BENCHES.iter().map(|bench| bench.name).collect();
        eprintln!("error: no benchmark has `{filter}` in its name; there are: {}", names.join(", "));
        return ExitCode::from(2);
    }
    for bench in chosen {
        let stack = Arc::new(Stack::start(programs));
        let table = (bench.run)(&stack);
        stack.stop(false);
        anstream::println!("{table}");
    }
    ExitCode::SUCCESS
}
