//! Tests each rule of the translation, and one complete object.

use serde_json::json;

use super::*;
use crate::backends::backend::UnresolvedItem;
use crate::backends::testing::{build_json, plain_secret};
use sealwave_core::document::Node;
use sealwave_core::yaml::write_yaml;
use sealwave_secrets::settings::App;
use sealwave_testkit::manifest;

const SETTINGS: &str = "apiVersion: a
kind: App
externalSecrets:
  stores:
    aws-sm: {name: aws}
    aws-ssm: {name: parameters, kind: ClusterSecretStore}
    vault: {name: vault}
    kv-eu: {name: eu, provider: vault, mount: team/kv/}
    kv-1: {name: old, provider: vault, mount: legacy, kvVersion: 1}
";

fn backends(more: &str) -> EnvironmentBackends {
    let app: App = yaml_serde::from_str(&format!("{SETTINGS}{more}")).unwrap();
    EnvironmentBackends::decide(&app, &sealwave_secrets::settings::EnvironmentSettings::default()).unwrap()
}

fn built_with(
    secret: &Json,
    items: &[(&str, &str)],
    settings: &EnvironmentBackends,
) -> Result<Json, Vec<Problem>> {
    build_json(secret, items, &ExternalSecretsBackend, settings)
}

fn built(items: &[(&str, &str)]) -> Json {
    built_with(&plain_secret(), items, &backends("")).unwrap_or_else(|problems| panic!("{problems:?}"))
}

/// Returns the template and the first `remoteRef` of a Secret with one item.
fn one(text: &str) -> (String, Json) {
    let built = built(&[("k", text)]);
    let template = built["spec"]["target"]["template"]["data"]["k"].as_str().unwrap().to_owned();
    (template, built["spec"]["data"][0]["remoteRef"].clone())
}

fn refusals(secret: &Json, items: &[(&str, &str)]) -> Vec<String> {
    let problems = built_with(secret, items, &backends("")).unwrap_err();
    assert!(problems.iter().all(|problem| problem.hint.is_some() || problem.message.contains("of type")));
    problems.into_iter().map(|problem| problem.message).collect()
}

#[test]
fn the_whole_object() {
    let secret = json!({
        "apiVersion": "v1", "kind": "Secret", "immutable": true, "type": "example.org/db",
        "metadata": {
            "name": "app-db", "namespace": "app",
            "labels": {"team": "{{ shop }}"},
            "annotations": {"argocd.argoproj.io/sync-options": "Prune=false", "note": "x"},
        },
    });
    let items = [
        ("url", "postgresql://<aws-sm:A#username>:<aws-sm:A#password | urlencode>@host/db"),
        ("username", "<aws-sm:A#username>"),
    ];
    let built = built_with(&secret, &items, &backends("")).unwrap();
    let mut text = Vec::new();
    write_yaml(&Node::from_json(&built, manifest(&secret).origin()), &mut text);
    assert_eq!(
        String::from_utf8(text).unwrap(),
        r#"---
apiVersion: external-secrets.io/v1
kind: ExternalSecret
metadata:
  annotations:
    argocd.argoproj.io/sync-options: Prune=false,SkipDryRunOnMissingResource=true
  name: app-db
  namespace: app
spec:
  refreshPolicy: Periodic
  refreshInterval: 1h0m0s
  secretStoreRef:
    name: aws
    kind: SecretStore
  target:
    name: app-db
    creationPolicy: Owner
    deletionPolicy: Retain
    immutable: true
    template:
      type: example.org/db
      engineVersion: v2
      mergePolicy: Replace
      metadata:
        labels:
          team: "{{ \"{{\" }} shop }}"
        annotations:
          note: x
      data:
        url: postgresql://{{ .r0 }}:{{ .r1 | urlquery | replace "+" "%20" }}@host/db
        username: "{{ .r0 }}"
  data:
  - secretKey: r0
    remoteRef:
      key: A
      property: username
      conversionStrategy: Default
      decodingStrategy: None
      metadataPolicy: None
  - secretKey: r1
    remoteRef:
      key: A
      property: password
      conversionStrategy: Default
      decodingStrategy: None
      metadataPolicy: None
"#
    );
}

#[test]
fn the_template_always_has_metadata() {
    let built = built(&[("k", "<aws-sm:A>")]);
    assert_eq!(built["spec"]["target"]["template"]["metadata"], json!({"labels": {}, "annotations": {}}));
    assert_eq!(built["spec"]["target"]["template"]["type"], json!("Opaque"));
}

#[test]
fn an_older_operator_gets_only_supported_fields() {
    let more = "  apiVersion: v1beta1\n  refreshInterval: '0'\n";
    let built = built_with(&plain_secret(), &[("k", "<aws-sm:A>")], &backends(more)).unwrap();
    assert_eq!(built["apiVersion"], json!("external-secrets.io/v1beta1"));
    assert_eq!(built["spec"]["refreshInterval"], json!("0s"));
    assert_eq!(built["spec"].get("refreshPolicy"), None);
}

#[test]
fn references_are_translated_for_each_store() {
    let id = "0a1b2c3d-1111-2222-3333-444455556666";
    let by_id = format!("<aws-sm:A##{id}>");
    let uuid = format!("uuid/{id}");
    for (text, key, property, version) in [
        ("<aws-sm:a/b>", "a/b", None, None),
        (
            "<aws-sm:arn:aws:secretsmanager:eu-west-1:1:secret:x-AbCdEf#k>",
            "arn:aws:secretsmanager:eu-west-1:1:secret:x-AbCdEf",
            Some("k"),
            None,
        ),
        ("<aws-sm:A##AWSPREVIOUS>", "A", None, Some("AWSPREVIOUS")),
        (&by_id, "A", None, Some(uuid.as_str())),
        ("<aws-sm:A#a.b>", "A", Some("a.b"), None),
        // R18; read with gjson 1.18.0.
        ("<aws-sm:A#arr.0>", "A", Some("arr.0"), None),
        ("<aws-sm:A#\"a.b\">", "A", Some(r"a\.b"), None),
        ("<aws-sm:A#\"a.b\".c.0>", "A", Some(r"a\.b|c|0"), None),
        ("<aws-sm:A#\"a\".b>", "A", Some("a|b"), None),
        ("<aws-sm:A#\"x*\">", "A", Some(r"x\*"), None),
        ("<aws-sm:rds!db-12#password>", "rds!db-12", Some("password"), None),
        ("<vault:secret/data/x#\"tls.crt\">", "x", Some(r"tls\.crt"), None),
        (r"<aws-sm:A#a*b@c(d)\e>", "A", Some(r"a\*b\@c\(d\)\\e"), None),
        ("<aws-sm:A | jsonPath {.a['b.c'][0].d}>", "A", Some(r"a.b\.c.0.d"), None),
        ("<aws-ssm:/shop/db#user#3>", "/shop/db", Some("user"), Some("3")),
        ("<vault:secret/data/shop/db#user#2>", "shop/db", Some("user"), Some("2")),
        ("<vault:secret/shop/db#user>", "secret/shop/db", Some("user"), None),
        ("<kv-eu:team/kv/data/shop#user>", "shop", Some("user"), None),
        ("<kv-eu:team/kv/shop#user>", "shop", Some("user"), None),
        ("<kv-eu:team/kv/data/data/odd#user>", "data/odd", Some("user"), None),
        ("<kv-eu:team/kv/data#user>", "data", Some("user"), None),
        ("<kv-eu:team/kv/team/kv/x#user>", "team/kv/team/kv/x", Some("user"), None),
        ("<kv-eu:team/kv/data/team/kv/x#user>", "team/kv/team/kv/x", Some("user"), None),
        ("<vault:secret/data/data/odd#user>", "data/odd", Some("user"), None),
        ("<vault:secret/data/secret/x#user>", "secret/secret/x", Some("user"), None),
        ("<kv-1:legacy/data/app#user>", "data/app", Some("user"), None),
        ("<kv-1:legacy/app#user>", "app", Some("user"), None),
    ] {
        let (template, remote) = one(text);
        assert_eq!(template, "{{ .r0 }}", "{text}");
        assert_eq!(remote["key"].as_str(), Some(key), "{text}");
        assert_eq!(remote.get("property").and_then(Json::as_str), property, "{text}");
        assert_eq!(remote.get("version").and_then(Json::as_str), version, "{text}");
    }
}

#[test]
fn modifiers_become_functions() {
    for (modifiers, template, decoding) in [
        ("base64", "{{ .r0 | b64enc }}", "None"),
        ("base64decode", "{{ .r0 }}", "Base64"),
        ("jsonPath {.a} | base64decode | trim", r#"{{ .r0 | trimAll " \t\n\v\f\r" }}"#, "Base64"),
        ("json", "{{ .r0 | toRawJson }}", "None"),
        ("trim | sha256", r#"{{ .r0 | trimAll " \t\n\v\f\r" | sha256sum }}"#, "None"),
        ("urlencode", r#"{{ .r0 | urlquery | replace "+" "%20" }}"#, "None"),
    ] {
        let (found, remote) = one(&format!("<aws-sm:A | {modifiers}>"));
        assert_eq!(found, template, "{modifiers}");
        assert_eq!(remote["decodingStrategy"].as_str(), Some(decoding), "{modifiers}");
    }
}

/// The right column was computed with Go's `text/template` and sprig 3.3 on `r0 = "v"`.
#[test]
fn literal_braces_stay_text() {
    for (text, template, _result) in [
        ("a{{b}}<aws-sm:A>", r#"a{{ "{{" }}b}}{{ .r0 }}"#, "a{{b}}v"),
        ("{<aws-sm:A>}", r#"{{ "{" }}{{ .r0 }}}"#, "{v}"),
        ("{{{<aws-sm:A>", r#"{{ "{{{" }}{{ .r0 }}"#, "{{{v"),
        ("<aws-sm:A>{", "{{ .r0 }}{", "v{"),
        ("<aws-sm:A>{{{{x", r#"{{ .r0 }}{{ "{{{{" }}x"#, "v{{{{x"),
        (r#"{"p":"<aws-sm:A>"}"#, r#"{"p":"{{ .r0 }}"}"#, r#"{"p":"v"}"#),
        ("-<aws-sm:A>- 😀`\\\"'", "-{{ .r0 }}- 😀`\\\"'", "-v- 😀`\\\"'"),
        ("{{- /* x */ -}}<aws-sm:A>", r#"{{ "{{" }}- /* x */ -}}{{ .r0 }}"#, "{{- /* x */ -}}v"),
    ] {
        assert_eq!(one(text).0, template, "{text}");
    }
}

#[test]
fn several_stores_are_supported() {
    let built = built(&[("a", "<aws-sm:A#x>"), ("b", "<aws-ssm:B>"), ("c", "<aws-sm:A#x>")]);
    assert_eq!(built["spec"]["secretStoreRef"]["name"], json!("aws"));
    let data = built["spec"]["data"].as_array().unwrap();
    assert_eq!(data.len(), 2);
    assert_eq!(data[0].get("sourceRef"), None);
    assert_eq!(
        data[1]["sourceRef"],
        json!({"storeRef": {"name": "parameters", "kind": "ClusterSecretStore"}})
    );
    assert_eq!(
        built["spec"]["target"]["template"]["data"],
        json!({"a": "{{ .r0 }}", "b": "{{ .r1 }}", "c": "{{ .r0 }}"})
    );
}

#[test]
fn all_refusals_are_reported_together() {
    let found = refusals(
        &json!({
            "apiVersion": "v1", "kind": "Secret", "type": "bootstrap.kubernetes.io/token",
            "immutable": "yes", "metadata": {"generateName": "x-", "labels": {"port": 8080, "CANARY value": "x"}},
        }),
        &[
            ("a", "CANARY"),
            ("b", "<file:x#y>"),
            ("c", "<other:x#y>"),
            ("d", "<aws-sm:A | indent 2>"),
            ("e", "<aws-sm:A | default 'CANARY'>"),
            ("f", "<aws-sm:A | trim | base64decode>"),
            ("g", "<aws-sm:A#k | jsonPath {.a}>"),
            ("h", "<aws-sm:A | jsonPath {.a}{':'}{.b}>"),
            ("i", "<aws-sm:A | jsonPath {.a[-1]}>"),
            ("j", "<vault:secret/data/x#y#latest>"),
            ("k", "<kv-eu:shop/db#user>"),
        ],
    );
    let expected = [
        "its name is generated by the API server",
        "label `port` must be of type string, not number",
        "`immutable` must be of type boolean, not string",
        "the External Secrets Operator refuses type `bootstrap.kubernetes.io/token`",
        "it has no placeholder, but the backend stores only references",
        "provider `file` is not configured for the backend",
        "provider `other` is not configured for the backend",
        "the backend does not support modifier `indent`",
        "the backend does not support modifier `default`",
        "the backend supports modifier `base64decode` only on the fetched value, not after `trim`",
        "modifier `jsonPath` after a `#key` reads JSON within JSON, which the backend does not support",
        "modifier `jsonPath` has a form that cannot be translated",
        "modifier `jsonPath` has a form that cannot be translated",
        "the backend does not support the version in `vault:secret/data/x#y#latest`",
        "`kv-eu:shop/db#user` is not in mount `team/kv` of the store",
    ];
    assert_eq!(found.len(), expected.len(), "{found:?}");
    for (found, expected) in found.iter().zip(expected) {
        assert!(found.ends_with(expected), "{found}");
        assert!(!found.contains("CANARY"), "{found}");
    }
}

#[test]
fn literal_bytes_are_refused() {
    let manifest = manifest(&plain_secret());
    let item = UnresolvedItem { key: "k".into(), origin: manifest.origin(), text: None };
    let secret = UnresolvedSecret { manifest, items: vec![item], sources: Vec::new(), release_to: None };
    assert!(ExternalSecretsBackend.build(secret, &backends(""), &mut Vec::new()).is_err());
}
