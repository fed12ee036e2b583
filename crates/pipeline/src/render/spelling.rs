//! Scalars of values inside templates: the value that YAML reads, and the text that its author wrote.
//!
//! The engine knows only JSON, where `1.10` is 1.1 and `NO` is false. A scalar whose text differs from its printed form
//! is therefore passed through the engine as an object with one private key, which holds both. Every printed expression
//! and every argument of a helper, block or partial passes through one of our helpers, which use the side they need:
//! printing and text helpers the text; conditions, comparisons and arithmetic the value.
//!
//! An undefined name is passed to a partial in the same way, so that it remains undefined there. An object that an
//! author writes with such a key by hand is treated as a scalar, too.

use std::borrow::Cow;

use serde::ser::{Serialize, Serializer};
use serde_json::value::RawValue;
use serde_json::{Map, Value as Json, json};

use super::private_names::PRIVATE;
use sealwave_core::document::{MappingEntry, Node, NodeValue, Origin, SourceId, WrittenScalars};

/// The meaning of a private object.
enum PrivateValue<'a> {
    /// A scalar with its text.
    Written(&'a Json, &'a str),
    /// An undefined name.
    Undefined(&'a str),
}

fn private_value(value: &Json) -> Option<PrivateValue<'_>> {
    let fields = value.as_object().filter(|fields| fields.len() == 1)?;
    let (key, content) = fields.iter().next().filter(|(key, _)| key.starts_with(PRIVATE))?;
    match (key.strip_prefix(PRIVATE)?, content) {
        ("written", Json::Array(parts)) => match parts.as_slice() {
            [read, Json::String(text)] => Some(PrivateValue::Written(read, text)),
            _ => None,
        },
        ("undefined", Json::String(path)) => Some(PrivateValue::Undefined(path)),
        _ => None,
    }
}

fn private(name: &str, content: Json) -> Json {
    Json::Object(Map::from_iter([(format!("{PRIVATE}{name}"), content)]))
}

/// Returns the form of a tree that templates see; `texts` holds the spelling of its scalars.
pub(super) fn to_template_value(node: &Node, texts: &WrittenScalars) -> Json {
    if let Some(text) = texts.text(node) {
        return scalar(&node.to_json(), text);
    }
    match &node.value {
        NodeValue::Mapping(mapping) => {
            let to_field =
                |entry: &MappingEntry| (entry.key.to_string(), to_template_value(&entry.value, texts));
            Json::Object(mapping.entries().iter().map(to_field).collect())
        }
        NodeValue::Sequence(items) => {
            Json::Array(items.iter().map(|item| to_template_value(item, texts)).collect())
        }
        _ => node.to_json(),
    }
}

/// Returns a scalar with the given text.
pub(super) fn scalar(read: &Json, text: &str) -> Json {
    private("written", json!([read, text]))
}

/// Returns the placeholder of an undefined name.
pub(super) fn undefined(path: &str) -> Json {
    private("undefined", path.into())
}

/// Returns the name if a value is the placeholder of an undefined name.
pub(super) fn undefined_name(value: &Json) -> Option<&str> {
    match private_value(value)? {
        PrivateValue::Undefined(path) => Some(path),
        PrivateValue::Written(..) => None,
    }
}

/// Returns the value that YAML reads.
pub(super) fn read_value(value: &Json) -> &Json {
    match private_value(value) {
        Some(PrivateValue::Written(read, _)) => read,
        Some(PrivateValue::Undefined(_)) => &Json::Null,
        None => value,
    }
}

/// Returns the text of a scalar as written; null is empty. Returns `None` for lists and objects.
pub(crate) fn text(value: &Json) -> Option<Cow<'_, str>> {
    match private_value(value) {
        Some(PrivateValue::Written(_, text)) => return Some(text.into()),
        Some(PrivateValue::Undefined(_)) => return Some("".into()),
        None => {}
    }
    match value {
        Json::Array(_) | Json::Object(_) => None,
        Json::Null => Some("".into()),
        Json::String(text) => Some(text.into()),
        Json::Bool(_) | Json::Number(_) => Some(value.to_string().into()),
    }
}

/// A value as JSON: numbers keep their spelling if JSON allows it, everything else is what YAML reads.
pub(super) struct VerbatimJson<'a>(pub(super) &'a Json);

impl Serialize for VerbatimJson<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match private_value(self.0) {
            Some(PrivateValue::Written(Json::Number(read), text)) => match number(text) {
                Some(raw) => raw.serialize(serializer),
                None => read.serialize(serializer),
            },
            Some(PrivateValue::Written(read, _)) => read.serialize(serializer),
            Some(PrivateValue::Undefined(_)) => serializer.serialize_unit(),
            None => match self.0 {
                Json::Array(items) => serializer.collect_seq(items.iter().map(VerbatimJson)),
                Json::Object(fields) => {
                    serializer.collect_map(fields.iter().map(|(key, field)| (key, VerbatimJson(field))))
                }
                scalar => scalar.serialize(serializer),
            },
        }
    }
}

/// Returns a text that is also a JSON number.
fn number(text: &str) -> Option<Box<RawValue>> {
    let is_number = serde_json::from_str::<serde_json::Number>(text).is_ok();
    RawValue::from_string(text.to_owned()).ok().filter(|_| is_number)
}

/// Converts a value to a tree and the texts of its scalars. The positions do not refer to a file.
pub(super) fn to_node(value: &Json, source: SourceId) -> (Node, WrittenScalars) {
    let mut tree = TreeBuilder { source, nodes: 0, texts: WrittenScalars::default() };
    let node = tree.node(value);
    (node, tree.texts)
}

struct TreeBuilder {
    source: SourceId,
    nodes: u32,
    texts: WrittenScalars,
}

impl TreeBuilder {
    fn node(&mut self, value: &Json) -> Node {
        self.nodes = self.nodes.saturating_add(1);
        let origin = Origin::point(self.source, self.nodes, 1);
        match private_value(value) {
            Some(PrivateValue::Written(read, text)) => {
                let node = Node::from_json(read, origin);
                self.texts.record(&node, text);
                return node;
            }
            Some(PrivateValue::Undefined(_)) => return Node::new(NodeValue::Null, origin),
            None => {}
        }
        let value = match value {
            Json::Array(items) => NodeValue::Sequence(items.iter().map(|item| self.node(item)).collect()),
            Json::Object(fields) => {
                let entry = |(key, field): (&String, &Json)| MappingEntry {
                    key: key.into(),
                    key_origin: origin,
                    value: self.node(field),
                };
                NodeValue::Mapping(fields.iter().map(entry).collect())
            }
            scalar => return Node::from_json(scalar, origin),
        };
        Node::new(value, origin)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use sealwave_core::document::Sources;
    use sealwave_core::yaml;

    /// Returns the form that templates see of the value of `x` in a document.
    fn value_of(text: &str) -> Option<Json> {
        let source = Sources::default().add("values.yaml");
        let read = yaml::read_with_texts(
            format!("x: {text}\n").as_bytes(),
            source,
            &yaml::Limits::default(),
            &yaml::YamlBudget::default(),
        );
        let (nodes, texts) = read.ok()?;
        let all = to_template_value(nodes.first()?, &texts);
        all.get("x").cloned()
    }

    #[test]
    fn scalars_print_as_written_and_compare_as_yaml_reads_them() {
        for (written, wanted) in [
            ("1.10", json!(1.1)),
            ("1.0", json!(1)),
            (".5", json!(0.5)),
            ("NO", json!(false)),
            ("True", json!(true)),
            ("0755", json!(493)),
            ("012345678901", json!(12_345_678_901_u64)),
            ("1e3", json!(1000)),
            ("1_000", json!(1000)),
            ("+5", json!(5)),
            ("0x1F", json!(31)),
            ("-0", json!(0)),
            ("18446744073709551615", json!(18_446_744_073_709_551_615_f64)),
            ("123456789012345678901234567890", json!(123_456_789_012_345_678_901_234_567_890_f64)),
            ("2024-01-01", json!("2024-01-01")),
            ("'NO'", json!("NO")),
        ] {
            let value = value_of(written).unwrap();
            assert_eq!(text(&value).as_deref(), Some(written.trim_matches('\'')), "{written}");
            assert_eq!(read_value(&value), &wanted, "{written}");
        }
        assert_eq!(
            value_of("{a: ~}").and_then(|value| text(&value["a"]).map(Cow::into_owned)).as_deref(),
            Some("")
        );
    }

    #[test]
    fn json_keeps_the_digits_that_json_can_write() {
        let value = value_of("[1.10, 0755, NO, 1e3, 12345678901234567890123, .5, {a: 1.0}]").unwrap();
        let wanted = r#"[1.10,493,false,1e3,12345678901234567890123,0.5,{"a":1.0}]"#;
        assert_eq!(serde_json::to_string(&VerbatimJson(&value)).unwrap(), wanted);
    }

    proptest! {
        #[test]
        fn every_plain_number_or_boolean_prints_as_in_the_file(
            text in "[-+]?(0|0x|0o|0b)?[0-9_]{1,30}(\\.[0-9_]{0,9})?(e[-+]?[0-9]{1,2})?|[-+]?\\.[0-9]{1,9}|y|Y|n|N|[Yy]es|YES|[Nn]o|NO|[Oo]n|ON|[Oo]ff|OFF|[Tt]rue|TRUE|[Ff]alse|FALSE"
        ) {
            if let Some(value) = value_of(&text) {
                let printed = super::text(&value);
                prop_assert_eq!(printed.as_deref(), Some(text.as_str()));
            }
        }

        #[test]
        fn dumped_scalars_are_read_as_the_same_value(text in "[-+]?(0|0x)?[0-9_]{1,25}(\\.[0-9]{0,9})?(e[0-9]{1,2})?|[Nn]o|[Oo]n|ON") {
            if let Some(value) = value_of(&text) {
                let source = Sources::default().add("t");
                let (node, texts) = to_node(&value, source);
                let mut out = Vec::new();
                yaml::write_yaml_as_written(&node, &texts, &mut out, usize::MAX).unwrap();
                let again = yaml::read(&out, source, &yaml::Limits::default()).unwrap();
                prop_assert_eq!(again.first().map(Node::to_json), Some(read_value(&value).clone()));
            }
        }
    }
}
