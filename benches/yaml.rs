//! Compares reading YAML with a bare event scan of the same text by `saphyr-parser`, in one run.
//!
//! Prints the best of several alternating rounds, so that a busy machine slows both equally. Asserts nothing.
#![allow(clippy::print_stdout, reason = "printing is what a benchmark is for")]

use std::hint::black_box;
use std::time::{Duration, Instant};

use sealwave_core::document::Sources;
use sealwave_core::yaml::{self, Limits};
use sealwave_testkit::bench_input;

const ROUNDS: usize = 9;

fn main() {
    println!("{:<28} {:>8} {:>12} {:>12} {:>7}", "input", "MB", "scan MB/s", "read MB/s", "ratio");
    compare("60 objects", &bench_input::manifest(60, 2_000_000));
    compare("100,000 tiny documents", &bench_input::tiny_documents(100_000));
}

fn compare(name: &str, text: &str) {
    let source = Sources::default().add(name);
    let (mut scan, mut read) = (Duration::MAX, Duration::MAX);
    for _ in 0..ROUNDS {
        scan = scan.min(time(|| saphyr_parser::Parser::new_from_str(text).flatten().count()));
        read = read.min(time(|| {
            // Sequential, like the scan: `yaml::read` would use all cores.
            yaml::documents(text.as_bytes(), source, &Limits::default()).flatten().collect::<Vec<_>>()
        }));
    }
    let megabytes = f64::from(u32::try_from(text.len()).unwrap_or(u32::MAX)) / 1e6;
    let speed = |time: Duration| megabytes / time.as_secs_f64();
    println!(
        "{name:<28} {megabytes:>8.1} {:>12.1} {:>12.1} {:>7.2}",
        speed(scan),
        speed(read),
        read.as_secs_f64() / scan.as_secs_f64()
    );
}

fn time<T>(run: impl FnOnce() -> T) -> Duration {
    let start = Instant::now();
    let result = black_box(run());
    let elapsed = start.elapsed();
    drop(result);
    elapsed
}
