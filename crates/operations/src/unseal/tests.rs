//! Files of kubeseal and of `seal` are opened, as the controller would write the Secrets.

use std::path::{Path, PathBuf};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use sealwave_core::document::Sources;
use sealwave_core::yaml::Limits;
use sealwave_pipeline::ManifestFormat;
use sealwave_secrets::crypto::Certificate;
use serde_json::{Value as Json, json};

use super::UnsealedSecrets;
use crate::documents::ManifestInput;
use crate::key_files::UnsealKeys;
use sealwave_core::document::Node;
use sealwave_secrets::values::SecretValue;

const MARKER: &str = "CANARY-4711";

fn testdata(name: &str) -> PathBuf {
    sealwave_testkit::repository_root().join("testdata/sealed-secrets").join(name)
}

fn keys(names: &[&str]) -> UnsealKeys {
    let files: Vec<PathBuf> = names.iter().map(|name| testdata(name)).collect();
    UnsealKeys::read(&files, &[], &mut Vec::new()).expect("keys")
}

fn input(text: &str) -> ManifestInput {
    ManifestInput::read_from(text.as_bytes(), "in.yaml").expect("readable")
}

/// Returns the Secrets of an output of any format.
fn objects(text: &[u8]) -> Vec<Json> {
    let source = Sources::default().add("out");
    let nodes = yaml_nodes(text, source);
    nodes.iter().map(Node::to_json).collect()
}

fn yaml_nodes(text: &[u8], source: sealwave_core::document::SourceId) -> Vec<Node> {
    sealwave_core::yaml::read(text, source, &Limits::default()).expect("YAML or JSON")
}

/// Opens a text with the key of `rsa2048`, and returns the Secrets and the messages of the notes.
fn open(text: &str) -> Result<(Vec<Json>, Vec<String>), String> {
    open_in(text, None, &keys(&["rsa2048.key"]))
}

fn open_in(
    text: &str,
    namespace: Option<&str>,
    keys: &UnsealKeys,
) -> Result<(Vec<Json>, Vec<String>), String> {
    let mut notes = Vec::new();
    let opened = UnsealedSecrets::open(&input(text), namespace, keys, &mut notes);
    let opened = opened.map_err(|failure| {
        let hint = failure.problems().first().and_then(|problem| problem.hint.clone()).unwrap_or_default();
        format!("{failure}\n{hint}")
    })?;
    let [yaml, json] = [ManifestFormat::Yaml, ManifestFormat::Json]
        .map(|format| objects(opened.danger_manifests(format).expose()));
    assert_eq!(yaml, json, "both formats have the same content");
    Ok((yaml, notes.into_iter().map(|note| note.problem.message).collect()))
}

fn seal(label: &str, value: &[u8]) -> String {
    let pem = fs_err::read(testdata("rsa2048.crt")).expect("a certificate");
    let certificate = Certificate::from_pem(&pem).expect("a certificate");
    certificate.seal_randomly(label.as_bytes(), &SecretValue::new(value.to_vec())).expect("sealed")
}

/// Returns a SealedSecret `ns/a` with metadata and fields of its `spec`.
fn sealed(metadata: &str, spec: &str) -> String {
    format!(
        "apiVersion: bitnami.com/v1alpha1\nkind: SealedSecret\nmetadata: {{name: a, namespace: ns{metadata}}}\nspec: {{{spec}}}\n"
    )
}

#[test]
fn all_files_of_kubeseal_are_opened() {
    let keys = keys(&["rsa2048.key", "rsa4096.key"]);
    let mut seen = 0;
    for scope in ["strict", "namespace-wide", "cluster-wide"] {
        for format in ["yaml", "json"] {
            let read = |kind: &str| {
                fs_err::read_to_string(testdata(&format!("kubeseal/{kind}-{scope}.{format}")))
                    .expect("a file")
            };
            let (opened, notes) = open_in(&read("sealed"), None, &keys).expect("opened");
            // kubeseal adds an owner without an identity, and writes an empty value as null.
            let mut expected = objects(read("unsealed").as_bytes());
            for secret in &mut expected {
                secret["metadata"].as_object_mut().expect("metadata").remove("ownerReferences");
                for value in secret["data"].as_object_mut().expect("data").values_mut() {
                    if value.is_null() {
                        *value = json!("");
                    }
                }
            }
            assert_eq!(opened, expected, "{scope} {format}");
            assert_eq!(notes, Vec::<String>::new());
            seen += opened.len();
        }
    }
    assert_eq!(seen, 6);
}

#[test]
fn several_objects_are_opened_and_others_are_named() {
    let one = sealed("", &format!("encryptedData: {{k: {}}}", seal("ns/a", b"1")));
    let two =
        sealed("", &format!("encryptedData: {{k: {}}}", seal("ns/b", b"2"))).replace("name: a", "name: b");
    let other = "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: c}\n";
    let (opened, notes) = open(&format!("{one}---\n{other}---\n{two}")).expect("opened");
    let names: Vec<&Json> = opened.iter().map(|secret| &secret["metadata"]["name"]).collect();
    assert_eq!(names, ["a", "b"]);
    assert_eq!(notes, ["`ConfigMap` is not a SealedSecret, so it is left out"]);
    let list = format!("apiVersion: v1\nkind: List\nitems:\n- {}", one.trim_end().replace('\n', "\n  "));
    assert_eq!(open(&list).expect("opened").0.len(), 1);
    assert!(open(other).expect_err("refused").starts_with("in.yaml: input has no SealedSecret"));
}

#[test]
fn values_of_every_kind_are_unchanged_and_never_misread() {
    // Base64 that reads as a boolean, a number, null, or that ends in `=`.
    let texts = ["true", "null", "1234", "1e10", "0x1F", "12e3", "off+", "yes="];
    let values: Vec<Vec<u8>> = texts.iter().filter_map(|text| STANDARD.decode(text).ok()).collect();
    assert!(values.len() >= 6, "texts that are base64");
    let values =
        values.into_iter().chain([Vec::new(), (0..=255).collect(), b"a\n".to_vec(), vec![b'x'; 100_000]]);
    for value in values {
        for key in ["k", "on", "1", "null", ".dockerconfigjson", "a-b_c.D"] {
            let item = seal("ns/a", &value);
            let (opened, _) =
                open(&sealed("", &format!("encryptedData: {{\"{key}\": {item}}}"))).expect("opened");
            assert_eq!(opened[0]["data"], json!({key: STANDARD.encode(&value)}));
        }
    }
    let (opened, _) = open(&sealed("", "encryptedData: {}")).expect("opened");
    assert!(opened[0].get("data").is_none(), "{opened:?}");
    // A ciphertext may be wrapped.
    let wrapped = format!("{}\\n{}\\r\\n", &seal("ns/a", b"v")[..76], "");
    assert!(open(&sealed("", &format!("encryptedData: {{k: \"{wrapped}\"}}"))).is_err(), "cut");
    let item = seal("ns/a", b"v");
    let wrapped = format!("{}\\n{}", &item[..76], &item[76..]);
    assert!(open(&sealed("", &format!("encryptedData: {{k: \"{wrapped}\"}}"))).is_ok());
}

#[test]
fn the_secret_is_that_of_the_template_with_the_name_of_the_sealed_secret() {
    let item = seal("ns/a", b"v");
    let template = "template: {type: example.com/x, immutable: true, metadata: {name: other, namespace: elsewhere, labels: {l: '1'}, annotations: {note: '2'}, ownerReferences: [{kind: X}]}, data: {text: plain, k: shadowed, computed: 'x {{ .k }}'}}";
    let (opened, notes) =
        open(&sealed(", labels: {argo: x}", &format!("encryptedData: {{k: {item}}}, {template}")))
            .expect("opened");
    assert_eq!(
        opened,
        [json!({
            "apiVersion": "v1", "kind": "Secret", "type": "example.com/x", "immutable": true,
            "metadata": {"name": "a", "namespace": "ns", "labels": {"l": "1"}, "annotations": {"note": "2"}},
            "data": {"k": STANDARD.encode("v"), "text": STANDARD.encode("plain")},
        })]
    );
    assert_eq!(
        notes,
        [
            "item `k` is in `spec.encryptedData` and in `spec.template.data`; the first is used",
            "item `computed` of `spec.template.data` is computed by the controller, so it is left out",
        ]
    );
}

#[test]
fn a_mistake_about_the_scope_is_named() {
    let wide = ", annotations: {sealedsecrets.bitnami.com/cluster-wide: \"true\"}";
    let in_template =
        "template: {metadata: {annotations: {sealedsecrets.bitnami.com/cluster-wide: \"true\"}}}";
    for (metadata, label, rest, expected) in [
        (
            "",
            "",
            in_template,
            "it was sealed with scope cluster-wide: set the annotation `sealedsecrets.bitnami.com/cluster-wide: \"true\"` of the SealedSecret itself",
        ),
        ("", "ns", "template: {}", "it was sealed with scope namespace-wide: set the annotation"),
        (wide, "ns/a", "template: {}", "it was sealed with scope strict: remove the scope annotation"),
        ("", "ns/renamed", "template: {}", "it was sealed for another key, name or namespace"),
    ] {
        let message =
            open(&sealed(metadata, &format!("encryptedData: {{k: {}}}, {rest}", seal(label, b"v"))))
                .expect_err("refused");
        assert!(
            message.starts_with(
                "in.yaml:4:24: item `k` of SealedSecret `ns/a` is not opened by any of the keys\n"
            ),
            "{message}"
        );
        assert!(message.contains(expected), "{message}");
    }
    // The annotation may be about any object, so only the exact text counts, as in the controller.
    let not_true = wide.replace("true", "yes");
    assert!(open(&sealed(&not_true, &format!("encryptedData: {{k: {}}}", seal("ns/a", b"v")))).is_ok());
}

#[test]
fn one_item_that_is_not_opened_withholds_everything() {
    let text = format!(
        "{}---\n{}",
        sealed("", &format!("encryptedData: {{k: {}}}", seal("ns/a", MARKER.as_bytes()))),
        sealed("", &format!("encryptedData: {{bad: {}, good: {}}}", "AQAA", seal("ns/a", MARKER.as_bytes())))
    );
    let message = open(&text).expect_err("refused");
    assert!(
        message.starts_with("in.yaml:9:24: item `bad` of SealedSecret `ns/a` is not opened"),
        "{message}"
    );
    assert!(!message.contains(MARKER));
    let other = keys(&["rsa4096.key"]);
    assert!(open_in(&text, None, &other).is_err());
}

#[test]
fn what_cannot_be_opened_exactly_is_refused() {
    let item = seal("ns/a", b"v");
    for (text, expected) in [
        (sealed("", "data: AQAA"), "in.yaml:1:1: SealedSecret has `spec.data`"),
        (
            sealed("", "encryptedData: [x]"),
            "in.yaml:4:23: `spec.encryptedData` of the SealedSecret is not an object",
        ),
        (sealed("", "encryptedData: {k: 1}"), "in.yaml:4:27: item `k` of the SealedSecret is not a string"),
        (
            sealed("", &format!("encryptedData: {{'{MARKER} x': {item}}}")),
            "in.yaml:4:24: key of an item is not valid",
        ),
        (sealed("", &format!("encryptedData: {{k: {item}}}, template: {{data: {{t: 5}}}}")), "in.yaml:4:"),
        (
            sealed("", &format!("encryptedData: {{k: {item}}}")).replace(", namespace: ns", ""),
            "in.yaml:1:1: SealedSecret `a` has no namespace, which scope strict needs",
        ),
        (
            sealed("", &format!("encryptedData: {{k: {item}}}")).replace("name: a, ", ""),
            "in.yaml:1:1: SealedSecret has no name",
        ),
        ("a: [".to_owned(), "in.yaml:2:1: "),
        (String::new(), "in.yaml: `in.yaml` holds no object"),
    ] {
        let message = open(&text).expect_err("refused");
        assert!(message.starts_with(expected), "{message}\nexpected: {expected}");
        assert!(!message.contains(MARKER));
    }
    let text = sealed("", &format!("encryptedData: {{k: {item}}}")).replace(", namespace: ns", "");
    let (opened, _) = open_in(&text, Some("ns"), &keys(&["rsa2048.key"])).expect("opened");
    assert_eq!(opened[0]["metadata"], json!({"name": "a", "namespace": "ns"}));
}

#[test]
fn the_key_of_each_item_is_known() {
    let keys = keys(&["rsa4096.key", "rsa2048.key"]);
    let text = sealed("", &format!("encryptedData: {{k: {}}}", seal("ns/a", b"v")));
    let opened = UnsealedSecrets::open(&input(&text), None, &keys, &mut Vec::new()).expect("opened");
    let [item] = opened.opened_items().collect::<Vec<_>>()[..] else { panic!("one item") };
    assert_eq!((item.secret, item.item), ("ns/a", "k"));
    assert_eq!(item.key.file.as_deref(), Some(Path::new(&testdata("rsa2048.key"))));
}
