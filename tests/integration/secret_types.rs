//! Typed Secrets in `generate`: Secrets that the API server would refuse with their values are refused before sealing,
//! valid ones are sealed, and no message contains any part of a value.

use crate::support::sealwave;
use crate::support::small_app::SmallApp;

/// Runs `generate` for one Secret of a type, with these items and these provider files.
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

fn assert_refused(secret_type: &str, items: &str, files: &[(&str, &str)], message: &str) {
    let (success, _, stderr) = generate(secret_type, items, files);
    assert!(!success && stderr.contains(message), "{secret_type} {items}: {stderr}");
    assert!(stderr.contains("base/typed.yaml:"), "{stderr}");
}

fn assert_sealed(secret_type: &str, items: &str, files: &[(&str, &str)]) {
    let (success, stdout, stderr) = generate(secret_type, items, files);
    assert!(success && stdout.contains(r#""name":"typed""#), "{secret_type} {items}: {stderr}");
    assert!(!stderr.contains("typed.yaml"), "{stderr}");
}

const DOCKER: &str = "kubernetes.io/dockerconfigjson";
const TLS: &str = "kubernetes.io/tls";

#[test]
fn r07_items_required_by_a_type() {
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
        // Without any item it is not sealed, but still refused.
        (TLS, "", "needs an item `tls.key`"),
    ] {
        assert_refused(secret_type, items, &[], message);
    }
}

#[test]
fn r07_json_that_becomes_invalid_with_its_values() {
    let message =
        "item `.dockerconfigjson` of a Secret of type `kubernetes.io/dockerconfigjson` is not a JSON object";
    let auths = |password: &str| {
        format!(
            "stringData:\n  .dockerconfigjson: '{{\"auths\": {{\"r.example.com\": {{\"password\": {password}}}}}}}'\n"
        )
    };
    let quoted = auths("\"<file:word.txt>\"");
    // Passwords with a quote, a backslash, a line break.
    for word in ["CANARY\"x", "CANARY\\q", "CANARY\n"] {
        assert_refused(DOCKER, &quoted, &[("word.txt", word)], message);
    }
    // Base64 of the JSON, a part of it, other documents.
    for config in
        ["eyJhdXRocyI6IHt9fQ==", "{\"auths\": {\"CANARY", "[\"CANARY\"]", "\"CANARY\"", "", "{} CANARY"]
    {
        let item = "stringData: {.dockerconfigjson: <file:config.txt>}\n";
        assert_refused(DOCKER, item, &[("config.txt", config)], message);
    }
    assert_sealed(DOCKER, &auths("<file:word.txt | json>"), &[("word.txt", "CANARY\"x")]);
    assert_sealed(DOCKER, &quoted, &[("word.txt", "CANARY-plain")]);
    let decoded = "stringData: {.dockerconfigjson: <file:config.txt | base64decode>}\n";
    assert_sealed(DOCKER, decoded, &[("config.txt", "eyJhdXRocyI6IHt9fQ==")]);
    let data = "data: {.dockercfg: e30=}\n";
    assert_sealed("kubernetes.io/dockercfg", data, &[]);
    assert_refused(
        "kubernetes.io/dockercfg",
        "data: {.dockercfg: W10=}\n",
        &[],
        "item `.dockercfg` of a Secret",
    );
}

#[test]
fn r07_secrets_accepted_by_the_api_server_are_sealed() {
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
        assert_sealed(secret_type, items, &[]);
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
        assert_refused(TLS, PAIR, &files, "`tls.key` is not the private key of the certificate in `tls.crt`");
    }
    let chain = pem("other-rsa.crt") + &pem("rsa.crt");
    let message = "`tls.key` belongs to a later certificate of `tls.crt`, and servers present the first one";
    assert_refused(TLS, PAIR, &[("crt.txt", &chain), ("key.txt", &pem("rsa.key"))], message);
    for (certificate, key) in
        [("rsa.crt", "rsa-pkcs1.key"), ("p384.crt", "p384.key"), ("ed25519.crt", "ed25519.key")]
    {
        assert_sealed(TLS, PAIR, &[("crt.txt", &pem(certificate)), ("key.txt", &pem(key))]);
    }
    // Other types may contain anything.
    assert_sealed("Opaque", PAIR, &[("crt.txt", &pem("other-rsa.crt")), ("key.txt", &pem("rsa.key"))]);
}

#[test]
fn p05_files_that_servers_cannot_read_are_a_warning() {
    let items = "stringData: {tls.crt: <file:a.txt>, tls.key: <file:b.txt>}\n";
    let (certificate, key) = (pem("p256.crt"), pem("p256.key"));
    let escaped = certificate.replace('\n', "\\n");
    for (a, b, message) in [
        ("CANARY", "CANARY", Some(("5:23", "`tls.crt` does not contain a PEM certificate"))),
        (&*escaped, &*key, Some(("5:23", "its line breaks must not be written as `\\n`"))),
        (&*certificate, "CANARY", Some(("5:46", "`tls.key` does not contain a PEM private key"))),
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
    assert!(success && stderr.contains("the certificate in `tls.crt` expired on 2021-06-01"), "{stderr}");
    let (success, before, stderr) = generate_with(TLS, "", PAIR, &files, "2021-01-01");
    assert!(success && !stderr.contains("expired"), "{stderr}");
    assert_eq!(before, after);
}

#[test]
fn p05_dates_and_order_of_a_chain_are_warnings_without_values() {
    let items = "stringData: {tls.crt: <file:crt.txt>, tls.key: <file:key.txt>, ca.crt: <file:ca.txt>}\n";
    let key = pem("p256.key");
    let in_order = pem("leaf.crt") + &pem("intermediate.crt");
    for (chain, authority, place, message) in [
        (pem("soon.crt"), pem("root.crt"), "5:23", "the certificate in `tls.crt` expires on 2026-01-20"),
        (pem("future.crt"), pem("root.crt"), "5:23", "in `tls.crt` is not valid before 2026-06-01"),
        (
            pem("leaf.crt") + &pem("root.crt") + &pem("intermediate.crt"),
            pem("root.crt"),
            "5:23",
            "the certificates of `tls.crt` are in the wrong order, from number 2 on",
        ),
        (in_order.clone(), pem("root.crt") + &key, "5:72", "`ca.crt` holds a private key"),
        (in_order.clone(), "CANARY".to_owned(), "5:72", "`ca.crt` does not contain a PEM certificate"),
    ] {
        let files = [("crt.txt", &*chain), ("key.txt", &key), ("ca.txt", &authority)];
        let (success, _, stderr) = generate(TLS, items, &files);
        assert!(success && stderr.starts_with("warning: ") && stderr.contains(message), "{stderr}");
        assert!(stderr.contains(&format!("base/typed.yaml:{place}")), "{stderr}");
        assert!(!stderr.contains("MII"), "{stderr}");
        // The output does not depend on the day.
        let (_, now, _) = generate_with(TLS, "", items, &files, "2026-01-01");
        let (_, earlier, _) = generate_with(TLS, "", items, &files, "2021-01-01");
        assert_eq!(now, earlier);
    }
    assert_sealed(TLS, items, &[("crt.txt", &in_order), ("key.txt", &key), ("ca.txt", &pem("root.crt"))]);
}
