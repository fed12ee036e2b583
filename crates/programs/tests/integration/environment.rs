//! The environment and the directories of a program, and what messages tell of them.

use std::path::Path;

use sealwave_programs::ProgramRun;

use crate::support::TestHost;

/// The names of all variables. Nothing of this process, such as the variables of cargo, is among them.
const NAMES: &[&str] = &[
    "GOMEMLIMIT",
    "HELM_CACHE_HOME",
    "HELM_CONFIG_HOME",
    "HELM_DATA_HOME",
    "HELM_PLUGINS",
    "HELM_REGISTRY_CONFIG",
    "HELM_REPOSITORY_CACHE",
    "HELM_REPOSITORY_CONFIG",
    "HOME",
    "HTTPS_PROXY",
    "HTTP_PROXY",
    "KUBECONFIG",
    "KUSTOMIZE_PLUGIN_HOME",
    "LANG",
    "LC_ALL",
    "PATH",
    "TMPDIR",
    "TZ",
    "XDG_CACHE_HOME",
    "XDG_CONFIG_HOME",
    "XDG_DATA_HOME",
    "XDG_RUNTIME_DIR",
    "XDG_STATE_HOME",
    "http_proxy",
    "https_proxy",
];

#[test]
fn the_environment_has_nothing_of_ours() {
    let host = TestHost::new();
    let output = host.run(&ProgramRun::new(Path::new("/usr/bin/env"), &host.repository())).unwrap();
    let output = String::from_utf8(output.stdout).unwrap();
    let mut names: Vec<&str> = output.lines().map(|line| line.split_once('=').unwrap().0).collect();
    names.sort_unstable();
    assert_eq!(names, NAMES);
    let temporary = host.host.temporary.canonicalize().unwrap();
    for line in output.lines().filter(|line| line.contains("HOME=") || line.contains("PLUGINS=")) {
        assert!(line.contains(temporary.to_str().unwrap()), "{line}");
    }
}

#[test]
fn directories_are_private_and_empty() {
    let host = TestHost::new();
    let listed = host.stdout(
        "find \"$HOME/..\" -mindepth 1 -printf '%P\\n' | sort | tr '\\n' ' '; stat -c %a \"$HOME/..\"",
    );
    assert_eq!(listed, "bin cache config data files home plugins run state tmp 700\n");
    assert_eq!(host.stdout("unset PATH; type -P helm git sh || echo none; pwd").lines().next(), Some("none"));
}

#[test]
fn what_a_program_leaves_is_removed() {
    let host = TestHost::new();
    host.stdout(
        "mkdir -p \"$HOME/a/b\" \"$XDG_CACHE_HOME/c\"; echo x > \"$HOME/a/b/file\"; ln -s / \"$TMPDIR/link\"; \
         mkfifo \"$TMPDIR/pipe\"; chmod 0 \"$HOME/a/b\" \"$HOME/a\" \"$HOME/..\"",
    );
    assert_eq!(fs_err::read_to_string(host.repository().join("file")).unwrap(), "content");
}

#[test]
fn messages_hold_no_path_and_no_value() {
    let host = TestHost::new();
    let script = "printf '\\033[31mError\\033[0m: %s in %s/x: %s/file: <vault:shop/db#password>\\n' \
                  \"$TOKEN\" \"$TMPDIR\" \"$PWD\" >&2; exit 1";
    let text = host.failure(&host.script(script).variable("TOKEN", "CANARY-value"));
    assert_eq!(text, "Error: [value of `TOKEN`] in $TMPDIR/tmp/x: file: <vault:shop/db#password>");
    let error = host.run(&host.script("echo a >&2; echo b >&2; exit 4")).unwrap_err();
    assert_eq!(error.to_string(), "`bash` failed (exit status: 4): a; b");
    let error = host.run(&host.script("kill -9 $$")).unwrap_err();
    assert_eq!(error.to_string(), "`bash` failed (signal: 9 (SIGKILL))");
}

#[test]
fn arguments_are_not_interpreted() {
    let host = TestHost::new();
    let run = ProgramRun::new(Path::new("/usr/bin/printf"), &host.repository());
    let run = run.args(["%s|", "$HOME", "a b", "*", "`id`", "--program", "a\nb", ""]);
    assert_eq!(host.run(&run).unwrap().stdout, b"$HOME|a b|*|`id`|--program|a\nb||");
}

#[test]
fn a_program_that_cannot_be_started_is_an_error() {
    let host = TestHost::new();
    for (program, reason) in [("/nonexistent/helm", "No such file"), ("/etc/passwd", "Permission denied")] {
        let error = host.run(&ProgramRun::new(Path::new(program), &host.repository())).unwrap_err();
        let name = Path::new(program).file_name().unwrap().to_str().unwrap();
        assert!(error.to_string().starts_with(&format!("`{name}` cannot be started: {reason}")), "{error}");
    }
    let error =
        ProgramRun::new(Path::new("/bin/true"), Path::new("/nonexistent")).run(&host.host).unwrap_err();
    assert_eq!(error.to_string(), "`true` cannot be started: file not found");
    let elsewhere = sealwave_programs::RunHost { temporary: "/nonexistent".into(), ..host.host.clone() };
    let error = host.script("true").run(&elsewhere).unwrap_err();
    assert!(error.to_string().starts_with("a private directory for `bash` cannot be created"), "{error}");
}
