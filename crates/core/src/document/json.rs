//! Conversion of trees to and from `serde_json`, for libraries that use it (patches, templates).

use serde_json::Value as Json;

use super::node::{Entry, Mapping, Node, Number, Value};
use super::source::Origin;

impl Node {
    /// Converts a JSON value to a tree; every node gets the same origin.
    #[must_use]
    pub fn from_json(json: &Json, origin: Origin) -> Self {
        let value = match json {
            Json::Array(items) => {
                Value::Sequence(items.iter().map(|item| Self::from_json(item, origin)).collect())
            }
            Json::Bool(flag) => Value::Bool(*flag),
            Json::Null => Value::Null,
            Json::Number(number) => Value::Number(number_from_json(number)),
            Json::Object(fields) => {
                let mut mapping = Mapping::with_capacity(fields.len());
                for (key, field) in fields {
                    let value = Self::from_json(field, origin);
                    mapping.push_new(Entry { key: key.into(), key_origin: origin, value });
                }
                Value::Mapping(mapping)
            }
            Json::String(text) => Value::String(text.into()),
        };
        Self::new(value, origin)
    }

    /// Converts the tree to a JSON value.
    #[must_use]
    pub fn to_json(&self) -> Json {
        match &self.value {
            Value::Bool(flag) => Json::Bool(*flag),
            Value::Mapping(mapping) => Json::Object(
                mapping
                    .entries()
                    .iter()
                    .map(|entry| (entry.key.to_string(), entry.value.to_json()))
                    .collect(),
            ),
            Value::Null => Json::Null,
            Value::Number(Number::Float(float)) => (*float).into(),
            Value::Number(Number::Int(int)) => (*int).into(),
            Value::Number(Number::Uint(uint)) => (*uint).into(),
            Value::Sequence(items) => Json::Array(items.iter().map(Self::to_json).collect()),
            Value::String(text) => Json::String(text.to_string()),
        }
    }
}

fn number_from_json(number: &serde_json::Number) -> Number {
    number
        .as_i64()
        .map(Number::Int)
        .or_else(|| number.as_u64().map(Number::Uint))
        .or_else(|| number.as_f64().map(Number::Float))
        .unwrap_or(Number::Int(0))
}
