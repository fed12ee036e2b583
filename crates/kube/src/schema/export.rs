//! Exports the pack as JSON Schema, in the form of the upstream definitions. Used only by tests.

use serde_json::{Map, Value as Json, json};

use super::node::{Field, Fields, Format, Id, Key, Kind, Rest, SchemaNode, Topology};
use super::{Schemas, pack};

impl Schemas {
    /// Returns the definitions of all kinds of this version, under `$defs`.
    #[doc(hidden)]
    #[must_use]
    pub fn definitions(&self) -> Json {
        let mut definitions = Map::new();
        let mut waiting = Vec::new();
        for entry in pack::EMBEDDED.kinds().filter(|entry| entry.minors & self.version().bit() != 0) {
            let gvk = json!({"group": entry.group, "kind": entry.kind, "version": entry.version});
            let mut schema = schema_of(self.node(entry.id), &mut waiting);
            schema["x-kubernetes-group-version-kind"] = json!([gvk]);
            definitions.insert(name(entry.id), schema);
        }
        while let Some(id) = waiting.pop() {
            if !definitions.contains_key(&name(id)) {
                let schema = schema_of(self.node(id), &mut waiting);
                definitions.insert(name(id), schema);
            }
        }
        json!({"$defs": definitions})
    }
}

fn schema_of(node: &SchemaNode, waiting: &mut Vec<Id>) -> Json {
    let mut schema = match node.kind {
        Kind::Any => return json!({}),
        Kind::Array => json!({"type": "array"}),
        Kind::Boolean => json!({"type": "boolean"}),
        Kind::Integer => json!({"type": "integer"}),
        // The same alternatives as upstream; a null matches both, and so fails `oneOf`.
        Kind::IntOrString => {
            return json!({"oneOf": [{"type": ["string", "null"]}, {"type": ["integer", "null"]}]});
        }
        Kind::Quantity => {
            return json!({"oneOf": [{"type": ["string", "null"]}, {"type": ["number", "null"]}]});
        }
        Kind::Number => json!({"type": "number"}),
        Kind::Object => json!({"type": "object"}),
        Kind::String => json!({"type": "string"}),
    };
    if node.format != Format::None {
        schema["format"] = node.format.name().into();
    }
    if !node.values.is_empty() {
        let mut values: Vec<Json> = node.values.iter().map(|value| Json::from(*value)).collect();
        if node.nullable {
            values.extend([Json::Null, "".into()]);
        }
        schema["enum"] = values.into();
    }
    if !node.fields.is_empty() {
        schema["properties"] = properties(&node.fields, waiting);
        schema["required"] = required(&node.fields);
    }
    match node.rest {
        Rest::Closed => schema["additionalProperties"] = false.into(),
        Rest::Like(id) => schema["additionalProperties"] = reference(id, waiting),
        Rest::Free => {}
    }
    if let Some(id) = node.items {
        schema["items"] = reference(id, waiting);
    }
    match &node.topology {
        Topology::Map(keys) => {
            schema["x-kubernetes-list-type"] = "map".into();
            schema["x-kubernetes-list-map-keys"] = key_names(keys);
        }
        Topology::Set => schema["x-kubernetes-list-type"] = "set".into(),
        Topology::Atomic => {}
    }
    if node.nullable {
        schema["type"] = json!([schema["type"], "null"]);
    }
    schema
}

fn properties(fields: &Fields, waiting: &mut Vec<Id>) -> Json {
    let each = fields.iter().map(|field| (field.name().to_owned(), reference(field.id, waiting)));
    Json::Object(each.collect())
}

fn required(fields: &Fields) -> Json {
    fields.iter().filter(|field| field.required).map(Field::name).collect()
}

fn key_names(keys: &[Key]) -> Json {
    keys.iter().map(|key| key.name.as_str()).collect()
}

fn reference(id: Id, waiting: &mut Vec<Id>) -> Json {
    waiting.push(id);
    json!({"$ref": format!("#/$defs/{}", name(id))})
}

fn name(id: Id) -> String {
    format!("n{}", id.0)
}
