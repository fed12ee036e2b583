//! Checks objects against schemas: each file below `testdata/schema` states the expected violations.

use sealwave_core::document::{Node, Sources};
use sealwave_core::yaml::{self, Limits};
use sealwave_kube::schema::{CheckOptions, CheckOutcome, KubeVersion, Schemas};
use sealwave_testkit::repository_root;

/// The first lines of a case.
#[derive(Default)]
struct Header {
    version: Option<KubeVersion>,
    lax: bool,
    valid: bool,
    expected: Vec<String>,
}

fn header(text: &str) -> Header {
    let mut header = Header::default();
    for line in text.lines().map_while(|line| line.strip_prefix("# ")) {
        if let Some(version) = line.strip_prefix("kubernetes: ") {
            header.version = Some(version.parse().expect("a version"));
        } else if line == "not strict" {
            header.lax = true;
        } else if line == "valid" {
            header.valid = true;
        } else if let Some(expected) = line.strip_prefix("- ") {
            header.expected.push(expected.to_owned());
        } else if !line.starts_with(": ") {
            panic!("header line is none of `kubernetes: `, `not strict`, `valid`, `- `, `: `: {line}");
        }
    }
    header
}

/// Returns `line:column pointer: message (hint)` of all violations in all documents; definitions are added first.
fn found(text: &str, header: &Header) -> Vec<String> {
    let documents =
        yaml::read(text.as_bytes(), Sources::default().add("case.yaml"), &Limits::default()).expect("YAML");
    assert!(!documents.is_empty(), "a case must have documents");
    let mut schemas = Schemas::new(header.version.unwrap_or(KubeVersion::NEWEST));
    for crd in documents.iter().filter(|document| kind(document) == "CustomResourceDefinition") {
        let _ = schemas.add_crd(crd);
    }
    let mut lines = Vec::new();
    for document in &documents {
        let before = lines.len();
        let options = CheckOptions { strict: !header.lax };
        let checked = schemas.check(document, options, &mut |violation| {
            let hint = violation.kind.hint().map(|hint| format!(" ({hint})")).unwrap_or_default();
            let at = violation.origin;
            lines.push(format!("{}:{} {}: {}{hint}", at.line, at.column, violation.pointer, violation.kind));
        });
        match checked {
            CheckOutcome::NoSchema => lines.push(format!("no schema for {}", kind(document))),
            CheckOutcome::Invalid => assert!(lines.len() > before, "invalid, but nothing was reported"),
            CheckOutcome::Valid => assert_eq!(lines.len(), before, "valid, but something was reported"),
        }
    }
    lines
}

fn kind(document: &Node) -> &str {
    document.get("kind").and_then(Node::as_str).unwrap_or("nothing")
}

#[test]
fn every_case_has_its_expected_violations() {
    let mut cases: Vec<_> = fs_err::read_dir(repository_root().join("testdata/schema"))
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .collect();
    cases.sort();
    assert!(cases.len() > 40, "only {} cases", cases.len());
    let mut wrong = Vec::new();
    for path in cases {
        let name = path.file_name().unwrap().to_string_lossy().into_owned();
        let text = fs_err::read_to_string(&path).unwrap();
        let header = header(&text);
        assert!(header.valid == header.expected.is_empty(), "{name} says either `valid` or what is wrong");
        let found = found(&text, &header);
        if found != header.expected {
            wrong.push(format!("{name}:\n# - {}\n", found.join("\n# - ")));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}
