//! Tests of `sealwave.dev/string-data-from` through the binary: all keys of a secret become items of a Secret.

use std::collections::BTreeMap;
use std::process::Output;

use crate::support::small_app::{SmallApp, checksums, find};
use crate::support::{refused, root, sealwave, watched_output};
use sealwave_secrets::SealingScope;
use sealwave_testkit::{DangerPrivateKey, danger_unseal};
use serde_json::{Value, json};

const NAME: &str = "sealwave.dev/string-data-from";

/// Returns the small app whose Secret `api` has this annotation and these items.
fn app(annotation: &str, items: &str) -> SmallApp {
    let app = SmallApp::new();
    secret(&app, annotation, items);
    app.write(
        "operator/secrets/shop/db.yaml",
        "# CANARY\nuser: CANARY u\npassword: 'p@ss: CANARY'\nport: 0123\nfloat: 1.10\non: yes\nnothing: null\n\
         deep: {a: [1, x]}\ntls.crt: |\n  CANARY\n",
    );
    app.write("operator/secrets/shop/db.json", r#"{"DB_USER":"CANARY","DB_OLD":1.10,"b":{"c": [1, "x y"]}}"#);
    app.write("operator/secrets/shop/.env", "A=CANARY\nB='b c'\n");
    app.write("operator/secrets/shop/a.properties", "x.y=CANARY\nz: 2\n");
    app
}

fn secret(app: &SmallApp, annotation: &str, items: &str) {
    let annotation = annotation.lines().map(|line| format!("      {line}\n")).collect::<Vec<_>>().concat();
    app.write(
        "app/base/secrets.yaml",
        &format!(
            "apiVersion: v1\nkind: Secret\nmetadata:\n  name: api\n  namespace: shop\n  annotations:\n    {NAME}: |\n{annotation}{items}\
             ---\napiVersion: v1\nkind: Secret\nmetadata: {{name: web, namespace: shop}}\nstringData: {{token: <file:web.txt>}}\n"
        ),
    );
}

/// Returns the unsealed items of a `SealedSecret`.
fn opened(objects: &[Value], name: &str) -> BTreeMap<String, String> {
    let pem = fs_err::read(root().join("testdata/sealed-secrets/rsa2048.key")).unwrap();
    let key = DangerPrivateKey::from_pem(&String::from_utf8(pem).unwrap()).unwrap();
    let items = find(objects, "SealedSecret", name)["spec"]["encryptedData"].as_object().unwrap();
    let open = |sealed: &Value| {
        danger_unseal(&key, &SealingScope::Strict.label("shop", name), sealed.as_str().unwrap()).unwrap()
    };
    items
        .iter()
        .map(|(key, sealed)| (key.clone(), String::from_utf8_lossy(open(sealed).expose()).into_owned()))
        .collect()
}

fn values(pairs: &[(&str, &str)]) -> BTreeMap<String, String> {
    pairs.iter().map(|(key, value)| ((*key).to_owned(), (*value).to_owned())).collect()
}

fn generate(app: &SmallApp) -> Output {
    watched_output(sealwave().args(app.args()))
}

fn error(app: &SmallApp, what: &str) -> String {
    refused(sealwave().args(app.args()), what)
}

#[test]
fn all_keys_become_items_as_they_are_written() {
    let app = app("<file:shop/db.yaml>", "");
    let objects = app.generate();
    let expected = [
        ("deep", r#"{"a":[1,"x"]}"#),
        ("float", "1.10"),
        ("on", "yes"),
        ("password", "p@ss: CANARY"),
        ("port", "0123"),
        ("tls.crt", "CANARY\n"),
        ("user", "CANARY u"),
    ];
    assert_eq!(opened(&objects, "api"), values(&expected));
    let sealed = find(&objects, "SealedSecret", "api");
    let keys: Vec<&String> = sealed["spec"]["encryptedData"].as_object().unwrap().keys().collect();
    assert_eq!(keys, expected.iter().map(|(key, _)| *key).collect::<Vec<_>>(), "in order");
    assert!(!sealed.to_string().contains(NAME), "{sealed}");
    assert_eq!(app.generate_bytes(), app.generate_bytes());
}

#[test]
fn sources_support_filters_and_prefixes() {
    let app = app(
        "- from: <file:shop/db.json>\n  include: [\"DB_*\", b]\n  exclude: \"*_OLD\"\n  prefix: APP_\n\
         - <file:shop/.env>\n- from: <file:shop/a.properties>\n  include: x?y",
        "stringData: {own: literal, url: 'x://<file:db.yaml#password | urlencode>'}\n",
    );
    let expected = [
        ("A", "CANARY"),
        ("APP_DB_USER", "CANARY"),
        ("APP_b", r#"{"c":[1,"x y"]}"#),
        ("B", "b c"),
        ("own", "literal"),
        ("url", "x://CANARY-p%40ss%20word"),
        ("x.y", "CANARY"),
    ];
    assert_eq!(opened(&app.generate(), "api"), values(&expected));
    // JSON is YAML.
    secret(&app, r#"[{"from": "<file:shop/db.json>", "exclude": ["DB_*"]}]"#, "");
    assert_eq!(opened(&app.generate(), "api"), values(&[("b", r#"{"c":[1,"x y"]}"#)]));
}

/// Explicit items keep their sealed text, and an item from all keys is sealed differently from an explicit placeholder.
#[test]
fn sealed_texts_depend_on_the_source_of_an_item() {
    let app = app("<file:shop/db.json>", "stringData: {own: <file:db.yaml#password>}\n");
    let sealed =
        |app: &SmallApp| find(&app.generate(), "SealedSecret", "api")["spec"]["encryptedData"].clone();
    let all = sealed(&app);
    app.write(
        "app/base/secrets.yaml",
        "apiVersion: v1\nkind: Secret\nmetadata: {name: api, namespace: shop}\n\
         stringData: {own: <file:db.yaml#password>, DB_USER: <file:shop/db.json#DB_USER>, b: <file:shop/db.json#b>}\n",
    );
    let explicit = sealed(&app);
    assert_eq!(all["own"], explicit["own"]);
    assert_ne!(all["DB_USER"], explicit["DB_USER"]);
    assert_ne!(all["b"], explicit["b"]);
    // A guess of the value as a literal, including one that copies the sealing input.
    secret(&app, "<file:shop/.env>", "stringData: {DB_USER: CANARY}\n");
    assert_ne!(sealed(&app)["DB_USER"], all["DB_USER"]);
    // Filters, order and other sources do not re-seal unchanged items.
    secret(&app, "- <file:shop/.env>\n- from: <file:shop/db.json>\n  include: [DB_USER]", "");
    let filtered = sealed(&app);
    assert_eq!(filtered["DB_USER"], all["DB_USER"]);
    assert_eq!(filtered.get("b"), None);
}

#[test]
fn checksums_depend_on_the_values_that_are_read() {
    let app = app("<file:shop/db.json>", "");
    let before = app.generate();
    app.write(
        "operator/secrets/shop/db.json",
        r#"{"DB_USER":"CANARY2","DB_OLD":1.10,"b":{"c": [1, "x y"]}}"#,
    );
    let after = app.generate();
    assert_ne!(checksums(&before, "api"), checksums(&after, "api"));
    assert_eq!(checksums(&before, "web"), checksums(&after, "web"));
    let wave = |name: &str| {
        find(&after, "SealedSecret", name)["metadata"]["annotations"]["argocd.argoproj.io/sync-wave"].clone()
    };
    assert_eq!(wave("api"), wave("web"));
}

#[test]
fn a_preview_reports_unknown_keys() {
    let app = app("- <file:shop/db.json>\n- <file:shop/.env>", "stringData: {own: x}\n");
    let output = watched_output(sealwave().arg("render").arg(app.path("app")).args(["--env", "dev"]));
    let text = String::from_utf8(output.stdout).unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    assert!(text.contains("\"*\": \"redacted: all keys of file:shop/db.json, file:shop/.env\""), "{text}");
    assert!(text.contains("own: \"redacted: a literal of the Secret\""), "{text}");
    assert!(!text.contains(NAME), "{text}");
    assert!(text.contains("checksum/secret"), "{text}");
}

#[test]
fn a_workload_that_reads_one_key_has_a_checksum_in_a_preview() {
    let app = app("<file:shop/db.json>", "");
    app.replace("app/base/deployments.yaml", "{secretRef: {name: api}}, ", "");
    app.replace(
        "app/base/deployments.yaml",
        "envFrom: [{configMapRef: {name: api}}]",
        "env: [{name: U, valueFrom: {secretKeyRef: {name: api, key: DB_USER}}}]",
    );
    let output = watched_output(sealwave().arg("render").arg(app.path("app")).args(["--env", "dev"]));
    assert!(String::from_utf8(output.stdout).unwrap().matches("checksum/secret").count() == 2);
    assert!(checksums(&app.generate(), "api").contains('"'));
}

#[test]
fn validate_accepts_unknown_keys() {
    let app = app("<file:shop/db.json>", "type: kubernetes.io/basic-auth\n");
    app.replace("app/base/deployments.yaml", "envFrom: [{secretRef: {name: api}}, ", "envFrom: [");
    app.replace(
        "app/base/deployments.yaml",
        "envFrom: [{configMapRef: {name: api}}]",
        "env: [{name: U, valueFrom: {secretKeyRef: {name: api, key: DB_USER}}}]",
    );
    let output = watched_output(sealwave().arg("validate").arg(app.path("app")));
    let text = String::from_utf8(output.stdout).unwrap();
    for rule in ["reference/missing-key", "secret/type-keys", "app/placeholder", "secret/in-annotation"] {
        assert!(!text.contains(rule), "{text}");
    }
    // The same for plain manifests.
    let output = watched_output(sealwave().arg("validate").arg(app.path("app/base")));
    let text = String::from_utf8(output.stdout).unwrap();
    assert!(!text.contains("missing-key") && !text.contains("type-keys"), "{text}");
    // Errors in the annotation are found without credentials.
    app.replace("app/base/secrets.yaml", "<file:shop/db.json>", "<file:shop/db.json#key>");
    let output = watched_output(sealwave().arg("validate").arg(app.path("app")));
    let text = String::from_utf8(output.stdout).unwrap();
    assert!(text.contains("names the key in `file:shop/db.json#key`"), "{text}");
}

#[test]
fn refs_lists_whole_secrets() {
    let app = app("<file:shop/db.json>", "stringData: {own: <file:db.yaml#password>}\n");
    let run = |more: &[&str]| {
        let operator = app.path("operator/operator.yaml");
        let mut command = sealwave();
        command.arg("refs").arg(app.path("app")).arg("--operator").arg(operator);
        let output = watched_output(command.args(["--project", "shop", "--namespace", "shop"]).args(more));
        String::from_utf8(output.stdout).unwrap()
    };
    let text = run(&[]);
    assert!(text.contains("file:shop/db.json ") && text.contains(&format!("item `{NAME}`")), "{text}");
    let list: Value = serde_json::from_str(&run(&["--output", "json"])).unwrap();
    let references = list["environments"][0]["references"].as_array().unwrap();
    let of = |name: &str| references.iter().find(|one| one["reference"] == name).unwrap();
    let whole = of("file:shop/db.json");
    assert_eq!(
        (&whole["allKeys"], &whole["key"], &whole["decision"]),
        (&json!(true), &json!(null), &json!("allowed"))
    );
    assert_eq!(of("file:db.yaml#password")["allKeys"], json!(false));
}

#[test]
fn the_policy_must_allow_all_keys() {
    for (allow, is_allowed) in [
        ("file:shop/**", true),
        ("file:shop/db.json", true),
        ("file:shop/db.json#DB_USER", false),
        ("file:shop/db.json#*", false),
        ("file:shop/db.json#?", false),
        ("file:shop/db.json#[!a]", false),
        ("file:other/**", false),
    ] {
        for filter in ["", "\n  include: [DB_USER]"] {
            let app = app(&format!("- from: <file:shop/db.json>{filter}"), "");
            app.replace(
                "operator/operator.yaml",
                "allow: ['file:**'",
                &format!("allow: ['{allow}', 'file:web.txt'"),
            );
            let output = generate(&app);
            assert_eq!(output.status.success(), is_allowed, "{allow}{filter}");
            if !is_allowed {
                let text = String::from_utf8_lossy(&output.stderr);
                assert!(text.contains("`file:shop/db.json`"), "{text}");
            }
        }
    }
    // A denied key denies all keys, even if a filter excludes it.
    let app = app("- from: <file:shop/db.json>\n  exclude: [b]", "");
    app.replace("operator/operator.yaml", "policy: [", "policy: [{deny: ['file:shop/db.json#b']}, ");
    assert!(error(&app, "deny").contains("`file:shop/db.json`"));
}

#[test]
fn the_destination_is_checked_like_for_any_reference() {
    for (from, to) in [
        ("  namespace: shop\n", "  namespace: other\n"),
        ("  annotations:\n", "  annotations:\n    sealedsecrets.bitnami.com/cluster-wide: \"true\"\n"),
    ] {
        let app = app("<file:shop/db.json>", "");
        app.operator("");
        app.replace(
            "operator/operator.yaml",
            "scopes: [strict, namespace-wide, cluster-wide], secretNamespaces: ['*'], ",
            "",
        );
        assert!(generate(&app).status.success());
        app.replace("app/base/secrets.yaml", from, to);
        assert!(error(&app, to).contains("file:shop/db.json"));
    }
}

#[test]
fn unusable_secrets_and_items_have_messages() {
    let keys = |json: &str, annotation: &str, items: &str| {
        let app = app(annotation, items);
        app.write("operator/secrets/a.json", json);
        error(&app, json)
    };
    let long = format!(r#"{{"{}":"CANARY"}}"#, "k".repeat(254));
    let many: Vec<String> = (0..100_000).map(|number| format!("\"k{number}\":\"CANARY\"")).collect();
    let many = format!("{{{}}}", many.join(","));
    for (json, expected) in [
        (r#"{"a/b":"CANARY"}"#, "a key that is not a valid item key: `a/b`"),
        (r#"{"..":"CANARY"}"#, "is not a valid item key: `..`"),
        (r#"{".":"CANARY"}"#, "is not a valid item key: `.`"),
        (r#"{"":"CANARY"}"#, "is not a valid item key: ``"),
        (r#"{"a\u0000b":"CANARY"}"#, "is not a valid item key: `a\\0b`"),
        (r#"{"\u001b[31m":"CANARY"}"#, "is not a valid item key: `\\u{1b}[31m`"),
        (&long, "is not a valid item key: `kkkk"),
        (r#"{"a":"CANARY","a":"CANARY"}"#, "it has a duplicate key"),
        (&many, "it has more than 2000 keys"),
        ("{}", "no matching key"),
        (r#"{"a":null}"#, "no matching key"),
        (r#"["CANARY"]"#, "it is not an object"),
        (r#""CANARY""#, "it is not an object"),
        ("{CANARY", "cannot be parsed"),
    ] {
        let text = keys(json, "<file:a.json>", "");
        assert!(text.contains(expected), "{expected}: {text}");
        assert!(text.contains("secrets.yaml:8"), "{text}");
    }
    let json = r#"{"a":"CANARY","B":"CANARY","__proto__":"CANARY"}"#;
    for (annotation, items, expected) in [
        (
            "- from: <file:a.json>\n  include: [c]",
            "",
            "`include` has `c`, which matches no key of `file:a.json`",
        ),
        ("- from: <file:a.json>\n  include: [a, 'x*']", "", "`include` has `x*`"),
        ("- from: <file:a.json>\n  exclude: '*'", "", "no matching key"),
        (
            "<file:a.json>",
            "stringData: {a: x}\n",
            "item `a` comes from `file:a.json` and is also defined in the Secret",
        ),
        ("<file:a.json>", "data: {B: eA==}\n", "item `B` comes from `file:a.json` and is also"),
        ("- <file:a.json>\n- <file:a.json>", "", "item `B` comes from `file:a.json` and from `file:a.json`"),
        ("<file:nothing.json>", "", "reference `file:nothing.json` is not found"),
        ("<env:SHOP_X>", "", "an environment variable holds a single value without keys"),
        ("<file:web.txt>", "", "a key can only be read from YAML, JSON"),
        ("<file:../a.json>", "", "has a segment `..`"),
        ("<other:a.json>", "", "provider `other` is unknown"),
        ("<path:a.json>", "", "does not set a default provider"),
        ("<file:a.json##3>", "", "a file has no versions"),
    ] {
        let text = keys(json, annotation, items);
        assert!(text.contains(expected), "{expected}: {text}");
    }
    let app = app("- from: <file:a.json>\n  exclude: [a, B]", "");
    app.write("operator/secrets/a.json", json);
    assert_eq!(opened(&app.generate(), "api"), values(&[("__proto__", "CANARY")]));
}

#[test]
fn annotations_that_are_not_well_formed_are_refused() {
    let patterns = |count: usize| format!("[{}]", vec!["a"; count].join(","));
    let too_many = format!("- from: <file:a.json>\n  include: {}", patterns(65));
    let spread = format!(
        "- from: <file:a.json>\n  include: {p}\n- from: <file:b.json>\n  exclude: {p}",
        p = patterns(40)
    );
    for (annotation, expected) in [
        ("file:shop/db.json", "has a text that is not a single placeholder"),
        ("<file:a.json> and more", "has a text that is not a single placeholder"),
        ("<<file:a.json>", "has a text that is not a single placeholder"),
        ("<file:a.json#k>", "names the key in `file:a.json#k`"),
        ("<file:a.json | base64>", "has a modifier"),
        ("<file:a.json", "is not closed"),
        ("[]", "does not name a secret"),
        ("# nothing", "does not name a secret"),
        ("3", "has an entry of type number"),
        ("- 3", "has an entry of type"),
        ("- [<file:a.json>]", "has an entry of type array"),
        ("{include: [a]}", "has no `from`"),
        ("{from: [<file:a.json>]}", "`from` of annotation"),
        (
            "{from: <file:a.json>, inlcude: [a]}",
            "`inlcude` of annotation `sealwave.dev/string-data-from` is unknown",
        ),
        ("{from: <file:a.json>, include: []}", "`include` of annotation"),
        ("{from: <file:a.json>, include: [1]}", "`include` of annotation"),
        ("{from: <file:a.json>, include: {a: b}}", "`include` of annotation"),
        (
            "{from: <file:a.json>, include: ['{a,b}']}",
            "`{a,b}` in `include` of annotation `sealwave.dev/string-data-from`",
        ),
        ("{from: <file:a.json>, exclude: ['[a-z]']}", "is not a valid key pattern"),
        ("{from: <file:a.json>, exclude: ['']}", "is not a valid key pattern"),
        ("{from: <file:a.json>, include: [*_KEY]}", "is not valid YAML"),
        ("{from: <file:a.json>, prefix: a/}", "which is not a valid start of an item key"),
        ("{from: <file:a.json>, prefix: ..}", "which is not a valid start of an item key"),
        ("{from: <file:a.json>, prefix: 3}", "`prefix` of annotation"),
        ("{from: <file:a.json>, from: <file:b.json>}", "is not valid YAML"),
        ("- &a <file:a.json>\n- *a", "is not valid YAML"),
        ("[[[[[[a]]]]]]", "is not valid YAML"),
        (&too_many, "more than 64 patterns"),
        (&spread, "more than 64 patterns"),
        (&vec!["- <file:a.json>"; 21].join("\n"), "more than 20 secrets"),
        (&format!("<file:{}>", "a".repeat(17 << 10)), "more than 16384 bytes"),
    ] {
        let text = error(&app(annotation, ""), annotation);
        assert!(text.contains(expected), "{annotation}: {text}");
        assert!(text.contains("secrets.yaml:8"), "{annotation}: {text}");
    }
}

#[test]
fn misplaced_and_misspelled_annotations_are_rejected() {
    for (metadata, expected) in [
        (
            "annotations: {sealwave.dev/stringDataFrom: <file:a.json>}",
            "did you mean `sealwave.dev/string-data-from`",
        ),
        (
            "annotations: {sealwave.dev/string-data-form: <file:a.json>}",
            "did you mean `sealwave.dev/string-data-from`",
        ),
        (
            "annotations: {Sealwave.dev/string-data-from: <file:a.json>}",
            "did you mean `sealwave.dev/string-data-from`",
        ),
        ("annotations: {sealwave.dev/string_data_from: x}", "did you mean `sealwave.dev/string-data-from`"),
        ("annotations: {sealwave.dev/Literal: \"true\"}", "did you mean `sealwave.dev/literal`"),
        ("labels: {sealwave.dev/string-data-from: x}", "is a label, which"),
        ("annotations: {sealwave.dev/string-data-from: [a]}", "must be a text, not array"),
    ] {
        let app = SmallApp::new();
        app.write(
            "app/base/secrets.yaml",
            &format!("apiVersion: v1\nkind: Secret\nmetadata: {{name: api, namespace: shop, {metadata}}}\nstringData: {{a: x}}\n"),
        );
        let text = error(&app, metadata);
        assert!(text.contains(expected), "{metadata}: {text}");
    }
    // Another name in this domain has no effect, so the Secret may be empty.
    let app = SmallApp::new();
    let annotations = "{name: web, namespace: shop, annotations: {sealwave.dev/data-from: x, sealwave.dev/derivation: v1, other.sealwave.dev/x: x}}";
    app.replace("app/base/secrets.yaml", "{name: web, namespace: shop}", annotations);
    let text = String::from_utf8(generate(&app).stderr).unwrap();
    assert!(text.contains("annotation `sealwave.dev/data-from` has no effect"), "{text}");
    assert_eq!(text.matches("has no effect").count(), 1, "{text}");
    let app = SmallApp::new();
    app.replace(
        "app/base/config.yaml",
        "{name: api, namespace: shop}",
        "{name: api, namespace: shop, annotations: {sealwave.dev/string-data-from: <file:a.json>}}",
    );
    assert!(error(&app, "a ConfigMap").contains("applies only to Secrets, not to ConfigMap `shop/api`"));
    // In a pod template it has no effect, and its placeholder is outside of a Secret.
    let app = SmallApp::new();
    app.replace(
        "app/base/deployments.yaml",
        "metadata: {labels: {app: api}}",
        "metadata: {labels: {app: api}, annotations: {sealwave.dev/string-data-from: <file:a.json>}}",
    );
    assert!(error(&app, "a pod template").contains("outside of a Secret's data"));
}

#[test]
fn templates_and_patches_may_write_the_annotation() {
    let app = app("<file:shop/db.json>", "");
    let text = fs_err::read_to_string(app.path("app/base/secrets.yaml")).unwrap();
    fs_err::remove_file(app.path("app/base/secrets.yaml")).unwrap();
    app.write("app/base/secrets.yaml.hbs", &text.replace("<file:shop/db.json>", "<file:{{ team }}/db.json>"));
    app.write("app/envs/dev/values.yaml", "team: shop\n");
    assert_eq!(opened(&app.generate(), "api").len(), 3);
    // A value that adds a source is controlled by the committer like any text, so the policy applies.
    app.write("app/envs/dev/values.yaml", "team: \"shop/db.json>\\n      - <file:../operator\"\n");
    assert!(error(&app, "a value").contains("string-data-from"));
}

#[test]
fn many_short_secrets_do_not_exhaust_a_run() {
    let app = app("<file:shop/db.json>", "");
    let keys: Vec<String> = (0..2000).map(|number| format!("\"k{number}\":\"\"")).collect();
    app.write("operator/secrets/a.json", &format!("{{{}}}", keys.join(",")));
    let secrets: Vec<String> = (0..12)
        .map(|number| {
            format!(
                "apiVersion: v1\nkind: Secret\nmetadata: {{name: s{number}, namespace: shop, annotations: {{{NAME}: <file:a.json>}}}}\n"
            )
        })
        .collect();
    app.write("app/base/secrets.yaml", &secrets.join("---\n"));
    let text = error(&app, "many items");
    assert!(text.contains("more than 20000 items"), "{text}");
    // Large values exceed the size of a Secret, however they are split.
    let keys: Vec<String> =
        (0..3).map(|number| format!("\"k{number}\":\"{}\"", "x".repeat(400 << 10))).collect();
    app.write("operator/secrets/a.json", &format!("{{{}}}", keys.join(",")));
    app.write("app/base/secrets.yaml", &secrets[0]);
    assert!(error(&app, "a large Secret").contains("Kubernetes allows at most 1048576"));
}

/// Many Secrets with patterns that are expensive to compile.
#[test]
fn many_patterns_do_not_exhaust_a_run() {
    let app = app("<file:shop/db.json>", "");
    let patterns: Vec<String> = (0..60).map(|number| format!("\"{}{number}\"", "a*".repeat(100))).collect();
    let secret = |number: usize| {
        format!(
            "apiVersion: v1\nkind: Secret\nmetadata:\n  name: s{number}\n  namespace: shop\n  annotations:\n    {NAME}: '{{from: <file:a.json>, include: [{}]}}'\n",
            patterns.join(", ")
        )
    };
    app.write("app/base/secrets.yaml", &(0..200).map(secret).collect::<Vec<_>>().join("---\n"));
    let text = error(&app, "many patterns");
    assert!(text.contains("have more than 2000 patterns in total"), "{text}");
}

#[test]
fn backends_that_store_references_support_all_keys() {
    let app = app(
        "- <aws-sm:shop/db>\n- from: <vault:secret/data/shop/mail##2>\n  prefix: MAIL_",
        "stringData: {own: <aws-sm:x#y>}\n",
    );
    app.write(
        "app/sealwave.yaml",
        "apiVersion: sealwave.dev/v1alpha1\nkind: App\nnamespace: shop\nbackend: external-secrets\n\
         externalSecrets: {stores: {aws-sm: {name: aws}, vault: {name: vault, kind: ClusterSecretStore}}}\n\
         environments: {dev: {secretBackends: {web: sealed-secrets}}}\n",
    );
    let render = || {
        watched_output(
            sealwave().arg("render").arg(app.path("app")).args(["--env", "dev", "--output", "json"]),
        )
    };
    let output = render();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let objects = crate::support::objects(std::str::from_utf8(&output.stdout).unwrap());
    let spec = &find(&objects, "ExternalSecret", "api")["spec"];
    let remote = |key: &str| json!({"key": key, "conversionStrategy": "Default", "decodingStrategy": "None", "metadataPolicy": "None"});
    let mut mail = remote("shop/mail");
    mail["version"] = json!("2");
    let mut own = remote("x");
    own["property"] = json!("y");
    assert_eq!(spec["secretStoreRef"], json!({"name": "aws", "kind": "SecretStore"}));
    assert_eq!(
        spec["dataFrom"],
        json!([
            {"extract": remote("shop/db")},
            {
                "extract": mail,
                "rewrite": [{"regexp": {"source": "^(.*)$", "target": "MAIL_$1"}}],
                "sourceRef": {"storeRef": {"name": "vault", "kind": "ClusterSecretStore"}},
            },
        ])
    );
    assert_eq!(spec["data"], json!([{"secretKey": "own", "remoteRef": own}]));
    let template = &spec["target"]["template"];
    assert_eq!((&template["mergePolicy"], template.get("data")), (&json!("Merge"), None));

    for (annotation, items, expected) in [
        ("- from: <aws-sm:a>\n  include: [b]", "", "selects keys of `aws-sm:a` by pattern"),
        ("- from: <aws-sm:a>\n  exclude: [b]", "", "selects keys of `aws-sm:a` by pattern"),
        ("<file:shop/db.json>", "", "provider `file` is not configured for the backend"),
        ("<aws-sm:a>", "stringData: {a: 'x<aws-sm:b#c>'}\n", "cannot have its own text or modifiers"),
        ("<aws-sm:a>", "stringData: {a: '<aws-sm:b#c | trim>'}\n", "cannot have its own text or modifiers"),
        ("<aws-sm:a>", "stringData: {a: x}\n", "it has no placeholder"),
    ] {
        secret(&app, annotation, items);
        let output = render();
        let text = String::from_utf8_lossy(&output.stderr);
        assert!(!output.status.success() && text.contains(expected), "{annotation}: {text}");
    }
    let operator = fs_err::read_to_string(app.path("operator/operator.yaml")).unwrap();
    let operator = operator
        .replace("providers: {", "providers: {aws-sm: {kind: aws-sm, region: eu-west-1}, ")
        .replace("'file:**'", "'file:**', 'aws-sm:**'");
    app.write("operator/operator.yaml", &operator);
    // The required keys of a type may be among the unknown ones, in a preview and in the sidecar.
    for (secret_type, items) in [
        ("kubernetes.io/tls", ""),
        ("kubernetes.io/dockerconfigjson", ""),
        ("kubernetes.io/ssh-auth", ""),
        ("kubernetes.io/basic-auth", "stringData: {more: <aws-sm:b#c>}\n"),
    ] {
        secret(&app, "<aws-sm:a>", &format!("type: {secret_type}\n{items}"));
        assert!(render().status.success(), "{secret_type}");
        if cfg!(not(feature = "aws")) {
            continue;
        }
        let objects = app.generate();
        let template = &find(&objects, "ExternalSecret", "api")["spec"]["target"]["template"];
        assert_eq!(template["type"], secret_type);
    }
    secret(&app, "<aws-sm:a>", "");
    app.replace("app/sealwave.yaml", "backend: external-secrets", "backend: secrets-store-csi");
    let output = render();
    let text = String::from_utf8_lossy(&output.stderr);
    assert!(text.contains("takes all keys of `aws-sm:a`, but the driver reads keys only by name"), "{text}");
}

/// A secret is read once, however many items use its keys, so that all have the same version.
#[cfg(all(feature = "k8s", feature = "vault"))]
#[test]
fn a_secret_that_changes_between_reads_is_read_once() {
    use sealwave_testkit::stub_server::{StubReply, StubServer};

    let server = StubServer::start(|asked, before| match asked.target.as_str() {
        "/v1/auth/kubernetes/login" => StubReply::json(200, r#"{"auth":{"client_token":"CANARY"}}"#),
        "/v1/auth/token/revoke-self" => StubReply::json(204, ""),
        _ => StubReply::json(
            200,
            format!(
                r#"{{"data":{{"data":{{"k{before}":"CANARY","same":"CANARY{before}"}},"metadata":{{"version":1}}}}}}"#
            ),
        ),
    });
    let app =
        app("<vault:secret/a>", "stringData: {one: <vault:secret/data/a#same>, whole: <vault:secret/a>}\n");
    app.write(
        "operator/operator.yaml",
        &format!(
            "apiVersion: sealwave.dev/v1alpha1\nkind: Operator\nsealKeyFile: seal-key\naudit: {{file: audit.jsonl}}\n\
             clusters: {{dev: {{certificate: {{file: dev.pem, allowExpired: true}}}}}}\n\
             providers:\n  vault: {{kind: vault, address: '{}', mounts: {{secret: 2}}, auth: {{kubernetes: {{role: argocd, tokenFile: jwt}}}}}}\n  \
             file: {{kind: file, root: secrets}}\n\
             policy: [{{projects: ['*'], allow: ['file:**', 'vault:**']}}]\n",
            server.address
        ),
    );
    app.write("operator/jwt", "CANARY.jwt\n");
    let expected = [
        ("k0", "CANARY"),
        ("one", "CANARY0"),
        ("same", "CANARY0"),
        ("whole", r#"{"k0":"CANARY","same":"CANARY0"}"#),
    ];
    assert_eq!(opened(&app.generate(), "api"), values(&expected));
    assert_eq!(server.count("GET", "/v1/secret/data/a"), 1);
    let audit = fs_err::read_to_string(app.path("operator/audit.jsonl")).unwrap();
    assert_eq!(audit.matches("\"vault:secret/a\"").count(), 2, "{audit}");
    assert!(!audit.contains("CANARY"), "{audit}");
}

/// Returns the small app with patches of its environment, as flow mappings.
fn patched(base: &str, patches: &[&str]) -> SmallApp {
    let app = SmallApp::new();
    let patches: Vec<String> = patches.iter().map(|patch| format!("    - {patch}\n")).collect();
    app.write(
        "app/sealwave.yaml",
        &format!(
            "apiVersion: sealwave.dev/v1alpha1\nkind: App\nnamespace: shop\nenvironments:\n  dev:\n    patches:\n{}",
            patches.concat()
        ),
    );
    app.write("app/base/secrets.yaml", base);
    app.write("operator/secrets/shop/db.yaml", "user: CANARY u\npassword: CANARY p\n");
    app
}

fn base(annotations: &str) -> String {
    format!(
        "apiVersion: v1\nkind: Secret\nmetadata: {{name: api, namespace: shop{annotations}}}\nstringData: {{token: <file:web.txt>}}\n---\n\
         apiVersion: v1\nkind: Secret\nmetadata: {{name: web, namespace: shop}}\nstringData: {{token: <file:web.txt>}}\n"
    )
}

#[test]
fn a_patch_can_set_change_and_remove_the_annotation() {
    let target = "target: {kind: Secret, name: api}";
    let merge =
        format!("{{{target}, patch: {{metadata: {{annotations: {{{NAME}: '<file:shop/db.yaml>'}}}}}}}}");
    let strategic = merge.replacen("patch:", "type: strategic, patch:", 1);
    let add = format!(
        "{{{target}, patch: [{{op: add, path: /metadata/annotations, value: {{{NAME}: '<file:shop/db.yaml>'}}}}]}}"
    );
    let all = values(&[("password", "CANARY p"), ("token", "CANARY-token\n"), ("user", "CANARY u")]);
    for patch in [&merge, &strategic, &add] {
        let app = patched(&base(""), &[patch]);
        let objects = app.generate();
        assert_eq!(opened(&objects, "api"), all, "{patch}");
        assert_eq!(opened(&objects, "web").len(), 1, "{patch}");
        // The same as written in the Secret itself.
        let written = patched(&base(&format!(", annotations: {{{NAME}: '<file:shop/db.yaml>'}}")), &[]);
        written.write("app/sealwave.yaml", "apiVersion: sealwave.dev/v1alpha1\nkind: App\nnamespace: shop\n");
        assert_eq!(app.generate_bytes(), written.generate_bytes(), "{patch}");
    }
    let annotated = base(&format!(", annotations: {{{NAME}: '<file:shop/db.yaml>'}}"));
    let prefixed = format!(
        "{{{target}, patch: [{{op: replace, path: /metadata/annotations/sealwave.dev~1string-data-from, value: '[{{from: <file:shop/db.yaml>, include: [user], prefix: DB_}}]'}}]}}"
    );
    let objects = patched(&annotated, &[&prefixed]).generate();
    assert_eq!(opened(&objects, "api"), values(&[("DB_user", "CANARY u"), ("token", "CANARY-token\n")]));
    let removed = format!("{{{target}, patch: {{metadata: {{annotations: {{{NAME}: null}}}}}}}}");
    let objects = patched(&annotated, &[&removed]).generate();
    assert_eq!(opened(&objects, "api"), values(&[("token", "CANARY-token\n")]));
    // The last patch wins.
    let objects = patched(&base(""), &[&merge, &removed]).generate();
    assert_eq!(opened(&objects, "api"), values(&[("token", "CANARY-token\n")]));
    // Renaming the Secret re-seals its items.
    let renamed = "{target: {kind: Secret, name: api}, patch: {metadata: {name: renamed}}}";
    let objects = patched(&annotated, &[renamed]).generate();
    assert_eq!(opened(&objects, "renamed"), all);
}

#[test]
fn a_patch_cannot_move_the_annotation_elsewhere() {
    let annotation = format!("{{metadata: {{annotations: {{{NAME}: '<file:shop/db.yaml>'}}}}}}");
    for (patch, message) in [
        (
            format!("{{target: {{kind: Deployment, name: web}}, patch: {annotation}}}"),
            "applies only to Secrets, not to Deployment.apps `shop/web`",
        ),
        (
            format!("{{target: {{kind: ConfigMap, name: web}}, type: strategic, patch: {annotation}}}"),
            "applies only to Secrets, not to ConfigMap `shop/web`",
        ),
        (
            format!(
                "{{target: {{kind: Deployment, name: web}}, patch: {{spec: {{template: {annotation}}}}}}}"
            ),
            "placeholder of provider `file` is outside of a Secret's data",
        ),
        (
            "{target: {kind: Secret, name: api}, patch: {kind: ConfigMap, metadata: {name: made}, stringData: null, data: {a: '<file:shop/db.yaml#user>'}}}".to_owned(),
            "placeholder of provider `file` is outside of a Secret's data, in ConfigMap `shop/made`",
        ),
        (
            "{target: {kind: Secret, name: api}, patch: [{op: copy, from: /stringData/token, path: /metadata/labels}]}".to_owned(),
            "placeholder of provider `file` is outside of a Secret's data",
        ),
        (
            format!("{{target: {{kind: Secret, name: api}}, patch: {{metadata: {{annotations: {{{NAME}: '<file:shop/db.yaml#user>'}}}}}}}}"),
            "takes all keys of a secret, but names the key in `file:shop/db.yaml#user`",
        ),
        (
            format!("{{target: {{kind: Secret, name: api}}, patch: {{metadata: {{annotations: {{{NAME}: '<file:shop/db.yaml>'}}}}, stringData: {{user: me}}}}}}"),
            "item `user` comes from `file:shop/db.yaml` and is also defined in the Secret",
        ),
    ] {
        let app = patched(&base(""), &[&patch]);
        let error = refused(sealwave().args(app.args()), &patch);
        assert!(error.contains(message), "{patch}: {error}");
        // The finding points at the patch, which is the last line of the app file.
        assert!(error.contains("sealwave.yaml:7:"), "{patch}: {error}");
        assert!(!error.contains("CANARY"), "{error}");
    }
}
