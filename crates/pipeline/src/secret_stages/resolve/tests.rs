use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::json;

use super::*;
use crate::secret_stages::resolved::{ItemValue, ResolvedObject};
use sealwave_core::diagnostic::ProblemPlace;
use sealwave_core::document::{Node, Sources};
use sealwave_providers::{Evidence, FetchedValue, Provider, ProviderConfig, ProviderError, ProviderRegistry};
use sealwave_secrets::policy::{Policy, PolicySubject};
use sealwave_secrets::settings::{EnvironmentBackends, ObjectPattern, OperatorConfig};
use sealwave_secrets::values::SecretValue;

const CANARY: &str = "c4n4ry";

/// A provider with a few values that counts its calls.
#[derive(Clone, Default)]
struct CountingProvider {
    calls: Arc<Mutex<Vec<Vec<SecretReference>>>>,
}

impl Provider for CountingProvider {
    fn fetch(&self, references: &[&SecretReference], _deadline: Instant) -> Vec<FetchResult> {
        let asked = references.iter().map(|reference| (*reference).clone()).collect();
        self.calls.lock().expect("not poisoned").push(asked);
        references.iter().map(|reference| answer(reference)).collect()
    }
}

fn answer(reference: &SecretReference) -> FetchResult {
    let value: &[u8] = match reference.path.as_str() {
        "nl" => b"line\n",
        "nul" => b"a\0b",
        "raw" => b"\xff\xfe\n\x80",
        "lines" => b"a\n\nb\r\nc\n",
        "uni" => "p@ss w\u{f6}rd/\u{1f600}~-._".as_bytes(),
        "text" => b"<stub:uni> <<stub:nl> {{ .x }} $HOME ${A} \"q\"",
        "json" => br#"{"a":{"b":"x"},"n":5432,"c":"c4n4ry"}"#,
        "b64" => b"AAEC\n/w==\n",
        "canary" => b"c4n4ry!",
        "spaces" => b" \t\x0b x y \r\n",
        "lf" => return Ok(SecretValue::new(vec![b'\n'; 600_000]).into()),
        "big" => return Ok(SecretValue::new(vec![b'x'; 600_000]).into()),
        "denied" => return Err(ProviderError::denied("no right", "ask")),
        "down" => return Err(ProviderError::unreachable("no route", "wait")),
        missing if missing.starts_with("none") => {
            return Err(ProviderError::not_found("no such secret", "make it"));
        }
        other => return Ok(SecretValue::new(format!("v-{other}").into_bytes()).into()),
    };
    Ok(SecretValue::new(value.to_vec()).into())
}

fn object(json: &serde_json::Value) -> Manifest {
    let origin = Origin::point(Sources::default().add("a.yaml"), 7, 3);
    Manifest::new(Node::from_json(json, origin)).expect("an object")
}

fn secret(fields: serde_json::Value) -> Manifest {
    let mut json =
        json!({"apiVersion": "v1", "kind": "Secret", "metadata": {"name": "s", "namespace": "ns"}});
    if let (Some(object), serde_json::Value::Object(fields)) = (json.as_object_mut(), fields) {
        object.extend(fields);
    }
    object(&json)
}

fn string_data(text: &str) -> Manifest {
    secret(json!({"stringData": {"k": text}}))
}

fn run(
    objects: Vec<Manifest>,
    access: AccessPolicy<'_>,
) -> (Result<ResolvedApp, Failure>, Vec<Note>, CountingProvider) {
    run_as(objects, access, PlaceholderSettings::default())
}

fn run_as(
    objects: Vec<Manifest>,
    access: AccessPolicy<'_>,
    reading: PlaceholderSettings<'_>,
) -> (Result<ResolvedApp, Failure>, Vec<Note>, CountingProvider) {
    let stub = CountingProvider::default();
    let providers = ProviderRegistry::default().with("stub", stub.clone()).with("other", stub.clone());
    let deadline = Instant::now() + Duration::from_secs(30);
    let supply = ValueSource::Fetch {
        providers: &providers,
        access,
        cluster: "dev",
        default_provider: Some("stub"),
        audit: None,
        deadline,
    };
    let mut notes = Vec::new();
    let result = resolve(
        RenderedApp::for_tests(objects),
        &supply,
        reading,
        &EnvironmentBackends::default(),
        &mut notes,
    );
    (result, notes, stub)
}

fn resolved(objects: Vec<Manifest>) -> Vec<ResolvedObject> {
    match run(objects, AccessPolicy::Unchecked).0 {
        Ok(resolved) => resolved.into_objects(),
        Err(failure) => panic!("{failure}"),
    }
}

fn failure(objects: Vec<Manifest>) -> Failure {
    run(objects, AccessPolicy::Unchecked).0.err().expect("a failure")
}

fn message(manifest: Manifest) -> String {
    failure(vec![manifest]).to_string()
}

fn items(manifest: Manifest) -> Vec<(String, Vec<u8>)> {
    let objects = resolved(vec![manifest]);
    let [ResolvedObject::Secret(secret)] = objects.as_slice() else { panic!("no Secret") };
    assert!(
        secret.manifest.root().get("data").is_none() && secret.manifest.root().get("stringData").is_none()
    );
    secret
        .items
        .iter()
        .map(|item| match &item.value {
            ItemValue::Known(value) => (item.key.to_string(), value.expose().to_vec()),
            ItemValue::Withheld => panic!("withheld"),
        })
        .collect()
}

fn value(text: &str) -> Vec<u8> {
    items(string_data(text)).remove(0).1
}

#[test]
fn values_survive_exactly_and_are_never_parsed() {
    for (text, expected) in [
        ("<stub:nl>", &b"line\n"[..]),
        ("<stub:nul>", b"a\0b"),
        ("<stub:raw>", b"\xff\xfe\n\x80"),
        ("[<stub:raw>]", b"[\xff\xfe\n\x80]"),
        ("<stub:text>", b"<stub:uni> <<stub:nl> {{ .x }} $HOME ${A} \"q\""),
        ("pg://<stub:u>:<stub:uni | urlencode>@h", b"pg://v-u:p%40ss%20w%C3%B6rd%2F%F0%9F%98%80~-._@h"),
        ("<path:u#k>", b"v-u"),
        ("<<stub:u>", b"<stub:u>"),
        ("plain <html>", b"plain <html>"),
        ("", b""),
    ] {
        assert_eq!(value(text), expected, "{text}");
    }
}

#[test]
fn modifiers_change_values() {
    for (text, expected) in [
        ("<stub:raw | base64>", &b"//4KgA=="[..]),
        ("<stub:b64 | base64decode>", b"\0\x01\x02\xff"),
        ("<stub:raw | urlencode>", b"%FF%FE%0A%80"),
        ("<stub:text | json>", br#""<stub:uni> <<stub:nl> {{ .x }} $HOME ${A} \"q\"""#),
        ("<stub:nul | json>", br#""a\u0000b""#),
        ("<stub:json | jsonPath {.a.b}{':'}{.n}>", b"x:5432"),
        ("<stub:json | jsonPath {.a}>", br#"{"b":"x"}"#),
        ("<stub:lines | indent 2>", b"a\n  \n  b\r\n  c\n"),
        ("<stub:raw | indent 1>", b"\xff\xfe\n \x80"),
        ("<stub:lines | indent 0>", b"a\n\nb\r\nc\n"),
        ("<stub:spaces | trim>", b"x y"),
        ("<stub:uni | trim>", "p@ss w\u{f6}rd/\u{1f600}~-._".as_bytes()),
        ("<stub:none | base64decode | default x | base64>", b"eA=="),
        ("<stub:nl | trim | sha256>", b"38a9c1e721584da284b90ceea4ed7eb8db15ac4ea86c2c75ec925d5f8799fcf0"),
        ("<stub:none | default \"d <stub:u>\">", b"d <stub:u>"),
        ("<stub:none | default x | base64>", b"eA=="),
        ("<stub:u | default x>", b"v-u"),
        ("<stub:json | jsonPath {.q} | default x>", b"x"),
    ] {
        assert_eq!(value(text), expected, "{text}");
    }
}

#[test]
fn failing_modifiers_show_no_value() {
    for text in [
        "<stub:canary | base64decode>",
        "<stub:canary | jsonPath {.a}>",
        "<stub:json | jsonPath {.q}>",
        "<stub:json | jsonParse | jsonPath {.c.a}>",
        "<stub:json | default x | jsonPath {.c}{.q}>",
        "<stub:raw | json>",
        "<stub:raw | jsonPath {.a} | default x>",
        "<stub:canary | base64 | jsonPath {.a}>",
        "<c4n4ry>",
        "c4n4ry < stub:c4n4ry#c4n4ry>",
        "<stub:canary><stub:denied | default x>",
        "<stub:canary><stub:down | default x>",
        "<stub:canary><stub:none>",
        "<stub:canary | nope>",
        "c4n4ry <stub:unclosed",
        "c4n4ry <nope:x>",
        "c4n4ry <stub:x | default \"c4n4ry>",
    ] {
        let failure = failure(vec![string_data(text)]);
        let shown = format!("{failure} {failure:?}");
        assert!(!shown.contains(CANARY) && !shown.contains(&STANDARD.encode(CANARY)[..7]), "{text}: {shown}");
        assert!(failure.problems().iter().all(|problem| problem.hint.is_some()), "{text}");
    }
}

#[test]
fn data_is_base64_and_resolved_if_it_is_text() {
    let encode = |bytes: &[u8]| STANDARD.encode(bytes);
    let data = |text: &str| secret(json!({"data": {"k": text}}));
    for (written, expected) in [
        (encode(b"a <stub:raw> b"), &b"a \xff\xfe\n\x80 b"[..]),
        (encode(b"\xff <stub:u>"), b"\xff <stub:u>"),
        (encode(b"<<stub:u>"), b"<stub:u>"),
        (String::new(), b""),
        ("YWJj\nZGVm\r\n".to_owned(), b"abcdef"),
        ("<stub:raw | base64>".to_owned(), b"\xff\xfe\n\x80"),
        ("<stub:u | default x | base64encode>".to_owned(), b"v-u"),
    ] {
        assert_eq!(items(data(&written)).remove(0).1, expected, "{written}");
    }
    for written in ["YWJ", "YWJj ZGVm", "YWJj!", "a-_b", "plain", "<html", "<-> x"] {
        assert!(message(data(written)).contains("is not base64"), "{written}");
    }
    for written in
        ["<stub:u>", "<stub:u | sha256>", "x<stub:u | base64>", "<stub:u | base64><stub:u | base64>"]
    {
        assert!(message(data(written)).contains("does not produce base64"), "{written}");
    }
}

#[test]
fn items_of_wrong_types_are_reported_together() {
    let failure = failure(vec![secret(json!({
        "stringData": {"a": 1, "b": true, "c": null, "d": ["x"], "<stub:u>": "x", "..e": "x", "f": "<stub:u | no>"},
        "data": {"g": 1, "h": null, "i": "!"},
        "stringdata": {"j": CANARY},
    }))]);
    assert_eq!(failure.problems().len(), 11, "{failure}");
    assert!(!failure.to_string().contains(CANARY));
    assert!(
        message(secret(json!({"data": "x"}))).contains("`data` of a Secret is of type string, not object")
    );
}

#[test]
fn string_data_takes_precedence_and_items_are_sorted() {
    let manifest =
        secret(json!({"stringData": {"b": "s", "a": "<stub:u>"}, "data": {"c": "Yw==", "b": "!"}}));
    let (result, notes, _) = run(vec![manifest.clone()], AccessPolicy::Unchecked);
    assert!(result.is_ok() && notes.len() == 1);
    let expected =
        [("a", &b"v-u"[..]), ("b", b"s"), ("c", b"c")].map(|(key, value)| (key.to_owned(), value.to_vec()));
    assert_eq!(items(manifest), expected);
}

#[test]
fn objects_without_secret_data_stay_plain() {
    let plain = |manifest| matches!(resolved(vec![manifest]).as_slice(), [ResolvedObject::Plain(_)]);
    assert!(plain(secret(json!({"type": "kubernetes.io/service-account-token"}))));
    assert!(plain(secret(json!({"data": null, "stringData": {}}))));
    assert!(plain(object(
        &json!({"apiVersion": "x.io/v1", "kind": "Secret", "metadata": {"name": "s"}, "stringData": {"a": 1}})
    )));
    assert!(matches!(resolved(vec![string_data("literal")]).as_slice(), [ResolvedObject::Secret(_)]));
}

#[test]
fn placeholders_outside_of_data_are_errors() {
    let config = |text: &str| {
        object(
            &json!({"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "c"}, "data": {"k": text}}),
        )
    };
    for text in
        ["<stub:u#v>", "x <stub:a/b> y", "<other:a.b>", "<path:a#b>", "<stub:u#v | no such>", "<<<stub:u#v>"]
    {
        assert!(message(config(text)).contains("outside of a Secret's data"), "{text}");
    }
    for text in [
        "<soap:Envelope>",
        "<html>",
        "<path:rest>",
        "<stub:u",
        "a << b",
        "<Stub:u>",
        "<stub:u>",
        "<stub:u v.w>",
        "<env:A/B>",
    ] {
        let objects = resolved(vec![config(text)]);
        let [ResolvedObject::Plain(object)] = objects.as_slice() else { panic!("plain") };
        assert!(object.root().at(&["data", "k"]).and_then(Node::as_str) == Some(text), "{text}");
    }
    let objects = resolved(vec![config("a <<stub:u#v> <<soap:x> <<<<other:A.B>")]);
    let [ResolvedObject::Plain(object)] = objects.as_slice() else { panic!("plain") };
    assert_eq!(
        object.root().at(&["data", "k"]).and_then(Node::as_str),
        Some("a <stub:u#v> <<soap:x> <<other:A.B>")
    );
    let everywhere = json!({
        "metadata": {"name": "<stub:u#v>", "annotations": {"<stub:u#v>": "x", "a": "<stub:u#v>"}, "labels": {"l": "<stub:u#v>"}},
        "type": "<stub:u#v>",
        "stringData": {"k": "<stub:u>"},
    });
    assert_eq!(failure(vec![secret(everywhere)]).problems().len(), 5);
}

#[test]
fn deep_trees_do_not_overflow() {
    let origin = Origin::whole(Sources::default().add("a.yaml"));
    let mut deep = Node::string("<stub:u#v>", origin);
    for _ in 0..2_000 {
        deep = Node::new(sealwave_core::document::NodeValue::Sequence(vec![deep]), origin);
    }
    let mut manifest = object(&json!({"apiVersion": "v1", "kind": "X", "metadata": {"name": "x"}}));
    manifest.mapping_at_mut(&["spec"]).expect("a mapping").insert("deep", origin, deep);
    assert_eq!(failure(vec![manifest]).problems().len(), 1);
}

#[test]
fn unknown_providers_and_paths_with_parent_segments_are_errors() {
    assert!(message(string_data("<nope:u>")).contains("provider `nope` is unknown"));
    let failure = failure(vec![string_data("<vault:u>")]);
    assert_eq!(
        failure.problems()[0].hint.as_deref().map(|hint| hint.contains("`other`, `stub`")),
        Some(true)
    );
    assert!(message(string_data("<stub:a/../b>")).contains("segment `..`"));
    let providers = ProviderRegistry::default();
    let deadline = Instant::now();
    let supply = ValueSource::Fetch {
        providers: &providers,
        access: AccessPolicy::Unchecked,
        cluster: "dev",
        default_provider: None,
        audit: None,
        deadline,
    };
    let result = resolve(
        RenderedApp::for_tests(vec![string_data("<path:a>")]),
        &supply,
        PlaceholderSettings::default(),
        &EnvironmentBackends::default(),
        &mut Vec::new(),
    );
    assert!(result.err().expect("an error").to_string().contains("does not set a default provider"));
}

/// Returns the policy of an operator file with one cluster and these rules.
fn policy(rules: &str) -> Policy {
    let operator: OperatorConfig<ProviderConfig> = yaml_serde::from_str(&format!(
        "{{apiVersion: sealwave.dev/v1alpha1, kind: Operator, policy: [{rules}], \
          clusters: {{dev: {{certificate: {{file: dev.pem}}}}}}}}"
    ))
    .expect("an operator file");
    Policy::from_operator(&operator).unwrap_or_else(|failure| panic!("{failure}"))
}

/// Returns an app of project `p` in the namespace `ns`.
fn subject() -> PolicySubject {
    PolicySubject { project: "p".into(), namespace: "ns".into(), ..PolicySubject::default() }
}

#[test]
fn problems_of_all_passes_are_reported_together_and_each_reference_once() {
    let policy = policy("{projects: [p], allow: ['stub:*']}");
    let manifest = secret(json!({"stringData": {
        "a": "<stub:none><stub:none><stub:none2>", "b": "<stub:none>", "c": "<other:x>", "d": "<stub:denied>",
        "e": "<stub:x | nope>", "f": 1, "g": "<stub:canary | base64decode>", "h": "<stub:none3 | default x>",
    }}));
    let (result, _, stub) =
        run(vec![manifest], AccessPolicy::Checked { policy: &policy, subject: &subject() });
    let failure = result.err().expect("a failure");
    let text = failure.to_string();
    assert_eq!(failure.problems().len(), 7, "{text}");
    assert!(
        text.contains("reference `stub:none` is not found: no such secret (2 other places use it)"),
        "{text}"
    );
    assert!(
        text.contains("`other:x` is refused: no rule of the operator's policy allows it to project `p`"),
        "{text}"
    );
    let calls = stub.calls.lock().expect("not poisoned");
    assert!(
        calls.iter().flatten().all(|reference| reference.provider == "stub"),
        "refused ones are not fetched"
    );
}

#[test]
fn each_reference_is_fetched_once() {
    let manifests = (0..30)
        .map(|object| {
            let items: serde_json::Map<_, _> = (0..10)
                .map(|item| {
                    let path = (object * 10 + item) % 20;
                    (
                        format!("k{item}"),
                        json!(format!("<{}:p{path}>", if path < 15 { "stub" } else { "other" })),
                    )
                })
                .collect();
            secret(json!({"stringData": items}))
        })
        .collect();
    let (result, _, stub) = run(manifests, AccessPolicy::Unchecked);
    assert!(result.is_ok());
    let calls = stub.calls.lock().expect("not poisoned");
    // Providers run concurrently, so the order of their calls is random.
    let sizes: BTreeSet<usize> = calls.iter().map(Vec::len).collect();
    assert_eq!((calls.len(), sizes), (2, BTreeSet::from([5, 15])));
}

#[test]
fn withholding_fetches_nothing_but_still_checks() {
    let known = BTreeSet::from(["stub".to_owned()]);
    let withhold = |manifest: Manifest, known| {
        let supply = ValueSource::Withhold { known, default_provider: Some("stub") };
        resolve(
            RenderedApp::for_tests(vec![manifest]),
            &supply,
            PlaceholderSettings::default(),
            &EnvironmentBackends::default(),
            &mut Vec::new(),
        )
    };
    let resolved = withhold(string_data("x <path:u#k> <stub:none>"), Some(&known)).expect("well formed");
    let objects = resolved.into_objects();
    let [ResolvedObject::Secret(found)] = objects.as_slice() else { panic!("a Secret") };
    let [item] = found.items.as_slice() else { panic!("one item") };
    assert!(matches!(item.value, ItemValue::Withheld));
    assert_eq!(item.unresolved.expose(), b"x <stub:u#k> <stub:none>");
    let references: Vec<_> = item.references.iter().map(ToString::to_string).collect();
    assert_eq!(references, ["stub:u#k", "stub:none"]);
    for text in ["<nope:u>", "<stub:u", "<stub:u | nope>"] {
        assert!(withhold(string_data(text), Some(&known)).is_err(), "{text}");
    }
    assert!(withhold(string_data("<nope:u>"), None).is_ok());
    assert!(withhold(secret(json!({"stringData": {"k": 1}})), None).is_err());
}

#[test]
fn sizes_are_bounded() {
    assert_eq!(value("<stub:big>").len(), 600_000);
    assert!(message(string_data("<stub:big><stub:big>")).contains("larger than 1048576 bytes"));
    assert!(message(string_data("<stub:lf | indent 100>")).contains("the result is too large"));
    let many = (0..120).map(|_| string_data("<stub:big>")).collect();
    let failure = failure(many);
    assert_eq!(failure.problems().len(), 1, "{failure}");
}

#[test]
fn errors_point_into_scalars_of_one_line() {
    let source = Sources::default().add("a.yaml");
    let at = |text: &str, origin: Origin| {
        let mut manifest = string_data("");
        *manifest.field_mut(&["stringData", "k"]).expect("an item") = Node::string(text, origin);
        let failure = failure(vec![manifest]);
        match &failure.problems()[0].at {
            ProblemPlace::Origin(origin) => (origin.column, failure.to_string()),
            _ => panic!("no origin"),
        }
    };
    let origin = |width| Origin { source, line: 4, column: 10, width };
    assert_eq!(at("ä <stub:u", origin(9)).0, 12);
    assert_eq!(at("ä <stub:u", origin(11)).0, 13);
    let (column, text) = at("a\nb <stub:u", origin(1));
    assert!(column == 10 && text.contains("(line 2, column 3 of the value)"), "{text}");
}

/// A provider that returns the same values whatever is in Git, with evidence for all but one path.
struct GitProvider(Evidence);

impl Provider for GitProvider {
    fn fetch(&self, references: &[&SecretReference], _deadline: Instant) -> Vec<FetchResult> {
        let answer = |reference: &&SecretReference| {
            let evidence = (reference.path != "elsewhere").then_some(self.0);
            if reference.path == "none" {
                return Err(ProviderError::NotFound { reason: "none".to_owned(), hint: None, evidence });
            }
            Ok(FetchedValue { evidence, ..SecretValue::new(b"value".to_vec()).into() })
        };
        references.iter().map(answer).collect()
    }
}

/// A provider that passes on another provider's results without evidence.
struct WithoutEvidence(GitProvider);

impl Provider for WithoutEvidence {
    fn fetch(&self, references: &[&SecretReference], deadline: Instant) -> Vec<FetchResult> {
        self.0.fetch(references, deadline)
    }
}

#[test]
fn git_evidence_of_a_value_is_part_of_the_unresolved_text() {
    let unresolved = |text: &str, in_git: &[u8]| {
        let git = WithoutEvidence(GitProvider(Evidence::from_content(in_git)));
        let providers =
            ProviderRegistry::default().with("git", git).with("stub", CountingProvider::default());
        let deadline = Instant::now() + Duration::from_secs(30);
        let supply = ValueSource::Fetch {
            providers: &providers,
            access: AccessPolicy::Unchecked,
            cluster: "dev",
            default_provider: None,
            audit: None,
            deadline,
        };
        let rendered = RenderedApp::for_tests(vec![string_data(text)]);
        let result = resolve(
            rendered,
            &supply,
            PlaceholderSettings::default(),
            &EnvironmentBackends::default(),
            &mut Vec::new(),
        );
        let Ok(resolved) = result else { panic!("{text} is not resolved") };
        let objects = resolved.into_objects();
        let [ResolvedObject::Secret(secret)] = objects.as_slice() else { panic!("a Secret") };
        let [item] = secret.items.as_slice() else { panic!("one item") };
        item.unresolved.expose().to_vec()
    };
    let one = || [vec![1], sealwave_core::sha256(b"file").to_vec()].concat();
    for (text, expected) in [
        ("<git:a>", [vec![0], one()].concat()),
        ("<git:none | default x>", [vec![0], one()].concat()),
        ("<git:a> <git:elsewhere> <stub:u> <git:a>", [vec![0], one(), vec![0, 0], one()].concat()),
        ("<git:elsewhere> <stub:u>", Vec::new()),
        ("literal", Vec::new()),
    ] {
        assert_eq!(unresolved(text, b"file"), [text.as_bytes(), &expected].concat(), "{text}");
    }
    assert_ne!(unresolved("<git:a>", b"file"), unresolved("<git:a>", b"guess"));
}

fn annotated(kind: &str, text: &str, literal: &str) -> Manifest {
    let field = if kind == "Secret" { "stringData" } else { "data" };
    object(&json!({
        "apiVersion": "v1", "kind": kind, "metadata": {"name": "c", "annotations": {"sealwave.dev/literal": literal}},
        field: {"k": text},
    }))
}

#[test]
fn texts_that_look_like_placeholders_are_errors_unless_the_secret_says_so() {
    for text in
        ["<password>", "<shop/db#k>", "${other:a#b}", "< stub:u>", "x <Other:a/b>", "ref+vault://a#/b"]
    {
        assert!(message(string_data(text)).contains("item `k` looks like"), "{text}");
        let encoded = secret(json!({"data": {"k": STANDARD.encode(text)}}));
        assert!(message(encoded).contains("item `k` looks like"), "{text}");
        assert!(message(annotated("Secret", text, "false")).contains("looks like"), "{text}");
        assert_eq!(items(annotated("Secret", text, "true")).remove(0).1, text.as_bytes(), "{text}");
    }
    assert!(message(secret(json!({"data": {"k": "<password>"}}))).contains("looks like"));
    for wrong in [json!(true), json!("yes")] {
        let mut manifest = annotated("Secret", "x", "true");
        manifest
            .field_mut(&["metadata", "annotations"])
            .expect("there")
            .as_mapping_mut()
            .expect("a map")
            .insert(
                "sealwave.dev/literal",
                Origin::whole(Sources::default().add("a.yaml")),
                Node::from_json(&wrong, Origin::whole(Sources::default().add("a.yaml"))),
            );
        assert!(message(manifest).contains("must be \"true\" or \"false\""), "{wrong}");
    }
}

#[test]
fn the_annotation_of_a_secret_does_not_exempt_placeholders() {
    assert_eq!(
        items(annotated("Secret", "<password> <stub:u> <<stub:u>", "true")).remove(0).1,
        b"<password> v-u <stub:u>"
    );
    assert!(message(annotated("Secret", "<stub:none>", "true")).contains("is not found"));
    assert!(message(annotated("Secret", "<nope:u>", "true")).contains("is unknown"));
    let mut outside = annotated("Secret", "x", "true");
    outside.set_annotation("a", "<stub:u#v>");
    assert!(message(outside).contains("outside of a Secret's data"));
}

#[test]
fn objects_other_than_secrets_can_be_exempt() {
    let text = "<stub:u#v> <<stub:u#v>";
    let untouched = |objects: Vec<ResolvedObject>| {
        let [ResolvedObject::Plain(object)] = objects.as_slice() else { panic!("plain") };
        assert!(object.annotation("sealwave.dev/literal").is_none());
        object.root().at(&["data", "k"]).and_then(Node::as_str) == Some(text)
    };
    assert!(untouched(resolved(vec![annotated("ConfigMap", text, "true")])));
    assert!(message(annotated("ConfigMap", text, "false")).contains("outside of a Secret's data"));

    let patterns = |pattern: &str| vec![ObjectPattern::parse(pattern).expect("a pattern")];
    let run = |manifest: Manifest, pattern: &str| {
        let literals = patterns(pattern);
        let reading = PlaceholderSettings { literals: &literals, ..PlaceholderSettings::default() };
        run_as(vec![manifest], AccessPolicy::Unchecked, reading).0
    };
    let map = || annotated("ConfigMap", text, "false");
    for pattern in ["ConfigMap//c", "*/*/*", "Config*//?"] {
        let Ok(resolved) = run(map(), pattern) else { panic!("{pattern}") };
        assert!(untouched(resolved.into_objects()), "{pattern}");
    }
    assert!(run(map(), "ConfigMap/shop/c").is_err());
    let mut secret = annotated("Secret", "<password>", "false");
    assert!(run(secret.clone(), "*/*/*").is_err());
    secret.set_annotation("a", "<stub:u#v>");
    assert!(run(secret, "*/*/*").is_err());
}
