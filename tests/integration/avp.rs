//! Tests of migrating from argocd-vault-plugin: its manifests, in the forms of its documentation, through the whole pipeline.
//!
//! Sealed values are unsealed with the fake cluster's key and compared.

use std::collections::BTreeMap;

use crate::support::small_app::{SmallApp, find, item};
use crate::support::{root, run, sealwave};
use sealwave_secrets::SealingScope;
use sealwave_testkit::{DangerPrivateKey, danger_unseal};

const COMPATIBLE: &str =
    "apiVersion: sealwave.dev/v1alpha1\nkind: App\nnamespace: shop\nprovider: file\ncompatibility: avp\n";
const OTHERWISE: &str = "apiVersion: sealwave.dev/v1alpha1\nkind: App\nnamespace: shop\nprovider: file\n";

/// Returns an app with one manifest, and a store with all secrets of the tables.
fn app(manifest: &str) -> SmallApp {
    let app = SmallApp::new();
    app.write("app/sealwave.yaml", COMPATIBLE);
    for name in ["secrets.yaml", "config.yaml", "deployments.yaml"] {
        fs_err::remove_file(app.path("app/base").join(name)).unwrap();
    }
    app.write("app/base/secret.yaml", manifest);
    app.write(
        "operator/secrets/team/db.yaml",
        "username: CANARY-user\npassword: CANARY-p@ss\nport: 5432\npin: 0123\nratio: 1.50\nflag: true\n\
         encoded: Q0FOQVJZLXBAc3M=\nbroken: 'not base64!'\nnested: {a: {b: x}}\ntext: a <username> b\n\
         json: '{\"u\": \"joe\", \"p\": \"s3\", \"n\": 12345678901, \"o\": {\"z\": 1, \"a\": [1, 2]}}'\n\
         yaml: \"u: joe\\np: 0777\\n\"\nlines: \"one\\n\\n  two\\n\"\nwith space: spaced\n",
    );
    app
}

fn secret(annotations: &str, fields: &str) -> String {
    format!(
        "apiVersion: v1\nkind: Secret\nmetadata:\n  name: s\n  annotations: {{{annotations}}}\n{fields}\n"
    )
}

const PATH: &str = "avp.kubernetes.io/path: team/db.yaml";

/// Returns the values that the cluster's controller would unseal.
fn opened(app: &SmallApp) -> BTreeMap<String, String> {
    let objects = app.generate();
    let key = fs_err::read_to_string(root().join("testdata/sealed-secrets/rsa2048.key")).unwrap();
    let key = DangerPrivateKey::from_pem(&key).unwrap();
    let sealed = find(&objects, "SealedSecret", "s");
    assert!(!sealed.to_string().contains("avp.kubernetes.io"), "annotations are not removed: {sealed}");
    let items = sealed["spec"]["encryptedData"].as_object().unwrap();
    let label = SealingScope::Strict.label("shop", "s");
    items
        .iter()
        .map(|(name, item)| {
            let value = danger_unseal(&key, &label, item.as_str().unwrap()).unwrap();
            (name.clone(), String::from_utf8(value.expose().to_vec()).unwrap())
        })
        .collect()
}

/// Returns the standard error of a run that must fail; it must not contain a value.
fn error(app: &SmallApp) -> String {
    let output = sealwave().args(app.args()).output().unwrap();
    let stderr = String::from_utf8_lossy(&output.stderr).into_owned();
    assert_eq!(output.status.code(), Some(2), "{stderr}");
    assert!(output.stdout.is_empty() && !stderr.contains("CANARY"), "{stderr}");
    stderr
}

#[test]
fn manifests_have_the_same_values() {
    for (field, text, expected) in [
        // Generic placeholders.
        ("stringData", "<password>", "CANARY-p@ss"),
        ("stringData", "< password >", "CANARY-p@ss"),
        ("stringData", "<with space>", "spaced"),
        ("stringData", "<username>:<password>", "CANARY-user:CANARY-p@ss"),
        ("data", "<encoded>", "CANARY-p@ss"),
        ("data", "<password | base64encode>", "CANARY-p@ss"),
        ("stringData", "<encoded | base64decode>", "CANARY-p@ss"),
        ("stringData", "<json | jsonPath {.u}{':'}{.p}>", "joe:s3"),
        ("stringData", "<json | jsonPath {.u} {.p}>", "joe s3"),
        ("stringData", "<json | jsonPath {.u}{' - '}{.p}>", "joe - s3"),
        ("stringData", "<json|jsonParse|jsonPath {.p}>", "s3"),
        ("stringData", "<yaml | yamlParse | jsonPath {.u}>", "joe"),
        (
            "stringData",
            "<password | sha256sum>",
            "762e6011f2ccddff0a54a7e91f94d3b53299e5e588d7ecbb45397eab37938a00",
        ),
        ("data", "<json | jsonPath {.u} | base64encode>", "joe"),
        // base64 of `pg://<username>:<password>@h`, as generators write it.
        ("data", "cGc6Ly88dXNlcm5hbWU+OjxwYXNzd29yZD5AaA==", "pg://CANARY-user:CANARY-p@ss@h"),
        // Inline placeholders, with and without white space.
        ("stringData", "<path:team/db.yaml#password>", "CANARY-p@ss"),
        ("stringData", "<path:team/db.yaml# password >", "CANARY-p@ss"),
        ("stringData", "<path:team/db.yaml#username>:<password>", "CANARY-user:CANARY-p@ss"),
        ("data", "<path:team/db.yaml#encoded>", "CANARY-p@ss"),
        ("data", "<path:team/db.yaml#password | base64encode>", "CANARY-p@ss"),
        // Text without placeholders.
        ("stringData", "a < b", "a < b"),
        ("stringData", "a <> b", "a <> b"),
    ] {
        let found = opened(&app(&secret(PATH, &format!("{field}: {{k: \"{text}\"}}"))));
        assert_eq!(found["k"], expected, "{field}: {text}");
    }
}

/// The table of differences in docs/moving/argocd-vault-plugin.md.
#[test]
fn defects_are_not_reproduced() {
    for (text, expected) in [
        ("port=<port>", "port=5432"),
        ("<pin>/<ratio>/<flag>", "0123/1.50/true"),
        ("<nested>", r#"{"a":{"b":"x"}}"#),
        ("<nested.a.b>", "x"),
        ("<json | jsonPath {.n}>", "12345678901"),
        ("<json | jsonPath {.o}>", r#"{"z":1,"a":[1,2]}"#),
        ("<yaml | yamlParse | jsonPath {.p}>", "0777"),
        ("<lines | indent 2>", "one\n  \n    two\n"),
        ("<password | urlencode>", "CANARY-p%40ss"),
        ("<absent | default x>", "x"),
        ("<text>", "a <username> b"),
        ("<<password>", "<password>"),
    ] {
        let found = opened(&app(&secret(PATH, &format!("stringData: {{k: \"{text}\"}}"))));
        assert_eq!(found["k"], expected, "{text}");
    }
}

#[test]
fn unsupported_features_are_errors() {
    for (manifest, expected) in [
        (secret(PATH, "stringData: {k: <broken | base64decode>}"), "the value is not base64"),
        (secret(PATH, "data: {k: <broken>}"), "the value is not base64"),
        (secret(PATH, "data: {k: <encoded><encoded>}"), "does not produce base64"),
        (secret(PATH, "stringData: {k: <absent>}"), "`file:team/db.yaml#absent` is not found"),
        (secret(PATH, "stringData: {k: 'a<b=\"c\">'}"), "is not a valid key"),
        (secret(PATH, "stringData: {k: 'a<b#2>'}"), "is not a valid key"),
        (secret(PATH, "stringData: {k: 'a<b|CANARY>'}"), "a `|` without a modifier"),
        (secret(PATH, "stringData: {k: '<json | jsonPath {.o[*]}>'}"), "wildcards"),
        (secret(PATH, "stringData: {<password>: x}"), "is not valid"),
        (secret(PATH, "type: <password>\nstringData: {k: x}"), "is outside of a Secret's data"),
        (secret(&format!("{PATH}, x: <password>"), "stringData: {k: x}"), "is outside"),
        (secret("avp.kubernetes.io/path: '<path:a#b>'", "stringData: {k: x}"), "must be a path"),
        (secret("avp.kubernetes.io/path: ''", "stringData: {k: x}"), "must be a path"),
        (secret("avp.kubernetes.io/ignore: true", "stringData: {k: x}"), "must be \"true\""),
        (secret("avp.kubernetes.io/ignore: 'yes'", "stringData: {k: x}"), "must be \"true\""),
        (secret("avp.kubernetes.io/kv-version: '3'", "stringData: {k: x}"), "must be \"1\" or \"2\""),
        (secret("avp.kubernetes.io/paht: x", "stringData: {k: x}"), "is unknown"),
        (
            secret(&format!("{PATH}, avp.kubernetes.io/secret-version: '2'"), "stringData: {k: <password>}"),
            "a file has no versions",
        ),
        (
            format!(
                "apiVersion: v1\nkind: ConfigMap\nmetadata: {{name: c, annotations: {{{PATH}}}}}\ndata: {{k: <password>}}\n"
            ),
            "placeholder `<…>` is outside of a Secret's data, in ConfigMap `shop/c`",
        ),
        (
            "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: c}\ndata: {k: '<path:a#b>'}\n".to_owned(),
            "placeholder of provider `path` is outside",
        ),
    ] {
        let said = error(&app(&manifest));
        assert!(said.contains(expected), "{manifest}\n{said}");
    }
}

#[test]
fn without_the_switch_its_annotations_are_errors() {
    let app = app(&secret(PATH, "stringData: {k: <password>}"));
    app.write("app/sealwave.yaml", OTHERWISE);
    assert!(error(&app).contains("is argocd-vault-plugin's"));
    app.write("app/sealwave.yaml", &COMPATIBLE.replace("avp", "vals"));
    assert!(error(&app).contains("compatibility"));
}

#[test]
fn an_ignored_secret_is_literal_and_sealed() {
    let manifest = secret(
        "avp.kubernetes.io/ignore: 'true', avp.kubernetes.io/path: x",
        "stringData: {k: '<password> <path:a#b> <<x>'}\ndata: {d: PHBhc3N3b3JkPg==}",
    );
    let found = opened(&app(&manifest));
    assert_eq!((found["k"].as_str(), found["d"].as_str()), ("<password> <path:a#b> <<x>", "<password>"));
}

#[test]
fn missing_keys_are_omitted_if_the_author_allows_it() {
    let annotations = format!("{PATH}, avp.kubernetes.io/remove-missing: 'true'");
    let found = opened(&app(&secret(
        &annotations,
        "stringData: {a: <password>, b: <absent>, c: 'x<path:team/none.yaml#a>', d: '<absent | default y>'}",
    )));
    assert_eq!(found.keys().collect::<Vec<_>>(), ["a", "d"]);
    let refused = app(&secret(&annotations, "stringData: {a: '<env:HOME>', b: <absent>}"));
    let said = error(&refused);
    assert!(said.contains("env:HOME") && !said.contains("not found"), "{said}");
    let nothing = app(&secret(&annotations, "stringData: {b: <absent>}"));
    let objects = nothing.generate();
    assert!(find(&objects, "Secret", "s").get("stringData").is_none());
}

#[test]
fn sealed_texts_depend_on_the_full_reference() {
    let app = app(&secret(PATH, "stringData: {k: <password>}"));
    app.write("operator/secrets/team/copy.yaml", "password: CANARY-p@ss\n");
    let first = item(&app.generate(), "s", "k");
    app.replace("app/base/secret.yaml", "team/db.yaml", "team/copy.yaml");
    let elsewhere = item(&app.generate(), "s", "k");
    assert_ne!(first, elsewhere, "another path with the same value");

    // The inline form of the same reference is the same text, with and without the switch.
    app.write("app/base/secret.yaml", &secret("", "stringData: {k: '<path:team/db.yaml#password>'}"));
    app.write("app/sealwave.yaml", OTHERWISE);
    assert_eq!(first, item(&app.generate(), "s", "k"));

    // Another default provider with the same value: a committer can choose it.
    let both = "providers: {file: {kind: file, root: secrets}, other: {kind: file, root: secrets}}";
    app.replace(
        "operator/operator.yaml",
        "providers: {file: {kind: file, root: secrets}, env: {kind: env, names: [SHOP_*]}}",
        both,
    );
    app.replace("operator/operator.yaml", "'file:**'", "'file:**', 'other:**'");
    assert_eq!(first, item(&app.generate(), "s", "k"));
    app.replace("app/sealwave.yaml", "provider: file", "provider: other");
    assert_ne!(first, item(&app.generate(), "s", "k"));
}

#[test]
fn a_preview_shows_references_but_no_annotations() {
    let app = app(&secret(PATH, "stringData: {k: 'x <password>'}"));
    let output = run(&["render", app.path("app").to_str().unwrap(), "--env", "dev"]);
    let stdout = String::from_utf8(output.stdout).unwrap();
    assert!(stdout.contains("redacted: value of file:team/db.yaml#password"), "{stdout}");
    assert!(!stdout.contains("avp.kubernetes.io"), "{stdout}");
}
