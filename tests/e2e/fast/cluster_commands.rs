//! Commands that look at a cluster, and the rotation of the controller's key, with the real controller behind the API server.

use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};
use std::sync::Arc;

use serde_json::{Value, json};

use crate::harness::{
    DEPLOYMENT, KEYS, Programs, Refresh, SERVICE, SealedSecretsController, SmallApp, Stack,
    WRONG_CERTIFICATE, until,
};

/// Runs sealwave with the kubeconfig of the stack.
fn sealwave(stack: &Stack, directory: &Path, args: &[&str]) -> Output {
    let mut command = Command::new(Programs::sealwave());
    command.args(args).arg("--kubeconfig").arg(stack.kubeconfig()).current_dir(directory);
    command.output().expect("sealwave starts")
}

fn text(output: &Output) -> String {
    format!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr))
}

/// Checks the exit code, and returns standard output.
fn stdout(output: &Output, code: i32) -> String {
    assert_eq!(output.status.code(), Some(code), "{}", text(output));
    String::from_utf8(output.stdout.clone()).expect("text")
}

fn directory(stack: &Stack, name: &str) -> PathBuf {
    let directory = stack.directory().join(name);
    fs_err::create_dir_all(&directory).expect("a directory");
    directory
}

fn is_reachable() -> bool {
    let is_reachable = SealedSecretsController::is_reachable();
    if !is_reachable {
        eprintln!("skipped: this machine has no address at which the API server can reach the controller");
    }
    is_reachable
}

/// The certificate is that of the controller; a pinned one is compared with it; its keys are listed.
pub fn certificates_of_the_controller(stack: &Arc<Stack>) {
    if !is_reachable() {
        return;
    }
    let directory = directory(stack, "certificates");
    let run = |args: &[&str]| sealwave(stack, &directory, args);
    let controller = ["--controller-namespace", KEYS, "--controller-name", SERVICE];
    let with_controller = |args: &[&'static str]| run(&[args, &controller[..]].concat());

    let published = stdout(&with_controller(&["cert", "fetch"]), 0);
    assert_eq!(published, stack.controller.certificate());
    // The name is found, the namespace is not.
    assert_eq!(stdout(&run(&["cert", "fetch", "--controller-namespace", KEYS]), 0), published);
    let missing = run(&["cert", "fetch"]);
    assert_eq!(missing.status.code(), Some(2));
    assert!(
        text(&missing).contains(&format!("`{KEYS}/{SERVICE}`")),
        "candidates are named: {}",
        text(&missing)
    );

    fs_err::write(directory.join("pinned.pem"), WRONG_CERTIFICATE).expect("writable");
    let compared = stdout(&with_controller(&["cert", "check", "pinned.pem"]), 1);
    assert!(compared.contains("the pinned certificate is for another key than the live one"), "{compared}");
    let pinned = stdout(&with_controller(&["cert", "fetch", "--write", "pinned.pem"]), 0);
    assert!(pinned.contains("replaces            key "), "{pinned}");
    assert_eq!(fs_err::read_to_string(directory.join("pinned.pem")).expect("readable"), published);
    stdout(&with_controller(&["cert", "check", "pinned.pem"]), 0);

    let listed = stdout(&run(&["cert", "list", "--controller-namespace", KEYS, "-o", "json"]), 0);
    let listed: Value = serde_json::from_str(&listed).expect("JSON");
    let keys = listed["keys"].as_array().expect("keys");
    assert!(keys.len() >= 2 && keys[0]["state"] == "newest" && keys[1]["state"] == "active", "{listed}");
    assert!(keys.iter().any(|key| key["name"] == "committed-key"));
    assert!(!listed.to_string().contains("PRIVATE"));
}

/// Returns the arguments that render an app as Argo CD does, and compare the cluster with it.
fn verify_args(app: &SmallApp, wait: &str) -> Vec<String> {
    let operator = app.sidecar().operator_directory().join("operator.yaml");
    let directory = app.repository().directory().join("app");
    let name = app.name();
    let args = [
        "verify",
        &directory.to_string_lossy(),
        "--env",
        "dev",
        "--operator",
        &operator.to_string_lossy(),
        "--project",
        name,
        "--app",
        name,
        "--namespace",
        name,
        "--application",
        name,
        "--wait",
        wait,
    ];
    args.map(str::to_owned).to_vec()
}

/// The live proof after a sync: right, then wrong in the ways that a cluster can be, then right again.
pub fn verify_finds_what_is_right_and_wrong(stack: &Arc<Stack>) {
    let app = SmallApp::new(stack, "verified");
    app.deploy();
    let directory = directory(stack, "verified-run");
    let run = |args: &[String]| {
        let args: Vec<&str> = args.iter().map(String::as_str).collect();
        sealwave(stack, &directory, &args)
    };
    let right = stdout(&run(&verify_args(&app, "60s")), 0);
    for line in [
        "  right       unsealed    the controller unsealed its present generation",
        "  right       contents    it has the rendered ciphertexts",
        "  right       keys        `password`",
        "  right       checksum    `checksum/secret` is as rendered",
        "  right       rollout     1 of 1 pod available, all with the present template",
        "  right       pods        1 run the present template and are ready",
        "  right       healthy     it is Healthy",
        " 0 wrong, ",
    ] {
        assert!(right.contains(line), "{line}\n---\n{right}");
    }

    // A new value that was not synced yet.
    app.set_value("alpha", "CANARY-alpha-2");
    let wrong = stdout(&run(&verify_args(&app, "1s")), 1);
    assert!(wrong.contains("its ciphertexts are not those that were rendered"), "{wrong}");
    assert!(wrong.contains("`checksum/secret` is not as rendered"), "{wrong}");
    app.refresh(Refresh::Hard);
    stdout(&run(&verify_args(&app, "120s")), 0);

    // A namespace that has none of it.
    let mut elsewhere = verify_args(&app, "1s");
    let namespace = elsewhere.iter().position(|arg| arg == "--namespace").expect("a flag");
    "default".clone_into(&mut elsewhere[namespace + 1]);
    assert!(stdout(&run(&elsewhere), 1).contains("WRONG       exists      it does not exist"));

    // A pod that waits for a Secret.
    let broken = json!({
        "apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"name": "broken", "namespace": app.name()},
        "spec": {"selector": {"matchLabels": {"app": "broken"}}, "template": {
            "metadata": {"labels": {"app": "broken"}},
            "spec": {"containers": [{
                "name": "main", "image": "registry.example.internal/main:1",
                "envFrom": [{"secretRef": {"name": "missing"}}],
            }]},
        }},
    });
    stack.cluster().apply(&broken);
    until("a ReplicaSet of the Deployment", || {
        let live = stack.cluster().get(DEPLOYMENT, Some(app.name()), "broken").expect("it exists");
        if live["status"]["replicas"] == 1 { Ok(()) } else { Err(live["status"].to_string()) }
    });
    fs_err::write(directory.join("rendered.json"), broken.to_string()).expect("writable");
    let waiting = stdout(&sealwave(stack, &directory, &["verify", "--rendered", "rendered.json"]), 1);
    assert!(waiting.contains("WRONG       rollout     0 of 1 pod available"), "{waiting}");
    assert!(waiting.contains("WRONG       pods        not ready: `broken-"), "{waiting}");
}

const USER: &str = "\
apiVersion: apps/v1
kind: Deployment
metadata: {name: use-committed}
spec:
  selector: {matchLabels: {app: use-committed}}
  template:
    metadata: {labels: {app: use-committed}}
    spec:
      containers:
        - {name: main, image: registry.example.internal/main:1, envFrom: [{secretRef: {name: committed}}]}
";

/// Seals a Secret with kubeseal, as a person did it before.
fn kubeseal(stack: &Stack, namespace: &str) -> String {
    let secret = json!({
        "apiVersion": "v1", "kind": "Secret", "metadata": {"name": "committed", "namespace": namespace},
        "stringData": {"password": "CANARY-committed"},
    });
    let directory = directory(stack, "kubeseal");
    fs_err::write(directory.join("cert.pem"), stack.controller.certificate()).expect("writable");
    fs_err::write(directory.join("secret.json"), secret.to_string()).expect("writable");
    let mut command = Command::new(stack.programs().built("kubeseal"));
    command.args(["--cert", "cert.pem", "-o", "yaml", "-f", "secret.json"]).current_dir(&directory);
    let output = command.stdin(Stdio::null()).output().expect("kubeseal starts");
    stdout(&output, 0)
}

/// A new key for the controller: nothing restarts, and only committed ciphertexts change. Runs alone, because the controller
/// restarts. Its older keys stay valid, so that nothing has to be put back.
pub fn controller_key_is_rotated(stack: &Arc<Stack>) {
    if !is_reachable() {
        return;
    }
    let app = SmallApp::new(stack, "controller-key");
    app.write_base("committed", &kubeseal(stack, app.name()));
    app.write_base("use-committed", USER);
    app.deploy();
    let before = app.snapshot();
    let directory = directory(stack, "controller-key-run");
    let base = app.repository().directory().join("app/base");
    fs_err::write(directory.join("pinned.pem"), stack.controller.certificate()).expect("writable");
    let old = stack.controller.certificate();
    let path = base.to_string_lossy();
    let rotate = |more: &[&str]| {
        let args = [
            "rotate",
            "controller-key",
            &path,
            "--allow-path",
            "app/base/*",
            "--backup",
            ".",
            "--state-dir",
            "state",
            "--write",
            "pinned.pem",
            "--controller-namespace",
            KEYS,
            "--application",
            app.name(),
            "--wait",
            "60s",
        ];
        sealwave(stack, &directory, &[&args[..], more].concat())
    };

    let planned = stdout(&rotate(&["--dry-run"]), 0);
    assert!(planned.contains("re-seal 1 file"), "{planned}");
    assert_eq!(stack.cluster().service_get(KEYS, SERVICE, "v1/cert.pem"), Ok(old.clone()));
    // It does not watch its Secrets, and a restart was not allowed.
    let waiting = stdout(&rotate(&["--yes"]), 1);
    assert!(waiting.contains(&format!("run: kubectl -n {KEYS} rollout restart deployment/")), "{waiting}");
    stack.controller.restart();
    assert_ne!(stack.controller.certificate(), old);
    let done = stdout(&rotate(&["--yes"]), 0);
    assert!(done.contains("replaced 1 ciphertext in 1 file"), "{done}");

    let pinned = fs_err::read_to_string(directory.join("pinned.pem")).expect("readable");
    assert_eq!(pinned, stack.controller.certificate());
    check_backup(&directory);
    let check = ["reseal", &path, "--check", "--controller-namespace", KEYS];
    stdout(&sealwave(stack, &directory, &check), 0);

    app.update();
    assert_eq!(app.snapshot().changes_since(&before), ["SealedSecret/committed"]);
    assert_eq!(app.starts("use-committed").len(), 1, "a pod restarted");
    assert_eq!(app.password_in("committed"), "CANARY-committed");
}

/// Checks that the backups are private: one has all old keys, the other one the new key alone.
fn check_backup(directory: &Path) {
    let files = fs_err::read_dir(directory).expect("readable").map(|file| file.expect("readable").path());
    let (new, old): (Vec<PathBuf>, Vec<PathBuf>) = files
        .filter(|file| file.extension().is_some_and(|end| end == "json"))
        .partition(|file| file.file_stem().is_some_and(|name| name.to_string_lossy().ends_with("-new")));
    let ([new], [old]) = (&new[..], &old[..]) else { panic!("one backup of each kind: {new:?}, {old:?}") };
    let (new, old) = (backed_up_keys(new), backed_up_keys(old));
    assert!(old.contains(&json!("committed-key")), "all old keys are backed up: {old:?}");
    assert!(new.len() == 1 && !old.contains(&new[0]), "the new key is backed up alone: {new:?}, {old:?}");
}

/// Returns the names of the keys in a backup, which must be private.
fn backed_up_keys(backup: &Path) -> Vec<Value> {
    use std::os::unix::fs::PermissionsExt as _;
    assert_eq!(fs_err::metadata(backup).expect("exists").permissions().mode() & 0o777, 0o600);
    let list: Value = serde_json::from_slice(&fs_err::read(backup).expect("readable")).expect("JSON");
    list["items"].as_array().expect("items").iter().map(|item| item["metadata"]["name"].clone()).collect()
}
