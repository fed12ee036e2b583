//! Tests of sealing: results are like kubeseal's, fit Argo CD, and never show values.

use std::path::Path;
use std::process::Command;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value as Json, json};

use super::*;
use sealwave_core::diagnostic::ProblemPlace;
use sealwave_core::document::{Origin, Sources};
use sealwave_core::names;
use sealwave_secrets::SealingScope;
use sealwave_secrets::crypto::{Certificate, SealKey};
use sealwave_secrets::settings::DerivationVersion;
use sealwave_secrets::values::SecretValue;
use sealwave_testkit::{DangerPrivateKey, danger_unseal, skipped};

const KEY_LINE: &str = "sealwave-seal-key-v1:47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=";
const OTHER_KEY_LINE: &str = "sealwave-seal-key-v1:R8L4aVvT0oX3mZ1q9pYc5wJ7bKdE2fHnU6sGiQrAtWk=";
const RSA2048: &str = include_str!("../../../../../testdata/sealed-secrets/rsa2048.crt");
const RSA2048_REISSUED: &str = include_str!("../../../../../testdata/sealed-secrets/rsa2048-reissued.crt");
const RSA2048_KEY: &str = include_str!("../../../../../testdata/sealed-secrets/rsa2048.key");
const RSA4096: &str = include_str!("../../../../../testdata/sealed-secrets/rsa4096.crt");

fn origin() -> Origin {
    Origin::whole(Sources::default().add("secret.yaml"))
}

fn manifest(object: &Json) -> Manifest {
    Manifest::new(Node::from_json(object, origin())).unwrap()
}

fn sealer(line: &str, certificate: &str, project: &str, epoch: &str) -> SealMode {
    SealMode::Deterministic(Box::new(Sealer {
        key: SealKey::from_file(line.as_bytes()).unwrap(),
        certificate: Certificate::from_pem(certificate.as_bytes()).unwrap(),
        owner: SealOwner {
            project: project.to_owned(),
            app: "shop-dev".to_owned(),
            derivation: DerivationVersion::V1,
        },
        epoch: epoch.to_owned(),
    }))
}

fn default_sealing() -> SealMode {
    sealer(KEY_LINE, RSA2048, "shop", "")
}

fn checksums() -> ChecksumKey {
    SealKey::from_file(KEY_LINE.as_bytes()).unwrap().checksum_key()
}

fn item(key: &str, unresolved: &[u8], value: &[u8]) -> ResolvedItem {
    ResolvedItem {
        key: key.into(),
        origin: origin(),
        unresolved: SecretValue::new(unresolved.to_vec()),
        references: Vec::new(),
        text: None,
        value: ItemValue::Known(SecretValue::new(value.to_vec())),
    }
}

fn literal(key: &str, value: &[u8]) -> ResolvedItem {
    item(key, value, value)
}

fn reference(path: &str, key: Option<&str>, version: Option<&str>) -> SecretReference {
    SecretReference {
        provider: "vault".into(),
        path: path.to_owned(),
        key: key.map(str::to_owned),
        version: version.map(str::to_owned),
        all_keys: false,
    }
}

fn withheld(key: &str, unresolved: &[u8], references: Vec<SecretReference>) -> ResolvedItem {
    ResolvedItem { references, value: ItemValue::Withheld, ..item(key, unresolved, b"") }
}

fn secret(object: &Json, items: Vec<ResolvedItem>) -> ResolvedObject {
    ResolvedObject::Secret(ResolvedSecret { manifest: manifest(object), items, sources: Vec::new() })
}

/// Returns settings that seal everything.
fn settings() -> SealSettings<'static> {
    static SEALED: std::sync::LazyLock<EnvironmentBackends> =
        std::sync::LazyLock::new(EnvironmentBackends::default);
    SealSettings { backends: &SEALED, workloads: &[], today: Date::new(2026, 1, 1).ok() }
}

fn seal_one(object: &Json, items: Vec<ResolvedItem>, sealing: &SealMode) -> Result<SealedApp, Failure> {
    seal(ResolvedApp::new(vec![secret(object, items)]), sealing, &settings(), &checksums(), &mut Vec::new())
}

fn sealed_json(object: &Json, items: Vec<ResolvedItem>) -> Json {
    seal_one(object, items, &default_sealing()).unwrap().objects()[0].root().to_json()
}

fn plain_secret(name: &str) -> Json {
    json!({"apiVersion": "v1", "kind": "Secret", "metadata": {"name": name, "namespace": "shop"}})
}

fn messages(object: &Json, items: Vec<ResolvedItem>) -> Vec<String> {
    let failure = seal_one(object, items, &default_sealing()).err().unwrap();
    assert!(failure.problems().iter().all(|problem| problem.at != ProblemPlace::Unknown));
    failure.problems().iter().map(|problem| problem.message.clone()).collect()
}

fn open_item(sealed: &Json, key: &str) -> Vec<u8> {
    let annotation = |name: &str| sealed["metadata"]["annotations"][name].as_str();
    let text = |field: &str| sealed["metadata"][field].as_str().unwrap_or("");
    let label = SealingScope::from_annotations(annotation).label(text("namespace"), text("name"));
    let private = DangerPrivateKey::from_pem(RSA2048_KEY).unwrap();
    let item = sealed["spec"]["encryptedData"][key].as_str().unwrap();
    danger_unseal(&private, &label, item).unwrap().expose().to_vec()
}

/// Returns the Secret that kubeseal sealed for `testdata/sealed-secrets/kubeseal`, with its items.
fn kubeseals_secret(scope: SealingScope) -> (Json, Vec<ResolvedItem>) {
    let text = include_str!("../../../../../testdata/sealed-secrets/kubeseal/in-secret.yaml");
    let mut object: Json = yaml_serde::from_str(text).unwrap();
    if let Some(annotation) = scope.annotation() {
        object["metadata"]["annotations"][annotation] = json!("true");
    }
    let fields = object.as_object_mut().unwrap();
    let (data, strings) = (fields.remove("data").unwrap(), fields.remove("stringData").unwrap());
    let mut items: BTreeMap<String, Vec<u8>> = BTreeMap::new();
    for (key, value) in data.as_object().unwrap() {
        items.insert(key.clone(), STANDARD.decode(value.as_str().unwrap()).unwrap());
    }
    for (key, value) in strings.as_object().unwrap() {
        items.insert(key.clone(), value.as_str().unwrap().as_bytes().to_vec());
    }
    (object, items.iter().map(|(key, value)| literal(key, value)).collect())
}

#[test]
fn the_result_equals_kubeseals_except_ciphertext_and_argocd_annotations() {
    for (scope, theirs) in [
        (
            SealingScope::Strict,
            include_str!("../../../../../testdata/sealed-secrets/kubeseal/sealed-strict.json"),
        ),
        (
            SealingScope::NamespaceWide,
            include_str!("../../../../../testdata/sealed-secrets/kubeseal/sealed-namespace-wide.json"),
        ),
        (
            SealingScope::ClusterWide,
            include_str!("../../../../../testdata/sealed-secrets/kubeseal/sealed-cluster-wide.json"),
        ),
    ] {
        let (object, items) = kubeseals_secret(scope);
        let mut ours = sealed_json(&object, items);
        let mut theirs: Json = serde_json::from_str(theirs).unwrap();
        for key in theirs["spec"]["encryptedData"].as_object().unwrap().keys() {
            assert_eq!(open_item(&ours, key), open_item(&theirs, key), "{scope} {key}");
        }
        let keys = |json: &Json| {
            let mut keys: Vec<String> =
                json["spec"]["encryptedData"].as_object().unwrap().keys().cloned().collect();
            keys.sort();
            keys
        };
        assert_eq!(keys(&ours), keys(&theirs));
        let annotations = ours["metadata"]["annotations"].as_object_mut().unwrap();
        for added in [names::ARGOCD_SYNC_OPTIONS, names::SEALED_FOR, names::SEAL_KEY_ID] {
            assert!(annotations.shift_remove(added).is_some(), "{added}");
        }
        if annotations.is_empty() {
            ours["metadata"].as_object_mut().unwrap().shift_remove("annotations");
        }
        ours["spec"]["encryptedData"] = Json::Null;
        theirs["spec"]["encryptedData"] = Json::Null;
        assert_eq!(ours, theirs, "{scope}");
    }
}

#[test]
fn fields_come_in_kubeseals_order() {
    let json = sealed_json(&plain_secret("db"), vec![literal("z", b"1"), literal("a", b"2")]);
    let keys = |json: &Json| json.as_object().unwrap().keys().cloned().collect::<Vec<_>>();
    assert_eq!(keys(&json), ["apiVersion", "kind", "metadata", "spec"]);
    assert_eq!(keys(&json["metadata"]), ["annotations", "name", "namespace"]);
    assert_eq!(keys(&json["spec"]), ["encryptedData", "template"]);
    assert_eq!(keys(&json["spec"]["encryptedData"]), ["a", "z"]);
    assert_eq!(json["spec"]["template"], json!({"metadata": {"name": "db", "namespace": "shop"}}));
}

#[test]
fn metadata_goes_to_the_sealed_secret_or_its_template() {
    let object = json!({
        "apiVersion": "v1", "kind": "Secret", "type": "Opaque",
        "metadata": {
            "name": "db", "namespace": "shop", "uid": "u", "resourceVersion": "1", "generation": 3, "selfLink": "x",
            "creationTimestamp": null, "deletionTimestamp": "2024-01-01T00:00:00Z", "deletionGracePeriodSeconds": 1,
            "finalizers": ["a/b"], "ownerReferences": [{"kind": "Pod"}], "managedFields": [{"manager": "kubectl"}],
            "labels": {
                "app": "db", "app.kubernetes.io/instance": "shop-prod", "argocd.argoproj.io/instance": "shop-prod",
                "argocd.argoproj.io/secret-type": "repository",
            },
            "annotations": {
                "argocd.argoproj.io/sync-wave": "-3", "argocd.argoproj.io/hook": "PreSync",
                "argocd.argoproj.io/tracking-id": "x:y", "link.argocd.argoproj.io/docs": "https://example.com",
                "notargocd.argoproj.io/x": "stays", "helm.sh/hook": "pre-install", "helm.sh/resource-policy": "keep",
                "kubectl.kubernetes.io/last-applied-configuration": "{}", "kubecfg.ksonnet.io/last-applied-configuration": "{}",
                "reloader.stakater.com/match": "true", "sealedsecrets.bitnami.com/managed": "true",
                "sealwave.dev/seal-key-id": "forged", "sealwave.dev/certificate": "forged",
            },
        },
    });
    let json = sealed_json(&object, vec![literal("a", b"1")]);
    let sealer_id = SealKey::from_file(KEY_LINE.as_bytes()).unwrap().id();
    let fingerprint = &Certificate::from_pem(RSA2048.as_bytes()).unwrap().details().public_key_sha256.clone();
    assert_eq!(
        json["metadata"],
        json!({
            "name": "db", "namespace": "shop",
            "labels": {"app.kubernetes.io/instance": "shop-prod", "argocd.argoproj.io/instance": "shop-prod"},
            "annotations": {
                "argocd.argoproj.io/sync-wave": "-3", "argocd.argoproj.io/hook": "PreSync",
                "argocd.argoproj.io/sync-options": "SkipDryRunOnMissingResource=true",
                "link.argocd.argoproj.io/docs": "https://example.com", "helm.sh/hook": "pre-install",
                "helm.sh/resource-policy": "keep",
                "sealwave.dev/seal-key-id": sealer_id, "sealwave.dev/certificate": format!("sha256:{fingerprint}"),
            },
        })
    );
    assert_eq!(
        json["spec"]["template"],
        json!({
            "type": "Opaque",
            "metadata": {
                "name": "db", "namespace": "shop",
                "labels": {"app": "db", "argocd.argoproj.io/secret-type": "repository"},
                "annotations": {
                    "notargocd.argoproj.io/x": "stays",
                    "reloader.stakater.com/match": "true", "sealedsecrets.bitnami.com/managed": "true",
                },
            },
        })
    );
}

#[test]
fn the_authors_sync_options_are_kept() {
    let options = |written: &str, size: usize| {
        let mut object = plain_secret("db");
        object["metadata"]["annotations"] = json!({ "argocd.argoproj.io/sync-options": written });
        let json = sealed_json(&object, vec![literal("a", &vec![b'x'; size])]);
        json["metadata"]["annotations"]["argocd.argoproj.io/sync-options"].as_str().unwrap().to_owned()
    };
    let large = 200 * 1024;
    assert_eq!(options("", 1), "SkipDryRunOnMissingResource=true");
    assert_eq!(
        options("Prune=false, Delete=false", 1),
        "Prune=false, Delete=false,SkipDryRunOnMissingResource=true"
    );
    assert_eq!(options("SkipDryRunOnMissingResource=false", 1), "SkipDryRunOnMissingResource=false");
    assert_eq!(
        options("Prune=false,", large),
        "Prune=false,SkipDryRunOnMissingResource=true,ServerSideApply=true"
    );
    assert_eq!(
        options("ServerSideApply=false", large),
        "ServerSideApply=false,SkipDryRunOnMissingResource=true"
    );
    assert_eq!(options("Replace=true", large), "Replace=true,SkipDryRunOnMissingResource=true");
}

#[test]
fn all_problems_that_the_cluster_would_refuse_are_reported_together() {
    let mut object = plain_secret("db");
    object["type"] = json!(1);
    object["immutable"] = json!("yes");
    object["metadata"]["labels"] = json!([]);
    object["metadata"]["annotations"] = json!({"sealedsecrets.bitnami.com/cluster-wide": true});
    let found = messages(
        &object,
        vec![literal("a b", b""), literal("..", b""), literal("big", &vec![0; (1 << 20) + 1])],
    );
    assert_eq!(
        found,
        [
            "`immutable` must be of type boolean, not string",
            "`metadata.labels` must be of type object, not array",
            "`type` must be of type string, not number",
            "annotation `sealedsecrets.bitnami.com/cluster-wide` must be the text \"true\" or \"false\"",
            "item key is not valid: 1 to 253 letters, digits, `-`, `_` or `.`, and not starting with `..`",
            "item key is not valid: 1 to 253 letters, digits, `-`, `_` or `.`, and not starting with `..`",
            "Secret has 1048577 bytes of data; Kubernetes allows at most 1048576",
        ]
    );
}

#[test]
fn labels_and_annotations_are_strings() {
    let mut object = plain_secret("db");
    object["metadata"]["labels"] = json!({"a": "true", "empty": null, "list": [], "truth": true});
    object["metadata"]["annotations"] = json!({
        "argocd.argoproj.io/sync-options": 1, "CANARY value": {"CANARY": 1}, "example.com/off": false, "port": 8080,
        "sealedsecrets.bitnami.com/cluster-wide": true,
    });
    let mut found = messages(&object, vec![literal("a", b"")]);
    found.sort();
    assert_eq!(
        found,
        [
            "annotation `argocd.argoproj.io/sync-options` must be of type string, not number",
            "annotation `example.com/off` must be of type string, not boolean",
            "annotation `port` must be of type string, not number",
            "annotation `sealedsecrets.bitnami.com/cluster-wide` must be the text \"true\" or \"false\"",
            "annotation must be of type string, not object",
            "label `list` must be of type string, not array",
            "label `truth` must be of type string, not boolean",
        ]
    );
}

#[test]
fn each_scope_requires_the_names_that_it_binds_to() {
    let object = |scope: SealingScope, metadata: Json| {
        let mut object = json!({"apiVersion": "v1", "kind": "Secret", "metadata": metadata});
        if let Some(annotation) = scope.annotation() {
            object["metadata"]["annotations"] = json!({ annotation: "true" });
        }
        object
    };
    let items = || vec![literal("a", b"1")];
    let (name, generated) = (json!({"name": "db"}), json!({"generateName": "db-", "namespace": "shop"}));
    assert_eq!(
        messages(&object(SealingScope::Strict, name.clone()), items()),
        ["Secret `db` has no namespace, which scope strict needs"]
    );
    assert_eq!(
        messages(&object(SealingScope::NamespaceWide, name.clone()), items()),
        ["Secret `db` has no namespace, which scope namespace-wide needs"]
    );
    assert_eq!(
        messages(&object(SealingScope::Strict, generated.clone()), items()),
        ["Secret has no `metadata.name`, which scope strict needs"]
    );
    let wide = sealed_json(&object(SealingScope::ClusterWide, name), items());
    assert_eq!(open_item(&wide, "a"), b"1");
    let generated = sealed_json(&object(SealingScope::NamespaceWide, generated), items());
    assert_eq!(generated["metadata"]["generateName"], "db-");
    assert_eq!(open_item(&generated, "a"), b"1");
}

#[test]
fn two_scopes_cause_a_warning_and_the_widest_applies() {
    let mut object = plain_secret("db");
    object["metadata"]["annotations"] =
        json!({(names::CLUSTER_WIDE): "true", (names::NAMESPACE_WIDE): "true"});
    let mut notes = Vec::new();
    let resolved = ResolvedApp::new(vec![secret(&object, vec![literal("a", b"1")])]);
    let sealed = seal(resolved, &default_sealing(), &settings(), &checksums(), &mut notes).unwrap();
    assert_eq!(notes.len(), 1);
    let json = sealed.objects()[0].root().to_json();
    assert_eq!(json["metadata"]["annotations"].get(names::NAMESPACE_WIDE), None);
    assert_eq!(open_item(&json, "a"), b"1");
}

#[test]
fn a_preview_shows_references_and_nothing_of_the_values() {
    let items = vec![
        withheld(
            "url",
            b"pg://admin:CANARY@<vault:db#user>",
            vec![
                reference("db", Some("user"), None),
                reference("db", None, Some("7")),
                reference("db", Some("pw"), Some("7")),
            ],
        ),
        literal("word", b"CANARY"),
    ];
    let sealed = seal_one(&plain_secret("db"), items, &SealMode::Redacted).unwrap();
    let json = sealed.objects()[0].root().to_json();
    assert_eq!(
        json["spec"]["encryptedData"],
        json!({
            "url": "redacted: value of vault:db#user, vault:db##7, vault:db#pw#7",
            "word": "redacted: a literal of the Secret",
        })
    );
    assert_eq!(json["kind"], "SealedSecret");
    let annotations = json["metadata"]["annotations"].as_object().unwrap();
    assert!(!annotations.contains_key(names::SEAL_KEY_ID) && !annotations.contains_key(names::SEALED_FOR));
    assert!(!json.to_string().contains("CANARY"));
}

#[test]
fn a_withheld_value_cannot_be_sealed() {
    let found =
        messages(&plain_secret("db"), vec![withheld("a", b"<vault:x>", vec![reference("x", None, None)])]);
    assert_eq!(found, ["item `a` was not fetched, so it cannot be sealed"]);
}

#[test]
fn a_secret_with_data_among_the_plain_objects_is_an_error() {
    for field in ["data", "stringData"] {
        let mut object = plain_secret("db");
        object[field] = json!({"password": "CANARY"});
        let resolved = ResolvedApp::new(vec![ResolvedObject::Plain(manifest(&object))]);
        let failure =
            seal(resolved, &SealMode::Redacted, &settings(), &checksums(), &mut Vec::new()).err().unwrap();
        assert_eq!(failure.problems().len(), 1);
        assert!(!failure.to_string().contains("CANARY"));
    }
    let mut token = plain_secret("token");
    token["type"] = json!("kubernetes.io/service-account-token");
    token["metadata"]["annotations"] = json!({"kubernetes.io/service-account.name": "web"});
    token["data"] = Json::Null;
    let resolved = ResolvedApp::new(vec![ResolvedObject::Plain(manifest(&token))]);
    let sealed = seal(resolved, &default_sealing(), &settings(), &checksums(), &mut Vec::new()).unwrap();
    assert_eq!(sealed.objects()[0].root().to_json(), token);
}

#[test]
fn objects_keep_their_order_and_items_their_secrets() {
    let objects = (0..40)
        .map(|n| match n % 3 {
            0 => ResolvedObject::Plain(manifest(
                &json!({"apiVersion": "v1", "kind": "Pod", "metadata": {"name": n.to_string()}}),
            )),
            _ => secret(&plain_secret(&n.to_string()), vec![literal("a", &[n]), literal("b", &[n, n])]),
        })
        .collect();
    let sealed =
        seal(ResolvedApp::new(objects), &default_sealing(), &settings(), &checksums(), &mut Vec::new())
            .unwrap();
    for (n, object) in (0_u8..).zip(sealed.objects()) {
        assert_eq!(object.name(), n.to_string());
        if !n.is_multiple_of(3) {
            let json = object.root().to_json();
            assert_eq!((open_item(&json, "a"), open_item(&json, "b")), (vec![n], vec![n, n]));
        }
    }
    assert_eq!(sealed.objects().len(), 40);
}

fn texts(object: &Json, items: Vec<ResolvedItem>, sealing: &SealMode) -> (String, KeyedDigest) {
    let sealed = seal_one(object, items, sealing).unwrap();
    let json = sealed.objects()[0].root().to_json();
    let digest = *sealed.secrets().values().next().unwrap().values().next().unwrap();
    (json["spec"]["encryptedData"].as_object().unwrap().values().next().unwrap().to_string(), digest)
}

#[test]
fn sealing_parameters_change_the_ciphertext_but_not_the_checksum() {
    let object = plain_secret("db");
    let items = || vec![item("a", b"<env:A>", b"1")];
    let (base, digest) = texts(&object, items(), &default_sealing());
    assert_eq!(texts(&object, items(), &default_sealing()), (base.clone(), digest));
    assert_eq!(
        texts(&object, items(), &sealer(KEY_LINE, RSA2048_REISSUED, "shop", "")),
        (base.clone(), digest)
    );
    let mut wide = plain_secret("db");
    wide["metadata"]["annotations"] = json!({(names::NAMESPACE_WIDE): "true"});
    for (object, sealing) in [
        (&object, sealer(OTHER_KEY_LINE, RSA2048, "shop", "")),
        (&object, sealer(KEY_LINE, RSA4096, "shop", "")),
        (&object, sealer(KEY_LINE, RSA2048, "other", "")),
        (&object, sealer(KEY_LINE, RSA2048, "shop", "2")),
        (&wide, default_sealing()),
    ] {
        let (text, same) = texts(object, items(), &sealing);
        assert_ne!(text, base);
        assert_eq!(same, digest);
    }
}

#[test]
fn the_identity_of_an_item_changes_ciphertext_and_checksum() {
    let object = plain_secret("db");
    let (base, digest) = texts(&object, vec![item("a", b"<env:A>", b"1")], &default_sealing());
    let mut elsewhere = plain_secret("db");
    elsewhere["metadata"]["namespace"] = json!("other");
    for (object, item) in [
        (&plain_secret("db2"), item("a", b"<env:A>", b"1")),
        (&elsewhere, item("a", b"<env:A>", b"1")),
        (&object, item("b", b"<env:A>", b"1")),
        (&object, item("a", b"<env:B>", b"1")),
        (&object, item("a", b"<env:A>", b"2")),
        // A guess in place of the placeholder is not recognized.
        (&object, literal("a", b"1")),
    ] {
        let (text, other) = texts(object, vec![item], &default_sealing());
        assert_ne!(text, base);
        assert_ne!(other, digest);
    }
}

#[test]
fn under_the_preview_key_no_literal_is_digested() {
    let digest = |item: ResolvedItem| {
        let resolved = ResolvedApp::new(vec![secret(&plain_secret("db"), vec![item])]);
        let sealed =
            seal(resolved, &SealMode::Redacted, &settings(), &ChecksumKey::preview(), &mut Vec::new())
                .unwrap();
        *sealed.secrets().values().next().unwrap().values().next().unwrap()
    };
    assert_eq!(digest(literal("a", b"1")), digest(literal("a", b"2")));
    let referring = |path: &str, text: &[u8]| digest(withheld("a", text, vec![reference(path, None, None)]));
    assert_eq!(referring("x", b"pin 1 <vault:x>"), referring("x", b"pin 2 <vault:x>"));
    assert_ne!(referring("x", b"<vault:x>"), referring("y", b"<vault:y>"));
    assert_ne!(referring("x", b"<vault:x>"), digest(literal("a", b"1")));
}

/// If `KUBESEAL` names a kubeseal binary, it opens our results.
#[test]
#[expect(clippy::disallowed_methods, reason = "only the tester knows where a kubeseal is")]
fn kubeseal_opens_what_we_seal() {
    let Some(kubeseal) = std::env::var_os("KUBESEAL").filter(|path| !path.is_empty()) else {
        skipped("the environment variable KUBESEAL names no kubeseal binary");
        return;
    };
    let directory = tempfile::tempdir().unwrap();
    for scope in [SealingScope::Strict, SealingScope::NamespaceWide, SealingScope::ClusterWide] {
        let values: [(&str, Vec<u8>); 4] = [
            ("binary", (0..=255).collect()),
            ("empty", Vec::new()),
            ("large", vec![b'x'; 300_000]),
            // Required by the type of the Secret.
            ("password", "gr\u{fc}n\n".as_bytes().to_vec()),
        ];
        let (object, _) = kubeseals_secret(scope);
        let json = sealed_json(&object, values.iter().map(|(key, value)| literal(key, value)).collect());
        let file = directory.path().join("sealed.json");
        fs_err::write(&file, json.to_string()).unwrap();
        let secret = recover(Path::new(&kubeseal), &file);
        assert_eq!(secret["metadata"]["name"], "db.creds");
        assert_eq!(secret["type"], "kubernetes.io/basic-auth");
        assert_eq!(secret["data"].as_object().unwrap().len(), values.len());
        for (key, value) in &values {
            let text = secret["data"][key].as_str().unwrap_or("");
            assert_eq!(&STANDARD.decode(text).unwrap(), value, "{scope} {key}");
        }
    }
}

fn recover(kubeseal: &Path, file: &Path) -> Json {
    let key = concat!(env!("CARGO_MANIFEST_DIR"), "/../../testdata/sealed-secrets/rsa2048.key");
    let output = Command::new(kubeseal)
        .args(["--recovery-unseal", "--recovery-private-key", key, "--secret-file"])
        .arg(file)
        .output()
        .unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    serde_json::from_slice(&output.stdout).unwrap()
}
