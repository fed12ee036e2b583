//! A YAML value as JSON. No error says anything of the value.
//!
//! Numbers and booleans keep how they were written, as a number where JSON knows it (`1.10`), else as a string
//! (`0123`, `on`): a password that looks like a number must come out as it is. So do keys.

use std::cell::Cell;

use zeroize::Zeroizing;

use crate::model::{Node, Origin, Sources, Value};
use crate::yaml;

/// The JSON of one document; of one that is a scalar, its text; `None` of null.
pub(super) fn to_json(text: &str) -> Result<Option<Zeroizing<String>>, &'static str> {
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    let source = Sources::default().add("");
    let mut documents = yaml::read(text.as_bytes(), source, &yaml::Limits::default())
        .map_err(|_| "the value is not YAML as Kubernetes reads it, or gives a key twice")?;
    let lines = if has_lone_return(text) { Vec::new() } else { text.split('\n').collect() };
    let writer = Writer { lines, reached: Cell::default() };
    let root = match (documents.pop(), documents.is_empty()) {
        (None, _) => return Ok(None),
        (Some(root), true) => Zeroizing::new(root),
        (Some(_), false) => return Err("the value holds several documents"),
    };
    let mut out = Zeroizing::new(String::with_capacity(text.len()));
    match &root.value {
        Value::Null => return Ok(None),
        Value::String(text) => out.push_str(text),
        Value::Bool(_) | Value::Number(_) => match writer.as_written(root.origin) {
            Some(written) => out.push_str(written),
            None => out.push_str(&root.to_json().to_string()),
        },
        Value::Mapping(_) | Value::Sequence(_) => writer.write(&root, &mut out),
    }
    Ok(Some(out))
}

/// A lone carriage return ends a line in YAML: then positions are not those of the lines here.
fn has_lone_return(text: &str) -> bool {
    text.split('\r').skip(1).any(|behind| !behind.starts_with('\n'))
}

struct Writer<'a> {
    /// None where positions are not those of these lines.
    lines: Vec<&'a str>,
    /// Line, characters and bytes of the last place: scalars come in order, so that no line is counted again for each.
    reached: Cell<(u32, usize, usize)>,
}

impl Writer<'_> {
    /// Goes as deep as the reader let the document be.
    fn write(&self, node: &Node, out: &mut String) {
        match &node.value {
            Value::Mapping(mapping) => {
                for (index, entry) in mapping.entries().iter().enumerate() {
                    out.push(if index == 0 { '{' } else { ',' });
                    quoted(self.as_written(entry.key_origin).unwrap_or(&entry.key), out);
                    out.push(':');
                    self.write(&entry.value, out);
                }
                out.push_str(if mapping.is_empty() { "{}" } else { "}" });
            }
            Value::Sequence(items) => {
                for (index, item) in items.iter().enumerate() {
                    out.push(if index == 0 { '[' } else { ',' });
                    self.write(item, out);
                }
                out.push_str(if items.is_empty() { "[]" } else { "]" });
            }
            Value::Null => out.push_str("null"),
            Value::String(text) => quoted(text, out),
            Value::Bool(_) | Value::Number(_) => match self.as_written(node.origin) {
                Some(written) if is_json(written) => out.push_str(written),
                Some(written) => quoted(written, out),
                None => out.push_str(&node.to_json().to_string()),
            },
        }
    }

    /// A plain scalar as it stands in the source.
    fn as_written(&self, origin: Origin) -> Option<&str> {
        let column = origin.column.checked_sub(1)? as usize;
        let line = self.lines.get(origin.line.checked_sub(1)? as usize)?;
        let (chars, bytes) = match self.reached.get() {
            (at, chars, bytes) if at == origin.line && chars <= column => (chars, bytes),
            _ => (0, 0),
        };
        let start = bytes + line.get(bytes..)?.char_indices().nth(column - chars)?.0;
        self.reached.set((origin.line, column, start));
        let width = origin.width as usize;
        let plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '+' | '-' | '_' | ':');
        line.get(start..start.checked_add(width)?).filter(|text| !text.is_empty() && text.chars().all(plain))
    }
}

fn is_json(text: &str) -> bool {
    serde_json::from_str::<&serde_json::value::RawValue>(text).is_ok()
}

fn quoted(text: &str, out: &mut String) {
    out.push_str(&serde_json::Value::from(text).to_string());
}

#[cfg(test)]
mod tests {
    use super::*;

    fn json(text: &str) -> Option<String> {
        to_json(text).expect("well formed").map(|json| json.to_string())
    }

    #[test]
    fn scalars_keep_how_they_were_written() {
        assert_eq!(
            json("pin: 0123\nprice: 1.10\non: yes\nflag: true\nn: ~\nlist: [1, {}, [], 'x\"y']\n").as_deref(),
            Some(r#"{"pin":"0123","price":1.10,"on":"yes","flag":true,"n":null,"list":[1,{},[],"x\"y"]}"#)
        );
        assert_eq!(json("0123").as_deref(), Some("0123"));
        assert_eq!(json("'a b'\n").as_deref(), Some("a b"));
        assert_eq!(json("\u{feff}a: 1e400x\r\nb: 7\r\n").as_deref(), Some(r#"{"a":"1e400x","b":7}"#));
        assert_eq!(json("null"), None);
        assert_eq!(json(""), None);
    }

    #[test]
    fn errors_say_nothing_of_the_value() {
        for text in ["a: [CANARY", "a: CANARY\na: CANARY", "CANARY: 1\n---\nb: 2\n", "- \tCANARY: [\n"] {
            let error = to_json(text).expect_err("an error");
            assert!(!error.contains("CANARY"), "{error}");
        }
    }

    #[test]
    fn places_are_found_on_long_lines() {
        let text = format!("list: [{}]\n0x1F: 007\n", "010, \u{e4}, ".repeat(20_000));
        let json = json(&text).expect("a document");
        assert!(json.starts_with(r#"{"list":["010","ä","010""#));
        assert!(json.ends_with(r#""010","ä"],"0x1F":"007"}"#));
    }

    proptest::proptest! {
        #[test]
        fn what_comes_out_of_a_mapping_is_json(
            text in "(a: |b: |- |\n|  |'|\"|0|1|\\.|e|\\+|x|on|\\{|\\}|\\[|\\]|,|&c |\\*c|\u{e4}|#|: ){0,20}",
        ) {
            if let Ok(Some(json)) = to_json(&text)
                && json.starts_with('{') && yaml::read(text.as_bytes(), Sources::default().add(""), &yaml::Limits::default()).is_ok_and(|nodes| nodes[0].as_mapping().is_some())
            {
                proptest::prop_assert!(is_json(&json), "{}", *json);
            }
        }
    }
}
