//! Tests of the binary with files that `sops` wrote: sealed values, rejected files, and replaced files.

use std::process::Output;

use crate::support::small_app::{SmallApp, checksums, find, item};
use crate::support::{MARKER, find_marker, objects, root, sealwave};
use sealwave_secrets::SealingScope;
use sealwave_testkit::{DangerPrivateKey, danger_unseal};
use serde_json::Value;

fn fixture(name: &str) -> String {
    fs_err::read_to_string(root().join("testdata/sops").join(name)).unwrap()
}

/// Returns the small app with encrypted files, which contain the items of the Secret `api`.
fn app() -> SmallApp {
    let app = SmallApp::new();
    app.write("operator/age.key", &fixture("age.key"));
    app.write(
        "operator/operator.yaml",
        "apiVersion: sealwave.dev/v1alpha1\nkind: Operator\nsealKeyFile: seal-key\n\
         clusters: {dev: {certificate: {file: dev.pem, allowExpired: true}}}\n\
         providers: {file: {kind: file, root: secrets}, sops: {kind: sops, ageKeyFiles: [age.key]}}\n\
         policy: [{projects: ['*'], allow: ['file:**', 'sops:**']}]\n",
    );
    for name in ["all.yaml", "blob.bin"] {
        app.write(&format!("app/secrets/{name}"), &fixture(name));
    }
    app.write(
        "app/base/secrets.yaml",
        "apiVersion: v1\nkind: Secret\nmetadata: {name: api, namespace: shop}\nstringData:\n  \
         password: <sops:secrets/all.yaml#password>\n  \
         url: db://<sops:secrets/all.yaml#db.host>:<sops:secrets/all.yaml#db.port>/\n  \
         exact: <sops:secrets/all.yaml#a.b>\n  \
         multi: <sops:secrets/all.yaml#multi>\n  \
         unicode: <sops:secrets/all.yaml#unicode>\n  \
         big: <sops:secrets/all.yaml#db.big>\n  \
         blob: <sops:secrets/blob.bin>\n\
         ---\napiVersion: v1\nkind: Secret\nmetadata: {name: web, namespace: shop}\nstringData:\n  \
         token: <file:web.txt>\n",
    );
    app
}

/// Runs `generate`, and checks that no output contains a value or the key.
fn generate(app: &SmallApp) -> Output {
    let output = sealwave()
        .args(app.args())
        .env("RUST_LOG", "trace")
        .env("RUST_BACKTRACE", "full")
        .output()
        .expect("the binary starts");
    let key = fixture("age.key");
    let key = key.lines().find_map(|line| line.strip_prefix("AGE-SECRET-KEY-1")).expect("a key");
    for bytes in [&output.stdout, &output.stderr] {
        for secret in [MARKER, &key[..20], &key[30..50]] {
            assert_eq!(find_marker(bytes, secret), None, "{}", String::from_utf8_lossy(bytes));
        }
    }
    output
}

fn generated(app: &SmallApp) -> Vec<Value> {
    let output = generate(app);
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    objects(std::str::from_utf8(&output.stdout).expect("UTF-8"))
}

fn refusal(app: &SmallApp) -> String {
    let output = generate(app);
    let stderr = String::from_utf8_lossy(&output.stderr).into_owned();
    assert_eq!(output.status.code(), Some(2), "{stderr}");
    assert!(output.stdout.is_empty(), "standard output is not empty");
    stderr
}

#[test]
fn values_are_sealed_exactly() {
    let pem = fs_err::read_to_string(root().join("testdata/sealed-secrets/rsa2048.key")).unwrap();
    let key = DangerPrivateKey::from_pem(&pem).unwrap();
    let app = app();
    let objects = generated(&app);
    let blob = fs_err::read(root().join("testdata/sops/expected/blob.bin")).unwrap();
    let expected: [(&str, &[u8]); 7] = [
        ("password", b"CANARY-p@ss <aws-sm:x#y> {{ z }} $"),
        ("url", b"db://CANARY.example:5432/"),
        ("exact", b"CANARY-exact"),
        ("multi", b"CANARY line one\nline two\n"),
        ("unicode", "CANARY \u{e4} \u{1f600} \0 \t \u{1f600}".as_bytes()),
        ("big", b"9007199254740993"),
        ("blob", &blob),
    ];
    let sealed = find(&objects, "SealedSecret", "api")["spec"]["encryptedData"].as_object().unwrap();
    assert_eq!(sealed.len(), expected.len());
    for (name, value) in expected {
        let label = SealingScope::Strict.label("shop", "api");
        let opened = danger_unseal(&key, &label, &item(&objects, "api", name)).unwrap();
        assert_eq!(opened.expose(), value, "{name}");
    }
    assert_eq!(generated(&app), objects, "the next run has the same output");
}

/// A committer who cannot decrypt can replace a file by a guess. The output must not reveal whether the guess is right.
#[test]
fn a_right_guess_is_not_revealed() {
    let app = app();
    let before = generated(&app);
    // A comment changes neither values nor the MAC: the same values in another file.
    app.write("app/secrets/all.yaml", &format!("{}# another\n", fixture("all.yaml")));
    let after = generated(&app);
    for name in ["password", "url", "exact", "multi", "unicode", "big"] {
        assert_ne!(item(&before, "api", name), item(&after, "api", name), "{name}");
    }
    assert_ne!(checksums(&before, "api"), checksums(&after, "api"));
    // Values from other files do not change.
    assert_eq!(item(&before, "api", "blob"), item(&after, "api", "blob"));
    assert_eq!(item(&before, "web", "token"), item(&after, "web", "token"));
    assert_eq!(checksums(&before, "web"), checksums(&after, "web"));
    app.write("app/secrets/all.yaml", &fixture("all.yaml"));
    assert_eq!(generated(&app), before);
}

#[test]
fn modified_files_produce_no_output() {
    type Change = fn(&SmallApp);
    let cases: [(&str, Change); 8] = [
        ("cannot be decrypted: it was changed", |app| {
            app.replace("app/secrets/all.yaml", "data:B7anl2", "data:C7anl2");
        }),
        ("MAC does not match", |app| {
            app.replace("app/secrets/all.yaml", "username_unencrypted: shop", "username_unencrypted: CANARY");
        }),
        ("should be encrypted", |app| {
            let file = fixture("all.yaml");
            let line = file.lines().find(|line| line.starts_with("password: ")).expect("a password");
            app.replace("app/secrets/all.yaml", line, "password: CANARY");
        }),
        ("not encrypted", |app| app.write("app/secrets/all.yaml", "password: CANARY\n")),
        ("cannot be parsed", |app| app.write("app/secrets/all.yaml", "password: [CANARY\n")),
        ("none of the provider's keys", |app| app.write("app/secrets/all.yaml", &fixture("stranger.yaml"))),
        ("age key file `age.key`", |app| app.write("operator/age.key", "CANARY\n")),
        ("sops:../operator/age.key", |app| {
            app.replace("app/base/secrets.yaml", "<sops:secrets/blob.bin>", "<sops:../operator/age.key>");
        }),
    ];
    for (why, change) in cases {
        let app = app();
        change(&app);
        let stderr = refusal(&app);
        assert!(stderr.contains(why), "`{why}` is not in: {stderr}");
    }
}
