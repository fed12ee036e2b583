//! Conversion of trees to and from `serde_json`, for libraries that use it (patches, templates).

use serde_json::Value as Json;

use super::node::{MappingEntry, Node, NodeValue};
use super::number::{FiniteFloat, Number};
use super::source::Origin;

impl Node {
    /// Converts a JSON value to a tree; every node gets the same origin.
    #[must_use]
    pub fn from_json(json: &Json, origin: Origin) -> Self {
        let value = match json {
            Json::Array(items) => {
                NodeValue::Sequence(items.iter().map(|item| Self::from_json(item, origin)).collect())
            }
            Json::Bool(flag) => NodeValue::Bool(*flag),
            Json::Null => NodeValue::Null,
            Json::Number(number) => NodeValue::Number(number_from_json(number)),
            Json::Object(fields) => {
                let entry = |(key, field): (&String, &Json)| MappingEntry {
                    key: key.into(),
                    key_origin: origin,
                    value: Self::from_json(field, origin),
                };
                NodeValue::Mapping(fields.iter().map(entry).collect())
            }
            Json::String(text) => NodeValue::String(text.into()),
        };
        Self::new(value, origin)
    }

    /// Converts the tree to a JSON value.
    #[must_use]
    pub fn to_json(&self) -> Json {
        match &self.value {
            NodeValue::Bool(flag) => Json::Bool(*flag),
            NodeValue::Mapping(mapping) => Json::Object(
                mapping
                    .entries()
                    .iter()
                    .map(|entry| (entry.key.to_string(), entry.value.to_json()))
                    .collect(),
            ),
            NodeValue::Null => Json::Null,
            NodeValue::Number(Number::Float(float)) => float.get().into(),
            NodeValue::Number(Number::Int(int)) => (*int).into(),
            NodeValue::Number(Number::Uint(uint)) => (*uint).into(),
            NodeValue::Sequence(items) => Json::Array(items.iter().map(Self::to_json).collect()),
            NodeValue::String(text) => Json::String(text.to_string()),
        }
    }
}

fn number_from_json(number: &serde_json::Number) -> Number {
    number
        .as_i64()
        .map(Number::Int)
        .or_else(|| number.as_u64().map(Number::Uint))
        .or_else(|| number.as_f64().and_then(FiniteFloat::new).map(Number::Float))
        .unwrap_or(Number::Int(0))
}
