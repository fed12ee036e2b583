//! Scalars of values inside templates: what YAML reads, and the text that their author wrote.
//!
//! The engine knows JSON only, where `1.10` is 1.1 and `NO` is false. So a scalar that would print otherwise than it is
//! written goes through the engine as an object with one private key, which holds both. Every printed expression, argument
//! of a helper, block and partial passes one of our helpers, and each takes the side that it needs: printing and text
//! helpers the text, conditions, comparisons and arithmetic what YAML reads.
//!
//! The same way a name that is not defined goes into a partial, so that it is still not defined there.
//! Nothing here decides anything about an object that an author makes with such a key by hand: it is a scalar, too.

use std::borrow::Cow;

use serde::ser::{Serialize, Serializer};
use serde_json::value::RawValue;
use serde_json::{Map, Value as Json, json};

use super::instrument::PRIVATE;
use sealwave_core::document::{Entry, Mapping, Node, Origin, SourceId, Value, WrittenScalars};

/// What a private object stands for.
enum Special<'a> {
    /// A scalar, and its text.
    Written(&'a Json, &'a str),
    /// A name that is not defined.
    Undefined(&'a str),
}

fn special(value: &Json) -> Option<Special<'_>> {
    let fields = value.as_object().filter(|fields| fields.len() == 1)?;
    let (key, content) = fields.iter().next().filter(|(key, _)| key.starts_with(PRIVATE))?;
    match (key.strip_prefix(PRIVATE)?, content) {
        ("written", Json::Array(parts)) => match parts.as_slice() {
            [read, Json::String(text)] => Some(Special::Written(read, text)),
            _ => None,
        },
        ("undefined", Json::String(path)) => Some(Special::Undefined(path)),
        _ => None,
    }
}

fn private(name: &str, content: Json) -> Json {
    Json::Object(Map::from_iter([(format!("{PRIVATE}{name}"), content)]))
}

/// What templates see of a tree; `texts` has the texts of its scalars.
pub(super) fn of_node(node: &Node, texts: &WrittenScalars) -> Json {
    if let Some(text) = texts.text(node) {
        return scalar(&node.to_json(), text);
    }
    match &node.value {
        Value::Mapping(mapping) => {
            let field = |entry: &Entry| (entry.key.to_string(), of_node(&entry.value, texts));
            Json::Object(mapping.entries().iter().map(field).collect())
        }
        Value::Sequence(items) => Json::Array(items.iter().map(|item| of_node(item, texts)).collect()),
        _ => node.to_json(),
    }
}

/// A scalar that is written like this.
pub(super) fn scalar(read: &Json, text: &str) -> Json {
    private("written", json!([read, text]))
}

/// What stands for a name that is not defined.
pub(super) fn undefined(path: &str) -> Json {
    private("undefined", path.into())
}

/// The name, where a value stands for one that is not defined.
pub(super) fn undefined_name(value: &Json) -> Option<&str> {
    match special(value)? {
        Special::Undefined(path) => Some(path),
        Special::Written(..) => None,
    }
}

/// What YAML reads: the value itself, unless it is written otherwise than it would print.
pub(super) fn read(value: &Json) -> &Json {
    match special(value) {
        Some(Special::Written(read, _)) => read,
        Some(Special::Undefined(_)) => &Json::Null,
        None => value,
    }
}

/// The text of a scalar: as it is written, null as nothing. `None` for lists and objects.
pub fn text(value: &Json) -> Option<Cow<'_, str>> {
    match special(value) {
        Some(Special::Written(_, text)) => return Some(text.into()),
        Some(Special::Undefined(_)) => return Some("".into()),
        None => {}
    }
    match value {
        Json::Array(_) | Json::Object(_) => None,
        Json::Null => Some("".into()),
        Json::String(text) => Some(text.into()),
        Json::Bool(_) | Json::Number(_) => Some(value.to_string().into()),
    }
}

/// A value as JSON: numbers as they are written where JSON has that form, everything else as YAML reads it.
pub(super) struct AsJson<'a>(pub(super) &'a Json);

impl Serialize for AsJson<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match special(self.0) {
            Some(Special::Written(Json::Number(read), text)) => match number(text) {
                Some(raw) => raw.serialize(serializer),
                None => read.serialize(serializer),
            },
            Some(Special::Written(read, _)) => read.serialize(serializer),
            Some(Special::Undefined(_)) => serializer.serialize_unit(),
            None => match self.0 {
                Json::Array(items) => serializer.collect_seq(items.iter().map(AsJson)),
                Json::Object(fields) => {
                    serializer.collect_map(fields.iter().map(|(key, field)| (key, AsJson(field))))
                }
                scalar => scalar.serialize(serializer),
            },
        }
    }
}

/// A text that JSON takes for a number, too.
fn number(text: &str) -> Option<Box<RawValue>> {
    let is_number = serde_json::from_str::<serde_json::Number>(text).is_ok();
    RawValue::from_string(text.to_owned()).ok().filter(|_| is_number)
}

/// A value as a tree, and the texts of its scalars; the positions are of no file.
pub(super) fn to_node(value: &Json, source: SourceId) -> (Node, WrittenScalars) {
    let mut tree = Tree { source, nodes: 0, texts: WrittenScalars::default() };
    let node = tree.node(value);
    (node, tree.texts)
}

struct Tree {
    source: SourceId,
    nodes: u32,
    texts: WrittenScalars,
}

impl Tree {
    fn node(&mut self, value: &Json) -> Node {
        self.nodes = self.nodes.saturating_add(1);
        let origin = Origin::point(self.source, self.nodes, 1);
        match special(value) {
            Some(Special::Written(read, text)) => {
                let node = Node::from_json(read, origin);
                self.texts.note(&node, text);
                return node;
            }
            Some(Special::Undefined(_)) => return Node::new(Value::Null, origin),
            None => {}
        }
        let value = match value {
            Json::Array(items) => Value::Sequence(items.iter().map(|item| self.node(item)).collect()),
            Json::Object(fields) => {
                let mut mapping = Mapping::with_capacity(fields.len());
                for (key, field) in fields {
                    mapping.push_new(Entry { key: key.into(), key_origin: origin, value: self.node(field) });
                }
                Value::Mapping(mapping)
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

    /// What templates see of a document with one key, `x`.
    fn value_of(text: &str) -> Option<Json> {
        let source = Sources::default().add("values.yaml");
        let read = yaml::read_written(
            format!("x: {text}\n").as_bytes(),
            source,
            &yaml::Limits::default(),
            &yaml::Budget::default(),
        );
        let (nodes, texts) = read.ok()?;
        let all = of_node(nodes.first()?, &texts);
        all.get("x").cloned()
    }

    #[test]
    fn scalars_print_as_they_are_written_and_read_as_yaml_does() {
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
            assert_eq!(read(&value), &wanted, "{written}");
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
        assert_eq!(serde_json::to_string(&AsJson(&value)).unwrap(), wanted);
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
        fn what_is_dumped_reads_as_the_same_value(text in "[-+]?(0|0x)?[0-9_]{1,25}(\\.[0-9]{0,9})?(e[0-9]{1,2})?|[Nn]o|[Oo]n|ON") {
            if let Some(value) = value_of(&text) {
                let source = Sources::default().add("t");
                let (node, texts) = to_node(&value, source);
                let mut out = Vec::new();
                yaml::write_yaml_as_written(&node, &texts, &mut out, usize::MAX).unwrap();
                let again = yaml::read(&out, source, &yaml::Limits::default()).unwrap();
                prop_assert_eq!(again.first().map(Node::to_json), Some(read(&value).clone()));
            }
        }
    }
}
