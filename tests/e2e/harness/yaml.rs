//! Reads YAML files of other projects.

use serde_json::Value;

/// Returns the documents of a text, without empty ones.
pub fn documents(text: &str) -> Vec<Value> {
    let documents = yaml_serde::Deserializer::from_str(text);
    let read = documents.map(|document| <Value as serde::Deserialize>::deserialize(document).expect("YAML"));
    read.filter(|document| !document.is_null()).collect()
}
