//! Tests of the binary with stubs of Vault and a cluster: sealed values, requests, and that no output contains secrets.

use std::process::Output;

use crate::support::small_app::SmallApp;
use crate::support::{MARKER, find_marker, objects, sealwave};
use sealwave_testkit::stub_server::{StubReply, StubServer};

const REVOKE: &str = "/v1/auth/token/revoke-self";

/// Starts both services at one address. Everything but the listed secrets is forbidden.
fn stub() -> StubServer {
    StubServer::start(|asked, _| match asked.target.as_str() {
        REVOKE => StubReply::json(204, ""),
        "/v1/auth/kubernetes/login" => StubReply::json(200, r#"{"auth":{"client_token":"CANARY-token"}}"#),
        "/v1/secret/data/shop/db" => StubReply::json(
            200,
            r#"{"data":{"data":{"password":"CANARY","port":5432},"metadata":{"version":4}}}"#,
        ),
        "/v1/secret/data/shop/db?version=3" => {
            StubReply::json(200, r#"{"data":{"data":{"port":5431},"metadata":{"version":3}}}"#)
        }
        "/api/v1/namespaces/shop-secrets/secrets/web" => StubReply::json(
            200,
            r#"{"kind":"Secret","metadata":{"resourceVersion":"84213"},"type":"Opaque","data":{"token":"Q0FOQVJZ"}}"#,
        ),
        _ => StubReply::json(403, r#"{"errors":["permission denied CANARY"],"message":"CANARY"}"#),
    })
}

/// Returns the small app with its secrets in both services.
fn app(address: &str) -> SmallApp {
    let app = SmallApp::new();
    app.write(
        "operator/operator.yaml",
        &format!(
            "apiVersion: sealwave.dev/v1alpha1\nkind: Operator\nsealKeyFile: seal-key\ndeadlineSeconds: 30\n\
             clusters: {{dev: {{certificate: {{file: dev.pem, allowExpired: true}}}}}}\n\
             providers:\n  \
             vault-eu: {{kind: vault, address: '{address}', mounts: {{secret: 2}}, auth: {{kubernetes: {{role: argocd, tokenFile: jwt}}}}}}\n  \
             k8s: {{kind: k8s, namespace: shop-secrets, kubeconfig: kubeconfig}}\n  \
             file: {{kind: file, root: secrets}}\n\
             policy: [{{projects: ['*'], allow: ['vault-eu:**', 'k8s:*', 'file:**']}}]\n"
        ),
    );
    app.write("operator/jwt", "CANARY.jwt\n");
    app.write(
        "operator/kubeconfig",
        &format!(
            "{{apiVersion: v1, kind: Config, current-context: c, clusters: [{{name: c, cluster: {{server: '{address}'}}}}], \
             users: [{{name: u, user: {{token: CANARY-user}}}}], contexts: [{{name: c, context: {{cluster: c, user: u}}}}]}}"
        ),
    );
    app.write(
        "app/base/secrets.yaml",
        "apiVersion: v1\nkind: Secret\nmetadata: {name: api, namespace: shop}\nstringData:\n  \
         url: postgresql://app:<vault-eu:secret/data/shop/db#password>@db:<vault-eu:secret/shop/db#port>\n  \
         token: <k8s:web#token>\n",
    );
    app
}

fn generate(app: &SmallApp) -> Output {
    let output = sealwave()
        .args(app.args())
        .env("RUST_LOG", "trace")
        .env("RUST_BACKTRACE", "full")
        .output()
        .expect("the binary starts");
    for bytes in [&output.stdout, &output.stderr] {
        assert_eq!(find_marker(bytes, MARKER), None, "{}", String::from_utf8_lossy(bytes));
    }
    output
}

#[test]
fn secrets_of_both_services_are_sealed_deterministically() {
    let server = stub();
    let app = app(&server.address);
    let (first, second) = (generate(&app), generate(&app));
    assert!(first.status.success(), "{}", String::from_utf8_lossy(&first.stderr));
    assert_eq!(first.stdout, second.stdout);
    let objects = objects(std::str::from_utf8(&first.stdout).expect("UTF-8"));
    let sealed = objects.iter().find(|object| object["kind"] == "SealedSecret").expect("sealed");
    assert_eq!(sealed["spec"]["encryptedData"].as_object().expect("items").len(), 2);
    for (method, target) in [
        ("POST", "/v1/auth/kubernetes/login"),
        ("GET", "/v1/secret/data/shop/db"),
        ("POST", REVOKE),
        ("GET", "/api/v1/namespaces/shop-secrets/secrets/web"),
    ] {
        assert_eq!(server.count(method, target), 2, "{target}");
    }
    let asked = server.asked();
    assert_eq!(asked.len(), 8);
    for asked in &asked {
        let kubernetes = asked.target.starts_with("/api/");
        assert_eq!(asked.header("authorization").is_some(), kubernetes);
        let has_token = asked.target.starts_with("/v1/secret/") || asked.target == REVOKE;
        assert_eq!(asked.header("x-vault-token").is_some(), has_token);
        assert_eq!(asked.body.contains("CANARY.jwt"), asked.target.ends_with("/login"));
    }
}

/// A failed run revokes its token too. A note about a token that cannot be revoked does not contain it.
#[test]
fn tokens_are_revoked_whether_a_run_succeeds_or_fails() {
    let server = stub();
    let app = app(&server.address);
    assert!(generate(&app).status.success());
    assert_eq!(server.count("POST", REVOKE), 1);
    app.replace("app/base/secrets.yaml", "shop/db#password", "shop/other#password");
    assert_eq!(generate(&app).status.code(), Some(2));
    assert_eq!(server.count("POST", REVOKE), 2);
    // A command that fetches nothing does not log in.
    let logins = server.count("POST", "/v1/auth/kubernetes/login");
    let mut refs = sealwave();
    refs.arg("refs").arg(app.path("app")).args(["--operator"]).arg(app.path("operator/operator.yaml"));
    assert_eq!(
        refs.args(["--project", "shop", "--namespace", "shop"]).output().unwrap().status.code(),
        Some(0)
    );
    assert_eq!(server.count("POST", "/v1/auth/kubernetes/login"), logins);

    let refusing = StubServer::start(|asked, _| match asked.target.as_str() {
        "/v1/auth/kubernetes/login" => StubReply::json(200, r#"{"auth":{"client_token":"CANARY-token"}}"#),
        REVOKE => StubReply::json(403, r#"{"errors":["permission denied CANARY"]}"#),
        _ => StubReply::json(
            200,
            r#"{"data":{"data":{"password":"CANARY","port":1},"metadata":{"version":4}}}"#,
        ),
    });
    let app = self::app(&refusing.address);
    app.replace("app/base/secrets.yaml", "  token: <k8s:web#token>\n", "");
    let output = generate(&app);
    assert!(output.status.success());
    let text = String::from_utf8_lossy(&output.stderr);
    assert!(text.contains("provider `vault-eu`: the token of this run was not revoked"), "{text}");
    assert!(text.contains("capabilities = [\"update\"]"), "{text}");
}

/// Returns the reference, the requested and fetched versions and the outcome of each line of the audit.
fn audit_lines(app: &SmallApp) -> Vec<[String; 4]> {
    let text = fs_err::read_to_string(app.path("operator/audit.jsonl")).expect("an audit");
    assert_eq!(find_marker(text.as_bytes(), MARKER), None, "{text}");
    let parse_line = |line: &str| {
        let line: serde_json::Value = serde_json::from_str(line).expect("a line of JSON");
        ["reference", "version", "fetchedVersion", "outcome"].map(|field| line[field].to_string())
    };
    text.lines().map(parse_line).collect()
}

#[test]
fn the_audit_contains_fetched_versions() {
    let server = stub();
    let app = app(&server.address);
    app.replace(
        "operator/operator.yaml",
        "sealKeyFile: seal-key\n",
        "sealKeyFile: seal-key\naudit: {file: audit.jsonl}\n",
    );
    app.replace("app/base/secrets.yaml", "#port>", "#port#3>");
    assert!(generate(&app).status.success());
    let expected = [
        ["\"k8s:web#token\"", "null", "\"84213\"", "\"fetched\""],
        ["\"vault-eu:secret/data/shop/db#password\"", "null", "\"4\"", "\"fetched\""],
        ["\"vault-eu:secret/shop/db#port#3\"", "\"3\"", "\"3\"", "\"fetched\""],
    ];
    assert_eq!(audit_lines(&app), expected);
    // A reference that was not fetched has no version.
    fs_err::remove_file(app.path("operator/audit.jsonl")).expect("removed");
    app.write(
        "app/base/secrets.yaml",
        "apiVersion: v1\nkind: Secret\nmetadata: {name: api, namespace: shop}\nstringData: {a: <k8s:forbidden#k>}\n",
    );
    assert_eq!(generate(&app).status.code(), Some(2));
    assert_eq!(audit_lines(&app), [["\"k8s:forbidden#k\"", "null", "null", "\"denied\""]]);
}

#[test]
fn all_errors_are_reported_together_with_hints() {
    let server = stub();
    let app = app(&server.address);
    app.write(
        "app/base/secrets.yaml",
        "apiVersion: v1\nkind: Secret\nmetadata: {name: api, namespace: shop}\nstringData:\n  \
         a: <vault-eu:secret/other#k>\n  b: <k8s:forbidden#k>\n  c: <vault-eu:sys/mounts#k>\n  d: <k8s:web>\n",
    );
    let output = generate(&app);
    assert_eq!(output.status.code(), Some(2));
    let text = String::from_utf8_lossy(&output.stderr);
    for part in [
        "the token is not allowed to read `secret/data/other`",
        "capabilities = [\"read\"]",
        "sealwave is not allowed to get Secret `forbidden` in namespace `shop-secrets`",
        "bind its service account to a Role",
        "`sys/` contains no readable secrets",
        "the reference has no key",
    ] {
        assert!(text.contains(part), "`{part}` is not in:\n{text}");
    }
}

#[test]
fn credentials_of_a_provider_cannot_be_read_by_another() {
    let server = stub();
    let app = app(&server.address);
    for file in ["jwt", "kubeconfig"] {
        let real = app.path(&format!("operator/{file}"));
        app.replace("operator/operator.yaml", &format!(": {file}"), &format!(": secrets/{file}"));
        fs_err::rename(real, app.path(&format!("operator/secrets/{file}"))).expect("moved");
    }
    app.write(
        "app/base/secrets.yaml",
        "apiVersion: v1\nkind: Secret\nmetadata: {name: api, namespace: shop}\nstringData:\n  \
         a: <file:jwt>\n  b: <file:kubeconfig>\n",
    );
    let output = generate(&app);
    assert_eq!(output.status.code(), Some(2));
    assert_eq!(String::from_utf8_lossy(&output.stderr).matches("one of sealwave's own files").count(), 2);
}
