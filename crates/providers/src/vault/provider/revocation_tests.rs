//! Tests that tokens from logins are revoked at the end of each run, and tokens from the operator are not.

use std::time::{Duration, Instant};

use serde_json::json;
use tempfile::TempDir;

use super::tests::{REVOKE, kv2, settings, vault};
use crate::testing::{self, BytesResult, LONG, MARKER, is_denied};
use crate::vault::settings::{VaultAuth, VaultSettings};
use crate::{ProviderConfig, ProviderRegistry};
use sealwave_testkit::stub_server::{RecordedRequest, StubReply, StubServer};

/// Starts a server whose tokens contain the number of the login, and which handles revocations with `revoked`.
fn server(
    auth: impl Fn(usize) -> serde_json::Value + Send + Sync + 'static,
    revoked: impl Fn(&RecordedRequest, usize) -> StubReply + Send + Sync + 'static,
) -> StubServer {
    StubServer::start(move |asked, before| match asked.target.as_str() {
        REVOKE => revoked(asked, before),
        target if target.ends_with("/login") => {
            StubReply::json(200, json!({"auth": auth(before)}).to_string())
        }
        target if target.contains("forbidden") => StubReply::json(403, "{}"),
        target if target.contains("slow") => kv2(r#"{"k":"v"}"#).after(Duration::from_secs(20)),
        target if target.contains("expired") && asked.header("x-vault-token") == Some("CANARY-0") => {
            StubReply::json(403, r#"{"errors":["permission denied","invalid token"]}"#)
        }
        _ => kv2(r#"{"k":"v"}"#),
    })
}

fn service_token(number: usize) -> serde_json::Value {
    json!({"client_token": format!("CANARY-{number}"), "token_type": "service"})
}

/// Responds to a revocation like the real server: without content and without a content type.
fn gone(_: &RecordedRequest, _: usize) -> StubReply {
    StubReply::json(204, "").header("Content-Type", "")
}

/// Returns the result of each source, and the notes of the fetch.
fn fetch(
    dir: &TempDir,
    settings: &VaultSettings,
    sources: &[&str],
    left: Duration,
) -> (Vec<BytesResult>, Vec<String>) {
    let (name, config) = vault(settings);
    let providers = providers(dir, [(name, config)]);
    let references: Vec<_> =
        sources.iter().map(|source| testing::reference(&format!("{name}:{source}"))).collect();
    let fetched = providers.fetch(&references, Instant::now() + left);
    let answers = references.iter().map(|reference| fetched[reference].clone()).collect();
    (testing::bytes(answers), notes(&providers))
}

fn providers<const N: usize>(dir: &TempDir, all: [(&str, ProviderConfig); N]) -> ProviderRegistry {
    let config = all.map(|(name, config)| (name.to_owned(), config)).into();
    let app = testing::app(dir.path());
    ProviderRegistry::new(&config, dir.path(), &crate::ProtectedFiles::default(), &app, |_| None)
        .expect("valid settings")
}

fn notes(providers: &ProviderRegistry) -> Vec<String> {
    let notes = providers.take_notes();
    assert!(providers.take_notes().is_empty(), "notes are taken once");
    let text = |note: &sealwave_core::diagnostic::Note| {
        let text = format!("{} {}", note.problem.message, note.problem.hint.clone().unwrap_or_default());
        assert!(!text.contains(MARKER), "{text}");
        text
    };
    notes.iter().map(text).collect()
}

/// Returns the tokens of all revocations, in order.
fn revoked(server: &StubServer) -> Vec<String> {
    let asked = server.asked().into_iter().filter(|asked| asked.target == REVOKE);
    asked.map(|asked| asked.header("x-vault-token").unwrap_or_default().to_owned()).collect()
}

#[test]
fn login_tokens_are_revoked_and_configured_tokens_are_not() {
    let server = server(service_token, gone);
    let (dir, mut settings) = settings(&server.address);
    let kubernetes = |mount: Option<&str>| VaultAuth::Kubernetes {
        mount: mount.map(str::to_owned),
        role: "argocd".to_owned(),
        token_file: Some("jwt".into()),
    };
    for (auth, expected) in [
        (settings.auth.clone(), 1),
        (kubernetes(None), 1),
        (kubernetes(Some("jwt")), 1),
        (VaultAuth::Token { file: "token".into() }, 0),
    ] {
        let before = revoked(&server).len();
        settings.auth = auth;
        let (answers, notes) = fetch(&dir, &settings, &["secret/a#k"], LONG);
        assert!(answers[0].is_ok());
        assert_eq!(notes, [""; 0]);
        assert_eq!(revoked(&server).len() - before, expected);
    }
    let last = server.asked().into_iter().rfind(|asked| asked.target == REVOKE).expect("asked");
    assert_eq!((last.method.as_str(), last.body.as_str()), ("POST", "{}"));
}

#[test]
fn a_token_is_revoked_even_if_nothing_was_fetched() {
    let server = server(service_token, gone);
    let (dir, settings) = settings(&server.address);
    let (answers, _) = fetch(&dir, &settings, &["secret/forbidden#k", "other/a#k"], LONG);
    assert!(answers.iter().all(is_denied));
    assert_eq!(revoked(&server), ["CANARY-0"]);
    // Without a valid reference there is no login.
    let logins = server.count("POST", "/v1/auth/approle/login");
    fetch(&dir, &settings, &["sys/mounts#k", "secret/../a#k"], LONG);
    assert_eq!(server.count("POST", "/v1/auth/approle/login"), logins);
    assert_eq!(revoked(&server).len(), 1);
}

#[test]
fn a_second_login_is_revoked_with_the_first() {
    let server = server(service_token, |asked, _| {
        if asked.header("x-vault-token") == Some("CANARY-0") {
            StubReply::json(403, r#"{"errors":["permission denied","invalid token"]}"#)
        } else {
            StubReply::json(204, "")
        }
    });
    let (dir, settings) = settings(&server.address);
    let (answers, notes) = fetch(&dir, &settings, &["secret/expired#k"], LONG);
    assert!(answers[0].is_ok());
    assert_eq!(revoked(&server), ["CANARY-0", "CANARY-1"]);
    assert_eq!(notes, [""; 0]);
}

#[test]
fn batch_tokens_are_not_revoked() {
    let batch = server(|_| json!({"client_token": "CANARY", "token_type": "batch"}), gone);
    let (dir, settings) = settings(&batch.address);
    assert_eq!(fetch(&dir, &settings, &["secret/a#k"], LONG).1, [""; 0]);
    assert_eq!(revoked(&batch), [""; 0]);
    // A batch token whose type the login does not report.
    let unsaid = server(
        |_| json!({"client_token": "CANARY"}),
        |_, _| StubReply::json(400, r#"{"errors":["batch tokens cannot be revoked"]}"#),
    );
    let (dir, settings) = super::tests::settings(&unsaid.address);
    assert_eq!(fetch(&dir, &settings, &["secret/a#k"], LONG).1, [""; 0]);
    assert_eq!(revoked(&unsaid), ["CANARY"]);
}

#[test]
fn a_failed_revocation_only_adds_a_note() {
    for (status, body, expected) in [
        (403, r#"{"errors":["permission denied CANARY"]}"#, "the server rejected the revocation (403)"),
        (404, r#"{"errors":["CANARY"]}"#, "the server rejected the revocation (404)"),
        (405, "CANARY", "the server rejected the revocation (405)"),
        (307, "", "the server did not respond in time"),
    ] {
        let server = server(service_token, move |_, _| {
            StubReply::json(status, body).header("Location", "http://127.0.0.1:9/")
        });
        let (dir, settings) = settings(&server.address);
        let (answers, notes) = fetch(&dir, &settings, &["secret/a#k"], LONG);
        assert_eq!(answers[0].as_deref(), Ok(&b"v"[..]));
        let [note] = &notes[..] else { panic!("{notes:?}") };
        assert!(note.contains("provider `vault`") && note.contains(expected), "{note}");
        assert_eq!(note.contains("capabilities = [\"update\"]"), status == 403, "{note}");
        assert_eq!(revoked(&server).len(), 1);
    }
}

#[test]
fn a_hanging_server_delays_a_run_by_at_most_a_second() {
    let server = server(service_token, |_, _| StubReply::json(204, "").after(Duration::from_secs(20)));
    let (dir, settings) = settings(&server.address);
    let started = Instant::now();
    let (answers, notes) = fetch(&dir, &settings, &["secret/a#k"], LONG);
    assert_eq!(answers[0].as_deref(), Ok(&b"v"[..]));
    assert!(started.elapsed() < Duration::from_secs(5), "{:?}", started.elapsed());
    assert!(notes[0].contains("did not respond in time"), "{notes:?}");
}

#[test]
fn time_is_reserved_for_revocation() {
    let server = server(service_token, gone);
    let (dir, settings) = settings(&server.address);
    let started = Instant::now();
    let (answers, notes) =
        fetch(&dir, &settings, &["secret/quick#k", "secret/slow#k"], Duration::from_secs(2));
    assert!(started.elapsed() < Duration::from_secs(2), "{:?}", started.elapsed());
    assert!(answers[0].is_ok() && answers[1].is_err());
    assert_eq!(revoked(&server), ["CANARY-0"]);
    assert_eq!(notes, [""; 0]);
}

#[test]
fn each_instance_revokes_its_own_tokens() {
    let (one, two) = (server(service_token, gone), server(service_token, gone));
    let (dir, settings) = settings(&one.address);
    let other = VaultSettings {
        address: two.address.clone(),
        namespace: Some("team".to_owned()),
        ..settings.clone()
    };
    let config = |settings: &VaultSettings| ProviderConfig::Vault(settings.clone());
    let providers = providers(&dir, [("vault", config(&settings)), ("vault-b", config(&other))]);
    let references = ["vault:secret/a#k", "vault-b:secret/forbidden#k"].map(testing::reference);
    providers.fetch(&references, Instant::now() + LONG);
    for server in [&one, &two] {
        assert_eq!(revoked(server), ["CANARY-0"]);
    }
    assert!(two.asked().iter().all(|asked| asked.header("x-vault-namespace") == Some("team")));
}
