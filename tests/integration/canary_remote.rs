//! Canary tests of remote sources: credentials and responses contain the marker, and every run fails.

use std::process::Output;
use std::thread;
use std::time::Duration;

use crate::support::small_app::SmallApp;
use crate::support::watched::run_watched;
use crate::support::{MARKER, find_marker, sealwave};
use sealwave_testkit::stub_server::{RecordedRequest, StubReply, StubServer};

/// One reference to each source.
const REFERENCES: [&str; 6] = [
    "aws-sm:shop/db#password",
    "aws-ssm:/shop/db",
    "k8s:web#token",
    "vault-approle:secret/shop/db#password",
    "vault-kubernetes:secret/shop/db#password",
    "vault-token:secret/shop/db#password",
];

/// Returns the small app with its secrets at one address, and credentials that contain the marker.
fn app(address: &str) -> SmallApp {
    let app = SmallApp::new();
    let vault = |name: &str, auth: &str| {
        format!(
            "  vault-{name}: {{kind: vault, address: '{address}', mounts: {{secret: 2}}, auth: {{{auth}}}}}\n"
        )
    };
    app.write(
        "operator/operator.yaml",
        &format!(
            "apiVersion: sealwave.dev/v1alpha1\nkind: Operator\nsealKeyFile: seal-key\ndeadlineSeconds: 8\n\
             audit: {{file: audit.jsonl}}\n\
             clusters: {{dev: {{certificate: {{file: dev.pem, allowExpired: true}}}}}}\n\
             policy: [{{projects: ['*'], allow: ['*:**']}}]\nproviders:\n  \
             aws-sm: {{kind: aws-sm, region: eu-west-1, endpointUrl: '{address}'}}\n  \
             aws-ssm: {{kind: aws-ssm, region: eu-west-1, endpointUrl: '{address}'}}\n  \
             k8s: {{kind: k8s, namespace: shop-secrets, kubeconfig: kubeconfig}}\n{}{}{}",
            vault("approle", "appRole: {roleId: shop, secretIdFile: secret-id}"),
            vault("kubernetes", "kubernetes: {role: argocd, tokenFile: jwt}"),
            vault("token", "token: {file: token}"),
        ),
    );
    for file in ["jwt", "secret-id", "token"] {
        app.write(&format!("operator/{file}"), &format!("CANARY-{file}\n"));
    }
    app.write(
        "operator/kubeconfig",
        &format!(
            "apiVersion: v1\nkind: Config\ncurrent-context: c\nclusters: [{{name: c, cluster: {{server: '{address}'}}}}]\n\
             users: [{{name: u, user: {{token: CANARY-user}}}}]\ncontexts: [{{name: c, context: {{cluster: c, user: u}}}}]\n"
        ),
    );
    let items: Vec<String> =
        REFERENCES.iter().enumerate().map(|(index, text)| format!("  i{index}: <{text}>\n")).collect();
    app.write(
        "app/base/secrets.yaml",
        &format!(
            "apiVersion: v1\nkind: Secret\nmetadata: {{name: api, namespace: shop}}\nstringData:\n{}",
            items.concat()
        ),
    );
    app
}

/// Runs `generate`, and checks that neither its output nor the audit contains the marker.
fn run_checked(app: &SmallApp, variables: &[(&str, &str)], what: &str) -> Output {
    let mut command = sealwave();
    command.args(app.args()).env("AWS_EC2_METADATA_DISABLED", "true").envs(variables.iter().copied());
    let output = run_watched(&mut command, what);
    // There is no audit if the operator file is rejected.
    let audit = fs_err::read(app.path("operator/audit.jsonl")).unwrap_or_default();
    assert_eq!(find_marker(&audit, MARKER), None, "{what}: {}", String::from_utf8_lossy(&audit));
    output
}

/// Runs `generate`, which must fail, and returns its standard error.
fn stderr_of_failure(app: &SmallApp, variables: &[(&str, &str)], what: &str) -> String {
    let output = run_checked(app, variables, what);
    let stderr = String::from_utf8_lossy(&output.stderr).into_owned();
    assert_eq!(output.status.code(), Some(2), "{what}: {stderr}");
    assert!(output.stdout.is_empty(), "{what}: output in spite of a failure");
    assert!(!stderr.contains("internal error"), "{what}: {stderr}");
    stderr
}

const KEYS: [(&str, &str); 3] = [
    ("AWS_ACCESS_KEY_ID", "AKIACANARY"),
    ("AWS_SECRET_ACCESS_KEY", "CANARY-secret"),
    ("AWS_SESSION_TOKEN", "CANARY-session"),
];

/// Returns a response that repeats the whole request.
fn echo(asked: &RecordedRequest) -> String {
    let sent = ["authorization", "x-amz-security-token", "x-vault-token"].map(|name| asked.header(name));
    let text = format!("CANARY {sent:?} {}", asked.body);
    serde_json::json!({"__type": text, "message": text, "errors": [text], "data": text, "auth": text})
        .to_string()
}

#[test]
fn responses_never_appear_in_output() {
    type Answer = fn(&RecordedRequest) -> StubReply;
    let answers: &[(&str, Answer)] = &[
        ("another document", |asked| StubReply::json(200, echo(asked))),
        ("no JSON", |asked| StubReply::json(200, format!("{{\"data\": {}", echo(asked)))),
        ("half an answer", |asked| StubReply::json(200, echo(asked)).cut(12)),
        ("another type", |asked| StubReply::json(200, echo(asked)).header("Content-Type", "text/html")),
        ("a redirect", |asked| {
            StubReply::json(307, echo(asked)).header("Location", "http://CANARY.invalid/CANARY?CANARY")
        }),
        ("a bad request", |asked| StubReply::json(400, echo(asked))),
        ("who are you", |asked| StubReply::json(401, echo(asked)).header("WWW-Authenticate", "CANARY")),
        ("not for you", |asked| StubReply::json(403, echo(asked))),
        ("not found", |asked| StubReply::json(404, echo(asked))),
        ("too many", |asked| StubReply::json(429, echo(asked)).header("Retry-After", "CANARY")),
        ("a failure", |asked| StubReply::json(500, echo(asked))),
        ("silence", |asked| StubReply::json(200, echo(asked)).after(Duration::from_secs(30))),
    ];
    let check = |(what, answer): &(&str, Answer)| {
        let answer = *answer;
        let server = StubServer::start(move |asked, _| answer(asked));
        let stderr = stderr_of_failure(&app(&server.address), &KEYS, what);
        for text in REFERENCES {
            assert!(stderr.contains(text), "{what}: `{text}` is not in:\n{stderr}");
        }
        // Each source received a credential, so there was something to leak.
        let asked = server.asked();
        for name in ["authorization", "x-amz-security-token", "x-vault-token"] {
            assert!(asked.iter().any(|asked| asked.header(name).is_some()), "{what}: no `{name}`");
        }
        assert!(asked.iter().any(|asked| asked.body.contains("CANARY-jwt")), "{what}: no login");
        assert!(asked.iter().any(|asked| asked.body.contains("CANARY-secret-id")), "{what}: no login");
    };
    thread::scope(|scope| {
        for case in answers {
            scope.spawn(move || check(case));
        }
    });
}

/// Versions are written to the audit, but a server can return any text as a version.
#[test]
fn malformed_versions_are_dropped() {
    let server = StubServer::start(|asked, _| {
        let secret = r#""ARN":"a","Name":"shop/db","VersionId":"CANARY value","SecretString":"{\"password\":\"CANARY\"}""#;
        let target = asked.header("x-amz-target").unwrap_or(&asked.target);
        match target.rsplit(['.', '/']).next().unwrap_or_default() {
            "GetSecretValue" => StubReply::json(200, format!("{{{secret}}}")),
            "GetParameters" => {
                StubReply::json(200, r#"{"Parameters":[{"Name":"/shop/db","Value":"CANARY","Version":7}]}"#)
            }
            "login" => StubReply::json(200, r#"{"auth":{"client_token":"CANARY-client"}}"#),
            "web" => StubReply::json(
                200,
                r#"{"kind":"Secret","metadata":{"resourceVersion":"CANARY=value"},"data":{"token":"Q0FOQVJZ"}}"#,
            ),
            _ => StubReply::json(
                200,
                r#"{"data":{"data":{"password":"CANARY"},"metadata":{"version":"CANARY"}}}"#,
            ),
        }
    });
    let app = app(&server.address);
    let output = run_checked(&app, &KEYS, "versions");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let audit = fs_err::read_to_string(app.path("operator/audit.jsonl")).unwrap();
    assert_eq!(audit.matches("\"fetchedVersion\":null").count(), REFERENCES.len() - 1, "{audit}");
    assert!(audit.contains("\"fetchedVersion\":\"7\""), "{audit}");
}

/// Port 1 is closed, and one of the credentials is unusable; each case has its message.
#[test]
fn errors_about_credentials_do_not_contain_them() {
    type Change = fn(&SmallApp);
    let cases: &[(&str, Change)] = &[
        ("does not accept connections", |_| {}),
        ("operator/token` does not contain a token", |app| {
            app.write("operator/token", "CANARY-1\nCANARY-2\n");
        }),
        ("operator/jwt` does not contain a token", |app| app.write("operator/jwt", "CANARY\u{1}\n")),
        ("operator/secret-id` does not contain a token", |app| {
            app.write("operator/secret-id", "CANARY CANARY\n");
        }),
        ("operator/kubeconfig` cannot be used", |app| {
            app.write("operator/kubeconfig", "CANARY: [CANARY\n");
        }),
        ("operator/kubeconfig` cannot be used", |app| {
            app.write("operator/kubeconfig", "{kind: Config, users: [{name: u, user: CANARY}]}\n");
        }),
        ("credentials for the cluster cannot be used", |app| {
            let keys = "client-certificate-data: CANARY, client-key-data: CANARY";
            app.replace("operator/kubeconfig", "token: CANARY-user", keys);
        }),
        ("the token in `kubeconfig`", |app| {
            app.replace("operator/kubeconfig", "CANARY-user", "\"CANARY-user\\n\"");
        }),
        ("the token in `kubeconfig`", |app| {
            app.replace("operator/kubeconfig", "CANARY-user", "\"CANARY \\x07\\xe4\"");
        }),
        ("the user name or password in `kubeconfig`", |app| {
            let login = "username: u, password: \"CANARY\\0\"";
            app.replace("operator/kubeconfig", "token: CANARY-user", login);
        }),
        ("a token of `auth-provider` in `kubeconfig`", |app| {
            let login = "auth-provider: {name: gcp, config: {access-token: \"CANARY\\n\", expiry: \"2099-01-01T00:00:00Z\"}}";
            app.replace("operator/kubeconfig", "token: CANARY-user", login);
        }),
        ("the cluster's API cannot be reached", |app| {
            let server = "server: 'https://127.0.0.1:1', proxy-url: 'http://u:CANARY@127.0.0.1:1'";
            app.replace("operator/kubeconfig", "server: 'http://127.0.0.1:1'", server);
        }),
        ("operator/kubeconfig` cannot be used", |app| {
            app.replace("operator/kubeconfig", "1:1'}", "1:1', proxy-url: 'http://u:CANARY@ x'}");
        }),
        ("`proxy` must be the address", |app| {
            let proxy = "proxy: 'http://u:CANARY@127.0.0.1:1', region";
            app.replace("operator/operator.yaml", "region", proxy);
        }),
        ("`proxy` must be the address", |app| {
            let proxy = "proxy: 'CANARY://127.0.0.1:1', mounts";
            app.replace("operator/operator.yaml", "mounts", proxy);
        }),
        ("caFile", |app| {
            app.write("operator/ca.pem", "CANARY");
            app.replace("operator/operator.yaml", "region", "caFile: ca.pem, region");
        }),
        ("caFile", |app| {
            let pem = "-----BEGIN CERTIFICATE-----\nCANARY\n-----END CERTIFICATE-----\n";
            app.write("operator/ca.pem", pem);
            let (before, after) = ("'http://127.0.0.1:1', m", "'https://127.0.0.1:1', caFile: ca.pem, m");
            app.replace("operator/operator.yaml", before, after);
        }),
        ("contains a user or a password", |app| {
            let (before, after) = ("'http://127.0.0.1:1', m", "'http://u:CANARY@127.0.0.1:1', m");
            app.replace("operator/operator.yaml", before, after);
        }),
        ("without user", |app| {
            let endpoint = "endpointUrl: 'http://";
            app.replace("operator/operator.yaml", endpoint, &format!("{endpoint}u:CANARY@"));
        }),
    ];
    let check = |index: usize, (phrase, change): &(&str, Change)| {
        let app = app("http://127.0.0.1:1");
        change(&app);
        let what = format!("case {index}");
        let stderr = stderr_of_failure(&app, &KEYS, &what);
        assert!(stderr.contains(phrase), "{what}: `{phrase}` is not in:\n{stderr}");
    };
    thread::scope(|scope| {
        for (index, case) in cases.iter().enumerate() {
            scope.spawn(move || check(index, case));
        }
    });
}

/// The SDK finds only unusable credentials.
#[test]
fn errors_of_the_sdk_do_not_contain_credentials() {
    let app = app("http://127.0.0.1:1");
    app.write(
        "aws",
        "[default\naws_access_key_id = CANARY\n[profile CANARY]\ncredential_process = echo CANARY\n",
    );
    let file = app.path("aws");
    let file = file.to_str().unwrap();
    let proxy = "http://u:CANARY@127.0.0.1:1";
    let identity = [
        ("AWS_WEB_IDENTITY_TOKEN_FILE", file),
        ("AWS_ROLE_ARN", "CANARY"),
        ("AWS_ENDPOINT_URL_STS", "http://127.0.0.1:1"),
    ];
    let agent = [
        ("AWS_CONTAINER_CREDENTIALS_FULL_URI", "http://127.0.0.1:1/CANARY"),
        ("AWS_CONTAINER_AUTHORIZATION_TOKEN", "CANARY"),
    ];
    // Values that cannot be sent in a header, such as those of a file that ends with a line break.
    let (line, bell, letter) = (
        [("AWS_ACCESS_KEY_ID", "AKIACANARY"), ("AWS_SECRET_ACCESS_KEY", "CANARY\n")],
        [("AWS_SECRET_ACCESS_KEY", "CANARY"), ("AWS_ACCESS_KEY_ID", "AKIACANARY\u{7}")],
        [KEYS[0], KEYS[1], ("AWS_SESSION_TOKEN", "CANARY \u{e4}")],
    );
    let (asked, unusable) = ("aws-sm:shop/db#password", "configuration of the AWS credentials is not valid");
    let variables: [(&str, &[(&str, &str)]); 8] = [
        (unusable, &line),
        (unusable, &bell),
        (unusable, &letter),
        (asked, &[("AWS_CONFIG_FILE", file)]),
        (asked, &[("AWS_SHARED_CREDENTIALS_FILE", file)]),
        (asked, &identity),
        (asked, &agent),
        (asked, &[("HTTPS_PROXY", proxy), ("HTTP_PROXY", proxy)]),
    ];
    thread::scope(|scope| {
        for (phrase, variables) in variables {
            let app = &app;
            scope.spawn(move || {
                let what = format!("with {}", variables[0].0);
                let stderr = stderr_of_failure(app, variables, &what);
                assert!(stderr.contains(phrase), "{what}: `{phrase}` is not in {stderr}");
            });
        }
    });
}
