//! `schemas print`: the JSON Schemas of sealwave's own files agree with the program, and with the page of all keys.

mod key_table;

use std::path::PathBuf;

use jsonschema::Validator;
use sealwave_providers::ProviderConfig;
use sealwave_secrets::settings::{App, OperatorConfig, ValidationFile, read_config};
use sealwave_testkit::{check_file, check_page_section};
use serde_json::{Value, json};

use crate::support::{root, stdout_of};

/// The page with the keys of all files.
const PAGE: &str = "docs/reference/all-keys.md";

/// One of sealwave's own files.
struct FileKind {
    /// The argument of `schemas print`.
    name: &'static str,
    /// The value of `kind`.
    kind: &'static str,
    /// A file that has each key.
    whole: &'static str,
    /// Reports whether the program reads a text as this file.
    reads: fn(&str) -> bool,
}

const KINDS: [FileKind; 3] = [
    FileKind { name: "app", kind: "App", whole: WHOLE_APP, reads: |text| read::<App>(text) },
    FileKind {
        name: "operator",
        kind: "Operator",
        whole: WHOLE_OPERATOR,
        reads: |text| read::<OperatorConfig<ProviderConfig>>(text),
    },
    FileKind {
        name: "validation",
        kind: "Validation",
        whole: WHOLE_VALIDATION,
        reads: |text| read::<ValidationFile>(text),
    },
];

const WHOLE_APP: &str = r#"
apiVersion: sealwave.dev/v1alpha1
kind: App
namespace: shop
backend: sealed-secrets
provider: file
compatibility: avp
literals: [ConfigMap/shop/docs]
rotation:
- {secret: shop/db, environments: [prod], rotation: manual, maxAge: 90d, rotated: 2026-01-31, owner: shop team, reason: by hand, runbook: 'https://wiki.example.com/db', iamUser: airflow}
configMaps:
  web:
    literals: {LOG_LEVEL: info}
    files: [nginx.conf, a.json=config/a.json]
    envFiles: ["config/{{env}}.env"]
    namespace: shop
    labels: {a: b}
    annotations: {c: d}
secrets:
  db:
    type: Opaque
    literals: {password: a}
    files: [tls.key]
    envFiles: [a.env]
    namespace: shop
    labels: {a: b}
    annotations: {c: d}
externalSecrets:
  apiVersion: v1beta1
  refreshInterval: 1h
  stores: {main: {name: a, kind: SecretStore, provider: vault, mount: kv, kvVersion: 1}}
secretsStoreCsi:
  providers:
    eu: {provider: aws-sm, region: eu-west-1, usePodIdentity: true}
    vault: {roleName: app, vaultAddress: a, vaultAuthMountPath: m, vaultNamespace: n, kvVersion: 2, mounts: {kv: 2}}
environments:
  dev:
    allowEmpty: true
    apiVersions: [monitoring.coreos.com/v1]
    cluster: dev
    kubeVersion: "1.34"
    namespace: shop-dev
    backend: external-secrets
    provider: env
    secretBackends: {shop/db: secrets-store-csi, cache: {from: sealed-secrets, to: external-secrets}}
    keptChecksums: {Deployment/shop/web: {computed: 0123456789abcdef0123456789abcdef, kept: 00000000000000000000000000000000}}
    configMaps: {web: {files: [nginx.conf]}}
    secrets: {db: {literals: {password: b}}}
    externalSecrets: {refreshInterval: 2h}
    secretsStoreCsi: {providers: {}}
    patches:
      - {target: {group: apps, kind: Deployment, name: web, namespace: shop}, type: strategic, file: a.yaml}
      - {target: {kind: Ingress}, patch: [{op: remove, path: /spec}]}
  prod: {}
sources:
  - files: {}
  - helm:
      chart: web
      repository: oci://registry.example.com/charts
      version: 1.2.3
      digest: sha256:0000000000000000000000000000000000000000000000000000000000000000
      releaseName: web
      namespace: shop
      valueFiles: ["values-{{env}}.yaml"]
      ignoreMissingValueFiles: true
      values: {replicas: 2}
      layeredValues: true
      skipCrds: true
      skipTests: true
  - kustomize: {path: "overlays/{{env}}"}
waves: {kinds: {batch/Job: -2}}
workloads: [{group: example.com, kind: Worker, podTemplate: spec.template}]
requires: {sealwave: ">=0.1"}
validate:
  kubeVersions: ["1.34"]
  crds: [crds]
  packedDefinitions: false
  external: [Secret/*/a]
  rules: {secret/literal: off}
  ignore: [{rule: secret/*, object: Secret/*/a, path: a.yaml, environments: [dev], reason: known, until: 2030-01-31}]
"#;

const WHOLE_OPERATOR: &str = r#"
apiVersion: sealwave.dev/v1alpha1
kind: Operator
sealKeyFile: seal-key
checksumKeyFile: checksum-key
derivation: v2
epoch: "1"
deadlineSeconds: 50
memoryLimitMiB: 400
concurrency: 4
clusters: {dev: {certificate: {file: a.pem, allowExpired: true}, kubeVersion: "1.34"}}
providers:
  secrets-manager:
    kind: aws-sm
    region: eu-west-1
    profile: p
    endpointUrl: https://e
    assumeRole: {roleArn: r, externalId: x, sessionName: s, endpointUrl: https://t}
    caFile: ca.pem
    proxy: http://p
  parameters: {kind: aws-ssm, region: eu-west-1}
  env: {kind: env, names: [SHOP_*]}
  derived: {kind: derive, keyFile: derivation-key, epochs: [{paths: ["db/*"], epoch: 1}]}
  file: {kind: file, root: secrets}
  one: {kind: k8s, namespace: a, kubeconfig: k, context: c}
  several: {kind: k8s, namespaces: [a, b]}
  sops:
    kind: sops
    ageKeyFiles: [age]
    awsKms: {keys: [a], context: {a: b}, region: r, profile: p, assumeRole: {roleArn: r}, endpointUrl: e, caFile: c, proxy: p}
  vault: {kind: vault, address: https://v, allowHttp: true, auth: {token: {file: t}}, caFile: c, mounts: {kv: 2}, namespace: n, proxy: p}
  role: {kind: vault, address: https://v, auth: {appRole: {mount: m, roleId: r, secretIdFile: s}}}
  kubernetes: {kind: vault, address: https://v, auth: {kubernetes: {mount: m, role: r, tokenFile: t}}}
policy:
  - name: all
    projects: [shop]
    apps: [web]
    namespaces: [shop]
    repositories: ["*"]
    environments: [dev]
    clusters: [dev]
    scopes: [strict]
    secretNamespaces: [shop]
    allow: ["file:**"]
    deny: ["file:a"]
audit: {file: audit.log, stderr: true}
charts:
  cacheDirectory: /var/cache/sealwave
  repositories: [{url: "https://charts.example.com", usernameFile: user, passwordFile: password, caFile: ca.pem}]
tools:
  helm: {path: /usr/local/bin/helm, versions: ">=3.14, <5"}
  kubectl: {path: /usr/local/bin/kubectl}
  kustomize: {path: /usr/local/bin/kustomize}
  kustomizeHelmCharts: true
"#;

const WHOLE_VALIDATION: &str = r#"
apiVersion: sealwave.dev/v1alpha1
kind: Validation
validate:
  kubeVersions: ["1.34"]
  crds: [crds]
  packedDefinitions: true
  external: [Secret/*/a]
  rules: {secret/literal: warning}
  ignore: [{rule: secret/*, object: Secret/*/a, path: a.yaml, environments: [dev], reason: known, until: 2030-01-31}]
exclude: [vendor/]
sets: [{name: web, paths: [web/]}]
"#;

fn read<T: serde::de::DeserializeOwned>(text: &str) -> bool {
    read_config::<T>(text.as_bytes(), "file").is_ok()
}

fn yaml(text: &str) -> Option<Value> {
    yaml_serde::from_str(text).ok()
}

impl FileKind {
    fn schema(&self) -> Value {
        serde_json::from_str(&stdout_of(&["schemas", "print", self.name])).unwrap()
    }

    fn validator(&self) -> Validator {
        let schema = self.schema();
        assert!(jsonschema::meta::is_valid(&schema), "{}", self.name);
        jsonschema::validator_for(&schema).unwrap()
    }
}

#[test]
fn the_committed_schemas_are_those_of_the_program() {
    for kind in &KINDS {
        let path = root().join(format!("docs/reference/{}-file.schema.json", kind.name));
        check_file(&path, &stdout_of(&["schemas", "print", kind.name]));
    }
}

/// Returns all files below a directory of the repository that have a name, or one with an ending.
fn files(directory: &str, ending: &str) -> Vec<PathBuf> {
    let entries = walkdir::WalkDir::new(root().join(directory)).sort_by_file_name();
    let paths = entries.into_iter().map(|entry| entry.unwrap().into_path());
    paths.filter(|path| path.to_string_lossy().ends_with(ending) && path.is_file()).collect()
}

/// Returns the files of a kind in testdata, manifests and pages, with their places.
fn committed(kind: &FileKind) -> Vec<(String, String)> {
    let mut found = Vec::new();
    let yaml_files =
        ["testdata", "manifests", "examples"].iter().flat_map(|directory| files(directory, ".yaml"));
    for path in yaml_files {
        // Some cases are files that are not UTF-8.
        let Ok(text) = fs_err::read_to_string(&path) else { continue };
        found.push((path.display().to_string(), text));
    }
    for path in files("docs", ".md") {
        let text = fs_err::read_to_string(&path).unwrap();
        for block in text.split("\n```yaml\n").skip(1) {
            let block = block.split("\n```").next().unwrap();
            found.push((path.display().to_string(), format!("{block}\n")));
        }
    }
    let start = format!("kind: {}", kind.kind);
    found.retain(|(_, text)| {
        text.contains("apiVersion: sealwave.dev/v1alpha1")
            && text.lines().any(|line| line.trim_end() == start)
    });
    found
}

/// Files that the program reads and then refuses for a reason that the schema has as well, by a part of their path.
const REFUSED_LATER: [&str; 1] = ["testdata/lints/app-load/bad-patch/"];

#[test]
fn files_of_the_repository_are_valid_if_the_program_reads_them() {
    for kind in &KINDS {
        let validator = kind.validator();
        let (mut good, mut bad, mut different) = (0, 0, Vec::new());
        for (place, text) in committed(kind) {
            let is_read = (kind.reads)(&text);
            let Some(value) = yaml(&text) else {
                assert!(!is_read, "{place}");
                continue;
            };
            let is_expected = is_read && !REFUSED_LATER.iter().any(|part| place.contains(part));
            let errors: Vec<String> = validator.iter_errors(&value).map(|error| error.to_string()).collect();
            if errors.is_empty() != is_expected {
                different.push(format!("{place}: program {is_expected}, schema {errors:?}"));
            }
            *(if is_read { &mut good } else { &mut bad }) += 1;
        }
        assert!(different.is_empty(), "{}:\n{}", kind.name, different.join("\n"));
        assert!(good >= 3, "{}: {good} good and {bad} bad files", kind.name);
    }
}

/// Calls a function for each value that differs from a value in one place.
fn mutations(value: &Value, pointer: &str, out: &mut Vec<(String, Value)>, whole: &Value) {
    let mut put = |what: &str, new: Value| {
        let mut changed = whole.clone();
        *changed.pointer_mut(pointer).unwrap() = new;
        out.push((format!("{pointer} {what}"), changed));
    };
    for new in [
        json!(null),
        json!(true),
        json!(7),
        json!(-7),
        json!(1.5),
        json!("text"),
        json!([]),
        json!({}),
        json!(["text"]),
        json!({"text": "text"}),
    ] {
        put(&format!("becomes {new}"), new);
    }
    let step = |key: &str| format!("{pointer}/{}", key.replace('~', "~0").replace('/', "~1"));
    match value {
        Value::Object(fields) => {
            let mut more = fields.clone();
            more.insert("unknown".to_owned(), json!("text"));
            put("gets a field", more.into());
            for key in fields.keys() {
                let mut fewer = fields.clone();
                fewer.remove(key);
                put(&format!("loses {key}"), fewer.into());
            }
            for (key, field) in fields {
                mutations(field, &step(key), out, whole);
            }
        }
        Value::Array(items) => {
            for (index, item) in items.iter().enumerate() {
                mutations(item, &step(&index.to_string()), out, whole);
            }
        }
        _ => {}
    }
}

/// Reports whether the program reads a change, and refuses it when it uses the setting.
fn is_refused_later(change: &str) -> bool {
    let is_header = ["/apiVersion becomes", "/kind becomes"].iter().any(|start| change.starts_with(start));
    let ends: &[&str] = if change.starts_with("/environments/dev/patches/") {
        &[
            "/0 becomes {}",
            "/1 becomes {}",
            "target becomes null",
            " loses target",
            " loses file",
            "/1 loses patch",
        ]
    } else if change.starts_with("/sources/") {
        &[
            "/0 becomes {}",
            "/1 becomes {}",
            "/2 becomes {}",
            "/0 loses files",
            "/1 loses helm",
            "/helm loses chart",
            "/helm loses repository",
            "/helm loses version",
            "/helm loses digest",
            "/2 loses kustomize",
        ]
    } else if change.starts_with("/providers/") {
        &[" loses namespaces", "/one loses namespace"]
    } else {
        &[]
    };
    let is_body = change.starts_with("/environments/dev/patches/1/patch/");
    is_header || !is_body && ends.iter().any(|end| change.ends_with(end))
}

/// Reports whether a change writes the only field of a mapping as a list, which serde reads too.
fn is_list_of_fields(change: &str, whole: &Value) -> bool {
    let (pointer, change) = change.split_once(' ').unwrap();
    change == "becomes [\"text\"]" && whole.pointer(pointer).is_some_and(Value::is_object)
}

/// Reports whether a change writes a number, a boolean or nothing where a text is. The program reads some of them as texts,
/// but other YAML parsers do not, and the version `1.30` is not the number 1.3.
fn is_unquoted_text(change: &str, whole: &Value) -> bool {
    let (pointer, change) = change.split_once(' ').unwrap();
    let is_scalar =
        ["null", "true", "7", "-7", "1.5"].iter().any(|scalar| change == format!("becomes {scalar}"));
    is_scalar && whole.pointer(pointer).is_some_and(Value::is_string)
}

#[test]
fn each_change_of_a_file_is_refused_by_both_or_by_none() {
    for kind in &KINDS {
        let validator = kind.validator();
        let whole = yaml(kind.whole).unwrap();
        assert!((kind.reads)(kind.whole), "{}", kind.name);
        let errors: Vec<String> = validator.iter_errors(&whole).map(|error| error.to_string()).collect();
        assert!(errors.is_empty(), "{}: {errors:?}", kind.name);
        let mut changed = Vec::new();
        mutations(&whole, "", &mut changed, &whole);
        let mut different = Vec::new();
        for (change, value) in &changed {
            let is_read = (kind.reads)(&value.to_string());
            let is_expected = is_read && !is_refused_later(change);
            let is_valid = validator.is_valid(value);
            let is_lenient = is_unquoted_text(change, &whole) || is_list_of_fields(change, &whole);
            if is_valid != is_expected && (is_valid || !is_lenient) {
                different.push(format!("{change}: program {is_read}, schema {is_valid}"));
            }
        }
        assert!(changed.len() > 100 && different.is_empty(), "{}:\n{}", kind.name, different.join("\n"));
    }
}

/// Removes each key that a file has from a schema and returns the names of the rest.
fn unused_keys(validator: &Value, whole: &Value) -> Vec<String> {
    let mut unused = Vec::new();
    let text = whole.to_string();
    let mut open = vec![validator];
    while let Some(schema) = open.pop() {
        match schema {
            Value::Object(fields) => {
                let keys = fields.get("properties").and_then(Value::as_object).into_iter().flatten();
                unused.extend(
                    keys.map(|(key, _)| key.clone()).filter(|key| !text.contains(&format!("\"{key}\":"))),
                );
                open.extend(fields.values());
            }
            Value::Array(items) => open.extend(items),
            _ => {}
        }
    }
    unused
}

#[test]
fn the_page_of_all_keys_is_made_from_the_schemas() {
    for kind in &KINDS {
        let schema = kind.schema();
        assert_eq!(unused_keys(&schema, &yaml(kind.whole).unwrap()), [""; 0], "{} lacks keys", kind.name);
        check_page_section(PAGE, kind.name, &key_table::key_table(&schema));
    }
}
