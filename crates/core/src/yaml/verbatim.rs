//! One document of secrets, with every scalar and key as written.
//!
//! A file of secrets is not a manifest: `0123`, `1.10`, `no` and `1_000` are passwords and names that look like numbers
//! and booleans. So only null is resolved; which scalars are plain (neither quoted nor tagged as text) is recorded
//! beside the tree, for callers that need it. Limits and syntax are those of manifests.
//!
//! Errors must never contain any part of the document.

use zeroize::Zeroizing;

use super::error::YamlError;
use super::json_stream;
use super::json_text::JsonText;
use super::limits::Limits;
use super::pieces::{ReadOptions, StreamPieces, read_yaml};
use super::plain::{MergeKeys, PlainScalars};
use super::tree::ParsedDocument;
use crate::document::{Node, NodeValue, Sources};

/// A document of nulls and texts in mappings and sequences.
pub struct VerbatimDocument {
    root: Zeroizing<Node>,
    plain: PlainScalars,
}

/// The reason why a document cannot be read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum VerbatimError {
    /// Empty or null.
    Empty,
    /// A mapping has a duplicate key, on this line.
    Duplicate(u32),
    /// Malformed, on this line, or 0 if the line is unknown.
    Malformed(u32),
    /// More than one document.
    Several,
}

/// Reads a text that contains one YAML document.
///
/// # Errors
/// The text is not one YAML document within the limits, or a key is duplicate.
pub fn read_verbatim(text: &str, merge_keys: MergeKeys) -> Result<VerbatimDocument, VerbatimError> {
    if serde_json::from_str::<&serde_json::value::RawValue>(text)
        .is_ok_and(|json| json.get().starts_with('{'))
    {
        return read_verbatim_json(text);
    }
    let limits = Limits::default();
    let reading = ReadOptions::verbatim(Sources::default().add(""), &limits, merge_keys);
    let mut found = None;
    for piece in StreamPieces::new(text, 0) {
        if piece.has_bad_separator() {
            return Err(VerbatimError::Malformed(piece.separator_line()));
        }
        let read = document(read_yaml(&piece, &reading))?;
        match (&found, read) {
            (Some(_), Some(_)) => return Err(VerbatimError::Several),
            (None, read @ Some(_)) => found = read,
            (_, None) => {}
        }
    }
    found.ok_or(VerbatimError::Empty)
}

/// Reads a text that contains one JSON document.
///
/// # Errors
/// The text is not one JSON document within the limits, or a key is duplicate.
pub fn read_verbatim_json(text: &str) -> Result<VerbatimDocument, VerbatimError> {
    let limits = Limits::default();
    let reading = ReadOptions::verbatim(Sources::default().add(""), &limits, MergeKeys::Keep);
    let mut json = JsonText::new(text);
    if !json.next_document() {
        return Err(VerbatimError::Empty);
    }
    let found = document(json_stream::read_json(&mut json, &reading))?.ok_or(VerbatimError::Empty)?;
    if json.next_document() { Err(VerbatimError::Several) } else { Ok(found) }
}

fn document(read: ParsedDocument) -> Result<Option<VerbatimDocument>, VerbatimError> {
    let root = read.root.map(Zeroizing::new);
    match read.problems.first() {
        Some((YamlError::DuplicateKey { .. }, origin)) => Err(VerbatimError::Duplicate(origin.line)),
        Some((_, origin)) => Err(VerbatimError::Malformed(origin.line)),
        None => Ok(root
            .filter(|root| root.value != NodeValue::Null)
            .map(|root| VerbatimDocument { root, plain: read.plain })),
    }
}

impl VerbatimDocument {
    /// Returns the tree.
    #[must_use]
    pub fn root(&self) -> &Node {
        &self.root
    }

    /// Returns the tree and its plain scalars and keys.
    #[must_use]
    pub fn into_parts(self) -> (Zeroizing<Node>, PlainScalars) {
        (self.root, self.plain)
    }

    /// Returns the document as compact JSON, or as its text if it is a scalar.
    ///
    /// Plain scalars that are valid JSON (`true`, `1.10`) stay as written; all others (`0123`, `yes`) and all keys
    /// become strings with the written text.
    #[must_use]
    pub fn to_json(&self) -> Zeroizing<String> {
        if let Some(text) = self.root.as_str() {
            return Zeroizing::new(text.to_owned());
        }
        let mut out = SecretJson::default();
        self.write(&self.root, &mut out);
        out.0
    }

    /// Writes a node, recursing at most as deeply as the reader allows.
    fn write(&self, node: &Node, out: &mut SecretJson) {
        match &node.value {
            NodeValue::Mapping(mapping) => {
                for (index, entry) in mapping.entries().iter().enumerate() {
                    out.push(if index == 0 { "{" } else { "," });
                    out.quoted(&entry.key);
                    out.push(":");
                    self.write(&entry.value, out);
                }
                out.push(if mapping.is_empty() { "{}" } else { "}" });
            }
            NodeValue::Sequence(items) => {
                for (index, item) in items.iter().enumerate() {
                    out.push(if index == 0 { "[" } else { "," });
                    self.write(item, out);
                }
                out.push(if items.is_empty() { "[]" } else { "]" });
            }
            NodeValue::String(text) if self.plain.contains(node.origin) && is_json_literal(text) => {
                out.push(text);
            }
            NodeValue::String(text) => out.quoted(text),
            NodeValue::Bool(_) | NodeValue::Null | NodeValue::Number(_) => out.push("null"),
        }
    }
}

/// Returns whether a plain scalar is also a boolean or finite number in JSON.
pub fn is_json_literal(text: &str) -> bool {
    let starts = text.starts_with(|c: char| matches!(c, '-' | '0'..='9' | 't' | 'f'));
    starts
        && serde_json::from_str::<&serde_json::value::RawValue>(text).is_ok()
        && (matches!(text, "true" | "false") || text.parse().is_ok_and(f64::is_finite))
}

/// JSON of secrets. Leaves no copy behind when it grows.
#[derive(Default)]
struct SecretJson(Zeroizing<String>);

impl SecretJson {
    fn push(&mut self, text: &str) {
        if self.0.capacity() - self.0.len() < text.len() {
            let mut larger = Zeroizing::new(String::with_capacity((self.0.len() + text.len()) * 2));
            larger.push_str(&self.0);
            self.0 = larger;
        }
        self.0.push_str(text);
    }

    fn quoted(&mut self, text: &str) {
        let json = Zeroizing::new(serde_json::Value::from(text).to_string());
        self.push(&json);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn json(text: &str) -> Result<String, VerbatimError> {
        read_verbatim(text, MergeKeys::Apply).map(|document| document.to_json().to_string())
    }

    #[test]
    fn r04_scalars_keep_their_spelling() {
        for (text, expected) in [
            (
                "pin: 0123\nprice: 1.10\non: yes\nflag: true\nn: ~\nlist: [1, {}, [], 'x\"y']\n",
                r#"{"pin":"0123","price":1.10,"on":"yes","flag":true,"n":null,"list":[1,{},[],"x\"y"]}"#,
            ),
            ("0123", "0123"),
            ("'a b'\n", "a b"),
            ("\u{feff}a: 1e400\r\nb: 7\r\n", r#"{"a":"1e400","b":7}"#),
            ("{no: 1, off: 2, n: 3, false: 4}", r#"{"no":1,"off":2,"n":3,"false":4}"#),
            (
                "0x1F: a\n31: b\n1_000: c\n1.10: d\n1.1: e\n2001-01-01: f\n",
                r#"{"0x1F":"a","31":"b","1_000":"c","1.10":"d","1.1":"e","2001-01-01":"f"}"#,
            ),
            (
                "[0o17, 017, +1, -0, .5, 1., 1e3, 1E-2, .inf, -.INF, .nan, 08, 1:30, 2001-01-01, True, NULL, null, ]",
                r#"["0o17","017","+1",-0,".5","1.",1e3,1E-2,".inf","-.INF",".nan","08","1:30","2001-01-01","True",null,null]"#,
            ),
            (
                "[123456789012345678901234567890, 9007199254740993, 1.0, 100000000000000000000000]",
                "[123456789012345678901234567890,9007199254740993,1.0,100000000000000000000000]",
            ),
            (
                "a: &a 0123\nb: *a\nc: [*a, *a]\n*a : d\n",
                r#"{"a":"0123","b":"0123","c":["0123","0123"],"0123":"d"}"#,
            ),
            (
                "a: &a {no: 1.10}\nb: {<<: *a, x: 1}\nc: {<<: [*a, {y: 010}]}\n",
                r#"{"a":{"no":1.10},"b":{"no":1.10,"x":1},"c":{"y":"010","no":1.10}}"#,
            ),
            (
                "a: !!str 5\nb: !!int '5'\nc: !!float 1.10\nd: !x 5\ne: !!binary YQ==\nf: !!null ~\n",
                r#"{"a":"5","b":5,"c":1.10,"d":"5","e":"a","f":null}"#,
            ),
            (
                "a: two\n  lines\nb: |\n  1\nc: >-\n  2\nd:\n",
                r#"{"a":"two lines","b":"1\n","c":"2","d":null}"#,
            ),
            ("? no\n: 1\n\"yes\": 2\n~: 3\nnull: 4\n", r#"{"no":1,"yes":2,"~":3,"null":4}"#),
            ("{\"a\": 1.10, \"b\": [\"\\ud83d\\ude00\"]}", "{\"a\":1.10,\"b\":[\"\u{1f600}\"]}"),
        ] {
            assert_eq!(json(text).as_deref(), Ok(expected), "{text}");
        }
    }

    #[test]
    fn merge_keys_can_be_kept() {
        let json_with_merge_keys =
            |text| read_verbatim(text, MergeKeys::Keep).map(|document| document.to_json().to_string());
        assert_eq!(
            json_with_merge_keys("a: &a {x: 1}\nb: {<<: *a, x: 2}\nc:\n  !!merge <<: {y: 1}\n").as_deref(),
            Ok(r#"{"a":{"x":1},"b":{"<<":{"x":1},"x":2},"c":{"<<":{"y":1}}}"#)
        );
        assert_eq!(json_with_merge_keys("{<<: 1, <<: 2}"), Err(VerbatimError::Duplicate(1)));
    }

    #[test]
    fn errors_are_told_apart() {
        for (text, error) in [
            ("", VerbatimError::Empty),
            ("# nothing\n", VerbatimError::Empty),
            ("~", VerbatimError::Empty),
            ("a: 1\n---\nb: 1\n", VerbatimError::Several),
            ("a: 1\nb: 2\na: 3\n", VerbatimError::Duplicate(3)),
            ("no: 1\n\"no\": 2\n", VerbatimError::Duplicate(2)),
            ("a: 1\nb: [\n", VerbatimError::Malformed(3)),
            ("--- {a: 1}\n", VerbatimError::Malformed(1)),
            ("a: *b\n", VerbatimError::Malformed(1)),
            ("a: !!binary \"*\"\n", VerbatimError::Malformed(1)),
        ] {
            assert_eq!(json(text), Err(error), "{text}");
        }
        assert_eq!(json("---\na: 1\n---\n").as_deref(), Ok(r#"{"a":1}"#));
        assert_eq!(read_verbatim_json("{\"a\":1}{}").err(), Some(VerbatimError::Several));
    }

    #[test]
    fn bombs_are_refused() {
        let mut bomb = "a0: &a0 [x, y]\n".to_owned();
        for level in 1..30 {
            let before = level - 1;
            let line = format!("a{level}: &a{level} [*a{before}, *a{before}, *a{before}]\n");
            bomb.push_str(&line);
        }
        let deep = "[".repeat(100_000);
        for text in [bomb, deep] {
            assert!(matches!(json(&text), Err(VerbatimError::Malformed(_))));
        }
    }

    proptest::proptest! {
        #[test]
        fn mappings_are_written_as_valid_json(
            text in "(a: |b: |- |\n|  |'|\"|0|1|\\.|e|\\+|x|on|\\{|\\}|\\[|\\]|,|&c |\\*c|<<: |\u{e4}|#|: ){0,20}",
        ) {
            for merge_keys in [MergeKeys::Apply, MergeKeys::Keep] {
                if let Ok(document) = read_verbatim(&text, merge_keys)
                    && document.root().as_mapping().is_some()
                {
                    let json = document.to_json();
                    let read: Result<&serde_json::value::RawValue, _> = serde_json::from_str(&json);
                    proptest::prop_assert!(read.is_ok(), "{}", *json);
                }
            }
        }
    }
}
