//! Tests of TLS and proxies: each service has a certificate of a test CA, and errors are reported if it does not match.

#![allow(
    clippy::unwrap_used,
    clippy::print_stderr,
    reason = "tests fail by panicking and report what they skip"
)]

use std::process::Output;
use std::sync::Arc;

use crate::support::small_app::SmallApp;
use crate::support::{MARKER, find_marker, sealwave};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use sealwave_testkit::rustls::ServerConfig;
use sealwave_testkit::stub_server::{RecordedRequest, StubReply, StubServer};
use sealwave_testkit::tls::{Authority, Proxy};

/// The host of the servers' certificates.
const HERE: &str = "127.0.0.1";

/// The three kinds of clients, and the names of their peers in messages.
const KINDS: [(&str, &str); 3] = [
    ("aws", "the endpoint of `secretsmanager:GetSecretValue`"),
    ("k8s", "the cluster's API"),
    ("vault", "the server"),
];

/// Responds like all three services.
fn answer(asked: &RecordedRequest) -> StubReply {
    let secret = r#"{"ARN":"a","Name":"db","VersionId":"1","SecretString":"CANARY"}"#;
    match asked.target.as_str() {
        "/" if asked.header("x-amz-target") == Some("secretsmanager.GetSecretValue") => {
            StubReply::json(200, secret)
        }
        "/v1/secret/data/db" => {
            StubReply::json(200, r#"{"data":{"data":{"k":"CANARY"},"metadata":{"version":1}}}"#)
        }
        "/api/v1/namespaces/shop/secrets/db" => {
            StubReply::json(200, r#"{"kind":"Secret","type":"Opaque","data":{"k":"Q0FOQVJZ"}}"#)
        }
        _ => StubReply::json(404, "{}"),
    }
}

fn server(tls: Arc<ServerConfig>) -> StubServer {
    StubServer::start_tls(tls, |asked, _| answer(asked))
}

/// Returns the small app with one secret of a kind at `address`. `authority` is trusted; `more` are additional settings.
fn app(kind: &str, address: &str, authority: Option<&Authority>, more: &str) -> SmallApp {
    let app = SmallApp::new();
    if let Some(authority) = authority {
        app.write("operator/ca.pem", &authority.pem());
    }
    let trust = if authority.is_some() { ", caFile: ca.pem" } else { "" };
    let (provider, reference) = match kind {
        "aws" => (
            format!("{{kind: aws-sm, region: eu-west-1, endpointUrl: '{address}'{trust}{more}}}"),
            "<aws:db>",
        ),
        "k8s" => ("{kind: k8s, namespace: shop, kubeconfig: kubeconfig}".to_owned(), "<k8s:db#k>"),
        _ => (
            format!(
                "{{kind: vault, address: '{address}', mounts: {{secret: 2}}, auth: {{token: {{file: token}}}}{trust}{more}}}"
            ),
            "<vault:secret/db#k>",
        ),
    };
    app.write(
        "operator/operator.yaml",
        &format!(
            "apiVersion: sealwave.dev/v1alpha1\nkind: Operator\nsealKeyFile: seal-key\ndeadlineSeconds: 20\n\
             clusters: {{dev: {{certificate: {{file: dev.pem, allowExpired: true}}}}}}\n\
             policy: [{{projects: ['*'], allow: ['*:**']}}]\nproviders: {{{kind}: {provider}}}\n"
        ),
    );
    app.write("operator/token", "CANARY-token\n");
    kubeconfig(&app, address, authority, more, "token: CANARY-token");
    app.write(
        "app/base/secrets.yaml",
        &format!("apiVersion: v1\nkind: Secret\nmetadata: {{name: api, namespace: shop}}\nstringData: {{a: {reference}}}\n"),
    );
    app
}

fn kubeconfig(app: &SmallApp, address: &str, authority: Option<&Authority>, more: &str, user: &str) {
    let trust = authority.map_or_else(String::new, |authority| {
        format!(", certificate-authority-data: {}", STANDARD.encode(authority.pem()))
    });
    let more = more.replace("proxy:", "proxy-url:");
    app.write(
        "operator/kubeconfig",
        &format!(
            "apiVersion: v1\nkind: Config\ncurrent-context: c\n\
             clusters: [{{name: c, cluster: {{server: '{address}'{trust}{more}}}}}]\n\
             users: [{{name: u, user: {{{user}}}}}]\ncontexts: [{{name: c, context: {{cluster: c, user: u}}}}]\n"
        ),
    );
}

fn generate(app: &SmallApp, variables: &[(&str, &str)]) -> Output {
    let output = sealwave()
        .args(app.args())
        .envs([("AWS_ACCESS_KEY_ID", "AKIACANARY"), ("AWS_SECRET_ACCESS_KEY", "CANARY")])
        .env("AWS_EC2_METADATA_DISABLED", "true")
        .env("RUST_LOG", "trace")
        .envs(variables.iter().copied())
        .output()
        .unwrap();
    for bytes in [&output.stdout, &output.stderr] {
        assert_eq!(find_marker(bytes, MARKER), None, "{}", String::from_utf8_lossy(bytes));
    }
    output
}

fn succeeds(app: &SmallApp, variables: &[(&str, &str)], what: &str) {
    let output = generate(app, variables);
    assert!(output.status.success(), "{what}: {}", String::from_utf8_lossy(&output.stderr));
}

fn fails(app: &SmallApp, variables: &[(&str, &str)], phrases: &[&str], what: &str) {
    let output = generate(app, variables);
    let stderr = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(2), "{what}: {stderr}");
    assert!(!stderr.contains("internal error") && output.stdout.is_empty(), "{what}: {stderr}");
    for phrase in phrases {
        assert!(stderr.contains(phrase), "{what}: `{phrase}` is not in:\n{stderr}");
    }
}

#[test]
fn only_the_configured_authority_is_trusted() {
    let (authority, other) = (Authority::new(), Authority::new());
    let server = server(authority.server(HERE));
    for (kind, peer) in KINDS {
        succeeds(&app(kind, &server.address, Some(&authority), ""), &[], kind);
        let untrusted = format!("{peer} has a TLS certificate from a CA that is not trusted");
        let hint = if kind == "k8s" { "`certificate-authority-data`" } else { "set `caFile`" };
        for trusted in [None, Some(&other)] {
            let app = app(kind, &server.address, trusted, "");
            fails(&app, &[], &[&untrusted, hint], kind);
        }
    }
    // No request was sent to an untrusted server.
    assert_eq!(server.asked().len(), KINDS.len());
}

#[test]
fn certificate_errors_have_distinct_messages() {
    let authority = Authority::new();
    let expired = server(authority.expired_server(HERE));
    let stranger = server(authority.server("vault.example.com"));
    let plain = sealwave_testkit::tls::without_tls();
    for (kind, peer) in KINDS {
        for (address, phrase, hint) in [
            (&expired.address, "has a TLS certificate that has expired", "renew it"),
            (&stranger.address, "has a TLS certificate for another host name", "use a host name"),
            (&plain, "does not speak TLS", "check the scheme and port"),
        ] {
            let app = app(kind, address, Some(&authority), "");
            fails(&app, &[], &[&format!("{peer} {phrase}"), hint], kind);
        }
    }
    assert_eq!((expired.asked().len(), stranger.asked().len()), (0, 0));
}

#[test]
fn client_certificates_are_supported() {
    let authority = Authority::new();
    let server = server(authority.server_for_known_clients(HERE));
    let (certificate, key) = authority.client();
    let app = app("k8s", &server.address, Some(&authority), "");
    fails(&app, &[], &["the cluster's API"], "without a certificate");
    assert_eq!(server.asked().len(), 0);
    let user = format!(
        "client-certificate-data: {}, client-key-data: {}",
        STANDARD.encode(certificate),
        STANDARD.encode(key)
    );
    kubeconfig(&app, &server.address, Some(&authority), "", &user);
    succeeds(&app, &[], "with a certificate");
    assert_eq!(server.asked()[0].header("authorization"), None);
}

#[test]
fn redirects_are_not_followed_over_tls() {
    let authority = Authority::new();
    let other = server(authority.server(HERE));
    let target = other.address.clone();
    let server = StubServer::start_tls(authority.server(HERE), move |asked, _| {
        StubReply::json(307, "").header("Location", format!("{target}{}", asked.target))
    });
    for (kind, _) in KINDS {
        fails(&app(kind, &server.address, Some(&authority), ""), &[], &[], kind);
    }
    assert!(other.asked().is_empty() && server.asked().len() >= KINDS.len());
}

#[test]
fn unusable_certificates_are_rejected() {
    let text = "-----BEGIN CERTIFICATE-----\nQ0FOQVJZ\n-----END CERTIFICATE-----\n";
    for kind in ["aws", "vault"] {
        for (pem, phrase) in [
            (text, "contains a certificate that cannot be read"),
            ("CANARY", "contains no certificate"),
            ("", "contains no certificate"),
        ] {
            let app = app(kind, "https://127.0.0.1:1", Some(&Authority::new()), "");
            app.write("operator/ca.pem", pem);
            fails(&app, &[], &["operator/ca.pem", phrase], kind);
        }
    }
}

#[test]
fn only_the_operator_configures_proxies() {
    let authority = Authority::new();
    let server = server(authority.server("secrets.example.com"));
    let proxy = Proxy::to(&server.address);
    let address = "https://secrets.example.com:8443";
    for (kind, _) in KINDS {
        let before = proxy.asked().len();
        let with_proxy = app(kind, address, Some(&authority), &format!(", proxy: '{}'", proxy.address));
        // A closed port, and an exclusion of all hosts.
        let misled = [("HTTPS_PROXY", "http://127.0.0.1:1"), ("NO_PROXY", "*")];
        succeeds(&with_proxy, &misled, kind);
        assert_eq!(proxy.asked()[before..], ["CONNECT secrets.example.com:8443 HTTP/1.1"], "{kind}");
    }
    // Without the setting, the environment's proxy is not used: the host itself is not found.
    let before = proxy.asked().len();
    let here = self::server(authority.server(HERE));
    for (kind, _) in KINDS {
        let names = ["HTTPS_PROXY", "https_proxy", "ALL_PROXY", "HTTP_PROXY", "http_proxy"];
        let variables = names.map(|name| (name, proxy.address.as_str()));
        succeeds(&app(kind, &here.address, Some(&authority), ""), &variables, kind);
    }
    assert_eq!((proxy.asked().len(), here.asked().len()), (before, KINDS.len()));
}

#[test]
fn a_proxy_sees_no_plaintext_and_has_no_login() {
    for (kind, word) in
        [("aws", "`proxy` must be the address of an HTTP proxy"), ("vault", "`proxy` must be the address")]
    {
        let login = app(kind, "https://127.0.0.1:1", None, ", proxy: 'http://u:CANARY@127.0.0.1:3128'");
        fails(&login, &[], &[word, "without a user or a password"], kind);
    }
    let plain = StubServer::start(|asked, _| answer(asked));
    let proxy = Proxy::to(&plain.address);
    let more = format!(", proxy: '{}'", proxy.address);
    fails(&app("vault", &plain.address, None, &more), &[], &["`address` is plain HTTP"], "vault");
    for kind in ["aws", "k8s"] {
        succeeds(&app(kind, &plain.address, None, &more), &[], kind);
    }
    assert!(proxy.asked().is_empty());
}
