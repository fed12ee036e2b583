//! Sealed items open in the controller, and mistakes of kubeseal are not repeated.

mod merging;

use std::collections::BTreeMap;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use sealwave_core::diagnostic::{Failure, Note};
use sealwave_core::document::{Manifest, Node};
use sealwave_pipeline::{CommitPlan, SealedApp};
use sealwave_secrets::SealingScope;
use sealwave_secrets::crypto::Certificate;
use sealwave_testkit::{DangerPrivateKey, danger_unseal};

use super::*;
use crate::documents::ManifestInput;

const MARKER: &str = "CANARY-4711";
const CERTIFICATE: &str = include_str!("../../../../testdata/sealed-secrets/rsa2048.crt");
const KEY: &str = include_str!("../../../../testdata/sealed-secrets/rsa2048.key");
const KUBESEALS_SECRET: &str = include_str!("../../../../testdata/sealed-secrets/kubeseal/in-secret.yaml");

pub(super) fn input(text: &str) -> ManifestInput {
    ManifestInput::read_from(text.as_bytes(), "in.yaml").expect("readable")
}

pub(super) fn plan() -> CommitPlan<'static> {
    let certificate = Certificate::from_pem(CERTIFICATE.as_bytes()).expect("a certificate");
    CommitPlan { certificate, source: None, allow_empty: false, today: None }
}

fn seal_with(
    text: &str,
    target: &SealTarget,
    plan: CommitPlan<'_>,
) -> Result<(SealedApp, Vec<Note>), Failure> {
    let mut notes = Vec::new();
    let sealed = PlainSecrets::read(&input(text), target)?.seal(plan, &mut notes)?;
    Ok((sealed, notes))
}

fn seal(text: &str, target: &SealTarget) -> Result<SealedApp, Failure> {
    seal_with(text, target, plan()).map(|(sealed, _)| sealed)
}

/// Returns the message of an input that must be refused. It has no value.
fn refusal(text: &str, target: &SealTarget) -> String {
    let failure = seal(text, target).err().unwrap_or_else(|| panic!("sealed:\n{text}"));
    let hints: String = failure.problems().iter().filter_map(|problem| problem.hint.clone()).collect();
    let message = failure.to_string();
    assert!(!message.contains(MARKER) && !hints.contains(MARKER), "{message}");
    message
}

fn text<'m>(object: &'m Manifest, path: &[&str]) -> Option<&'m str> {
    object.root().at(path).and_then(Node::as_str)
}

/// Opens all items as the controller does.
fn open(object: &Manifest) -> BTreeMap<String, Vec<u8>> {
    let key = DangerPrivateKey::from_pem(KEY).expect("a key");
    let annotations = object.root().at(&["metadata", "annotations"]).and_then(Node::as_mapping);
    let scope = SealingScope::from_annotation_map(annotations);
    let label = scope.label(object.namespace(), object.name());
    let items = object.root().entries_at(&["spec", "encryptedData"]);
    let open = |item: &str| danger_unseal(&key, &label, item).expect("opened").expose().to_vec();
    items.iter().map(|item| (item.key.to_string(), open(item.value.as_str().expect("text")))).collect()
}

fn only(sealed: &SealedApp) -> &Manifest {
    let [object] = sealed.objects() else { panic!("not one object") };
    object
}

fn with_scope(scope: Option<SealingScope>) -> SealTarget {
    SealTarget { scope, ..SealTarget::default() }
}

fn items(pairs: &[(&str, &[u8])]) -> BTreeMap<String, Vec<u8>> {
    pairs.iter().map(|(key, value)| ((*key).to_owned(), value.to_vec())).collect()
}

#[test]
fn every_scope_opens_and_metadata_is_as_from_kubeseal() {
    let expected = items(&[
        ("bin", b"\0\xff\xfe\xfd"),
        ("empty", b""),
        ("password", b"overrides-data"),
        ("username", b"alice"),
    ]);
    for scope in
        [None, Some(SealingScope::Strict), Some(SealingScope::NamespaceWide), Some(SealingScope::ClusterWide)]
    {
        let sealed = seal(KUBESEALS_SECRET, &with_scope(scope)).expect("sealed");
        let object = only(&sealed);
        assert_eq!(open(object), expected, "{scope:?}");
        assert_eq!(text(object, &["apiVersion"]), Some("bitnami.com/v1alpha1"));
        let template = object.root().at(&["spec", "template"]).expect("a template").to_json().to_string();
        let scope = scope.and_then(SealingScope::annotation);
        let annotation = scope.map(|name| format!(r#","{name}":"true""#)).unwrap_or_default();
        assert_eq!(
            template,
            format!(
                r#"{{"immutable":true,"metadata":{{"annotations":{{"note":"a<b>&\"c\""{annotation}}},"labels":{{"app":"db"}},"name":"db.creds","namespace":"prod"}},"type":"kubernetes.io/basic-auth"}}"#
            )
        );
        let outer = object.root().get("metadata").expect("metadata").to_json().to_string();
        for dropped in [
            "uid",
            "resourceVersion",
            "ownerReferences",
            "managedFields",
            "last-applied",
            "creationTimestamp",
        ] {
            assert!(!outer.contains(dropped) && !template.contains(dropped), "{dropped}");
        }
        let fingerprint = plan().certificate.details().public_key_sha256.clone();
        let claim = text(object, &["metadata", "annotations", "sealwave.dev/certificate"]);
        assert_eq!(claim, Some(format!("sha256:{fingerprint}").as_str()));
    }
}

#[test]
fn a_scope_of_a_flag_takes_precedence_over_annotations_also_if_it_is_strict() {
    let secret = |annotation: &str| {
        format!(
            "apiVersion: v1\nkind: Secret\nmetadata: {{name: a, namespace: ns, annotations: {{{annotation}}}}}\nstringData: {{k: v}}\n"
        )
    };
    let annotations = [
        "",
        "sealedsecrets.bitnami.com/cluster-wide: \"true\"",
        "sealedsecrets.bitnami.com/namespace-wide: \"true\"",
        "sealedsecrets.bitnami.com/cluster-wide: \"true\", sealedsecrets.bitnami.com/namespace-wide: \"true\"",
    ];
    for annotation in annotations {
        for scope in [SealingScope::Strict, SealingScope::NamespaceWide, SealingScope::ClusterWide] {
            let sealed = seal(&secret(annotation), &with_scope(Some(scope))).expect("sealed");
            let object = only(&sealed);
            for path in [&["metadata", "annotations"][..], &["spec", "template", "metadata", "annotations"]] {
                let found =
                    SealingScope::from_annotation_map(object.root().at(path).and_then(Node::as_mapping));
                assert_eq!(found, scope, "{annotation} {path:?}");
            }
            assert_eq!(open(object), items(&[("k", b"v")]));
        }
    }
    // Without the flag, the annotation counts; a value that is not exactly `true` or `false` is refused, not ignored.
    let sealed = seal(&secret(annotations[1]), &SealTarget::default()).expect("sealed");
    assert_eq!(open(only(&sealed)), items(&[("k", b"v")]));
    let refused = refusal(&secret("sealedsecrets.bitnami.com/cluster-wide: \"yes\""), &SealTarget::default());
    assert!(refused.contains("must be the text \"true\" or \"false\""), "{refused}");
}

#[test]
fn argo_cds_metadata_is_on_the_sealed_secret_and_the_rest_in_its_template() {
    let secret = "apiVersion: v1\nkind: Secret\nmetadata:\n  name: a\n  namespace: ns\n  managedFields: [{manager: kubectl}]\n  finalizers: [x/y]\n\
                  \x20 labels: {app: a}\n  annotations: {argocd.argoproj.io/sync-wave: \"-1\", reloader: \"true\"}\nstringData: {k: v}\n";
    let sealed = seal(secret, &SealTarget::default()).expect("sealed");
    let object = only(&sealed);
    assert_eq!(text(object, &["metadata", "annotations", "argocd.argoproj.io/sync-wave"]), Some("-1"));
    assert_eq!(text(object, &["metadata", "annotations", "argocd.argoproj.io/sync-options"]), None);
    assert_eq!(text(object, &["metadata", "annotations", "reloader"]), None);
    let template =
        object.root().at(&["spec", "template", "metadata"]).expect("metadata").to_json().to_string();
    assert_eq!(
        template,
        r#"{"annotations":{"reloader":"true"},"labels":{"app":"a"},"name":"a","namespace":"ns"}"#
    );
}

#[test]
fn streams_of_every_kind_are_sealed_in_order() {
    let yaml = |name: &str| {
        format!(
            "apiVersion: v1\nkind: Secret\nmetadata: {{name: {name}, namespace: ns}}\nstringData: {{k: {name}}}\n"
        )
    };
    let json = |name: &str| {
        format!(
            r#"{{"apiVersion":"v1","kind":"Secret","metadata":{{"name":"{name}","namespace":"ns"}},"data":{{"k":"{}"}}}}"#,
            STANDARD.encode(name)
        )
    };
    let inputs = [
        format!("---\n{}---\n# nothing\n---\n{}...\n", yaml("a"), yaml("b")),
        format!("{}---\n{}", yaml("a"), yaml("b")).replace('\n', "\r\n"),
        format!("{}\n{}\n", json("a"), json("b")),
        format!("{}---\n{}", json("a") + "\n", yaml("b")),
        format!(r#"{{"apiVersion":"v1","kind":"List","items":[{},{}]}}"#, json("a"), json("b")),
        format!(
            r#"{{"apiVersion":"v1","kind":"SecretList","items":[{},{}]}}"#,
            json("a").replace(r#""apiVersion":"v1","kind":"Secret","#, ""),
            json("b")
        ),
        format!("\u{feff}{}---\n{}", yaml("a"), yaml("b")),
    ];
    for input in inputs {
        let sealed = seal(&input, &SealTarget::default()).unwrap_or_else(|error| panic!("{error}\n{input}"));
        let opened: Vec<_> = sealed.objects().iter().map(|object| (object.name(), open(object))).collect();
        assert_eq!(opened, [("a", items(&[("k", b"a")])), ("b", items(&[("k", b"b")]))], "{input}");
    }
}

#[test]
fn nothing_is_skipped_or_guessed() {
    let good = "apiVersion: v1\nkind: Secret\nmetadata: {name: good, namespace: ns}\nstringData: {k: v}\n";
    let secret =
        |rest: &str| format!("apiVersion: v1\nkind: Secret\nmetadata: {{name: a, namespace: ns}}\n{rest}");
    for (bad, expected) in [
        (format!("{good}---\na: [\n"), "in.yaml:7:1: document 2: "),
        (format!("a: [\n---\n{good}"), "in.yaml:2:1: document 1: "),
        (
            format!("{good}---\nkind: ConfigMap\napiVersion: v1\nmetadata: {{name: c}}\n"),
            "in.yaml:6:7: ConfigMap `c` is not a Secret",
        ),
        (format!("{good}---\njust a text\n"), "in.yaml:6:1: document is not a Kubernetes object"),
        (good.replace("v1", "v2"), "in.yaml:2:7: Secret `ns/good` is not a Secret"),
        (
            good.replace("apiVersion: v1", "apiVersion: example.com/v1"),
            "in.yaml:2:7: Secret.example.com `ns/good` is not a Secret",
        ),
        (format!("{good}---\n{good}"), "in.yaml:6:1: Secret `ns/good` is already defined at in.yaml:1:1"),
        (String::new(), "in.yaml: `in.yaml` holds no object"),
        ("---\n# only a comment\n".to_owned(), "in.yaml: `in.yaml` holds no object"),
        ("apiVersion: v1\nkind: List\nitems: []\n".to_owned(), "in.yaml:1:1: list has no items"),
        (secret(""), "in.yaml:1:1: Secret `a` has no items"),
        (secret("data: {}\nstringData:\n"), "in.yaml:1:1: Secret `a` has no items"),
        (
            secret("stringData: {k: 1.50}\n"),
            "in.yaml:4:17: item of `stringData` is of type number, not string",
        ),
        (secret("stringData: {k: 0123}\n"), "in.yaml:4:17: item of `stringData` is of type number"),
        (secret("stringData: {k: yes}\n"), "in.yaml:4:17: item of `stringData` is of type boolean"),
        (secret("stringData: {k: null}\n"), "in.yaml:4:17: item of `stringData` is of type null"),
        (secret(&format!("stringData: {{k: v, k: {MARKER}}}\n")), "in.yaml:4:"),
        (secret("stringData: {on: v, y: w}\n"), "in.yaml:4:"),
        (secret(&format!("data: {{k: {MARKER}}}\n")), "in.yaml:4:11: item `k` of `data` is not base64"),
        (secret(&format!("stringData: {{'{MARKER} x': v}}\n")), "in.yaml:4:14: item key is not valid"),
        (
            secret(&format!("data: {{k: dg==}}\npassword: {MARKER}\n")),
            "in.yaml:5:1: field of a Secret is unknown",
        ),
        (secret(&format!("stringData: {{k: '<file:{MARKER}'}}\n")), "in.yaml:4:"),
        (
            secret(&format!("stringData: {{k: 'ENC[AES256_GCM,data:{MARKER},iv:x,tag:x,type:str]'}}\n")),
            "in.yaml:4:",
        ),
        (
            secret(&format!("stringData: {{k: {0}, l: {0}}}\n", MARKER.repeat(50_000))),
            "in.yaml:1:1: Secret has 1100000 bytes of data",
        ),
        (
            "apiVersion: v1\nkind: Secret\nmetadata: {name: a, namespace: ns}\n".to_owned()
                + "type: kubernetes.io/tls\nstringData: {tls.crt: x}\n",
            "in.yaml:",
        ),
    ] {
        let message = refusal(&bad, &SealTarget::default());
        assert!(message.starts_with(expected), "{message}\nexpected: {expected}");
    }
}

#[test]
fn an_empty_secret_is_sealed_only_if_that_is_allowed() {
    let empty = "apiVersion: v1\nkind: Secret\nmetadata: {name: a, namespace: ns}\n";
    let allowed = CommitPlan { allow_empty: true, ..plan() };
    let (sealed, _) = seal_with(empty, &SealTarget::default(), allowed).expect("sealed");
    let data = only(&sealed).root().at(&["spec", "encryptedData"]).expect("required by the controller");
    assert_eq!(data.to_json().to_string(), "{}");
}

#[test]
fn names_and_namespaces_come_from_the_secret_or_from_flags() {
    let secret = |metadata: &str| {
        format!("apiVersion: v1\nkind: Secret\nmetadata: {{{metadata}}}\nstringData: {{k: v}}\n")
    };
    let target = |name: Option<&str>, namespace: Option<&str>, scope| SealTarget {
        name: name.map(str::to_owned),
        namespace: namespace.map(str::to_owned),
        scope,
        ..SealTarget::default()
    };
    let wide = Some(SealingScope::ClusterWide);
    let in_namespace = Some(SealingScope::NamespaceWide);
    for (metadata, flags, expected) in [
        ("name: a, namespace: ns", target(None, None, None), ("ns", "a")),
        ("name: a", target(None, Some("ns"), None), ("ns", "a")),
        ("name: a, namespace: ns", target(None, Some("ns"), None), ("ns", "a")),
        ("name: a, namespace: ''", target(None, Some("ns"), None), ("ns", "a")),
        ("name: a, namespace: ns", target(Some("b"), None, None), ("ns", "b")),
        ("generateName: a-", target(Some("b"), Some("ns"), None), ("ns", "b")),
        ("", target(Some("b"), Some("ns"), None), ("ns", "b")),
        ("name: a", target(None, None, wide), ("", "a")),
        ("name: a", target(None, Some("ns"), wide), ("ns", "a")),
        ("generateName: a-, namespace: ns", target(None, None, in_namespace), ("ns", "")),
    ] {
        let sealed = seal(&secret(metadata), &flags).unwrap_or_else(|error| panic!("{error}\n{metadata}"));
        let object = only(&sealed);
        assert_eq!((object.namespace(), object.name()), expected, "{metadata}");
        let template = |field| text(object, &["spec", "template", "metadata", field]).unwrap_or_default();
        assert_eq!((template("namespace"), template("name")), expected, "{metadata}");
        assert_eq!(open(object), items(&[("k", b"v")]), "{metadata}");
    }
    for (metadata, flags, expected) in [
        ("name: a", target(None, None, None), "Secret `a` has no namespace, which scope strict needs"),
        (
            "name: a",
            target(None, None, in_namespace),
            "Secret `a` has no namespace, which scope namespace-wide needs",
        ),
        (
            "name: a, namespace: ns",
            target(None, Some("m"), None),
            "Secret `ns/a` is in namespace `ns`, but `--namespace m` was given",
        ),
        ("name: a, namespace: ns", target(None, Some("m"), wide), "Secret `ns/a` is in namespace `ns`, but"),
        (
            "generateName: a-, namespace: ns",
            target(None, None, None),
            "Secret has no name, which scope strict needs",
        ),
        ("namespace: ns", target(None, None, None), "Secret has no name"),
        ("name: a, namespace: ns", target(Some("A b"), None, None), "`A b` is not a valid"),
        ("name: yes, namespace: ns", target(None, None, None), ""),
    ] {
        let message = refusal(&secret(metadata), &flags);
        assert!(message.contains(expected), "{message}\nexpected: {expected}");
    }
    let two = format!("{}---\n{}", secret("name: a, namespace: ns"), secret("name: b, namespace: ns"));
    let message = refusal(&two, &target(Some("c"), None, None));
    assert_eq!(message, "in.yaml:6:1: `--name` was given, but the input holds 2 Secrets");
}

#[test]
fn placeholders_are_refused_without_an_operator_file_and_literals_are_kept() {
    let secret = |value: &str| {
        format!(
            "apiVersion: v1\nkind: Secret\nmetadata: {{name: a, namespace: ns}}\nstringData: {{k: '{value}'}}\n"
        )
    };
    for placeholder in ["<file:db#password>", "x <env:A> y", "<path:db#password>", "<aws:a/b>"] {
        let message = refusal(&secret(placeholder), &SealTarget::default());
        assert!(
            message.contains("item `k` of Secret `a` has a placeholder, but no operator file"),
            "{message}"
        );
        let encoded = format!(
            "apiVersion: v1\nkind: Secret\nmetadata: {{name: a, namespace: ns}}\ndata: {{k: {}}}\n",
            STANDARD.encode(placeholder)
        );
        assert!(refusal(&encoded, &SealTarget::default()).contains("has a placeholder"));
    }
    let all_keys = secret("v")
        .replace("namespace: ns", "namespace: ns, annotations: {sealwave.dev/string-data-from: 'file:db'}");
    assert!(refusal(&all_keys, &SealTarget::default()).contains("placeholder"), "all keys of a secret");
    let outside = secret("v").replace("namespace: ns", "namespace: ns, labels: {a: '<file:db#password>'}");
    assert!(refusal(&outside, &SealTarget::default()).contains("outside of a Secret's data"));
    let sealed = seal(&secret("<<file:db#password>"), &SealTarget::default()).expect("sealed");
    assert_eq!(open(only(&sealed)), items(&[("k", b"<file:db#password>")]));
    // A text that only looks like one needs a decision.
    let look_alike = secret("ENC[AES256_GCM,data:AAAA,iv:x,tag:x,type:str]");
    assert!(refusal(&look_alike, &SealTarget::default()).starts_with("in.yaml:4:"));
    let literal = SealTarget { literal: true, ..SealTarget::default() };
    let sealed = seal(&look_alike, &literal).expect("sealed");
    assert_eq!(open(only(&sealed)), items(&[("k", b"ENC[AES256_GCM,data:AAAA,iv:x,tag:x,type:str]")]));
    let annotations = only(&sealed).root().get("metadata").expect("metadata").to_json().to_string();
    assert!(!annotations.contains("literal"), "{annotations}");
}

#[test]
fn deep_and_wide_inputs_end_in_an_error() {
    let deep =
        format!("apiVersion: v1\nkind: Secret\nmetadata: {}{}\n", "{a: ".repeat(5000), "}".repeat(5000));
    assert!(!refusal(&deep, &SealTarget::default()).is_empty());
    let mut bomb = "a: &a [x, x]\n".to_owned();
    for level in 0..30 {
        let before = if level == 0 { "a".to_owned() } else { format!("b{}", level - 1) };
        let line = format!("b{level}: &b{level} [*{before}, *{before}]\n");
        bomb += &line;
    }
    assert!(!refusal(&bomb, &SealTarget::default()).is_empty());
    let nul =
        "apiVersion: v1\nkind: Secret\nmetadata: {name: a, namespace: ns}\nstringData: {k: \"a\\0b\"}\n";
    assert_eq!(open(only(&seal(nul, &SealTarget::default()).expect("sealed"))), items(&[("k", b"a\0b")]));
    assert!(!refusal("a\0b: c", &SealTarget::default()).is_empty());
}

#[test]
fn values_of_flags_become_a_secret() {
    let directory = tempfile::tempdir().expect("a directory");
    let path = |name: &str, content: &[u8]| {
        let path = directory.path().join(name);
        fs_err::write(&path, content).expect("written");
        path.to_str().expect("UTF-8").to_owned()
    };
    let files = [
        path("named", b"from its name\n1\n"),
        format!("key={}", path("binary", b"\xff\0\n")),
        format!("placeholder={}", path("p", b"<file:db#password> <<env:A>")),
        "stdin=-".to_owned(),
    ];
    let literals = ["literal='quoted' = kept".to_owned(), "empty=".to_owned()];
    let env_files =
        [path("env", b"\xef\xbb\xbf# comment\n\n  A=1 # no comment\r\nB==2\nC=\"two\"\nD='3'\nE=\"\n")
            .into()];
    let flags = ValueFlags { literals: &literals, files: &files, env_files: &env_files };
    let mut notes = Vec::new();
    let values = flags.read(&b"line\n"[..], &mut notes).expect("read");
    let target = SealTarget {
        name: Some("a".to_owned()),
        namespace: Some("ns".to_owned()),
        secret_type: Some("example.com/x".to_owned()),
        ..SealTarget::default()
    };
    let secrets = PlainSecrets::from_values(&values, &target).expect("a Secret");
    assert!(!secrets.has_placeholders());
    let sealed = secrets.seal(plan(), &mut Vec::new()).expect("sealed");
    let object = only(&sealed);
    assert_eq!(text(object, &["spec", "template", "type"]), Some("example.com/x"));
    assert_eq!(
        open(object),
        items(&[
            ("A", b"1 # no comment"),
            ("B", b"=2"),
            ("C", b"\"two\""),
            ("D", b"'3'"),
            ("E", b"\""),
            ("empty", b""),
            ("key", b"\xff\0\n"),
            ("literal", b"'quoted' = kept"),
            ("named", b"from its name\n1\n"),
            ("placeholder", b"<file:db#password> <<env:A>"),
            ("stdin", b"line\n"),
        ])
    );
    let root = format!("{}/", directory.path().display());
    let messages: Vec<String> = notes.iter().map(|note| note.problem.message.replace(&root, "")).collect();
    assert_eq!(
        messages,
        [
            "file of item `placeholder` has a placeholder, which is sealed as it is",
            "value of item `stdin` ends with a line break",
            "value of item `C` in line 5 of `env` is in quotes: the quotes are part of the value",
            "value of item `D` in line 6 of `env` is in quotes: the quotes are part of the value",
            "values of `--from-literal` are in the history of your shell, and in the list of processes",
        ]
    );
}

#[test]
fn flags_that_give_no_item_are_refused_without_showing_them() {
    let directory = tempfile::tempdir().expect("a directory");
    let env = directory.path().join("env");
    fs_err::write(&env, format!("A=1\n{MARKER}\n{MARKER} x=1\nA=2\n")).expect("written");
    let big = directory.path().join("big");
    fs_err::write(&big, vec![b'x'; (1 << 20) + 1]).expect("written");
    let text = |path: &std::path::Path| path.to_str().expect("UTF-8").to_owned();
    let read = |literals: &[String], files: &[String], env_files: &[std::path::PathBuf]| {
        let flags = ValueFlags { literals, files, env_files };
        let error = flags.read(&b""[..], &mut Vec::new()).err().expect("refused").to_string();
        assert!(!error.contains(MARKER), "{error}");
        error.replace(directory.path().to_str().expect("UTF-8"), "DIR")
    };
    assert_eq!(
        read(
            &[
                MARKER.to_owned(),
                format!("={MARKER}"),
                format!("a b={MARKER}"),
                "k=1".to_owned(),
                format!("k={MARKER}")
            ],
            &[],
            &[]
        ),
        "`--from-literal` number 1 has no `=`; it is not shown, since it may be a value\n\
         key of `--from-literal` number 2 is not valid; it is not shown, since it may be a value\n\
         key of `--from-literal` number 3 is not valid; it is not shown, since it may be a value\n\
         item `k` is given twice"
    );
    assert_eq!(
        read(
            &[],
            &[
                "-".to_owned(),
                format!("password={MARKER}"),
                format!("{MARKER} =x"),
                "a=-".to_owned(),
                "b=-".to_owned(),
                "k=/dev/zero".to_owned(),
                format!("k={}", text(&big))
            ],
            &[]
        ),
        "`--from-file -` needs a key\n\
         file of item `password` cannot be read: file not found\n\
         key of `--from-file` number 3 is not valid; it is not shown, since it may be a value\n\
         standard input is used by two flags\n\
         file of item `k` cannot be read: it is not a regular file\n\
         file of item `k` cannot be read: it is larger than 1048576 bytes, which a Secret cannot hold"
    );
    assert_eq!(
        read(&[], &[], &[env, "nope".into()]),
        "line 2 of `DIR/env` has no `=`; it is not shown, since it may be a value\n\
         key in line 3 of `DIR/env` is not valid; it is not shown, since it may be a value\n\
         item `A` is given twice\n\
         `nope` cannot be read: file not found"
    );
}

#[cfg(unix)]
#[test]
fn the_regular_files_of_a_directory_are_items_and_the_others_are_named() {
    let directory = tempfile::tempdir().expect("a directory");
    let outside = tempfile::NamedTempFile::new().expect("a file");
    fs_err::write(outside.path(), MARKER).expect("written");
    let at = |name: &str| directory.path().join(name);
    fs_err::write(at("tls.key"), "1").expect("written");
    fs_err::write(at(".hidden"), "2").expect("written");
    fs_err::create_dir(at("below")).expect("created");
    fs_err::write(at("below/not"), MARKER).expect("written");
    std::os::unix::fs::symlink(outside.path(), at("leaves")).expect("a link");
    std::os::unix::fs::symlink("tls.key", at("alias")).expect("a link");
    assert!(std::process::Command::new("mkfifo").arg(at("pi\npe")).status().expect("mkfifo").success());
    let path = directory.path().to_str().expect("UTF-8").to_owned();
    let read = |files: &[String], notes: &mut Vec<Note>| {
        ValueFlags { files, ..ValueFlags::default() }.read(&b""[..], notes)
    };
    let mut notes = Vec::new();
    let values = read(std::slice::from_ref(&path), &mut notes).expect("read");
    let target =
        SealTarget { name: Some("a".to_owned()), namespace: Some("ns".to_owned()), ..SealTarget::default() };
    let sealed = PlainSecrets::from_values(&values, &target).expect("a Secret");
    let sealed = sealed.seal(plan(), &mut Vec::new()).expect("sealed");
    assert_eq!(open(only(&sealed)), items(&[(".hidden", b"2"), ("tls.key", b"1")]));
    let [note] = &notes[..] else { panic!("one note") };
    let message = note.problem.message.replace(&path, "DIR");
    assert!(
        message.starts_with(
            "entries of `DIR` that are not regular files are not sealed: `alias`, `below`, `leaves`, `pi"
        ),
        "{message}"
    );
    assert!(!message.contains('\n'), "{message}");

    let refused = |files: &[String]| {
        let error = read(files, &mut Vec::new()).err().expect("refused").to_string();
        error.replace(&path, "DIR")
    };
    assert_eq!(refused(&[format!("k={path}")]), "directory of item `k` gives several items");
    assert_eq!(
        refused(&[path.clone(), format!("tls.key={}", at("tls.key").display())]),
        "item `tls.key` is given twice"
    );
    fs_err::write(at("a b"), MARKER).expect("written");
    assert_eq!(refused(std::slice::from_ref(&path)), "name of file `DIR/a b` is not a valid key of an item");
    fs_err::remove_file(at("a b")).expect("removed");
    for number in 0..4096 {
        fs_err::create_dir(at(&number.to_string())).expect("created");
    }
    assert_eq!(refused(std::slice::from_ref(&path)), "directory `DIR` has more than 4096 entries");
}
