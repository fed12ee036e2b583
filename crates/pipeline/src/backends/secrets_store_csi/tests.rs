//! Tests each rule of the translation, and one complete object.

use serde_json::json;

use super::*;
use crate::backends::testing::{build_json, plain_secret};
use sealwave_secrets::settings::{App, EnvironmentSettings};

const SETTINGS: &str = "apiVersion: a
kind: App
secretsStoreCsi:
  providers:
    aws-sm: {region: eu-west-1}
    aws-ssm: {region: eu-west-1}
    us: {provider: aws-sm, region: us-east-1}
    vault: {roleName: app, vaultAddress: 'https://vault.example'}
";

fn built_with(secret: &Json, items: &[(&str, &str)]) -> Result<Json, Vec<Problem>> {
    built_by(SETTINGS, secret, items)
}

fn built_by(settings: &str, secret: &Json, items: &[(&str, &str)]) -> Result<Json, Vec<Problem>> {
    let app: App = yaml_serde::from_str(settings).unwrap();
    let backends = EnvironmentBackends::decide(&app, &EnvironmentSettings::default()).unwrap();
    build_json(secret, items, &SecretsStoreCsiBackend, &backends)
}

fn objects(items: &[(&str, &str)]) -> String {
    let built = built_with(&plain_secret(), items).unwrap_or_else(|problems| panic!("{problems:?}"));
    built["spec"]["parameters"]["objects"].as_str().unwrap().to_owned()
}

/// Returns the expression of a Secret with one item.
fn expression(text: &str) -> String {
    let read: Json = yaml_serde::from_str(&objects(&[("k", text)])).unwrap();
    read[0]["jmesPath"][0]["path"].as_str().unwrap().to_owned()
}

#[test]
fn the_whole_object() {
    let secret = json!({
        "apiVersion": "v1", "kind": "Secret", "type": "example.org/db",
        "metadata": {
            "name": "app-db", "namespace": "app", "labels": {"team": "shop"},
            "annotations": {"argocd.argoproj.io/sync-wave": "-3", "note": "x"},
        },
    });
    let items = [
        ("url", "postgresql://<aws-sm:A#username>:<aws-sm:A#password>@host/db"),
        ("user.name", "<aws-sm:A#username>"),
    ];
    assert_eq!(
        built_with(&secret, &items).unwrap(),
        json!({
            "apiVersion": "secrets-store.csi.x-k8s.io/v1",
            "kind": "SecretProviderClass",
            "metadata": {
                "annotations": {
                    "argocd.argoproj.io/sync-options": "SkipDryRunOnMissingResource=true",
                    "argocd.argoproj.io/sync-wave": "-3",
                },
                "name": "app-db",
                "namespace": "app",
            },
            "spec": {
                "provider": "aws",
                "parameters": {
                    "region": "eu-west-1",
                    "objects": "- objectName: A
  objectType: secretsmanager
  objectAlias: app_db__A
  jmesPath:
  - path: join('', ['postgresql://', username, ':', password, '@host/db'])
    objectAlias: app_db__url
  - path: username
    objectAlias: app_db__user_name
",
                },
                "secretObjects": [{
                    "secretName": "app-db",
                    "type": "example.org/db",
                    "labels": {"team": "shop"},
                    "annotations": {"note": "x"},
                    "data": [
                        {"objectName": "app_db__url", "key": "url"},
                        {"objectName": "app_db__user_name", "key": "user.name"},
                    ],
                }],
            },
        })
    );
}

#[test]
fn whole_values_have_versions_and_aliases() {
    assert_eq!(
        objects(&[
            ("a", "<aws-sm:x/y>"),
            ("b", "<aws-sm:x/y##AWSPREVIOUS>"),
            ("c", "<aws-sm:x-y##0a1b2c3d-1111-2222-3333-444455556666>"),
            ("d", "<aws-ssm:/x/y##3>"),
            ("e", "<aws-sm:x/y>"),
        ]),
        "- objectName: x/y
  objectType: secretsmanager
  objectAlias: app_db__x_y
- objectName: x/y
  objectType: secretsmanager
  objectAlias: app_db__x_y_2
  objectVersionLabel: AWSPREVIOUS
- objectName: x-y
  objectType: secretsmanager
  objectAlias: app_db__x_y_3
  objectVersion: 0a1b2c3d-1111-2222-3333-444455556666
- objectName: /x/y
  objectType: ssmparameter
  objectAlias: app_db___x_y
  objectVersion: \"3\"
"
    );
}

/// The right column was computed with Python's jmespath 1.0.1 and go-jmespath 0.4.0, which agree. `not_null` is used instead
/// of `||`, since an empty text is a value and must not be replaced by that of another key.
#[test]
fn texts_become_expressions() {
    for (text, wanted, _result) in [
        ("<aws-sm:A#user>", "user", "u"),
        ("<aws-sm:A#db-user>", r#""db-user""#, "du"),
        ("<aws-sm:A#a.b>", r#"not_null("a.b", a.b)"#, "exact"),
        ("<aws-sm:A#n.x-y>", r#"not_null("n.x-y", n."x-y")"#, "nested"),
        ("<aws-sm:A#arr.0>", r#"not_null("arr.0", (arr | not_null([0], "0")))"#, "i0"),
        ("<aws-sm:A#arr.1.n>", r#"not_null("arr.1.n", (arr | not_null([1], "1")).n)"#, "i1n"),
        ("<aws-sm:A#\"a.b\">", r#""a.b""#, "exact"),
        ("<aws-sm:A#\"a\".b>", "a.b", "deep"),
        ("<aws-sm:A#\"n.m\".x.0>", r#"("n.m".x | not_null([0], "0"))"#, "first"),
        ("<aws-sm:A#n.\"0\">", r#"n."0""#, "key"),
        ("x<aws-sm:A#arr.0>", r#"join('', ['x', not_null("arr.0", (arr | not_null([0], "0")))])"#, "xi0"),
        ("<aws-sm:A | jsonPath {.n['x-y']}>", r#"n."x-y""#, "nested"),
        ("<aws-sm:A | jsonPath {.list[0].v}>", "list[0].v", "first"),
        ("<aws-sm:A | jsonPath {.list[-1].v}>", "list[-1].v", "last"),
        ("it's <aws-sm:A#user>", r"join('', ['it\'s ', user])", "it's u"),
        ("`<aws-sm:A#user>`", "join('', ['`', user, '`'])", "`u`"),
        (r"a\<aws-sm:A#user>\'`", r#"join('', [`"a\\"`, user, `"\\'\u0060"`])"#, r"a\u\'`"),
        ("a\n<aws-sm:A#user>\t", r#"join('', [`"a\n"`, user, `"\t"`])"#, "a\nu\t"),
        ("{\"é😀\": \"<aws-sm:A#user>\"}", r#"join('', ['{"é😀": "', user, '"}'])"#, "{\"é😀\": \"u\"}"),
        ("<aws-sm:A#user><aws-sm:A#db-user>", r#"join('', [user, "db-user"])"#, "udu"),
    ] {
        assert_eq!(expression(text), wanted, "{text}");
    }
}

#[test]
fn vault_objects_are_single_keys() {
    let built = built_with(
        &plain_secret(),
        &[
            ("a", "<vault:secret/data/shop#user>"),
            ("b", "<vault:secret/data/shop#key | base64decode>"),
            ("c", "<vault:secret/data/shop#tls.crt>"),
            ("d", "<vault:secret/data/shop#\"tls.key\">"),
        ],
    )
    .unwrap();
    assert_eq!(built["spec"]["provider"], json!("vault"));
    assert_eq!(
        built["spec"]["parameters"],
        json!({
            "roleName": "app",
            "vaultAddress": "https://vault.example",
            "objects": "- objectName: app_db__a
  secretPath: secret/data/shop
  secretKey: user
- objectName: app_db__b
  secretPath: secret/data/shop
  secretKey: key
  encoding: base64
- objectName: app_db__c
  secretPath: secret/data/shop
  secretKey: tls.crt
- objectName: app_db__d
  secretPath: secret/data/shop
  secretKey: tls.key
",
        })
    );
}

#[test]
fn r10_vault_paths_depend_on_the_version_of_the_engine() {
    for (settings, path, expected) in [
        ("kvVersion: 2", "secret/app", Ok("secret/data/app")),
        ("kvVersion: 2", "secret/data/app", Ok("secret/data/app")),
        ("kvVersion: 2", "secret/data/data/odd", Ok("secret/data/data/odd")),
        ("kvVersion: 1", "secret/app", Ok("secret/app")),
        ("kvVersion: 1", "secret/data/app", Ok("secret/data/app")),
        ("mounts: {team/kv/: 2, old: 1}", "team/kv/app", Ok("team/kv/data/app")),
        ("mounts: {team/kv/: 2, old: 1}", "old/data/app", Ok("old/data/app")),
        ("mounts: {team/kv: 2}", "secret/app", Err("the KV engine for `vault:secret/app#k` is unknown")),
        ("mounts: {team/kv: 2}, kvVersion: 1", "secret/app", Ok("secret/app")),
        ("roleName: app", "secret/data/app", Ok("secret/data/app")),
        ("roleName: app", "secret/app", Err("the KV engine for `vault:secret/app#k` is unknown")),
        ("roleName: app", "team/kv/data/app", Err("the KV engine for `vault:team/kv/data/app#k` is unknown")),
    ] {
        let more = if settings.starts_with("role") { String::new() } else { format!(", {settings}") };
        let settings = SETTINGS.replace("{roleName: app,", &format!("{{roleName: app{more},"));
        let built = built_by(&settings, &plain_secret(), &[("a", &format!("<vault:{path}#k>"))]);
        match (built, expected) {
            (Ok(built), Ok(expected)) => {
                let objects = built["spec"]["parameters"]["objects"].as_str().unwrap();
                assert!(objects.contains(&format!("secretPath: {expected}\n")), "{path}: {objects}");
            }
            (Err(problems), Err(expected)) => {
                assert!(problems[0].message.ends_with(expected), "{}", problems[0].message);
                assert!(problems[0].hint.as_deref().unwrap().contains("kvVersion"));
            }
            (built, _) => panic!("{path}: {built:?}"),
        }
    }
}

#[test]
fn all_refusals_are_reported_together() {
    let secret = json!({
        "apiVersion": "v1", "kind": "Secret", "type": "kubernetes.io/tls", "immutable": true,
        "metadata": {"name": "s"},
    });
    let cases = [
        ("<aws-sm:A#x>:<aws-sm:B#y>", "text can be joined from only one remote object"),
        ("<aws-sm:A#x>:<aws-ssm:A#y>", "text can be joined from only one remote object"),
        ("<aws-sm:A#x>:<aws-sm:A#y#AWSPREVIOUS>", "text can be joined from only one remote object"),
        ("<aws-sm:A#x | urlencode>", "the backend does not support modifier `urlencode`"),
        ("<aws-sm:A#x | base64>", "the backend does not support modifier `base64`"),
        ("<aws-sm:A#x | base64decode>", "the backend does not support modifier `base64decode`"),
        ("<aws-sm:A#x | sha256>", "the backend does not support modifier `sha256`"),
        ("<aws-sm:A#x | indent 2>", "the backend does not support modifier `indent`"),
        ("<aws-sm:A#x | default CANARY>", "the backend does not support modifier `default`"),
        ("<aws-sm:A#x | jsonPath {.a}>", "reads JSON within JSON, which the backend does not support"),
        ("<aws-sm:A | jsonPath {.a}{.b}>", "has a form that cannot be translated"),
        ("<aws-sm:A | jsonPath {.a} | trim>", "the backend does not support modifier `trim`"),
        ("CANARY", "it has no placeholder, but the backend stores only references"),
        ("CANARY <aws-sm:A>", "the whole value of `aws-sm:A` cannot be part of a longer text"),
        ("<aws-ssm:A##latest>", "the backend does not support the version in `aws-ssm:A##latest`"),
        ("<us:A#x>", "different providers or regions of the driver: `aws-sm` and `us`"),
        ("<vault:secret/data/x#y>", "different providers or regions of the driver: `aws-sm` and `vault`"),
        ("<k8s:x#y>", "provider `k8s` is not configured for the backend"),
        ("<aws-sm:arn:aws:secretsmanager:us-east-1:1:secret:x>", "does not belong to region `eu-west-1`"),
        ("<aws-sm:arn:aws:ssm:eu-west-1:1:parameter/x>", "does not belong to Secrets Manager"),
    ];
    let keys: Vec<String> = (0..cases.len()).map(|index| format!("k{index:02}")).collect();
    let items: Vec<(&str, &str)> =
        keys.iter().zip(&cases).map(|(key, (text, _))| (key.as_str(), *text)).collect();
    let problems = built_with(&secret, &items).unwrap_err();
    let messages: Vec<&str> = problems.iter().map(|problem| problem.message.as_str()).collect();
    assert!(messages[0].ends_with("the driver cannot create an immutable Secret"), "{}", messages[0]);
    assert!(messages[1].contains("type `kubernetes.io/tls`"), "{}", messages[1]);
    assert_eq!(messages.len(), cases.len() + 2, "{messages:?}");
    for (message, (text, expected)) in messages[2..].iter().zip(cases) {
        assert!(message.ends_with(expected), "{text}: {message}");
        assert!(!message.contains("CANARY"), "{message}");
    }
    assert!(problems.iter().all(|problem| problem.hint.is_some()));
}

#[test]
fn vault_values_cannot_be_joined() {
    let problems = built_with(
        &plain_secret(),
        &[
            ("a", "x<vault:secret/data/x#y>"),
            ("b", "<vault:secret/data/x>"),
            ("c", "<vault:secret/data/x#y#2>"),
            ("d", "<vault:secret/data/x#y | trim>"),
            ("e", "<vault:secret/data/x#\"y\".z>"),
        ],
    )
    .unwrap_err();
    assert_eq!(problems.len(), 5, "{problems:?}");
}
