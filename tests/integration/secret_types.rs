//! Typed Secrets in `generate`: what the API server would refuse once the values are filled in is refused before it is
//! sealed, what it takes is sealed, and no message holds anything of a value.

use crate::support::sealwave;
use crate::support::small_app::SmallApp;

/// Runs `generate` for one Secret of a type, with these items and these files at the provider.
fn generate(secret_type: &str, items: &str, files: &[(&str, &str)]) -> (bool, String, String) {
    generate_with(secret_type, "", items, files, "2026-01-01")
}

fn generate_with(
    secret_type: &str,
    metadata: &str,
    items: &str,
    files: &[(&str, &str)],
    day: &str,
) -> (bool, String, String) {
    let app = SmallApp::new();
    app.write(
        "app/base/typed.yaml",
        &format!(
            "apiVersion: v1\nkind: Secret\nmetadata: {{name: typed{metadata}}}\ntype: {secret_type}\n{items}"
        ),
    );
    for (name, text) in files {
        app.write(&format!("operator/secrets/{name}"), text);
    }
    let seconds = match day {
        "2021-01-01" => "1609459200",
        "2026-01-01" => "1767225600",
        _ => panic!("another day"),
    };
    let output = sealwave().args(app.args()).env("SOURCE_DATE_EPOCH", seconds).output().unwrap();
    let text = |bytes| String::from_utf8(bytes).unwrap();
    let (stdout, stderr) = (text(output.stdout), text(output.stderr));
    assert!(output.status.success() || stdout.is_empty());
    assert!(!(stdout.clone() + &stderr).contains("CANARY"), "{stderr}");
    (output.status.success(), stdout, stderr)
}

fn refused(secret_type: &str, items: &str, files: &[(&str, &str)], message: &str) {
    let (success, _, stderr) = generate(secret_type, items, files);
    assert!(!success && stderr.contains(message), "{secret_type} {items}: {stderr}");
    assert!(stderr.contains("base/typed.yaml:"), "{stderr}");
}

fn sealed(secret_type: &str, items: &str, files: &[(&str, &str)]) {
    let (success, stdout, stderr) = generate(secret_type, items, files);
    assert!(success && stdout.contains(r#""name":"typed""#), "{secret_type} {items}: {stderr}");
    assert!(!stderr.contains("typed.yaml"), "{stderr}");
}

const DOCKER: &str = "kubernetes.io/dockerconfigjson";
const TLS: &str = "kubernetes.io/tls";

#[test]
fn r07_items_that_a_type_asks_for() {
    for (secret_type, items, message) in [
        (DOCKER, "stringData: {config: <file:web.txt>}\n", "needs an item `.dockerconfigjson`"),
        ("kubernetes.io/dockercfg", "stringData: {.dockerconfigjson: '{}'}\n", "needs an item `.dockercfg`"),
        (
            TLS,
            "stringData: {tls.crt: <file:web.txt>}\n",
            "of type `kubernetes.io/tls` needs an item `tls.key`",
        ),
        (TLS, "stringData: {crt: a, key: b}\n", "needs an item `tls.crt`"),
        (
            "kubernetes.io/basic-auth",
            "stringData: {user: <file:web.txt>}\n",
            "needs one of `password`, `username`",
        ),
        (
            "kubernetes.io/ssh-auth",
            "stringData: {id_rsa: <file:web.txt>}\n",
            "needs an item `ssh-privatekey`",
        ),
        (
            "kubernetes.io/ssh-auth",
            "stringData: {ssh-privatekey: ''}\n",
            "item `ssh-privatekey` of a Secret of type",
        ),
        (
            "kubernetes.io/service-account-token",
            "stringData: {extra: a}\n",
            "needs the annotation `kubernetes.io/service-account.name`",
        ),
        // Without any item it is not sealed, and refused all the same.
        (TLS, "", "needs an item `tls.key`"),
    ] {
        refused(secret_type, items, &[], message);
    }
}

#[test]
fn r07_json_that_breaks_when_values_are_filled_in() {
    let message =
        "item `.dockerconfigjson` of a Secret of type `kubernetes.io/dockerconfigjson` is not a JSON object";
    let auths = |password: &str| {
        format!(
            "stringData:\n  .dockerconfigjson: '{{\"auths\": {{\"r.example.com\": {{\"password\": {password}}}}}}}'\n"
        )
    };
    let quoted = auths("\"<file:word.txt>\"");
    // A quote, a backslash, a line break in the password.
    for word in ["CANARY\"x", "CANARY\\q", "CANARY\n"] {
        refused(DOCKER, &quoted, &[("word.txt", word)], message);
    }
    // Base64 of the JSON, a part of it, another document.
    for config in
        ["eyJhdXRocyI6IHt9fQ==", "{\"auths\": {\"CANARY", "[\"CANARY\"]", "\"CANARY\"", "", "{} CANARY"]
    {
        let item = "stringData: {.dockerconfigjson: <file:config.txt>}\n";
        refused(DOCKER, item, &[("config.txt", config)], message);
    }
    sealed(DOCKER, &auths("<file:word.txt | json>"), &[("word.txt", "CANARY\"x")]);
    sealed(DOCKER, &quoted, &[("word.txt", "CANARY-plain")]);
    let decoded = "stringData: {.dockerconfigjson: <file:config.txt | base64decode>}\n";
    sealed(DOCKER, decoded, &[("config.txt", "eyJhdXRocyI6IHt9fQ==")]);
    let data = "data: {.dockercfg: e30=}\n";
    sealed("kubernetes.io/dockercfg", data, &[]);
    refused("kubernetes.io/dockercfg", "data: {.dockercfg: W10=}\n", &[], "item `.dockercfg` of a Secret");
}

#[test]
fn r07_what_the_api_server_takes_is_taken() {
    for (secret_type, items) in [
        // g04: empty items of a TLS Secret.
        (TLS, "stringData: {tls.crt: '', tls.key: ''}\n"),
        (DOCKER, "stringData: {.dockerconfigjson: 'null'}\n"),
        (DOCKER, "stringData: {.dockerconfigjson: '{}', more: a}\n"),
        ("kubernetes.io/basic-auth", "stringData: {password: ''}\n"),
        ("kubernetes.io/basic-auth", "stringData: {username: <file:web.txt>}\n"),
        ("kubernetes.io/ssh-auth", "stringData: {ssh-privatekey: a}\n"),
        ("bootstrap.kubernetes.io/token", "stringData: {token-id: abcdef}\n"),
        ("helm.sh/release.v1", "stringData: {release: a}\n"),
        ("Opaque", "stringData: {tls.crt: a}\n"),
    ] {
        sealed(secret_type, items, &[]);
    }
    let annotation = ", annotations: {kubernetes.io/service-account.name: web}";
    let token = "kubernetes.io/service-account-token";
    let (success, _, stderr) =
        generate_with(token, annotation, "stringData: {extra: a}\n", &[], "2026-01-01");
    assert!(success, "{stderr}");
}

fn pem(name: &str) -> String {
    fs_err::read_to_string(crate::support::root().join("testdata/tls-pairs").join(name)).unwrap()
}

const PAIR: &str = "stringData: {tls.crt: <file:crt.txt>, tls.key: <file:key.txt>}\n";

#[test]
fn p05_a_key_of_another_certificate_is_not_sealed() {
    for (certificate, key) in
        [("other-rsa.crt", "rsa.key"), ("rsa.crt", "p256.key"), ("other-p256.crt", "p256-sec1.key")]
    {
        let files = [("crt.txt", &*pem(certificate)), ("key.txt", &pem(key))];
        refused(TLS, PAIR, &files, "`tls.key` is not the private key of the certificate in `tls.crt`");
    }
    let chain = pem("other-rsa.crt") + &pem("rsa.crt");
    let message = "`tls.key` belongs to a later certificate of `tls.crt`, and servers present the first one";
    refused(TLS, PAIR, &[("crt.txt", &chain), ("key.txt", &pem("rsa.key"))], message);
    for (certificate, key) in
        [("rsa.crt", "rsa-pkcs1.key"), ("p384.crt", "p384.key"), ("ed25519.crt", "ed25519.key")]
    {
        sealed(TLS, PAIR, &[("crt.txt", &pem(certificate)), ("key.txt", &pem(key))]);
    }
    // Any other type may hold what it likes.
    sealed("Opaque", PAIR, &[("crt.txt", &pem("other-rsa.crt")), ("key.txt", &pem("rsa.key"))]);
}

#[test]
fn p05_what_no_server_can_read_is_a_warning() {
    let items = "stringData: {tls.crt: <file:a.txt>, tls.key: <file:b.txt>}\n";
    let (certificate, key) = (pem("p256.crt"), pem("p256.key"));
    let escaped = certificate.replace('\n', "\\n");
    for (a, b, message) in [
        ("CANARY", "CANARY", Some(("5:23", "`tls.crt` holds no certificate in PEM"))),
        (&*escaped, &*key, Some(("5:23", "its line breaks are not written as `\\n`"))),
        (&*certificate, "CANARY", Some(("5:46", "`tls.key` holds no private key in PEM"))),
        (&*key, &*certificate, Some(("5:23", "`tls.crt` holds a private key, and `tls.key` a certificate"))),
        (
            &*certificate,
            &*pem("rsa-encrypted.key"),
            Some(("5:46", "the private key in `tls.key` is encrypted")),
        ),
        (&*certificate, &*key, None),
    ] {
        let (success, stdout, stderr) = generate(TLS, items, &[("a.txt", a), ("b.txt", b)]);
        assert!(success && stdout.contains(r#""name":"typed""#), "{stderr}");
        match message {
            Some((place, message)) => {
                assert!(stderr.starts_with("warning: "), "{stderr}");
                assert!(stderr.contains(message), "{stderr}");
                assert!(stderr.contains(&format!("base/typed.yaml:{place}")), "{stderr}");
            }
            None => assert_eq!(stderr, ""),
        }
    }
}

#[test]
fn p05_an_expired_certificate_is_a_warning_and_changes_no_output() {
    let files = [("crt.txt", &*pem("expired.crt")), ("key.txt", &pem("rsa.key"))];
    let (success, after, stderr) = generate_with(TLS, "", PAIR, &files, "2026-01-01");
    assert!(success && stderr.contains("the certificate in `tls.crt` has expired"), "{stderr}");
    let (success, before, stderr) = generate_with(TLS, "", PAIR, &files, "2021-01-01");
    assert!(success && !stderr.contains("expired"), "{stderr}");
    assert_eq!(before, after);
}
