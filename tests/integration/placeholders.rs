//! Placeholders from a hostile or careless author: pipelines that would be an oracle, texts that only look like
//! placeholders, and other languages' `<x:y>` outside of Secrets. All commands must report the same.

use crate::support::sealwave;
use crate::support::small_app::{SmallApp, find, item};

/// Returns an app with one manifest.
fn app(manifest: &str) -> SmallApp {
    let app = SmallApp::new();
    for name in ["secrets.yaml", "config.yaml", "deployments.yaml"] {
        fs_err::remove_file(app.path("app/base").join(name)).unwrap();
    }
    app.write("app/base/a.yaml", manifest);
    app.write("operator/secrets/c.json", r#"{"a": {"b": "Q0FOQVJZ"}, "n": "1"}"#);
    app
}

fn secret(annotations: &str, items: &[&str]) -> String {
    let head = "apiVersion: v1\nkind: Secret\nmetadata:\n  name: s\n";
    let items = items.iter().enumerate().map(|(number, text)| format!("  k{number}: {}\n", json(text)));
    format!("{head}  annotations: {{{annotations}}}\nstringData:\n{}", items.collect::<String>())
}

fn json(text: &str) -> String {
    serde_json::to_string(text).unwrap()
}

/// Returns the output of each command that reads placeholders, for an app that it must refuse.
fn refusals(app: &SmallApp) -> Vec<(&'static str, String)> {
    let (directory, operator) = (app.path("app"), app.path("operator/operator.yaml"));
    let (directory, operator) = (directory.to_str().unwrap(), operator.to_str().unwrap());
    let render = ["render", directory, "--env", "dev"];
    let refs = ["refs", directory, "--env", "dev", "--operator", operator];
    let validate = ["validate", directory];
    let generate = app.args();
    let generate: Vec<&str> = generate.iter().map(String::as_str).collect();
    [(&generate[..], 2), (&render[..], 2), (&refs[..], 2), (&validate[..], 1)]
        .into_iter()
        .map(|(args, code)| {
            let output = sealwave().args(args).output().unwrap();
            let text = [output.stdout.as_slice(), &output.stderr].concat();
            let text = String::from_utf8_lossy(&text).into_owned();
            assert_eq!(output.status.code(), Some(code), "{args:?}: {text}");
            assert!(code == 1 || output.stdout.is_empty(), "{args:?} printed something");
            assert!(!text.contains("CANARY"), "{args:?}: {text}");
            (
                ["generate", "render", "refs", "validate"].into_iter().find(|name| *name == args[0]).unwrap(),
                text,
            )
        })
        .collect()
}

/// The lengths of values are visible in ciphertexts, so free composition would be an oracle.
#[test]
fn every_command_refuses_pipelines_that_are_an_oracle() {
    let hashes = |times: usize| {
        format!("<file:db.yaml#password{} | base64decode | urlencode>", " | sha256".repeat(times))
    };
    let attacks = [
        hashes(1),
        hashes(14),
        r#"<file:db.yaml#password | json | jsonPath '{"{\""}{$}{"\":1}"}' | jsonPath "{.hunter2}" | default "no">"#.into(),
        r#"<file:db.yaml#password | jsonPath '{"{\""}{$}{"\":1}"}' | yamlParse | jsonPath "{.hunter2}" | default "no">"#.into(),
        "<file:db.yaml#password | base64 | base64decode>".into(),
        "<file:db.yaml#password | base64decode | base64decode | default x>".into(),
        "<file:db.yaml#password | urlencode | urlencode>".into(),
        "<file:db.yaml#password | default x | trim>".into(),
        "<file:c.json | jsonPath {.a} | jsonPath {.b}>".into(),
        "<file:db.yaml#password | indent 100 | sha256>".into(),
    ];
    for attack in &attacks {
        for (command, output) in refusals(&app(&secret("", &[attack]))) {
            assert!(output.contains("item `k0`: modifier `"), "{command}: {attack}\n{output}");
            assert!(output.contains("then `default`, then one encoder"), "{command}: {attack}\n{output}");
        }
    }
    // The same with argocd-vault-plugin's form, and in base64-encoded text.
    let generic =
        secret("avp.kubernetes.io/path: db.yaml", &["<password | sha256 | base64decode | urlencode>"]);
    let compatible = app(&generic);
    compatible.write(
        "app/sealwave.yaml",
        "apiVersion: sealwave.dev/v1alpha1\nkind: App\nnamespace: shop\nprovider: file\ncompatibility: avp\n",
    );
    let encoded = "PGZpbGU6ZGIueWFtbCNwYXNzd29yZCB8IHNoYTI1NiB8IHNoYTI1Nj4=";
    let data = format!("apiVersion: v1\nkind: Secret\nmetadata: {{name: s}}\ndata: {{k0: {encoded}}}\n");
    for app in [compatible, app(&data)] {
        assert!(
            refusals(&app).iter().all(|(_, output)| output.contains("cannot follow the encoder `sha256`"))
        );
    }
}

#[test]
fn valid_pipelines_are_sealed() {
    let app = app(&secret(
        "",
        &[
            "<file:c.json | jsonPath {.a.b} | base64decode | trim | default x | json>",
            "<file:c.json | jsonParse | jsonPath {.n}>",
            "<file:c.json | default x | jsonPath {.n}{':'}{.a.b}>",
            "<file:none.yaml#x | base64decode | default 'x y' | urlencode>",
        ],
    ));
    let objects = app.generate();
    assert!((0..4).all(|number| !item(&objects, "s", &format!("k{number}")).is_empty()));
}

#[test]
fn every_command_refuses_texts_that_look_like_placeholders() {
    for text in [
        "<c4n4ry>",
        "<shop/db.yaml#c4n4ry>",
        "${file:shop/db.yaml#c4n4ry}",
        "\\u003cfile:shop/db.yaml#c4n4ry\\u003e",
        "&lt;file:shop/db.yaml#c4n4ry&gt;",
        "%3Cfile:shop/db.yaml%23c4n4ry%3E",
        "< file:shop/db.yaml#c4n4ry>",
        "<File:shop/db.yaml#c4n4ry>",
        "<vault.prod:shop/db#c4n4ry>",
        "ref+vault://shop/db#/c4n4ry",
        "vault:secret/data/shop#c4n4ry",
        "\u{ff1c}file:shop/db.yaml#c4n4ry\u{ff1e}",
    ] {
        let look_alike = app(&secret("", &[text]));
        for (command, output) in refusals(&look_alike) {
            assert!(output.contains("item `k0` looks like a"), "{command}: {text}\n{output}");
            assert!(output.contains("sealwave.dev/literal"), "{command}: {text}\n{output}");
            // `validate` shows no line of a Secret, and no command quotes one.
            assert!(!output.contains("c4n4ry"), "{command}: {text}\n{output}");
        }
        look_alike.write("app/base/a.yaml", &secret("sealwave.dev/literal: 'true', a: b", &[text]));
        let objects = look_alike.generate();
        let sealed = find(&objects, "SealedSecret", "s");
        assert!(!sealed.to_string().contains("sealwave.dev/literal"), "the annotation stays: {sealed}");
    }
}

#[test]
fn the_annotation_changes_no_byte_of_a_secret_that_needs_none() {
    let texts = ["<file:db.yaml#password>", "<<file:x#y> plain"];
    let without = app(&secret("a: b", &texts)).generate_bytes();
    assert_eq!(without, app(&secret("a: b, sealwave.dev/literal: 'true'", &texts)).generate_bytes());
}

const OTHER_LANGUAGES: &str = "\
apiVersion: v1
kind: ConfigMap
metadata:
  name: c
  annotations: {note: 'see <file:line>'}
data:
  soap: <env:Envelope><env:Body/></env:Envelope>
  route: /users/<path:rest/of/it>
  url: <file:///etc/hosts>
  other: <vault:shop/db#password>
";

#[test]
fn other_languages_are_ignored_outside_of_secrets() {
    let app = app(OTHER_LANGUAGES);
    let objects = app.generate();
    let data = &find(&objects, "ConfigMap", "c")["data"];
    assert_eq!(data["soap"], "<env:Envelope><env:Body/></env:Envelope>");
    // The operator file has no `vault`; without an operator file, the provider kind is sufficient.
    assert_eq!(data["other"], "<vault:shop/db#password>");
    let output =
        sealwave().args(["render", app.path("app").to_str().unwrap(), "--env", "dev"]).output().unwrap();
    let stderr = String::from_utf8_lossy(&output.stderr);
    assert!(stderr.contains("placeholder of provider `vault`") && stderr.contains("a.yaml:10:"), "{stderr}");
}

#[test]
fn leftovers_outside_of_secrets_stay_errors_unless_the_object_is_exempt() {
    let map = |annotations: &str| {
        format!(
            "apiVersion: v1\nkind: ConfigMap\nmetadata: {{name: c, annotations: {{{annotations}}}}}\n\
             data: {{k: 'x <file:shop/db.yaml#password>'}}\n"
        )
    };
    let kept = |app: &SmallApp| {
        let objects = app.generate();
        let map = find(&objects, "ConfigMap", "c");
        assert_eq!(map["data"]["k"], "x <file:shop/db.yaml#password>");
        assert!(!map.to_string().contains("sealwave.dev/literal"), "{map}");
        let output = sealwave().args(["validate", app.path("app").to_str().unwrap()]).output().unwrap();
        assert!(!String::from_utf8_lossy(&output.stdout).contains("app/placeholder"));
    };
    let listed = app(&map(""));
    for (command, said) in refusals(&listed) {
        assert!(said.contains("placeholder of provider `file` is outside"), "{command}: {said}");
    }
    let file = "apiVersion: sealwave.dev/v1alpha1\nkind: App\nnamespace: shop\n";
    listed.write("app/sealwave.yaml", &format!("{file}literals: [ConfigMap/shop/*]\n"));
    kept(&listed);
    kept(&app(&map("sealwave.dev/literal: 'true'")));

    // Patterns that are too wide, and Secrets.
    listed.write(
        "app/base/a.yaml",
        &secret("sealwave.dev/literal: 'true', a: '<file:db.yaml#password>'", &["x"]),
    );
    listed.write("app/sealwave.yaml", &format!("{file}literals: ['*/*/*']\n"));
    assert!(refusals(&listed).iter().all(|(_, said)| said.contains("is outside of a Secret's data")));
    for (pattern, expected) in [
        ("Secret/shop/s", "of a kind other than Secret"),
        ("shop/s", "`Kind/namespace/name`, each part a glob"),
    ] {
        listed.write("app/sealwave.yaml", &format!("{file}literals: [{pattern}]\n"));
        let output = sealwave().args(listed.args()).output().unwrap();
        let stderr = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.code() == Some(2) && stderr.contains(expected), "{stderr}");
    }
}
