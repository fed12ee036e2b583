//! `validate --timeout`: a run that takes too long ends, reports its current activity, and leaves no partial files.

use std::process::Stdio;

use crate::support::validating::{BAD, CommandResult, GOOD, Tree, command};

#[test]
fn endless_standard_input_times_out() {
    let tree = Tree::new(&[("report.json", "old")]);
    let args = ["-", "--timeout", "1s", "--output", "human", "--output", "json=report.json"];
    let mut child = command(tree.root(), &args);
    child.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = child.spawn().unwrap();
    let stdin = child.stdin.take();
    let ran: CommandResult = child.wait_with_output().unwrap().into();
    drop(stdin);
    assert_eq!((ran.code, ran.stdout.as_str()), (2, ""), "{}", ran.stderr);
    let words = "run took longer than the timeout of 1s while checking standard input";
    assert!(ran.stderr.contains(words), "{}", ran.stderr);
    assert!(ran.stderr.contains("`--timeout`"), "{}", ran.stderr);
    assert_eq!(tree.read("report.json"), "old", "nothing is half-written");
    assert_eq!(fs_err::read_dir(tree.root()).unwrap().count(), 1, "nothing is left behind");
}

#[cfg(unix)]
#[test]
fn the_slow_file_is_named() {
    let tree = Tree::new(&[]);
    let pipe = tree.root().join("pipe.yaml");
    assert!(std::process::Command::new("mkfifo").arg(&pipe).status().unwrap().success());
    // A process substitution may be given; this pipe has no writer.
    let script = "exec 3<>pipe.yaml; exec \"$0\" validate /dev/fd/3 --timeout 1s";
    let mut shell = std::process::Command::new("sh");
    let ran: CommandResult = shell
        .args(["-c", script, env!("CARGO_BIN_EXE_sealwave")])
        .current_dir(tree.root())
        .output()
        .unwrap()
        .into();
    assert_eq!(ran.code, 2, "{}{}", ran.stdout, ran.stderr);
    assert!(ran.stderr.contains("while checking `/dev/fd/3`"), "{}", ran.stderr);
}

#[test]
fn a_timeout_must_be_at_least_one_second() {
    let tree = Tree::new(&[("good.yaml", GOOD), ("bad.yaml", BAD)]);
    for given in ["0s", "5", "soon", "-1m", "999ms", ""] {
        let ran = tree.plain(&["good.yaml", &format!("--timeout={given}")]);
        assert_eq!(ran.code, 2, "{given}");
        assert!(ran.stderr.contains("timeout is not a duration of at least a second"), "{}", ran.stderr);
        assert!(ran.stderr.contains("write `90s`, `5m` or `1h30m`"), "{}", ran.stderr);
    }
    for given in ["90s", "5m", "1h30m"] {
        assert_eq!(tree.plain(&["good.yaml", "--timeout", given]).code, 0, "{given}");
        assert_eq!(tree.plain(&["bad.yaml", "--timeout", given]).code, 1, "{given}");
    }
}
