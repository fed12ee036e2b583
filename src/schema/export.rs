//! The pack as JSON Schema, in the shape of upstream's definitions. For tests: nothing at run time needs it.

use serde_json::{Map, Value as Json, json};

use super::Schemas;
use super::pack;
use super::view::{Fields, Format, Id, Keys, Kind, Rest, Topology, View};

impl Schemas {
    /// Definitions of all kinds of this version, under `$defs`.
    #[doc(hidden)]
    #[must_use]
    pub fn definitions(&self) -> Json {
        let mut definitions = Map::new();
        let mut waiting = Vec::new();
        for entry in pack::EMBEDDED.kinds().filter(|entry| entry.minors & self.version().bit() != 0) {
            let gvk = json!({"group": entry.group, "kind": entry.kind, "version": entry.version});
            let mut schema = schema_of(self.view(entry.id), &mut waiting);
            schema["x-kubernetes-group-version-kind"] = json!([gvk]);
            definitions.insert(name(entry.id), schema);
        }
        while let Some(id) = waiting.pop() {
            if !definitions.contains_key(&name(id)) {
                let schema = schema_of(self.view(id), &mut waiting);
                definitions.insert(name(id), schema);
            }
        }
        json!({"$defs": definitions})
    }
}

fn schema_of(view: View<'_>, waiting: &mut Vec<Id>) -> Json {
    let mut schema = match view.kind {
        Kind::Any => return json!({}),
        Kind::Array => json!({"type": "array"}),
        Kind::Boolean => json!({"type": "boolean"}),
        Kind::Integer => json!({"type": "integer"}),
        // As upstream has them; a null fits both alternatives, and so none.
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
    if view.format != Format::None {
        schema["format"] = view.format.name().into();
    }
    if !view.values.is_empty() {
        let mut values: Vec<Json> = view.values.iter().map(Json::from).collect();
        if view.nullable {
            values.extend([Json::Null, "".into()]);
        }
        schema["enum"] = values.into();
    }
    if !view.fields.is_empty() {
        schema["properties"] = properties(view.fields, waiting);
        schema["required"] = required(view.fields);
    }
    match view.rest {
        Rest::Closed => schema["additionalProperties"] = false.into(),
        Rest::Like(id) => schema["additionalProperties"] = reference(id, waiting),
        Rest::Free => {}
    }
    if let Some(id) = view.items {
        schema["items"] = reference(id, waiting);
    }
    match view.topology {
        Topology::Map(keys) => {
            schema["x-kubernetes-list-type"] = "map".into();
            schema["x-kubernetes-list-map-keys"] = key_names(keys);
        }
        Topology::Set => schema["x-kubernetes-list-type"] = "set".into(),
        Topology::Atomic => {}
    }
    if view.nullable {
        schema["type"] = json!([schema["type"], "null"]);
    }
    schema
}

fn properties(fields: Fields<'_>, waiting: &mut Vec<Id>) -> Json {
    let each = (0..fields.len()).filter_map(|index| {
        let field = fields.field(index)?;
        Some((fields.name(index).to_owned(), reference(field.id, waiting)))
    });
    Json::Object(each.collect())
}

fn required(fields: Fields<'_>) -> Json {
    (0..fields.len())
        .filter(|index| fields.field(*index).is_some_and(|field| field.required))
        .map(|index| fields.name(index))
        .collect()
}

fn key_names(keys: Keys<'_>) -> Json {
    (0..keys.len()).map(|index| keys.name(index)).collect()
}

fn reference(id: Id, waiting: &mut Vec<Id>) -> Json {
    waiting.push(id);
    json!({"$ref": format!("#/$defs/{}", name(id))})
}

fn name(id: Id) -> String {
    format!("n{}", id.0)
}
