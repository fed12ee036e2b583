//! Compares the reader with Kubernetes itself (`testdata/kubernetes-yaml.jsonl`, created with kubectl), and checks that
//! written documents are read back the same.

use sealwave_core::document::{Node, NodeValue, Number, SourceId, Sources};
use sealwave_core::yaml::{self, DuplicateKeys, Limits};
use sealwave_testkit::repository_root;
use serde_json::Value as Json;

const CASES: usize = 428;

struct Case {
    name: String,
    yaml: String,
    /// `None` if Kubernetes refuses the document.
    json: Option<Json>,
}

fn source() -> SourceId {
    Sources::default().add("case.yaml")
}

fn cases() -> Vec<Case> {
    let text = fs_err::read_to_string(repository_root().join("testdata/kubernetes-yaml.jsonl")).unwrap();
    let cases: Vec<Case> = text
        .lines()
        .map(|line| {
            let case: Json = serde_json::from_str(line).unwrap();
            let json = case.get("json").cloned();
            assert_eq!(json.is_none(), case["error"] == true, "{}", case["name"]);
            Case {
                name: case["name"].as_str().unwrap().to_owned(),
                yaml: case["yaml"].as_str().unwrap().to_owned(),
                json,
            }
        })
        .collect();
    assert_eq!(cases.len(), CASES);
    cases
}

/// Returns limits under which even duplicate keys are read as in Kubernetes.
fn as_kubernetes() -> Limits {
    Limits { duplicate_keys: DuplicateKeys::LastWins, ..Limits::default() }
}

/// Compares numbers by value: those of the file are as printed by kubectl.
fn same(node: &Node, json: &Json) -> bool {
    match (&node.value, json) {
        (NodeValue::Bool(ours), Json::Bool(theirs)) => ours == theirs,
        (NodeValue::Mapping(ours), Json::Object(theirs)) => {
            ours.len() == theirs.len()
                && ours
                    .entries()
                    .iter()
                    .all(|entry| theirs.get(entry.key.as_str()).is_some_and(|json| same(&entry.value, json)))
        }
        (NodeValue::Null, Json::Null) => true,
        (NodeValue::Number(Number::Int(ours)), Json::Number(theirs)) => {
            theirs.as_i64() == Some(*ours)
                || theirs.as_f64().is_some_and(|float| float.to_string() == ours.to_string())
        }
        // serde_json reads floats to within one unit in the last place.
        (NodeValue::Number(Number::Float(ours)), Json::Number(theirs)) => {
            let ours = ours.get();
            theirs.as_f64().is_some_and(|theirs| (theirs - ours).abs() <= ours.abs() * f64::EPSILON)
        }
        (NodeValue::Sequence(ours), Json::Array(theirs)) => {
            ours.len() == theirs.len() && ours.iter().zip(theirs).all(|(node, json)| same(node, json))
        }
        (NodeValue::String(ours), Json::String(theirs)) => ours == theirs,
        _ => false,
    }
}

#[test]
fn every_case_is_read_as_in_kubernetes() {
    let mut wrong = Vec::new();
    for case in cases() {
        let read = yaml::read(case.yaml.as_bytes(), source(), &as_kubernetes());
        let right = match (&read, &case.json) {
            (Ok(nodes), Some(json)) => nodes.len() == 1 && same(&nodes[0], json),
            (Err(_), None) => true,
            _ => false,
        };
        if !right {
            let ours =
                read.map(|nodes| nodes.iter().map(|node| node.to_json().to_string()).collect::<Vec<_>>());
            wrong.push(format!("{}: {:?} became {ours:?}", case.name, case.yaml));
        }
    }
    assert!(wrong.is_empty(), "{} cases differ:\n{}", wrong.len(), wrong.join("\n"));
}

/// The only difference of the default limits from Kubernetes in these cases is an error.
#[test]
fn by_default_only_duplicate_keys_are_refused_in_addition() {
    for case in cases() {
        let read = yaml::read(case.yaml.as_bytes(), source(), &Limits::default());
        match (read, case.json) {
            (Ok(nodes), Some(json)) => assert!(same(&nodes[0], &json), "{}", case.name),
            (Err(failure), Some(_)) => {
                assert_eq!(case.name, "dup key");
                assert_eq!(failure.problems()[0].message, "key `v` is already defined on line 6");
            }
            (Err(_), None) => {}
            (Ok(_), None) => panic!("{} was accepted", case.name),
        }
    }
}

#[test]
fn every_case_survives_both_writers() {
    let mut written = 0;
    for case in cases() {
        let Some(json) = &case.json else { continue };
        let nodes = yaml::read(case.yaml.as_bytes(), source(), &as_kubernetes()).unwrap();
        for write in [yaml::write_json, yaml::write_yaml] {
            let mut out = Vec::new();
            write(&nodes[0], &mut out);
            let again = yaml::read(&out, source(), &Limits::default()).unwrap();
            assert_eq!(again.len(), 1, "{}", case.name);
            assert!(same(&again[0], json), "{}: {}", case.name, String::from_utf8_lossy(&out));
            assert!(again[0] == nodes[0], "{}", case.name);
        }
        let mut out = Vec::new();
        yaml::write_json(&nodes[0], &mut out);
        let by_serde: Json = serde_json::from_slice(&out).unwrap();
        assert!(same(&nodes[0], &by_serde), "{}", case.name);
        // Argo CD reads each JSON document again as YAML.
        let as_yaml = [b"---\n".as_slice(), &out].concat();
        let again = yaml::read(&as_yaml, source(), &Limits::default()).unwrap();
        assert!(again[0] == nodes[0], "{}", case.name);
        written += 1;
    }
    assert!(written > 350, "{written}");
}
