//! Tests of `check`: everything that is wrong with an operator file is reported in one run, and no key or secret value.

use std::os::unix::fs::PermissionsExt as _;
use std::process::Output;

use serde_json::Value;

use crate::support::small_app::SmallApp;
use crate::support::{MARKER, find_marker, sealwave};

/// A well-formed operator file, for which everything is in place.
const GOOD: &str = "\
apiVersion: sealwave.dev/v1alpha1
kind: Operator
sealKeyFile: seal-key
checksumKeyFile: checksum-key
derivation: v2
clusters:
  dev: {certificate: {file: dev.pem}}
providers:
  file: {kind: file, root: secrets}
policy:
  - {projects: [shop], clusters: [dev], allow: ['file:shop/**']}
";

/// Returns an app whose operator file has no findings.
fn good() -> SmallApp {
    let app = SmallApp::new();
    app.certificate("rsa4096.crt");
    app.write("operator/checksum-key", "R8L4aVvT0oX3mZ1q9pYc5wJ7bKdE2fHnU6sGiQrAtWk=");
    for key in ["seal-key", "checksum-key"] {
        let path = app.path("operator").join(key);
        fs_err::set_permissions(path, std::fs::Permissions::from_mode(0o400)).unwrap();
    }
    app.write("operator/operator.yaml", GOOD);
    app
}

fn check(app: &SmallApp, args: &[&str]) -> Output {
    let mut command = sealwave();
    command.current_dir(app.path("operator")).args(["check", "--operator", "operator.yaml"]).args(args);
    // Between the start and the end of the certificates.
    let output = command.env("SOURCE_DATE_EPOCH", "1798761600").output().unwrap();
    for bytes in [&output.stdout, &output.stderr] {
        assert_eq!(find_marker(bytes, MARKER), None, "{}", String::from_utf8_lossy(bytes));
    }
    output
}

fn text(output: &Output) -> String {
    String::from_utf8(output.stdout.clone()).unwrap()
}

/// Returns the findings as `severity line: message`, and the exit code.
fn findings(app: &SmallApp) -> (Vec<String>, Option<i32>) {
    let output = check(app, &["--output", "json", "--quiet"]);
    let stderr = String::from_utf8_lossy(&output.stderr);
    let report: Value = serde_json::from_slice(&output.stdout).unwrap_or_else(|_| panic!("{stderr}"));
    let found = report["results"].as_array().unwrap().iter().map(|result| {
        assert!(result["hint"].as_str().is_some_and(|hint| !hint.is_empty()), "{result}");
        assert_eq!(result["path"], "operator.yaml", "{result}");
        let line = result["line"].as_u64().unwrap_or_default();
        format!("{} {line}: {}", result["severity"].as_str().unwrap(), result["message"].as_str().unwrap())
    });
    (found.collect(), output.status.code())
}

#[test]
fn a_good_operator_file_has_a_line_for_each_item() {
    let app = good();
    let output = check(&app, &[]);
    assert_eq!(output.status.code(), Some(0), "{}", text(&output));
    let report = text(&output);
    for line in [
        "  ok: seal key `seal-key`: id ",
        "  ok: checksum key `checksum-key`\n",
        "  ok: derivation v2\n",
        "  ok: cluster `dev`: RSA, 4096 bits, valid for ",
        "  ok: provider `file`: kind `file`, not contacted\n",
        "  ok: 1 rule\n",
        "  ok: deadline of 50 seconds per run\n",
        "the container needs a memory limit of 3064 MiB\n",
        "\npassed: no findings\n",
    ] {
        assert!(report.contains(line), "`{line}` is not in\n{report}");
    }
    assert_eq!(text(&check(&app, &["--quiet"])), "passed: no findings\n");
    assert_eq!(text(&check(&app, &[])), report);
    assert_eq!(findings(&app), (Vec::new(), Some(0)));
}

#[test]
fn each_mistake_is_one_finding_with_its_place() {
    for (from, to, expected) in [
        ("checksumKeyFile: checksum-key\n", "", "warning 3: `checksumKeyFile` is not set"),
        ("derivation: v2", "derivation: v1", "note 5: `derivation` is `v1`"),
        (
            "sealKeyFile: seal-key",
            "sealKeyFile: checksum-key",
            "note 4: `checksumKeyFile` holds the seal key",
        ),
        ("sealKeyFile: seal-key", "sealKeyFile: none", "error 3: `none` cannot be read: file not found"),
        ("sealKeyFile: seal-key\n", "", "error 0: `sealKeyFile` is not set"),
        (
            "file: dev.pem",
            "file: none.pem",
            "error 7: certificate of cluster `dev`: `none.pem` cannot be read",
        ),
        ("file: dev.pem", "file: seal-key", "error 7: certificate of cluster `dev`: `seal-key`"),
        ("root: secrets", "root: nowhere", "error 9: provider `file`: `./nowhere` cannot be read"),
        ("root: secrets", "root: .", "error 9: provider `file`: root `.` contains"),
        ("clusters: [dev]", "clusters: [devel]", "error 11: rule `policy[0]`: `devel` in `clusters`"),
        ("projects: [shop], ", "", "error 11: rule `policy[0]` has `allow` but no `projects`"),
        ("projects: [shop]", "projects: []", "error 11: rule `policy[0]`: `projects` is empty"),
        ("['file:shop/**']", "['file:shop/**', 'fiel:x']", "warning 11: rule `policy[0]`: pattern `fiel:x`"),
        ("kind: Operator", "kind: Operator\ndeadlineSeconds: 60", "warning 3: `deadlineSeconds: 60` is not"),
        ("kind: Operator", "kind: Operator\ndeadlineSeconds: 0", "error 3: `deadlineSeconds` is 0"),
        ("kind: Operator", "kind: Operator\naudit: {}", "error 3: `audit` sets neither"),
        ("kind: Operator", "kind: Operator\naudit: {file: no/a}", "error 3: the directory of audit file"),
        (
            "  file: {",
            "  env: {kind: env, names: []}\n  file: {",
            "warning 9: provider `env`: `names` is empty",
        ),
    ] {
        let app = good();
        app.replace("operator/operator.yaml", from, to);
        let (found, _) = findings(&app);
        // A provider that is added is used by no rule.
        let found: Vec<_> = found.iter().filter(|text| !text.contains("no rule allows")).collect();
        assert!(found.len() == 1 && found[0].contains(expected), "`{to}`: {expected}\n{found:#?}");
    }
}

#[test]
fn an_audit_log_beside_the_operator_file_is_fine() {
    let app = good();
    for audit in ["{file: audit.jsonl}", "{stderr: true}"] {
        app.write("operator/operator.yaml", &format!("{GOOD}audit: {audit}\n"));
        assert_eq!(findings(&app), (Vec::new(), Some(0)), "{audit}");
    }
}

#[test]
fn all_problems_are_reported_in_one_run() {
    let app = good();
    for (from, to) in [
        ("checksumKeyFile: checksum-key", "checksumKeyFile: none"),
        (
            "clusters:\n",
            "clusters:\n  a: {certificate: {file: none.pem}}\n  b: {certificate: {file: seal-key}}\n",
        ),
        ("root: secrets", "root: nowhere"),
        ("clusters: [dev]", "clusters: [devel]"),
    ] {
        app.replace("operator/operator.yaml", from, to);
    }
    let (found, code) = findings(&app);
    assert_eq!(code, Some(1));
    assert_eq!(found.len(), 5, "{found:#?}");
    assert!(text(&check(&app, &[])).contains("ok: cluster `dev`"), "the good certificate is missing");
    assert!(text(&check(&app, &[])).ends_with("\nfailed: 5 errors\n"));
}

#[test]
fn two_clusters_with_one_sealing_key_are_a_warning() {
    let app = good();
    app.replace("operator/operator.yaml", "clusters:\n", "clusters:\n  a: {certificate: {file: dev.pem}}\n");
    app.replace("operator/operator.yaml", "clusters: [dev]", "clusters: ['*']");
    let (found, code) = findings(&app);
    assert_eq!(
        (&found[..], code),
        (&["warning 8: clusters `a`, `dev` have the same sealing key".to_owned()][..], Some(0))
    );
}

#[test]
fn an_expired_certificate_is_an_error_unless_allowed() {
    let app = good();
    let run = || {
        let mut command = sealwave();
        command.current_dir(app.path("operator")).args(["check", "--operator", "operator.yaml", "--quiet"]);
        command.env("SOURCE_DATE_EPOCH", "32503680000").output().unwrap()
    };
    let output = run();
    assert_eq!(output.status.code(), Some(1));
    assert!(text(&output).contains("error: certificate of cluster `dev`: `dev.pem`: certificate expired at"));
    app.replace("operator/operator.yaml", "dev.pem", "dev.pem, allowExpired: true");
    let output = run();
    assert_eq!(output.status.code(), Some(0));
    assert!(text(&output).contains("warning: `dev.pem`: certificate expired at"), "{}", text(&output));
}

#[test]
fn a_key_that_every_user_can_read_is_a_warning() {
    let app = good();
    for (mode, expected) in [(0o400, None), (0o440, None), (0o444, Some("read")), (0o666, Some("changed"))] {
        let key = app.path("operator/seal-key");
        fs_err::set_permissions(key, std::fs::Permissions::from_mode(mode)).unwrap();
        let (found, code) = findings(&app);
        assert_eq!(code, Some(0));
        let expected =
            expected.map(|verb| format!("warning 3: `seal-key` can be {verb} by every user (0{mode:o})"));
        assert_eq!(found, Vec::from_iter(expected));
    }
}

#[test]
fn links_pipes_and_devices_in_place_of_files_are_findings() {
    for (kind, path) in
        [("a pipe", "pipe"), ("a device", "/dev/zero"), ("a loop", "loop"), ("a directory", ".")]
    {
        let app = good();
        let made = std::process::Command::new("mkfifo").arg(app.path("operator/pipe")).status().unwrap();
        assert!(made.success());
        std::os::unix::fs::symlink("loop", app.path("operator/loop")).unwrap();
        for (from, to) in [
            ("sealKeyFile: seal-key", format!("sealKeyFile: {path}")),
            ("checksumKeyFile: checksum-key", format!("checksumKeyFile: {path}")),
            ("file: dev.pem", format!("file: {path}")),
        ] {
            app.replace("operator/operator.yaml", from, &to);
        }
        let (found, code) = findings(&app);
        assert_eq!((found.len(), code), (3, Some(1)), "{kind}: {found:#?}");
        assert!(found.iter().all(|text| text.contains("cannot be read")), "{kind}: {found:#?}");
    }
}

#[test]
fn no_part_of_a_key_or_secret_is_shown() {
    let app = good();
    let secret = "CANARY-hunter2-hunter2-hunter2-hunter2";
    app.write("operator/plain-key", secret);
    app.write("operator/token", secret);
    for (from, to) in [
        ("sealKeyFile: seal-key", "sealKeyFile: plain-key"),
        ("file: dev.pem", "file: plain-key"),
        ("root: secrets", "root: token"),
    ] {
        app.replace("operator/operator.yaml", from, to);
    }
    // The helper looks for the marker in all output.
    let (found, code) = findings(&app);
    assert_eq!((found.len(), code), (3, Some(1)), "{found:#?}");
    let key = fs_err::read(app.path("operator/checksum-key")).unwrap();
    let key = String::from_utf8(key).unwrap();
    assert!(!text(&check(&app, &[])).contains(&key[..8]));
}

#[test]
fn control_characters_of_names_are_escaped() {
    let app = good();
    app.replace("operator/operator.yaml", "file: dev.pem", "file: \"no\\e[31m\\nok: x\"");
    let output = check(&app, &[]);
    assert_eq!(output.status.code(), Some(1));
    assert!(!text(&output).contains('\u{1b}') && !text(&output).contains("\nok: x"), "{}", text(&output));
}

#[test]
fn a_file_that_is_not_an_operator_file_is_an_error() {
    let app = good();
    for (from, to, line) in [
        ("kind: Operator", "kind: App", ":2:"),
        ("derivation: v2", "derivations: v2", ":5:"),
        ("apiVersion: sealwave.dev/v1alpha1", "apiVersion: v2", ":1:"),
    ] {
        app.write("operator/operator.yaml", &GOOD.replace(from, to));
        let output = check(&app, &[]);
        let stderr = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.code() == Some(2) && output.stdout.is_empty(), "{to}: {stderr}");
        assert!(stderr.contains(&format!("operator.yaml{line}")), "{to}: {stderr}");
    }
    let output = sealwave().arg("check").output().unwrap();
    assert_eq!(output.status.code(), Some(2));
    assert!(String::from_utf8_lossy(&output.stderr).contains("no operator file is given"));
}

#[cfg(feature = "vault")]
#[test]
fn remote_sources_are_not_contacted_and_their_files_are_checked() {
    let vault = "  vault:\n    kind: vault\n    address: https://vault.invalid:1\n    \
                 auth: {token: {file: token}}\n    caFile: ca.pem\npolicy:\n  \
                 - {projects: [shop], clusters: [dev], allow: ['vault:shop/**']}\n";
    let app = good();
    app.replace("operator/operator.yaml", "policy:\n", vault);
    let (found, _) = findings(&app);
    assert_eq!(found.len(), 2, "{found:#?}");
    assert!(found.iter().all(|text| text.starts_with("error 10: provider `vault`: `")), "{found:#?}");
    app.write("operator/token", "CANARY");
    app.write("operator/ca.pem", "nothing");
    let (found, _) = findings(&app);
    assert_eq!(found, ["error 10: provider `vault`: `caFile` `./ca.pem` contains no certificate"]);
    app.replace("operator/operator.yaml", "    caFile: ca.pem\n", "");
    assert!(text(&check(&app, &[])).contains("ok: provider `vault`: kind `vault`, not contacted"));
}
