//! Tests of the provider `vault` with a real server, through the binary: `.ci/openbao cargo test --test integration openbao::`.
//!
//! Without a server's address in `SEALWAVE_OPENBAO`, each test reports that it was skipped. Tests share the server, but each
//! has its own mounts, policies and namespaces.

use std::collections::BTreeMap;
use std::sync::Mutex;

use crate::support::small_app::{SmallApp, find};
use crate::support::{objects, refused, root, sealwave, watched_output};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use sealwave_secrets::SealingScope;
use sealwave_testkit::stub_server::{StubReply, StubServer};
use sealwave_testkit::{DangerPrivateKey, danger_unseal, skipped};
use serde_json::{Value, json};

/// Serializes the tests, since each counts the server's tokens.
static ONE_AT_A_TIME: Mutex<()> = Mutex::new(());

/// The server, accessed as its administrator.
#[derive(Clone)]
struct OpenBao {
    address: String,
    namespace: Option<&'static str>,
}

impl OpenBao {
    fn find() -> Option<Self> {
        #[expect(clippy::disallowed_methods, reason = "the caller passes the server's address")]
        let address = std::env::var("SEALWAVE_OPENBAO").ok();
        if address.is_none() {
            skipped("SEALWAVE_OPENBAO does not say where a server is; run it with `.ci/openbao`");
        }
        Some(Self { address: address?, namespace: None })
    }

    fn within(&self, namespace: &'static str) -> Self {
        Self { namespace: Some(namespace), ..self.clone() }
    }

    /// Sends a request and returns its response, or null if it has no body.
    fn ask(&self, method: &str, path: &str, body: &Value) -> Value {
        self.ask_with(method, path, body.to_string())
    }

    /// Sends a request with a literal body.
    fn ask_with(&self, method: &str, path: &str, body: String) -> Value {
        let (is_answered, text) = self.send(method, path, body);
        assert!(is_answered, "{path}: {text}");
        serde_json::from_str(&text).unwrap_or_default()
    }

    /// Sends a request, and returns whether the server has an answer or nothing at this path, and the body.
    fn send(&self, method: &str, path: &str, body: String) -> (bool, String) {
        // System certificates are not needed here.
        let _ = sealwave_testkit::rustls::crypto::ring::default_provider().install_default();
        let runtime =
            sealwave_testkit::tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(async {
            let client =
                sealwave_testkit::reqwest::Client::builder().no_proxy().tls_certs_only([]).build().unwrap();
            let method = sealwave_testkit::reqwest::Method::from_bytes(method.as_bytes()).unwrap();
            let mut request = client
                .request(method, format!("{}/v1/{path}", self.address))
                .header("X-Vault-Token", "root")
                .body(body);
            if let Some(namespace) = self.namespace {
                request = request.header("X-Vault-Namespace", namespace);
            }
            let answer = request.send().await.unwrap();
            let (status, text) = (answer.status(), answer.text().await.unwrap());
            (status.is_success() || status.as_u16() == 404, text)
        })
    }

    fn write(&self, path: &str, body: &Value) -> Value {
        self.ask("POST", path, body)
    }

    /// Mounts a KV engine.
    fn mount(&self, path: &str, version: u8) {
        let options = json!({"type": "kv", "options": {"version": version.to_string()}});
        self.write(&format!("sys/mounts/{path}"), &options);
        if version == 2 {
            // The engine refuses requests until it is initialized.
            for _ in 0..600 {
                let (is_answered, text) =
                    self.send("GET", &format!("{path}/config"), Value::Null.to_string());
                let answer: Value = serde_json::from_str(&text).unwrap_or_default();
                if is_answered && answer["data"].is_object() {
                    return;
                }
                std::thread::sleep(std::time::Duration::from_millis(50));
            }
            panic!("{path} is not initialized");
        }
    }

    /// Creates a policy that allows reading these paths.
    fn policy(&self, name: &str, paths: &[&str]) {
        let rule = |path: &&str| format!("path \"{path}\" {{ capabilities = [\"read\"] }}\n");
        let rules = paths.iter().map(rule).collect::<Vec<_>>().concat();
        self.write(&format!("sys/policies/acl/{name}"), &json!({"policy": rules}));
    }

    /// Creates an AppRole with the policy of the same name, and returns its role id and a secret id.
    fn app_role(&self, name: &str, more: &Value) -> (String, String) {
        let mounted = self.ask("GET", "sys/auth", &Value::Null);
        if mounted["data"]["approle/"].is_null() {
            self.write("sys/auth/approle", &json!({"type": "approle"}));
        }
        let mut role = json!({"token_policies": [name], "token_ttl": "10m"});
        role.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        self.write(&format!("auth/approle/role/{name}"), &role);
        let id = self.ask("GET", &format!("auth/approle/role/{name}/role-id"), &Value::Null);
        let secret = self.write(&format!("auth/approle/role/{name}/secret-id"), &json!({}));
        let text = |value: &Value| value.as_str().unwrap().to_owned();
        (text(&id["data"]["role_id"]), text(&secret["data"]["secret_id"]))
    }

    /// Returns the number of tokens.
    fn tokens(&self) -> usize {
        let answer = self.ask("LIST", "auth/token/accessors", &Value::Null);
        answer["data"]["keys"].as_array().map_or(0, Vec::len)
    }

    /// Returns the small app with this server as its provider.
    fn app(&self, settings: &str) -> SmallApp {
        let app = SmallApp::new();
        app.write(
            "operator/operator.yaml",
            &format!(
                "apiVersion: sealwave.dev/v1alpha1\nkind: Operator\nsealKeyFile: seal-key\ndeadlineSeconds: 20\n\
                 clusters: {{dev: {{certificate: {{file: dev.pem, allowExpired: true}}}}}}\n\
                 providers: {{vault: {{kind: vault, address: '{}', {settings}}}}}\n\
                 policy: [{{projects: ['*'], allow: ['vault:**']}}]\n",
                self.address
            ),
        );
        app
    }

    /// Returns the small app with an AppRole that may read these paths.
    fn app_of_role(&self, name: &str, paths: &[&str], settings: &str, role: &Value) -> SmallApp {
        self.policy(name, paths);
        let (role_id, secret_id) = self.app_role(name, role);
        let app =
            self.app(&format!("{settings}auth: {{appRole: {{roleId: {role_id}, secretIdFile: secret-id}}}}"));
        app.write("operator/secret-id", &secret_id);
        app
    }
}

fn with_items<'a>(app: &SmallApp, items: impl IntoIterator<Item = (&'a str, &'a str)>) {
    let items = items.into_iter().map(|(key, text)| format!("  {key}: '<vault:{text}>'\n"));
    let items = items.collect::<Vec<_>>().concat();
    app.write(
        "app/base/secrets.yaml",
        &format!(
            "apiVersion: v1\nkind: Secret\nmetadata: {{name: api, namespace: shop}}\nstringData:\n{items}"
        ),
    );
}

/// Returns the unsealed items of the Secret. No output may contain them.
fn opened(app: &SmallApp) -> BTreeMap<String, String> {
    let output = watched_output(sealwave().args(app.args()).env("RUST_LOG", "trace"));
    let stderr = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{stderr}");
    assert_eq!(stderr, "", "a note about a token that was not revoked");
    let key = fs_err::read_to_string(root().join("testdata/sealed-secrets/rsa2048.key")).unwrap();
    let key = DangerPrivateKey::from_pem(&key).unwrap();
    let objects = objects(std::str::from_utf8(&output.stdout).unwrap());
    let items = find(&objects, "SealedSecret", "api")["spec"]["encryptedData"].as_object().unwrap();
    let open = |sealed: &Value| {
        danger_unseal(&key, &SealingScope::Strict.label("shop", "api"), sealed.as_str().unwrap()).unwrap()
    };
    items.iter().map(|(key, sealed)| (key.clone(), open(sealed).expose_str().unwrap().to_owned())).collect()
}

fn error(app: &SmallApp, what: &str) -> String {
    refused(sealwave().args(app.args()), what)
}

/// Checks the items of the Secret; each case is a key, a reference and the expected value.
fn check(app: &SmallApp, cases: &[(&str, &str, &str)]) {
    with_items(app, cases.iter().map(|(key, reference, _)| (*key, *reference)));
    let opened = opened(app);
    for (key, reference, value) in cases {
        assert_eq!(opened[*key], *value, "{reference}");
    }
}

/// Creates a KV 2 and a KV 1 mount with secrets, under names that are unique for the test.
fn fill(server: &OpenBao, name: &str) -> (String, String) {
    let (two, one) = (format!("{name}-2"), format!("{name}-1"));
    server.mount(&two, 2);
    server.mount(&one, 1);
    for (path, data) in [
        (
            "app",
            json!({"user": "CANARY u", "a.b": "CANARY dot", "deep": {"x": [1, "y"]}, "t": true, "n": null}),
        ),
        ("data/odd", json!({"k": "CANARY odd"})),
        ("odd", json!({"k": "CANARY even"})),
        ("shop/data/x", json!({"k": "CANARY within"})),
        ("versions", json!({"k": "CANARY 1"})),
        ("versions", json!({"k": "CANARY 2"})),
        ("versions", json!({"k": "CANARY 3"})),
        ("versions", json!({"k": "CANARY 4"})),
        ("deleted", json!({"k": "CANARY gone"})),
    ] {
        server.write(&format!("{two}/data/{path}"), &json!({"data": data}));
    }
    server.write(&format!("{two}/delete/versions"), &json!({"versions": [2]}));
    server.write(&format!("{two}/destroy/versions"), &json!({"versions": [3]}));
    server.ask("DELETE", &format!("{two}/data/deleted"), &Value::Null);
    server.write(&format!("{one}/app"), &json!({"user": "CANARY one"}));
    server.write(&format!("{one}/data/app"), &json!({"user": "CANARY data"}));
    (two, one)
}

#[test]
fn app_roles_read_both_versions_of_the_engine_and_leave_no_tokens() {
    let Some(server) = OpenBao::find() else { return };
    let _turn = ONE_AT_A_TIME.lock();
    let (two, one) = fill(&server, "approle");
    server.mount("nested/kv", 2);
    server.write("nested/kv/data/a", &json!({"data": {"k": "CANARY nested"}}));
    let paths = [format!("{two}/data/*"), format!("{one}/*"), "nested/kv/data/*".to_owned()];
    let paths: Vec<&str> = paths.iter().map(String::as_str).collect();
    let app = server.app_of_role("reader", &paths, "", &json!({}));
    let cases = [
        ("item-a", format!("{two}/app#user"), "CANARY u"),
        ("item-b", format!("{two}/data/app#user"), "CANARY u"),
        ("item-c", format!("{two}/app#a.b"), "CANARY dot"),
        ("item-d", format!("{two}/app#deep"), r#"{"x":[1,"y"]}"#),
        ("item-e", format!("{two}/app#t"), "true"),
        ("item-f", format!("{two}/data/data/odd#k"), "CANARY odd"),
        ("item-g", format!("{two}/data/odd#k"), "CANARY even"),
        ("item-h", format!("{two}/shop/data/x#k"), "CANARY within"),
        ("item-i", format!("{two}/versions#k"), "CANARY 4"),
        ("item-j", format!("{two}/versions#k#1"), "CANARY 1"),
        ("item-k", format!("{two}/data/versions#k#4"), "CANARY 4"),
        ("item-l", format!("{one}/app#user"), "CANARY one"),
        ("item-m", format!("{one}/data/app#user"), "CANARY data"),
        ("item-n", "nested/kv/a#k".to_owned(), "CANARY nested"),
        ("item-o", "nested/kv/data/a#k".to_owned(), "CANARY nested"),
        ("item-p", format!("{one}/app"), r#"{"user":"CANARY one"}"#),
    ];
    let cases: Vec<_> = cases.iter().map(|(key, text, value)| (*key, text.as_str(), *value)).collect();
    let before = server.tokens();
    check(&app, &cases);
    check(&app, &cases);
    assert_eq!(server.tokens(), before);
    // The same with configured mounts.
    let mounts = format!("mounts: {{{two}: 2, {one}/: 1, nested/kv: 2}}, ");
    let app = server.app_of_role("reader", &paths, &mounts, &json!({}));
    check(&app, &cases);
    assert_eq!(server.tokens(), before);
}

#[test]
fn missing_secrets_have_distinct_errors_and_leave_no_tokens() {
    let Some(server) = OpenBao::find() else { return };
    let _turn = ONE_AT_A_TIME.lock();
    let (two, one) = fill(&server, "missing");
    let paths = [format!("{two}/data/*"), format!("{one}/*")];
    let paths: Vec<&str> = paths.iter().map(String::as_str).collect();
    server.mount("secrecy", 2);
    server.write("secrecy/data/other", &json!({"data": {"k": "CANARY"}}));
    let app = server.app_of_role("poor", &paths, "", &json!({}));
    let before = server.tokens();
    for (reference, expected) in [
        (format!("{two}/versions#k#2"), "this version was deleted"),
        (format!("{two}/versions#k#3"), "this version was destroyed"),
        (format!("{two}/versions#k#9"), "does not exist"),
        (format!("{two}/deleted#k"), "this version was deleted"),
        (format!("{two}/nothing#k"), "does not exist"),
        (format!("{two}/app#nothing"), "the secret has no such key"),
        (format!("{two}/app#n"), "the secret has no such key"),
        (format!("{one}/nothing#k"), "does not exist"),
        (format!("{one}/app#user#2"), "has no versions"),
        ("secrecy/other#k".to_owned(), "the mount of this path does not exist, or the token is not allowed"),
        ("nowhere/app#k".to_owned(), "the mount of this path does not exist, or the token is not allowed"),
        (two.clone() + "#k", "is a mount"),
        ("sys/mounts#k".to_owned(), "contains no readable secrets"),
        (format!("{two}/%2e%2e/sys/mounts#k"), "does not exist"),
    ] {
        with_items(&app, [("a", reference.as_str())]);
        let text = error(&app, &reference);
        assert!(text.contains(expected), "{reference}: {text}");
        assert!(!text.contains("was not revoked"), "{text}");
    }
    // Mounts that are configured by mistake.
    let app = server.app_of_role(
        "poor",
        &["*"],
        &format!("mounts: {{nowhere: 2, {two}: 1, {one}: 2}}, "),
        &json!({}),
    );
    for (reference, expected) in [
        ("nowhere/app#k".to_owned(), "the server has no secrets engine at"),
        (format!("{two}/app#user"), "the server has no secrets engine at"),
        (format!("{one}/app#user"), "contains no secret"),
    ] {
        with_items(&app, [("a", reference.as_str())]);
        let text = error(&app, &reference);
        assert!(text.contains(expected) || text.contains("does not exist"), "{reference}: {text}");
    }
    // A login that is refused.
    app.write("operator/secret-id", "CANARY-wrong");
    assert!(error(&app, "a wrong secret id").contains("the login at `auth/approle/login` was refused"));
    assert_eq!(server.tokens(), before);
}

/// With a configured mount, the server itself denies paths that its policy does not allow.
#[test]
fn paths_outside_of_the_servers_policy_are_denied() {
    let Some(server) = OpenBao::find() else { return };
    let _turn = ONE_AT_A_TIME.lock();
    let (two, _) = fill(&server, "denied");
    let app = server.app_of_role(
        "narrow",
        &[&format!("{two}/data/app")],
        &format!("mounts: {{{two}: 2}}, "),
        &json!({}),
    );
    check(&app, &[("a", &format!("{two}/app#user"), "CANARY u")]);
    with_items(&app, [("a", format!("{two}/odd#k").as_str())]);
    let text = error(&app, "denied");
    assert!(text.contains(&format!("the token is not allowed to read `{two}/data/odd`")), "{text}");
    assert!(text.contains("capabilities = [\"read\"]"), "{text}");
}

/// Version 2 of the engine stores numbers as 64-bit floats. The server's response is sealed exactly.
#[test]
fn numbers_are_sealed_as_the_server_returns_them() {
    let Some(server) = OpenBao::find() else { return };
    let _turn = ONE_AT_A_TIME.lock();
    server.mount("numbers", 2);
    server.mount("digits", 1);
    let data = r#"{"price": 1.10, "big": 9007199254740993, "port": 5432, "text": "1.10"}"#;
    server.ask_with("POST", "numbers/data/a", format!(r#"{{"data": {data}}}"#));
    server.ask_with("POST", "digits/a", data.to_owned());
    let app = server.app_of_role("numbers", &["numbers/data/*", "digits/*"], "", &json!({}));
    for (mount, price, big) in
        [("numbers", "1.1", "9007199254740992"), ("digits", "1.10", "9007199254740993")]
    {
        let expected = [("price", price), ("big", big), ("port", "5432"), ("text", "1.10")];
        let cases = expected.map(|(key, value)| (key, format!("{mount}/a#{key}"), value));
        let cases: Vec<_> = cases.iter().map(|(key, text, value)| (*key, text.as_str(), *value)).collect();
        check(&app, &cases);
    }
}

#[test]
fn all_keys_of_a_secret_become_items() {
    let Some(server) = OpenBao::find() else { return };
    let _turn = ONE_AT_A_TIME.lock();
    let (two, one) = fill(&server, "every");
    let paths = [format!("{two}/data/*"), format!("{one}/*")];
    let paths: Vec<&str> = paths.iter().map(String::as_str).collect();
    let app = server.app_of_role("every", &paths, "", &json!({}));
    let annotation = |text: &str| {
        app.write(
            "app/base/secrets.yaml",
            &format!("apiVersion: v1\nkind: Secret\nmetadata:\n  name: api\n  namespace: shop\n  annotations:\n    sealwave.dev/string-data-from: '{text}'\n"),
        );
    };
    let before = server.tokens();
    annotation(&format!(
        "[<vault:{two}/app>, {{from: <vault:{one}/app>, prefix: one-}}, {{from: <vault:{two}/versions##1>, prefix: v1-}}]"
    ));
    let expected = [
        ("a.b", "CANARY dot"),
        ("deep", r#"{"x":[1,"y"]}"#),
        ("one-user", "CANARY one"),
        ("t", "true"),
        ("user", "CANARY u"),
        ("v1-k", "CANARY 1"),
    ];
    let expected = expected.map(|(key, value)| (key.to_owned(), value.to_owned())).into();
    assert_eq!(opened(&app), expected);
    annotation(&format!("<vault:{two}/deleted>"));
    assert!(error(&app, "a deleted secret").contains("this version was deleted"));
    assert_eq!(server.tokens(), before);
}

#[test]
fn namespaces_are_separate() {
    let Some(server) = OpenBao::find() else { return };
    let _turn = ONE_AT_A_TIME.lock();
    server.write("sys/namespaces/team-a", &json!({}));
    let team = server.within("team-a");
    server.mount("apart", 2);
    server.write("apart/data/a", &json!({"data": {"k": "CANARY root"}}));
    team.mount("apart", 2);
    team.write("apart/data/a", &json!({"data": {"k": "CANARY team"}}));
    let before = team.tokens();
    let inside = team.app_of_role("inside", &["apart/data/*"], "namespace: /team-a/, ", &json!({}));
    check(&inside, &[("a", "apart/a#k", "CANARY team")]);
    with_items(&inside, [("a", "apart/b#k")]);
    assert!(error(&inside, "a missing secret").contains("does not exist"));
    assert_eq!(team.tokens(), before);
    let outside = server.app_of_role("outside", &["apart/data/*"], "", &json!({}));
    check(&outside, &[("a", "apart/a#k", "CANARY root")]);
    with_items(&outside, [("a", "team-a/apart/a#k")]);
    error(&outside, "a path into a namespace");
}

/// Batch tokens have no accessor, tokens with few uses expire by themselves, and a policy may forbid revocation.
#[test]
fn tokens_of_every_type_are_supported() {
    let Some(server) = OpenBao::find() else { return };
    let _turn = ONE_AT_A_TIME.lock();
    let (two, _) = fill(&server, "kinds");
    let path = format!("{two}/data/*");
    let reference = format!("{two}/app#user");
    let mounts = format!("mounts: {{{two}: 2}}, ");
    let app = |name: &str, role: Value| {
        let app = server.app_of_role(name, &[&path], &mounts, &role);
        with_items(&app, [("a", reference.as_str())]);
        app
    };
    let before = server.tokens();
    for (name, role) in [
        ("batch", json!({"token_type": "batch"})),
        ("one-use", json!({"token_num_uses": 1})),
        ("two-uses", json!({"token_num_uses": 2})),
        ("three-uses", json!({"token_num_uses": 3})),
    ] {
        assert_eq!(opened(&app(name, role))["a"], "CANARY u", "{name}");
        assert_eq!(server.tokens(), before, "{name}");
    }
    // Without the default policy, the token is not revoked, and a note names the missing rule.
    let lonely = app("lonely", json!({"token_no_default_policy": true, "token_ttl": "2m"}));
    let output = watched_output(sealwave().args(lonely.args()));
    let text = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{text}");
    assert!(
        text.contains("the token of this run was not revoked") && text.contains("auth/token/revoke-self"),
        "{text}"
    );
    assert_eq!(server.tokens(), before + 1);
    // A token from the operator is not revoked.
    let given = server.write("auth/token/create", &json!({"policies": ["batch"], "ttl": "2m"}));
    let app = server.app(&format!("{mounts}auth: {{token: {{file: token}}}}"));
    app.write("operator/token", given["auth"]["client_token"].as_str().unwrap());
    with_items(&app, [("a", reference.as_str())]);
    let before = server.tokens();
    for _ in 0..2 {
        assert_eq!(opened(&app)["a"], "CANARY u");
    }
    assert_eq!(server.tokens(), before);
}

/// Returns an unsigned service account token. The API server would verify it, which is a stub here.
fn service_account_token() -> String {
    let part = |value: Value| URL_SAFE_NO_PAD.encode(value.to_string());
    let claims = json!({
        "iss": "kubernetes/serviceaccount",
        "kubernetes.io/serviceaccount/namespace": "argocd",
        "kubernetes.io/serviceaccount/secret.name": "repo-server-token",
        "kubernetes.io/serviceaccount/service-account.name": "repo-server",
        "kubernetes.io/serviceaccount/service-account.uid": "1-2-3",
        "sub": "system:serviceaccount:argocd:repo-server",
    });
    format!(
        "{}.{}.{}",
        part(json!({"alg": "RS256", "typ": "JWT"})),
        part(claims),
        URL_SAFE_NO_PAD.encode("CANARY")
    )
}

#[test]
fn kubernetes_logins_are_reviewed_by_the_cluster_and_leave_no_tokens() {
    let Some(server) = OpenBao::find() else { return };
    let _turn = ONE_AT_A_TIME.lock();
    let (two, _) = fill(&server, "cluster");
    let cluster = StubServer::start(|asked, _| {
        let is_ours = asked.body.contains(&service_account_token());
        let user = json!({"username": "system:serviceaccount:argocd:repo-server", "uid": "1-2-3"});
        let status = json!({"authenticated": is_ours, "user": user});
        StubReply::json(
            201,
            json!({"apiVersion": "authentication.k8s.io/v1", "kind": "TokenReview", "status": status})
                .to_string(),
        )
    });
    server.write("sys/auth/kubernetes", &json!({"type": "kubernetes"}));
    server.write(
        "auth/kubernetes/config",
        &json!({
            "kubernetes_host": cluster.address,
            "token_reviewer_jwt": service_account_token(),
            "disable_local_ca_jwt": true,
            "kubernetes_ca_cert": fs_err::read_to_string(root().join("testdata/sealed-secrets/rsa2048.crt")).unwrap(),
        }),
    );
    server.policy("cluster", &[&format!("{two}/data/*")]);
    let role = json!({
        "bound_service_account_names": ["repo-server"],
        "bound_service_account_namespaces": ["argocd"],
        "token_policies": ["cluster"],
        "token_ttl": "10m",
    });
    server.write("auth/kubernetes/role/argocd", &role);
    let app = server.app("auth: {kubernetes: {role: argocd, tokenFile: jwt}}");
    app.write("operator/jwt", &service_account_token());
    let before = server.tokens();
    check(&app, &[("a", &format!("{two}/app#user"), "CANARY u")]);
    assert!(cluster.count("POST", "/apis/authentication.k8s.io/v1/tokenreviews") > 0);
    assert_eq!(server.tokens(), before);
    // Another role, and a token that is unknown to the cluster.
    app.replace("operator/operator.yaml", "role: argocd", "role: other");
    assert!(error(&app, "another role").contains("the login at `auth/kubernetes/login` was refused"));
    app.replace("operator/operator.yaml", "role: other", "role: argocd");
    app.write("operator/jwt", "CANARY.CANARY.CANARY");
    assert!(error(&app, "another token").contains("was refused"));
    assert_eq!(server.tokens(), before);
}

/// Runs `put` with a value, and returns its output.
fn put(app: &SmallApp, args: &[&str], value: &str) -> std::process::Output {
    app.write("value", value);
    let mut command = sealwave();
    command.args([
        "put",
        "--operator",
        "operator/operator.yaml",
        "--state-dir",
        "state",
        "--from-file",
        "value",
    ]);
    watched_output(command.args(args).arg("--yes").current_dir(app.path("")))
}

/// Requires that a `put` succeeds, and returns what it printed.
fn put_done(app: &SmallApp, args: &[&str], value: &str) -> String {
    let output = put(app, args, value);
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).unwrap()
}

#[test]
fn put_writes_both_versions_of_the_engine() {
    let Some(server) = OpenBao::find() else { return };
    let _turn = ONE_AT_A_TIME.lock();
    server.mount("put-2", 2);
    server.mount("put-1", 1);
    // The policy of the documentation.
    let rule =
        |path: &str| format!("path \"{path}\" {{ capabilities = [\"create\", \"read\", \"update\"] }}\n");
    let rules = format!("{}{}", rule("put-2/data/*"), rule("put-1/*"));
    server.write("sys/policies/acl/putter", &json!({"policy": rules}));
    let (role_id, secret_id) = server.app_role("putter", &json!({}));
    let app = server.app(&format!("auth: {{appRole: {{roleId: {role_id}, secretIdFile: secret-id}}}}"));
    app.write("operator/secret-id", &secret_id);
    let tokens = server.tokens();
    let read = |path: &str| server.ask("GET", path, &Value::Null)["data"].clone();

    // Version 2: other keys and custom metadata stay.
    server.write(
        "put-2/data/db",
        &json!({"data": {"user": "CANARY <&>", "n": 1_234_567_890_123_456_789_u64, "deep": {"a": [1]}}}),
    );
    server.write("put-2/metadata/db", &json!({"custom_metadata": {"owner": "sre"}, "cas_required": true}));
    // The server itself rounds large numbers when it returns them.
    let mut expected = read("put-2/data/db")["data"].clone();
    expected["user"] = json!("CANARY \"new\"");
    let shown = put_done(&app, &["vault:put-2/db#user"], "CANARY \"new\"\n");
    assert!(shown.contains("version `1` before, `2` now"), "{shown}");
    let now = read("put-2/data/db");
    assert_eq!(now["data"], expected);
    assert_eq!(now["metadata"]["custom_metadata"], json!({"owner": "sre"}));
    assert!(put_done(&app, &["vault:put-2/db#user"], "CANARY \"new\"").contains("nothing to do"));
    // Version 1.
    server.write("put-1/db", &json!({"user": "CANARY", "other": "CANARY other"}));
    let shown = put_done(&app, &["vault:put-1/db#user"], "CANARY new");
    assert!(shown.contains("which has no versions"), "{shown}");
    assert_eq!(read("put-1/db"), json!({"user": "CANARY new", "other": "CANARY other"}));
    // What the policy does not allow.
    server.write("put-2/data/other", &json!({"data": {"a": "CANARY"}}));
    server.policy("putter", &["put-2/data/*"]);
    let refused = put(&app, &["vault:put-2/other#a"], "CANARY new");
    let stderr = String::from_utf8(refused.stderr).unwrap();
    assert!(stderr.contains("the token is not allowed to write `put-2/data/other`"), "{stderr}");
    assert!(stderr.contains("capabilities = [\"create\", \"read\", \"update\"]"), "{stderr}");
    assert_eq!(server.tokens(), tokens, "the tokens of all runs are revoked");
}

#[test]
fn put_creates_and_revives_only_on_request() {
    let Some(server) = OpenBao::find() else { return };
    let _turn = ONE_AT_A_TIME.lock();
    server.mount("revive-2", 2);
    server.mount("revive-1", 1);
    let app = server.app("auth: {token: {file: token}}");
    app.write("operator/token", "root");
    let read = |path: &str| server.ask("GET", path, &Value::Null)["data"].clone();
    for mount in ["revive-2", "revive-1"] {
        let reference = format!("vault:{mount}/new#a");
        assert_eq!(put(&app, &[&reference], "CANARY").status.code(), Some(2), "{mount}");
        put_done(&app, &[&reference, "--create"], "CANARY");
        put_done(&app, &[&format!("vault:{mount}/new#b"), "--create"], "CANARY b");
        put_done(
            &app,
            &[&format!("vault:{mount}/whole"), "--create"],
            "{\"x\": \"CANARY\",\n\"y\": [true]}\n",
        );
        // The server spells it in its own way.
        assert!(
            put_done(&app, &[&format!("vault:{mount}/whole")], "{\"y\":[true], \"x\":\"CANARY\"}")
                .contains("nothing to do")
        );
    }
    let both = json!({"a": "CANARY", "b": "CANARY b"});
    assert_eq!((&read("revive-2/data/new")["data"], &read("revive-1/new")), (&both, &both));
    assert_eq!(read("revive-1/whole"), json!({"x": "CANARY", "y": [true]}));

    for (path, body) in [("delete", json!({"versions": [2]})), ("destroy", json!({"versions": [3]}))] {
        server.write(&format!("revive-2/{path}/new"), &body);
        let refused = put(&app, &["vault:revive-2/new#a"], "CANARY again");
        let stderr = String::from_utf8(refused.stderr).unwrap();
        assert!(stderr.contains("has no value: this version was"), "{stderr}");
        put_done(&app, &["vault:revive-2/new#a", "--create"], "CANARY again");
    }
    let now = read("revive-2/data/new");
    assert_eq!((&now["data"], &now["metadata"]["version"]), (&json!({"a": "CANARY again"}), &json!(4)));
}

#[test]
fn put_does_not_lose_a_change_at_the_same_time() {
    let Some(server) = OpenBao::find() else { return };
    let _turn = ONE_AT_A_TIME.lock();
    server.mount("race", 2);
    server.write("race/data/db", &json!({"data": {"a": "CANARY", "b": "CANARY"}}));
    // The change happens between reading and writing: a server in front of the real one makes it.
    let real = server.clone();
    let front = StubServer::start(move |asked, _| {
        let path = asked.target.trim_start_matches("/v1/");
        if asked.method == "POST" && path == "race/data/db" {
            real.write(path, &json!({"data": {"a": "CANARY", "b": "CANARY of another"}}));
        }
        let status_of = |is_answered| if is_answered { 200 } else { 400 };
        let (is_answered, text) = real.send(&asked.method, path, asked.body.clone());
        StubReply::json(status_of(is_answered), text)
    });
    let front = OpenBao { address: front.address, namespace: None };
    let app = front.app("mounts: {race: 2}, auth: {token: {file: token}}");
    app.write("operator/token", "root");
    let refused = put(&app, &["vault:race/db#a"], "CANARY new");
    let stderr = String::from_utf8(refused.stderr).unwrap();
    assert!(stderr.contains("was changed elsewhere since it was read, so nothing was written"), "{stderr}");
    let now = server.ask("GET", "race/data/db", &Value::Null);
    assert_eq!(now["data"]["data"], json!({"a": "CANARY", "b": "CANARY of another"}));
}

#[test]
fn status_shows_versions_and_ages_of_version_2() {
    let Some(server) = OpenBao::find() else { return };
    let _turn = ONE_AT_A_TIME.lock();
    let (two, one) = fill(&server, "status");
    let app = server.app("auth: {token: {file: token}}");
    app.write("operator/token", "root");
    let created = server.ask("GET", &format!("{two}/data/versions"), &Value::Null);
    let created = created["data"]["metadata"]["created_time"].as_str().unwrap()[..10].to_owned();
    let status = |references: &[(&str, &str)]| {
        with_items(&app, references.iter().copied());
        let mut command = sealwave();
        command.args(["status", "-o", "json", "--fetch", "--no-policy", "--operator"]);
        let output = watched_output(command.arg(app.path("operator/operator.yaml")).arg(app.path("app")));
        let report: Value = serde_json::from_slice(&output.stdout)
            .unwrap_or_else(|_| panic!("{}", String::from_utf8_lossy(&output.stderr)));
        let secrets = report["secrets"].as_array().unwrap();
        secrets.iter().find(|secret| secret["name"] == "api").unwrap().clone()
    };
    let (versions, first) = (format!("{two}/versions#k"), format!("{two}/app#user"));
    let secret = status(&[("a", &versions), ("b", &first)]);
    assert_eq!(secret["versions"][format!("vault:{versions}")], "4", "{secret}");
    assert_eq!(secret["versions"][format!("vault:{first}")], "1", "{secret}");
    assert_eq!(
        (&secret["changed"]["date"], &secret["changed"]["source"]),
        (&json!(created), &json!("source")),
        "{secret}"
    );
    // Version 1 of the engine tells neither.
    let secret = status(&[("a", &format!("{one}/app#user"))]);
    assert!(secret["versions"].is_null() && secret["changed"].is_null(), "{secret}");
}
