//! What stands under a key of a file.
//!
//! The file's name says what it is: `*.yaml`, `*.yml`, `*.json`, `*.properties`, `*.env`, `.env`, `.env.*`.
//! In YAML and JSON the key is looked for as it is first (`a.b` may be one key), then as a way down through objects
//! (`a`, then `b`). Strings are taken as they are, numbers and booleans as they were written, objects and arrays as
//! compact JSON; null counts as not there. A key that stands twice is an error: nobody can say which one is meant.

use zeroize::{Zeroize, Zeroizing};

use super::{dotenv, properties};
use crate::diagnostic::At;
use crate::model::{
    EntriesError, Entry, MAX_SECRET_ENTRIES, Node, Number, Origin, SecretEntries, SecretValue, Sources,
    Value, json_text,
};
use crate::providers::ProviderError;
use crate::yaml;

/// Keys and values, in the order of the file.
pub(super) type Pairs = Vec<(String, Zeroizing<String>)>;

/// A line-based format's error: the line, and what is wrong there, without a word of what it holds.
pub(super) type LineError = (usize, &'static str);

/// A parsed file.
pub(super) enum Document {
    Json(Zeroizing<String>),
    Pairs(Pairs),
    Yaml { source: Zeroizing<String>, root: Zeroizing<Node> },
}

enum Format {
    Env,
    Json,
    Properties,
    Yaml,
}

impl Document {
    pub(super) fn parse(path: &str, content: &SecretValue) -> Result<Self, ProviderError> {
        let format = format_of(path).ok_or_else(|| {
            ProviderError::invalid(
                "a key can only be read from YAML, JSON, .env and .properties files",
                "leave the key out to get the whole file, or name the file by what it holds",
            )
        })?;
        let text = content.expose_str().ok_or_else(|| malformed("it is not UTF-8"))?;
        let text = text.strip_prefix('\u{feff}').unwrap_or(text);
        match format {
            Format::Env => dotenv::parse(text).map(Self::Pairs).map_err(at_line),
            Format::Json => match json_text::parse(text) {
                Ok(_) => Ok(Self::Json(Zeroizing::new(text.to_owned()))),
                Err(_) => Err(malformed("it is not well-formed JSON")),
            },
            Format::Properties => properties::parse(text).map(Self::Pairs).map_err(at_line),
            Format::Yaml => Ok(Self::Yaml {
                source: Zeroizing::new(text.to_owned()),
                root: Zeroizing::new(read_yaml(text)?),
            }),
        }
    }

    /// Returns all top-level keys, each with its value.
    pub(super) fn entries(&self) -> Result<SecretEntries, ProviderError> {
        let mut entries = SecretEntries::default();
        let value = |text: &Zeroizing<String>| SecretValue::new(text.as_bytes().to_vec());
        match self {
            Self::Json(text) => return Ok(SecretEntries::from_json(text)?),
            Self::Pairs(pairs) => {
                for (key, text) in pairs {
                    entries.insert(key.clone(), Some(value(text)))?;
                }
            }
            Self::Yaml { source, root } => {
                let mapping = root.as_mapping().ok_or(EntriesError::NotAnObject)?;
                if mapping.len() > MAX_SECRET_ENTRIES {
                    return Err(EntriesError::TooMany.into());
                }
                for entry in mapping.entries() {
                    let key = as_written(entry.key_origin, source).unwrap_or(&entry.key);
                    entries.insert(key.to_owned(), yaml_text(&entry.value, source).as_ref().map(value))?;
                }
            }
        }
        Ok(entries)
    }

    pub(super) fn value(&self, key: &str) -> Result<SecretValue, ProviderError> {
        let found = match self {
            Self::Json(text) => json_text::lookup(text, key).map_err(|error| match error {
                json_text::NotJson::Duplicate => twice(),
                json_text::NotJson::Syntax => malformed("a string in it is not well formed"),
            })?,
            Self::Pairs(pairs) => one_of(pairs, key)?,
            Self::Yaml { source, root } => {
                yaml_node(root, key, source).and_then(|node| yaml_text(node, source))
            }
        };
        found.map(|text| SecretValue::new(text.as_bytes().to_vec())).ok_or_else(|| {
            ProviderError::not_found(
                "the file has no such key",
                "keys of objects are joined with dots: `db.password`",
            )
        })
    }
}

fn format_of(path: &str) -> Option<Format> {
    let name = path.rsplit('/').next()?;
    if name == ".env" || name.starts_with(".env.") {
        return Some(Format::Env);
    }
    match name.rsplit_once('.')?.1 {
        "env" => Some(Format::Env),
        "json" => Some(Format::Json),
        "properties" => Some(Format::Properties),
        "yaml" | "yml" => Some(Format::Yaml),
        _ => None,
    }
}

fn one_of(pairs: &Pairs, key: &str) -> Result<Option<Zeroizing<String>>, ProviderError> {
    let mut values = pairs.iter().filter(|(name, _)| name == key).map(|(_, value)| value);
    match (values.next(), values.next()) {
        (value, None) => Ok(value.cloned()),
        (_, Some(_)) => Err(twice()),
    }
}

fn yaml_node<'a>(root: &'a Node, key: &str, source: &str) -> Option<&'a Node> {
    yaml_member(root, key, source)
        .or_else(|| key.split('.').try_fold(root, |node, segment| yaml_member(node, segment, source)))
}

/// A secret's file is no manifest: its keys `n` and `on` are no booleans, but what stands there.
fn yaml_member<'a>(node: &'a Node, key: &str, source: &str) -> Option<&'a Node> {
    let entries = node.as_mapping()?.entries();
    let written = |entry: &&Entry| as_written(entry.key_origin, source).is_some_and(|text| text == key);
    entries.iter().find(written).map(|entry| &entry.value).or_else(|| node.get(key))
}

fn yaml_text(node: &Node, source: &str) -> Option<Zeroizing<String>> {
    let text = match &node.value {
        Value::Null => return None,
        Value::String(text) => text.to_string(),
        Value::Bool(_) | Value::Number(_) => {
            as_written(node.origin, source).map_or_else(|| canonical(&node.value), str::to_owned)
        }
        Value::Mapping(_) | Value::Sequence(_) => return Some(secret_json(node)),
    };
    Some(Zeroizing::new(text))
}

/// Writes an object or a list as compact JSON, and zeroes the tree that it is written from.
fn secret_json(node: &Node) -> Zeroizing<String> {
    let mut tree = node.to_json();
    let text = Zeroizing::new(tree.to_string());
    wipe(&mut tree);
    text
}

/// Zeroes the values of a tree; the keys stay.
fn wipe(tree: &mut serde_json::Value) {
    match tree {
        serde_json::Value::Array(items) => items.iter_mut().for_each(wipe),
        serde_json::Value::Object(fields) => fields.values_mut().for_each(wipe),
        serde_json::Value::String(text) => text.zeroize(),
        serde_json::Value::Bool(_) | serde_json::Value::Null | serde_json::Value::Number(_) => {}
    }
}

fn canonical(value: &Value) -> String {
    match value {
        Value::Bool(flag) => flag.to_string(),
        Value::Number(Number::Float(float)) => float.to_string(),
        Value::Number(Number::Int(int)) => int.to_string(),
        Value::Number(Number::Uint(uint)) => uint.to_string(),
        _ => String::new(),
    }
}

/// A plain scalar as it stands in the source: `0123` and `1.10` are passwords that look like numbers.
fn as_written(origin: Origin, source: &str) -> Option<&str> {
    let (line, column) = (origin.line.checked_sub(1)?, origin.column.checked_sub(1)?);
    // A lone carriage return ends a line in YAML, but not for `lines`.
    if source.split('\r').skip(1).any(|behind| !behind.starts_with('\n')) {
        return None;
    }
    let width = origin.width as usize;
    let rest = source.lines().nth(line as usize)?;
    let start = rest.char_indices().nth(column as usize)?.0;
    let rest = &rest[start..];
    let end = rest.char_indices().nth(width).map_or(rest.len(), |(at, _)| at);
    let plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '+' | '-' | '_' | ':');
    Some(&rest[..end]).filter(|text| !text.is_empty() && text.chars().all(plain))
}

/// Reads one YAML document.
fn read_yaml(text: &str) -> Result<Node, ProviderError> {
    let source = Sources::default().add("");
    let mut documents = yaml::read(text.as_bytes(), source, &yaml::Limits::default()).map_err(|failure| {
        let line = failure.problems().iter().find_map(|problem| match problem.at {
            At::Origin(origin) => Some(origin.line as usize),
            _ => None,
        });
        at_line((line.unwrap_or(0), "it is not YAML as Kubernetes reads it, or gives a key twice"))
    })?;
    match (documents.pop(), documents.is_empty()) {
        (Some(document), true) => Ok(document),
        (None, _) => Err(malformed("it is empty")),
        (Some(_), false) => Err(malformed("it holds several documents")),
    }
}

fn malformed(why: &str) -> ProviderError {
    ProviderError::invalid(
        format!("the file cannot be parsed: {why}"),
        "correct the file in the secret store",
    )
}

fn at_line((line, why): LineError) -> ProviderError {
    malformed(&if line == 0 { why.to_owned() } else { format!("{why} (line {line})") })
}

fn twice() -> ProviderError {
    ProviderError::invalid("the file has the key twice", "remove one of them")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{Origin, Sources};

    proptest::proptest! {
        #[test]
        fn no_file_panics(
            text in "(A|=|:|'|\"|\\\\|\n|\r|#|!| |\t|\\$|export |\\\\u00e4|\\\\uD83D|\\\\uDE00|\u{e4}|\u{1f600}|\\{|\\}|\\[|\\]|,|1){0,25}",
        ) {
            let content = SecretValue::new(text.into_bytes());
            for name in [".env", "a.json", "a.properties", "a.yaml"] {
                if let Ok(document) = Document::parse(name, &content) {
                    let _ = document.value("A");
                    let _ = document.value("A.A");
                }
            }
        }
    }

    #[test]
    fn numbers_and_booleans_keep_how_they_were_written() {
        let id = Sources::default().add("a.yaml");
        let at = |line, column, width| {
            Node::new(Value::Number(Number::Int(83)), Origin { source: id, line, column, width })
        };
        let text = |node: &Node| yaml_text(node, "a: 0123 # c\n\u{e4}: 1.10\n").map(|text| text.to_string());
        assert_eq!(text(&at(1, 4, 4)).as_deref(), Some("0123"));
        assert_eq!(text(&at(2, 4, 4)).as_deref(), Some("1.10"));
        // Where the position says nothing of use, the value itself is written.
        for node in [at(0, 0, 0), at(1, 4, 0), at(9, 1, 1), at(1, 40, 2), at(1, 1, 9)] {
            assert_eq!(text(&node).as_deref(), Some("83"));
        }
        assert_eq!(yaml_text(&at(2, 1, 1), "a\rb\nc").map(|text| text.to_string()).as_deref(), Some("83"));
    }
}
