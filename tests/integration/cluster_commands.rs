//! `cert fetch`, `cert check`, `cert list`, `check --live`, `verify` and `rotate controller-key` against a stub of the API server:
//! what they print and write, and what they refuse.

use std::path::PathBuf;
use std::process::Output;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};
use tempfile::TempDir;

use crate::support::{MARKER, find_marker, root, sealwave};
use sealwave_testkit::stub_server::{RecordedRequest, StubReply, StubServer};

const SERVICES: &str = "/api/v1/namespaces/kube-system/services/";
const PROXY: &str = "/api/v1/namespaces/kube-system/services/http:sealed-secrets:http/proxy/v1/cert.pem";

/// The public keys of two certificates in `testdata`.
const RSA2048: &str = "41dc2e7f1ec8c736f1edd6555c5ba235ab48a59887d52da6d453aea18d56a20a";

fn test_file(name: &str) -> String {
    fs_err::read_to_string(root().join("testdata/sealed-secrets").join(name)).unwrap()
}

/// A cluster whose controller publishes `rsa2048.crt`.
fn cluster(asked: &RecordedRequest) -> StubReply {
    let secret = |name: &str, label: &str| {
        json!({"metadata": {
            "name": name, "creationTimestamp": "2026-01-01T00:00:00Z",
            "labels": {"sealedsecrets.bitnami.com/sealed-secrets-key": label},
        }})
    };
    let path = asked.target.split('?').next().unwrap_or_default();
    match path.strip_prefix(SERVICES) {
        Some("sealed-secrets") => StubReply::json(
            200,
            json!({"kind": "Service", "spec": {"ports": [{"name": "http"}]}}).to_string(),
        ),
        Some(_) if path == PROXY => StubReply::json(200, test_file("rsa2048.crt")),
        _ if path == "/api/v1/namespaces/kube-system/secrets" => {
            let items = [secret("new", "active"), secret("old", "CANARY-no")];
            StubReply::json(200, json!({"kind": "PartialObjectMetadataList", "items": items}).to_string())
        }
        _ if path.starts_with("/api/v1/namespaces/kube-system/secrets/") => {
            let file = if path.ends_with("new") { "rsa2048.crt" } else { "rsa3072.crt" };
            let data = json!({"tls.crt": STANDARD.encode(test_file(file)), "tls.key": STANDARD.encode("CANARY-key")});
            StubReply::json(200, json!({"kind": "Secret", "data": data}).to_string())
        }
        _ => StubReply::json(404, r#"{"message": "CANARY"}"#),
    }
}

/// A directory with a kubeconfig for a stub.
struct Desk {
    directory: TempDir,
    server: StubServer,
}

impl Desk {
    fn new(answer: impl Fn(&RecordedRequest) -> StubReply + Send + Sync + 'static) -> Self {
        let server = StubServer::start(move |asked, _| answer(asked));
        let desk = Self { directory: tempfile::tempdir().unwrap(), server };
        let kubeconfig = json!({
            "apiVersion": "v1", "kind": "Config", "current-context": "prod",
            "clusters": [{"name": "c", "cluster": {"server": desk.server.address}}],
            "users": [{"name": "u", "user": {"token": "CANARY-token"}}],
            "contexts": [{"name": "prod", "context": {"cluster": "c", "user": "u"}}],
        });
        desk.write("kubeconfig", &kubeconfig.to_string());
        desk
    }

    fn path(&self, name: &str) -> PathBuf {
        self.directory.path().join(name)
    }

    fn write(&self, name: &str, text: &str) {
        fs_err::write(self.path(name), text).unwrap();
    }

    fn read(&self, name: &str) -> String {
        fs_err::read_to_string(self.path(name)).unwrap()
    }

    fn run(&self, args: &[&str]) -> Output {
        self.run_with(args, &[])
    }

    fn run_with(&self, args: &[&str], variables: &[(&str, &str)]) -> Output {
        let mut command = sealwave();
        command
            .current_dir(self.directory.path())
            .env("KUBECONFIG", "kubeconfig")
            .env("HOME", self.directory.path());
        let output =
            command.env("SOURCE_DATE_EPOCH", "1800000000").envs(variables.iter().copied()).args(args);
        let output = output.output().unwrap();
        for bytes in [&output.stdout, &output.stderr] {
            assert_eq!(find_marker(bytes, MARKER), None, "{}", String::from_utf8_lossy(bytes));
        }
        output
    }

    /// Runs, checks the exit code, and returns standard output and standard error.
    fn ends(&self, args: &[&str], code: i32) -> (String, String) {
        let output = self.run(args);
        let texts = [output.stdout, output.stderr].map(|bytes| String::from_utf8(bytes).unwrap());
        assert_eq!(output.status.code(), Some(code), "{texts:?}");
        texts.into()
    }
}

#[test]
fn a_certificate_is_printed_or_pinned() {
    let desk = Desk::new(cluster);
    let (stdout, stderr) = desk.ends(&["cert", "fetch"], 0);
    assert_eq!((stdout.as_str(), stderr.as_str()), (test_file("rsa2048.crt").as_str(), ""));
    let (stdout, _) = desk.ends(&["cert", "fetch", "-w", "prod.pem"], 0);
    assert_eq!(desk.read("prod.pem"), test_file("rsa2048.crt"));
    for line in [
        "prod.pem (from Service `sealed-secrets` in namespace `kube-system`)\n",
        &format!("  public key SHA-256  {RSA2048}\n"),
        "  replaces            nothing\n",
    ] {
        assert!(stdout.contains(line), "{line}\n---\n{stdout}");
    }
    let (stdout, _) = desk.ends(&["cert", "fetch", "-w", "prod.pem"], 0);
    assert!(
        stdout.contains("replaces            nothing; the file already has this certificate\n"),
        "{stdout}"
    );
    desk.write("prod.pem", &test_file("rsa2048-reissued.crt"));
    let (stdout, _) = desk.ends(&["cert", "fetch", "-w", "prod.pem"], 0);
    assert!(stdout.contains(" of the same key\n"), "{stdout}");
    desk.write("prod.pem", &test_file("rsa3072.crt"));
    let (stdout, _) = desk.ends(&["cert", "fetch", "-w", "prod.pem", "-o", "json"], 0);
    let json: Value = serde_json::from_str(&stdout).unwrap();
    assert_eq!(json["certificate"]["publicKeySha256"], RSA2048);
    assert!(json["replaced"]["publicKeySha256"].is_string());
    assert_eq!(desk.read("prod.pem"), test_file("rsa2048.crt"));
    // The old form still works, also for a file with the name of a subcommand.
    fs_err::rename(desk.path("prod.pem"), desk.path("fetch")).unwrap();
    for args in [&["cert", "./fetch"][..], &["cert", "show", "fetch"]] {
        assert!(desk.ends(args, 0).0.contains(RSA2048));
    }
}

#[test]
fn a_file_with_other_contents_is_not_overwritten() {
    let desk = Desk::new(cluster);
    desk.write("notes.txt", "CANARY: my notes");
    desk.write("key.pem", &test_file("rsa2048.key"));
    desk.write("mixed.env", &format!("PASSWORD=CANARY\n{}", test_file("rsa2048.crt")));
    for file in ["notes.txt", "key.pem", "mixed.env", "."] {
        let (stdout, stderr) = desk.ends(&["cert", "fetch", "-w", file], 2);
        assert!(stdout.is_empty() && stderr.contains(file), "{stderr}");
        assert_eq!(stderr.contains("is not overwritten"), file != ".", "{stderr}");
    }
    assert_eq!(desk.read("notes.txt"), "CANARY: my notes");
}

#[test]
fn a_certificate_is_fetched_from_an_address_without_redirects() {
    let desk = Desk::new(|asked| match asked.target.as_str() {
        "/v1/cert.pem" => {
            assert_eq!(asked.header("authorization"), None, "no credentials are sent");
            StubReply::json(200, test_file("rsa3072.crt"))
        }
        "/moved" => StubReply::json(302, "CANARY").header("Location", "file:///etc/passwd"),
        "/large" => StubReply::json(200, vec![b'x'; (1 << 20) + 1]),
        "/html" => StubReply::json(200, "<html>CANARY</html>"),
        _ => StubReply::json(404, "CANARY"),
    });
    let address = desk.server.address.clone();
    let fetch = |path: &str, code| desk.ends(&["cert", "fetch", "--cert", &format!("{address}{path}")], code);
    assert_eq!(fetch("/v1/cert.pem", 0).0, test_file("rsa3072.crt"));
    for (path, message) in [
        ("/moved", "redirects to another address"),
        ("/large", "is larger than 1048576 bytes"),
        ("/html", "certificate file holds no certificate"),
        ("/gone", "responded with status 404"),
    ] {
        let stderr = fetch(path, 2).1;
        assert!(stderr.contains(message), "{stderr}");
    }
    for (url, message) in [
        ("https://user:CANARX@example.com/", "address contains a user name or a password"),
        ("https://", "address is not an http or https URL"),
    ] {
        let stderr = desk.ends(&["cert", "fetch", "--cert", url], 2).1;
        assert!(stderr.contains(message), "{stderr}");
    }
    // A file works too, and is compared in the same way.
    desk.write("file.pem", &test_file("rsa3072.crt"));
    assert_eq!(desk.ends(&["cert", "fetch", "--cert", "file.pem"], 0).0, test_file("rsa3072.crt"));
    let stderr = desk.ends(&["cert", "fetch", "--cert", "missing.pem"], 2).1;
    assert!(stderr.contains("`missing.pem` cannot be read: file not found"), "{stderr}");
}

#[test]
fn a_pinned_certificate_is_compared() {
    let desk = Desk::new(cluster);
    desk.write("same.pem", &test_file("rsa2048.crt"));
    desk.write("reissued.pem", &test_file("rsa2048-reissued.crt"));
    desk.write("other.pem", &test_file("rsa3072.crt"));
    let (stdout, _) = desk.ends(&["cert", "check", "same.pem"], 0);
    assert!(
        stdout.ends_with("\n\nthe pinned certificate is for the key that the controller seals with\n"),
        "{stdout}"
    );
    let (stdout, _) = desk.ends(&["cert", "check", "reissued.pem"], 0);
    assert!(stdout.contains("note: the pinned certificate is an earlier one of the same key\n"), "{stdout}");
    let (stdout, _) = desk.ends(&["cert", "check", "other.pem"], 1);
    assert!(
        stdout.contains("problem: the pinned certificate is for another key than the live one, which is "),
        "{stdout}"
    );
    let output =
        desk.run_with(&["cert", "check", "same.pem", "-o", "json"], &[("SOURCE_DATE_EPOCH", "4294967295")]);
    let json: Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(json["findings"], json!([]), "valid for a hundred years");

    desk.write("op.yaml", "apiVersion: sealwave.dev/v1alpha1\nkind: Operator\nclusters:\n  prod: {certificate: {file: other.pem}}\n  dev: {certificate: {file: same.pem}}\n");
    desk.ends(&["cert", "check", "--cluster", "prod", "--operator", "op.yaml"], 1);
    desk.ends(&["cert", "check", "--cluster", "dev", "--operator", "op.yaml"], 0);
    assert!(
        desk.ends(&["cert", "check", "--cluster", "prd", "--operator", "op.yaml"], 2)
            .1
            .contains("did you mean `prod`?")
    );
    assert!(desk.ends(&["cert", "check", "--cluster", "prod"], 2).1.contains("no operator file is given"));
}

#[test]
fn the_certificates_of_an_operator_file_are_compared_on_request() {
    let desk = Desk::new(cluster);
    desk.write("same.pem", &test_file("rsa2048.crt"));
    desk.write("other.pem", &test_file("rsa3072.crt"));
    desk.write("op.yaml", "apiVersion: sealwave.dev/v1alpha1\nkind: Operator\nclusters:\n  prod: {certificate: {file: other.pem}}\n  dev: {certificate: {file: same.pem}}\n");
    let check = |live: &[&str]| {
        let flags = live.iter().flat_map(|live| ["--live", live]);
        let args: Vec<&str> = ["check", "--operator", "op.yaml"].into_iter().chain(flags).collect();
        let output = desk.run(&args);
        format!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr))
    };
    assert!(!check(&[]).contains("seals with") && desk.server.asked().is_empty(), "nothing is contacted");
    let report = check(&["prod=prod", "dev=prod"]);
    assert!(report.contains("the pinned certificate is for another key than the live one"), "{report}");
    assert!(
        report.contains("cluster `dev`: the certificate is for the key that its controller seals with"),
        "{report}"
    );
    for (live, message) in [
        ("prod", "`prod` of `--live` does not name a cluster and a context or an address"),
        ("prd=x", "cluster `prd` of `--live` is not in the operator file"),
        ("prod=elsewhere", "the kubeconfig has no context `elsewhere`"),
        (&format!("prod={}/gone", desk.server.address), "responded with status 404"),
    ] {
        let report = check(&[live]);
        assert!(report.contains(message), "{message}\n---\n{report}");
    }
    assert!(check(&["prod=prod", "prod=prod"]).contains("cluster `prod` is given twice with `--live`"));
}

#[test]
fn keys_are_listed_without_private_keys() {
    let desk = Desk::new(|asked| {
        let mut reply = cluster(asked);
        if asked.target.contains("/secrets?") {
            let label = |label: &str| json!({"sealedsecrets.bitnami.com/sealed-secrets-key": label});
            let items = json!([
                {"metadata": {"name": "new", "labels": label("active")}},
                {"metadata": {"name": "old", "labels": label("compromised")}},
            ]);
            reply = StubReply::json(
                200,
                json!({"kind": "PartialObjectMetadataList", "items": items}).to_string(),
            );
        }
        reply
    });
    let (stdout, stderr) = desk.ends(&["cert", "list"], 0);
    assert!(stderr.is_empty(), "{stderr}");
    let lines: Vec<Vec<&str>> = stdout.lines().map(|line| line.split_whitespace().collect()).collect();
    assert_eq!(lines.len(), 3, "{stdout}");
    let row = |name: &str| lines.iter().find(|line| line[0] == name).unwrap();
    assert_eq!(row("new")[1], "newest");
    assert_eq!(row("old")[1], "retired");
    assert_eq!(*row("new").last().unwrap(), RSA2048);
    let json: Value = serde_json::from_str(&desk.ends(&["cert", "list", "-o", "json"], 0).0).unwrap();
    assert_eq!(json["keys"].as_array().unwrap().len(), 2);
    let none = Desk::new(|_| {
        StubReply::json(200, json!({"kind": "PartialObjectMetadataList", "items": null}).to_string())
    });
    let (stdout, stderr) = none.ends(&["cert", "list", "--controller-namespace", "x"], 0);
    assert!(
        stdout.is_empty() && stderr.contains("namespace `x` has no key of a sealed-secrets controller"),
        "{stderr}"
    );
}

#[test]
fn argo_cd_must_not_run_commands_for_clusters() {
    let desk = Desk::new(cluster);
    let argocd = [("ARGOCD_APP_NAME", "a"), ("ARGOCD_APP_PROJECT_NAME", "p"), ("ARGOCD_APP_NAMESPACE", "n")];
    for args in [
        &["cert", "fetch"][..],
        &["cert", "check", "x.pem"],
        &["cert", "list"],
        &["verify", "--rendered", "x"],
        &["rotate", "controller-key", "--no-backup", "--yes"],
    ] {
        let output = desk.run_with(args, &argocd);
        let stderr = String::from_utf8_lossy(&output.stderr).into_owned();
        assert_eq!(output.status.code(), Some(2), "{stderr}");
        assert!(stderr.contains("must not be used when Argo CD runs sealwave"), "{stderr}");
    }
    assert!(desk.server.asked().is_empty());
}

const SEALED: &str = r#"{"apiVersion":"bitnami.com/v1alpha1","kind":"SealedSecret","metadata":{"name":"db"},"spec":{"encryptedData":{"password":"AgC="}}}"#;

#[test]
fn a_verification_is_printed_for_people_and_programs() {
    let desk = Desk::new(|asked| {
        let object = match asked.target.as_str() {
            "/apis/bitnami.com/v1alpha1/namespaces/shop/sealedsecrets/db" => json!({
                "kind": "SealedSecret", "metadata": {"generation": 1}, "spec": {"encryptedData": {"password": "AgC="}},
                "status": {"observedGeneration": 1, "conditions": [{"type": "Synced", "status": "False", "message": "CANARY"}]},
            }),
            "/api/v1/namespaces/shop/secrets/db" => json!({
                "kind": "PartialObjectMetadata",
                "metadata": {"managedFields": [{"fieldsV1": {"f:data": {"f:password": {}}}}]},
            }),
            _ => return StubReply::json(404, "CANARY"),
        };
        StubReply::json(200, object.to_string())
    });
    desk.write("rendered.json", SEALED);
    let (stdout, _) = desk.ends(&["verify", "--rendered", "rendered.json", "-n", "shop"], 1);
    assert_eq!(
        stdout,
        "SealedSecret shop/db\n\
         \x20 right       contents    it has the rendered ciphertexts\n\
         \x20 WRONG       unsealed    the controller failed to unseal it\n\
         \x20                         next: kubectl -n shop describe sealedsecret db\n\
         Secret shop/db\n\
         \x20 right       exists      it exists\n\
         \x20 right       keys        `password`\n\
         3 right, 1 wrong, 0 not checked; server `SERVER`, context `prod`\n"
            .replace("SERVER", &desk.server.address)
    );
    let (stdout, _) = desk.ends(&["verify", "--rendered", "rendered.json", "-n", "shop", "-o", "json"], 1);
    let json: Value = serde_json::from_str(&stdout).unwrap();
    assert_eq!((&json["right"], &json["checks"][1]["verdict"]), (&json!(false), &json!("wrong")));
    assert_eq!(json["cluster"], json!({"server": desk.server.address, "context": "prod"}));
    // Nothing can be checked without a namespace, which is not right either.
    let (stdout, _) = desk.ends(&["verify", "--rendered", "rendered.json"], 1);
    assert!(stdout.contains("not checked namespace   it has no namespace"), "{stdout}");
}

#[test]
fn a_preview_is_verified_without_keys() {
    let desk = Desk::new(|_| StubReply::json(404, "CANARY"));
    fs_err::create_dir_all(desk.path("app/base")).unwrap();
    desk.write(
        "app/sealwave.yaml",
        "apiVersion: sealwave.dev/v1alpha1\nkind: App\nenvironments: {dev: {}}\n",
    );
    desk.write("app/base/db.yaml", "apiVersion: v1\nkind: Secret\nmetadata: {name: db}\nstringData: {password: <file:db.yaml#password>}\n");
    let (stdout, stderr) = desk.ends(&["verify", "app", "--env", "dev", "-n", "shop"], 1);
    assert!(stderr.is_empty(), "{stderr}");
    assert!(
        stdout.contains("SealedSecret shop/db\n  WRONG       exists      it does not exist\n"),
        "{stdout}"
    );
    for (args, message) in [
        (&["verify", "app", "--rendered", "x", "--env", "dev"][..], "cannot be used with"),
        (&["verify", "app", "--revision", "x"], "--application"),
        (&["verify", "--rendered", "missing.json"], "`missing.json` cannot be read: file not found"),
        (&["verify", "app", "--wait", "soon"], "write a duration of at least a second"),
        (&["verify", "--rendered", "/dev/zero"], "/dev/zero"),
    ] {
        let (_, stderr) = desk.ends(args, 2);
        assert!(stderr.contains(message), "{message}\n---\n{stderr}");
    }
}

#[test]
fn a_rotation_is_planned_and_refused_before_anything_changes() {
    let desk = Desk::new(cluster);
    let (stdout, _) = desk.ends(&["rotate", "controller-key", "--backup", ".", "--dry-run"], 0);
    for text in [
        "rotate controller-key\n",
        RSA2048,
        "2, which all stay",
        "re-seal no files, since no paths were given",
    ] {
        assert!(stdout.contains(text), "{text}\n---\n{stdout}");
    }
    assert!(desk.server.asked().iter().all(|asked| asked.method == "GET"));
    let left: Vec<_> =
        fs_err::read_dir(desk.directory.path()).unwrap().map(|file| file.unwrap().file_name()).collect();
    assert_eq!(left, ["kubeconfig"], "nothing was written");
    desk.write("notes.txt", "notes");
    for (args, message) in [
        (&["--backup", "."][..], "--yes"),
        (&["--yes"], "--backup"),
        (&["--no-backup", "--yes", "--commit"], "`--commit` and `--push` need paths in a Git checkout"),
        (
            &["--no-backup", "--yes", "--write", "notes.txt"],
            "`notes.txt` is not overwritten: certificate file holds no certificate",
        ),
        (&["--no-backup", "--yes", "--key-size", "1024"], "write 2048, 3072 or 4096"),
        (&["--backup", ".", "--age-recipient", "AGE-SECRET-KEY-1CANARX", "--yes"], "an identity"),
    ] {
        let (_, stderr) = desk.ends(&[&["rotate", "controller-key"], args].concat(), 2);
        assert!(stderr.contains(message), "{message}\n---\n{stderr}");
    }
    assert!(desk.server.asked().iter().all(|asked| asked.method == "GET"));
}

#[test]
fn errors_name_the_server_and_the_context() {
    let desk = Desk::new(|_| StubReply::json(404, "CANARY"));
    let place = format!("; server `{}`, context `prod`", desk.server.address);
    for args in [
        &["cert", "fetch"][..],
        &["cert", "check", "--context", "prod", "same.pem"],
        &["rotate", "controller-key", "--no-backup", "--dry-run"],
        &["seal", "secret.yaml"],
        &["reseal", "."],
    ] {
        desk.write("same.pem", &test_file("rsa2048.crt"));
        desk.write(
            "secret.yaml",
            "apiVersion: v1\nkind: Secret\nmetadata: {name: db, namespace: shop}\nstringData: {a: b}\n",
        );
        desk.write("sealed.yaml", SEALED);
        let (_, stderr) = desk.ends(args, 2);
        let message = "Service `sealed-secrets-controller`, `sealed-secrets` in namespace `kube-system`";
        assert!(stderr.contains(&format!("{message}{place}")), "{args:?}\n{stderr}");
    }
    let (_, stderr) = desk.ends(&["cert", "list"], 2);
    assert!(
        stderr.contains(&format!("the list of Secrets in namespace `kube-system` does not exist{place}")),
        "{stderr}"
    );
    let (_, stderr) = desk.ends(&["cert", "list", "--context", "prd"], 2);
    assert!(
        stderr.contains("the kubeconfig has no context `prd`") && stderr.contains("did you mean `prod`?"),
        "{stderr}"
    );
}

/// A certificate for the key `rsa2048` whose names a hostile party chose.
fn hostile_certificate() -> String {
    let pem = test_file("rsa2048.key");
    let key = rcgen::KeyPair::from_pem_and_sign_algo(&pem, &rcgen::PKCS_RSA_SHA256).unwrap();
    let mut params = rcgen::CertificateParams::default();
    let name = format!("x\n::error::y\r\n##[error]z\u{1b}[2J\u{202e}\u{2028}{}", "long ".repeat(10_000));
    params.distinguished_name.push(rcgen::DnType::CommonName, name.clone());
    params.distinguished_name.push(rcgen::DnType::OrganizationName, name);
    params.self_signed(&key).unwrap().pem()
}

#[test]
fn names_in_a_certificate_control_nothing() {
    let desk = Desk::new(|_| StubReply::json(200, hostile_certificate()));
    desk.write("hostile.pem", &hostile_certificate());
    desk.write("other.pem", &test_file("rsa3072.crt"));
    let address = desk.server.address.clone();
    for (args, code) in [
        (&["cert", "show", "hostile.pem"][..], 0),
        (&["cert", "fetch", "--cert", &address, "-w", "new.pem"], 0),
        (&["cert", "check", "hostile.pem", "--cert", &address], 0),
        (&["cert", "check", "other.pem", "--cert", &address], 1),
    ] {
        let (stdout, stderr) = desk.ends(args, code);
        for text in [&stdout, &stderr] {
            let is_hostile = |c: char| c.is_control() && c != '\n' || ['\u{202e}', '\u{2028}'].contains(&c);
            assert!(!text.chars().any(is_hostile), "{args:?}: {text:?}");
            assert!(!text.lines().any(|line| line.trim_start().starts_with("::")), "{args:?}: {text}");
            assert!(!text.contains("##[") && text.len() < 20_000, "{args:?}: {text}");
        }
        assert!(stdout.contains("subject"), "{stdout}");
    }
    desk.write(
        "secret.yaml",
        "apiVersion: v1\nkind: Secret\nmetadata: {name: db, namespace: shop}\nstringData: {a: b}\n",
    );
    let (stdout, _) = desk.ends(&["seal", "secret.yaml", "--cert", "hostile.pem"], 0);
    assert!(!stdout.contains("::error"), "{stdout}");
}

#[test]
fn a_secret_is_sealed_for_the_certificate_that_the_controller_publishes() {
    let desk = Desk::new(cluster);
    desk.write("secret.yaml", "apiVersion: v1\nkind: Secret\nmetadata: {name: db, namespace: shop}\nstringData: {a: CANARY-value}\n");
    let (stdout, stderr) = desk.ends(&["seal", "secret.yaml"], 0);
    assert!(stderr.is_empty(), "{stderr}");
    assert!(stdout.contains("kind: SealedSecret") && stdout.contains(RSA2048), "{stdout}");
    // Nothing of the Secret is sent, and no private key is read.
    let asked = desk.server.asked();
    assert!(
        asked.iter().all(|asked| asked.method == "GET" && asked.target.starts_with(SERVICES)),
        "{asked:?}"
    );
    assert_eq!(desk.server.count("GET", PROXY), 1);
    desk.write("sealed.yaml", &stdout);
    let (opened, _) = {
        let mut command = sealwave();
        let key = root().join("testdata/sealed-secrets/rsa2048.key");
        command.current_dir(desk.directory.path()).args(["unseal", "sealed.yaml", "--key"]).arg(key);
        let output = command.output().unwrap();
        (String::from_utf8(output.stdout).unwrap(), output.stderr)
    };
    assert!(opened.contains("a: "), "{opened}");
    // The flags of kubeseal.
    let (_, stderr) = desk.ends(&["seal", "secret.yaml", "--controller-name", "mine"], 2);
    assert!(stderr.contains("Service `mine` in namespace `kube-system`; server `"), "{stderr}");
    let (_, stderr) = desk.ends(&["seal", "secret.yaml", "--context", "prd"], 2);
    assert!(stderr.contains("no context `prd`"), "{stderr}");
    let closed = Desk::new(|_| StubReply::json(200, "<html>CANARY</html>"));
    closed.write("secret.yaml", &desk.read("secret.yaml"));
    let (stdout, stderr) = closed.ends(&["seal", "secret.yaml", "-w", "out.yaml"], 2);
    assert!(stdout.is_empty() && stderr.contains("it is HTML, as of a login page or a proxy"), "{stderr}");
    assert!(!closed.path("out.yaml").exists());
}

#[test]
fn a_certificate_that_cannot_be_fetched_from_an_address_seals_nothing() {
    let desk = Desk::new(|asked| match asked.target.as_str() {
        "/v1/cert.pem" => StubReply::json(200, test_file("rsa2048.crt")),
        "/moved" => StubReply::json(302, "CANARY").header("Location", "file:///etc/passwd"),
        "/large" => StubReply::json(200, vec![b'x'; (1 << 20) + 1]),
        "/html" => StubReply::json(200, "<html>CANARY</html>"),
        "/key" => StubReply::json(200, test_file("rsa2048.key")),
        "/cut" => StubReply::json(200, test_file("rsa2048.crt")).cut(100),
        _ => StubReply::json(404, "CANARY"),
    });
    desk.write("secret.yaml", "apiVersion: v1\nkind: Secret\nmetadata: {name: db, namespace: shop}\nstringData: {a: CANARY-value}\n");
    let address = desk.server.address.clone();
    let seal = |url: &str, code| desk.ends(&["seal", "secret.yaml", "--cert", url, "-w", "out.yaml"], code);
    for (path, message) in [
        ("/moved", "redirects to another address"),
        ("/large", "is larger than 1048576 bytes"),
        ("/html", "certificate file holds no certificate"),
        ("/key", "certificate file holds a private key"),
        ("/cut", ""),
        ("/gone", "responded with status 404"),
    ] {
        let (stdout, stderr) = seal(&format!("{address}{path}"), 2);
        assert!(stdout.is_empty() && stderr.contains(message), "{path}: {stderr}");
    }
    for (url, message) in [
        ("https://user:CANARX@example.com/", "address contains a user name or a password"),
        ("https://", "address is not an http or https URL"),
        ("https://a b\u{1b}[2J/", "address is not an http or https URL"),
    ] {
        let stderr = seal(url, 2).1;
        assert!(stderr.contains(message) && !stderr.contains('\u{1b}'), "{stderr}");
    }
    assert!(!desk.path("out.yaml").exists());
    seal(&format!("{address}/v1/cert.pem"), 0);
    assert!(desk.read("out.yaml").contains(RSA2048));
}

#[test]
fn hostile_key_secrets_are_listed_without_harm() {
    let desk = Desk::new(|asked| {
        let path = asked.target.split('?').next().unwrap_or_default();
        let hostile = format!("::error::x\n##[error]y\u{1b}[2J{}", "n".repeat(5 << 20));
        let secret = |name: &str, label: &str| {
            json!({"metadata": {
                "name": name, "creationTimestamp": "::error::\u{1b}[2J",
                "labels": {"sealedsecrets.bitnami.com/sealed-secrets-key": label},
                "annotations": {"note": "CANARY"}, "ownerReferences": [{"uid": "a"}, 7],
            }})
        };
        match path {
            "/api/v1/namespaces/kube-system/secrets" => {
                let items = [
                    secret("loop", &hostile),
                    secret(&hostile, "active"),
                    json!({"metadata": 7}),
                    json!("x"),
                ];
                StubReply::json(200, json!({"kind": "PartialObjectMetadataList", "items": items}).to_string())
            }
            "/api/v1/namespaces/kube-system/secrets/loop" => {
                StubReply::json(200, format!("{}CANARY", "[".repeat(100_000)))
            }
            _ => cluster(asked),
        }
    });
    for args in [&["cert", "list"][..], &["cert", "list", "-o", "json"]] {
        let (stdout, stderr) = desk.ends(args, 0);
        for text in [&stdout, &stderr] {
            assert!(text.len() < 50_000, "{}", text.len());
            assert!(!text.chars().any(|c| c.is_control() && c != '\n'), "{text:?}");
            assert!(!text.lines().any(|line| line.trim_start().starts_with("::")), "{text}");
            assert!(!text.contains("##["), "{text}");
        }
        assert!(stderr.contains("key `loop` is not known"), "{stderr}");
    }
    let (_, stderr) = desk.ends(&["rotate", "controller-key", "--no-backup", "--dry-run"], 2);
    assert!(stderr.contains("cannot be backed up") && stderr.len() < 50_000, "{stderr}");
}
