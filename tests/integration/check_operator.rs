//! Tests of `check`: everything that is wrong with an operator file is reported in one run, and no key or secret value.

use std::os::unix::fs::PermissionsExt as _;
use std::process::Output;

use serde_json::Value;

use crate::support::small_app::SmallApp;
use crate::support::{MARKER, find_marker, sealwave};
#[cfg(all(feature = "k8s", feature = "vault"))]
use sealwave_testkit::stub_server::{StubReply, StubServer};

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
fn a_derivation_key_is_checked_like_the_other_keys() {
    let app = good();
    let derivation = "sealwave-derivation-key-v1:47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=";
    let operator = GOOD.replace("providers:\n", "providers:\n  derive: {kind: derive, keyFile: key}\n");
    app.write("operator/operator.yaml", &operator.replace("'file:shop/**'", "'file:shop/**', 'derive:**'"));
    for (content, mode, expected) in [
        (derivation, 0o400, None),
        (derivation, 0o444, Some("warning 9: `key` can be read by every user (0444)")),
        ("hunter2", 0o400, Some("error 9: provider `derive`: `key`: key ")),
        (
            "R8L4aVvT0oX3mZ1q9pYc5wJ7bKdE2fHnU6sGiQrAtWk=",
            0o400,
            Some("error 9: provider `derive`: `key` holds the key of `checksumKeyFile`"),
        ),
    ] {
        let path = app.path("operator/key");
        let _ = fs_err::remove_file(&path);
        app.write("operator/key", content);
        fs_err::set_permissions(path, std::fs::Permissions::from_mode(mode)).unwrap();
        let (found, code) = findings(&app);
        assert_eq!(found.len(), usize::from(expected.is_some()), "{found:?}");
        assert!(expected.is_none_or(|expected| found[0].starts_with(expected)), "{found:?}");
        assert_eq!(code, Some(i32::from(expected.is_some_and(|expected| expected.starts_with("error")))));
        assert!(!text(&check(&app, &[])).contains("hunter2"));
    }
    fs_err::remove_file(app.path("operator/key")).unwrap();
    let (found, _) = findings(&app);
    assert_eq!(found, ["error 9: provider `derive`: `./key` cannot be read: file not found"]);
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
fn programs_for_charts_and_overlays_are_checked_without_starting_them() {
    for (settings, finding) in [
        ("{helm: {path: missing}}", "cannot be executed"),
        ("{helm: {path: .}}", "cannot be executed"),
        ("{kustomize: {path: script}}", "is a script, not the program itself"),
        ("{kubectl: {versions: \">=1.30\"}}", "`kubectl` is not used in the sidecar: it has no `path`"),
    ] {
        let app = good();
        app.write("operator/script", "#!/bin/sh\ntouch started\n");
        let script = app.path("operator/script");
        fs_err::set_permissions(&script, std::os::unix::fs::PermissionsExt::from_mode(0o755)).unwrap();
        app.replace(
            "operator/operator.yaml",
            "kind: Operator\n",
            &format!("kind: Operator\ntools: {settings}\n"),
        );
        let (found, code) = findings(&app);
        assert_eq!((found.len(), code), (1, Some(i32::from(!settings.contains("kubectl")))), "{found:#?}");
        assert!(found[0].contains(finding) && found[0].contains(" 3: "), "{found:#?}");
        assert!(!app.path("operator/started").exists() && !app.path("started").exists());
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

/// A kubeconfig whose user logs in with a command.
#[cfg(feature = "k8s")]
fn kubeconfig(server: &str, user: &str) -> String {
    format!(
        "{{apiVersion: v1, kind: Config, current-context: c, clusters: [{{name: c, cluster: {{server: '{server}'}}}}], \
         users: [{{name: jo, user: {user}}}], contexts: [{{name: c, context: {{cluster: c, user: jo}}}}]}}"
    )
}

/// Returns a good app with one more provider, which a rule uses.
#[cfg(any(feature = "aws", feature = "k8s", feature = "sops"))]
fn with_provider(name: &str, settings: &str) -> SmallApp {
    let app = good();
    let rule = format!(
        "  {name}: {settings}\npolicy:\n  - {{projects: [shop], clusters: [dev], allow: ['{name}:shop']}}\n"
    );
    app.replace("operator/operator.yaml", "policy:\n", &rule);
    app
}

#[cfg(feature = "k8s")]
fn program(app: &SmallApp, path: &str, mode: u32) -> String {
    app.write(path, "#!/bin/sh\ntouch \"$(dirname \"$0\")/CANARY-was-started\"\n");
    let full = app.path(path);
    fs_err::set_permissions(&full, std::fs::Permissions::from_mode(mode)).unwrap();
    full.display().to_string()
}

#[cfg(feature = "k8s")]
#[test]
fn programs_of_kubeconfigs_are_checked_and_never_started() {
    let app = with_provider("k8s", "{kind: k8s, namespace: shop, kubeconfig: kubeconfig}");
    let exec = |command: &str| {
        let user = format!(
            "{{exec: {{apiVersion: client.authentication.k8s.io/v1, command: \"{command}\", args: [CANARY-argument], \
             env: [{{name: TOKEN, value: CANARY}}], interactiveMode: Never}}}}"
        );
        app.write("operator/kubeconfig", &kubeconfig("https://127.0.0.1:1", &user));
    };
    let good = program(&app, "tools/login", 0o755);
    exec(&good);
    assert_eq!(findings(&app), (Vec::new(), Some(0)));
    let report = text(&check(&app, &[]));
    let line = format!("ok: provider `k8s`: user `jo` in kubeconfig `./kubeconfig` starts `{good}`\n");
    assert!(report.contains(&line), "{report}");
    // A relative path starts at the directory of the kubeconfig.
    exec("../tools/login");
    assert_eq!(findings(&app), (Vec::new(), Some(0)));
    fs_err::create_dir_all(app.path("repo/.git")).unwrap();
    let committed = program(&app, "repo/login", 0o755);
    let plain = program(&app, "tools/plain", 0o644);
    let open = program(&app, "tools/open", 0o777);
    let pipe = app.path("tools/pipe").display().to_string();
    assert!(std::process::Command::new("mkfifo").arg(&pipe).status().unwrap().success());
    std::os::unix::fs::symlink("loop", app.path("tools/loop")).unwrap();
    let looping = app.path("tools/loop").display().to_string();
    for (command, expected) in [
        (&*committed, "error 10: provider `k8s`: program `"),
        (&committed, "is in the repository `"),
        (&plain, "is not executable"),
        (&open, "warning 10: provider `k8s`: program `"),
        (&open, "can be replaced: `"),
        (&pipe, "is not a regular file"),
        (&looping, "cannot be found: "),
        ("sealwave-no-such-login", "is in none of the directories of `PATH`"),
        ("/nowhere/login\\nok: x\\e[31m", "cannot be found: file not found"),
    ] {
        exec(command);
        let (found, code) = findings(&app);
        assert!(found.len() == 1 && found[0].contains(expected), "`{command}`: {expected}\n{found:#?}");
        assert!(found[0].contains("of user `jo` in kubeconfig `./kubeconfig` "), "{found:#?}");
        assert_eq!(code, Some(i32::from(command != open)), "{command}");
        let human = text(&check(&app, &[]));
        assert!(!human.contains('\u{1b}') && !human.contains("\nok: x"), "{human}");
    }
    for directory in ["tools", "repo"] {
        assert!(!app.path(directory).join("CANARY-was-started").exists(), "a program was started");
    }
}

#[cfg(feature = "k8s")]
#[test]
fn a_kubeconfig_in_a_repository_does_not_choose_the_program() {
    let app = with_provider("k8s", "{kind: k8s, namespace: shop, kubeconfig: ../repo/kubeconfig}");
    let good = program(&app, "tools/login", 0o755);
    let user = format!("{{exec: {{apiVersion: client.authentication.k8s.io/v1, command: '{good}'}}}}");
    app.write("repo/kubeconfig", &kubeconfig("https://127.0.0.1:1", &user));
    assert_eq!(findings(&app), (Vec::new(), Some(0)));
    fs_err::create_dir_all(app.path("repo/.git")).unwrap();
    let (found, code) = findings(&app);
    assert_eq!((found.len(), code), (1, Some(1)), "{found:#?}");
    assert!(found[0].contains("is chosen by a repository: `./../repo/kubeconfig` is in `"), "{found:#?}");
    // With a login that starts nothing, the file may be anywhere.
    app.write("repo/kubeconfig", &kubeconfig("https://127.0.0.1:1", "{token: CANARY}"));
    assert_eq!(findings(&app), (Vec::new(), Some(0)));
    app.write("repo/kubeconfig", "CANARY: [");
    let (found, _) = findings(&app);
    assert_eq!(found, ["error 10: provider `k8s`: `kubeconfig` `./../repo/kubeconfig` cannot be used"]);
}

#[cfg(feature = "aws")]
#[test]
fn programs_of_aws_profiles_are_checked() {
    let app = with_provider("aws", "{kind: aws-sm, region: eu-west-1, profile: shop}");
    app.write("tools/empty", "");
    let run = |config: &str, path: &str| {
        app.write("aws-config", config);
        let mut command = sealwave();
        command.current_dir(app.path("operator")).args(["check", "--operator", "operator.yaml", "--quiet"]);
        command.env("SOURCE_DATE_EPOCH", "1798761600").env("AWS_CONFIG_FILE", app.path("aws-config"));
        let output = command.env("PATH", path).output().unwrap();
        assert_eq!(find_marker(&output.stdout, MARKER), None, "{}", text(&output));
        (text(&output), output.status.code())
    };
    let tools = app.path("tools").display().to_string();
    for (process, path, expected, code) in [
        ("/bin/sh -c CANARY", "/bin:/usr/bin", "passed: no findings", 0),
        (
            "/bin/sh -c CANARY",
            &*tools,
            "program `sh` of `credential_process` in AWS profile `shop` is in none of",
            1,
        ),
        (
            "bin/creds CANARY",
            "/bin",
            "program `bin/creds` of `credential_process` in AWS profile `shop` has a path",
            1,
        ),
        ("sh CANARY", ".:/bin", "is searched for in the directory of the app", 1),
        (
            "T=CANARY creds",
            "/bin",
            "warning: provider `aws`: the command of `credential_process` in AWS profile `shop` is not checked",
            0,
        ),
    ] {
        let (report, found) = run(&format!("[profile shop]\ncredential_process = {process}\n"), path);
        assert!(report.replace('\n', " ").contains(expected) && found == Some(code), "{process}: {report}");
    }
    let (report, code) = run("[profile other]\n", "/bin");
    assert!(
        report.contains("warning: provider `aws`: profile `shop` is in none of") && code == Some(0),
        "{report}"
    );
}

/// Starts Vault and a cluster at one address.
#[cfg(all(feature = "k8s", feature = "vault"))]
fn services() -> StubServer {
    StubServer::start(|asked, _| {
        let is_refused = asked.body.contains("\"billing\"");
        match asked.target.trim_end_matches('?') {
            "/v1/auth/kubernetes/login" => {
                StubReply::json(200, r#"{"auth":{"client_token":"CANARY-token"}}"#)
            }
            "/v1/auth/token/lookup-self" => {
                StubReply::json(200, r#"{"data":{"display_name":"kubernetes-argocd"}}"#)
            }
            "/v1/auth/token/revoke-self" => StubReply::json(204, ""),
            "/apis/authentication.k8s.io/v1/selfsubjectreviews" => StubReply::json(
                201,
                r#"{"status":{"userInfo":{"username":"system:serviceaccount:argocd:repo-server"}}}"#,
            ),
            "/apis/authorization.k8s.io/v1/selfsubjectaccessreviews" => {
                StubReply::json(201, format!(r#"{{"status":{{"allowed":{}}}}}"#, !is_refused))
            }
            _ => StubReply::json(403, r#"{"message":"CANARY"}"#),
        }
    })
}

#[cfg(all(feature = "k8s", feature = "vault"))]
fn with_services(address: &str) -> SmallApp {
    let vault = format!(
        "{{kind: vault, address: '{address}', auth: {{kubernetes: {{role: argocd, tokenFile: jwt}}}}}}\n  \
         k8s: {{kind: k8s, namespaces: [billing, shop], kubeconfig: kubeconfig}}"
    );
    let app = with_provider("vault", &vault);
    app.replace("operator/operator.yaml", "['vault:shop']", "['vault:shop', 'k8s:shop/*', 'k8s:billing/*']");
    app.write("operator/jwt", "CANARY.jwt\n");
    app.write("operator/kubeconfig", &kubeconfig(address, "{token: CANARY-user}"));
    app
}

#[cfg(all(feature = "k8s", feature = "vault"))]
#[test]
fn sources_are_only_contacted_on_request() {
    let server = services();
    let app = with_services(&server.address);
    assert_eq!(findings(&app), (Vec::new(), Some(0)));
    assert_eq!(server.asked().len(), 0, "without `--connect`");
    let output = check(&app, &["--connect"]);
    let report = text(&output);
    assert_eq!(output.status.code(), Some(0), "{report}");
    for line in [
        "  ok: provider `file`: kind `file`, needs no login\n",
        "  ok: provider `k8s`: kind `k8s`, logged in as `system:serviceaccount:argocd:repo-server` in ",
        "  ok: provider `vault`: kind `vault`, logged in as `kubernetes-argocd` in ",
        "warning: provider `k8s`: sealwave is not allowed to get all Secrets in namespace `billing`\n",
    ] {
        assert!(report.contains(line), "`{line}` is not in\n{report}");
    }
    let asked: Vec<String> = server.asked().into_iter().map(|asked| asked.target).collect();
    assert_eq!(asked.len(), 6, "{asked:#?}");
    assert!(!asked.iter().any(|target| target.contains("/secret")), "{asked:#?}");
    assert_eq!(server.count("POST", "/v1/auth/token/revoke-self"), 1);
}

#[cfg(all(feature = "k8s", feature = "vault"))]
#[test]
fn a_refused_login_is_a_finding_with_the_message_of_a_run() {
    let server = StubServer::start(|asked, _| match asked.target.as_str() {
        "/v1/auth/kubernetes/login" => StubReply::json(403, r#"{"errors":["CANARY"]}"#),
        _ => StubReply::json(401, r#"{"message":"CANARY"}"#),
    });
    let app = with_services(&server.address);
    let output = check(&app, &["--connect", "--quiet"]);
    let report = text(&output);
    assert_eq!(output.status.code(), Some(1), "{report}");
    for line in [
        "error: provider `k8s`: the cluster rejected the credentials (401)\n",
        "error: provider `vault`: the login at `auth/kubernetes/login` was refused (403)\n",
    ] {
        assert!(report.contains(line), "`{line}` is not in\n{report}");
    }
    // The policy and the place of a setting do not depend on the network.
    assert!(report.contains("operator.yaml:"), "{report}");
    assert!(report.ends_with("\nfailed: 2 errors\n"), "{report}");
}

#[cfg(all(feature = "k8s", feature = "vault"))]
#[test]
fn a_source_that_does_not_respond_ends_with_the_deadline() {
    let minute = std::time::Duration::from_mins(1);
    let server = StubServer::start(move |_, _| StubReply::json(200, "{}").after(minute));
    let app = with_services(&server.address);
    app.replace("operator/operator.yaml", "kind: Operator", "kind: Operator\ndeadlineSeconds: 2");
    let started = std::time::Instant::now();
    let output = check(&app, &["--connect", "--quiet"]);
    assert!(started.elapsed() < minute / 2, "{:?}", started.elapsed());
    assert_eq!(output.status.code(), Some(1));
    for name in ["k8s", "vault"] {
        let line = format!("error: provider `{name}`: the login was not complete before the deadline\n");
        assert!(text(&output).contains(&line), "{}", text(&output));
    }
}

/// Neither 403 nor a token file proves a login.
#[cfg(all(feature = "k8s", feature = "vault"))]
#[test]
fn a_login_that_is_not_confirmed_is_a_warning() {
    let server =
        StubServer::start(|_, _| StubReply::json(403, r#"{"errors":["CANARY"],"message":"CANARY"}"#));
    let app = with_services(&server.address);
    app.replace(
        "operator/operator.yaml",
        "{kubernetes: {role: argocd, tokenFile: jwt}}",
        "{token: {file: jwt}}",
    );
    let output = check(&app, &["--connect", "--quiet"]);
    let report = text(&output);
    assert_eq!(output.status.code(), Some(0), "{report}");
    for line in [
        "warning: provider `k8s`: the cluster answers no review of these credentials, so they may not be valid\n",
        "warning: provider `vault`: the server does not tell whether the token is valid (403)\n",
    ] {
        assert!(report.contains(line), "`{line}` is not in\n{report}");
    }
    // A token of the operator's is not revoked: others may use it.
    assert_eq!(server.count("POST", "/v1/auth/token/revoke-self"), 0);
}

/// A server may send anything for a name.
#[cfg(all(feature = "k8s", feature = "vault"))]
#[test]
fn a_server_cannot_show_a_token_or_control_characters_as_a_name() {
    for name in ["CANARY-token", "a\\u001b[31mb", "a\\nok: x"] {
        let user = format!(
            r#"{{"status":{{"userInfo":{{"username":"{}"}}}}}}"#,
            name.replace("CANARY-token", "a b")
        );
        let display = format!(r#"{{"data":{{"display_name":"{name}"}}}}"#);
        let server = StubServer::start(move |asked, _| match asked.target.as_str() {
            "/v1/auth/kubernetes/login" => {
                StubReply::json(200, r#"{"auth":{"client_token":"CANARY-token"}}"#)
            }
            "/v1/auth/token/lookup-self" => StubReply::json(200, display.clone()),
            "/v1/auth/token/revoke-self" => StubReply::json(204, ""),
            target if target.contains("/selfsubjectreviews") => StubReply::json(201, user.clone()),
            _ => StubReply::json(404, "{}"),
        });
        let app = with_services(&server.address);
        let output = check(&app, &["--connect"]);
        let report = text(&output);
        assert_eq!(output.status.code(), Some(0), "{report}");
        assert!(!report.contains('\u{1b}') && !report.contains("\nok: x"), "{report}");
        for name in ["k8s", "vault"] {
            let line = format!("provider `{name}`: kind `{name}`, logged in in ");
            assert!(report.contains(&line), "{report}");
        }
    }
}

#[cfg(feature = "k8s")]
#[test]
fn a_program_that_must_not_be_started_is_not_started_to_connect() {
    let app = with_provider("k8s", "{kind: k8s, namespace: shop, kubeconfig: kubeconfig}");
    let start = |command: &str| {
        let user = format!(
            "{{exec: {{apiVersion: client.authentication.k8s.io/v1, command: '{command}', interactiveMode: Never}}}}"
        );
        app.write("operator/kubeconfig", &kubeconfig("http://127.0.0.1:1", &user));
        check(&app, &["--connect", "--quiet"])
    };
    fs_err::create_dir_all(app.path("repo/.git")).unwrap();
    let committed = program(&app, "repo/login", 0o755);
    assert_eq!(start(&committed).status.code(), Some(1));
    assert!(!app.path("repo/CANARY-was-started").exists());
    let installed = program(&app, "tools/login", 0o755);
    let output = start(&installed);
    assert_eq!(output.status.code(), Some(1));
    assert!(text(&output).contains("the credentials for the cluster cannot be used"), "{}", text(&output));
    assert!(app.path("tools/CANARY-was-started").exists(), "the login needs it");
}

#[cfg(feature = "aws")]
#[test]
fn aws_tells_the_identity_of_its_caller() {
    use sealwave_testkit::aws_stub::{AwsReply, AwsStub};

    let stub = AwsStub::start(|asked, _| match asked.operation.as_str() {
        "GetCallerIdentity" => {
            let body = "<GetCallerIdentityResponse xmlns=\"https://sts.amazonaws.com/doc/2011-06-15/\">\
                <GetCallerIdentityResult><Arn>arn:aws:iam::123456789012:user/shop</Arn></GetCallerIdentityResult>\
                </GetCallerIdentityResponse>";
            let head = format!(
                "HTTP/1.1 200 OK\r\ncontent-type: text/xml\r\ncontent-length: {}\r\n\r\n",
                body.len()
            );
            AwsReply::Raw((head + body).into_bytes())
        }
        _ => AwsReply::error(400, "UnrecognizedClientException"),
    });
    let settings = format!("{{kind: aws-sm, region: eu-west-1, endpointUrl: '{}'}}", stub.endpoint);
    let app = with_provider("aws", &settings);
    let run = |args: &[&str], key: &str| {
        let mut command = sealwave();
        command.current_dir(app.path("operator")).args(["check", "--operator", "operator.yaml"]).args(args);
        command.env("SOURCE_DATE_EPOCH", "1798761600").env("AWS_SECRET_ACCESS_KEY", "CANARY");
        let output = command.env("AWS_ACCESS_KEY_ID", key).output().unwrap();
        assert_eq!(find_marker(&output.stdout, MARKER), None, "{}", text(&output));
        output
    };
    assert_eq!(run(&[], "AKIA").status.code(), Some(0));
    assert_eq!(stub.operations(), [""; 0]);
    let report = text(&run(&["--connect"], "AKIA"));
    assert!(report.contains("logged in as `arn:aws:iam::123456789012:user/shop` in "), "{report}");
    assert_eq!(stub.operations(), ["GetCallerIdentity"]);
}

#[cfg(feature = "sops")]
#[test]
fn age_keys_are_read_to_connect() {
    let app = with_provider("sops", "{kind: sops, ageKeyFiles: [age-key]}");
    app.write("operator/age-key", "CANARY\n");
    assert_eq!(findings(&app), (Vec::new(), Some(0)));
    let output = check(&app, &["--connect", "--quiet"]);
    assert_eq!(output.status.code(), Some(1));
    let expected =
        "error: provider `sops`: age key file `age-key` cannot be read: line 1 is not an X25519 identity";
    assert!(text(&output).contains(expected), "{}", text(&output));
}
