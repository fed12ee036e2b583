//! Prints the manifest that the benchmarks read: 60 objects in 2 MB, similar to a cluster add-on.
#![allow(clippy::print_stdout, reason = "printing is what it is for")]

#[path = "../benches/support/mod.rs"]
mod support;

fn main() {
    print!("{}", support::manifest(60, 2_000_000));
}
