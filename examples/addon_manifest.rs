//! Prints the manifest that the benchmarks read: 60 objects in 2 MB, similar to a cluster add-on.
#![allow(clippy::print_stdout, reason = "printing is what it is for")]

use sealwave_testkit::bench_input;

fn main() {
    print!("{}", bench_input::manifest(60, 2_000_000));
}
