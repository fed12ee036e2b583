//! Runs that are checked for leaks.

use std::process::{Command, Output};

use super::{MARKER, find_marker};

/// Runs with a separate directory for temporary files, and checks that no secret is printed and no file remains.
pub fn run_watched(command: &mut Command, what: &str) -> Output {
    let temp = tempfile::TempDir::new().expect("a directory");
    let output = command
        .env("TMPDIR", temp.path())
        .env("HOME", temp.path())
        .env("RUST_BACKTRACE", "full")
        .env("RUST_LOG", "trace")
        .output()
        .expect("the binary starts");
    for (name, bytes) in [("standard output", &output.stdout), ("standard error", &output.stderr)] {
        if let Some(form) = find_marker(bytes, MARKER) {
            panic!("{what}: `{form}` shows in {name}:\n{}", String::from_utf8_lossy(bytes));
        }
    }
    assert_eq!(fs_err::read_dir(temp.path()).expect("readable").count(), 0, "{what}: temporary files stay");
    output
}
