//! Exports the pack as JSON Schema, in the form of the upstream definitions. Used only by tests.

use serde_json::{Map, Value as Json, json};

use super::node::{
    ExtraFields, ListKey, ListTopology, NodeId, SchemaField, SchemaFields, SchemaNode, ValueFormat, ValueType,
};
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

fn schema_of(node: &SchemaNode, waiting: &mut Vec<NodeId>) -> Json {
    let mut schema = match node.kind {
        ValueType::Any => return json!({}),
        ValueType::Array => json!({"type": "array"}),
        ValueType::Boolean => json!({"type": "boolean"}),
        ValueType::Integer => json!({"type": "integer"}),
        // The same alternatives as upstream; a null matches both, and so fails `oneOf`.
        ValueType::IntOrString => {
            return json!({"oneOf": [{"type": ["string", "null"]}, {"type": ["integer", "null"]}]});
        }
        ValueType::Quantity => {
            return json!({"oneOf": [{"type": ["string", "null"]}, {"type": ["number", "null"]}]});
        }
        ValueType::Number => json!({"type": "number"}),
        ValueType::Object => json!({"type": "object"}),
        ValueType::String => json!({"type": "string"}),
    };
    if node.format != ValueFormat::None {
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
        ExtraFields::Closed => schema["additionalProperties"] = false.into(),
        ExtraFields::Like(id) => schema["additionalProperties"] = reference(id, waiting),
        ExtraFields::Free => {}
    }
    if let Some(id) = node.items {
        schema["items"] = reference(id, waiting);
    }
    match &node.topology {
        ListTopology::Map(keys) => {
            schema["x-kubernetes-list-type"] = "map".into();
            schema["x-kubernetes-list-map-keys"] = key_names(keys);
        }
        ListTopology::Set => schema["x-kubernetes-list-type"] = "set".into(),
        ListTopology::Atomic => {}
    }
    if node.nullable {
        schema["type"] = json!([schema["type"], "null"]);
    }
    schema
}

fn properties(fields: &SchemaFields, waiting: &mut Vec<NodeId>) -> Json {
    let each = fields.iter().map(|field| (field.name().to_owned(), reference(field.id, waiting)));
    Json::Object(each.collect())
}

fn required(fields: &SchemaFields) -> Json {
    fields.iter().filter(|field| field.required).map(SchemaField::name).collect()
}

fn key_names(keys: &[ListKey]) -> Json {
    keys.iter().map(|key| key.name.as_str()).collect()
}

fn reference(id: NodeId, waiting: &mut Vec<NodeId>) -> Json {
    waiting.push(id);
    json!({"$ref": format!("#/$defs/{}", name(id))})
}

fn name(id: NodeId) -> String {
    format!("n{}", id.0)
}
