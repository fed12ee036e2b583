//! YAML reading: errors with positions, streams, lists, hostile input and round trips.

#![allow(
    clippy::unwrap_used,
    clippy::format_collect,
    clippy::format_push_string,
    reason = "tests stop at the first surprise"
)]

use proptest::prelude::*;
use sealwave_core::diagnostic::{Failure, ProblemPlace};
use sealwave_core::document::{FiniteFloat, Mapping, Node, NodeValue, Number, Origin, SourceId, Sources};
use sealwave_core::yaml::{self, Limits};

fn source() -> SourceId {
    Sources::default().add("input.yaml")
}

fn read(text: &str) -> Result<Vec<Node>, Failure> {
    yaml::read(text.as_bytes(), source(), &Limits::default())
}

fn json_of(text: &str) -> Vec<String> {
    read(text).unwrap().iter().map(|node| node.to_json().to_string()).collect()
}

/// Returns `line:column message` of every problem.
fn problems(result: Result<Vec<Node>, Failure>) -> Vec<String> {
    let failure = result.expect_err("should be refused");
    let describe = |problem: &sealwave_core::diagnostic::Problem| match problem.at {
        ProblemPlace::Origin(origin) => format!("{}:{} {}", origin.line, origin.column, problem.message),
        _ => problem.message.clone(),
    };
    failure.problems().iter().map(describe).collect()
}

#[test]
fn errors_name_line_and_column() {
    for (text, expected) in [
        ("a: 1\nb: 2\na: 3\n", "3:1 key `a` is already defined on line 1"),
        ("true: 1\nb:\n  c: 1\non: 2\n", "4:1 key `true` is already defined on line 1"),
        ("a: .inf\n", "1:4 number is infinite or not a number"),
        ("a:\n  ~: 1\n", "2:3 key is null"),
        ("a:\n- *nope\n", "2:3 alias refers to an anchor that is not defined before it in this document"),
        ("a: &x\n  b: *x\n", "2:6 alias refers to a node that contains it"),
        ("a: 1\n---\n%YAML 1.1\n---\nb: 1\n", "3:1 directives such as `%YAML` are not allowed in manifests"),
        (
            "\u{feff}# own\n\n-----BEGIN CERTIFICATE-----\r\nAAAA\n-----END CERTIFICATE-----\n",
            "0:0 this is a PEM file, not YAML",
        ),
        ("a: 1\n--- b: 1\n", "2:5 text follows the document separator `---`"),
        ("a: 1\n...\nb: 1\n", "3:1 text follows the end of the document without a `---` line"),
        ("a: 1\nb: x\u{7f}\n", "2:5 character U+007F is not allowed in YAML"),
        ("a: !!int x\n", "1:4 value does not match its tag `!!int`"),
        ("a: !!binary /w==\n", "1:4 `!!binary` value is not base64 of UTF-8 text"),
        ("<<: 1\n", "1:5 merge key `<<` needs a mapping or a sequence of mappings"),
        ("{\"a\": 1,\n \"a\": 2}", "2:2 key `a` is already defined on line 1"),
        ("{\"a\": 1]", "1:8 JSON is malformed: expected a comma or the end of the collection"),
        ("{\"a\": 1} x", "1:10 JSON is malformed: expected a value"),
    ] {
        let found = problems(read(text));
        let matches = found.first().is_some_and(|first| {
            // A tag or anchor may be part of the position.
            first == expected
                || expected.contains("tag") && first.ends_with(expected.split_once(' ').unwrap().1)
        });
        assert!(matches, "{text:?}: {found:?}, not {expected}");
    }
}

#[test]
fn all_problems_of_all_documents_are_reported() {
    let found = problems(read("a: .nan\na: 1\n---\nb: [\n---\nc: 1\nc: 2\n"));
    assert_eq!(found.len(), 4, "{found:?}");
    assert!(found[3].starts_with("7:1 "), "{found:?}");
}

#[test]
fn encoding_errors_have_a_place() {
    let found = problems(yaml::read(b"a: 1\nb: \xff\n", source(), &Limits::default()));
    assert_eq!(found, ["2:4 input is not valid UTF-8"]);
}

#[test]
fn no_message_quotes_a_value() {
    for text in [
        "a: \"hunter2\\q\"\n",
        "a: hunter2: x\n",
        "{\"a\": hunter2]",
        "{\"a\": \"b\" hunter2}",
        "a: !!int hunter2\n",
        "a: [hunter2\n",
        "hunter2 @: |x\n",
    ] {
        for problem in problems(read(text)) {
            assert!(!problem.contains("hunter2"), "{problem}");
        }
    }
}

#[test]
fn streams_are_split_as_in_kubernetes() {
    assert_eq!(
        json_of("# nothing\n---\n---\na: 1\n--- # comment\nnull\n---\nb: 2"),
        [r#"{"a":1}"#, r#"{"b":2}"#]
    );
    assert_eq!(json_of("---\r\na: 1\r\n---\r\nb: 2\r\n"), [r#"{"a":1}"#, r#"{"b":2}"#]);
    assert_eq!(json_of("\u{feff}a: 1\n---\n\u{feff}b: 1\n"), [r#"{"a":1}"#, r#"{"b":1}"#]);
    assert_eq!(json_of("{\"a\":1}{\"b\":\"\\ud83d\\ude00\"}\n{}"), [r#"{"a":1}"#, r#"{"b":"😀"}"#, "{}"]);
    assert_eq!(json_of("---\n{a: 1}\n"), [r#"{"a":1}"#]);
    assert_eq!(json_of("a: |\n  text"), [r#"{"a":"text\n"}"#]);
    assert!(json_of("").is_empty());
    // Since Kubernetes 1.33, a brace at the start may also be YAML.
    assert_eq!(json_of("{a: 1}"), [r#"{"a":1}"#]);
}

#[test]
fn yaml_one_one_applies_where_versions_differ() {
    assert_eq!(json_of("a: [?b, c]\n"), [r#"{"a":[{"b":null},"c"]}"#]);
    assert_eq!(json_of("a: &x [?b]\n"), [r#"{"a":[{"b":null}]}"#]);
    assert_eq!(json_of("a: a?b\nb: [\"a?b\"]\n"), [r#"{"a":"a?b","b":["a?b"]}"#]);
    assert_eq!(json_of("a: \"\\u00e9\"\n"), [r#"{"a":"é"}"#]);
    assert_eq!(json_of("a: '\\/'\nb:\t\"x\ny\"\n"), [r#"{"a":"\\/","b":"x y"}"#]);
    for refused in
        ["a: [a?b]\n", "a: {a?: b}\n", "a: \"\\/\"\n", "a: \"\\ud83d\\ude00\"\n", "&a: b\n", "a: [!foo,b]\n"]
    {
        assert!(read(refused).is_err(), "{refused}");
    }
}

#[test]
fn nodes_have_positions() {
    let nodes = read("a: 1\n---\nb:\n  c: héllo\n  d: x\n").unwrap();
    let value = nodes[1].at(&["b", "c"]).unwrap();
    assert_eq!((value.origin.line, value.origin.column, value.origin.width), (4, 6, 5));
    let b = nodes[1].get("b").unwrap().as_mapping().unwrap();
    let entry = b.entry("d").unwrap();
    assert_eq!((entry.key_origin.line, entry.key_origin.column, entry.key_origin.width), (5, 3, 1));
    assert_eq!((entry.value.origin.line, entry.value.origin.column), (5, 6));
}

#[test]
fn lists_are_flattened() {
    let nodes = read("kind: List\napiVersion: v1\nitems:\n- {kind: A, apiVersion: v1}\n- kind: ConfigMapList\n  apiVersion: v1\n  items: [{metadata: {name: x}}]\n---\nkind: B\nspec: {items: [1]}\n---\nkind: SecretList\nitems: null\n").unwrap();
    let kinds: Vec<String> = yaml::flatten_lists(nodes)
        .iter()
        .map(|node| node.get("kind").unwrap().as_str().unwrap().to_owned())
        .collect();
    assert_eq!(kinds, ["A", "ConfigMap", "B"]);
}

#[test]
fn hostile_input_is_refused() {
    let deep = format!("a: {}", "[".repeat(10_000));
    assert!(problems(read(&deep))[0].contains("deeper than 128"));
    let deep_block: String = (0..10_000).map(|depth| format!("{}a:\n", " ".repeat(depth))).collect();
    assert!(problems(read(&deep_block))[0].contains("deeper than 128"));
    let mut laughs = String::from("a0: &a0 [x, x, x, x, x, x, x, x, x, x]\n");
    for level in 1..12 {
        let items = vec![format!("*a{}", level - 1); 10].join(", ");
        laughs.push_str(&format!("a{level}: &a{level} [{items}]\n"));
    }
    assert!(problems(read(&laughs))[0].contains("aliases expand to more than"));
    let json = format!("{{\"a\": {}", "[".repeat(100_000));
    assert!(problems(read(&json))[0].contains("deeper than 128"));
    assert!(problems(read("a: [!foo,bar]\n")).len() == 1 || cfg!(not(panic = "unwind")));
}

#[test]
fn a_scalar_of_fifty_megabytes_is_within_the_limits() {
    let text = format!("a: \"{}\"\n", "x".repeat(50 << 20));
    assert_eq!(read(&text).unwrap()[0].get("a").unwrap().as_str().unwrap().len(), 50 << 20);
    let limits = Limits { document_bytes: 1000, ..Limits::default() };
    assert!(problems(yaml::read(text.as_bytes(), source(), &limits))[0].contains("larger than 1000 bytes"));
}

#[test]
fn ambiguous_strings_are_quoted() {
    let at = Origin::whole(source());
    for text in [
        "",
        "on",
        "y",
        "No",
        "TRUE",
        "null",
        "~",
        "1e3",
        "0x10",
        "1_000",
        "010",
        "1:30",
        "2001-01-01",
        "=",
        "<<",
        " a",
        "a ",
        "a: b",
        "a #b",
        "a:",
        "- a",
        "-",
        "?",
        "*a",
        "&a",
        "!a",
        "@a",
        "`a`",
        "%a",
        "[a",
        "{a",
        "|",
        ">",
        "#a",
        ".5",
        ".inf",
        "+1",
        "---",
        "...",
        "\u{7f}",
        "\u{85}",
        "\u{2028}",
        "\u{feff}",
        "a\tb",
        "\r",
        " \n",
        "\u{a0}",
    ] {
        let mut out = Vec::new();
        yaml::write_yaml(&Node::string(text, at), &mut out);
        assert!(out.starts_with(b"---\n\""), "{text:?}: {:?}", String::from_utf8_lossy(&out));
    }
}

#[test]
fn written_yaml_matches_kubectl() {
    let text = "---\nkind: ConfigMap\nspec:\n  args:\n  - --listen=0.0.0.0\n  - name: a\n    tags: []\n  empty: {}\n  on-call: \"yes\"\n  script: |\n    #!/bin/sh\n    if true; then\n      echo $HOME\n    fi\n  image: registry.example.com/app:1.2\n";
    let mut out = Vec::new();
    yaml::write_documents(&read(text).unwrap(), &mut out);
    assert_eq!(String::from_utf8(out).unwrap(), text);
}

fn tree() -> impl Strategy<Value = NodeValue> {
    let text = || {
        prop_oneof![
            any::<String>(),
            "[ a-z:#\\n\\t'\"\\-\u{85}\u{2028}\u{7f}😀]{0,12}",
            "(on|y|No|0x1|1e3|<<|=|~|null|\\.5|1:30)"
        ]
    };
    let leaf = prop_oneof![
        Just(NodeValue::Null),
        any::<bool>().prop_map(NodeValue::Bool),
        any::<i64>().prop_map(|int| NodeValue::Number(Number::Int(int))),
        any::<f64>()
            .prop_filter("JSON's floats only", |float| float.is_finite()
                && (float.fract() != 0.0 || float.abs() > 1e19))
            .prop_map(|float| NodeValue::Number(Number::Float(FiniteFloat::new(float).expect("finite")))),
        text().prop_map(|text| NodeValue::String(text.into())),
    ];
    leaf.prop_recursive(5, 40, 6, move |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..6).prop_map(|items| NodeValue::Sequence(
                items.into_iter().map(|value| Node::new(value, Origin::whole(source()))).collect()
            )),
            prop::collection::vec((text(), inner), 0..24).prop_map(|entries| {
                let mut mapping = Mapping::default();
                let at = Origin::whole(source());
                for (key, value) in entries {
                    if mapping.get(&key).is_none() {
                        mapping.insert(key, at, Node::new(value, at));
                    }
                }
                NodeValue::Mapping(mapping)
            }),
        ]
    })
}

proptest! {
    #[test]
    fn written_documents_are_read_back(value in tree()) {
        // Wrapped, since a null document is skipped, and only an object starts a JSON stream.
        let at = Origin::whole(source());
        let mut mapping = Mapping::default();
        mapping.insert("root", at, Node::new(value, at));
        let node = Node::new(NodeValue::Mapping(mapping), at);
        for write in [yaml::write_json, yaml::write_yaml] {
            let (mut out, mut again) = (Vec::new(), Vec::new());
            write(&node, &mut out);
            write(&node, &mut again);
            prop_assert_eq!(&out, &again);
            let back = yaml::read(&out, source(), &Limits::default());
            prop_assert!(back.as_ref().is_ok_and(|nodes| nodes.len() == 1 && nodes[0] == node), "{}", String::from_utf8_lossy(&out));
        }
        let mut line = b"---\n".to_vec();
        yaml::write_json(&node, &mut line);
        let as_yaml = yaml::read(&line, source(), &Limits::default());
        prop_assert!(as_yaml.is_ok_and(|nodes| nodes[0] == node), "as YAML: {}", String::from_utf8_lossy(&line));
    }

    #[test]
    fn random_bytes_never_panic(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
        let _ = yaml::read(&bytes, source(), &Limits::default());
    }

    #[test]
    fn random_yaml_never_panics(parts in prop::collection::vec(prop::sample::select(vec![
        "a", ": ", ":", "- ", "[", "]", "{", "}", ",", "'", "\"", "#", " #", "|", ">", "\n", "\n  ", "\t", "!", "!!str ", "&a ", "*a", "<<: ", "? ",
        "---\n", "...\n", "%", "\\/", "\\u12", "\u{85}", "\u{feff}", "\r", "1e3",
    ]), 0..30)) {
        let _ = yaml::read(parts.concat().as_bytes(), source(), &Limits::default());
    }
}

/// Returns the value of `v` as Kubernetes reads it, or `None` if it refuses the document.
fn value_of(text: &str) -> Option<String> {
    let nodes = read(&format!("a:\n{text}")).ok()?;
    Some(nodes[0].at(&["a", "v"]).unwrap().to_json().to_string())
}

#[test]
fn p13_tabs_that_start_a_line() {
    // The expectations come from kubectl.
    for text in [
        "  v: |\n    \tx\n",
        "  v: |-\n    \tx\n",
        "  v: >\n    \tx\n",
        "  v: | # c\n    \tx\n",
        "  v: |\t\n    \tx\n",
        "  v:\t|\n    \tx\n",
        "  v: &b |\n    \tx\n",
        "  v: !!str |\n    \tx\n",
        "  v: |\r\n    \tx\r\n",
        "  v: |\n\n    \tx\n",
        "  v: |\n    \n    \tx\n",
        "  v: |\n          \n    \tx\n",
        "  v: |\n  \t\n    x\n",
        "  v: |\n\tx\n",
        "  v: |\n    a\n\tb\n",
        "  v: |\n    a\n   \tb\n",
        "  v: |2\n   \tx\n",
        "  v: |+\n    a\n\t\n",
        "  v: |\n    a\n   \t \n    b\n",
        "  v: |\n    a\n\n  w: b\n\t\n",
        "  v: |\n    a\n\t# c\n  w: b\n",
        "  v:\n  - |\n    \tx\n",
    ] {
        assert_eq!(value_of(text), None, "{text:?}");
    }
    // After an indicator of a block collection.
    for node in ["a", "\"a\"", "- a", "a: 1", "[a]", "\n    a", "# c\n    a", "&x a", "!!str a"] {
        for indicator in ["- \t", "-\t", "-  \t ", "- -\t", "- - \t", "? \t", "? a\n  : \t"] {
            assert_eq!(value_of(&format!("  v:\n  {indicator}{node}\n")), None, "{indicator:?} {node:?}");
        }
    }
    for (text, value) in [
        ("  v: \tb\n", r#""b""#),
        ("  v:\n  - a: \tb\n", r#"[{"a":"b"}]"#),
        ("  v:\n  - &x\tb\n", r#"["b"]"#),
        ("  v: |\n    - \ta\n", r#""- \ta\n""#),
    ] {
        assert_eq!(value_of(text).as_deref(), Some(value), "{text:?}");
    }
    for (text, value) in [
        ("  v: |\n    a\n    \tb\n", r#""a\n\tb\n""#),
        ("  v: |\n    a\n     \tb\n", r#""a\n \tb\n""#),
        ("  v: >\n    a\n    \tb\n", r#""a\n\tb\n""#),
        ("  v: >-\n    a\n\n    \tb\n", r#""a\n\n\tb""#),
        ("  v: |2\n    \tx\n", r#""\tx\n""#),
        ("  v: |1\n   \tx\n", r#""\tx\n""#),
        ("  v: |2+\n     \tx\n", r#"" \tx\n""#),
        ("  v:\n  - |\n    a\n    \tb\n", r#"["a\n\tb\n"]"#),
        ("  v: a |\n    \tx\n", r#""a | x""#),
        ("  v: \"a\n    \tb\"\n", r#""a b""#),
    ] {
        assert_eq!(value_of(text).as_deref(), Some(value), "{text:?}");
    }
    let found = problems(read("v: |\n  \tx\n"));
    assert_eq!(found, ["2:3 tab is used for indentation"]);
    let many = format!("v: |\n  a\n{}w: |\n  \tx\n", "  \tb\n".repeat(10_000));
    assert_eq!(problems(read(&many)), ["10004:3 tab is used for indentation"]);
}

#[test]
fn m_parse_json_that_is_yaml() {
    for (text, documents) in [
        ("{a: 1, b: [x]}\n", &[r#"{"a":1,"b":["x"]}"#][..]),
        ("{\"a\": {\"b\": \"c\",}}\n", &[r#"{"a":{"b":"c"}}"#]),
        ("\n\n  {\n\t\"a\": [1,],\n}\n", &[r#"{"a":[1]}"#]),
        ("{\"a\": 1} # c\n", &[r#"{"a":1}"#]),
        ("{\"a\": 1}\n# c\n", &[r#"{"a":1}"#]),
        ("{\"a\": 1, # c\n\"b\": 2}\n", &[r#"{"a":1,"b":2}"#]),
        ("# c\n{a: 1}\n", &[r#"{"a":1}"#]),
        ("{'a': 1}\n", &[r#"{"a":1}"#]),
        ("{\"a\": 1}\n---\n{\"a\": 2}\n", &[r#"{"a":1}"#, r#"{"a":2}"#]),
        ("{\"a\": 1}\n---\nb: 2\n", &[r#"{"a":1}"#, r#"{"b":2}"#]),
        ("{a: 1}\n---\nb: 2\n", &[r#"{"a":1}"#, r#"{"b":2}"#]),
        ("{\"a\": 1}\n{\"a\": 2,}\n", &[r#"{"a":1}"#, r#"{"a":2}"#]),
        ("{\"a\": 1}{\"a\": 2}\n", &[r#"{"a":1}"#, r#"{"a":2}"#]),
        ("{\"a\": \"\\/\"}\n", &[r#"{"a":"/"}"#]),
    ] {
        assert_eq!(json_of(text), documents, "{text:?}");
    }
    for (text, wanted) in [
        // After two JSON documents, the stream is JSON.
        ("{\"a\": 1}\n{\"a\": 2}\n{\"a\": 3,}\n", "3:9 JSON is malformed: expected a key in double quotes"),
        ("{\"a\": 1, /* c */ \"b\": 2}\n", "1:10 JSON is malformed: expected a key in double quotes"),
        ("{\"a\": 1} x: 1\n", "1:10 JSON is malformed: expected a value"),
        ("{\"a\": 1}\n]\n", "2:1 JSON is malformed: expected a value"),
        ("{\"a\": \"\\/\",}\n", "1:12 JSON is malformed: expected a key in double quotes"),
        ("{a: 1}\n{a: 2}\n", "2:1 text follows the end of the document without a `---` line"),
        ("{a: 1, b: [}\n", "1:12 flow collection is not closed, or lacks a comma or a value"),
        ("{a: 1}\n---\nb: 1\nb: 2\n", "4:1 key `b` is already defined on line 3"),
    ] {
        assert_eq!(problems(read(text)), [wanted], "{text:?}");
    }
}

/// YAML readers disagree on these: Kubernetes treats the colon as part of the text, others as the end of a key.
#[test]
fn p13_colons_in_flow_collections() {
    for text in [
        "{a:}",
        "{a:x:}",
        "{a: 1, b:}",
        "{a:,b: 1}",
        "[a:]",
        "[a:,b]",
        "{a::}",
        "{a: x:}",
        "{a: x:, b: 1}",
        "[http://x:]",
        "{\"a\":b:}",
        "[[a:]]",
        "{a: [b:]}",
    ] {
        let read = read(&format!("v: {text}\n"));
        assert!(read.is_err(), "{text}");
        let found = problems(read);
        assert_eq!(found.len(), 1, "{text}");
        let message = "colon is directly before a comma or bracket in a flow collection";
        assert!(found[0].ends_with(message), "{text}: {found:?}");
    }
    // Kubernetes refuses these, too.
    for text in ["[:a]", "{:a: 1}", "[::]", "[!]", "[|]", "[>]", "{a: |}", "[a, !x]", "[!!str]", "{a: !x}"] {
        assert!(read(&format!("v: {text}\n")).is_err(), "{text}");
    }
    for (text, value) in [
        ("{a: }", r#"{"a":null}"#),
        ("{\"a\":}", r#"{"a":null}"#),
        ("{\"a\":,'b':}", r#"{"a":null,"b":null}"#),
        ("{a: b:c}", r#"{"a":"b:c"}"#),
        ("[http://x:80, \"x:\"]", r#"["http://x:80","x:"]"#),
        ("{a: '[^:]+'}", r#"{"a":"[^:]+"}"#),
        ("{a: x>, b: y|}", r#"{"a":"x>","b":"y|"}"#),
    ] {
        assert_eq!(json_of(&format!("v: {text}\n")), [format!(r#"{{"v":{value}}}"#)], "{text}");
    }
    assert_eq!(json_of("v: rate(x[5m:])\nw: [a, b]\n"), [r#"{"v":"rate(x[5m:])","w":["a","b"]}"#]);
}

#[test]
fn m_parse_a_first_line_that_is_indented() {
    assert_eq!(json_of(" a: 1\n b: 2\n"), [r#"{"a":1,"b":2}"#]);
    // Kubernetes reads the first line and drops the others.
    let found = problems(read(" a: 1\nb: 2\n"));
    assert_eq!(found, ["2:1 indentation does not match the lines above"]);
    let found = problems(read(" - a\nb: 2\n"));
    assert_eq!(found, ["2:1 text follows the end of the document without a `---` line"]);
}

#[test]
fn m_parse_utf_16_is_detected() {
    for bytes in [b"\xff\xfea\0:\0 \x001\0\n\0".as_slice(), b"\xfe\xff\0a\0:\0 \x001\0\n"] {
        let found = problems(yaml::read(bytes, source(), &Limits::default()));
        assert_eq!(found, ["0:0 input is UTF-16, not UTF-8"]);
    }
}
