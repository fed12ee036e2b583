//! The processes of a run: a waiting parent, a working child, and what happens when one of them is killed.

use std::fs::File;
use std::os::unix::process::CommandExt as _;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::thread;
use std::time::{Duration, Instant};

use crate::support::small_app::SmallApp;
use crate::support::{cases, is_message_line, sealwave, stderr_of_failure};
use sealwave_programs::{ProgramRun, RunHost, RunLimits};
use tempfile::TempDir;

/// Returns a run as argocd-cmp-server starts it.
fn in_sidecar(app: &SmallApp, temp: &Path, project: &str) -> Command {
    let mut command = sealwave();
    command
        .arg("generate")
        .current_dir(app.path("app"))
        .env("TMPDIR", temp)
        .env("SEALWAVE_OPERATOR", app.path("operator/operator.yaml"))
        .env("ARGOCD_APP_NAME", "shop-dev")
        .env("ARGOCD_APP_NAMESPACE", "shop")
        .env("ARGOCD_APP_PROJECT_NAME", project)
        .env("ARGOCD_APP_PARAMETERS", r#"[{"name":"env","string":"dev"}]"#);
    command
}

/// Returns the lock files whose names start with a prefix, in order.
fn locks(temp: &Path, start: &str) -> Vec<PathBuf> {
    let directory = fs_err::read_dir(temp).unwrap().next().expect("a directory").unwrap().path();
    let mut files: Vec<PathBuf> =
        fs_err::read_dir(directory).unwrap().map(|entry| entry.unwrap().path()).collect();
    files.retain(|path| path.file_name().unwrap().to_string_lossy().starts_with(start));
    files.sort();
    files
}

fn lock(path: &Path) -> File {
    let file = File::options().write(true).open(path).unwrap();
    file.try_lock().unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    file
}

fn succeeds(command: &mut Command) -> Vec<u8> {
    let output = command.output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    output.stdout
}

fn times_out_waiting(command: &mut Command) {
    let output = command.output().unwrap();
    let stderr = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(2), "{stderr}");
    assert!(output.stdout.is_empty());
    assert!(
        stderr.starts_with("error: the deadline of 1 seconds passed while waiting for other runs"),
        "{stderr}"
    );
    assert!(stderr.contains("`concurrency`"), "{stderr}");
}

#[test]
fn a_run_waits_for_its_turn_until_the_deadline() {
    let (app, temp) = (SmallApp::new(), TempDir::new().unwrap());
    app.operator("deadlineSeconds: 1\nconcurrency: 2\n");
    succeeds(&mut in_sidecar(&app, temp.path(), "shop"));
    let runs = locks(temp.path(), "run-");
    assert_eq!(runs.len(), 2);
    for path in locks(temp.path(), "") {
        assert_eq!(fs_err::metadata(path).unwrap().len(), 0, "lock files are empty");
    }
    let first = lock(&runs[0]);
    succeeds(&mut in_sidecar(&app, temp.path(), "shop"));
    let second = lock(&runs[1]);
    times_out_waiting(&mut in_sidecar(&app, temp.path(), "shop"));
    drop(first);
    succeeds(&mut in_sidecar(&app, temp.path(), "shop"));
    drop(second);
    let local = sealwave().args(app.args()).env("TMPDIR", temp.path().join("nowhere")).output().unwrap();
    assert!(local.status.success(), "a local run does not wait");
}

#[test]
fn a_project_has_half_of_the_slots() {
    let (app, temp) = (SmallApp::new(), TempDir::new().unwrap());
    app.operator("deadlineSeconds: 1\nconcurrency: 5\n");
    succeeds(&mut in_sidecar(&app, temp.path(), "shop"));
    let project = locks(temp.path(), "project-");
    assert_eq!(project.len(), 2);
    assert!(
        project.iter().all(|path| !path.to_string_lossy().contains("shop")),
        "a name of ours, not of a project"
    );
    let held = [lock(&project[0]), lock(&project[1])];
    times_out_waiting(&mut in_sidecar(&app, temp.path(), "shop"));
    succeeds(&mut in_sidecar(&app, temp.path(), "other"));
    drop(held);
    succeeds(&mut in_sidecar(&app, temp.path(), "shop"));
}

#[test]
fn lock_files_are_not_created_in_shared_directories() {
    let app = SmallApp::new();
    let temp = TempDir::new().unwrap();
    succeeds(&mut in_sidecar(&app, temp.path(), "shop"));
    let directory = fs_err::read_dir(temp.path()).unwrap().next().unwrap().unwrap().path();
    let refused = |why: &str| {
        let output = in_sidecar(&app, temp.path(), "shop").output().unwrap();
        let stderr = String::from_utf8_lossy(&output.stderr);
        assert_eq!(output.status.code(), Some(2), "{why}: {stderr}");
        assert!(stderr.contains("must belong to this user"), "{why}: {stderr}");
    };
    let mode = std::os::unix::fs::PermissionsExt::from_mode;
    fs_err::set_permissions(&directory, mode(0o777)).unwrap();
    refused("others may write");
    fs_err::set_permissions(&directory, mode(0o700)).unwrap();
    let elsewhere = temp.path().join("elsewhere");
    fs_err::rename(&directory, &elsewhere).unwrap();
    std::os::unix::fs::symlink(&elsewhere, &directory).unwrap();
    refused("it is a link");
}

#[test]
fn working_directory_and_author_variables_have_no_effect() {
    let app = SmallApp::new();
    let expected = succeeds(sealwave().args(app.args()));
    let hostile = "#!/bin/sh\necho HOSTILE\n";
    for name in ["sealwave", "supervised-run", "proc/self/exe"] {
        app.write(&format!("app/bin/{name}"), hostile);
        let mode = std::os::unix::fs::PermissionsExt::from_mode;
        fs_err::set_permissions(app.path(&format!("app/bin/{name}")), mode(0o755)).unwrap();
    }
    let mut command = sealwave();
    command.arg0("sealwave").args(app.args()).current_dir(app.path("app/bin"));
    command.env("ARGOCD_ENV_PATH", app.path("app/bin")).env("ARGOCD_ENV_MIMALLOC_ARENA_RESERVE", "1048576");
    command.env("PATH", app.path("app/bin")).env("ARGOCD_ENV_memoryLimitMiB", "16384");
    assert_eq!(succeeds(&mut command), expected);
}

#[test]
fn the_limits_of_the_operator_file_are_checked() {
    for (line, message) in [
        ("memoryLimitMiB: 16\n", "wrong value, expected a whole number from 192 to 16384"),
        ("memoryLimitMiB: 100000\n", "wrong value, expected a whole number from 192 to 16384"),
        ("concurrency: 0\n", "wrong value, expected a whole number from 1 to 64"),
        ("concurrency: -1\n", "concurrency"),
    ] {
        let app = SmallApp::new();
        app.operator(line);
        let output = sealwave().args(app.args()).output().unwrap();
        let stderr = String::from_utf8_lossy(&output.stderr);
        assert_eq!(output.status.code(), Some(2), "{stderr}");
        assert!(stderr.contains(message), "{line}: {stderr}");
    }
}

#[test]
fn the_minimum_memory_is_enough_for_every_scenario() {
    for scenario in cases("scenario-") {
        let app = scenario.join("app").to_str().unwrap().to_owned();
        for command in ["discover", "parameters"] {
            succeeds(sealwave().args([command, &app]));
        }
    }
    let app = SmallApp::new();
    app.operator("memoryLimitMiB: 192\n");
    succeeds(sealwave().args(app.args()));
}

/// The tests of `crates/programs` use a binary of their own.
#[test]
fn the_binary_has_the_roles_of_a_guard() {
    let temp = TempDir::new().unwrap();
    let host =
        RunHost { temporary: temp.path().to_owned(), guard: Some(env!("CARGO_BIN_EXE_sealwave").into()) };
    let limits = RunLimits { memory: 64 << 20, ..RunLimits::default() };
    let run = ProgramRun::without_files(Path::new("/bin/echo")).args(["a  b"]).limits(limits);
    assert_eq!(run.run(&host).unwrap().stdout, b"a  b\n");
    assert_eq!(fs_err::read_dir(temp.path()).unwrap().count(), 0);
}

#[test]
fn no_text_of_a_repository_starts_a_line() {
    let app = SmallApp::new();
    let forged = "a\nerror: forged\n::error file=x::forged\r\n##[error]forged";
    let name = "app/base/a\nerror: forged\n::error::forged.yaml.hbs";
    app.write(name, "{{fail nl}}\n");
    app.write("app/base/b\n::error::forged.yaml", "a: 1\n");
    app.write("app/values.yaml", &format!("nl: {}\n", serde_json::to_string(forged).unwrap()));
    let check = |what: &str, stderr: &str| {
        assert!(stderr.contains("forged"), "{what}: the text is not in\n{stderr}");
        for line in stderr.lines() {
            assert!(is_message_line(line), "{what}: {line}");
            let message = line.trim_start_matches("error: ").trim_start();
            assert!(!message.starts_with("::") && !line.contains("##["), "{what}: {line}");
            assert!(!line.starts_with("error: forged"), "{what}: {line}");
        }
    };
    for command in ["generate", "render", "refs"] {
        let mut args = app.args();
        command.clone_into(&mut args[0]);
        let output = sealwave().args(args).output().unwrap();
        check(command, &String::from_utf8_lossy(&output.stderr));
    }
    let missing = "nowhere/a\n::error::forged";
    check("cert", &stderr_of_failure(&["cert", missing]));
    check("key", &stderr_of_failure(&["key", "generate", "--output", missing]));
    check("generate", &stderr_of_failure(&["generate", missing]));
    check("arguments", &stderr_of_failure(&["render", "--env", "dev", "--a\n::error::forged"]));
    check("arguments", &stderr_of_failure(&["a\nerror: forged\n::error::forged"]));
}

/// Waits until a condition holds.
fn until<T>(what: &str, mut holds: impl FnMut() -> Option<T>) -> T {
    let end = Instant::now() + Duration::from_mins(1);
    loop {
        if let Some(value) = holds() {
            return value;
        }
        assert!(Instant::now() < end, "{what}");
        thread::sleep(Duration::from_millis(10));
    }
}

#[test]
fn output_that_cannot_be_written_is_an_error() {
    let app = SmallApp::new();
    let full = File::options().write(true).open("/dev/full").unwrap();
    let output =
        sealwave().args(app.args()).stdout(full).stderr(std::process::Stdio::piped()).output().unwrap();
    let stderr = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(2), "{stderr}");
    assert!(stderr.contains("standard output cannot be written"), "{stderr}");
}

#[test]
fn a_run_leaves_no_core_file() {
    // Reading the certificate from a pipe blocks the process.
    let mut command = sealwave();
    let mut child = command.args(["cert", "-"]).stdin(std::process::Stdio::piped()).spawn().unwrap();
    until("the limit is not set", || {
        let limits = fs_err::read_to_string(format!("/proc/{}/limits", child.id())).unwrap_or_default();
        let line = limits.lines().find(|line| line.starts_with("Max core file size"))?.to_owned();
        let mut fields = line.split_whitespace().skip(4);
        (fields.next() == Some("0") && fields.next() == Some("0")).then_some(())
    });
    child.kill().unwrap();
    child.wait().unwrap();
}

/// Runs that are stopped or killed while they wait for a server.
#[cfg(feature = "vault")]
mod stopped {
    use std::net::TcpListener;

    use super::*;
    use crate::support::peak::{Running, children, measure};

    /// Starts a run that waits for a server that never answers.
    fn hanging(deadline: u64) -> (SmallApp, TcpListener) {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let app = SmallApp::new();
        app.write("operator/token", "CANARY\n");
        app.write(
            "operator/operator.yaml",
            &format!(
                "apiVersion: sealwave.dev/v1alpha1\nkind: Operator\nsealKeyFile: seal-key\ndeadlineSeconds: {deadline}\n\
                 concurrency: 1\nclusters: {{dev: {{certificate: {{file: dev.pem, allowExpired: true}}}}}}\n\
                 providers: {{vault: {{kind: vault, address: 'http://{}', mounts: {{secret: 2}}, auth: {{token: {{file: token}}}}}}}}\n\
                 policy: [{{projects: ['*'], allow: ['vault:**']}}]\n",
                listener.local_addr().unwrap()
            ),
        );
        app.write(
            "app/base/secrets.yaml",
            "apiVersion: v1\nkind: Secret\nmetadata: {name: api, namespace: shop}\nstringData: {a: <vault:secret/db#a>}\n",
        );
        (app, listener)
    }

    fn started(running: &Running, listener: &TcpListener) -> u32 {
        // The child connects to the server, so it has started.
        let _ = listener.accept().unwrap();
        until("the child did not start", || children(running.child.id()).first().copied())
    }

    #[test]
    fn a_child_that_is_killed_is_one_error() {
        let (app, listener) = hanging(30);
        let temp = TempDir::new().unwrap();
        let running = Running::start(&mut in_sidecar(&app, temp.path(), "shop"));
        let child = started(&running, &listener);
        assert!(Command::new("kill").args(["-9", &child.to_string()]).status().unwrap().success());
        let run = running.finish();
        let stderr = run.stderr();
        assert_eq!(run.status.code(), Some(2), "{stderr}");
        assert!(run.stdout.is_empty());
        let first = stderr.lines().next().unwrap_or_default();
        assert!(first.starts_with("error: the run was killed (signal: 9"), "{stderr}");
        assert_eq!(stderr.lines().filter(|line| line.starts_with("error: ")).count(), 1, "{stderr}");
    }

    #[test]
    fn a_child_ends_with_its_parent_and_releases_its_slot() {
        let (app, listener) = hanging(30);
        let temp = TempDir::new().unwrap();
        let mut running = Running::start(&mut in_sidecar(&app, temp.path(), "shop"));
        let child = started(&running, &listener);
        let all = locks(temp.path(), "");
        assert!(all.iter().all(|path| File::options().write(true).open(path).unwrap().try_lock().is_err()));
        // Argo CD kills only the process that it started.
        running.child.kill().unwrap();
        let run = running.finish();
        assert!(run.stdout.is_empty());
        until("the child lives on", || {
            let stat = fs_err::read_to_string(format!("/proc/{child}/stat")).unwrap_or_default();
            let is_gone = stat
                .rsplit(')')
                .next()
                .is_none_or(|rest| rest.trim().is_empty() || rest.trim().starts_with('Z'));
            is_gone.then_some(())
        });
        let _free: Vec<File> = all.iter().map(|path| lock(path)).collect();
    }

    #[test]
    fn the_deadline_is_reported_with_the_current_stage() {
        let (app, _listener) = hanging(2);
        let run = measure(&mut in_sidecar(&app, TempDir::new().unwrap().path(), "shop"));
        let stderr = run.stderr();
        assert_eq!(run.status.code(), Some(2), "{stderr}");
        assert!(run.stdout.is_empty());
        assert!(stderr.starts_with("error: "), "{stderr}");
        assert!(stderr.contains("deadline") || stderr.contains("vault"), "{stderr}");
    }

    #[test]
    fn a_child_that_stops_is_killed_after_the_deadline() {
        let (app, listener) = hanging(1);
        let temp = TempDir::new().unwrap();
        let running = Running::start(&mut in_sidecar(&app, temp.path(), "shop"));
        let child = started(&running, &listener);
        assert!(Command::new("kill").args(["-STOP", &child.to_string()]).status().unwrap().success());
        let run = running.finish();
        let stderr = run.stderr();
        assert_eq!(run.status.code(), Some(2), "{stderr}");
        assert!(run.stdout.is_empty());
        assert!(stderr.contains("the deadline of 1 seconds passed"), "{stderr}");
        assert!(!Path::new(&format!("/proc/{child}")).exists(), "the child is gone");
    }
}
