use std::collections::BTreeMap;
use std::path::Path;
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::json;
use tempfile::TempDir;

use super::*;
use crate::ProviderConfig;
use crate::testing::{self, BytesResult, LONG, result_kind};
use sealwave_testkit::stub_server::{RecordedRequest, StubReply, StubServer};

/// Creates a directory with a kubeconfig for this server.
fn kubeconfig(server: &str) -> TempDir {
    let dir = tempfile::tempdir().expect("a directory");
    let config = json!({
        "apiVersion": "v1",
        "kind": "Config",
        "current-context": "other",
        "clusters": [
            {"name": "stub", "cluster": {"server": server}},
            {"name": "other", "cluster": {"server": "http://127.0.0.1:1"}},
        ],
        "users": [{"name": "us", "user": {"token": "CANARY-token"}}],
        "contexts": [
            {"name": "stub", "context": {"cluster": "stub", "user": "us"}},
            {"name": "other", "context": {"cluster": "other", "user": "us"}},
        ],
    });
    fs_err::write(dir.path().join("kubeconfig"), config.to_string()).expect("written");
    dir
}

fn settings(namespaces: &[&str]) -> K8sSettings {
    let (namespace, namespaces) = match namespaces {
        [one] => (Some((*one).to_owned()), Vec::new()),
        several => (None, several.iter().map(|name| (*name).to_owned()).collect()),
    };
    K8sSettings {
        namespace,
        namespaces,
        kubeconfig: Some("kubeconfig".into()),
        context: Some("stub".to_owned()),
    }
}

fn fetch_within(server: &str, settings: &K8sSettings, sources: &[&str], left: Duration) -> Vec<BytesResult> {
    let dir = kubeconfig(server);
    testing::bytes(testing::fetch(dir.path(), k8s(settings), sources, left))
}

fn k8s(settings: &K8sSettings) -> (&'static str, ProviderConfig) {
    ("k8s", ProviderConfig::K8s(settings.clone()))
}

fn fetch(server: &StubServer, namespaces: &[&str], sources: &[&str]) -> Vec<BytesResult> {
    fetch_within(&server.address, &settings(namespaces), sources, LONG)
}

fn secret(data: &[(&str, &[u8])]) -> StubReply {
    let data: BTreeMap<_, _> = data.iter().map(|(key, value)| (*key, STANDARD.encode(value))).collect();
    let secret = json!({"apiVersion": "v1", "kind": "Secret", "metadata": {"resourceVersion": "84213"}, "type": "Opaque", "data": data});
    StubReply::json(200, secret.to_string())
}

fn status(code: u16) -> StubReply {
    let status =
        json!({"kind": "Status", "apiVersion": "v1", "status": "Failure", "code": code, "message": "CANARY"});
    StubReply::json(code, status.to_string())
}

#[test]
fn each_secret_is_requested_once_and_values_are_exact() {
    let long = vec![b'x'; 64 << 10];
    let values: Vec<(&str, Vec<u8>)> = vec![
        ("nul", b"a\0b\n".to_vec()),
        ("bytes", vec![0xff, 0xfe]),
        ("astral", "\u{1f600}".into()),
        ("placeholder", b"<k8s:x#y>".to_vec()),
        ("a.b", Vec::new()),
        ("long", long),
    ];
    let given = values.clone();
    let server = StubServer::start(move |_, _| {
        secret(&given.iter().map(|(key, value)| (*key, value.as_slice())).collect::<Vec<_>>())
    });
    let sources: Vec<String> =
        (0..60).map(|number| format!("db-{}#{}", number % 5, values[number % 6].0)).collect();
    let answers = fetch(&server, &["shop"], &sources.iter().map(String::as_str).collect::<Vec<_>>());
    for (number, answer) in answers.iter().enumerate() {
        assert!(answer.as_ref() == Ok(&values[number % 6].1), "{}", sources[number]);
    }
    let asked = server.asked();
    assert_eq!(asked.len(), 5);
    for asked in asked {
        assert_eq!(asked.method, "GET");
        assert!(asked.target.starts_with("/api/v1/namespaces/shop/secrets/db-"), "{}", asked.target);
        assert_eq!(asked.header("authorization"), Some("Bearer CANARY-token"));
    }
}

#[test]
fn the_fetched_version_is_reported() {
    let server = StubServer::start(|asked, _| match asked.target.rsplit('/').next() {
        Some("db") => secret(&[("k", b"v")]),
        Some("odd") => {
            let data = json!({"k": "dg=="});
            let metadata = json!({"resourceVersion": "CANARY, of all things"});
            StubReply::json(200, json!({"kind": "Secret", "metadata": metadata, "data": data}).to_string())
        }
        _ => StubReply::json(200, r#"{"kind":"Secret","data":{"k":"dg=="}}"#),
    });
    let dir = kubeconfig(&server.address);
    let fetched = testing::fetch(dir.path(), k8s(&settings(&["shop"])), &["db#k", "odd#k", "old#k"], LONG);
    assert_eq!(testing::versions(fetched), [Some("84213".to_owned()), None, None]);
}

#[test]
fn only_allowed_namespaces_are_read() {
    let server = StubServer::start(|asked, _| secret(&[("k", asked.target.as_bytes())]));
    let answers = fetch(&server, &["a", "b"], &["a/db#k", "b/db#k", "c/db#k", "db#k", "A/db#k"]);
    assert_eq!(answers[0].as_deref(), Ok(&b"/api/v1/namespaces/a/secrets/db"[..]));
    assert_eq!(answers[1].as_deref(), Ok(&b"/api/v1/namespaces/b/secrets/db"[..]));
    assert_eq!(answers[2..].iter().map(result_kind).collect::<Vec<_>>(), ["denied", "invalid", "denied"]);
    let hostile = [
        "../kube-system/secrets/db#k",
        "a/db#k",
        "db/../x#k",
        "%2e%2e#k",
        "db?x#k",
        "Db#k",
        "db_#k",
        "-db#k",
        "db.#k",
        "#k",
        "db",
        "db#k#1",
        "d\u{e4}#k",
        "..#k",
    ];
    for source in hostile {
        assert_eq!(result_kind(&fetch(&server, &["a"], &[source])[0]), "invalid", "{source}");
    }
    assert_eq!(server.asked().len(), 2);
}

/// A Secret's name has up to 253 characters; its parts have no limit of their own.
#[test]
fn names_may_have_253_characters() {
    let server = StubServer::start(|_, _| secret(&[("k", b"v")]));
    let source = |length: usize| format!("{}#k", "a".repeat(length));
    let answers = fetch(&server, &["a"], &[&source(64), &source(253), &source(254)]);
    assert_eq!((answers[0].as_deref(), answers[1].as_deref()), (Ok(&b"v"[..]), Ok(&b"v"[..])));
    assert_eq!(result_kind(&answers[2]), "invalid");
}

/// Related to the length: dots, and characters that are not allowed.
#[test]
fn p12_names_of_secrets() {
    let server = StubServer::start(|_, _| secret(&[("k", b"v")]));
    let part = "a".repeat(70);
    for name in [part.clone(), format!("{part}.{part}.{part}"), "a.b-c.0".to_owned(), "0".to_owned()] {
        assert_eq!(fetch(&server, &["a"], &[&format!("{name}#k")])[0].as_deref(), Ok(&b"v"[..]), "{name}");
    }
    for name in [
        format!("{part}A"),
        format!("A{part}"),
        "a..b".to_owned(),
        ".a".to_owned(),
        "a.-b".to_owned(),
        "a_b".to_owned(),
    ] {
        assert_eq!(result_kind(&fetch(&server, &["a"], &[&format!("{name}#k")])[0]), "invalid", "{name}");
    }
}

#[test]
fn r18_paths_into_items() {
    let server = StubServer::start(|_, _| {
        secret(&[
            ("tls.crt", b"pem"),
            (".dockerconfigjson", b"{\"auths\":{\"r.example\":{\"auth\":\"x\"}}}"),
            ("app", b"{\"db\":{\"user\":\"u\",\"ports\":[5432]}}"),
            ("app.db", b"exact"),
            ("twice", b"{\"a\":1,\"a\":2}"),
            ("cut", b"{\"a\":CANARY"),
            ("bytes", b"\xff{}"),
        ])
    });
    let fetched = |key: &str| fetch(&server, &["shop"], &[&format!("db#{key}")]).remove(0);
    for (key, expected) in [
        ("tls.crt", "pem"),
        ("\"tls.crt\"", "pem"),
        (".dockerconfigjson", "{\"auths\":{\"r.example\":{\"auth\":\"x\"}}}"),
        ("\".dockerconfigjson\".auths.\"r.example\".auth", "x"),
        ("app.db", "exact"),
        ("\"app\".db.user", "u"),
        ("app.db.user", "u"),
        ("app.db.ports.0", "5432"),
    ] {
        assert_eq!(fetched(key).as_deref(), Ok(expected.as_bytes()), "{key}");
    }
    for key in ["tls", "tls.key", "tls.crt.x", "app.nope", "app.db.ports.1", "bytes.a", "\"app.db\".user"] {
        assert_eq!(result_kind(&fetched(key)), "missing", "{key}");
    }
    for key in ["twice.a", "cut.a"] {
        assert_eq!(result_kind(&fetched(key)), "invalid", "{key}");
    }
}

fn answer(asked: &RecordedRequest, before: usize) -> StubReply {
    let typed = |kind: &str| {
        let data = json!({"k": "Q0FOQVJZ"});
        StubReply::json(200, json!({"kind": "Secret", "type": kind, "data": data}).to_string())
    };
    match (asked.target.rsplit('/').next().unwrap_or_default(), before) {
        ("gone", _) => status(404),
        ("forbidden", _) => status(403),
        ("stranger", _) => status(401),
        ("teapot", _) => status(418),
        ("away", _) => StubReply::json(302, "").header("Location", "http://127.0.0.1:1/"),
        ("token", _) => typed("kubernetes.io/service-account-token"),
        ("node", _) => typed("bootstrap.kubernetes.io/token"),
        ("other", _) => StubReply::json(200, r#"{"kind":"ConfigMap","data":{"k":"Q0FOQVJZ"}}"#),
        ("text", _) => StubReply::json(200, "CANARY"),
        ("half", _) => StubReply::json(200, r#"{"kind":"Secret","data":{"k":"CANARY"#),
        ("latin", _) => StubReply::json(200, b"{\"kind\":\"Secret\",\"data\":{\"CANARY\xff\":1}}".to_vec()),
        ("plain", _) => StubReply::json(200, r#"{"kind":"Secret","data":{"k":"CANARY!"}}"#),
        ("null", _) => StubReply::json(200, r#"{"kind":"Secret"}"#),
        ("large", _) => secret(&[("k", &vec![b'x'; 7 << 20])]),
        ("throttled", 0) => status(429).header("Retry-After", "1"),
        ("failing", 0 | 1) => status(500),
        ("cut", 0) => secret(&[("k", b"v")]).cut(20),
        _ => secret(&[("k", b"v")]),
    }
}

#[test]
fn responses_map_to_error_kinds() {
    let server = StubServer::start(answer);
    let cases = [
        ("gone", "missing"),
        ("forbidden", "denied"),
        ("stranger", "denied"),
        ("teapot", "unreachable"),
        ("away", "unreachable"),
        ("token", "denied"),
        ("node", "denied"),
        ("other", "invalid"),
        ("text", "invalid"),
        ("half", "invalid"),
        ("latin", "invalid"),
        ("plain", "invalid"),
        ("null", "missing"),
        ("large", "invalid"),
        ("throttled", "found"),
        ("failing", "found"),
        ("cut", "found"),
    ];
    let sources = cases.map(|(name, _)| format!("{name}#k"));
    let answers = fetch(&server, &["shop"], &sources.each_ref().map(String::as_str));
    for ((name, expected), answer) in cases.iter().zip(&answers) {
        assert_eq!(result_kind(answer), *expected, "{name}: {:?}", answer.as_ref().err());
    }
    let count = |name| server.count("GET", &format!("/api/v1/namespaces/shop/secrets/{name}"));
    assert_eq!([count("throttled"), count("failing"), count("cut"), count("forbidden")], [2, 3, 2, 1]);
    let hint = format!("{:?}", answers[1]);
    assert!(hint.contains("`forbidden`") && hint.contains("`shop`") && hint.contains("Role"), "{hint}");
}

#[test]
fn pending_references_are_listed_at_the_deadline() {
    let server = StubServer::start(|asked, _| {
        let reply = secret(&[("k", b"v")]);
        if asked.target.ends_with("slow") { reply.after(Duration::from_secs(20)) } else { reply }
    });
    let answers =
        fetch_within(&server.address, &settings(&["shop"]), &["db#k", "slow#k"], Duration::from_secs(3));
    assert_eq!(result_kind(&answers[0]), "found");
    let error = answers[1].as_ref().expect_err("too late").to_string();
    assert!(error.ends_with("still waiting for: `k8s:slow`"), "{error}");
}

#[test]
fn unusable_credentials_and_addresses_are_errors() {
    let unused = settings(&["shop"]);
    let ask =
        |server: &str, settings: &K8sSettings| fetch_within(server, settings, &["db#k"], LONG).remove(0);
    assert_eq!(result_kind(&ask("http://cluster.example", &unused)), "invalid");
    assert_eq!(result_kind(&ask("no URL CANARY", &unused)), "invalid");
    let nowhere = K8sSettings { context: Some("CANARY".to_owned()), ..unused.clone() };
    assert_eq!(result_kind(&ask("http://127.0.0.1:1", &nowhere)), "invalid");
    let missing = K8sSettings { kubeconfig: Some("nowhere".into()), ..unused.clone() };
    assert_eq!(result_kind(&ask("http://127.0.0.1:1", &missing)), "unreachable");
}

#[test]
fn bad_settings_are_refused() {
    let error = |settings: &K8sSettings| testing::settings_error(settings, Path::new("."));
    assert_eq!(error(&settings(&["a"])), None);
    assert_eq!(error(&settings(&["a", "b"])), None);
    for namespaces in [&[][..], &[""], &["a/b"], &["a", "B"], &[".."], &["a.b"]] {
        assert!(error(&settings(namespaces)).is_some(), "{namespaces:?}");
    }
    assert!(error(&K8sSettings { namespaces: vec!["b".to_owned()], ..settings(&["a"]) }).is_some());
    assert!(error(&K8sSettings { kubeconfig: None, ..settings(&["a"]) }).is_some());
    assert!(yaml_serde::from_str::<ProviderConfig>("kind: k8s\nnamespace: a").is_ok());
    assert!(yaml_serde::from_str::<ProviderConfig>("kind: k8s\nnamespace: a\nserver: x").is_err());
}

#[test]
fn all_keys_of_a_secret_are_returned() {
    let server = StubServer::start(|asked, _| match asked.target.rsplit('/').next() {
        Some("empty") => StubReply::json(200, r#"{"kind":"Secret","type":"Opaque"}"#),
        Some("broken") => StubReply::json(200, r#"{"kind":"Secret","data":{"k":"%CANARY"}}"#),
        Some("token") => StubReply::json(
            200,
            r#"{"kind":"Secret","type":"kubernetes.io/service-account-token","data":{"token":"Q0FOQVJZ"}}"#,
        ),
        _ => secret(&[("b", b"a\0b\n"), ("tls.crt", b"\xf0\x9f\x98\x80"), ("a", b"")]),
    });
    let dir = kubeconfig(&server.address);
    let (name, config) = k8s(&settings(&["shop"]));
    let config = [(name.to_owned(), config)].into();
    let providers = crate::ProviderRegistry::new(
        &config,
        dir.path(),
        &crate::ProtectedFiles::default(),
        &testing::app(dir.path()),
        |_| None,
    )
    .expect("valid settings");
    let ask = |source: &str| {
        let (all, one) = (testing::all_keys(source), testing::reference(&format!("{source}#b")));
        let mut fetched = providers.fetch([&all, &one], Instant::now() + LONG);
        testing::entries(fetched.remove(&all).expect("an answer"))
    };
    assert_eq!(ask("k8s:db"), Ok(testing::pairs(&[("a", ""), ("b", "a\0b\n"), ("tls.crt", "\u{1f600}")])));
    assert_eq!(server.asked().len(), 1, "one request for all keys and for one");
    assert_eq!(ask("k8s:empty"), Ok(Vec::new()));
    assert!(ask("k8s:broken").expect_err("no base64").contains("is not valid"));
    assert!(ask("k8s:token").expect_err("refused").contains("is denied"));
}
