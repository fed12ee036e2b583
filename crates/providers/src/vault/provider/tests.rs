use std::fmt::Write as _;
use std::time::Duration;

use serde_json::json;
use tempfile::TempDir;

use super::*;
use crate::ProviderConfig;
use crate::testing::{self, BytesResult, LONG, MARKER, is_denied, is_invalid, is_missing, is_unreachable};
use sealwave_secrets::values::kv_path::KvVersion;
use sealwave_testkit::stub_server::{RecordedRequest, StubReply, StubServer};

const TOKEN: &str = "hvs.CANARY-token";
pub(super) const REVOKE: &str = "/v1/auth/token/revoke-self";

/// Returns a directory with credentials, and settings that log in at `address` with AppRole.
pub(in crate::vault) fn settings(address: &str) -> (TempDir, VaultSettings) {
    let dir = tempfile::tempdir().expect("a directory");
    fs_err::write(dir.path().join("secret-id"), format!("{MARKER}-secret-id\n")).expect("written");
    fs_err::write(dir.path().join("jwt"), format!("{MARKER}.jwt\n")).expect("written");
    fs_err::write(dir.path().join("token"), format!("{TOKEN}\n")).expect("written");
    let auth =
        VaultAuth::AppRole { mount: None, role_id: "role".to_owned(), secret_id_file: "secret-id".into() };
    let settings = VaultSettings {
        address: address.to_owned(),
        allow_http: false,
        auth,
        ca_file: None,
        mounts: BTreeMap::from([("secret".to_owned(), KvVersion::Two), ("old".to_owned(), KvVersion::One)]),
        namespace: None,
        proxy: None,
    };
    (dir, settings)
}

fn fetch_with(dir: &TempDir, settings: &VaultSettings, sources: &[&str], left: Duration) -> Vec<BytesResult> {
    testing::bytes(testing::fetch(dir.path(), vault(settings), sources, left))
}

pub(super) fn vault(settings: &VaultSettings) -> (&'static str, ProviderConfig) {
    ("vault", ProviderConfig::Vault(settings.clone()))
}

fn fetch(server: &StubServer, sources: &[&str]) -> Vec<BytesResult> {
    let (dir, settings) = settings(&server.address);
    fetch_with(&dir, &settings, sources, LONG)
}

fn login() -> StubReply {
    StubReply::json(200, json!({"auth": {"client_token": TOKEN, "lease_duration": 60}}).to_string())
}

pub(super) fn kv2(data: &str) -> StubReply {
    StubReply::json(
        200,
        format!(r#"{{"request_id":"x","data":{{"data":{data},"metadata":{{"version":1}}}}}}"#),
    )
}

/// Starts a server that accepts every AppRole login and handles all other requests with `answers`.
fn server(answers: impl Fn(&RecordedRequest, usize) -> StubReply + Send + Sync + 'static) -> StubServer {
    StubServer::start(move |asked, before| {
        if asked.target == REVOKE {
            StubReply::json(204, "")
        } else if asked.target.starts_with("/v1/auth/") {
            login()
        } else {
            answers(asked, before)
        }
    })
}

fn text(answer: &BytesResult) -> &str {
    std::str::from_utf8(answer.as_ref().expect("a value")).expect("UTF-8")
}

#[test]
fn many_references_need_one_login_and_one_get_per_path() {
    let server = server(|asked, _| {
        let fields = (0..14).map(|key| (format!("k{key}"), format!("{} {key}", asked.target)));
        kv2(&json!(fields.collect::<BTreeMap<_, _>>()).to_string())
    });
    let mut sources = Vec::new();
    for path in 0..20 {
        for key in 0..15 {
            // Both spellings are the same secret.
            let mount = if key % 2 == 0 { "secret/data" } else { "secret" };
            sources.push((path, key, format!("{mount}/p{path}#k{key}")));
        }
    }
    let answers = fetch(&server, &sources.iter().map(|(_, _, source)| source.as_str()).collect::<Vec<_>>());
    assert_eq!(answers.len(), 300);
    for ((path, key, source), answer) in sources.iter().zip(&answers) {
        if *key == 14 {
            assert!(is_missing(answer), "{source}");
        } else {
            assert_eq!(text(answer), format!("/v1/secret/data/p{path} {key}"), "{source}");
        }
    }
    let asked = server.asked();
    assert_eq!(asked.iter().filter(|asked| asked.method == "GET").count(), 20);
    assert_eq!(server.count("POST", "/v1/auth/approle/login"), 1);
    assert_eq!(server.count("POST", REVOKE), 1);
    assert_eq!(asked.len(), 22);
    for asked in asked.iter().filter(|asked| asked.method == "GET") {
        assert_eq!(asked.header("x-vault-token"), Some(TOKEN));
        assert_eq!(asked.header("x-vault-request"), Some("true"));
        assert_eq!(asked.header("x-vault-namespace"), None);
    }
    let login = asked.iter().find(|asked| asked.method == "POST").expect("a login");
    assert_eq!(login.header("x-vault-token"), None);
    let sent: serde_json::Value = serde_json::from_str(&login.body).expect("JSON");
    assert_eq!(sent, json!({"role_id": "role", "secret_id": "CANARY-secret-id"}));
}

#[test]
fn values_survive_exactly() {
    let long = "x".repeat(64 << 10);
    let mut data = json!({
        "nul": "a\u{0}b", "astral": "\u{1f600}", "newline": "a\n", "placeholder": "<vault:x#y>", "braces": "{{ a }} $b",
        "yaml": "a: [b", "empty": "", "a.b": "dotted", "long": long,
    })
    .to_string();
    data.truncate(data.len() - 1);
    data.push_str(r#","port":5432,"big":123456789012345678901,"float":1.10,"yes":true,"null":null,"deep":{"b": [1, "x y"]}}"#);
    let whole = data.clone();
    let server = server(move |_, _| kv2(&data));
    let cases = [
        ("nul", "a\u{0}b"),
        ("astral", "\u{1f600}"),
        ("newline", "a\n"),
        ("placeholder", "<vault:x#y>"),
        ("braces", "{{ a }} $b"),
        ("yaml", "a: [b"),
        ("empty", ""),
        ("a.b", "dotted"),
        ("long", &long),
        ("port", "5432"),
        ("big", "123456789012345678901"),
        ("float", "1.10"),
        ("yes", "true"),
        ("deep", r#"{"b":[1,"x y"]}"#),
    ];
    let sources: Vec<String> = cases.iter().map(|(key, _)| format!("secret/a#{key}")).collect();
    let answers = fetch(&server, &sources.iter().map(String::as_str).collect::<Vec<_>>());
    for ((key, expected), answer) in cases.iter().zip(&answers) {
        assert!(text(answer) == *expected, "{key}");
    }
    let answers = fetch(&server, &["secret/a", "secret/a#null", "secret/a#deep.b"]);
    assert_eq!(text(&answers[0]), whole.replace(": [1, \"x y\"]", ":[1,\"x y\"]"));
    assert!(is_missing(&answers[1]));
    assert_eq!(text(&answers[2]), "[1,\"x y\"]");
}

#[test]
fn r18_paths_into_fields() {
    let server = server(|_, _| {
        kv2(r#"{"a.b":"exact","a":{"b":"deep"},"l":[{"n":7}],"tls.crt":"pem","json":"{\"x\":1}"}"#)
    });
    for (key, expected) in
        [("a.b", "exact"), ("\"a\".b", "deep"), ("l.0.n", "7"), ("tls.crt", "pem"), ("\"tls.crt\"", "pem")]
    {
        assert_eq!(text(&fetch(&server, &[&format!("secret/a#{key}")])[0]), expected, "{key}");
    }
    for key in ["a.c", "l.1", "l.n", "json.x", "tls.key", "\"a.b\".c"] {
        let answer = fetch(&server, &[&format!("secret/a#{key}")]).remove(0);
        assert!(is_missing(&answer), "{key}");
        assert!(format!("{answer:?}").contains("jsonPath"), "{key}: {answer:?}");
    }
}

#[test]
fn versions_may_be_deleted_or_destroyed() {
    let server = server(|asked, _| match asked.target.as_str() {
        "/v1/secret/data/a?version=2" => StubReply::json(
            200,
            r#"{"data":{"data":{"k":"second"},"metadata":{"version":2,"created_time":"2026-02-03T04:05:06.7Z"}}}"#,
        ),
        "/v1/secret/data/c" => StubReply::json(
            200,
            r#"{"data":{"metadata":{"version":7,"created_time":"CANARY"},"data":{"k":"v"}}}"#,
        ),
        "/v1/secret/data/a?version=3" => StubReply::json(
            404,
            r#"{"data":{"data":null,"metadata":{"deletion_time":"2026-01-01T00:00:00Z","destroyed":false}}}"#,
        ),
        "/v1/secret/data/a?version=4" => {
            StubReply::json(404, r#"{"data":{"data":null,"metadata":{"deletion_time":"","destroyed":true}}}"#)
        }
        "/v1/old/a" => StubReply::json(200, r#"{"data":{"k":"plain"},"lease_duration":1}"#),
        _ => StubReply::json(404, r#"{"errors":[]}"#),
    });
    let sources = [
        "secret/a#k#2",
        "secret/a#k#3",
        "secret/a#k#4",
        "secret/a#k#5",
        "old/a#k",
        "old/a#k#1",
        "secret/b#k",
    ];
    let answers = fetch(&server, &sources);
    assert_eq!(text(&answers[0]), "second");
    assert!(
        answers[1]
            .as_ref()
            .is_err_and(|error| is_missing(&answers[1]) && error.to_string().contains("deleted"))
    );
    assert!(
        answers[2]
            .as_ref()
            .is_err_and(|error| is_missing(&answers[2]) && error.to_string().contains("destroyed"))
    );
    assert!(is_missing(&answers[3]) && is_missing(&answers[6]));
    assert_eq!(text(&answers[4]), "plain");
    assert!(is_invalid(&answers[5]));
    // Existing secrets report their version if the engine has versions.
    let (dir, settings) = settings(&server.address);
    let fetched =
        testing::fetch(dir.path(), vault(&settings), &["secret/a#k#2", "secret/c#k", "old/a#k"], LONG);
    assert_eq!(testing::days(fetched.clone()), [Some("2026-02-03".to_owned()), None, None]);
    assert_eq!(testing::versions(fetched), [Some("2".to_owned()), Some("7".to_owned()), None]);
}

#[test]
fn mounts_are_requested_once_if_the_operator_configures_none() {
    let mount = |path: &str, kind: &str, options: &str| {
        StubReply::json(200, format!(r#"{{"data":{{"path":"{path}","type":"{kind}","options":{options}}}}}"#))
    };
    let server = server(move |asked, _| match asked.target.strip_prefix("/v1/sys/internal/ui/mounts/") {
        Some(path) if path.starts_with("team/kv/") => mount("team/kv/", "kv", r#"{"version":"2"}"#),
        Some(path) if path.starts_with("plain/") => mount("plain/", "kv", "null"),
        Some(path) if path.starts_with("database/") => mount("database/", "database", "null"),
        Some(path) if path.starts_with("lies/") => mount("sys/", "kv", r#"{"version":"1"}"#),
        Some(_) => StubReply::json(403, r#"{"errors":["preflight capability check returned 403"]}"#),
        None if asked.target == "/v1/plain/a" => StubReply::json(200, r#"{"data":{"k":"one"}}"#),
        None => kv2(&format!(r#"{{"k":"{}"}}"#, asked.target)),
    });
    let (dir, mut settings) = settings(&server.address);
    settings.mounts.clear();
    settings.namespace = Some("/eu/shop/".to_owned());
    let sources =
        ["team/kv/a#k", "team/kv/data/b#k", "plain/a#k", "database/creds/a#k", "ns/sys/mounts#k", "lies/a#k"];
    let answers = fetch_with(&dir, &settings, &sources, LONG);
    assert_eq!(text(&answers[0]), "/v1/team/kv/data/a");
    assert_eq!(text(&answers[1]), "/v1/team/kv/data/b");
    assert_eq!(text(&answers[2]), "one");
    assert!(is_denied(&answers[3]) && is_denied(&answers[4]) && is_invalid(&answers[5]));
    let asked = server.asked();
    assert!(asked.iter().all(|asked| asked.header("x-vault-namespace") == Some("eu/shop")));
    let mounts = asked.iter().filter(|asked| asked.target.contains("/mounts/")).count();
    assert_eq!((mounts, asked.len()), (5, 10));
}

/// Three mounts below one name, one of them forbidden, and many secrets in each.
#[test]
fn mounts_that_share_a_name_are_distinguished() {
    let server =
        server(move |asked, _| match asked.target.strip_prefix("/v1/sys/internal/ui/mounts/team/") {
            Some(path) if path.starts_with("secret/") => StubReply::json(403, r#"{"errors":["CANARY"]}"#),
            Some(path) => {
                let mount = path.split('/').next().unwrap_or_default();
                let data =
                    json!({"path": format!("team/{mount}/"), "type": "kv", "options": {"version": "2"}});
                StubReply::json(200, json!({"data": data}).to_string())
            }
            None => kv2(&format!(r#"{{"k":"{}"}}"#, asked.target)),
        });
    let (dir, mut settings) = settings(&server.address);
    settings.mounts.clear();
    let sources: Vec<String> = ["kv", "other", "secret"]
        .iter()
        .flat_map(|mount| (0..8).map(move |number| format!("team/{mount}/{number}#k")))
        .collect();
    let answers = fetch_with(&dir, &settings, &sources.iter().map(String::as_str).collect::<Vec<_>>(), LONG);
    for (source, answer) in sources.iter().zip(&answers) {
        match source.strip_prefix("team/secret/") {
            Some(_) => assert!(is_denied(answer), "{source}"),
            None => assert!(text(answer).starts_with("/v1/team/"), "{source}"),
        }
    }
    let asked = server.asked();
    let mounts = |name: &str| {
        asked.iter().filter(|asked| asked.target.contains(&format!("/mounts/team/{name}/"))).count()
    };
    assert_eq!([mounts("kv"), mounts("other"), mounts("secret")], [1, 1, 8]);
}

#[test]
fn only_secrets_below_configured_mounts_are_requested() {
    let server = server(|_, _| kv2(r#"{"k":"CANARY"}"#));
    for source in [
        "sys/mounts#k",
        "auth/token/lookup-self#k",
        "identity/x#k",
        "cubbyhole/x#k",
        "other/a#k",
        "Secret/a#k",
    ] {
        assert!(is_denied(&fetch(&server, &[source])[0]), "{source}");
    }
    for source in ["secret/../sys/mounts#k", "secret//a#k", "/secret/a#k", "secret/a?version=1#k", "secret#k"]
    {
        let answer = &fetch(&server, &[source])[0];
        assert!(is_invalid(answer) || is_denied(answer), "{source}");
    }
    assert_eq!(server.asked().iter().filter(|asked| asked.method == "GET").count(), 0);
    assert!(fetch(&server, &["secret/%2e%2e/%2fsys/a b;c#k"])[0].is_ok());
    assert_eq!(server.count("GET", "/v1/secret/data/%252e%252e/%252fsys/a%20b%3Bc"), 1);
}

#[test]
fn transient_failures_are_retried() {
    let answer = || kv2(r#"{"k":"v"}"#);
    let server = server(move |asked, before| match (asked.target.as_str(), before) {
        ("/v1/secret/data/throttled", 0) => StubReply::json(429, "{}").header("Retry-After", "1"),
        ("/v1/secret/data/failing", 0 | 1) => StubReply::json(500, r#"{"errors":["CANARY"]}"#),
        ("/v1/secret/data/half", 0) => answer().cut(9),
        ("/v1/secret/data/behind", 0) => StubReply::json(412, "{}"),
        ("/v1/secret/data/standby", 0) => {
            StubReply::json(307, "").header("Location", "/v1/secret/data/standby")
        }
        _ => answer(),
    });
    let sources =
        ["throttled", "failing", "half", "behind", "standby"].map(|name| format!("secret/{name}#k"));
    let answers = fetch(&server, &sources.each_ref().map(String::as_str));
    assert!(answers.iter().all(|answer| text(answer) == "v"));
    let counts = ["throttled", "failing", "half", "behind", "standby"]
        .map(|name| server.count("GET", &format!("/v1/secret/data/{name}")));
    assert_eq!(counts, [2, 3, 2, 2, 2]);
    assert_eq!(server.count("POST", "/v1/auth/approle/login"), 1);
}

#[test]
fn permanent_failures_map_to_error_kinds() {
    let server = server(|asked, _| match asked.target.rsplit('/').next().unwrap_or_default() {
        "forbidden" => {
            StubReply::json(403, r#"{"errors":["1 error occurred:\n\t* permission denied CANARY\n\n"]}"#)
        }
        "sealed" => StubReply::json(503, r#"{"errors":["Vault is sealed"]}"#),
        "route" => {
            StubReply::json(404, r#"{"errors":["no handler for route \"secret/data/route\". CANARY"]}"#)
        }
        "html" => StubReply::json(200, "<html>CANARY</html>").header("Content-Type", "text/html"),
        "latin" => StubReply::json(200, b"{\"data\":{\"data\":{\"CANARY\":\"\xff\"}}}".to_vec()),
        "broken" => StubReply::json(200, r#"{"data":{"data":{"k":"CANARY"#),
        "list" => StubReply::json(200, r#"{"data":{"data":["CANARY"]}}"#),
        "number" => StubReply::json(200, r#"{"data":{"data":{"k":"\ud800CANARY"}}}"#),
        "twice" => kv2(r#"{"k":"CANARY","k":"CANARY2"}"#),
        "large" => kv2(&format!(r#"{{"k":"{}"}}"#, "x".repeat(8 << 20))),
        _ => StubReply::json(418, r#"{"errors":["CANARY"]}"#),
    });
    let ask = |name: &str| fetch(&server, &[&format!("secret/{name}#k")]).remove(0);
    let forbidden = ask("forbidden");
    assert!(is_denied(&forbidden));
    let hint = format!("{:?}", forbidden.expect_err("denied"));
    assert!(hint.contains("secret/data/forbidden") && hint.contains("read"), "{hint}");
    let sealed = ask("sealed");
    assert!(is_unreachable(&sealed) && format!("{sealed:?}").contains("6 attempts"), "{sealed:?}");
    for name in ["route", "html", "latin", "broken", "list", "number", "twice", "large"] {
        assert!(is_invalid(&ask(name)), "{name}");
    }
    assert!(is_unreachable(&ask("teapot")));
}

#[test]
fn a_redirect_to_another_host_is_not_followed() {
    let other = StubServer::start(|_, _| kv2(r#"{"k":"v"}"#));
    let target = other.address.clone();
    let server = server(move |asked, _| {
        StubReply::json(307, "").header("Location", format!("{target}{}", asked.target))
    });
    let answer = fetch(&server, &["secret/a#k"]).remove(0);
    assert!(is_unreachable(&answer) && format!("{answer:?}").contains("redirect"), "{answer:?}");
    assert_eq!(other.asked().len(), 0);
    assert_eq!(server.count("GET", "/v1/secret/data/a"), 1);
    // The login is not redirected either: its secret id is a credential too.
    let target = other.address.clone();
    let server = StubServer::start(move |asked, _| {
        StubReply::json(308, "").header("Location", format!("{target}{}", asked.target))
    });
    assert!(is_unreachable(&fetch(&server, &["secret/a#k"])[0]));
    assert_eq!(other.asked().len(), 0);
}

#[test]
fn an_expired_token_causes_one_new_login() {
    let expired = r#"{"errors":["2 errors occurred:\n\t* permission denied\n\t* invalid token\n\n"]}"#;
    let server = StubServer::start(move |asked, before| match asked.target.as_str() {
        "/v1/auth/approle/login" => {
            StubReply::json(200, json!({"auth": {"client_token": format!("CANARY-{before}")}}).to_string())
        }
        _ if asked.header("x-vault-token") == Some("CANARY-1") => kv2(r#"{"k":"v"}"#),
        _ => StubReply::json(403, expired),
    });
    let sources = ["secret/a#k", "secret/b#k", "secret/c#k"];
    assert!(fetch(&server, &sources).iter().all(|answer| text(answer) == "v"));
    assert_eq!(server.count("POST", "/v1/auth/approle/login"), 2);

    // If the new token is rejected too, there is no further login.
    let server = StubServer::start(move |asked, before| match asked.target.as_str() {
        "/v1/auth/approle/login" => {
            StubReply::json(200, json!({"auth": {"client_token": format!("CANARY-{before}")}}).to_string())
        }
        _ => StubReply::json(403, expired),
    });
    assert!(fetch(&server, &sources).iter().all(is_denied));
    assert_eq!(server.count("POST", "/v1/auth/approle/login"), 2);
}

#[test]
fn each_login_method_succeeds_or_is_denied() {
    let server = StubServer::start(|asked, _| match asked.target.as_str() {
        "/v1/auth/k8s/eu/login" => login(),
        "/v1/auth/approle/login" => {
            StubReply::json(400, r#"{"errors":["invalid role or secret ID CANARY"]}"#)
        }
        _ if asked.header("x-vault-token") == Some(TOKEN) => kv2(r#"{"k":"v"}"#),
        _ => StubReply::json(403, "{}"),
    });
    let (dir, mut settings) = settings(&server.address);
    let mut ask = |auth: Option<VaultAuth>| {
        settings.auth = auth.unwrap_or_else(|| settings.auth.clone());
        fetch_with(&dir, &settings, &["secret/a#k", "secret/b#k"], LONG)
    };
    assert!(ask(None).iter().all(is_denied));
    assert_eq!(server.count("POST", "/v1/auth/approle/login"), 1);
    let auth = VaultAuth::Kubernetes {
        mount: Some("k8s/eu".to_owned()),
        role: "argocd".to_owned(),
        token_file: Some("jwt".into()),
    };
    assert!(ask(Some(auth)).iter().all(|answer| text(answer) == "v"));
    let login =
        server.asked().into_iter().find(|asked| asked.target == "/v1/auth/k8s/eu/login").expect("asked");
    let sent: serde_json::Value = serde_json::from_str(&login.body).expect("JSON");
    assert_eq!(sent, json!({"role": "argocd", "jwt": "CANARY.jwt"}));
    assert!(ask(Some(VaultAuth::Token { file: "token".into() })).iter().all(|answer| text(answer) == "v"));
    let before = server.asked().len();
    assert!(ask(Some(VaultAuth::Token { file: "nowhere".into() })).iter().all(is_unreachable));
    fs_err::write(dir.path().join("two"), "CANARY one\nCANARY two").expect("written");
    assert!(ask(Some(VaultAuth::Token { file: "two".into() })).iter().all(is_invalid));
    assert_eq!(server.asked().len(), before);
}

#[test]
fn pending_references_are_listed_at_the_deadline() {
    let server = server(|asked, _| {
        let answer = kv2(r#"{"k":"v"}"#);
        if asked.target.contains("slow") { answer.after(Duration::from_secs(20)) } else { answer }
    });
    let (dir, settings) = settings(&server.address);
    let sources = ["secret/quick#k", "secret/slow-1#k", "secret/slow-1#l", "secret/slow-2#k"];
    let answers = fetch_with(&dir, &settings, &sources, Duration::from_secs(3));
    assert_eq!(text(&answers[0]), "v");
    for answer in &answers[1..] {
        let error = answer.as_ref().expect_err("too late").to_string();
        assert!(is_unreachable(answer));
        assert!(
            error.ends_with("still waiting for: `vault:secret/slow-1`, `vault:secret/slow-2`"),
            "{error}"
        );
    }
}

#[test]
fn a_closed_port_is_unreachable() {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").expect("a port");
    let address = format!("http://{}", listener.local_addr().expect("an address"));
    drop(listener);
    let (dir, settings) = settings(&address);
    let answers = fetch_with(&dir, &settings, &["secret/a#k"], LONG);
    assert!(is_unreachable(&answers[0]) && format!("{answers:?}").contains("6 attempts"), "{answers:?}");
}

#[test]
fn bad_settings_are_refused() {
    let (dir, good) = settings("https://vault.example:8200/base");
    let error = |change: &dyn Fn(&mut VaultSettings)| {
        let mut settings = good.clone();
        change(&mut settings);
        testing::settings_error(&settings, dir.path())
    };
    assert_eq!(error(&|_| {}), None);
    assert_eq!(error(&|settings| settings.address = "http://127.0.0.1:8200".to_owned()), None);
    let plain = "http://vault.example";
    assert_eq!(
        error(&|settings| {
            settings.address = plain.to_owned();
            settings.allow_http = true;
        }),
        None
    );
    for address in
        [plain, "vault.example:8200", "ftp://a", "https://u:CANARY@a", "https://a?b", "https://a#b", ""]
    {
        assert!(error(&|settings| settings.address = address.to_owned()).is_some(), "{address}");
    }
    assert!(error(&|settings| settings.namespace = Some("a/../b".to_owned())).is_some());
    assert!(error(&|settings| settings.namespace = Some("a\u{e4}\n".to_owned())).is_some());
    assert!(
        error(&|settings| settings.mounts = BTreeMap::from([("sys".to_owned(), KvVersion::One)])).is_some()
    );
    assert!(
        error(&|settings| {
            settings.auth = VaultAuth::Kubernetes {
                mount: Some("../x".to_owned()),
                role: "r".to_owned(),
                token_file: None,
            };
        })
        .is_some()
    );
}

#[test]
fn settings_are_read_from_yaml() {
    let read = |yaml: &str| {
        let text = format!("kind: vault\naddress: https://vault:8200\n{yaml}");
        yaml_serde::from_str::<ProviderConfig>(&text)
    };
    let mut errors = String::new();
    for yaml in [
        "auth: {token: {file: t}}",
        "auth: {kubernetes: {role: r}}\nmounts: {secret: 2, old: 1}\nnamespace: a/b\ncaFile: ca.pem",
        "auth: {appRole: {roleId: r, secretIdFile: f, mount: m}}\nallowHttp: true",
    ] {
        if let Err(error) = read(yaml) {
            let _ = writeln!(errors, "{yaml}: {error}");
        }
    }
    assert_eq!(errors, "");
    for yaml in [
        "",
        "auth: {token: {file: t, more: x}}",
        "auth: {}",
        "auth: {token: {file: t}, kubernetes: {role: r}}",
        "auth: {token: {file: t}}\nmounts: {a: 3}",
        "auth: {token: {file: t}}\ntoken: CANARY",
    ] {
        assert!(read(yaml).is_err(), "{yaml}");
    }
}
