use std::sync::Mutex;

use serde_json::{Value, json};

use super::*;
use crate::testing::{MARKER, reference};
use crate::vault::provider::tests::settings;
use sealwave_testkit::stub_server::{RecordedRequest, StubReply, StubServer};

/// Starts a server that accepts every login and revocation, and handles all other requests with `answers`.
fn server(answers: impl Fn(&RecordedRequest, usize) -> StubReply + Send + Sync + 'static) -> StubServer {
    StubServer::start(move |asked, before| match asked.target.as_str() {
        "/v1/auth/token/revoke-self" => StubReply::json(204, ""),
        "/v1/auth/approle/login" => reply(&json!({"auth": {"client_token": "hvs.CANARY"}})),
        _ => answers(asked, before),
    })
}

fn reply(body: &Value) -> StubReply {
    StubReply::json(200, body.to_string())
}

fn version_2(fields: &Value, version: u64) -> StubReply {
    reply(
        &json!({"data": {"data": fields, "metadata": {"version": version, "deletion_time": "", "destroyed": false}}}),
    )
}

fn conflict() -> StubReply {
    let errors = json!({"errors": ["check-and-set parameter did not match the current version"]});
    StubReply::json(400, errors.to_string())
}

fn open(server: &StubServer) -> (tempfile::TempDir, VaultStore) {
    let (dir, settings) = settings(&server.address);
    let store = VaultStore::new(&settings, "vault", dir.path()).expect("valid settings");
    (dir, store)
}

fn fields(value: &Value) -> SecretValue {
    SecretValue::new(value.to_string().into_bytes())
}

fn body(asked: &RecordedRequest) -> Value {
    serde_json::from_str(&asked.body).expect("JSON")
}

fn writes(server: &StubServer) -> Vec<RecordedRequest> {
    let is_write = |asked: &RecordedRequest| asked.method == "POST" && !asked.target.starts_with("/v1/auth");
    server.asked().into_iter().filter(is_write).collect()
}

/// Requires that an error has a hint, and nothing of a secret.
fn checked<E: Explain + std::fmt::Debug>(error: E) -> E {
    let shown = format!("{error} {error:?} {:?}", error.hint());
    assert!(!shown.contains(MARKER) && error.hint().is_some(), "{shown}");
    error
}

#[test]
fn version_2_writes_only_the_version_that_was_read() {
    let server = server(|asked, _| match asked.method.as_str() {
        "GET" => version_2(&json!({"a": "CANARY", "n": 1}), 7),
        _ => reply(&json!({"data": {"version": 8}})),
    });
    let (_dir, store) = open(&server);
    for spelling in ["vault:secret/db", "vault:secret/data/db#a"] {
        let secret = store.read(&reference(spelling)).expect("read");
        assert_eq!((secret.version(), secret.removed()), (Some(7), None));
        assert!(
            secret.has(&fields(&json!({"n": 1, "a": "CANARY"}))) && !secret.has(&fields(&json!({"n": 1})))
        );
        assert_eq!(store.write(&secret, &fields(&json!({"a": "CANARY 2"}))), Ok(Some(8)));
    }
    let writes = writes(&server);
    assert_eq!(writes.len(), 2);
    for write in writes {
        assert_eq!(write.target, "/v1/secret/data/db");
        assert_eq!(body(&write), json!({"options": {"cas": 7}, "data": {"a": "CANARY 2"}}));
    }
    // Each session ends with its token.
    assert_eq!(server.count("POST", "/v1/auth/token/revoke-self"), 4);
}

#[test]
fn a_concurrent_change_is_not_overwritten() {
    let server = server(|asked, before| match (asked.method.as_str(), before) {
        ("GET", 0) => version_2(&json!({"a": "CANARY"}), 7),
        ("GET", _) => version_2(&json!({"a": "CANARY of another"}), 8),
        _ => conflict(),
    });
    let (_dir, store) = open(&server);
    let secret = store.read(&reference("vault:secret/db")).expect("read");
    let error = store.write(&secret, &fields(&json!({"a": "CANARY 2"}))).expect_err("a conflict");
    assert_eq!(checked(error), VaultWriteError::Overtaken);
    assert_eq!(writes(&server).len(), 1);
}

#[test]
fn a_write_whose_answer_was_lost_is_recognized() {
    let server = server(|asked, before| match (asked.method.as_str(), before) {
        ("GET", 0) => version_2(&json!({"a": "CANARY"}), 7),
        ("GET", _) => version_2(&json!({"a": "CANARY 2", "b": "CANARY"}), 8),
        (_, 0) => reply(&json!({"data": {"version": 8}})).cut(5),
        _ => conflict(),
    });
    let (_dir, store) = open(&server);
    let secret = store.read(&reference("vault:secret/db")).expect("read");
    // The server spells it in another order.
    let written = SecretValue::new(br#"{"b":"CANARY", "a":"CANARY 2"}"#.to_vec());
    assert_eq!(store.write(&secret, &written), Ok(Some(8)));
    assert_eq!(writes(&server).len(), 2);
}

#[test]
fn version_1_is_read_again_before_it_is_written() {
    let now = std::sync::Arc::new(Mutex::new(json!({"a": "CANARY"})));
    let seen = std::sync::Arc::clone(&now);
    let server = server(move |asked, _| match asked.method.as_str() {
        "GET" => reply(&json!({"data": *seen.lock().expect("not poisoned")})),
        _ => StubReply::json(204, ""),
    });
    let (_dir, store) = open(&server);
    let secret = store.read(&reference("vault:old/db")).expect("read");
    assert_eq!(secret.version(), None);
    assert_eq!(store.write(&secret, &fields(&json!({"a": "CANARY 2"}))), Ok(None));
    let written = writes(&server);
    assert_eq!((written.len(), body(&written[0])), (1, json!({"a": "CANARY 2"})));
    *now.lock().expect("not poisoned") = json!({"a": "CANARY of another"});
    let error = store.write(&secret, &fields(&json!({"a": "CANARY 3"}))).expect_err("changed");
    assert_eq!(checked(error), VaultWriteError::Overtaken);
    assert_eq!(writes(&server).len(), 1);
}

#[test]
fn a_secret_without_a_value_keeps_its_number() {
    let metadata = |deleted: &str, destroyed: bool| {
        let metadata = json!({"version": 3, "deletion_time": deleted, "destroyed": destroyed});
        StubReply::json(404, json!({"data": {"data": null, "metadata": metadata}}).to_string())
    };
    let server = server(move |asked, _| match asked.target.as_str() {
        "/v1/secret/data/deleted" => metadata("2026-01-01T00:00:00Z", false),
        "/v1/secret/data/destroyed" => metadata("", true),
        _ => StubReply::json(404, r#"{"errors":[]}"#),
    });
    let (_dir, store) = open(&server);
    for (path, version, removed) in [
        ("secret/deleted", Some(3), Some("this version was deleted")),
        ("secret/destroyed", Some(3), Some("this version was destroyed")),
        ("secret/none", Some(0), None),
        ("old/none", None, None),
    ] {
        let secret = store.read(&reference(&format!("vault:{path}"))).expect("known");
        assert!(secret.fields().is_none(), "{path}");
        assert_eq!((secret.version(), secret.removed()), (version, removed), "{path}");
    }
}

#[test]
fn refusals_have_a_reason_and_a_hint() {
    let server = server(|asked, _| match (asked.method.as_str(), asked.target.as_str()) {
        ("GET", "/v1/secret/data/unreadable") => StubReply::json(403, r#"{"errors":["CANARY"]}"#),
        ("GET", _) => version_2(&json!({"a": "CANARY"}), 7),
        (_, "/v1/secret/data/readonly") => StubReply::json(403, r#"{"errors":["CANARY"]}"#),
        (_, "/v1/secret/data/large") => StubReply::json(413, r#"{"errors":["CANARY"]}"#),
        (_, "/v1/secret/data/odd") => reply(&json!({"data": "CANARY"})),
        (_, "/v1/secret/data/gone") => StubReply::json(410, r#"{"errors":["CANARY"]}"#),
        _ => StubReply::json(307, "").header("Location", "https://vault.evil/v1/secret/data/db"),
    });
    let (_dir, store) = open(&server);
    let unreadable = store.read(&reference("vault:secret/unreadable")).err().expect("denied");
    assert!(checked(unreadable).to_string().contains("not allowed to read `secret/data/unreadable`"));
    for path in ["sys/health", "elsewhere/db", "secret/../sys"] {
        checked(store.read(&reference(&format!("vault:{path}"))).err().expect("refused"));
    }
    for (path, reason) in [
        ("readonly", "the token is not allowed to write `secret/data/readonly`"),
        ("large", "the server does not accept the secret (413)"),
        ("odd", "the server's response is not a Vault response"),
        ("gone", "the server rejected the request (410)"),
        ("elsewhere", "the server redirects to another address"),
    ] {
        let secret = store.read(&reference(&format!("vault:secret/{path}"))).expect("read");
        let error = store.write(&secret, &fields(&json!({"a": "CANARY 2"}))).expect_err("refused");
        let is_unknown = ["odd", "elsewhere"].contains(&path);
        let what = if is_unknown { "may have been written, or not" } else { "cannot be written" };
        assert_eq!(checked(error).to_string(), format!("{what}: {reason}"));
    }
    assert_eq!(writes(&server).len(), 5, "nothing is sent again");
}
