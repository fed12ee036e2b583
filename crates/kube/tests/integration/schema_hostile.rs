//! Hostile definitions and objects: bounded work, no panic, and a clear error.

#![allow(
    clippy::unwrap_used,
    clippy::needless_pass_by_value,
    reason = "tests stop at the first surprise, and read well"
)]

use sealwave_core::diagnostic::Explain;
use sealwave_core::document::{Node, Origin, Sources};
use sealwave_kube::schema::{CheckOptions, CheckOutcome, KubeVersion, ResourceScope, Schemas};
use serde_json::{Value as Json, json};

fn node(json: &Json) -> Node {
    Node::from_json(json, Origin::point(Sources::default().add("made"), 1, 1))
}

fn crd(schema: Json) -> Node {
    node(&json!({
        "apiVersion": "apiextensions.k8s.io/v1", "kind": "CustomResourceDefinition", "metadata": {"name": "widgets.example.com"},
        "spec": {"group": "example.com", "names": {"kind": "Widget", "plural": "widgets"}, "scope": "Cluster", "versions": [
            {"name": "v1", "served": true, "storage": true, "deprecated": true, "schema": {"openAPIV3Schema": schema}},
            {"name": "v2", "served": true, "storage": false},
        ]},
    }))
}

fn widget(spec: Json) -> Node {
    node(&json!({"apiVersion": "example.com/v1", "kind": "Widget", "metadata": {"name": "w"}, "spec": spec}))
}

fn spec(schema: Json) -> Node {
    let properties = around(json!({}), "spec", schema);
    crd(around(json!({"type": "object"}), "properties", properties))
}

/// Returns the faults of the definition and the violations of the object.
fn check(crd: &Node, object: &Node) -> (Vec<String>, Vec<String>) {
    let mut schemas = Schemas::new(KubeVersion::NEWEST);
    let faults = schemas.add_crd(crd).faults.iter().map(|fault| fault.kind.to_string()).collect();
    let mut found = Vec::new();
    let _ = schemas
        .check(object, CheckOptions::default(), &mut |violation| found.push(violation.kind.to_string()));
    (faults, found)
}

/// Nests a schema in another one, without copying it.
fn around(mut outer: Json, key: &str, inner: Json) -> Json {
    outer.as_object_mut().unwrap().insert(key.to_owned(), inner);
    outer
}

/// Runs a test on a stack large enough to create and drop deeply nested input.
fn with_stack(test: impl FnOnce() + Send + 'static) {
    std::thread::Builder::new().stack_size(256 << 20).spawn(test).unwrap().join().unwrap();
}

#[test]
fn deep_definitions_and_objects_are_bounded() {
    with_stack(|| {
        let mut schema = json!({"type": "string"});
        let mut value = json!("text");
        for level in 0..10_000 {
            schema = match level % 3 {
                0 => around(json!({"type": "array"}), "items", schema),
                1 => around(json!({"type": "object"}), "additionalProperties", schema),
                _ => around(json!({"type": "object"}), "anyOf", Json::Array(vec![schema])),
            };
            value = Json::Array(vec![value]);
        }
        let (faults, _) = check(&spec(schema), &widget(value.clone()));
        assert_eq!(faults, ["schema is too large or nested too deeply"]);
        let mut schema = json!({"type": "string"});
        for _ in 0..100 {
            schema = around(json!({"type": "array"}), "items", schema);
        }
        let (faults, found) = check(&spec(schema), &widget(value));
        assert!(faults.is_empty(), "{faults:?}");
        assert_eq!(found, ["value is of type array, not string"]);
        // The schema of schemas contains itself.
        let mut schema = json!({"type": "string"});
        for _ in 0..5000 {
            schema = around(json!({"type": "object"}), "not", schema);
        }
        let crd = spec(schema);
        let mut found = Vec::new();
        let _ = Schemas::new(KubeVersion::NEWEST)
            .check(&crd, CheckOptions::default(), &mut |violation| found.push(violation.kind.to_string()));
        for expected in ["schema is too large or nested too deeply", "value is nested too deeply"] {
            assert!(found.iter().any(|found| found == expected), "{found:?}");
        }
    });
}

#[test]
fn wide_definitions_are_bounded() {
    let properties: serde_json::Map<_, _> =
        (0..150_000).map(|index| (format!("field{index}"), json!({"type": "string"}))).collect();
    let (faults, found) =
        check(&spec(json!({"type": "object", "properties": properties})), &widget(json!({"nope": 1})));
    assert_eq!(faults, ["schema is too large or nested too deeply"]);
    assert_eq!(found, ["field is unknown"]);
}

#[test]
fn excessive_work_ends() {
    let values: Vec<Json> = (0..5000).map(|index| json!(format!("v{index}"))).collect();
    let list: Vec<Json> = (0..10_000).map(|_| json!("v4999")).collect();
    let schema = json!({"type": "array", "items": {"type": "string", "enum": values}});
    assert_eq!(check(&spec(schema), &widget(list.into())).1, ["object takes too much work to check"]);
    let schema = json!({"type": "string", "pattern": "^(a?){200}(b|a){200}c$"});
    let text = "a".repeat(5_000_000);
    assert_eq!(check(&spec(schema), &widget(text.into())).1, ["object takes too much work to check"]);
}

#[test]
fn long_lists_are_not_compared_pairwise() {
    let list: Vec<Json> =
        (0..60_000).map(|index| json!({"name": format!("n{index}"), "value": "x"})).collect();
    let pod = node(&json!({
        "apiVersion": "v1", "kind": "Pod", "metadata": {"name": "p"},
        "spec": {"containers": [{"name": "p", "image": "p:1", "env": list}]},
    }));
    let checked = Schemas::new(KubeVersion::NEWEST).check(&pod, CheckOptions::default(), &mut |_| {});
    assert_eq!(checked, CheckOutcome::Valid);
}

#[test]
fn violations_are_bounded() {
    let data: serde_json::Map<_, _> = (0..1000).map(|index| (format!("key{index}"), json!(index))).collect();
    let map =
        node(&json!({"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "c"}, "data": data}));
    let mut count = 0;
    let checked = Schemas::new(KubeVersion::NEWEST).check(&map, CheckOptions::default(), &mut |_| count += 1);
    assert_eq!((checked, count), (CheckOutcome::Invalid, 200));
}

#[test]
fn malformed_definitions_are_reported() {
    for (schema, expected) in [
        (json!("text"), "`schema` is malformed"),
        (json!({"type": 5}), "`type` is malformed"),
        (json!({"type": "strign"}), "type `strign` does not exist"),
        (json!({"type": "str\u{1b}[31m"}), "type `str\\u{1b}[31m` does not exist"),
        (json!({"type": "object", "properties": []}), "`properties` is malformed"),
        (json!({"type": "object", "required": "a"}), "`required` is malformed"),
        (json!({"type": "object", "required": [1]}), "`required` is malformed"),
        (json!({"type": "string", "enum": "a"}), "`enum` is malformed"),
        (json!({"type": "string", "maxLength": -1}), "`maxLength` is malformed"),
        (json!({"type": "string", "anyOf": {}}), "`anyOf` is malformed"),
        (json!({"type": "string", "nullable": "yes"}), "`nullable` is malformed"),
        (json!({"type": "integer", "minimum": "1"}), "`minimum` is malformed"),
        (
            json!({"type": "string", "pattern": "(?=a)"}),
            "`pattern` is not a valid regular expression, or is too large",
        ),
        (
            json!({"type": "string", "pattern": "((a{900}){900}){900}"}),
            "`pattern` is not a valid regular expression, or is too large",
        ),
        (json!({"$ref": "#/spec"}), "`$ref` is not allowed in a definition"),
        (
            json!({"type": "array", "items": {"type": "string"}, "uniqueItems": true}),
            "`uniqueItems` is not allowed in a definition",
        ),
        (
            json!({"type": "object", "x-kubernetes-map-type": "odd"}),
            "`x-kubernetes-map-type` has an unknown value",
        ),
        (json!({}), "schema has no `type`"),
    ] {
        let (faults, _) = check(&spec(schema), &widget(json!({"a": 1})));
        assert_eq!(faults, [expected]);
    }
    for object in
        [json!({}), json!([]), json!({"kind": "CustomResourceDefinition"}), json!({"spec": {"group": 1}})]
    {
        let object = node(&object);
        let mut schemas = Schemas::new(KubeVersion::NEWEST);
        let report = schemas.add_crd(&object);
        assert!(report.kind.is_none() && report.faults.len() == 1);
        assert!(report.faults[0].problem().hint.is_some());
    }
}

#[test]
fn definitions_provide_scope_versions_and_rules() {
    let mut schemas = Schemas::new(KubeVersion::NEWEST);
    let definition = crd(json!({
        "type": "object", "x-kubernetes-validations": [{"rule": "true"}],
        "properties": {"spec": {"type": "object", "x-kubernetes-validations": [{"rule": "true"}, {"rule": "true"}]}},
    }));
    let report = schemas.add_crd(&definition);
    assert_eq!(report.kind, Some(("example.com".to_owned(), "Widget".to_owned())));
    assert_eq!((report.unchecked_rules, report.faults.len()), (3, 0));
    assert_eq!(schemas.scope("example.com", "Widget"), Some(ResourceScope::Cluster));
    assert_eq!(schemas.rule_count("example.com", "v1", "Widget"), 3);
    assert_eq!(schemas.rule_count("example.com", "v2", "Widget"), 0);
    let life = schemas.life_cycle("example.com", "v1", "Widget").unwrap();
    assert!(life.deprecated);
    assert_eq!(life.replacement.as_deref(), Some("example.com/v2"));
    assert_eq!(
        schemas.lookup("example.com", "v3", "Widget"),
        sealwave_kube::schema::KindLookup::OtherVersions(vec!["v2".to_owned(), "v1".to_owned()])
    );
}

#[test]
fn no_message_contains_a_value() {
    let object = node(&json!({
        "apiVersion": "v1", "kind": "Pod", "metadata": {"name": ["CANARY"], "CANARYfield": "CANARY", "finalizers": ["CANARY", "CANARY"]},
        "spec": {
            "restartPolicy": "CANARY", "priority": "CANARY",
            "containers": [{"name": "a", "image": "a", "imagePullPolicy": "CANARY", "resources": {"limits": {"cpu": "CANARY"}},
                            "env": [{"name": "CANARY"}, {"name": "CANARY"}]}],
        },
    }));
    let mut messages = Vec::new();
    let _ = Schemas::new(KubeVersion::NEWEST).check(&object, CheckOptions::default(), &mut |violation| {
        messages.push(format!("{violation} {} {:?}", violation.kind, violation.hint()));
    });
    assert_eq!(messages.len(), 8, "{messages:#?}");
    assert!(messages.iter().all(|message| !message.contains("CANARY")), "{messages:#?}");
}

#[test]
fn schemas_are_shared_between_threads() {
    const fn shared<T: Send + Sync>() {}
    shared::<Schemas>();
}

#[test]
fn defaults_and_nulls_are_applied_within_bounds() {
    // Many fields with defaults, many fields of an object, and many nulls, most of them dropped.
    let fields: serde_json::Map<_, _> =
        (0..40_000).map(|index| (format!("f{index}"), json!({"type": "string", "default": "x"}))).collect();
    let schema = json!({"type": "object", "properties": fields, "allOf": [{"required": ["f0"]}]});
    let nulls: serde_json::Map<_, _> = (0..40_000).map(|index| (format!("f{index}"), json!(null))).collect();
    assert_eq!(check(&spec(schema), &widget(nulls.into())).1, ["object takes too much work to check"]);
    let schema = json!({"type": "object", "additionalProperties": {"type": "string"}, "allOf": [{"minProperties": 1}]});
    let nulls: serde_json::Map<_, _> = (0..40_000).map(|index| (format!("f{index}"), json!(null))).collect();
    let (_, found) = check(&spec(schema), &widget(nulls.into()));
    assert_eq!(found, ["value must have at least 1 field"]);
    // Nested defaults.
    let mut schema = json!({"type": "object", "default": {}});
    for _ in 0..90 {
        schema = json!({"type": "object", "default": {}, "properties": {"a": schema, "b": {"type": "object", "default": {}}}});
    }
    let mut schema = schema;
    schema["allOf"] = json!([{"required": ["a", "b"]}]);
    assert_eq!(check(&spec(schema), &widget(json!({}))).1, Vec::<String>::new());
}

#[test]
fn definitions_as_objects_are_checked_within_bounds() {
    let keys: Vec<Json> = (0..50_000).map(|index| json!(format!("k{}", index % 7))).collect();
    let list = json!({"type": "array", "x-kubernetes-list-type": "map", "x-kubernetes-list-map-keys": keys,
        "items": {"type": "object", "properties": {}}});
    let branches: Vec<Json> =
        (0..50_000).map(|_| json!({"pattern": "(((a{50}){50}){50}", "type": "string"})).collect();
    let versions: Vec<Json> = (0..20_000).map(|index| json!({"name": format!("v{}", index % 3)})).collect();
    for schema in [list, json!({"type": "object", "anyOf": branches})] {
        let definition = spec(schema);
        let mut count = 0;
        let _ = Schemas::new(KubeVersion::NEWEST)
            .check(&definition, CheckOptions::default(), &mut |_| count += 1);
        assert!((1..=200).contains(&count), "{count}");
    }
    let mut definition = crd(json!({"type": "object"})).to_json();
    definition["spec"]["versions"] = versions.into();
    let mut count = 0;
    let _ = Schemas::new(KubeVersion::NEWEST)
        .check(&node(&definition), CheckOptions::default(), &mut |_| count += 1);
    assert_eq!(count, 200);
}
