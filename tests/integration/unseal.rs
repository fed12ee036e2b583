//! `unseal`: prints Secrets in plaintext only where that is wanted.

use std::path::PathBuf;
use std::process::{Command, Stdio};

use crate::support::{find_marker, root, sealwave};
use sealwave_testkit::skipped;

fn testdata(name: &str) -> String {
    root().join("testdata/sealed-secrets").join(name).to_str().expect("UTF-8").to_owned()
}

const SECRET: &str =
    "apiVersion: v1\nkind: Secret\nmetadata: {name: db, namespace: shop}\nstringData: {password: CANARY-1}\n";

/// A directory with a sealed file.
struct Sealed(tempfile::TempDir);

impl Sealed {
    fn new() -> Self {
        let sealed = Self(tempfile::tempdir().expect("a directory"));
        sealed.write("secret.yaml", SECRET);
        let mut command = sealed.sealwave("seal");
        command.args(["secret.yaml", "-w", "sealed.yaml", "--cert", &testdata("rsa2048.crt")]);
        assert!(command.status().expect("starts").success());
        sealed
    }

    fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    fn write(&self, name: &str, text: &str) {
        fs_err::write(self.path(name), text).expect("written");
    }

    fn sealwave(&self, command: &str) -> Command {
        let mut sealwave = sealwave();
        sealwave.current_dir(self.0.path()).arg(command).stdin(Stdio::null());
        sealwave
    }

    /// Runs `unseal`, and returns the exit code and both outputs.
    fn unseal(&self, args: &[&str]) -> (Option<i32>, String, String) {
        let output = self.sealwave("unseal").args(args).output().expect("starts");
        let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
        (output.status.code(), text(&output.stdout), text(&output.stderr))
    }
}

#[test]
fn secrets_are_printed_to_a_pipe_and_can_be_sealed_again() {
    let sealed = Sealed::new();
    let key = testdata("rsa2048.key");
    let (code, yaml, _) = sealed.unseal(&["sealed.yaml", "--key", &key]);
    assert_eq!(code, Some(0));
    assert_eq!(
        yaml,
        "---\napiVersion: v1\nkind: Secret\nmetadata:\n  name: db\n  namespace: shop\ndata:\n  password: \"Q0FOQVJZLTE=\"\n"
    );
    let (code, json, stderr) = sealed.unseal(&["sealed.yaml", "--key", &key, "-o", "json", "-v"]);
    assert_eq!(code, Some(0));
    assert_eq!(
        json,
        "{\"apiVersion\":\"v1\",\"kind\":\"Secret\",\"metadata\":{\"name\":\"db\",\"namespace\":\"shop\"},\"data\":{\"password\":\"Q0FOQVJZLTE=\"}}\n"
    );
    let fingerprint = "41dc2e7f1ec8c736f1edd6555c5ba235ab48a59887d52da6d453aea18d56a20a";
    let note = format!("note: item `password` of Secret `shop/db` was opened with key sha256:{fingerprint}");
    assert!(stderr.contains(&note), "{stderr}");
    sealed.write("opened.yaml", &yaml);
    let again = sealed.sealwave("seal").args(["opened.yaml", "--cert", &testdata("rsa2048.crt")]).output();
    assert!(again.expect("starts").status.success());
}

#[cfg(unix)]
#[test]
fn a_new_file_is_readable_only_by_its_owner_and_never_replaced() {
    use std::os::unix::fs::PermissionsExt as _;
    let sealed = Sealed::new();
    let key = testdata("rsa2048.key");
    let (code, stdout, _) = sealed.unseal(&["sealed.yaml", "--key", &key, "-w", "opened.yaml"]);
    assert_eq!((code, stdout.as_str()), (Some(0), ""));
    let path = sealed.path("opened.yaml");
    assert_eq!(fs_err::metadata(&path).expect("exists").permissions().mode() & 0o777, 0o600);
    let text = fs_err::read_to_string(&path).expect("readable");
    assert!(text.contains("Q0FOQVJZLTE="), "{text}");
    let (code, _, stderr) = sealed.unseal(&["sealed.yaml", "--key", &key, "-w", "opened.yaml"]);
    assert_eq!(code, Some(2));
    assert!(stderr.contains("error: `opened.yaml` already exists"), "{stderr}");
    assert_eq!(fs_err::read_to_string(&path).expect("readable"), text);
    fs_err::os::unix::fs::symlink(sealed.path("elsewhere"), sealed.path("link")).expect("a link");
    assert_eq!(sealed.unseal(&["sealed.yaml", "--key", &key, "-w", "link"]).0, Some(2));
    assert!(!sealed.path("elsewhere").exists());
}

#[test]
fn a_failure_prints_no_value_and_leaves_no_file() {
    let sealed = Sealed::new();
    let key = testdata("rsa2048.key");
    let text = fs_err::read_to_string(sealed.path("sealed.yaml")).expect("readable");
    sealed.write("partly.yaml", &format!("{text}{}", text.replace("name: db", "name: other")));
    sealed.write("no-key.pem", "CANARY: hunter2\n");
    sealed.write("damaged.pem", &fs_err::read_to_string(&key).expect("a key")[..900]);
    for (args, expected) in [
        (
            &["partly.yaml", "--key", &key][..],
            "error: item `password` of SealedSecret `shop/other` is not opened by any of the keys",
        ),
        (&["sealed.yaml", "--key", &testdata("rsa4096.key")], "is not opened by any of the keys"),
        (&["secret.yaml", "--key", &key], "error: input has no SealedSecret"),
        (&["missing.yaml", "--key", &key], "error: `missing.yaml` cannot be read: file not found"),
        (
            &["sealed.yaml", "--key", "missing.pem"],
            "error: key file `missing.pem` cannot be read: file not found",
        ),
        (&["sealed.yaml", "--key", "no-key.pem"], "document is not a Secret"),
        (
            &["sealed.yaml", "--key", "damaged.pem"],
            "error: key file `damaged.pem` cannot be used: private key cannot be parsed",
        ),
        (
            &["sealed.yaml", "--key", &testdata("rsa2048.crt")],
            "holds a certificate or a public key, but no private key",
        ),
        (&["sealed.yaml"], "--key <FILE>"),
    ] {
        let (code, stdout, stderr) = sealed.unseal(&[args, &["-w", "out.yaml"]].concat());
        assert_eq!((code, stdout.as_str()), (Some(2), ""), "{args:?}");
        assert!(stderr.contains(expected), "{stderr}\nexpected: {expected}");
        assert_eq!(find_marker(stderr.as_bytes(), "CANARY"), None, "{stderr}");
        assert_eq!(find_marker(stderr.as_bytes(), "hunter2"), None, "{stderr}");
        assert!(!sealed.path("out.yaml").exists(), "{args:?}");
    }
}

#[test]
fn the_sidecar_never_unseals() {
    let sealed = Sealed::new();
    let mut command = sealed.sealwave("unseal");
    command.args(["sealed.yaml", "--key", &testdata("rsa2048.key")]).env("ARGOCD_APP_NAME", "x");
    let output = command.output().expect("starts");
    assert_eq!(output.status.code(), Some(2));
    assert!(output.stdout.is_empty());
    let stderr = String::from_utf8_lossy(&output.stderr);
    assert!(stderr.contains("error: `unseal` must not be used when Argo CD runs sealwave"), "{stderr}");
}

#[cfg(target_os = "linux")]
#[test]
fn beside_the_server_of_argo_cd_no_private_key_is_used() {
    let unshared = |line: &str| {
        let mut command = Command::new("unshare");
        command.args(["--map-root-user", "--mount", "sh", "-c", line]).stdin(Stdio::null());
        command.output()
    };
    // A file system of this process alone, with the program that runs in the sidecar.
    let marker = "mount -t tmpfs none /run && mkdir -p /run/argocd && test /var/run -ef /run && : > /run/argocd/argocd-cmp-server";
    if !unshared(marker).is_ok_and(|output| output.status.success()) {
        skipped("no private mount namespace can be made here");
        return;
    }
    let sealed = Sealed::new();
    let program = env!("CARGO_BIN_EXE_sealwave");
    let (file, key) = (sealed.path("sealed.yaml").display().to_string(), testdata("rsa2048.key"));
    let certificate = testdata("rsa3072.crt");
    for line in [
        format!("{program} unseal {file} --key {key}"),
        format!("{program} reseal {file} --key {key} --cert {certificate} --yes"),
        format!("{program} reseal --map {file} --key {key}"),
    ] {
        let output = unshared(&format!("{marker} && exec {line}")).expect("starts");
        let stderr = String::from_utf8_lossy(&output.stderr);
        assert_eq!(output.status.code(), Some(2), "{line}: {stderr}");
        assert!(output.stdout.is_empty());
        let message = "private keys must not be used in the sidecar of Argo CD: `/var/run/argocd/argocd-cmp-server` exists";
        assert!(stderr.contains(message), "{line}: {stderr}");
    }
}

#[cfg(target_os = "linux")]
#[test]
fn a_terminal_gets_values_only_if_that_is_asked_for() {
    if Command::new("script").arg("--version").output().is_err() {
        skipped("the program `script`, which makes a terminal, is not installed");
        return;
    }
    let sealed = Sealed::new();
    let on_terminal = |more: &str| {
        let program = env!("CARGO_BIN_EXE_sealwave");
        let line = format!("{program} unseal sealed.yaml --key {} {more}", testdata("rsa2048.key"));
        let mut command = Command::new("script");
        command.current_dir(sealed.path("")).args(["-qec", &line, "/dev/null"]).stdin(Stdio::null());
        let output = command.output().expect("starts");
        (output.status.success(), String::from_utf8_lossy(&output.stdout).into_owned())
    };
    let (success, text) = on_terminal("");
    assert!(!success && text.contains("Secrets in plaintext are not printed to a terminal"), "{text}");
    assert!(!text.contains("Q0FOQVJZLTE="), "{text}");
    let (success, text) = on_terminal("--show-values");
    assert!(success && text.contains("Q0FOQVJZLTE="), "{text}");
}
