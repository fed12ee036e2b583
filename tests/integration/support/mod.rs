//! Helpers for tests of the binary: a command with a clean environment, directories of cases, secret markers.

#![allow(unreachable_pub, reason = "the modules of one binary share this")]
#![cfg_attr(
    not(all(feature = "aws", feature = "k8s", feature = "sops", feature = "vault", target_os = "linux")),
    allow(dead_code, reason = "some helpers serve tests of optional providers or of Linux")
)]

use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use base64::Engine as _;

#[cfg(feature = "aws")]
pub mod aws_user;
#[cfg(feature = "k8s")]
pub mod controller;
pub mod examined;
pub mod golden;
#[cfg(unix)]
pub mod hostile_sources;
pub mod peak;
pub mod renderers;
pub mod small_app;
pub mod validating;
pub mod watched;

/// The marker in all fake secret values.
pub const MARKER: &str = "CANARY";

/// Returns the root of the repository.
pub fn root() -> PathBuf {
    sealwave_testkit::repository_root()
}

/// Returns a command whose environment contains only `PATH`.
pub fn sealwave() -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_sealwave"));
    command.env_clear().env("PATH", "/usr/bin:/bin").current_dir(root());
    command
}

/// Runs the binary with these arguments.
pub fn run(args: &[&str]) -> Output {
    sealwave().args(args).output().expect("the binary starts")
}

/// Returns standard output of a run that must succeed.
pub fn stdout_of(args: &[&str]) -> String {
    let output = run(args);
    let stderr = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "`{}` failed: {stderr}", args.join(" "));
    String::from_utf8(output.stdout).expect("output is UTF-8")
}

/// Returns standard error of a run that must fail with exit code 2 and print nothing else.
pub fn stderr_of_failure(args: &[&str]) -> String {
    let output = run(args);
    let stderr = String::from_utf8_lossy(&output.stderr).into_owned();
    assert_eq!(output.status.code(), Some(2), "`{}`: {stderr}", args.join(" "));
    assert!(output.stdout.is_empty(), "`{}` printed something and failed", args.join(" "));
    stderr
}

/// Runs a command and checks that its output contains no secret value.
pub fn watched_output(command: &mut Command) -> Output {
    let output = command.output().expect("the binary starts");
    for bytes in [&output.stdout, &output.stderr] {
        assert_eq!(find_marker(bytes, MARKER), None, "{}", String::from_utf8_lossy(bytes));
    }
    output
}

/// Returns standard error of a run that must be refused, without output and without an internal error.
pub fn refused(command: &mut Command, what: &str) -> String {
    let output = watched_output(command);
    let stderr = String::from_utf8_lossy(&output.stderr).into_owned();
    assert_eq!(output.status.code(), Some(2), "{what}: {stderr}");
    assert!(output.stdout.is_empty(), "{what} printed something");
    assert!(!stderr.contains("internal error"), "{what}: {stderr}");
    stderr
}

/// Reports whether a line of standard error has the layout of messages, so that it is not a text from a repository.
pub fn is_message_line(line: &str) -> bool {
    let starts = ["error: ", "note: ", "warning: "].iter().any(|start| line.starts_with(start));
    let text = line.trim_start();
    let is_mark = ["--> ", "= ", "|"].iter().any(|mark| text.starts_with(mark));
    let source = text.trim_start_matches(|c: char| c.is_ascii_digit());
    let is_source = source.len() < text.len() && source.trim_start().starts_with('|');
    starts || line.is_empty() || is_mark || is_source
}

/// Parses the documents of an output of `generate`.
pub fn objects(stdout: &str) -> Vec<serde_json::Value> {
    stdout.lines().map(|line| serde_json::from_str(line).expect("every line is a JSON document")).collect()
}

/// Returns the directories in `testdata` whose names start with a prefix, in order; at least one.
pub fn cases(prefix: &str) -> Vec<PathBuf> {
    let (parent, prefix) = prefix.rsplit_once('/').unwrap_or(("", prefix));
    let mut found: Vec<PathBuf> = fs_err::read_dir(root().join("testdata").join(parent))
        .expect("testdata exists")
        .map(|entry| entry.expect("readable").path())
        .filter(|path| {
            path.is_dir() && path.file_name().is_some_and(|name| name.to_string_lossy().starts_with(prefix))
        })
        .collect();
    found.sort();
    assert!(!found.is_empty(), "no case in testdata/{parent} starts with `{prefix}`");
    found
}

/// Returns the operator's directory of a faulty app: its own, or the shared one.
pub fn operator_of(case: &Path) -> PathBuf {
    let own = case.join("operator");
    if own.is_dir() { own } else { root().join("testdata/bad-operator") }
}

/// Copies a directory, including links, for a test to modify.
pub fn copy_tree(from: &Path, to: &Path) {
    fs_err::create_dir_all(to).expect("a directory");
    for entry in fs_err::read_dir(from).expect("readable") {
        let path = entry.expect("readable").path();
        let target = to.join(path.file_name().expect("a name"));
        if path.is_symlink() {
            let link = fs_err::read_link(&path).expect("a link");
            std::os::unix::fs::symlink(link, target).expect("a link");
        } else if path.is_dir() {
            copy_tree(&path, &target);
        } else {
            fs_err::copy(&path, &target).expect("copied");
        }
    }
}

/// Makes a file readable only by its owner.
#[cfg(unix)]
pub fn private(path: &Path) {
    use std::os::unix::fs::PermissionsExt as _;
    fs_err::set_permissions(path, std::fs::Permissions::from_mode(0o600)).expect("changed");
}

/// Returns the permissions of a file.
#[cfg(unix)]
pub fn mode(path: &Path) -> u32 {
    use std::os::unix::fs::PermissionsExt as _;
    fs_err::metadata(path).expect("exists").permissions().mode() & 0o777
}

/// Returns the forms in which a marker could appear: plain, base64 at each of the three alignments, hex, percent-encoded.
fn marker_forms(marker: &str) -> Vec<String> {
    let base64 = base64::engine::general_purpose::STANDARD;
    let mut forms = vec![marker.to_owned(), marker.to_lowercase(), marker.chars().rev().collect()];
    for shift in 0..3 {
        let mut bytes = vec![0; shift];
        bytes.extend(marker.as_bytes());
        let text = base64.encode(&bytes);
        let text = text.trim_end_matches('=');
        // Cut off the characters at both ends that depend on adjacent bytes.
        let start = (shift * 8).div_ceil(6);
        let end = (bytes.len() * 8) / 6;
        forms.push(text[start..end].to_owned());
    }
    let hex = hex(marker);
    let percent: String =
        hex.as_bytes().chunks(2).flat_map(|pair| [b"%", pair].concat()).map(char::from).collect();
    forms.extend([hex.to_uppercase(), percent.to_uppercase(), hex, percent]);
    forms
}

fn hex(text: &str) -> String {
    text.bytes()
        .flat_map(|byte| [byte >> 4, byte & 15])
        .filter_map(|nibble| char::from_digit(nibble.into(), 16))
        .collect()
}

/// Returns the form of a marker that bytes contain, if any.
pub fn find_marker(bytes: &[u8], marker: &str) -> Option<String> {
    let text = String::from_utf8_lossy(bytes);
    marker_forms(marker).into_iter().find(|form| text.contains(form.as_str()))
}

#[test]
fn the_marker_is_found_in_each_form() {
    let base64 = base64::engine::general_purpose::STANDARD;
    for prefix in ["", "a", "ab", "abc"] {
        let text = base64.encode(format!("{prefix}{MARKER}xyz"));
        assert!(find_marker(text.as_bytes(), MARKER).is_some(), "{text}");
    }
    for text in ["43414e415259", "43414E415259", "%43%41%4e%41%52%59", "a%43%41%4E%41%52%59b", "canary"] {
        assert!(find_marker(text.as_bytes(), MARKER).is_some(), "{text}");
    }
    assert!(find_marker(b"nothing here", MARKER).is_none());
}
